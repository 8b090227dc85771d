#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# $NOTIFY_SOCKET: a container's READY=1 reaches the service manager of berth-runtime.
# lanes: native, messages on sockets are alike under every hierarchy

load ../lib/common

setup_file() {
  berth_setup_file
  export BUNDLE=$BATS_FILE_TMPDIR/bundle
  make_bundle "$BUNDLE" 'c["process"]["terminal"] = False'
}
teardown_file() { berth_teardown_file; }
setup() {
  needs root program:jq
  CONFIG=$BATS_TEST_TMPDIR/b HOST=$BATS_TEST_TMPDIR/host.sock LOG=$BATS_TEST_TMPDIR/messages
  PIDS=()
  copy_bundle "$CONFIG" 'c["linux"]["cgroupsPath"] = "/berth-bats/notify-socket"' \
    'c["process"]["args"] = ["sleep", "60"]'
}
teardown() {
  runtime delete --force c1
  local pid
  for pid in "${PIDS[@]}"; do
    kill "$pid" 2>/dev/null || true
  done
}

manager() {
  "$BERTH_TOP/tests/lib/notify-peer" manager "${1:-$HOST}" "$LOG" 3>&- &
  PIDS+=($!)
  wait_until 5 grep -q ready "$LOG"
}

init_pid() { runtime state c1 | jq .pid; }
say() { "$BERTH_TOP/tests/lib/notify-peer" send "$(init_pid)" "$1"; }
running() { [ "$(runtime state c1 | jq -r .status)" = running ]; }
messages() { tail -n +2 "$LOG"; }

@test "start waits for READY=1, passes it on with init as MAINPID, and a barrier" {
  manager
  NOTIFY_SOCKET=$HOST runtime create -b "$CONFIG" c1 </dev/null >/dev/null 2>&1
  NOTIFY_SOCKET=$HOST berth-runtime --root "$RUNTIME_ROOT" start c1 3>&- &
  local start=$!
  PIDS+=($start)
  wait_until 5 running
  say 'STATUS=not yet'
  sleep 0.2
  kill -0 "$start"
  [ -z "$(messages)" ]
  say "$(printf 'STATUS=done\nREADY=1')"
  wait "$start"
  [ "$(messages)" = "$(printf "'READY=1\\\\n'\n'MAINPID=%s\\\\n'\n'BARRIER=1' barrier" "$(init_pid)")" ]
}

@test "run --detach does so too, to an abstract socket; inside there is a socket on a read-only mount" {
  manager @berth-notify-$$
  edit_config "$CONFIG" 'c["process"]["env"].append("NOTIFY_SOCKET=/other")'
  NOTIFY_SOCKET=@berth-notify-$$ berth-runtime --root "$RUNTIME_ROOT" run -d -b "$CONFIG" c1 </dev/null >/dev/null 2>&1 3>&- &
  local run=$!
  PIDS+=($run)
  wait_until 5 running
  runtime exec c1 test -S /run/notify/notify.sock
  runtime exec c1 grep ' /run/notify ro,.*nosuid,nodev,noexec' /proc/self/mountinfo
  runtime exec --user 1000:1000 c1 test -w /run/notify/notify.sock
  runtime exec c1 sh -c 'tr "\0" "\n" </proc/1/environ' >"$BATS_TEST_TMPDIR/env"
  [ "$(grep NOTIFY_SOCKET "$BATS_TEST_TMPDIR/env")" = NOTIFY_SOCKET=/run/notify/notify.sock ]
  say READY=1
  wait "$run"
  messages | grep "MAINPID=$(init_pid)"
}

@test "run names itself as the main process and goes on with the container" {
  manager
  NOTIFY_SOCKET=$HOST berth-runtime --root "$RUNTIME_ROOT" run -b "$CONFIG" c1 </dev/null >/dev/null 2>&1 3>&- &
  local run=$!
  PIDS+=($run)
  wait_until 5 running
  say READY=1
  wait_until 5 grep -q BARRIER "$LOG"
  messages | grep "MAINPID=$run"
  say STOPPING=1
  runtime kill c1 KILL
  local code=0
  wait "$run" || code=$?
  [ "$code" = 137 ]
  [ "$(messages | wc -l)" = 3 ]
}

@test "a container that ends before it is ready ends the wait" {
  manager
  edit_config "$CONFIG" 'c["process"]["args"] = ["true"]'
  NOTIFY_SOCKET=$HOST runtime create -b "$CONFIG" c1 </dev/null >/dev/null 2>&1
  NOTIFY_SOCKET=$HOST run timeout 20 berth-runtime --root "$RUNTIME_ROOT" start c1
  expect_status 0
  runtime delete c1
  NOTIFY_SOCKET=$HOST run timeout 20 berth-runtime --root "$RUNTIME_ROOT" run -b "$CONFIG" c1 </dev/null
  expect_status 0
  [ -z "$(messages)" ]
}

@test "a manager that is not there: start says so, and the container runs" {
  NOTIFY_SOCKET=$HOST runtime create -b "$CONFIG" c1 </dev/null >/dev/null 2>&1
  NOTIFY_SOCKET=$HOST berth-runtime --root "$RUNTIME_ROOT" start c1 2>"$BATS_TEST_TMPDIR/err" 3>&- &
  local start=$! code=0
  PIDS+=($start)
  wait_until 5 running
  say READY=1
  wait "$start" || code=$?
  [ "$code" = 1 ]
  grep "cannot connect to socket '$HOST'" "$BATS_TEST_TMPDIR/err"
  running
}

@test "without the variable there is neither socket nor mount" {
  runtime create -b "$CONFIG" c1 </dev/null >/dev/null 2>&1
  NOTIFY_SOCKET=$HOST runtime start c1
  run runtime exec c1 grep ' /run/notify ' /proc/self/mountinfo
  expect_status 1
  [ ! -e "$RUNTIME_ROOT/c1/notify" ]
}

@test "a start that fails leaves nothing" {
  edit_config "$CONFIG" 'c["hooks"] = {"startContainer": [{"path": "/bin/false"}]}'
  NOTIFY_SOCKET=$HOST run berth-runtime --root "$RUNTIME_ROOT" run -b "$CONFIG" c1 </dev/null
  expect_status 1
  expect_text 'hooks.startContainer[0]'
  [ ! -e "$RUNTIME_ROOT/c1" ]
}
