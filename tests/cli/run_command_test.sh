#!/usr/bin/env bash
# `twofour run KERNEL.ptx` as a user runs it. Usage: run_command_test.sh PATH_OF_TWOFOUR
set -u
twofour=$(realpath -e "$1") || exit 1
. "$(dirname "$0")/expect.sh"
kernels=$(cd "$(dirname "$0")/../../examples/kernels" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

# npy FILE DTYPE SHAPE: what comes on stdin, printf escapes, as an array.
npy() {
  local header="{'descr': '$2', 'fortran_order': False, 'shape': ($3), }"
  { printf '\x93NUMPY\x01\x00\x76\x00'; printf '%-117s\n' "$header"; printf '%b' "$(cat)"; } >"$1"
}
# table ROWS COLUMNS EXPRESSION: bytes of an integer expression of r and c.
table() { awk "BEGIN { for (r = 0; r < $1; r++) for (c = 0; c < $2; c++) printf \"\\\\x%02x\", ($3) % 256 }"; }
# same FILE FILE
same() {
  if ! cmp -s "$1" "$2"; then
    echo "FAILED: $1 and $2 differ"
    failed=1
  fi
}

# Kernels against the whole-matrix path, which takes B as K x N.
table 128 128 '(r * 7 + c * 13) % 251' | npy a.npy '|i1' '128, 128'
table 128 128 '(r * 11 + c * 5) % 241' | npy b.npy '|i1' '128, 128'
table 128 128 '(c * 11 + r * 5) % 241' | npy bt.npy '|i1' '128, 128'
expect 0 'written   d.npy: <i4 128 x 128' run "$kernels/gemm_dense_s8.ptx" --entry gemm_dense_s8 --grid 2,2,1 --block 128 \
  --arg a=a.npy --arg b=b.npy --arg c=0 --arg d=out:s32[128,128] --arg m=128 --arg n=128 --arg k=128
expect 0 'checksum' gemm --dtype s8 -a a.npy -b bt.npy -o e.npy
same d.npy e.npy
# The first command of examples/kernels/README.md, on f16 words of the magnitudes 2^-3 to 2.
f16() { echo "$3 % 2 ? 48 + ($1 * 3 + $2 * 7) % 16 : ($1 * 5 + $2 * 11) % 256"; }
table 128 320 "$(f16 r 'int(c / 2)' c)" | npy a.npy '<f2' '128, 160'
cp a.npy b.npy
table 160 256 "$(f16 'int(c / 2)' r c)" | npy bt.npy '<f2' '160, 128'
table 128 512 0 | npy c.npy '<f4' '128, 128'
expect 0 'written   d.npy: <f4 128 x 128' run "$kernels/gemm_dense_f16.ptx" --entry gemm_dense_f16_f32 --grid 2,2,1 --block 128 \
  --arg a=a.npy --arg b=b.npy --arg c=c.npy --arg d='out:f32[128,128]' --arg m=128 --arg n=128 --arg k=160
expect 0 'checksum' gemm --dtype f16 -a a.npy -b bt.npy -o e.npy
same d.npy e.npy
# Packed types are a byte an element in files.
table 128 128 '(r * 7 + c * 13) % 16 + 248' | npy a4.npy '|i1' '128, 128'
table 128 128 '(r * 3 + c * 5) % 16 + 248' | npy b4.npy '|i1' '128, 128'
table 128 128 '(c * 3 + r * 5) % 16 + 248' | npy bt4.npy '|i1' '128, 128'
expect 0 'written   d4.npy' run "$kernels/gemm_dense_s4.ptx" --entry gemm_dense_s4 --grid 2,2 --block 128 \
  --arg a=a4.npy:s4 --arg b=b4.npy:s4 --arg c=0 --arg 'd=out:s32[128,128]:d4.npy' --arg m=128 --arg n=128 --arg k=128
expect 0 'checksum' gemm --dtype s4 -a a4.npy -b bt4.npy -o e4.npy
same d4.npy e4.npy
# A sparse one: values and codes as `compress` stores them.
table 64 128 'c % 4 < 2 ? (r * 7 + c * 13) % 251 : 0' | npy sparse.npy '|i1' '64, 128'
table 64 128 '(r * 11 + c * 5) % 241' | npy bs.npy '|i1' '64, 128'
table 128 64 '(c * 11 + r * 5) % 241' | npy bst.npy '|i1' '128, 64'
table 64 256 0 | npy zeros.npy '|i1' '64, 256'
expect 0 '' compress sparse.npy --dtype s8 --values v.npy --codes codes.npy
expect 0 'executed  ' run "$kernels/gemm_sparse_s8.ptx" --entry gemm_sparse_s8 --grid 1 --block 128 --arg a=v.npy \
  --arg codes=codes.npy --arg b=bs.npy --arg c=zeros.npy --arg 'ds=out:s32[64,64]' --arg m=64 --arg n=64 --arg k=128
expect 0 'checksum' gemm --dtype s8 --sparse -a sparse.npy -b bst.npy -o es.npy
same ds.npy es.npy

# Parameters: by order, by name, each type; a struct; results into the input's copy.
cat >types.ptx <<'PTX'
.version 8.0
.target sm_80
.address_size 64
.visible .entry types(.param .u64 out, .param .f32 f, .param .s16 h, .param .f64 d, .param .b8 s[6], .param .b32 b)
{
  .reg .b64 %o; .reg .b64 %d; .reg .b32 %r; .reg .b16 %h;
  ld.param.u64 %o, [out];
  ld.param.b32 %r, [f];
  st.global.b32 [%o], %r;
  ld.param.b16 %h, [h];
  st.global.b16 [%o+4], %h;
  ld.param.b16 %h, [s+4];
  st.global.b16 [%o+6], %h;
  ld.param.b64 %d, [d];
  st.global.b64 [%o+8], %d;
  ld.param.b32 %r, [b];
  st.global.b32 [%o+16], %r;
  ret;
}
.visible .entry sum(.param .u64 x)
{
  .reg .b64 %x; .reg .b32 %r;
  ld.param.u64 %x, [x];
  ld.global.u32 %r, [%x];
  add.u32 %r, %r, 5;
  st.global.u32 [%x], %r;
  ret;
}
.visible .entry endless()
{
L: bra L;
}
PTX
printf '\\x00\\x00\\xc0\\x3f\\xfe\\xff\\x05\\x06\\x00\\x00\\x00\\x00\\x00\\x00\\x04\\xc0\\x00\\x00\\x00\\x3f' | npy expected.npy '|u1' '20,'
expect 0 'written   o.npy: |u1 20' run types.ptx --entry types --arg 'o=out:u8[20]' --arg p=1.5 --arg q=-2 --arg r=-2.5 --arg struct=hex:010203040506 --arg last=0.5
same o.npy expected.npy
expect 0 'written   out.npy' run types.ptx --entry types --arg f=1.5 --arg b=0x3f000000 --arg 'out=out:u8[20]' --arg d=-2.5 --arg h=0xfffe --arg s=hex:010203040506
same out.npy expected.npy
printf '\\x07\\x00\\x00\\x00' | npy x.npy '<u4' '1,'
printf '\\x0c\\x00\\x00\\x00' | npy twelve.npy '<u4' '1,'
expect 0 'written   y.npy: <u4 1' run types.ptx --entry sum --arg x=inout:x.npy:y.npy
same y.npy twelve.npy
expect 0 'written   x.npy' run types.ptx --entry sum --arg x=inout:x.npy
same x.npy twelve.npy

# Lists, JSON, statistics; what a kernel prints is not among the JSON.
expect 0 '    4  .b8 s[6]' run types.ptx
expect 0 '"target": "sm_80"' run types.ptx --json
expect 0 '"total": 5' run types.ptx --entry sum --arg x=inout:x.npy --json
expect 0 '"bytes_loaded": 4' run types.ptx --entry sum --arg x=inout:x.npy --json
expect 0 'executed  5 warp' run types.ptx --entry sum --arg x=inout:x.npy --statistics statistics.json
expect 0 '"schema_version": 1' run types.ptx --entry sum --arg x=inout:x.npy --json
grep -q '"by_opcode"' statistics.json || { echo 'FAILED: --statistics'; failed=1; }
expect 0 '"fidelity": "defined"' run "$kernels/gemm_dense_s4.ptx" --entry gemm_dense_s4 --grid 2,2 --block 128 --strict --json \
  --arg a=a4.npy:s4 --arg b=b4.npy:s4 --arg c=0 --arg 'd=out:s32[128,128]' --arg m=128 --arg n=128 --arg k=128
if "$twofour" run "$kernels/hello.ptx" --entry hello --block 32 --arg y=0 --arg n=1 --json 2>/dev/null | grep -q '^hello'; then
  echo 'FAILED: printf among JSON'
  failed=1
fi

# Arguments that do not fit.
run_types() { expect 2 "$1" run types.ptx --entry types "${@:2}"; }
rest=(--arg f=1 --arg h=1 --arg d=1 --arg s=hex:000000000000 --arg b=1)
expect 2 'there is no kernel sums; there are types, sum' run types.ptx --entry sums
run_types '0 --arg are given, kernel types takes 6: .u64 out, .f32 f' --grid 1
run_types '.s16 h: it takes an integer of 16 bits' --arg o=0 --arg q=1 --arg h2=65536 --arg d2=1 --arg s2=hex:000000000000 --arg b2=1
run_types '.s16 h: it takes an integer of 16 bits' --arg o=0 --arg q=1 --arg h2=1.5 --arg d2=1 --arg s2=hex:000000000000 --arg b2=1
run_types 'some --arg name parameters of kernel types and some do not' --arg o=0 "${rest[@]}"
run_types 'is given twice' --arg f=1 "${rest[@]}"
run_types '4 bytes are given, it has 6' --arg out=0 --arg f=1 --arg h=1 --arg d=1 --arg s=hex:00000000 --arg b=1
run_types 'it takes a number, not an array' --arg out=0 --arg f=x.npy --arg h=1 --arg d=1 --arg s=hex:000000000000 --arg b=1
run_types 'give its bytes as hex:BYTES' --arg out=0 --arg f=1 --arg h=1 --arg d=1 --arg s=1 --arg b=1
run_types 'that is no number of its type' --arg out=0 --arg f=1..5 --arg h=1 --arg d=1 --arg s=hex:000000000000 --arg b=1
run_sum() { expect 2 "$1" run types.ptx --entry sum "${@:2}"; }
run_sum 'give NAME=VALUE' --arg x
run_sum 'a value is a number, hex:BYTES' --arg x=missing
run_sum 'missing.npy: cannot be read' --arg x=missing.npy
echo junk >junk.npy
run_sum 'junk.npy: not a .npy file' --arg x=junk.npy
run_sum "dtype '<u4' cannot be read as f16" --arg x=x.npy:f16
run_sum "unknown element type 'f12'" --arg x='out:f12[4]'
run_sum 'the shape is too large' --arg x='out:f32[100000000000,100000000000]'
run_sum 'out of device memory' --arg x='out:f32[1000000000000]'
run_sum "'-4' is not a size" --arg x='out:f32[-4]'
run_sum 'is not a folder' --arg x='out:f32[4]:no/such/x.npy'
run_sum '0 bytes' --arg x='out:f32[0]'

# What cannot run: one message, status 2.
expect 2 'cannot be read' run missing.ptx
expect 2 'is a directory' run .
: >empty.ptx
expect 2 'empty.ptx:1:1' run empty.ptx
head -c 3000 "$twofour" | tail -c 2900 >binary.ptx
expect 2 'binary.ptx:' run binary.ptx
expect 2 'is a program, not PTX' run "$twofour"
expect 2 'a program and its arguments come after --' run types.ptx more
expect 2 '--entry is for a PTX file' run --entry types -- ./program
expect 2 'missing argument PROGRAM' run --
expect 2 'give X, X,Y or X,Y,Z' run types.ptx --entry endless --grid 1,2,3,4
expect 2 'a grid of 2147483648' run types.ptx --entry endless --grid 2147483648
expect 2 'a size is above 2^32 - 1' run types.ptx --entry endless --grid 4294967296
expect 2 'a block of 2000' run types.ptx --entry endless --block 2000
expect 2 'a block of 0' run types.ptx --entry endless --block 0
expect 2 'of dynamic shared memory, the limit of' run types.ptx --entry endless --shared 18446744073709551615
expect 2 'types.ptx:31: bra L: kernel endless' run types.ptx --entry endless --limit 1000000
expect 2 'an endless loop?' run types.ptx --entry endless --limit 1000000 --grid 2147483647
expect 2 'matrix instruction needs all 32 lanes' run "$kernels/gemm_dense_s8.ptx" --entry gemm_dense_s8 --block 17 \
  --arg a=a.npy --arg b=b.npy --arg c=0 --arg d=out:s32[128,128] --arg m=128 --arg n=128 --arg k=128
size=$(wc -c <types.ptx)
for ((bytes = 1; bytes < size; bytes += 97)); do
  head -c "$bytes" types.ptx >cut.ptx
  expect 2 'cut.ptx' run cut.ptx --entry endless --limit 1000
done

# Checkers: reports, exit statuses, JSON; a finding and not the refusal too.
table 1 800 0 | npy x.npy '<f4' '200,'
checked=(run "$kernels/broken/out_of_bounds_global.ptx" --entry out_of_bounds_global --grid 2 --block 128 --arg x=x.npy
  --arg 'never=out:f32[200]' --arg n=200)
expect 2 'memory access out of bounds' "${checked[@]}"
expect 1 'memcheck: out of bounds: 1 lane reads 4 bytes of global memory' "${checked[@]}" --tool memcheck
expect 1 'block (1, 0, 0), warp 2, lane 8, address 0x' "${checked[@]}" --tool memcheck
expect 9 '1 finding: memcheck 1, synccheck 0' "${checked[@]}" --tool synccheck,memcheck --error-exitcode 9
expect 1 '"error": "out of bounds"' "${checked[@]}" --tool memcheck --json
if "$twofour" "${checked[@]}" --tool memcheck 2>&1 | grep -q 'memory access out of bounds' || [ -e never.npy ]; then
  echo 'FAILED: a refusal beside its finding, or results of a launch that failed'
  failed=1
fi
expect 2 'memory access out of bounds' "${checked[@]}" --tool bankcheck
expect 2 'there is no memchek' "${checked[@]}" --tool memchek
expect 2 'give memcheck' "${checked[@]}" --tool ''
expect 2 'need --tool' "${checked[@]}" --error-exitcode 9
expect 2 'give 0 to 255' "${checked[@]}" --tool memcheck --error-exitcode 256
expect 2 '--leak-check is for a program' "${checked[@]}" --tool memcheck --leak-check

# Ctrl-C: status 130, nothing is left.
mkdir interrupted && cd interrupted || exit 1
timeout --preserve-status -s INT 1 "$twofour" run ../types.ptx --entry endless --limit 0 2>message
if [ $? -ne 130 ] || ! grep -q interrupted message; then
  echo 'FAILED: an interrupted run'
  failed=1
fi
exit $failed
