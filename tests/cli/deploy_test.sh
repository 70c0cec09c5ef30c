#!/usr/bin/env bash
# `twofour deploy` as a user runs it. Usage: deploy_test.sh PATH_OF_TWOFOUR
set -u
twofour=$(realpath -e "$1") || exit 1
. "$(dirname "$0")/expect.sh"
here=$(cd "$(dirname "$0")/.." && pwd)
net=$here/nas/deploy/networks/mixed.json
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

for command in 'deploy check' 'deploy latency' 'deploy export'; do
  # shellcheck disable=SC2086
  expect 0 'Usage: twofour' $command --help
  # shellcheck disable=SC2086
  expect 2 '' $command
done

# 8212 = 2 words each of 64 x 16 (twice, stem and conv1), 64 x 16, 16 x 32 (twice) and 10 elements.
expect 0 '8212 words of 1 image compared with the reference: 0 differ' deploy check "$net" --images 1
expect 0 '16424 words of 2 images compared with the reference: 0 differ' deploy check "$net" --images 2 --kernels --accumulators
expect 0 '"stores": "bit counts"' deploy check "$net" --images 1 --kernels --simulate --json
expect 0 '"differing": 0' deploy check "$net" --images 1 --json
expect 2 '--images is 0' deploy check "$net" --images 0
expect 2 '--simulate is for --kernels' deploy check "$net" --simulate
expect 2 'it must be 1 to 2^20' deploy check "$net" --kernels --batch 0

# The same images give the same scores by both routes.
words() {  # COUNT: bytes of words i*i%8 * 8192
  for ((i = 0; i < $1; ++i)); do printf "\\x00\\x$(printf %02x $((i * i % 8 * 32)))\\x00\\x00"; done
}
{ printf '\x93NUMPY\x01\x00\x76\x00'
  printf '%-117s\n' "{'descr': '<i4', 'fortran_order': False, 'shape': (2, 192), }"
  words 384; } >images.npy
expect 0 '2 images' deploy check "$net" --input images.npy --output fast.npy
expect 0 '2 images' deploy check "$net" --input images.npy --output kernels.npy --kernels
cmp fast.npy kernels.npy || { echo 'FAILED: scores of the two routes differ'; failed=1; }
[ "$(wc -c <fast.npy)" -eq $((128 + 2 * 10 * 4)) ] || { echo 'FAILED: size of fast.npy'; failed=1; }
expect 2 'give either --images or --input' deploy check "$net" --input images.npy --images 2
sed 's/(2, 192)/(192, 2)/' images.npy >turned.npy
expect 2 'the network takes rows of 8 x 8 x 3 = 192' deploy check "$net" --input turned.npy

# Latency.
expect 0 'image to int8' deploy latency "$net" --batch 64
expect 0 'than the' deploy latency "$net"
expect 0 'conv1,int8-2:4,1,' deploy latency "$net" --format csv
expect 0 '"verdict": "The network takes' deploy latency "$net" --json
expect 2 "--format is 'xml'" deploy latency "$net" --format xml
expect 2 'contradict' deploy latency "$net" --format csv --json
expect 2 'it must be 1 to 2^20' deploy latency "$net" --batch 0

# Export, where this build writes ONNX.
expect 2 'say what to write' deploy export "$net"
if ! "$twofour" deploy export "$net" --onnx net.onnx 2>&1 | grep -q 'not built here'; then
  expect 0 'net.onnx written' deploy export "$net" --onnx net.onnx
  expect 0 'us) for 4 items' time network --onnx net.onnx --batch 4 --dtype int8
fi

# Broken files.
sed 's/"int8-2:4"/"int9"/' "$net" >option.json
expect 2 "option.json: layers[1].option: 'int9' is not an option" deploy check option.json
head -c 3000 "$net" >cut.json
expect 2 'cut.json: not JSON' deploy latency cut.json
expect 2 'none.json' deploy export none.json --onnx x.onnx

exit $failed
