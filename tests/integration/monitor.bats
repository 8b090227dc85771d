# SPDX-License-Identifier: Apache-2.0
# The monitor: streams are whole whoever reads them how, logs stay bounded, the end is always known.
load ../lib/common

setup_file() { berth_setup_file; load_image; }
teardown_file() { berth_teardown_file; }
setup() { needs root; }
teardown() { remove_all; }

@test "a reader who comes late misses nothing" {
  run -0 bash -c 'berth run --rm berth-test seq 1 100000 | (sleep 3; tail -n 1)'
  expect_output 100000
}

@test "input reaches the container whole, and its end" {
  head -c 3000000 /dev/urandom >"$BATS_TEST_TMPDIR/bytes"
  run -0 bash -c 'berth run --rm -i --log-driver none berth-test cat <"$1" | cmp - "$1"' _ "$BATS_TEST_TMPDIR/bytes"
}

@test "a container that does not read its input still writes" {
  run -0 bash -c 'head -c 10000000 /dev/zero | berth run --rm -i berth-test seq 1 100000 | tail -n 1'
  expect_output 100000
}

@test "a client that attached and stopped reading does not hold the container" {
  berth run -d --name flood berth-test sh -c 'sleep 1; seq 1 300000; exit 4' >/dev/null
  berth attach --no-stdin flood >"$BATS_TEST_TMPDIR/out" &
  local client=$!
  sleep 0.5
  kill -STOP "$client"
  wait_until 25 bash -c '[ "$(berth inspect -f "{{.State.Status}}" flood)" = exited ]'
  kill -9 "$client"
  [ "$(state ExitCode flood)" = 4 ]
}

@test "the log is rotated by size and followed over it" {
  berth run -d --name talker --log-opt max-size=20k --log-opt max-file=2 berth-test \
    sh -c 'for i in $(seq 1 1000); do echo line $i; [ $((i % 50)) != 0 ] || sleep 0.02; done' >/dev/null
  run -0 berth logs -f talker
  [ "${#lines[@]}" -ge 400 ]
  [ "${lines[-1]}" = "line 1000" ]
  local log
  log=$(berth inspect -f '{{.LogPath}}' talker)
  [ -e "$log.1" ]
  [ ! -e "$log.2" ]
  [ "$(stat -c %s "$log.1")" -lt 22000 ]
}

@test "a full disk under the log does not hold the container" {
  local small=$BATS_TEST_TMPDIR/small
  mkdir "$small"
  mount -t tmpfs -o size=3m berth-test-small "$small"
  make_image rootfs "$BATS_TEST_TMPDIR/rootfs"
  run timeout 30 berth --root "$small" --state "$BATS_TEST_TMPDIR/state" run --log-opt max-size=-1 \
    --rootfs "$BATS_TEST_TMPDIR/rootfs" sh -c 'seq 1 500000; echo all'
  local code=$status
  berth --root "$small" --state "$BATS_TEST_TMPDIR/state" ps -aq |
    xargs -r berth --root "$small" --state "$BATS_TEST_TMPDIR/state" rm >/dev/null 2>&1 || true
  umount "$small"
  [ "$code" = 0 ]
  [ "${lines[-1]}" = all ]
}

@test "SIGTERM to the monitor, as at shutdown, ends the container and is recorded" {
  berth run -d --name polite berth-test sh -c 'trap "echo bye; exit 9" TERM; echo up; while :; do sleep 0.1; done' >/dev/null
  wait_until 10 bash -c 'berth logs polite | grep up'
  kill -TERM "$(monitor_of polite)"
  [ "$(berth wait polite)" = 9 ]
  wait_until 10 bash -c 'berth logs polite | grep bye'
}

@test "the OOM killer's work is told" {
  [ -d /sys/fs/cgroup/memory ] || needs controller:memory
  berth run --name hungry -m 8m berth-test sh -c 'x=aaaaaaaaaaaaaaaa; while :; do x=$x$x; done' >/dev/null 2>&1 || true
  [ "$(state OOMKilled hungry)" = true ]
  [ "$(state ExitCode hungry)" = 137 ]
}

@test "a monitor needs little memory" {
  berth run -d --name small berth-test sleep 100 >/dev/null
  sleep 1 # it gives back what starting needed
  local dirty
  dirty=$(awk '/^Private_Dirty/ { print $2 }' "/proc/$(monitor_of small)/smaps_rollup")
  [ "$dirty" -le 100 ] || fail "the monitor has $dirty KiB of its own"
}

# Defence: attach.c, peer_free().
@test "CVE-2022-23471, CVE-2022-31030, CVE-2025-64329: clients that come and go, and much output, leave a monitor as small as it was" {
  local monitor few i
  berth run -d --name busy --log-driver none berth-test sh -c 'while :; do head -c 100000 /dev/zero; sleep 0.02; done' >/dev/null
  monitor=$(monitor_of busy)
  size() { echo "$(ls "/proc/$monitor/fd" | wc -l) $(awk '/^Private_Dirty/ { print $2 }' "/proc/$monitor/smaps_rollup")"; }
  attach() { for i in $(seq "$1"); do timeout -s "$2" 0.05 berth attach --no-stdin busy >/dev/null 2>&1 || true; done; }
  attach 10 KILL
  sleep 0.5
  read -r -a few <<<"$(size)"
  attach 60 KILL
  wait_until 10 bash -c '[ "$(ls /proc/$1/fd | wc -l)" -le $2 ]' _ "$monitor" "${few[0]}"
  read -r -a many <<<"$(size)"
  [ "${many[1]}" -le $((few[1] + 64)) ] || fail "${few[1]} KiB of its own before, ${many[1]} after"
}

@test "nothing of the monitor stays behind" {
  berth run --rm berth-test true
  berth run -d --rm --name short berth-test true >/dev/null
  wait_until 10 bash -c '[ "$(find "$BERTH_STATE" -name "*.sock" -o -name monitor.pid | wc -l)" = 0 ]'
}

# --- another runtime, by its command line ---

fake_rootfs() {
  make_image rootfs "$1"
  printf '#!/bin/sh\n%s\n' "$2" >"$1/main"
  chmod +x "$1/main"
}

@test "another runtime: streams, exit code" {
  fake_rootfs "$BATS_TEST_TMPDIR/rootfs" 'echo out; echo err >&2; cat; exit 3'
  run -3 bash -c 'echo in | berth run --rm -i --runtime "$1" --rootfs "$2" ignored 2>/dev/null' _ \
    "$BERTH_TOP/tests/lib/fake-runtime" "$BATS_TEST_TMPDIR/rootfs"
  expect_output $'out\nin'
}

@test "another runtime: the container ends before the verb start does" {
  fake_rootfs "$BATS_TEST_TMPDIR/rootfs" 'echo quick; exit 4'
  touch "$BATS_TEST_TMPDIR/rootfs/slow-start"
  run -4 timeout 20 berth run --rm --runtime "$BERTH_TOP/tests/lib/fake-runtime" --rootfs "$BATS_TEST_TMPDIR/rootfs" ignored
  expect_output quick
}

@test "another runtime: its own words when it fails, and nothing is left" {
  fake_rootfs "$BATS_TEST_TMPDIR/rootfs" 'exit 0'
  touch "$BATS_TEST_TMPDIR/rootfs/fail-create"
  run -125 berth run --rm --runtime "$BERTH_TOP/tests/lib/fake-runtime" --rootfs "$BATS_TEST_TMPDIR/rootfs" ignored
  expect_text "the bundle says so"
  rm "$BATS_TEST_TMPDIR/rootfs/fail-create"
  touch "$BATS_TEST_TMPDIR/rootfs/fail-start"
  run -127 berth run --rm --runtime "$BERTH_TOP/tests/lib/fake-runtime" --rootfs "$BATS_TEST_TMPDIR/rootfs" ignored
  expect_text "executable file not found"
  [ -z "$(berth ps -aq)" ]
}

@test "runc runs berth's containers" {
  needs program:runc
  make_image rootfs "$BATS_TEST_TMPDIR/rootfs"
  run -3 berth run --rm --runtime runc --rootfs "$BATS_TEST_TMPDIR/rootfs" sh -c 'echo hi; exit 3'
  expect_output hi
  run -0 script -qec "berth run --rm -t --runtime runc --rootfs $BATS_TEST_TMPDIR/rootfs tty" /dev/null
  expect_text /dev/pts/0
}

@test "a runtime that is not there is named" {
  make_image rootfs "$BATS_TEST_TMPDIR/rootfs"
  run -125 berth run --rm --runtime /no/such/runtime --rootfs "$BATS_TEST_TMPDIR/rootfs" true
  expect_text /no/such/runtime
}

@test "while its container runs a monitor has two capabilities, no core dump, and nothing to be looked into" {
  local id monitor
  id=$(berth run -d --name idle berth-test sleep 60)
  monitor=$(cat "$BERTH_STATE/$id/monitor.pid")
  wait_until 5 grep -q "^CapPrm:.*0000000000000022$" "/proc/$monitor/status"
  grep -q "^CapEff:.*0000000000000022$" "/proc/$monitor/status"
  grep -q "^Max core file size *0 *0 " "/proc/$monitor/limits"
  [ "$(stat -c %u "/proc/$monitor/environ")" = 0 ]
  # the container has its own limits and capabilities
  [ "$(berth exec idle sh -c 'ulimit -c; ulimit -Hc')" = "$(ulimit -c; ulimit -Hc)" ]
  [ "$(berth exec idle grep CapPrm /proc/1/status)" = "CapPrm:	00000000a80425fb" ]
  berth kill idle >/dev/null
  wait_until 10 test ! -e "$BERTH_STATE/$id"
  [ ! -e "$BERTH_STATE-runtime/$id" ]
  berth rm idle >/dev/null
}
