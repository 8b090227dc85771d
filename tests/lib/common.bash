# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For tests/integration/*.bats: "load ../lib/common" on the first line. Gives berth with stores of its own, images,
# "needs" for what a lane may lack, and words for what is expected.
#
# A file begins:
#   load ../lib/common
#   setup_file() { berth_setup_file; load_image; }      # stores of this file, with the image berth-test:latest
#   teardown_file() { berth_teardown_file; }            # removes every container and unmounts what is left: leaks stay visible
#   setup() { needs root; }
#   @test "the exit code of the command is the exit code of run" { ... }

BERTH_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BERTH_BIN=${BERTH_BIN:-$BERTH_TOP/build/bin}
PATH=$BERTH_BIN:$PATH
export BERTH_TOP BERTH_BIN PATH
bats_require_minimum_version 1.5.0

# --- what this machine has ---

# needs WORD...: skips the test, with the reason, if one is not there.
#   root, program:NAME, cgroup1, cgroup2, controller:NAME, apparmor, userns
needs() {
  local word
  for word in "$@"; do
    case $word in
      root) [ "$(id -u)" = 0 ] || skip "needs root" ;;
      program:*) command -v "${word#*:}" >/dev/null || skip "needs the program ${word#*:}" ;;
      cgroup1) [ -d /sys/fs/cgroup/memory ] || skip "needs cgroup v1" ;;
      cgroup2) [ -e /sys/fs/cgroup/cgroup.controllers ] || skip "needs cgroup v2" ;;
      controller:*) has_controller "${word#*:}" || skip "needs the cgroup controller ${word#*:}" ;;
      apparmor) grep -qs Y /sys/module/apparmor/parameters/enabled || skip "needs AppArmor" ;;
      userns) [ "$(cat /proc/sys/user/max_user_namespaces)" -gt 0 ] || skip "needs user namespaces" ;;
      *) echo "needs: unknown word '$word'" >&2; return 2 ;;
    esac
  done
}

has_controller() {
  [ -d "/sys/fs/cgroup/$1" ] || grep -qsw "$1" /sys/fs/cgroup/cgroup.controllers
}

# --- stores of this file ---

berth_setup_file() {
  export BERTH_ROOT=$BATS_FILE_TMPDIR/store BERTH_STATE=$BATS_FILE_TMPDIR/run RUNTIME_ROOT=$BATS_FILE_TMPDIR/runtime
  mkdir -p "$BERTH_ROOT" "$BERTH_STATE" "$RUNTIME_ROOT"
}

# Containers that a failed test forgot are removed, so that one failure does not become many.
berth_teardown_file() {
  local ids
  ids=$(berth ps -aq 2>/dev/null) || true
  # shellcheck disable=SC2086
  [ -z "$ids" ] || berth rm -f $ids >/dev/null
  for ids in $(berth-runtime --root "$RUNTIME_ROOT" list -q 2>/dev/null); do
    berth-runtime --root "$RUNTIME_ROOT" delete --force "$ids" || true
  done
  # the parent that bundles of these tests name; the runtime leaves parents, as others do
  find /sys/fs/cgroup -depth -type d -name berth-bats -exec rmdir {} + 2>/dev/null || true # leakcheck tells
}

# An OCI runtime with a state directory of its own: runtime state ID
runtime() {
  berth-runtime --root "$RUNTIME_ROOT" "$@"
}

# --- images and bundles ---

make_image() {
  "$BERTH_TOP/tests/lib/make-image" "$@"
}

# The image berth-test:latest (busybox) in this file's store.
load_image() {
  make_image docker "$BATS_FILE_TMPDIR/image.tar" "$@"
  berth load -q -i "$BATS_FILE_TMPDIR/image.tar" >/dev/null
}

# make_bundle DIR [JSON-EDIT]...: a bundle with a busybox rootfs and docker's default config.json, terminal off.
# An edit is Python on the dict c: make_bundle "$b" 'c["process"]["args"] = ["id"]'
make_bundle() {
  local dir=$1
  shift
  mkdir -p "$dir"
  [ -d "$dir/rootfs" ] || make_image rootfs "$dir/rootfs"
  "$BERTH_TOP/bench/make-bundle" "$dir" --args /bin/true
  edit_config "$dir" "$@"
}

edit_config() {
  local dir=$1
  shift
  python3 - "$dir/config.json" "$@" <<'PYTHON'
import json, sys
path, *edits = sys.argv[1:]
c = json.load(open(path))
for edit in edits:
    exec(edit)
json.dump(c, open(path, "w"), indent=1)
PYTHON
}

# --- expectations; each says what it saw ---

expect_status() {
  [ "$status" = "$1" ] || fail "exit code $status, expected $1"
}

expect_output() {
  [ "$output" = "$1" ] || fail "expected: $1"
}

# The output contains this text.
expect_text() {
  [[ $output == *"$1"* ]] || fail "expected in the output: $1"
}

expect_no_text() {
  [[ $output != *"$1"* ]] || fail "not expected in the output: $1"
}

fail() {
  printf '%s\n' "$1" "output: ${output:-}" >&2
  return 1
}

# wait_until SECONDS COMMAND...: until the command succeeds; fails when the time is up. An emulated processor gets six times as long.
wait_until() {
  local factor=1
  [ "${BERTH_TEST_LANE:-}" != v2 ] || factor=6
  local deadline=$((SECONDS + $1 * factor))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || fail "not within time: $*" || return 1
    sleep 0.1
  done
}
