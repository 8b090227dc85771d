# SPDX-License-Identifier: Apache-2.0
# berth is killed at random moments of run, create, rm and load: afterwards "system check --repair" leaves nothing half made,
# names can be taken again, images load again, and no cgroup, process or state is left.
# lanes: native, random moments are those of the real machine; hundreds of starts take minutes on an emulated processor
load ../lib/common

setup_file() {
  berth_setup_file
  export KILLS=${BERTH_TEST_KILLS:-50} PARENT=/berth-kill-engine
  load_image
}
teardown_file() {
  berth_teardown_file
  rmdir /sys/fs/cgroup/{,*/}"$PARENT" 2>/dev/null || true
}
setup() { needs root; }

# How long a command takes, in ms: duration_ms COMMAND...
duration_ms() {
  local begin=${EPOCHREALTIME/./}
  "$@" >/dev/null 2>&1 </dev/null
  echo $(((${EPOCHREALTIME/./} - begin) / 1000 + 1))
}

# Kills a command at a random moment of its usual life of MS: kill_within MS COMMAND...
kill_within() {
  local ms=$((RANDOM % $1)) pid
  shift
  "$@" >/dev/null 2>&1 </dev/null &
  pid=$!
  sleep "$(printf '%d.%03d' $((ms / 1000)) $((ms % 1000)))"
  kill -9 "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
}

# What is young may still be in the making: made older here, so that it is judged now.
repair() {
  wait_until 20 no_monitor || fail "monitors are left: $(pgrep -fa "berth-monitor.*$BATS_FILE_TMPDIR")"
  find "$BERTH_ROOT/containers" -mindepth 1 -maxdepth 1 -exec touch -d '1 hour ago' {} + 2>/dev/null || true
  berth system check --repair
}
no_monitor() { ! pgrep -f "berth-monitor.*$BATS_FILE_TMPDIR" >/dev/null; }

nothing_half_made() {
  local left
  run -0 berth system check
  expect_output "nothing is half made"
  left=$(cd / && shopt -s nullglob && echo sys/fs/cgroup/{,*/}"${PARENT#/}"/*/cgroup.procs "$BERTH_STATE"-runtime/* \
    "$BERTH_ROOT"/{trash,tmp}/*)
  [ -z "$left" ] || fail "left behind: $left"
  [ "$(ls "$BERTH_ROOT/containers" | wc -l)" = "$(berth ps -aq | wc -l)" ] || fail "directories and rows differ"
  [ -z "$(find "$BERTH_STATE" -mindepth 1 -type d)" ] || fail "run directories are left"
  ! grep -F "$BATS_FILE_TMPDIR" /proc/self/mountinfo || fail "mounts are left"
}

@test "berth run is killed" {
  local i ms
  ms=$(duration_ms berth run --rm berth-test true)
  for i in $(seq "$KILLS"); do
    kill_within "$ms" berth run --rm --name "same-$((i % 7))" --cgroup-parent "$PARENT" berth-test true
  done
  repair
  remove_all
  nothing_half_made
  for i in $(seq 0 6); do
    berth run --rm --name "same-$i" berth-test true
  done
}

@test "berth create is killed: the name is free, or taken by a whole container" {
  local i ms
  ms=$(duration_ms berth create --name warm berth-test true)
  berth rm warm
  for i in $(seq "$KILLS"); do
    kill_within "$ms" berth create --name "made-$i" --cgroup-parent "$PARENT" berth-test true
  done
  repair
  nothing_half_made
  for i in $(seq "$KILLS"); do
    berth inspect "made-$i" >/dev/null 2>&1 || berth create --name "made-$i" berth-test true >/dev/null
  done
  [ "$(berth ps -aq | wc -l)" = "$KILLS" ]
  berth start -a "made-1"
  remove_all
}

@test "what a killed create left goes in the background of a later one" {
  local i ms left
  ms=$(duration_ms berth create --name warm berth-test true)
  for i in $(seq "$KILLS"); do
    kill_within "$ms" berth create --cgroup-parent "$PARENT" berth-test true
  done
  left=$BERTH_ROOT/containers/$(printf 'ab%.0s' {1..32}) # if none was met in the middle
  locked=$BERTH_ROOT/containers/$(printf 'cd%.0s' {1..32}) # one that is in the making
  mkdir -p "$left/upper" "$locked"
  (flock -n 9; exec sleep 60) 9<"$locked" &
  local maker=$!
  find "$BERTH_ROOT/containers" -mindepth 1 -maxdepth 1 -exec touch -d '1 hour ago' {} +
  berth create berth-test true # not yet: somebody has looked a moment ago
  [ -e "$left" ]
  touch -d '11 minutes ago' "$BERTH_STATE/checked"
  berth create berth-test true
  wait_until 10 only_one_is_half_made
  kill $maker
  wait $maker || true
  repair
  remove_all
  nothing_half_made
}
only_one_is_half_made() {
  [ "$(($(ls "$BERTH_ROOT/containers" | wc -l) - $(berth ps -aq | wc -l)))" = 1 ] && [ -e "$locked" ]
}

@test "berth rm is killed: it can be repeated" {
  local i ms
  ms=$(duration_ms berth create --name "gone-0" berth-test true)
  for i in $(seq "$KILLS"); do
    berth create --name "gone-$i" --cgroup-parent "$PARENT" berth-test true >/dev/null
  done
  for i in $(seq "$KILLS"); do
    kill_within "$ms" berth rm -f "gone-$i"
  done
  repair
  remove_all
  nothing_half_made
}

@test "the monitor and all its children are killed while they make the container" {
  local i pid
  for i in $(seq $((KILLS / 2))); do
    setsid berth run --rm --name "cut-$i" --cgroup-parent "$PARENT" berth-test sleep 60 >/dev/null 2>&1 </dev/null &
    sleep "0.0$((RANDOM % 30 + 10))"
    for pid in $(pgrep -f "berth-monitor.*$BATS_FILE_TMPDIR"); do
      kill -9 "$pid" 2>/dev/null || true
    done
  done
  sleep 0.2
  repair
  remove_all
  # what ran on without its monitor is gone with its row
  repair
  nothing_half_made
}

@test "berth load is killed: it loads again" {
  local i ms
  make_image docker "$BATS_TEST_TMPDIR/other.tar" --tag other --compress gzip
  ms=$(duration_ms berth load -i "$BATS_TEST_TMPDIR/other.tar")
  berth rmi other >/dev/null
  for i in $(seq "$KILLS"); do
    kill_within "$ms" berth load -i "$BATS_TEST_TMPDIR/other.tar"
    if berth image inspect other >/dev/null 2>&1; then
      berth run --rm other true || fail "kill $i: an image that does not run"
      berth rmi other >/dev/null
    fi
  done
  repair
  nothing_half_made
  berth load -q -i "$BATS_TEST_TMPDIR/other.tar"
  berth run --rm other true
}
