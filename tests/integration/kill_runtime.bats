# SPDX-License-Identifier: Apache-2.0
# berth-runtime is killed at any moment of a verb: afterwards "delete --force" removes everything that the container had.
# The moments are its system calls: strace kills it when it makes one, for an even sample of all that the verb makes. The
# children are not touched, as with a kill by hand.
# lanes: native, a tracer at each system call takes seven minutes on an emulated processor
load ../lib/common

setup_file() {
  berth_setup_file
  export BUNDLE=$BATS_FILE_TMPDIR/bundle SAMPLES=${BERTH_TEST_SAMPLES:-25}
  make_bundle "$BUNDLE" 'c["process"]["terminal"] = False' 'c["process"]["args"] = ["sleep", "100"]' \
    'c["linux"]["cgroupsPath"] = "/berth-kill/c1"'
  fresh create # from now on the parent cgroups are there, and every create makes the same calls
  runtime delete --force c1
}
teardown_file() {
  berth_teardown_file
  rmdir /sys/fs/cgroup/{,*/}berth-kill 2>/dev/null || true
}
setup() { needs root program:strace; }

# The moments of a command: "openat 7" is its 7th openat. A sample of them, evenly: moments COMMAND...
moments() {
  strace -o "$BATS_TEST_TMPDIR/calls" "$@" >/dev/null 2>&1 </dev/null || true
  sed -n 's/^\([a-z0-9_]*\)(.*/\1/p' "$BATS_TEST_TMPDIR/calls" | awk -v samples="$SAMPLES" -v first="$RANDOM" '
    NR > 1 && $1 !~ /^exit/ { call[n++] = $1 " " (count[$1] + 1) } { count[$1]++ }
    END { step = int(n / samples) + 1; for (i = first % step; i < n; i += step) print call[i] }'
}

# A program that dies of SIGKILL when it makes its Nth call of a kind: killed_at CALL N COMMAND... Its children live on.
killed_at() {
  local call=$1 n=$2 status=0
  shift 2
  strace -o /dev/null --inject="$call:signal=KILL:when=$n" "$@" >/dev/null 2>&1 </dev/null || status=$?
  [ "$status" -ge 128 ] || echo "$call $n" >>"$BATS_TEST_TMPDIR/survived"
}

# Calls are not the same every time, but most of the samples must have been hit.
teardown() {
  umount -R -l "$BUNDLE/rootfs" 2>/dev/null || true # nothing may be deleted through a mount that is left
  [ ! -e "$BATS_TEST_TMPDIR/survived" ] || [ "$(wc -l <"$BATS_TEST_TMPDIR/survived")" -le $((SAMPLES / 4)) ] ||
    fail "survived: $(cat "$BATS_TEST_TMPDIR/survived")"
}

remove_and_check() {
  runtime delete --force c1 || fail "call $1: delete --force"
  local left
  left=$(cd / && shopt -s nullglob && echo sys/fs/cgroup/{,*/}berth-kill/*/cgroup.procs "$RUNTIME_ROOT"/*)
  [ -z "$left" ] || fail "call $1: left behind: $left"
  ! grep -F "$BATS_FILE_TMPDIR" /proc/self/mountinfo || fail "call $1: mounts are left"
  wait_until 5 no_process || fail "call $1: processes are left"
}
no_process() {
  ! pgrep -f -- "--root $RUNTIME_ROOT" >/dev/null && [ -z "$(cgroup_pids)" ]
}
cgroup_pids() { cat /sys/fs/cgroup/{,*/}berth-kill/c1/cgroup.procs 2>/dev/null || true; }

create() { "$@" berth-runtime --root "$RUNTIME_ROOT" create -b "$BUNDLE" c1; }
run_detached() { "$@" berth-runtime --root "$RUNTIME_ROOT" run -d -b "$BUNDLE" c1; }

fresh() { runtime delete --force c1 && "$@" env >/dev/null 2>&1 </dev/null; }

@test "create is killed at any of its system calls" {
  local call n
  create moments >"$BATS_TEST_TMPDIR/moments"
  remove_and_check first
  while read -r call n <&3; do
    create killed_at "$call" "$n"
    remove_and_check "$call $n"
  done 3<"$BATS_TEST_TMPDIR/moments"
}

@test "run is killed at any of its system calls" {
  local call n
  run_detached moments >"$BATS_TEST_TMPDIR/moments"
  remove_and_check first
  while read -r call n <&3; do
    run_detached killed_at "$call" "$n"
    remove_and_check "$call $n"
  done 3<"$BATS_TEST_TMPDIR/moments"
}

@test "start is killed at any of its system calls" {
  local call n
  fresh create
  moments berth-runtime --root "$RUNTIME_ROOT" start c1 >"$BATS_TEST_TMPDIR/moments"
  while read -r call n <&3; do
    fresh create
    killed_at "$call" "$n" berth-runtime --root "$RUNTIME_ROOT" start c1
    remove_and_check "$call $n"
  done 3<"$BATS_TEST_TMPDIR/moments"
}

@test "delete is killed at any of its system calls: it can be repeated" {
  local call n
  fresh run_detached
  moments berth-runtime --root "$RUNTIME_ROOT" delete --force c1 >"$BATS_TEST_TMPDIR/moments"
  while read -r call n <&3; do
    fresh run_detached
    killed_at "$call" "$n" berth-runtime --root "$RUNTIME_ROOT" delete --force c1
    remove_and_check "$call $n"
  done 3<"$BATS_TEST_TMPDIR/moments"
}

@test "kill is killed at any of its system calls" {
  local call n
  fresh run_detached
  moments berth-runtime --root "$RUNTIME_ROOT" kill c1 USR2 >"$BATS_TEST_TMPDIR/moments"
  while read -r call n <&3; do
    fresh run_detached
    killed_at "$call" "$n" berth-runtime --root "$RUNTIME_ROOT" kill c1 KILL
    remove_and_check "$call $n"
  done 3<"$BATS_TEST_TMPDIR/moments"
}

@test "pause and resume are killed at any of their system calls: what is left frozen can be removed" {
  local call n verb
  SAMPLES=10
  for verb in pause resume; do
    fresh run_detached
    [ "$verb" = pause ] || runtime pause c1
    moments berth-runtime --root "$RUNTIME_ROOT" $verb c1 >"$BATS_TEST_TMPDIR/moments"
    while read -r call n <&3; do
      fresh run_detached
      [ "$verb" = pause ] || runtime pause c1
      killed_at "$call" "$n" berth-runtime --root "$RUNTIME_ROOT" $verb c1
      remove_and_check "$verb: $call $n"
    done 3<"$BATS_TEST_TMPDIR/moments"
  done
}

@test "create without a mount namespace is killed at any of its system calls: no mount is left" {
  local call n
  SAMPLES=12
  cp "$BUNDLE/config.json" "$BATS_TEST_TMPDIR/config.json"
  edit_config "$BUNDLE" 'c.pop("hostname", None); c["mounts"] = c["mounts"][:1]; c["linux"] = {"cgroupsPath": "/berth-kill/c1", "namespaces": [{"type": "pid"}]}'
  create moments >"$BATS_TEST_TMPDIR/moments"
  grep -qF "$BUNDLE/rootfs/proc" /proc/self/mountinfo || fail "not created"
  remove_and_check first
  while read -r call n <&3; do
    create killed_at "$call" "$n"
    remove_and_check "$call $n"
  done 3<"$BATS_TEST_TMPDIR/moments"
  cp "$BATS_TEST_TMPDIR/config.json" "$BUNDLE/config.json"
}

@test "exec is killed at any of its system calls: the container goes on" {
  local call n
  fresh run_detached
  moments berth-runtime --root "$RUNTIME_ROOT" exec c1 true >"$BATS_TEST_TMPDIR/moments"
  while read -r call n <&3; do
    killed_at "$call" "$n" berth-runtime --root "$RUNTIME_ROOT" exec c1 true
    [ "$(runtime state c1 | grep -c '"status": "running"')" = 1 ] || fail "$call $n: not running"
  done 3<"$BATS_TEST_TMPDIR/moments"
  runtime exec c1 true
  remove_and_check end
}
