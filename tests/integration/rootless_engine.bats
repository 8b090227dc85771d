# SPDX-License-Identifier: Apache-2.0
# berth of an ordinary user: no root anywhere, one user namespace a user, and all commands as for root.
load ../lib/common

setup_file() {
  [ "$(id -u)" = 0 ] && command -v newuidmap >/dev/null || return 0 # setup() skips
  make_users
  make_image docker "$USERS/image.tar"
  chmod a+r "$USERS/image.tar"
  as_user berth load -q -i "$USERS/image.tar"
}

teardown_file() {
  [ -z "${USERS:-}" ] || unmake_users
}

setup() {
  needs root userns program:newuidmap
}

teardown() {
  # shellcheck disable=SC2016
  as_user sh -c 'ids=$(berth ps -aq); [ -z "$ids" ] || berth rm -f $ids >/dev/null'
  rm -rf "/tmp/berth-$USER_ID" # of a test that failed
}

@test "uid 0 is the user, 1 and up are his subordinate ids" {
  run -0 as_user berth run --rm berth-test cat /proc/self/uid_map
  [ "$(tr -s ' ' <<<"$output")" = " 0 $USER_ID 1"$'\n'" 1 600000 65536" ] || fail "unexpected map"
  run -0 as_user berth run --rm -u 33:44 berth-test sh -c 'id -u; id -g; touch /tmp/x; stat -c %u:%g /tmp/x'
  expect_output $'33\n44\n33:44'
}

@test "stores lie in the user's directories, and hold the only files" {
  [ -f "$USER_HOME/.local/share/berth/berth.db" ]
  [ "$(stat -c %a:%u "$USER_HOME/.local/share/berth")" = "700:$USER_ID" ]
  run -0 as_user berth info
  expect_text "Berth Root Dir: $USER_HOME/.local/share/berth"
  expect_text "Berth State Dir: $USER_HOME/run/berth"
  run -0 as_user env XDG_DATA_HOME="$USER_HOME/data" berth info
  expect_text "Berth Root Dir: $USER_HOME/data/berth"
}

@test "CVE-2019-12439: without XDG_RUNTIME_DIR the state lies in /tmp, and another's directory there is refused" {
  run -0 as_user sh -c 'unset XDG_RUNTIME_DIR; berth run --rm berth-test echo hi; kill "$(cat /tmp/berth-$(id -u)/berth/userns.pid)"'
  expect_output hi
  [ "$(stat -c %a:%u "/tmp/berth-$USER_ID")" = "700:$USER_ID" ]
  rm -rf "/tmp/berth-$USER_ID"
  mkdir "/tmp/berth-$USER_ID" # by somebody who was faster
  chmod 777 "/tmp/berth-$USER_ID"
  run -1 as_user sh -c 'unset XDG_RUNTIME_DIR; berth ps'
  expect_text "'/tmp/berth-$USER_ID' is not yours alone"
  [ -z "$(ls -A "/tmp/berth-$USER_ID")" ]
  rmdir "/tmp/berth-$USER_ID"
  mkdir -p "$USERS/foreign"
  run -1 as_user berth --state "$USERS/foreign" ps
  expect_text "'$USERS/foreign' is not yours alone"
}

@test "layers keep owners and modes; whiteouts and opaque directories hide what is below" {
  touch "$USERS/probe"
  setfattr -n user.probe -v 1 "$USERS/probe" 2>/dev/null || skip "the file system of the tests keeps no user attributes"
  mkdir -p "$BATS_TEST_TMPDIR"/{one,two}/{gone,opaque}
  touch "$BATS_TEST_TMPDIR"/one/{gone/file,opaque/below} "$BATS_TEST_TMPDIR/one/owned"
  chown 33:44 "$BATS_TEST_TMPDIR/one/owned"
  chmod 4755 "$BATS_TEST_TMPDIR/one/owned"
  touch "$BATS_TEST_TMPDIR"/two/{gone/.wh.file,opaque/.wh..wh..opq,opaque/above}
  two_layers "$BATS_TEST_TMPDIR" "$USERS/layers.tar"
  run -0 as_user berth load -q -i "$USERS/layers.tar"
  run -0 as_user sh -c 'berth create --name looks layers:latest /x >/dev/null; cp "$USERS/bin/berth-init" .; berth run --rm -v "$(which busybox):/busybox" layers:latest /busybox sh -c \
    "/busybox stat -c %u:%g:%a /owned; /busybox ls /gone /opaque"'
  expect_output $'33:44:4755\n/gone:\n\n/opaque:\nabove'
  run -0 as_user sh -c 'berth rm looks; berth rmi layers:latest'
  [ -z "$(ls "$USER_HOME/.local/share/berth/trash")" ]
}

# two_layers DIR TAR: an image "layers" in docker's format of DIR/one and DIR/two.
two_layers() {
  python3 - "$1" "$2" <<'PYTHON'
import hashlib, io, json, sys, tarfile
directory, output = sys.argv[1:]
layers = []
for name in ("one", "two"):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        tar.add(f"{directory}/{name}", ".")
    layers.append(data.getvalue())
config = json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {
    "type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest() for layer in layers]}}).encode()
manifest = json.dumps([{"Config": "c.json", "RepoTags": ["layers:latest"], "Layers": ["0.tar", "1.tar"]}]).encode()
with tarfile.open(output, "w") as tar:
    for name, data in [("c.json", config), ("manifest.json", manifest), ("0.tar", layers[0]), ("1.tar", layers[1])]:
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(data), 0o644
        tar.addfile(info, io.BytesIO(data))
PYTHON
}

@test "an owner beyond the user's ids is refused by name; a user beyond them, too" {
  mkdir -p "$BATS_TEST_TMPDIR"/{one,two}
  touch "$BATS_TEST_TMPDIR/one/file"
  chown 70000:0 "$BATS_TEST_TMPDIR/one/file"
  two_layers "$BATS_TEST_TMPDIR" "$USERS/beyond.tar"
  run -1 as_user berth load -q -i "$USERS/beyond.tar"
  expect_text "file"
  expect_text "owner 70000:0: your user namespace has no such id"
  run -125 as_user berth run --rm -u 70000 berth-test true
  expect_text "cannot set uid 70000: not mapped in the user namespace"
}

@test "run -d, ps, exec, top, logs, inspect, stop, start, kill, rm" {
  # what the container's users own goes with it
  as_user berth run -d --name life berth-test sh -c 'echo started; mkdir -p /d/e; touch /d/e/f; chown -R 55:66 /d; chmod 700 /d; exec sleep 100' >/dev/null
  run -0 as_user berth ps --format '{{.Names}} {{.Image}}'
  expect_output "life berth-test"
  run -0 as_user berth exec life id -u
  expect_output 0
  run -7 as_user berth exec -u 1000 life sh -c 'id -u; exit 7'
  expect_output 1000
  run -0 as_user berth exec -e A=b -w /bin life sh -c 'echo $A; pwd'
  expect_output $'b\n/bin'
  run -0 as_user berth top life
  expect_text "sleep 100"
  [ "${#lines[@]}" = 2 ] || fail "not the container's processes alone"
  wait_until 5 log_has started
  run -0 as_user berth inspect -f '{{.State.Status}}' life
  expect_output running
  run -0 as_user berth stop -t 0 life
  run -0 as_user berth wait life
  expect_output 137
  run -0 as_user berth start life
  run -0 as_user berth kill -s TERM life # pid 1 has no handler: it stays
  run -0 as_user berth rm -f life
  [ -z "$(ls "$USER_HOME/.local/share/berth/containers" "$USER_HOME/.local/share/berth/trash" | grep -v :)" ]
}

log_has() {
  as_user berth logs life | grep -q "$1"
}

@test "attached runs: streams, exit code, terminal, attach" {
  run -3 as_user sh -c 'echo typed | berth run --rm -i berth-test sh -c "read x; echo got \$x; echo bad >&2; exit 3" 2>/dev/null'
  expect_output "got typed"
  run -0 as_user berth run --rm -t berth-test sh -c 'tty; stat -c %u:%g:%a "$(tty)"'
  expect_text "/dev/pts/0"
  expect_text "0:5:620"
  as_user berth run -d -i --name asked berth-test sh -c 'read x; echo answer $x' >/dev/null
  run -0 as_user sh -c 'echo 42 | berth attach asked'
  expect_output "answer 42"
}

@test "networks: none has a loopback alone, host is the host's; others say that they are missing" {
  run -0 as_user berth run --rm --network none berth-test sh -c 'ls /sys/class/net; ip -o addr show lo'
  expect_text "127.0.0.1/8"
  expect_no_text eth
  run -0 as_user berth run --rm --network host berth-test readlink /proc/self/ns/net
  expect_output "$(readlink /proc/self/ns/net)"
  run -0 as_user berth run --rm --network host berth-test ls /sys/class/net
  [ "$(sort <<<"$output")" = "$(ls /sys/class/net | sort)" ] || fail "not the host's"
  run -125 as_user berth run --rm --network bridge berth-test true
  expect_text "network 'bridge'"
}

@test "another container's ipc namespace, with its /dev/shm" {
  as_user berth run -d --name donor berth-test sh -c 'echo shared >/dev/shm/from; exec sleep 100'
  wait_until 5 as_user berth exec donor test -e /dev/shm/from
  run -0 as_user berth run --rm --ipc container:donor berth-test cat /dev/shm/from
  expect_output shared
  as_user berth rm -f donor
}

@test "the host's pid, ipc and uts namespaces" {
  run -0 as_user berth run --rm --pid host --ipc host --uts host berth-test sh -c 'readlink /proc/self/ns/pid; hostname'
  [ "${lines[0]}" = "$(readlink /proc/self/ns/pid)" ]
  [ "${lines[1]}" = "$(hostname)" ]
}

@test "container:X joins the namespaces of another of his containers" {
  as_user berth run -d --name joined berth-test sleep 100 >/dev/null
  run -0 as_user berth run --rm --network container:joined --pid container:joined berth-test sh -c 'readlink /proc/self/ns/net; ps | grep -c "sleep 100"'
  [ "${lines[0]}" = "$(as_user berth exec joined readlink /proc/self/ns/net)" ]
  [ "${lines[1]}" != 0 ]
}

@test "devices: the usual ones, and those of the host that the user may open" {
  run -0 as_user berth run --rm berth-test sh -c 'echo x >/dev/null && head -c 4 /dev/zero | wc -c && stat -c %t:%T /dev/urandom'
  expect_output $'4\n1:9'
  run -0 as_user berth run --rm --device /dev/zero:/dev/nought berth-test sh -c 'head -c 3 /dev/nought | wc -c'
  expect_output 3
  run -0 as_user berth run --rm --privileged berth-test grep CapEff /proc/self/status
  expect_text "000001ff"
}

@test "volumes: files of the user are root's inside; others' are nobody's and stay closed" {
  mkdir -p "$USERS/mine" "$USERS/roots"
  chown "$USER_ID:$USER_ID" "$USERS/mine"
  chmod 700 "$USERS/roots"
  run -0 as_user berth run --rm -v "$USERS/mine:/v" berth-test sh -c 'touch /v/a /v/b; chown 1:2 /v/b; stat -c %u:%g /v/a /v/b'
  expect_output $'0:0\n1:2'
  [ "$(stat -c %u:%g "$USERS/mine/a" "$USERS/mine/b" | tr '\n' ' ')" = "$USER_ID:$USER_ID 600000:600001 " ]
  run -1 as_user berth run --rm -v "$USERS/roots:/v" berth-test sh -c 'ls /v'
  expect_text "Permission denied"
}

@test "what takes rights that the user has not is refused with the reason" {
  run -125 as_user berth run --rm --ulimit nofile=100000000 berth-test true
  expect_text "cannot set RLIMIT_NOFILE"
  run -125 as_user berth run --rm --oom-score-adj -500 berth-test true
  expect_text "cannot set process.oomScoreAdj to -500"
  run -125 as_user berth run --rm --userns auto berth-test true
  expect_text "user namespace mode 'auto'"
  run -0 as_user berth run --rm --userns host berth-test true
}

@test "without a delegated cgroup: limits, pause and stats say so, all else works" {
  run -125 as_user berth run --rm -m 64m berth-test true
  expect_text "this host delegates no cgroup to the user, so limits cannot be set: cannot set linux.resources.memory"
  run -125 as_user berth run --rm --pids-limit 10 berth-test true
  expect_text "linux.resources.pids"
  as_user berth run -d --name free berth-test sleep 100 >/dev/null
  run -1 as_user berth pause free
  expect_text "the container has no cgroup"
  run -1 as_user berth stats --no-stream free
  expect_text "the container has no cgroup"
}

# delegate COMMAND...: as the user, from inside of cgroups that are his.
delegate() {
  local roots root
  roots=$(awk '/ - cgroup2? /{print $5}' /proc/self/mountinfo)
  # shellcheck disable=SC2016
  (
    for root in $roots; do
      mkdir -p "$root/berth-bats-user/shell"
      for root in "$root/berth-bats-user" "$root/berth-bats-user/shell"; do
        [ ! -e "$root/cpuset.mems" ] || [ -s "$root/cpuset.mems" ] && [ "$(cat "$root/cpuset.mems")" ] || cat "$root/../cpuset.mems" >"$root/cpuset.mems" 2>/dev/null || true
        [ ! -e "$root/cpuset.cpus" ] || [ "$(cat "$root/cpuset.cpus")" ] || cat "$root/../cpuset.cpus" >"$root/cpuset.cpus" 2>/dev/null || true
        chown "$USER_ID" "$root" "$root/cgroup.procs" "$root/tasks" "$root/cgroup.subtree_control" "$root/cgroup.threads" 2>/dev/null || true
      done
      if [ -e "$root/../../cgroup.subtree_control" ]; then
        for word in memory pids cpu io; do echo "+$word" >"$root/../../cgroup.subtree_control" 2>/dev/null || true; done
      fi
      echo 0 >"$root/cgroup.procs"
    done
    as_user "$@"
  )
}

undelegate() {
  find /sys/fs/cgroup -depth -type d -path '*/berth-bats-user*' -exec rmdir {} + 2>/dev/null || true
}

@test "with a delegated cgroup: limits hold, pause and stats work, and nothing is left" {
  run -0 delegate berth run -d --name limited -m 64m --pids-limit 20 berth-test sleep 100
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    [ "$(cat /sys/fs/cgroup/berth-bats-user/berth/*/memory.max)" = 67108864 ]
    [ "$(cat /sys/fs/cgroup/berth-bats-user/berth/*/pids.max)" = 20 ]
  else
    [ "$(cat /sys/fs/cgroup/memory/berth-bats-user/shell/berth/*/memory.limit_in_bytes)" = 67108864 ]
    [ "$(cat /sys/fs/cgroup/pids/berth-bats-user/shell/berth/*/pids.max)" = 20 ]
  fi
  run -0 as_user berth pause limited
  run -0 as_user berth ps --format '{{.Status}}'
  expect_text Paused
  run -0 as_user berth unpause limited
  run -0 as_user berth stats --no-stream --format '{{.MemUsage}} {{.PIDs}}' limited
  expect_text "64MiB 1"
  run -0 as_user berth rm -f limited
  run delegate berth run --name eater -m 16m --memory-swap 16m berth-test sh -c 'tail /dev/zero'
  expect_status 137
  run -0 as_user berth inspect -f '{{.State.OOMKilled}}' eater
  expect_output true
  as_user berth rm eater
  undelegate
  [ -z "$(find /sys/fs/cgroup -type d -path '*/berth-bats-user*')" ] || fail "cgroups are left"
}

@test "the monitor is killed: the container goes on and can be entered, stopped and removed" {
  as_user berth run -d --name orphan berth-test sleep 100 >/dev/null
  kill -9 "$(cat "$USER_HOME"/run/berth/*/monitor.pid)"
  run -0 as_user berth exec orphan echo inside
  expect_output inside
  run -0 as_user berth rm -f orphan
}

@test "the holder of the namespace is killed: the next command holds that of the running containers" {
  local before
  as_user berth run -d --name before berth-test sleep 100 >/dev/null
  before=$(as_user berth exec before readlink /proc/self/ns/user)
  kill -9 "$(holder)"
  wait_until 5 gone "$(holder)"
  run -0 as_user berth run --rm berth-test readlink /proc/self/ns/user
  expect_output "$before"
  run -0 as_user berth exec before true
  [ "$(readlink "/proc/$(holder)/ns/user")" = "$before" ]
}

gone() {
  ! kill -0 "$1" 2>/dev/null
}

@test "commands that begin at once make one namespace" {
  kill -9 "$(holder)"
  wait_until 5 gone "$(holder)"
  # shellcheck disable=SC2016
  run -0 as_user sh -c 'for i in 1 2 3 4 5 6; do berth run --rm berth-test readlink /proc/self/ns/user & done; wait'
  [ "${#lines[@]}" = 6 ]
  [ "$(sort -u <<<"$output" | wc -l)" = 1 ] || fail "not one"
}

@test "a command's output ends with the command, though the holder lives on" {
  kill -9 "$(holder)"
  wait_until 5 gone "$(holder)"
  run -0 timeout 20 bash -c 'export -f as; as_user berth ps -q | cat; echo ended'
  expect_output ended
}

@test "save, rmi, load, import, tag" {
  run -0 as_user sh -c 'berth save -o saved.tar berth-test && berth tag berth-test other:1 && berth rmi berth-test other:1 >/dev/null && berth load -q -i saved.tar'
  expect_output "Loaded image: berth-test:latest"
  make_image tar "$USERS/flat.tar"
  chmod a+r "$USERS/flat.tar"
  run -0 as_user sh -c 'berth import "$USERS/flat.tar" imported >/dev/null && berth run --rm imported /bin/sh -c "echo hi" && berth rmi imported >/dev/null'
  expect_output hi
}

@test "a rootfs of the user's own" {
  make_image rootfs "$USERS/mine/rootfs"
  chown -R "$USER_ID:$USER_ID" "$USERS/mine/rootfs"
  run -0 as_user berth run --rm --rootfs "$USERS/mine/rootfs" sh -c 'id -u; touch /made'
  expect_output 0
  [ "$(stat -c %u "$USERS/mine/rootfs/made")" = "$USER_ID" ]
}

@test "unshare: a look at the files as the containers see them; berth finds the same stores there" {
  as_user berth run --name files berth-test sh -c 'touch /f; chown 5:6 /f'
  run -0 as_user berth unshare sh -c 'cat /proc/self/uid_map; stat -c %u:%g ~/.local/share/berth/containers/*/upper/f; berth ps -a --format "{{.Names}}"'
  expect_text "5:6"
  expect_text files
  run -3 as_user berth unshare sh -c 'exit 3'
  run -127 as_user berth unshare nosuchprogram
  run -125 berth unshare true
  expect_text "unshare is for ordinary users"
  run -0 as_user berth info --format '{{json .SecurityOptions}}'
  expect_output '["name=rootless"]'
}

@test "a foreign runtime that knows nothing of all this" {
  needs program:runc
  run -0 as_user berth run --rm --runtime "$(command -v runc)" berth-test sh -c 'id -u; echo x >/dev/null'
  expect_output 0
  run -0 as_user berth run --rm --runtime "$(command -v runc)" --network host --pid host --device /dev/zero:/dev/nought berth-test \
    sh -c 'ls /sys/class/net | head -1; head -c 2 /dev/nought | wc -c; readlink /proc/self/ns/pid'
  expect_output "$(ls /sys/class/net | head -1)"$'\n'2$'\n'"$(readlink /proc/self/ns/pid)"
}

@test "root and the user do not see each other's containers" {
  local ours=$BATS_TEST_TMPDIR/store
  as_user berth run -d --name mine berth-test sleep 100 >/dev/null
  run -0 env BERTH_ROOT="$ours" BERTH_STATE="$BATS_TEST_TMPDIR/run" berth ps -q
  expect_output ""
  run -125 as_user berth --root "$ours" run --rm berth-test true
}

@test "a user with one id alone: everything in an image is his, other users are refused" {
  run -0 as_stranger berth load -q -i "$USERS/image.tar"
  run -0 as_stranger berth run --rm berth-test sh -c 'cat /proc/self/uid_map; stat -c %u:%g / /bin /etc/passwd'
  [ "$(tr -s ' ' <<<"${lines[0]}")" = " 0 $STRANGER_ID 1" ]
  [ "${lines[1]} ${lines[2]} ${lines[3]}" = "0:0 0:0 0:0" ]
  run -0 as_stranger berth run --rm -t berth-test tty
  expect_text /dev/pts/0
  local user
  for user in 33 1000 0:5; do
    run -125 as_stranger berth run --rm -u $user berth-test true
    expect_text "cannot run as user '$user': you have one id alone"
    expect_text "/etc/subuid"
  done
  as_stranger berth run -d --name alone berth-test sleep 100 >/dev/null
  run -0 as_stranger berth exec alone id -u
  expect_output 0
  run -0 as_stranger berth rm -f alone
}

@test "image mount: only where the mount stays, in unshare" {
  run -1 as_user berth image mount berth-test
  expect_text "an ordinary user's mount would end with this command: run it, and what looks at the image, in 'berth unshare'"
  # shellcheck disable=SC2016
  run -0 as_user berth unshare sh -c 'cd "$(berth image mount berth-test)" && ls bin/busybox && cd / && berth image unmount berth-test'
  expect_text "bin/busybox"
  [ ! -e "$USER_HOME/run/berth/image-mounts" ]
}

@test "what a user may not read in his store is no fault: a check removes nothing" {
  local blob
  blob=$(as_user berth image inspect -f '{{.Id}}' berth-test) # the config, whose blob has this digest
  blob=$USER_HOME/.local/share/berth/images/blobs/sha256/${blob#sha256:}
  chown root:root "$blob" # as a command with sudo leaves it
  chmod 600 "$blob"
  run -1 as_user berth system check --repair
  chown "$USER_ID" "$blob"
  expect_output "berth: cannot read blob sha256:${blob##*/}: Permission denied"
  run -0 as_user berth system check
}
