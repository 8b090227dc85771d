# SPDX-License-Identifier: Apache-2.0
# Sourced by the shell scripts of tools/ and tests/: where the tree is, what its sources are, how a check is skipped.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# A check that cannot be made here: exit code 77, the last line is the reason. tests/run counts it.
skip() {
  echo "skip: $*"
  exit 77
}

# The project's files whose names end in one of the given words, relative to $top, one a line.
# Works in a git tree (new files count, ignored ones do not) and in an unpacked archive.
sources() {
  local patterns=() suffix
  if git -C "$top" rev-parse --git-dir >/dev/null 2>&1; then
    for suffix in "$@"; do patterns+=("*.$suffix"); done
    git -C "$top" ls-files -co --exclude-standard -- "${patterns[@]}" | while read -r f; do
      [ ! -f "$top/$f" ] || echo "$f" # a deleted file is still listed until its deletion is committed
    done
  else
    for suffix in "$@"; do patterns+=(-o -name "*.$suffix"); done
    (cd "$top" && find . -path './build*' -prune -o -type f \( -false "${patterns[@]}" \) -printf '%P\n')
  fi | LC_ALL=C sort
}
