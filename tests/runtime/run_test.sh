#!/usr/bin/env bash
# `twofour run -- PROGRAM` as a user runs it. Usage: run_test.sh PATH_OF_TWOFOUR PATH_OF_RUNTIME_PROGRAM
# PATH_OF_CALL_TESTS
set -u -o pipefail
twofour=$(realpath -e "$1") || exit 1
program=$(realpath -e "$2") || exit 1
calls=$(realpath -e "$3") || exit 1
. "$(dirname "$0")/../cli/expect.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

# The program's output, arguments and exit status; a machine by name and by file.
expect 7 'NVIDIA A100-SXM4-80GB, 108 SMs' run -- "$program"
expect 7 'argument: --help' run -- "$program" --help
expect 7 'argument: two words' run -- "$program" one 'two words'
expect 7 'NVIDIA A30, 56 SMs' run --machine a30 -- "$program"
"$twofour" machine show a30 --toml >mine.toml
expect 7 ', 56 SMs' run --machine mine.toml -- "$program"
PATH=$(dirname "$program"):$PATH expect 7 '108 SMs' run -- "$(basename "$program")"

# Checkers report at the end.
expect 7 '0 findings: memcheck 0, synccheck 0' run --tool memcheck,synccheck --error-exitcode 9 -- "$program"
expect 2 'there is no memchek' run --tool memchek -- "$program"
# Statistics of launches: the test adds 299 floats.
expect 7 '108 SMs' run --statistics none.json -- "$program"
grep -q '"launches": \[\]' none.json || { echo 'FAILED: statistics without launches'; failed=1; }
TWOFOUR_STATISTICS=launches.json "$calls" --gtest_filter=Calls.VectorAdd >/dev/null || failed=1
for words in '"schema_version": 1' '"command": "run"' '"kernel": "_Z3addPKfS0_Pfi"' '"failed": false' '"bytes_loaded": 2392' '"bytes_stored": 1196'; do
  grep -qF "$words" launches.json || { echo "FAILED: no $words in the statistics of a program"; failed=1; }
done

# What cannot be started.
expect 2 'unknown machine' run --machine a31 -- "$program"
expect 2 './missing is not there' run -- ./missing
expect 2 'is not in PATH' run -- no-such-program-anywhere
expect 2 'is not a program' run -- "$work"
expect 2 'missing argument' run --
echo 'echo hello' >script.sh
expect 2 'is not executable (chmod +x)' run -- ./script.sh
chmod +x script.sh
expect 2 'not a program of this machine' run -- ./script.sh
expect 2 'is not a CUDA program' run -- /bin/true
head -c 200 "$program" >cut
chmod +x cut
expect 2 'a damaged program' run -- ./cut
echo 'device code' >code
objcopy --add-section .nv_fatbin=code /bin/true linked || failed=1
expect 2 'build it again with -cudart shared' run -- ./linked
exit $failed
