# SPDX-License-Identifier: Apache-2.0
# berth-runtime of an ordinary user: with subordinate ids, with his own id alone, and inside a user namespace that an engine made.
load ../lib/common

setup_file() {
  [ "$(id -u)" = 0 ] && command -v newuidmap >/dev/null || return 0 # setup() skips
  make_users
  make_image rootfs "$USERS/rootfs"
  mkdir "$USER_HOME/b" "$STRANGER_HOME/b"
  cp -a "$USERS/rootfs" "$USER_HOME/b/rootfs"
  cp -a "$USERS/rootfs" "$STRANGER_HOME/b/rootfs"
  chown -R "$USER_ID:$USER_ID" "$USER_HOME/b"
  chown -R "$STRANGER_ID:$STRANGER_ID" "$STRANGER_HOME/b"
}

teardown_file() {
  [ -z "${USERS:-}" ] || unmake_users
}

setup() {
  needs root userns program:newuidmap
}

teardown() {
  # shellcheck disable=SC2016
  for who in as_user as_stranger; do
    "$who" sh -c 'for c in $(berth-runtime list -q); do berth-runtime delete --force "$c"; done'
  done
}

# bundle USER EDIT...: config.json of `spec --rootless` in the user's bundle, changed. USER: user or stranger
bundle() {
  local dir=$USER_HOME/b
  [ "$1" = user ] || dir=$STRANGER_HOME/b
  rm -f "$dir/config.json"
  "as_$1" sh -c 'cd b && berth-runtime spec --rootless'
  edit_config "$dir" 'c["process"]["terminal"] = False' 'c["root"]["readonly"] = False' 'c["process"]["args"] = ["sleep", "100"]' "${@:2}"
}

# The map of all subordinate ids, as an edit.
ranges='for k, own in (("uidMappings", 54321), ("gidMappings", 54321)): c["linux"][k] = [{"containerID": 0, "hostID": own, "size": 1}, {"containerID": 1, "hostID": 600000, "size": 65536}]'

in_bundle() {
  as_user sh -c 'cd b && exec "$@"' sh "$@"
}

@test "spec --rootless runs as it is, for a number without a name, each time" {
  bundle stranger 'c["process"]["args"] = ["sh", "-c", "id -u; id -g; cat /proc/self/setgroups"]'
  for _ in 1 2 3 4 5; do
    run -0 as_stranger sh -c 'cd b && berth-runtime run c1'
    expect_output $'0\n0\ndeny'
  done
}

# Defence: cgroup_mount.c binds read-only with all below where it cannot mount; spec --rootless has a mount of its own there.
@test "CVE-2023-25809: the host's cgroups are read-only, with and without a cgroup namespace" {
  local flags edit
  for edit in 'pass' 'c["linux"]["namespaces"] = [n for n in c["linux"]["namespaces"] if n["type"] != "cgroup"]' \
    'c["mounts"] = [m for m in c["mounts"] if m["destination"] != "/sys"]'; do
    # the last mount on each path is the one that is seen
    bundle stranger 'c["process"]["args"] = ["awk", "$5 ~ /^.sys.fs.cgroup/ {f[$5] = $6} END {for (p in f) print p, f[p]}", "/proc/self/mountinfo"]' "$edit"
    run -0 as_stranger sh -c 'cd b && berth-runtime run c1'
    expect_text "/sys/fs/cgroup "
    run ! grep -v ' ro,' <<<"$output"
  done
}

@test "ranges of subordinate ids come through newuidmap and newgidmap" {
  bundle user "$ranges" 'c["process"]["user"] = {"uid": 33, "gid": 44, "additionalGids": [55]}' \
    'c["process"]["args"] = ["sh", "-c", "id -u; id -G; touch /tmp/made; cat /proc/self/setgroups"]'
  run -0 in_bundle berth-runtime run c1
  expect_output $'33\n44 55\nallow'
  [ "$(stat -c %u:%g "$USER_HOME/b/rootfs/tmp/made")" = 600032:600043 ]
}

@test "ids that are not the user's are refused" {
  bundle user 'c["linux"]["uidMappings"] = [{"containerID": 0, "hostID": 0, "size": 1}]'
  run -1 in_bundle berth-runtime run c1
  expect_text "the caller needs subordinate ids for linux.uidMappings"
  bundle stranger 'c["linux"]["gidMappings"] = [{"containerID": 0, "hostID": 600000, "size": 5}]'
  run -1 as_stranger sh -c 'cd b && berth-runtime run c1'
  expect_text "the caller needs subordinate ids for linux.gidMappings"
}

@test "without newuidmap ranges say what is missing, and one id still works" {
  bundle user "$ranges" 'c["process"]["args"] = ["id", "-u"]'
  run -1 in_bundle env PATH="$USERS/bin" berth-runtime run c1
  expect_text "'newuidmap' is not installed (package uidmap)"
  bundle user 'c["process"]["args"] = ["id", "-u"]'
  run -0 in_bundle env PATH="$USERS/bin" berth-runtime run c1
  expect_output 0
}

@test "create, state, start, exec, ps, kill, delete; the state lies in XDG_RUNTIME_DIR" {
  bundle user "$ranges"
  in_bundle sh -c 'berth-runtime create c1 </dev/null >/dev/null 2>&1'
  [ -f "$USER_HOME/run/berth-runtime/c1/state.json" ]
  run -0 as_user sh -c 'berth-runtime state c1 | grep status'
  expect_text created
  as_user berth-runtime start c1
  run -0 as_user berth-runtime list
  expect_text running
  run -0 as_user berth-runtime exec c1 sh -c 'id -u; cat /proc/1/cmdline | tr "\0" " "'
  expect_output $'0\nsleep 100 '
  run -0 as_user berth-runtime exec -u 33:44 c1 id
  expect_text "uid=33"
  run -0 as_user berth-runtime ps c1
  expect_text "sleep 100"
  as_user berth-runtime kill c1 KILL
  wait_until 5 is_stopped c1
  as_user berth-runtime delete c1
  [ ! -e "$USER_HOME/run/berth-runtime/c1" ]
}

is_stopped() {
  as_user berth-runtime state "$1" | grep -q stopped
}

@test "delete --force ends it and all its processes" {
  bundle user "$ranges" 'c["process"]["args"] = ["sh", "-c", "sleep 4321 & sleep 4321"]'
  in_bundle sh -c 'berth-runtime run -d c1 </dev/null >/dev/null 2>&1'
  wait_until 5 pgrep -u "$USER_ID" -f 'sleep 4321'
  as_user berth-runtime delete --force c1
  wait_until 5 eval "! pgrep -u $USER_ID -f 'sleep 4321'"
}

@test "kill ends a container that shares its pid namespace, also where it has no cgroup" {
  local flag
  for flag in '' --all; do
    bundle user "$ranges" 'c["linux"]["namespaces"] = [n for n in c["linux"]["namespaces"] if n["type"] != "pid"]' \
      'c["mounts"] = [m for m in c["mounts"] if m["destination"] != "/proc"]' 'c["linux"]["cgroupsPath"] = "/berth-bats-nobody/x"'
    in_bundle sh -c 'berth-runtime run -d c1 </dev/null >/dev/null 2>&1'
    # shellcheck disable=SC2086
    as_user berth-runtime kill $flag c1 KILL
    wait_until 5 is_stopped c1
    as_user berth-runtime kill --all c1 KILL # nobody is left
    as_user berth-runtime delete c1
  done
}

@test "a terminal, of run and of exec" {
  bundle user "$ranges" 'c["process"]["terminal"] = True' 'c["process"]["args"] = ["sh", "-c", "tty; stat -c %u $(tty)"]'
  run -0 script_in_bundle "berth-runtime run c1"
  expect_text /dev/pts/0
  bundle user "$ranges"
  in_bundle sh -c 'berth-runtime run -d c1 </dev/null >/dev/null 2>&1'
  run -0 script_in_bundle "berth-runtime exec -t c1 tty"
  expect_text /dev/pts/0
}

# With a terminal of its own, whose output is ours.
script_in_bundle() {
  in_bundle script -qec "$1" /dev/null </dev/null
}

@test "a console socket gets the terminal of create" {
  bundle user "$ranges" 'c["process"]["terminal"] = True' 'c["process"]["args"] = ["tty"]'
  # shellcheck disable=SC2016
  run -0 in_bundle python3 -c '
import array, os, socket, subprocess
server = socket.socket(socket.AF_UNIX)
server.bind("console.sock")
server.listen()
subprocess.run(["berth-runtime", "create", "--console-socket", "console.sock", "c1"], check=True)
connection, _ = server.accept()
_, ancillary, _, _ = connection.recvmsg(100, socket.CMSG_SPACE(4))
master = array.array("i", ancillary[0][2])[0]
subprocess.run(["berth-runtime", "start", "c1"], check=True)
print(os.read(master, 100).decode().strip())
os.unlink("console.sock")'
  expect_output /dev/pts/0
}

@test "no user namespace, no mappings, options with unmapped ids: refused" {
  bundle user 'c["linux"]["namespaces"] = [n for n in c["linux"]["namespaces"] if n["type"] != "user"]; del c["linux"]["uidMappings"], c["linux"]["gidMappings"]'
  run -1 in_bundle berth-runtime run c1
  expect_text "root, or a user namespace, is needed"
  bundle user 'del c["linux"]["uidMappings"]'
  run -1 in_bundle berth-runtime run c1
  expect_text "linux.uidMappings"
  bundle user 'c["mounts"].append({"destination": "/t", "type": "tmpfs", "source": "tmpfs", "options": ["gid=5"]})'
  run -1 in_bundle berth-runtime run c1
  expect_text "gid=5"
  bundle user 'c["process"]["user"] = {"uid": 0, "gid": 0, "additionalGids": [7]}'
  run -1 in_bundle berth-runtime run c1
  expect_text "supplementary groups: denied in this user namespace, which has one group alone"
  [ ! -e "$USER_HOME/run/berth-runtime/c1" ]
}

@test "limits without a delegated cgroup are an error that says so; without limits nothing is said" {
  bundle user "$ranges" 'c["process"]["args"] = ["true"]' 'c["linux"]["cgroupsPath"] = "/berth-bats-nobody/x"'
  run -0 in_bundle berth-runtime run c1
  expect_output ""
  bundle user "$ranges" 'c["linux"]["resources"] = {"memory": {"limit": 67108864}}'
  run -1 in_bundle berth-runtime run c1
  expect_text "this host delegates no cgroup to the user, so limits cannot be set: cannot set linux.resources.memory"
}

@test "a missing cgroup is an error with --rootless=false, not with true and auto" {
  bundle user "$ranges" 'c["process"]["args"] = ["true"]'
  run -1 in_bundle berth-runtime --rootless=false run c1
  expect_text "cannot make cgroup"
  in_bundle berth-runtime --rootless=true run c1
  in_bundle berth-runtime --rootless=auto run c1
  run -1 in_bundle berth-runtime --rootless=perhaps run c1
  expect_text "--rootless: 'perhaps'"
}

@test "inside a user namespace that an engine made, config.json needs none" {
  bundle user "$ranges" 'c["linux"]["namespaces"] = [n for n in c["linux"]["namespaces"] if n["type"] != "user"]; del c["linux"]["uidMappings"], c["linux"]["gidMappings"]' \
    'c["mounts"].append({"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["ro"]})' \
    'c["process"]["args"] = ["sh", "-c", "echo x >/dev/null; stat -c %t:%T /dev/zero; ls /sys/class/net | head -1; id -u"]'
  # the host's network: its /sys cannot be mounted anew
  run -0 in_bundle unshare --map-root-user berth-runtime --root "$USER_HOME/run/inner" run c1
  expect_output "1:5"$'\n'"$(ls /sys/class/net | head -1)"$'\n'0
}

@test "uid 0 of a user namespace keeps its state in XDG_RUNTIME_DIR, unless it is called root" {
  bundle user 'c["process"]["args"] = ["sleep", "100"]'
  in_bundle sh -c 'berth-runtime run -d c1 </dev/null >/dev/null 2>&1'
  run -0 as_user unshare --map-root-user env USER=bertha berth-runtime list -q
  expect_output c1
  run as_user unshare --map-root-user env USER=root berth-runtime list -q # /run/berth-runtime, perhaps closed
  expect_no_text c1
}

@test "hooks, seccomp and capabilities work as for root" {
  bundle user "$ranges" 'c["hooks"] = {"createRuntime": [{"path": "/bin/sh", "args": ["sh", "-c", "cat >hook.json"]}]}' \
    'c["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}' \
    'c["process"]["args"] = ["sh", "-c", "grep CapEff /proc/self/status; mkdir /tmp/no"]'
  run -1 in_bundle berth-runtime run c1
  expect_text "CapEff:"$'\t'"0000000020000420"
  expect_text "Operation not permitted"
  grep -q '"id":"c1"' "$USER_HOME/b/hook.json"
}

@test "mounts add and mounts remove work without privilege" {
  bundle user
  mkdir -p "$USER_HOME/b/data"
  touch "$USER_HOME/b/data/file"
  chown -R "$USER_ID" "$USER_HOME/b/data"
  echo '[{"destination": "/hot/data", "source": "'"$USER_HOME/b/data"'", "options": ["bind", "ro"]},
    {"destination": "/hot/tmp", "type": "tmpfs", "options": ["mode=700"]}]' >"$USER_HOME/b/mounts.json"
  in_bundle sh -c 'berth-runtime run -d c1 </dev/null >/dev/null 2>&1'
  as_user berth-runtime mounts add c1 "$USER_HOME/b/mounts.json"
  as_user berth-runtime exec c1 test -e /hot/data/file
  run -0 as_user berth-runtime exec c1 stat -c '%u %a' /hot/tmp
  expect_output "0 700"
  as_user berth-runtime mounts remove c1 "$USER_HOME/b/mounts.json"
  run as_user berth-runtime exec c1 grep " /hot" /proc/self/mountinfo
  expect_status 1
}

@test "id-mapped mounts and network devices need root" {
  bundle user 'c["mounts"].append({"destination": "/tmp", "source": "/etc", "options": ["bind", "idmap"]})'
  run in_bundle berth-runtime run c1
  expect_status 1
  expect_text "only root can make id-mapped mounts"
  bundle user 'c["linux"]["netDevices"] = {"lo": {"name": "x"}}' 'c["linux"]["namespaces"].append({"type": "network"})'
  run in_bundle berth-runtime run c1
  expect_status 1
  expect_text "linux.netDevices: only root can move network devices"
}
