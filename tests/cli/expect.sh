# Sourced by the tests of the command line, after `twofour` is set.
failed=0

# expect STATUS TEXT ARGUMENTS...: the command must exit with STATUS and print TEXT on stdout or stderr.
expect() {
  local status=$1 text=$2 output got
  shift 2
  output=$("$twofour" "$@" 2>&1 </dev/null)
  got=$?
  if [ "$got" -ne "$status" ] || ! grep -qF -- "$text" <<<"$output"; then
    printf 'FAILED: twofour %s\n  wanted status %s and "%s"\n  got status %s and: %s\n' "$*" "$status" "$text" "$got" "$output"
    failed=1
  fi
}
