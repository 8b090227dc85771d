# SPDX-License-Identifier: Apache-2.0
# lanes: native, the daemon uses the machine's own cgroups, and an emulated processor is too slow for it
# containerd, with berth-runtime below its runc shim: ctr, and a pod through the CRI plugin.
load ../lib/common
load ../lib/callers

setup_file() {
  [ "$(id -u)" = 0 ] && command -v containerd >/dev/null && command -v ctr >/dev/null || return 0 # setup() skips
  export CONTAINERD_RUNTIME=$BERTH_BIN/berth-runtime IMAGE=docker.io/library/berth-test:latest
  start_peers containerd
  make_image docker "$BATS_FILE_TMPDIR/image.tar"
  ctr image import --base-name docker.io/library/berth-test "$BATS_FILE_TMPDIR/image.tar"
}
teardown_file() {
  stop_peers
  find /sys/fs/cgroup -depth -type d -path '*/berth-callers*' -exec rmdir {} +
}
setup() { needs root program:containerd program:ctr; }
teardown() {
  ctr task rm -f c1 >/dev/null 2>&1 || true
  ctr container rm c1 >/dev/null 2>&1 || true
}

# ctr run with our runtime, its cgroup and its state where we find them
ctr_run() {
  ctr run --runc-binary "$CONTAINERD_RUNTIME" --runc-root "$BATS_FILE_TMPDIR/runc-root" --fifo-dir "$BATS_FILE_TMPDIR/fifo" \
    --cgroup /berth-callers/ctr "$@"
}

@test "ctr run: output, exit code, terminal, and a command that is not there" {
  run -5 ctr_run --rm "$IMAGE" c1 sh -c 'echo hi; exit 5'
  expect_output hi
  run ctr_run --rm "$IMAGE" c1 nosuch
  expect_status 1
  expect_text 'OCI runtime create failed: exec: "nosuch": executable file not found in $PATH'
  export -f ctr_run
  run -0 in_terminal 33 77 bash -c 'ctr_run --rm -t "$IMAGE" c1 sh -c "sleep 0.5; tty; stty size"'
  expect_output $'/dev/pts/0\n33 77'
  run -0 ctr_run --rm --read-only --seccomp --no-pivot --env A=b --cwd /bin "$IMAGE" c1 sh -c 'echo $A $PWD; grep Seccomp: /proc/self/status; touch /x 2>/dev/null || echo refused'
  expect_output $'b /bin\nSeccomp:\t2\nrefused'
}

@test "ctr tasks: exec, metrics, ps, pause, resume, kill" {
  ctr_run -d --memory-limit 33554432 "$IMAGE" c1 sleep 1000
  run -0 ctr tasks ls
  [[ ${lines[1]} == c1*RUNNING ]]
  run -6 ctr tasks exec --fifo-dir "$BATS_FILE_TMPDIR/fifo" --exec-id e1 c1 sh -c 'id -u; exit 6'
  expect_output 0
  run -1 ctr tasks exec --fifo-dir "$BATS_FILE_TMPDIR/fifo" --exec-id e2 c1 nosuch
  expect_text 'OCI runtime exec failed'
  run -0 ctr tasks metrics --format json c1
  [ "$(jq -r '.memory.usage.limit // .memory.usage_limit' <<<"$output")" = 33554432 ] || fail "no metrics"
  [ "$(jq -r '.pids.current' <<<"$output")" = 1 ]
  run -0 ctr tasks ps c1
  [ "${#lines[@]}" = 2 ]
  ctr tasks pause c1
  run -0 ctr tasks ls
  [[ ${lines[1]} == c1*PAUSED ]]
  ctr tasks resume c1
  ctr tasks kill -s KILL c1
  wait_until 5 eval '[[ $(ctr tasks ls) == *STOPPED* ]]'
  run ctr tasks rm c1
  expect_text "137"
  [ -z "$(runtime --root "$BATS_FILE_TMPDIR/runc-root/default" list -q)" ]
}

@test "pods through the CRI plugin: create, start, exec, update, stats, log, stop, remove; what a security context asks for" {
  /usr/bin/python3 -c 'import grpc' 2>/dev/null || skip "needs the package python3-grpcio"
  make_image docker "$BATS_TEST_TMPDIR/pause.tar" --tag berth-pause:latest --cmd "sleep 10000"
  ctr -n k8s.io image import --base-name docker.io/library/berth-test "$BATS_FILE_TMPDIR/image.tar"
  ctr -n k8s.io image import --base-name docker.io/library/berth-pause "$BATS_TEST_TMPDIR/pause.tar"
  mkdir "$BATS_TEST_TMPDIR/logs"
  run "$BERTH_TOP/tests/lib/cri" "$CONTAINERD_ADDRESS" "$IMAGE" "$BATS_TEST_TMPDIR/logs"
  expect_output 'pod ready
created 0 0 
running 1 0 
exec 0 7
memory 67108864 0
memory 33554432 0
stats yes
log is new
exec timeout
exited 2 3 Error
capabilities, privileges CapBnd: 0000000000001000 NoNewPrivs: 1 0
user 1000
29 55 0
paths 0
1
refused 0
seccomp mkdir: can'"'"'t create directory '"'/tmp/x'"': Input/output error 1
sysctl, oom score 1
700 0
terminal, directory, environment, user /a/b c 65534
Seccomp:	0 0
shared pid namespace sleep 10000
sleep 77
sleep 88 0
out of memory 2 137 OOMKilled
pods left 0'
  run -0 cat "$BATS_TEST_TMPDIR/logs/log.1"
  expect_text "stdout F hello"
}
