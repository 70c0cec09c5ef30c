#!/usr/bin/env bash
# `twofour replay` and `twofour vectors` as a user runs them. Usage: replay_test.sh PATH_OF_TWOFOUR
set -u -o pipefail
twofour=$(realpath -e "$1") || exit 1
. "$(dirname "$0")/expect.sh"
vectors=$(cd "$(dirname "$0")/../vectors" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
fault() { echo "FAILED: $*"; failed=1; }

# Every recorded word, file by file and all at once.
for file in "$vectors"/*.hex; do expect 0 ': 1000 agreeing, 0 disagreeing of 1000 vectors' replay "$file"; done
expect 0 '620 agreeing, 0 disagreeing' replay "$vectors/directed_behaviour.txt"
expect 0 '32 agreeing, 0 disagreeing' replay "$vectors/ampere_ada_single_dots.txt"
expect 0 '28 files: 26652 agreeing, 0 disagreeing of 26652 vectors' replay "$vectors"/*.hex "$vectors"/*.txt
expect 0 '"vectors": 26652' replay "$vectors"/*.hex "$vectors"/*.txt --json
expect 0 'volta m8n8k4.f16.f16.f16.f16, from the file' replay "$vectors/v100_fp16_k4_f16.hex"
expect 0 '"derived": "hopper m16n8k16.f32.bf16.bf16.f32, from the file' replay "$vectors/h200_bf16_k16_f32.hex" --json
expect 0 'hopper, from the file' replay "$vectors/h200_bf16_k16_f32.hex" --instruction m16n8k16.f32.bf16.bf16.f32

# K of the lines and k of the instruction; a name that says nothing; another generation.
expect 2 '16 words, but m16n8k8.f32.f16.f16.f32 takes 8; K = 16 is that of m16n8k16.f32.f16.f16.f32' \
  replay "$vectors/h100_fp16_k16_f32.hex" --arch hopper --instruction m16n8k8.f32.f16.f16.f32
cp "$vectors/h100_fp16_k16_f32.hex" words.hex
expect 2 'words.hex:2: line: names no instruction' replay words.hex
expect 1 'mismatch: words.hex:' replay words.hex --arch ampere --instruction m16n8k16.f32.f16.f16.f32
"$twofour" replay - --arch hopper --instruction m16n8k16.f32.f16.f16.f32 <words.hex >out.txt || fault 'standard input'
grep -q '^standard input: 1000 agreeing' out.txt || fault 'standard input is not named'
expect 2 'missing.hex: cannot be read' replay "$vectors/a2_fp16_k8_f32.hex" missing.hex

# Cases: written, answered, compared; the same bytes on every machine.
expect 0 'twofour-cases 1' vectors --count 1
"$twofour" vectors --count 14 --seed 7 >cases.txt || fault vectors
rows=m8n8k4.f64.f64.f64.f64,m16n8k16.f32.f16.f16.f32,m16n8k8.f16.f16.f16.f16,sp.m16n8k32.f32.bf16.bf16.f32
rows+=,sp.m16n8k8.f32.tf32.tf32.f32,m16n8k32.s32.s8.u8.s32,sp::ordered_metadata.m16n8k128.s32.u4.s4.s32,m16n8k256.s32.b1.b1.s32.xor
sum=$("$twofour" vectors --count 14 --seed 7 --instruction $rows | cksum)
[ "$sum" = '615384231 359423' ] || fault "vectors --seed 7 gives other bytes: $sum"
"$twofour" vectors answer cases.txt >answered.txt || fault 'vectors answer'
expect 0 ' 0 disagreeing' replay answered.txt
expect 0 '"disagreeing": 0' replay answered.txt --json
expect 0 'from the file: answered by sm_90' replay <("$twofour" vectors --arch hopper --count 2 | "$twofour" vectors answer - --arch hopper)
expect 1 'mismatch' replay answered.txt --arch hopper
expect 2 'the case has no answer' replay cases.txt

# One changed word: line, instruction, lane, register, row, column, both values, and the comment above the case.
"$twofour" vectors --instruction sp.m16n8k64.s32.s8.s8.s32 --count 1 | "$twofour" vectors answer - >good.txt
word=$(sed -n '11p' good.txt | sed 's/.*| //' | cut -d' ' -f4)  # lane 6: lines are header, answered, note, case, lanes
other=$(printf '%08x' $((0x$word ^ 0x100)))
sed "11s/$word\$/$other/" good.txt >changed.txt
expect 1 "mismatch: changed.txt:11: sp.m16n8k64.s32.s8.s8.s32: lane 6, register d3, bit 0, row 9, column 5: expected $other, computed $word (1 of 128 elements differ)" replay changed.txt
expect 1 'boundary 0: extremes' replay changed.txt
expect 1 '"column": 5' replay changed.txt --json

# Refused: one message, with file, line and field.
head -n 20 good.txt >cut.txt
expect 2 'cut.txt:20: lane: the case of line 4 has no line for lane 16 of 32 here: the file ends' replay cut.txt
sed '7s/ | [0-9a-f]* / | /' good.txt >short.txt
expect 2 'short.txt:7: a: 3 words' replay short.txt
sed '7s/| ./| g/' good.txt >hex.txt
expect 2 "hex.txt:7: a: 'g" replay hex.txt
sed 's/m16n8k64/m16n8k60/' good.txt >name.txt
expect 2 'name.txt:4: instruction: unknown instruction' vectors answer name.txt
sed '1s/1/9/' good.txt >version.txt
expect 2 'version.txt:1: header' replay version.txt
echo 'not a vector' >other.txt
expect 2 'other.txt:1: line: 1 fields between bars' replay other.txt
expect 2 'flag --level' vectors --level some
expect 2 'flag --count' vectors --count 0
expect 2 'flag --family' vectors --family mma.sp --instruction m16n8k8.f32.f16.f16.f32
"$twofour" vectors --arch ada --count 1 --instruction m16n8k32.f32.e4m3.e4m3.f32 >fp8.txt
expect 2 'fp8.txt:3: instruction: ampere has no m16n8k32.f32.e4m3.e4m3.f32 that the emulator knows' vectors answer fp8.txt
expect 2 'has no cases' vectors --instruction movmatrix.m8n8.trans.b16
expect 2 'unknown instruction' vectors --instruction m16n8k9
expect 2 "in family 'mmma'" vectors --family mmma
expect 2 'open-questions brings its own' vectors --level open-questions --family mma

# The open questions, on another generation's arithmetic: the question comes with the mismatch.
"$twofour" vectors --level open-questions >open.txt
"$twofour" vectors answer open.txt --arch hopper >theirs.txt || fault 'open questions'
expect 1 'question: which kept products share a block of mma.sp?' replay theirs.txt --arch ampere
exit $failed
