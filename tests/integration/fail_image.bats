# SPDX-License-Identifier: Apache-2.0
# Each step of the image store fails on purpose, or the process dies there: one sentence, a store in which "system check"
# finds nothing, and what comes next works. The steps are read out of the sources, for layers of both kinds.
# lanes: native, a build with failures on purpose; the store is the same in a guest
load ../lib/common

setup_file() {
  local reason step
  FAIL_BIN=$("$BERTH_TOP/tests/lib/fail-build" 2>"$BATS_FILE_TMPDIR/build.log") || {
    [ $? = 77 ] || { cat "$BATS_FILE_TMPDIR/build.log"; return 1; }
    reason=$FAIL_BIN
  }
  export FAIL_BIN FAIL_REASON=$reason
  [ -z "$reason" ] || return 0
  berth_setup_file
  make_image docker "$BATS_FILE_TMPDIR/image.tar"
  export ARCHIVE=$BATS_FILE_TMPDIR/image.tar STEPS
  STEPS=$(grep -rhoP 'inject_failure\("image", "\K[^"]*' "$BERTH_TOP/src" | sort -u)
  [ -n "$STEPS" ]
}
teardown_file() { [ -n "$FAIL_REASON" ] || berth_teardown_file; }
setup() {
  needs root
  [ -z "$FAIL_REASON" ] || skip "$FAIL_REASON"
  PATH=$FAIL_BIN:$PATH
}

# The image comes, is a container's, and goes: all steps are on the way. The command that fails is the last one.
life() {
  berth load -q -i "$ARCHIVE" && berth create --name fails berth-test true && berth rm fails && berth rmi berth-test
}

# one_life DRIVER STEP[:kill]: sets met if the step was on the way
one_life() {
  local now="$1, $2"
  export BERTH_STORAGE_DRIVER=$1
  BERTH_FAIL=image.$2 run life
  if [ "$status" = 0 ]; then
    return 0
  fi
  met=1
  if [[ $2 = *:kill ]]; then
    [ "$status" = 137 ] || fail "$now: exit code $status"
  else
    [ "$(grep -c '^berth: ' <<<"$output")" = 1 ] || fail "$now: not one sentence"
    expect_text "failure on purpose in step 'image.$2'"
  fi
  berth rm -f fails 2>/dev/null || true
  [[ $2 != *:kill ]] || forget_half_made
  berth load -q -i "$ARCHIVE" >/dev/null || fail "$now: no load afterwards"
  run berth system check
  [ "$status" = 0 ] || fail "$now: not clean"
  berth rmi berth-test >/dev/null
  [ -z "$(find "$BERTH_ROOT"/{layers,tmp,containers,images/blobs/sha256} -mindepth 1 ! -name '*.lock')" ] ||
    fail "$now: left: $(find "$BERTH_ROOT")"
}

# The directory of a container whose maker died is the one thing that waits for a check, and that only when it is not young.
forget_half_made() {
  local left
  for left in "$BERTH_ROOT"/containers/*/; do
    [ ! -d "$left" ] || touch -d "1 hour ago" "$left"
  done
  run berth system check --repair
  [[ $output != *damaged* && $output != *missing* ]] || fail "$now: more than half made"
}

all_steps() {
  local step met missed=
  for step in $STEPS; do
    met=
    one_life "$1" "$step"
    one_life "$1" "$step:kill"
    [ -n "$met" ] || missed+=" $step"
  done
  echo "$missed"
  [ "$missed" = "$2" ]
  berth load -q -i "$ARCHIVE"
  berth run --rm berth-test true
  berth rmi berth-test
}

@test "layers that are unpacked: each step fails, or dies" {
  all_steps overlay2 " image-written mount"
}

@test "layers that are kept as images: each step fails, or dies" {
  load_as_images "$ARCHIVE"
  berth rmi berth-test
  all_steps erofs " diff unpacked"
}
