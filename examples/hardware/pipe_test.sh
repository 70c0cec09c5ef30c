#!/usr/bin/env bash
# The whole pipe without a GPU: cases, a program that answers them (tensor_core_run's reading and writing, with the emulator
# behind it), and the check of the answers. Usage: pipe_test.sh TWOFOUR EMULATED_RUN WRITE_ROWS
set -u -o pipefail
twofour=$(realpath -e "$1") run=$(realpath -e "$2") rows=$(realpath -e "$3")
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failed=0
fault() { echo "FAILED: $*"; failed=1; }

"$rows" | cmp - "$here/mma_rows.inc" || fault 'mma_rows.inc is not what write_rows prints; write it again'

for level in boundary random open-questions; do
  count=()
  [ $level = open-questions ] || count=(--count 7)
  "$twofour" vectors --level $level "${count[@]}" | "$run" | "$twofour" replay - >out.txt || fault "$level: $(grep mismatch out.txt | head -1)"
  grep -q ' 0 disagreeing' out.txt || fault "$level: no count"
done
"$twofour" vectors --invalid-metadata --family mma.sp --count 3 | "$run" | "$twofour" replay - >out.txt || fault 'invalid metadata'

# Both programs write the same file, and answers of another machine are replaced.
"$twofour" vectors --count 2 >cases.txt
"$run" <cases.txt | grep -v '^answered' >a.txt
"$twofour" vectors answer cases.txt | grep -v '^answered' >b.txt
cmp a.txt b.txt || fault 'tensor_core_run writes another file than vectors answer'
"$run" <a.txt | "$run" | grep -v '^answered' | cmp - a.txt || fault 'an answered file changes when it is answered again'

# refused FILE TEXT: the program names line and field and exits with 2.
refused() {
  local message status
  message=$("$run" <"$1" 2>&1 >/dev/null)
  status=$?
  [ $status -eq 2 ] && grep -qF -- "$2" <<<"$message" || fault "$1: status $status, '$message', wanted '$2'"
}
echo 'something else' >other.txt
refused other.txt "standard input:1: header"
: >empty.txt
refused empty.txt 'holds no cases'
head -n 10 cases.txt >cut.txt
refused cut.txt 'standard input:10: lane: the file ends'
sed '5s/ | [0-9a-f]* / | xyz /' cases.txt >hex.txt
refused hex.txt "standard input:5: a: 'xyz' is not a hex word"
sed '5s/ | / | 00000000 /' cases.txt >words.txt
refused words.txt 'standard input:5: a: 3 words, 2 are needed'
sed '3s/m8n8k4/m8n8k5/' cases.txt >name.txt
refused name.txt 'm8n8k5'
exit $failed
