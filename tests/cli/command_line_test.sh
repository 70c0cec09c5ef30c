#!/usr/bin/env bash
# Runs the built `twofour` as a user does and checks exit statuses and words. Usage: command_line_test.sh PATH_OF_TWOFOUR
set -u
twofour=$(realpath -e "$1") || exit 1
. "$(dirname "$0")/expect.sh"
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

# A rows x cols int8 .npy file of the given bytes (printf escapes).
npy() {
  local file=$1 rows=$2 cols=$3 data=$4 header
  header="{'descr': '|i1', 'fortran_order': False, 'shape': ($rows, $cols), }"
  { printf '\x93NUMPY\x01\x00\x76\x00'; printf '%-117s\n' "$header"; printf "$data"; } >"$file"
}

# Help and usage.
expect 0 'Usage: twofour COMMAND' --help
expect 2 'Usage: twofour COMMAND'
expect 0 'twofour 0.' --version
for command in 'isa list' 'isa show' mma gemm prune compress 'metadata check' 'metadata convert' 'metadata explain' layout replay 'time gemm' 'time conv' 'machine list' 'machine show' 'machine check' 'kernel run' 'kernel show' 'time mma' 'time network' 'time table' 'time tune' search; do
  # shellcheck disable=SC2086
  expect 0 'Usage: twofour' $command --help
done
expect 2 "unknown command 'gem'" gem
expect 2 'unknown flag --mm' gemm --mm 3
expect 2 "'x' is not a valid int64" gemm --m x
expect 2 'needs a value' gemm --m
expect 2 "unexpected argument 'y'" isa list y

# The table.
expect 0 'mma.sp.sync.aligned.m16n8k64.row.col.s32.s8.s8.s32' isa show sp.m16n8k64.s32.s8.s8.s32
expect 0 '"schema_version": 1' isa list --json
expect 2 'unknown instruction' isa show m16n8k8.f32
expect 2 "after 'isa' comes one of list, show" isa
expect 0 '332 instructions on ampere' isa list
expect 0 'lowered to 4 of m16n8k4.f32.tf32.tf32.f32, chained along k' isa show wmma.mma.row.col.m16n16k8.f32.tf32.tf32.f32
expect 2 "'x' has no instruction" isa list --family x

# One instruction. A: rows of ones at kept columns 0 and 1 of every group; B: column n holds n.
npy ones.npy 16 32 "$(printf '\\x01%.0s' $(seq 512))"
npy columns.npy 64 8 "$(for _ in $(seq 64); do printf '\\x00\\x01\\x02\\x03\\x04\\x05\\x06\\x07'; done)"
npy codes.npy 16 16 "$(printf '\\x04%.0s' $(seq 256))"
npy bad_codes.npy 16 16 "$(printf '\\x04%.0s' $(seq 255))\\x05"
sp='mma.sp.sync.aligned.m16n8k64.row.col.s32.s8.s8.s32'
expect 0 '            0           32           64           96          128          160          192          224' \
  mma "$sp" -a ones.npy -b columns.npy --metadata codes.npy --selector 0
expect 0 'row 15 group 15: code 0x5 keeps columns 61 and 61 (duplicate: undefined); lane 31 bits 28-31' \
  mma "$sp" -a ones.npy -b columns.npy --metadata bad_codes.npy
expect 2 '--strict: 1 invalid codes' mma "$sp" -a ones.npy -b columns.npy --metadata bad_codes.npy --strict
npy b.npy 32 8 "$(printf '\\x01%.0s' $(seq 256))"
expect 0 '"00000020"' mma m16n8k32.s32.s8.s8.s32.satfinite -a ones.npy -b b.npy --json
expect 2 'selector 1 is out of range' mma "$sp" --selector 1
expect 2 'ones.npy: 16 x 32, but operand b' mma m16n8k32.s32.s8.s8.s32 -b ones.npy
expect 2 'is dense: it reads no --metadata' mma m16n8k32.s32.s8.s8.s32 --metadata codes.npy
expect 2 'moves data' mma ldmatrix.m8n8.x4.shared.b16
expect 2 'is named for two results' compress ones.npy --dtype s8 --values x.npy --codes x.npy
expect 2 'multiply smaller parts' gemm --m 100000 --n 100000 --k 1000000
expect 2 'multiply smaller parts' gemm --m 9223372036854775807 --n 16 --k 128 --dtype b1
expect 2 'takes no rounding mode' mma m16n8k16.f32.f16.f16.f32.rz
expect 2 'is inferred' mma sp.m16n8k32.f32.f16.f16.f32 --strict

# Replay.
vectors=$here/vectors
expect 0 '1000 agreeing, 0 disagreeing' replay "$vectors/a100_fp16_k8_f32.hex" --arch ampere --instruction m16n8k8.f32.f16.f16.f32
expect 0 '620 agreeing' replay "$vectors/directed_behaviour.txt"
expect 2 'cannot be read' replay missing.hex --instruction m16n8k8.f32.f16.f16.f32
head -c 5000 "$vectors/a100_fp16_k8_f32.hex" >cut.hex
expect 2 'cut.hex:' replay cut.hex --instruction m16n8k8.f32.f16.f16.f32
sed 's/bf794a57/bf794a58/' "$vectors/a100_fp16_k8_f32.hex" >changed.hex
expect 1 'expected bf794a58, computed bf794a57' replay changed.hex --instruction m16n8k8.f32.f16.f16.f32

odd=$(printf 'odd\xff.hex')  # a name that is not UTF-8
cp "$vectors/a100_fp16_k8_f32.hex" "$odd"
expect 0 '"agreeing": 1000' replay "$odd" --instruction m16n8k8.f32.f16.f16.f32 --json

# GEMM.
expect 0 '0 differ' gemm --m 64 --n 64 --k 128 --dtype s8 --sparse
expect 0 '0 differ' gemm --m 32 --n 32 --k 64 --dtype f16
expect 2 '--strict' gemm --m 32 --n 32 --k 64 --dtype f16 --sparse --strict
expect 2 'does not divide into tiles' gemm --m 17 --n 8 --k 32 --dtype s8
expect 2 'does not divide into tiles' gemm --m 16 --n 8 --k 33 --dtype s8
expect 0 '0 differ' gemm --m 17 --n 9 --k 33 --dtype s8 --pad
expect 2 'no mma.sp instruction' gemm --m 16 --n 8 --k 256 --dtype b1 --sparse
expect 2 '--m must be at least 1' gemm --m -5 --n 8 --k 32 --dtype s8
expect 2 'unknown element type' gemm --m 16 --n 8 --k 32 --dtype int8
npy a.npy 1 4 '\x01\x02\x03\x04'
npy b.npy 4 1 '\x05\x06\x07\xf8'
expect 0 '0 differ' gemm -a a.npy -b b.npy --dtype s8 --pad --output d.npy
expect 2 'b.npy: B has 4 rows' gemm -a b.npy -b b.npy --dtype s8 --pad
expect 2 'a.npy: the matrix is not 2:4: row 0, columns 0 to 3 hold 4 non-zero elements' gemm -a a.npy -b b.npy --dtype s8 --pad --sparse
expect 0 '0 differ' gemm -a a.npy -b b.npy --dtype s8 --pad --sparse --prune
head -c 130 a.npy >short.npy
expect 2 'short.npy' gemm -a short.npy -b b.npy --dtype s8
expect 2 'cannot be read as f16' gemm -a a.npy -b b.npy --dtype f16

# Integers of a few bits. [[-2, 1]] times [[3], [2]].
npy w.npy 1 2 '\xfe\x01'
npy x.npy 2 1 '\x03\x02'
expect 0 '0 differ' gemm --m 17 --n 9 --k 300 --dtype w2a3
expect 0 'w1a2, weights -1 or 1, activations 0 to 3' gemm --m 3 --n 9 --k 30 --dtype w1a2
expect 0 'm8n8k128.row.col.s32.b1.b1.s32.xor.popc' gemm --m 17 --n 9 --k 300 --dtype w3a1 --encoding unsigned --arch turing
expect 0 '"differing": 0' gemm --m 5 --n 9 --k 129 --dtype w1a1 --encoding bipolar --json
"$twofour" gemm -a w.npy -b x.npy --dtype w2a2 --output p.npy >/dev/null
[ "$(tail -c 4 p.npy | od -An -td4 | tr -d ' ')" = -4 ] || { echo 'FAILED: -2 * 3 + 1 * 2 = -4 by w2a2'; failed=1; }
expect 2 'w.npy: element -2 in row 0, column 0; the operand takes 0 to 3' gemm -a w.npy -b x.npy --dtype w2a2 --encoding unsigned
expect 2 'x.npy: element 3 in row 0, column 0; the operand takes 0 to 1' gemm -a w.npy -b x.npy --dtype w2a1
expect 2 'takes no --sparse' gemm --m 4 --n 4 --k 8 --dtype w2a2 --sparse
expect 2 'takes 1 bit of weights' gemm --m 4 --n 4 --k 8 --dtype w2a2 --encoding bipolar
expect 2 'is for --dtype w1a1 to w8a8' gemm --m 4 --n 4 --k 8 --dtype s8 --encoding signed
expect 2 'sums of 1000000 products could leave 32 bits' gemm --m 1 --n 1 --k 1000000 --dtype w8a8
expect 2 'no single-bit mma' gemm --m 4 --n 4 --k 8 --dtype w2a2 --arch volta
expect 0 'as a single-bit GEMM of 512 x 3000 x 512' time gemm --m 256 --n 1000 --k 512 --dtype w2a3
expect 0 '"dtype": "w1a2"' time conv --conv 8,14,14,256,256,3,3,1,1 --dtype w1a2 --json
expect 2 'takes no --cycle' time gemm --m 256 --n 1000 --k 512 --dtype w2a3 --cycle

# Scheduled kernels.
tile='--cta-tile 64x32x64 --stages 3 --warp-grid 2x1'
# shellcheck disable=SC2086
{
  expect 0 '4096 outputs, 0 differ' kernel run --m 64 --n 64 --k 256 --sparse $tile
  expect 0 '"differing": 0' kernel run --m 61 --n 50 --k 120 $tile --split-k 2 --epilogue bias,residual,relu --store f16 --json
  expect 0 'stream-k on 5 CTAs' kernel run --m 64 --n 64 --k 256 --dtype s8 $tile --stream-k 5 --epilogue scale --store s4
  # A k-chunk of 64 columns is four steps of 2 x 4 mma; behind the last is the next k-chunk's first fragment.
  expect 0 'ldmatrix.sync.aligned.m8n8.x4.shared.b16' kernel show --m 64 --n 64 --k 256 $tile
  [ "$("$twofour" kernel show --m 64 --n 64 --k 256 $tile | grep -c '  mma.sync')" = 32 ] || { echo 'FAILED: mma of a k-chunk'; failed=1; }
  expect 0 'st.global.b128 [d + 0]' kernel show --m 64 --n 64 --k 256 $tile --part epilogue --json
  expect 2 'flag --part' kernel show --m 64 --n 64 --k 256 $tile --part middle
  expect 2 '--cta 9: the grid has 2' kernel show --m 64 --n 64 --k 256 $tile --cta 9
  expect 2 'fill K up with zeros' kernel run --m 64 --n 64 --k 255 $tile
  expect 2 'is none of scale, bias' kernel run --m 64 --n 64 --k 256 $tile --epilogue gelu
}
expect 2 'is not 3 sizes' kernel run --m 64 --n 64 --k 64 --cta-tile 64x64
expect 2 'bytes of shared memory, a CTA has 166912' kernel run --m 64 --n 64 --k 64 --cta-tile 256x256x64
expect 2 'registers a lane, there are 255' kernel run --m 64 --n 64 --k 64 --cta-tile 128x256x32
expect 2 'must be a multiple of 16 x 8' kernel run --m 64 --n 64 --k 64 --cta-tile 64x64x32 --warp-grid 8x1

# Convolutions.
expect 0 'fidelity   measured' time conv --conv 8,56,56,64,64,3,3,1,1
expect 0 'cycles with' time conv --conv 8,14,14,256,256,3,3,1,1 --dtype s8 --sparse --cycle
expect 0 '"method": "cycle"' time conv --conv 8,14,14,3,64,7,7,2,3 --cycle --json
expect 0 '25088 outputs, 0 differ' kernel run --conv 2,14,14,32,64,3,3,1,1 --dtype s8 --sparse --cta-tile 64x64x128 --stages 3 --epilogue bias,relu,residual
expect 0 'outputs, 0 differ' kernel run --conv 1,9,9,16,24,5,5,2,2 --dtype bf16 --cta-tile 32x64x32 --warp-grid 1x2 --split-k 3
expect 2 'give --conv' time conv
expect 2 'larger than the padded input' time conv --conv 1,2,2,64,64,5,5,1,0
expect 2 'give either --m, --n and --k, or --conv' kernel run --m 8 --conv 1,9,9,16,24,5,5,2,2
expect 2 '3 channels of f16 are not a multiple of 4 bytes' kernel run --conv 1,9,9,3,24,5,5,2,2

# Tuning.
expect 0 '10 of ' time tune --m 64 --n 64 --k 256 --trials 10
expect 0 '"trials": 10,' time tune --conv 1,8,8,64,64,3,3,1,1 --dtype s8 --sparse --trials 10 --json
expect 2 'nine integers N,H,W,C,K,R,S,stride,pad' time tune --conv 1,8,8,64,64,3,3,1
expect 2 'give either' time tune --trials 10
expect 2 'must lie above 0' time tune --m 64 --n 64 --k 256 --fraction 1.5
expect 2 'no mma of f64' time tune --m 64 --n 64 --k 256 --dtype f64

# Prune and compress.
expect 2 'not 2:4' compress a.npy --dtype s8 --values v.npy
[ ! -e v.npy ] || { echo 'FAILED: a refused compress left a file'; failed=1; }
expect 0 '2 of 4 elements non-zero' prune a.npy --dtype s8 --output p.npy
expect 0 'compressed to 1 x 2 values' compress p.npy --dtype s8 --values v.npy --codes e.npy
[ "$(tail -c 1 e.npy | od -An -tx1 | tr -d ' ')" = 0e ] || { echo 'FAILED: columns 2 and 3 are code e'; failed=1; }
expect 2 'does not divide into tiles' compress p.npy --dtype s8 --metadata e.npy
expect 2 'no sparse' compress p.npy --dtype b1 --values v.npy
expect 2 '--output names the file' prune a.npy --dtype s8

# Sparse metadata: there and back through every layout, then one wrong nibble. All codes are e: columns 2 and 3 are kept.
npy w.npy 16 64 "$(printf '\\x01\\x02\\x03\\x04%.0s' {1..256})"
expect 0 '512 of 1024 elements' prune w.npy --dtype s8 -o p.npy
expect 0 'compressed' compress p.npy --dtype s8 --metadata e.npy --codes codes.npy
expect 0 "ptx to cutlass: 1 x 32 of '<u4'" metadata convert e.npy --dtype s8 --k 64 --from ptx --to cutlass -o cutlass.npy
expect 0 "cutlass to pytorch: 16 x 2 of '<i4'" metadata convert cutlass.npy --dtype s8 --from cutlass --to pytorch -o pytorch.npy
expect 0 "pytorch to logical: 16 x 16 of '|u1'" metadata convert pytorch.npy --dtype s8 --from pytorch --to logical -o logical.npy
expect 0 '"not_ordered": 0' metadata convert logical.npy --dtype s8 --from logical --to ptx -o ptx.npy --json
cmp -s codes.npy logical.npy && cmp -s e.npy ptx.npy || { echo 'FAILED: metadata changed on its way through the layouts'; failed=1; }
expect 0 'all codes equal those of cutlass.npy' metadata check e.npy --layout ptx --dtype s8 --k 64 --strict --against cutlass.npy --against-layout cutlass
# Row 3, group 5 of s8 k64 is bits 20-23 of lane 12: the upper half of byte 128 + 12 * 4 + 2.
poke() { cp e.npy "$1" && printf '%b' "\\x$2" | dd of="$1" bs=1 seek=178 conv=notrunc status=none; }
poke moved.npy 9e
expect 1 'row 3 group 5: code 0x9 keeps columns 21 and 22, expected 0xE: columns 22 and 23; tile 0,0 lane 12 bits 20-23 of word 0xEE9EEEEE; moves stored column 10 from 22 to 21, 11 from 23 to 22' \
  metadata check moved.npy --layout ptx --dtype s8 --k 64 --against codes.npy --against-layout logical
expect 0 '256 ordered' metadata check moved.npy --layout ptx --dtype s8 --k 64 --strict
poke twice.npy 5e
expect 1 'row 3 group 5: code 0x5 keeps columns 21 and 21 (duplicate: undefined)' metadata check twice.npy --layout ptx --dtype s8 --k 64
expect 0 'warning: twice.npy' metadata convert twice.npy --dtype s8 --k 64 --from ptx --to logical -o codes5.npy
expect 2 '--strict writes nothing' metadata convert twice.npy --dtype s8 --k 64 --from ptx --to logical -o none.npy --strict
[ ! -e none.npy ] || { echo 'FAILED: a refused conversion left a file'; failed=1; }
poke falling.npy 6e
expect 0 'code 0x6 keeps columns 22 and 21 (descending' metadata check falling.npy --layout ptx --dtype s8 --k 64
expect 1 '"descending": 1' metadata check falling.npy --layout ptx --dtype s8 --k 64 --strict --json
expect 2 'give --k' metadata check e.npy --layout ptx --dtype s8
npy empty.npy 0 999999999 ''
expect 2 'the array is empty' metadata check empty.npy --layout logical --dtype s8
expect 2 'a matrix has 1 to' metadata check e.npy --layout ptx --dtype s8 --k 64 --m 9223372036854775807
expect 2 "holds '<u4'" metadata check codes.npy --layout cutlass --dtype s8
expect 2 'give --dtype or --instruction' metadata check e.npy --layout ptx --k 64
expect 2 'known: logical ptx cutlass pytorch' metadata check e.npy --layout fragment --dtype s8
expect 2 'PyTorch has no 2:4 metadata for u8' metadata convert e.npy --dtype u8 --k 64 --from ptx --to pytorch -o none.npy
expect 0 'compressed' compress p.npy --dtype s8 -i sp.m16n8k32.s32.s8.s8.s32 --metadata ptx32.npy
expect 1 'every code is ordered with --selector 0' metadata check ptx32.npy -i sp.m16n8k32.s32.s8.s8.s32 --layout ptx --k 64 --selector 1
expect 0 '  13  0-15       3  4-7         4 9 4 4  16,17 | 21,22 | 24,25 | 28,29' metadata explain -i sp.m16n8k32.f32.f16.f16.f32 --lane 13 --word 0x44444494
expect 0 '! row 11 group 6: code 0x0 keeps column 12 (mixed: undefined); lane 13 bits 24-27' metadata explain -i sp.m16n8k16.f32.tf32.tf32.f32 --lane 13 --word e0444444
expect 0 'if kept by code 0x8 or 0x9: stored column 11, in A'"'"'s lane 13 register 2 bits 16-31' metadata explain --dtype f16 --row 3 --col 22
expect 0 'not kept' metadata explain twice.npy --layout ptx --k 64 --dtype s8 --row 3 --col 22
expect 0 '  12  16-31      3  4-7         E 9 E E  18,19 | 21,22 | 26,27 | 30,31' metadata explain moved.npy --layout ptx --k 64 --dtype s8
expect 2 'reads no codes from that lane' metadata explain --dtype f16 --lane 2
expect 2 'not a 32-bit hexadecimal word' metadata explain --dtype f16 --word 0x1ffffffff

# Layouts. The places are those of the figures in the PTX ISA.
expect 0 'A[10][3]: lane 9 register 1 bits 16-31' layout -i m16n8k16.f32.f16.f16.f32 --operand A --row 10 --col 3
expect 0 ' 10 T8:r1  T9:r1  T10:r1 T11:r1 T8:r3  T9:r3  T10:r3 T11:r3' layout -i m16n8k16.f32.f16.f16.f32 --operand A
expect 0 ' 96-127 T3:r0  T7:r0' layout -i m16n8k256.s32.b1.b1.s32.and --operand B
expect 0 'C[2][5]: lane 10 registers 2 and 3' layout -i m8n8k4.f64.f64.f64.f64 --operand c --lane 10 --register 3
expect 0 'row 9 group 9: lane 7 bits 4-7' layout -i sp.m16n8k64.s32.s8.s8.s32 --operand E --row 9 --col 9
expect 0 '      3 T14.0 T14.1 T14.2 T14.3 T15.0' layout -i sp.m16n8k32.f32.f16.f16.f32 --operand E --selector 1
expect 0 '"registers_per_lane": 4' layout -i m16n8k16.f32.f16.f16.f32 --operand A --json
expect 0 '' layout -i m16n8k16.f32.f16.f16.f32 --operand A --format svg -o a.svg
[ "$(grep -c '<rect' a.svg)" -eq 257 ] && grep -q '>T13:r2.1</text>' a.svg && tail -n 1 a.svg | grep -qx '</svg>' || { echo 'FAILED: a.svg'; failed=1; }
expect 2 'is not sparse: it has no operand E' layout -i m16n8k16.f32.f16.f16.f32 --operand E
expect 2 'A, B, C, D, or E' layout -i m16n8k16.f32.f16.f16.f32
expect 2 'A is 16 x 16' layout -i m16n8k16.f32.f16.f16.f32 --operand A --row 16 --col 0
expect 2 'give both' layout -i m16n8k16.f32.f16.f16.f32 --operand A --row 1
expect 2 'lanes are 0 to 31' layout -i m16n8k16.f32.f16.f16.f32 --operand A --lane 32

# Latency.
data=$here/../data
expect 0 'us, ' time gemm --m 4096 --n 4096 --k 4096 --dtype bf16
expect 0 'sparse peak' time gemm --m 4096 --n 4096 --k 4096 --dtype s8 --sparse
printf 'M,N,K,dtype\n128,256,512,bf16\n64,64,64,s8\n' >in.csv
expect 0 'M,N,K,dtype,predicted_us,low_us,high_us' time gemm --csv in.csv --machine a100-sxm4-80gb
expect 0 '' time gemm --csv in.csv --output out.csv
[ "$(wc -l <out.csv)" -eq 3 ] || { echo 'FAILED: out.csv has not three lines'; failed=1; }
printf 'M,N,K,dtype\n128,x,512,bf16\n' >bad.csv
expect 2 "bad.csv:2:5: N is 'x', not an integer" time gemm --csv bad.csv --output none.csv
[ ! -e none.csv ] || { echo 'FAILED: a refused csv left a file'; failed=1; }
expect 0 'k-chunk ' time gemm --cycle --m 1024 --n 1024 --k 1024 --dtype s8 --view all --trace trace.json
grep -q '"name":"IMMA' trace.json || { echo 'FAILED: no mma in the trace'; failed=1; }
expect 0 '"chunk_cycles"' time gemm --cycle --m 512 --n 512 --k 4096 --sparse --json --view timeline
expect 2 'leave out --cycle' time gemm --cycle --m 512 --n 1 --k 512
expect 2 '--cycle are for one GEMM' time gemm --cycle --csv in.csv
expect 0 'cycles an iteration' time mma m16n8k16.f32.f16.f16.f32 --warps 4 --independent 3 --view all
expect 0 '"math_pipe_throttle"' time mma sp.m16n8k64.s32.s8.s8.s32 --warps 8 --independent 2 --json --trace trace.json
grep -q '"name":"IMMA.SP' trace.json || { echo 'FAILED: no mma.sp in the trace'; failed=1; }
expect 2 'unknown view' time mma m16n8k16.f32.f16.f16.f32 --view x
expect 2 'a CTA has 1 to 32' time mma m16n8k16.f32.f16.f16.f32 --warps 33
expect 2 '255 registers' time mma m16n8k16.f32.f16.f16.f32 --independent 200
expect 2 'give a Tensor Core instruction' time mma ldmatrix.m8n8.x4.shared.b16
expect 2 'give 1 to' time mma m16n8k16.f32.f16.f16.f32 --iterations 1000000000
expect 2 'unknown machine' time gemm --m 1 --n 1 --k 1 --machine a101
sed 's/^sms /smz /' "$here/../machines/a100-sxm4-80gb.toml" >my.toml
expect 2 'my.toml:' time gemm --m 1 --n 1 --k 1 --machine my.toml
expect 2 "my.toml:8: unknown key 'smz'" machine check my.toml
sed '/^boost_mhz/s/1410/-1410/' "$here/../machines/a100-sxm4-80gb.toml" >my.toml
expect 2 "my.toml:10: 'boost_mhz' is -1410; it must lie between" machine check my.toml
sed 's/^architecture = .*/architecture = "amper"/' "$here/../machines/a100-sxm4-80gb.toml" >my.toml
expect 2 "my.toml:4: unknown architecture 'amper'" machine check my.toml
sed 's/^name = .*/name = "mine"/; /^sms /s/108/54/' "$here/../machines/a100-sxm4-80gb.toml" >my.toml
expect 0 '1 of 49 numbers differ from a100-sxm4-80gb' machine check my.toml
expect 0 'instead of 56' machine check my.toml a30
expect 2 'unknown machine' machine check my.toml a31
expect 0 'rtx-3090' machine list
expect 0 '"f16_tops":' machine list --json
expect 0 'NVIDIA Turing whitepaper: no mma.sp' machine show t4
expect 0 'sparse_rate           = {' machine show t4 --toml
expect 0 '"schema_version": 1' machine show t4 --json
expect 2 'machine t4 (sm_75) has no mma of bf16' time gemm --m 64 --n 64 --k 64 --dtype bf16 --machine t4
expect 2 'machine t4 (sm_75) has no sparse mma' time gemm --m 64 --n 64 --k 64 --sparse --machine t4
expect 0 'at 1395 MHz' time gemm --m 64 --n 64 --k 64 --machine rtx-3090 --clock 1395
expect 2 "unknown clock 'fast'" time gemm --m 64 --n 64 --k 64 --clock fast

expect 0 'G multiply-adds' time network --list
expect 0 'images/s, ' time network resnet50 --batch 8 --dtype int8 --sparse
expect 0 '2:4: not legal: 3 channels' time network resnet18
expect 0 'sequences/s' time network bert-base --sequence 64 --fusion off
expect 0 'a CTA a head' time network bert-base --dtype int8
expect 0 '"predicted_us"' time network mobilenetv2 --image 192 --launch stream --json
expect 0 '' time network vgg16 --json --output vgg16.json
grep -q '"fidelity"' vgg16.json || { echo 'FAILED: vgg16.json has no fidelity'; failed=1; }
expect 2 'name a network' time network
expect 2 "'resnet51' is not a built-in network" time network resnet51
expect 2 "'fp8' is not a type of a network" time network resnet50 --dtype fp8
expect 2 'it is on or off' time network resnet50 --fusion maybe
expect 2 'takes images' time network resnet50 --sequence 64
expect 2 'takes tokens' time network bert-base --image 64
expect 2 'use a larger image' time network vgg16 --image 8
# Networks of ONNX files, where this build reads them.
models=$here/nas/graph/models
if ! "$twofour" time network --onnx "$models/cnn_qlinear.onnx" 2>&1 | grep -q 'not built here'; then
  expect 0 'us) for 8 items' time network --onnx "$models/resnet50.onnx" --batch 8
  expect 0 'us) for 2 items' time network --onnx "$models/cnn_qlinear.onnx"
  expect 2 "input 'image', dimension 0 ('batch'): --batch N" time network --onnx "$models/resnet50.onnx"
  expect 2 "('sequence'): --dim sequence=N" time network --onnx "$models/transformer_block.onnx" --batch 2
  expect 0 '"batch": 2' time network --onnx "$models/transformer_block.onnx" --batch 2 --dim sequence=16 --json
  expect 2 "--dim has 'sequence'" time network --onnx "$models/transformer_block.onnx" --batch 2 --dim sequence
  head -c 700 "$models/transformer_block.onnx" >cut.onnx
  expect 2 'cut.onnx: not an ONNX model, or cut short' time network --onnx cut.onnx
  expect 2 "cnn_qlinear.onnx: the file fixes the batch of input 'image' at 2" time network --onnx "$models/cnn_qlinear.onnx" --batch 7
  expect 2 'give --onnx FILE' time network
  expect 2 'give --onnx FILE' time network resnet50 --onnx "$models/resnet50.onnx"
  expect 2 '--sequence is for built-in networks' time network --onnx "$models/resnet50.onnx" --sequence 3
fi
expect 2 '--dim is for --onnx' time network resnet50 --dim a=3

# Latency tables, and a search of one.
expect 0 'conv1,int8,0,0.0' time table resnet18 --batch 8
expect 0 '21 layers of resnet18' time table resnet18 --batch 8 --output resnet18.csv
expect 0 'of a budget of 1 ms, 21 layers' search --table resnet18.csv --budget-ms 1
sed 's/latency_ms//; s/,0,0[.0-9]*,/,1,/; s/,,$/,/; s/,$//' resnet18.csv | cut -d, -f1-3 >costs.csv
expect 0 'conv1,int8,1,0.0' time table resnet18 --batch 8 --costs costs.csv
expect 0 '"not_legal": "3 channels' time table resnet18 --format json
expect 0 '-kernel:7-stride:2: {count: 1, mean: ' time table resnet18 --format ofa-yaml
expect 0 'int1 estimated' time table resnet18 --format haq-npy --output haq.npy
expect 2 'give --output FILE.npy' time table resnet18 --format haq-npy
expect 2 "--format is 'xml'" time table resnet18 --format xml
expect 2 "'int3' is not an option" time table resnet18 --options int3
expect 2 '--costs is for --format csv' time table resnet18 --format json --costs costs.csv

# Search. The optimum is that of an integer program over the published table.
table=$data/networks/hawqv3_resnet50_table.csv
expect 0 '0.0226583066' search --table "$table" --budget-ms 10.814006
expect 0 '"layer": "stage1.unit1.quant_convbn1"' search --table "$table" --budget-ms 10.814006 --json
expect 2 'the least that can be met is 7.65993237 ms' search --table "$table" --budget-ms 7
expect 2 'twofour-nas' search
printf 'layer,option,cost,latency_ms\na,x,1,nan\n' >nan.csv
expect 2 'nan.csv:2' search --table nan.csv --budget-ms 1

exit $failed
