#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# linux.namespaces: which are the container's own, the caller's, another container's; and in which of them hooks run.

load ../lib/common

setup_file() {
  needs root
  berth_setup_file
  export BUNDLE=$BATS_FILE_TMPDIR/bundle
  make_bundle "$BUNDLE" 'c["process"]["terminal"] = False' 'c["linux"].pop("seccomp", None); c["linux"].pop("sysctl", None)' \
    'c["process"]["args"] = ["sleep", "100"]' 'c.pop("hostname", None)'
}
teardown_file() { berth_teardown_file; }
setup() {
  needs root
  CONFIG=$BATS_TEST_TMPDIR/b
  copy_bundle "$CONFIG" 'c["linux"]["cgroupsPath"] = "/berth-bats/namespaces"'
}
teardown() {
  runtime delete --force c1
  runtime delete --force c2
}

init_pid() { runtime state "$1" | jq .pid; }

# those PID...: the namespaces of these processes, a line each
those() {
  local kind pid
  for kind in cgroup ipc mnt net pid time user uts; do
    echo "$kind" "$(for pid in "$@"; do readlink "/proc/$pid/ns/$kind"; done | sort -u | wc -l)"
  done
}

only() {
  edit_config "$CONFIG" "c['linux']['namespaces'] = [{'type': t} for t in '$1'.split()]" "${@:2}"
}

@test "each is the container's own if it is listed, and the caller's if not" {
  local kind name expected
  for kind in cgroup ipc network pid time uts; do
    only "mount $kind" 'c["mounts"] = [m for m in c["mounts"] if m["type"] in ("proc", "tmpfs")]'
    runtime run -d -b "$CONFIG" c1 </dev/null >"$BATS_TEST_TMPDIR/log" 2>&1 || fail "$(cat "$BATS_TEST_TMPDIR/log")"
    name=${kind/network/net}
    expected=$(printf '%s\n' 'cgroup 1' 'ipc 1' 'mnt 2' 'net 1' 'pid 1' 'time 1' 'user 1' 'uts 1' | sed "s/^$name 1/$name 2/")
    [ "$(those $$ "$(init_pid c1)")" = "$expected" ] || fail "$kind: $(those $$ "$(init_pid c1)")"
    runtime delete --force c1
  done
  only 'mount pid user' 'c["linux"]["uidMappings"] = c["linux"]["gidMappings"] = [{"containerID": 0, "hostID": 100000, "size": 65536}]' \
    'c["mounts"] = [m for m in c["mounts"] if m["type"] in ("proc", "tmpfs")]'
  needs userns
  chmod go+x "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$(dirname "$BATS_FILE_TMPDIR")" "$BUNDLE"
  runtime run -d -b "$CONFIG" c1 </dev/null >"$BATS_TEST_TMPDIR/log" 2>&1 || fail "$(cat "$BATS_TEST_TMPDIR/log")"
  [ "$(those $$ "$(init_pid c1)" | grep -c ' 2$')" = 3 ]
  [ "$(tr -s ' ' <"/proc/$(init_pid c1)/uid_map")" = " 0 100000 65536" ]
}

@test "another container's are joined by their paths, and one of another type is refused" {
  only 'mount cgroup ipc network pid time uts' 'c["hostname"] = "first"'
  runtime run -d -b "$CONFIG" c1 </dev/null >"$BATS_TEST_TMPDIR/log" 2>&1 || fail "$(cat "$BATS_TEST_TMPDIR/log")"
  edit_config "$CONFIG" 'c.pop("hostname"); c["linux"]["cgroupsPath"] = "/berth-bats/namespaces2"' \
    "c['linux']['namespaces'] = [{'type': 'mount'}] + [{'type': t, 'path': '/proc/$(init_pid c1)/ns/' + n} for t, n in (('cgroup', 'cgroup'), ('ipc', 'ipc'), ('network', 'net'), ('pid', 'pid'), ('time', 'time'), ('uts', 'uts'))]"
  runtime run -d -b "$CONFIG" c2 </dev/null >"$BATS_TEST_TMPDIR/log" 2>&1 || fail "$(cat "$BATS_TEST_TMPDIR/log")"
  [ "$(those "$(init_pid c1)" "$(init_pid c2)" | grep ' 2$')" = "mnt 2" ]
  [ "$(runtime exec c2 uname -n)" = first ]
  runtime delete --force c2
  edit_config "$CONFIG" "c['linux']['namespaces'][1]['path'] = '/proc/$(init_pid c1)/ns/uts'"
  run -1 runtime run -b "$CONFIG" c2 </dev/null
  expect_text "is a uts namespace, not a cgroup namespace"
}

@test "the host's, joined by a path from a user namespace: what cannot be mounted anew there is bound" {
  needs userns
  local types='"proc", "tmpfs", "sysfs"' listed=/proc
  ! mountpoint -q /dev/mqueue || types+=', "mqueue"' listed=/dev/mqueue/..
  chmod go+x "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$(dirname "$BATS_FILE_TMPDIR")" "$BUNDLE"
  only 'mount pid user' "c['linux']['namespaces'] += [{'type': 'network', 'path': '/proc/$$/ns/net'}, {'type': 'ipc', 'path': '/proc/$$/ns/ipc'}]" \
    'c["linux"]["uidMappings"] = c["linux"]["gidMappings"] = [{"containerID": 0, "hostID": 100000, "size": 65536}]' \
    'c["mounts"] = [m for m in c["mounts"] if m["type"] in ('"$types"')]' 'c["process"]["args"] = ["ls", "/sys/class/net", "'$listed'"]'
  run -0 runtime run -b "$CONFIG" c1 </dev/null
  [[ $output == *"$(ls /sys/class/net)"* ]]
}

# What each says goes to a file that create opened: where the hook is, the path means nothing.
@test "hooks: where each runs, what it is told on stdin, its arguments and its environment" {
  local dir=$BATS_TEST_TMPDIR
  echo 'echo "$0 $X $1 $(sed "s/.*\"status\": *\"\([a-z]*\)\".*/\1/") $(readlink /proc/self/ns/mnt) $(test -e /only-here && echo inside || echo outside)"' >"$dir/hook"
  touch "$BUNDLE/rootfs/only-here"
  only 'mount pid network' "c['hooks'] = {k: [{'path': '/bin/sh', 'args': ['sh', '-c', open('$dir/hook').read(), k, 'arg'], 'env': ['X=value', 'PATH=/usr/bin:/bin']}] for k in ('prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop')}" \
    "c['annotations'] = {'run.oci.hooks.stdout': '$dir/out'}"
  runtime create -b "$CONFIG" c1 </dev/null >"$BATS_TEST_TMPDIR/log" 2>&1 || fail "$(cat "$BATS_TEST_TMPDIR/log")"
  local ours theirs
  ours=$(readlink /proc/self/ns/mnt)
  theirs=$(readlink "/proc/$(init_pid c1)/ns/mnt")
  runtime start c1
  runtime delete --force c1
  [ "$(cat "$dir/out")" = "prestart value arg creating $ours outside
createRuntime value arg creating $ours outside
createContainer value arg creating $theirs outside
startContainer value arg created $theirs inside
poststart value arg running $ours outside
poststop value arg stopped $ours outside" ] || fail "$(cat "$dir/out")"
}

# In the bundle; createContainer in the rootfs, which is at root.path with the container's mounts.
@test "hooks: the directory and the environment that each has of itself" {
  local dir=$BATS_TEST_TMPDIR
  only 'mount pid network' "c['hooks'] = {k: [{'path': '/bin/sh', 'args': ['sh', '-c', 'echo \$0 \$(pwd) \$OURS \$THEIRS', k]}] for k in ('prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop')}" \
    "c['hooks']['createContainer'] += [{'path': '/bin/sh', 'args': ['sh', '-c', 'cat $BUNDLE/rootfs/proc/version >&2 && touch $BUNDLE/rootfs/dev/hooked']}]" \
    "c['process']['env'] += ['THEIRS=theirs']" "c['annotations'] = {'run.oci.hooks.stdout': '$dir/out'}"
  OURS=ours runtime create -b "$CONFIG" c1 </dev/null >"$dir/log" 2>&1 || fail "$(cat "$dir/log")"
  OURS=ours runtime start c1
  run -0 runtime exec c1 ls /dev/hooked
  OURS=ours runtime delete --force c1
  [ "$(cat "$dir/out")" = "prestart $CONFIG ours
createRuntime $CONFIG ours
createContainer $BUNDLE/rootfs
startContainer / theirs
poststart $CONFIG ours
poststop $CONFIG ours" ] || fail "$(cat "$dir/out")"
}

@test "hooks: of poststop all run, whatever becomes of the first" {
  only 'mount pid' "c['hooks'] = {'poststop': [{'path': '/bin/false'}, {'path': '/bin/touch', 'args': ['touch', '$BATS_TEST_TMPDIR/second']}]}"
  runtime create -b "$CONFIG" c1 </dev/null >/dev/null 2>&1
  run -0 runtime delete c1
  expect_text "hooks.poststop[0]: '/bin/false': exit status 1"
  [ -e "$BATS_TEST_TMPDIR/second" ]
}

@test "hooks: one that takes longer than its timeout is killed, and the container is not made" {
  only 'mount pid' 'c["hooks"] = {"createRuntime": [{"path": "/bin/sleep", "args": ["sleep", "54.321"], "timeout": 1}]}'
  run -1 runtime run -b "$CONFIG" c1 </dev/null
  expect_text "hooks.createRuntime[0]: '/bin/sleep': it ran longer than its timeout of 1 s"
  run ! pgrep -f 'sleep 54.321'
  run ! runtime state c1
}
