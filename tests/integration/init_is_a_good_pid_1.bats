# SPDX-License-Identifier: Apache-2.0
# berth-init: what a container's first process owes to the others.
# lanes: native, a program that does not know of cgroups
load ../lib/common

setup() {
  needs root program:unshare program:busybox
  init=$BERTH_BIN/berth-init
}

in_pid_namespace() {
  unshare --fork --pid --mount-proc "$@"
}

@test "the exit code of the command is the exit code of berth-init" {
  run in_pid_namespace "$init" sh -c 'exit 42'
  expect_status 42
}

@test "a command killed by signal 9 gives 137" {
  run "$init" -s -- sh -c 'kill -9 $$'
  expect_status 137
}

@test "a command that is not there gives 127 and its name" {
  run "$init" -s no-such-program
  expect_status 127
  expect_text "cannot run 'no-such-program': No such file or directory"
}

@test "a command that cannot be executed gives 126" {
  run "$init" -s /etc/passwd
  expect_status 126
}

@test "it refuses to be anything but pid 1 without -s" {
  run "$init" true
  expect_status 125
  expect_text "not pid 1"
}

@test "no command gives the usage and 125" {
  run "$init"
  expect_status 125
  expect_text "usage: berth-init"
}

@test "orphans are reaped, none stays a zombie" {
  # the inner shell ends at once; its child ends a little later as an orphan of pid 1
  run in_pid_namespace "$init" sh -c '(sleep 0.2 &); sleep 0.6; grep -l "State:.Z" /proc/[0-9]*/status; true'
  expect_status 0
  expect_output ""
}

@test "a signal sent to it reaches the command" {
  "$init" -s -- sh -c 'trap "exit 33" USR1; echo ready; while :; do sleep 0.05; done' > "$BATS_TEST_TMPDIR/out" 3>&- &
  local pid=$!
  wait_until 10 grep -q ready "$BATS_TEST_TMPDIR/out"
  kill -USR1 "$pid"
  status=0
  wait "$pid" || status=$? # not "run": it waits in a shell that has no such child
  expect_status 33
}

@test "with -g the whole group of the command gets the signal" {
  "$init" -g -s -- sh -c 'sh -c "trap \"echo inner; exit\" TERM; echo ready; while :; do sleep 0.05; done" & trap "wait; exit 9" TERM; wait; wait' > "$BATS_TEST_TMPDIR/out" 3>&- &
  local pid=$!
  wait_until 10 grep -q ready "$BATS_TEST_TMPDIR/out"
  kill -TERM "$pid"
  status=0
  wait "$pid" || status=$?
  expect_status 9
  grep -q inner "$BATS_TEST_TMPDIR/out"
}

@test "the command owns the terminal" {
  needs program:script
  # in the foreground: the terminal's foreground group is the command's own group
  run script -qc "unshare --fork --pid --mount-proc $init sh -c 'cut -d\" \" -f5,8 /proc/self/stat'" /dev/null
  expect_status 0
  local group foreground
  read -r group foreground <<<"${output%$'\r'}"
  [ "$group" = 2 ] && [ "$foreground" = 2 ] || fail "group $group, foreground group $foreground"
}

@test "the command starts with no signal blocked" {
  run "$init" -s -- grep SigBlk /proc/self/status
  expect_text "SigBlk:	0000000000000000"
}
