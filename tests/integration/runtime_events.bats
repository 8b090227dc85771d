#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# berth-runtime events: the document of runc, the stream, what is told of memory that runs out, and the end.

load ../lib/common

setup_file() {
  berth_setup_file
  needs root
  export BUNDLE=$BATS_FILE_TMPDIR/bundle
  make_bundle "$BUNDLE" 'c["process"]["args"] = ["sleep", "1000"]' 'c["process"]["terminal"] = False' \
    'c["linux"]["cgroupsPath"] = "/berth-bats/events"'
}
teardown_file() { berth_teardown_file; }
setup() {
  needs root
  CONFIG=$BATS_TEST_TMPDIR/b
  copy_bundle "$CONFIG"
}
teardown() { runtime delete --force e1; }

start() {
  edit_config "$CONFIG" "$@"
  runtime run -d -b "$CONFIG" e1 </dev/null >"$BATS_TEST_TMPDIR/log" 2>&1 || fail "$(cat "$BATS_TEST_TMPDIR/log")"
}

# The members of a document, one path a line, list indices left out.
members() { jq -r '[paths | map(select(type == "string")) | join(".")] | unique | .[]'; }

watch() {
  runtime events --interval "$1" e1 >"$BATS_TEST_TMPDIR/events" 2>&1 &
  WATCHER=$!
}
count() { grep -c "\"type\":\"$1\"" "$BATS_TEST_TMPDIR/events"; }
has() { [ "$(count "$1")" -ge "$2" ]; }
watcher_ended() { ! kill -0 "$WATCHER"; }

exhaust_memory() { runtime exec e1 sh -c 'x=x; while :; do x=$x$x; done' || true; }

@test "--stats has every member that runc's has" {
  needs program:runc
  start
  runtime exec e1 sh -c 'dd if=/dev/zero of=/x bs=4096 count=1 conv=fsync 2>/dev/null; rm /x'
  runc --root "$BATS_TEST_TMPDIR/runc" run -d -b "$CONFIG" berth-bats-runc </dev/null >"$BATS_TEST_TMPDIR/log" 2>&1 || {
    edit_config "$CONFIG" 'c["linux"]["cgroupsPath"] = "/berth-bats/events-runc"'
    runc --root "$BATS_TEST_TMPDIR/runc" run -d -b "$CONFIG" berth-bats-runc </dev/null >"$BATS_TEST_TMPDIR/log" 2>&1
  }
  runc --root "$BATS_TEST_TMPDIR/runc" events --stats berth-bats-runc | members >"$BATS_TEST_TMPDIR/theirs"
  runc --root "$BATS_TEST_TMPDIR/runc" delete --force berth-bats-runc
  runtime events --stats e1 | members >"$BATS_TEST_TMPDIR/ours"
  run comm -23 "$BATS_TEST_TMPDIR/theirs" "$BATS_TEST_TMPDIR/ours"
  expect_output ""
}

@test "--stats agrees with the kernel's files" {
  needs controller:memory controller:pids controller:cpuset
  start 'c["linux"]["resources"]["memory"] = {"limit": 67108864}' 'c["linux"]["resources"]["pids"] = {"limit": 33}' \
    'c["linux"]["resources"]["cpu"] = {"cpus": "0"}'
  runtime exec e1 sh -c 'head -c 5000000 /dev/zero >/dev/shm/x'
  run runtime events --stats e1
  jq -e '.data | .memory.usage.limit == 67108864 and .memory.usage.usage > 5000000 and .memory.usage.max >= .memory.usage.usage
    and .memory.raw.shmem >= 5000000 and .pids == {"current": 1, "limit": 33} and .cpuset.cpus == [0] and .cpuset.mems == [0]
    and .cpu.usage.total > 0 and .network_interfaces == null' <<<"$output" >/dev/null
}

@test "--stats counts blocks by device" {
  has_controller blkio || has_controller io || skip "needs blkio or io"
  start
  runtime exec e1 sh -c 'dd if=/dev/zero of=/x bs=65536 count=16 conv=fsync 2>/dev/null; rm /x'
  runtime events --stats e1 >"$BATS_TEST_TMPDIR/events"
  jq -e '.data.blkio.ioServiceBytesRecursive | length > 0' "$BATS_TEST_TMPDIR/events" >/dev/null ||
    skip "needs a root file system on a block device"
  jq -e '.data.blkio.ioServiceBytesRecursive | map(select(.op == "Write") | .value) | add >= 1048576' "$BATS_TEST_TMPDIR/events" >/dev/null
}

@test "--stats has pressure where the kernel measures it" {
  cat /proc/pressure/cpu >/dev/null 2>&1 && grep -qs avg10 /sys/fs/cgroup/cpu.pressure || skip "needs pressure stall information on cgroup v2"
  start
  runtime events --stats e1 | jq -e '.data | [.cpu, .memory, .blkio] | all(.psi.some | has("avg10") and has("avg60") and has("avg300") and has("total"))' >/dev/null
}

@test "statistics come each interval until the container ends" {
  start
  watch 100ms
  wait_until 10 has stats 3
  [ "$(count oom)" = 0 ]
  runtime kill e1 KILL
  wait_until 10 watcher_ended
  wait "$WATCHER"
}

@test "what runs out of memory is told at once" {
  needs controller:memory
  start 'c["linux"]["resources"]["memory"] = {"limit": 8388608, "swap": 8388608}'
  watch 1h
  sleep 0.3
  exhaust_memory
  wait_until 10 has oom 1
  [ "$(head -n 1 "$BATS_TEST_TMPDIR/events")" = '{"type":"oom","id":"e1"}' ]
  [ "$(count stats)" = 0 ]
  exhaust_memory
  wait_until 10 has oom 2
  runtime kill e1 KILL
  wait_until 10 watcher_ended
  wait "$WATCHER"
}

@test "a container that dies for lack of memory is told before the end" {
  needs controller:memory
  start 'c["linux"]["resources"]["memory"] = {"limit": 8388608, "swap": 8388608}' \
    'c["process"]["args"] = ["sh", "-c", "while [ ! -e /dev/shm/go ]; do sleep 0.1; done; x=x; while :; do x=$x$x; done"]'
  watch 1h
  sleep 0.3
  runtime exec e1 touch /dev/shm/go
  wait_until 20 watcher_ended
  wait "$WATCHER"
  run sort -u "$BATS_TEST_TMPDIR/events" # v1 may tell of one death twice
  expect_output '{"type":"oom","id":"e1"}'
}

@test "v1: a container whose OOM killer is off tells too" {
  needs cgroup1
  start 'c["linux"]["resources"]["memory"] = {"limit": 8388608, "swap": 8388608, "disableOOMKiller": True}'
  watch 1h
  sleep 0.3
  exhaust_memory &
  local job=$!
  wait_until 10 has oom 1
  runtime kill e1 KILL
  wait_until 10 watcher_ended
  wait "$WATCHER"
  wait "$job"
}

@test "without a running container, and without sense" {
  run runtime events --stats nosuch
  expect_status 1
  expect_text "does not exist"
  start 'c["process"]["args"] = ["true"]'
  wait_until 5 sh -c "berth-runtime --root '$RUNTIME_ROOT' state e1 | grep -q stopped"
  run runtime events --stats e1
  expect_status 1
  expect_text "container with id e1 is not running"
  for interval in 0 -1s soon; do
    run runtime events --interval "$interval" e1
    expect_status 1
    expect_text "interval"
  done
}
