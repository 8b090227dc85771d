# SPDX-License-Identifier: Apache-2.0
# berth-runtime is killed at any moment of a verb, or the processes that it makes for the container are: afterwards
# "delete --force" removes everything that the container had. The moments are their system calls: tests/lib/kill_at.c kills
# one process when it begins one of them. An even sample of them all, or "make kills": each.
# lanes: native, a tracer at each system call takes minutes on an emulated processor
load ../lib/common

setup_file() {
  berth_setup_file
  export BUNDLE=$BATS_FILE_TMPDIR/bundle SAMPLES=${BERTH_TEST_SAMPLES:-30} KILL_AT=${BERTH_BIN%/bin}/tests/lib/kill_at
  make_bundle "$BUNDLE" 'c["process"]["terminal"] = False' 'c["process"]["args"] = ["sleep", "100"]' \
    'c["linux"]["cgroupsPath"] = "/berth-kill/c1"'
  commands
  created # from now on the parent cgroups are there, and every create makes the same calls
  runtime delete --force c1
}
teardown_file() {
  berth_teardown_file
  rmdir /sys/fs/cgroup/{,*/}berth-kill 2>/dev/null || true
}
setup() {
  needs root
  commands
}
teardown() {
  umount -R -l "$BUNDLE/rootfs" 2>/dev/null || true # nothing may be deleted through a mount that is left
  runtime delete --force c1
}

commands() {
  RUNTIME=(berth-runtime --root "$RUNTIME_ROOT")
  CREATE=("${RUNTIME[@]}" create -b "$BUNDLE" c1)
  RUN=("${RUNTIME[@]}" run -d -b "$BUNDLE" c1)
}

silent() { "$@" >/dev/null 2>&1 </dev/null; }

# What there is before a verb.
none() { true; }
created() { silent "${CREATE[@]}"; }
running() { silent "${RUN[@]}"; }
paused() { running && runtime pause c1; }

# The moments of a command: "2 7" is the 7th call of its second process. All, or an even sample.
moments() {
  silent "$KILL_AT" count "$BATS_TEST_TMPDIR/counts" "$@" || true
  awk -v samples="$1" -v first="$RANDOM" '
    { for (i = 1; i <= $2; i++) moment[n++] = $1 " " i }
    END { step = samples == "all" ? 1 : int(n / samples) + 1; for (i = first % step; i < n; i += step) print moment[i] }' \
    samples="$SAMPLES" "$BATS_TEST_TMPDIR/counts"
}

# sweep BEFORE AFTER COMMAND...: the command with each moment; BEFORE makes what it needs, AFTER looks and removes
sweep() {
  local before=$1 after=$2 process call status tried=0 missed=0
  shift 2
  $before
  moments "$@" >"$BATS_TEST_TMPDIR/moments"
  $after "without a kill"
  while read -r process call <&3; do
    $before
    status=0
    silent "$KILL_AT" "$process" "$call" "$@" || status=$?
    [ "$status" != 98 ] || fail "process $process, call $call: the runtime hangs"
    [ "$status" != 99 ] || missed=$((missed + 1))
    tried=$((tried + 1))
    $after "process $process, call $call (ended with $status)"
  done 3<"$BATS_TEST_TMPDIR/moments"
  # calls are not the same every time, but most must have been hit
  echo "$tried moments of $(awk '{ n += $2 } END { print n " calls of " NR " processes" }' "$BATS_TEST_TMPDIR/counts"), $missed missed" |
    tee -a "${BERTH_TEST_KILLS:-/dev/null}"
  [ "$tried" -gt 0 ] && [ "$missed" -le $((tried / 5)) ] || fail "only $((tried - missed)) of $tried moments came"
}

removable() {
  local left
  runtime delete --force c1 || fail "$1: delete --force"
  left=$(cd / && shopt -s nullglob && echo sys/fs/cgroup/{,*/}berth-kill/*/cgroup.procs "$RUNTIME_ROOT"/*)
  [ -z "$left" ] || fail "$1: left behind: $left"
  ! grep -F "$BATS_FILE_TMPDIR" /proc/self/mountinfo || fail "$1: mounts are left"
  no_process || wait_until 5 no_process || fail "$1: processes are left"
}
no_process() {
  ! pgrep -f -- "--root $RUNTIME_ROOT" >/dev/null
}
# exec is over, the container goes on
alone() {
  [[ "$(runtime state c1)" = *'"status": "running"'* ]] || fail "$1: not running"
  only_init || wait_until 5 only_init || fail "$1: processes are left: $(runtime ps c1)"
}
only_init() { [ "$(runtime ps -f json c1)" = "[$(runtime state c1 | jq .pid)]" ]; }

@test "create, and the container's processes, are killed at any of their system calls" {
  sweep none removable "${CREATE[@]}"
}

@test "run, and the container's processes, are killed at any of their system calls" {
  sweep none removable "${RUN[@]}"
}

# The long way: id maps, a process in between that joins namespaces, hooks at all moments.
@test "run with a user namespace and hooks, and into a namespace, is killed at any of its system calls" {
  needs userns
  cp "$BUNDLE/config.json" "$BATS_TEST_TMPDIR/config.json"
  edit_config "$BUNDLE" 'c["hooks"] = {k: [{"path": "/bin/true"}] for k in ("prestart", "createRuntime", "createContainer", "startContainer", "poststart")}' \
    'c["linux"]["namespaces"] += [{"type": "user"}]' 'c["linux"].pop("sysctl", None)' \
    'c["linux"]["uidMappings"] = c["linux"]["gidMappings"] = [{"containerID": 0, "hostID": 0, "size": 1000}]'
  sweep none removable "${RUN[@]}"
  cp "$BATS_TEST_TMPDIR/config.json" "$BUNDLE/config.json"
  edit_config "$BUNDLE" 'c["linux"]["namespaces"] = [n for n in c["linux"]["namespaces"] if n["type"] != "ipc"] + [{"type": "ipc", "path": "/proc/self/ns/ipc"}]' \
    'c["mounts"] = [m for m in c["mounts"] if m["type"] != "mqueue"]'
  sweep none removable "${RUN[@]}"
  cp "$BATS_TEST_TMPDIR/config.json" "$BUNDLE/config.json"
}

@test "start is killed at any of its system calls" {
  sweep created removable "${RUNTIME[@]}" start c1
}

@test "delete is killed at any of its system calls: it can be repeated" {
  sweep running removable "${RUNTIME[@]}" delete --force c1
}

@test "kill is killed at any of its system calls" {
  sweep running removable "${RUNTIME[@]}" kill c1 KILL
}

@test "pause and resume are killed at any of their system calls: what is left frozen can be removed" {
  sweep running removable "${RUNTIME[@]}" pause c1
  sweep paused removable "${RUNTIME[@]}" resume c1
}

@test "update is killed at any of its system calls" {
  sweep running removable "${RUNTIME[@]}" update --pids-limit 50 --memory 64M --cpu-quota 50000 c1
}

@test "create without a mount namespace is killed at any of its system calls: no mount is left" {
  cp "$BUNDLE/config.json" "$BATS_TEST_TMPDIR/config.json"
  edit_config "$BUNDLE" 'c.pop("hostname", None); c["mounts"] = c["mounts"][:1]; c["linux"] = {"cgroupsPath": "/berth-kill/c1", "namespaces": [{"type": "pid"}]}'
  created
  grep -qF "$BUNDLE/rootfs/proc" /proc/self/mountinfo || fail "not created"
  removable "before"
  sweep none removable "${CREATE[@]}"
  cp "$BATS_TEST_TMPDIR/config.json" "$BUNDLE/config.json"
}

@test "exec, and its process, are killed at any of their system calls: the container goes on" {
  running
  sweep none alone "${RUNTIME[@]}" exec c1 true
  runtime exec c1 true
  removable end
}
