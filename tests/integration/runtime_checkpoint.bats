#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# checkpoint and restore, by the program criu. The kernel may be too new for criu, which says so itself; that of the v2 lane is not.

load ../lib/common

setup_file() {
  berth_setup_file
  export BUNDLE=$BATS_FILE_TMPDIR/bundle
  make_bundle "$BUNDLE" 'c["process"]["terminal"] = False'
}
teardown_file() { berth_teardown_file; }
setup() {
  needs root program:jq
  CONFIG=$BATS_TEST_TMPDIR/b IMAGES=$BATS_TEST_TMPDIR/images
  mkdir "$BATS_TEST_TMPDIR/data"
  copy_bundle "$CONFIG" 'c["linux"]["cgroupsPath"] = "/berth-bats/checkpoint"' \
    'c["process"]["args"] = ["sh", "-c", "i=0; while :; do i=$((i+1)); echo $i >/dev/shm/n; echo $i; sleep 0.1; done"]' \
    'c["mounts"].append({"destination": "/data", "source": "'"$BATS_TEST_TMPDIR/data"'", "options": ["rbind"]})'
}
teardown() {
  runtime delete --force c1
  runtime delete --force c2
}

needs_criu() {
  needs program:criu
  local said
  said=$(criu check 2>&1) || skip "criu cannot work here: $(grep -m 1 Error <<<"$said")"
}

count() { runtime exec "$1" cat /dev/shm/n; }
counts_on() { [ "$(count "$1")" -gt "$2" ]; }
start_c1() {
  runtime run -d -b "$CONFIG" c1 </dev/null >/dev/null 2>&1
  wait_until 5 counts_on c1 2
}

@test "a container goes on where it was, with its mounts, limits and masks" {
  needs_criu
  edit_config "$CONFIG" 'c["linux"]["resources"]["pids"] = {"limit": 77}'
  start_c1
  runtime checkpoint --image-path "$IMAGES" c1
  run runtime state c1
  expect_status 1
  before=$(grep -c . "$IMAGES/descriptors.json")
  [ "$before" = 1 ]
  runtime restore -d -b "$CONFIG" --image-path "$IMAGES" --work-path "$BATS_TEST_TMPDIR/work" --pid-file "$BATS_TEST_TMPDIR/pid" c1 </dev/null >/dev/null 2>&1
  [ "$(runtime state c1 | jq -r .status)" = running ]
  [ "$(runtime state c1 | jq .pid)" = "$(cat "$BATS_TEST_TMPDIR/pid")" ]
  local n
  n=$(count c1)
  [ "$n" -gt 2 ]
  wait_until 5 counts_on c1 "$n"
  touch "$BATS_TEST_TMPDIR/data/seen"
  runtime exec c1 test -e /data/seen
  [ -z "$(runtime exec c1 cat /proc/kcore | head -c 1)" ]
  [ "$(runtime events --stats c1 | jq .data.pids.limit)" = 77 ]
  ! grep criu-root /proc/self/mounts || fail "the mount for criu is left"
  runtime kill c1 KILL
  wait_until 5 stopped c1
  runtime delete c1
}

stopped() { [ "$(runtime state "$1" | jq -r .status)" = stopped ]; }

@test "restore in the foreground takes over its output and gives its exit code" {
  needs_criu
  edit_config "$CONFIG" 'c["process"]["args"] = ["sh", "-c", "while [ ! -e /data/end ]; do sleep 0.1; done; echo bye; exit 7"]'
  (runtime run -d -b "$CONFIG" c1 </dev/null 2>&1 | cat >/dev/null) 3>&- &
  wait_until 5 running c1
  runtime checkpoint --image-path "$IMAGES" c1
  touch "$BATS_TEST_TMPDIR/data/end"
  run timeout 50 berth-runtime --root "$RUNTIME_ROOT" restore -b "$CONFIG" --image-path "$IMAGES" c1 </dev/null
  expect_status 7
  expect_output bye
  [ ! -e "$RUNTIME_ROOT/c1" ]
}

running() { [ "$(runtime state "$1" | jq -r .status)" = running ]; }

@test "leave-running keeps it; the copy has another name and cgroup" {
  needs_criu
  start_c1
  runtime checkpoint --leave-running --image-path "$IMAGES" c1
  running c1
  edit_config "$CONFIG" 'c["linux"]["cgroupsPath"] = "/berth-bats/checkpoint2"'
  runtime restore -d -b "$CONFIG" --image-path "$IMAGES" c2 </dev/null >/dev/null 2>&1
  wait_until 5 counts_on c2 2
  running c1
  grep -q ':/berth-bats/checkpoint2$' "/proc/$(runtime state c2 | jq .pid)/cgroup"
  ! grep -q ':/berth-bats/checkpoint$' "/proc/$(runtime state c2 | jq .pid)/cgroup" || fail "not all hierarchies"
}

@test "a pre-dump, and what changed since" {
  needs_criu
  criu check --feature mem_dirty_track || skip "this kernel does not track memory for criu"
  start_c1
  runtime checkpoint --pre-dump --image-path "$IMAGES.1" c1
  running c1
  runtime checkpoint --image-path "$IMAGES" --parent-path "../$(basename "$IMAGES.1")" c1
  [ -e "$IMAGES/parent" ]
  runtime restore -d -b "$CONFIG" --image-path "$IMAGES" c1 </dev/null >/dev/null 2>&1
  wait_until 5 counts_on c1 3
}

@test "a network namespace that was joined is joined again" {
  needs_criu
  unshare -n sleep 50 3>&- &
  local holder=$!
  wait_until 5 other_net "$holder"
  edit_config "$CONFIG" "next(n for n in c['linux']['namespaces'] if n['type'] == 'network')['path'] = '/proc/$holder/ns/net'" 'c["linux"]["sysctl"] = {}'
  start_c1
  runtime checkpoint --image-path "$IMAGES" c1
  runtime restore -d -b "$CONFIG" --image-path "$IMAGES" c1 </dev/null >/dev/null 2>&1
  [ "$(readlink "/proc/$(runtime state c1 | jq .pid)/ns/net")" = "$(readlink "/proc/$holder/ns/net")" ]
  kill "$holder"
}

@test "ipc and uts namespaces that were joined are joined again" {
  needs_criu
  unshare -u -i sh -c 'hostname other; exec sleep 50' 3>&- &
  local holder=$!
  wait_until 5 other_uts "$holder"
  edit_config "$CONFIG" "[n.update(path='/proc/$holder/ns/' + n['type']) for n in c['linux']['namespaces'] if n['type'] in ('ipc', 'uts')]" \
    'c["linux"]["sysctl"] = {}' 'c.pop("hostname", None)' 'c["mounts"] = [m for m in c["mounts"] if m.get("type") != "mqueue"]'
  start_c1
  runtime checkpoint --image-path "$IMAGES" c1
  runtime restore -d -b "$CONFIG" --image-path "$IMAGES" c1 </dev/null >/dev/null 2>&1
  local pid
  pid=$(runtime state c1 | jq .pid)
  [ "$(readlink "/proc/$pid/ns/uts" "/proc/$pid/ns/ipc")" = "$(readlink "/proc/$holder/ns/uts" "/proc/$holder/ns/ipc")" ]
  [ "$(runtime exec c1 hostname)" = other ]
  kill "$holder"
}

other_uts() { [ "$(nsenter -t "$1" -u hostname)" = other ]; }
other_net() { [ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }

# Gets the next terminal at $BATS_TEST_TMPDIR/console, types a line on it and tells what it hears, until nobody speaks any more.
console() {
  local ready=$BATS_TEST_TMPDIR/console
  rm -f "$ready"
  python3 - "$ready" "$1" 3>&- >"$2" <<'PYTHON' &
import array, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen(1)
connection, _ = server.accept()
name, ancillary, _, _ = connection.recvmsg(64, socket.CMSG_SPACE(4))
master = array.array("i", ancillary[0][2])[0]
print(name.decode(), os.isatty(master), flush=True)
os.write(master, sys.argv[2].encode() + b"\n")
try:
    while True:
        print(os.read(master, 1000).decode(), end="", flush=True)
except OSError:
    pass
PYTHON
  CONSOLE=$!
  wait_until 5 test -S "$ready"
}

start_with_terminal() {
  edit_config "$CONFIG" 'c["process"]["terminal"] = True' 'c["process"]["consoleSize"] = {"height": 33, "width": 77}' \
    'c["process"]["args"] = ["sh", "-c", "n=0; while read -r x; do n=$((n+1)); echo \"$n:$x:$(stty size)\"; [ $x != bye ] || exit 6; done"]'
  console before "$BATS_TEST_TMPDIR/first"
  runtime run -d -b "$CONFIG" --console-socket "$BATS_TEST_TMPDIR/console" c1
  wait_until 5 grep -q '1:before:33 77' "$BATS_TEST_TMPDIR/first"
}

@test "a terminal is restored, and its other end goes to a console socket" {
  needs_criu
  start_with_terminal
  runtime checkpoint --image-path "$IMAGES" c1
  wait "$CONSOLE" # nobody has the old terminal any more
  console after "$BATS_TEST_TMPDIR/second"
  runtime restore -d -b "$CONFIG" --image-path "$IMAGES" --console-socket "$BATS_TEST_TMPDIR/console" c1
  wait_until 5 grep -q '2:after:33 77' "$BATS_TEST_TMPDIR/second"
  [ "$(head -n 1 "$BATS_TEST_TMPDIR/second")" = "/dev/pts/ptmx True" ]
  [ "$(runtime exec c1 readlink /proc/1/fd/0)" = /dev/pts/0 ]
  runtime exec c1 sh -c 'echo from the console >/dev/console'
  wait_until 5 grep -q 'from the console' "$BATS_TEST_TMPDIR/second"
  runtime delete --force c1
  wait "$CONSOLE"
}

@test "restore in the foreground is the container's terminal" {
  needs_criu
  needs program:script
  start_with_terminal
  runtime checkpoint --image-path "$IMAGES" c1
  run script -qec "timeout --foreground 30 berth-runtime --root '$RUNTIME_ROOT' restore -b '$CONFIG' --image-path '$IMAGES' c1" /dev/null <<<bye
  expect_status 6
  expect_text "2:bye:"
  [ ! -e "$RUNTIME_ROOT/c1" ]
  run runtime restore -d -b "$CONFIG" --image-path "$IMAGES" c1
  expect_status 1
  expect_text "a console socket is needed"
  edit_config "$CONFIG" 'c["process"]["terminal"] = False'
  run runtime restore -d -b "$CONFIG" --image-path "$IMAGES" c1
  expect_status 1
  expect_output "the container had a terminal, but process.terminal is not set"
}

# What hooks said: kind, status, and whether the process that the state names is in another network namespace.
hooked() { cat "$BATS_TEST_TMPDIR/data/hooks"; }
add_hooks() {
  cat >"$BATS_TEST_TMPDIR/hook" <<SCRIPT
#!/bin/sh
state=\$(cat)
pid=\$(echo "\$state" | jq .pid)
[ "\$pid" = null ] || [ "\$(readlink /proc/self/ns/net)" = "\$(readlink "/proc/\$pid/ns/net")" ] || other=', other network'
echo "\$1: \$(echo "\$state" | jq -r .status)\$other" >>"$BATS_TEST_TMPDIR/data/hooks"
echo "\$pid" >"$BATS_TEST_TMPDIR/data/pid"
[ ! -e "$BATS_TEST_TMPDIR/fail" ] || { echo "no luck" >&2; exit 3; }
SCRIPT
  chmod +x "$BATS_TEST_TMPDIR/hook"
  edit_config "$CONFIG" "c['hooks'] = {k: [{'path': '$BATS_TEST_TMPDIR/hook', 'args': ['hook', k]}] for k in ('prestart', 'createRuntime', 'poststart', 'poststop')}" \
    "c['hooks']['createContainer'] = c['hooks']['startContainer'] = [{'path': '/bin/sh', 'args': ['sh', '-c', 'echo inside >>/data/hooks 2>/dev/null || echo inside >>$BATS_TEST_TMPDIR/data/hooks']}]"
}

@test "hooks run when namespaces are made, as runc runs them" {
  needs_criu
  add_hooks
  start_c1
  [ "$(hooked)" = "prestart: creating, other network
createRuntime: creating, other network
inside
inside
poststart: running, other network" ]
  rm "$BATS_TEST_TMPDIR/data/hooks"
  runtime checkpoint --image-path "$IMAGES" c1
  [ "$(hooked)" = "poststop: stopped" ]
  rm "$BATS_TEST_TMPDIR/data/hooks"
  runtime restore -d -b "$CONFIG" --image-path "$IMAGES" c1 </dev/null >/dev/null 2>&1
  [ "$(hooked)" = "prestart: creating, other network
createRuntime: creating, other network" ]
  [ "$(cat "$BATS_TEST_TMPDIR/data/pid")" = "$(runtime state c1 | jq .pid)" ]
  wait_until 5 counts_on c1 2
}

@test "a hook that fails ends the restore, and nothing is left" {
  needs_criu
  add_hooks
  start_c1
  runtime checkpoint --image-path "$IMAGES" c1
  touch "$BATS_TEST_TMPDIR/fail"
  run runtime restore -d -b "$CONFIG" --image-path "$IMAGES" c1
  expect_status 1
  expect_text "hooks.prestart[0]: '$BATS_TEST_TMPDIR/hook': exit status 3"
  [ ! -e "$RUNTIME_ROOT/c1" ]
  [ -z "$(find /sys/fs/cgroup -path '*/berth-bats/checkpoint')" ]
  ! kill -0 "$(cat "$BATS_TEST_TMPDIR/data/pid")" 2>/dev/null || fail "its process is left"
}

@test "org.criu.config names a configuration of criu's own, which wins" {
  needs_criu
  echo 'log-file mine.log' >"$BATS_TEST_TMPDIR/criu.conf"
  edit_config "$CONFIG" "c['annotations'] = {'org.criu.config': '$BATS_TEST_TMPDIR/criu.conf'}"
  start_c1
  runtime checkpoint --image-path "$IMAGES" c1
  [ -s "$IMAGES/mine.log" ]
  [ ! -e "$IMAGES/dump.log" ]
  rm "$IMAGES/mine.log"
  runtime restore -d -b "$CONFIG" --image-path "$IMAGES" c1 </dev/null >/dev/null 2>&1
  [ -s "$IMAGES/mine.log" ]
}

@test "an open file without its name takes --link-remap" {
  needs_criu
  edit_config "$CONFIG" 'c["process"]["args"] = ["sh", "-c", "echo text >/dev/shm/a; ln /dev/shm/a /dev/shm/b; exec 5</dev/shm/a; rm /dev/shm/a; exec sleep 1000"]'
  runtime run -d -b "$CONFIG" c1 </dev/null >/dev/null 2>&1
  wait_until 5 runtime exec c1 sh -c '[ -e /dev/shm/b ] && [ ! -e /dev/shm/a ]'
  run runtime checkpoint --image-path "$IMAGES" c1
  expect_status 1
  expect_text "criu dump"
  runtime checkpoint --link-remap --image-path "$IMAGES" c1
  runtime restore -d -b "$CONFIG" --image-path "$IMAGES" c1 </dev/null >/dev/null 2>&1
  [ "$(runtime exec c1 cat /proc/1/fd/5)" = text ]
}

@test "open TCP connections, closed by the restore" {
  needs_criu
  local lock=iptables
  ! criu check --feature network_lock_nftables || lock=nftables
  edit_config "$CONFIG" 'c["process"]["args"] = ["sh", "-c", "sleep 1000 | nc -l -p 99 & sleep 0.5; sleep 1000 | nc 127.0.0.1 99; while :; do sleep 0.1; done"]'
  runtime run -d -b "$CONFIG" c1 </dev/null >/dev/null 2>&1
  wait_until 5 connections c1 2
  run runtime checkpoint --network-lock $lock --image-path "$IMAGES" c1
  expect_status 1
  run runtime checkpoint --network-lock none --image-path "$IMAGES" c1
  expect_text "invalid network lock 'none': not iptables, nftables or skip"
  if ! runtime checkpoint --tcp-established --network-lock $lock --image-path "$IMAGES" c1; then
    grep -q "Can't get 1:16 opt" "$IMAGES/dump.log" || fail "open connections cannot be written"
    skip "this criu cannot read sockets of this kernel"
  fi
  runtime restore -d -b "$CONFIG" --tcp-close --image-path "$IMAGES" c1 </dev/null >/dev/null 2>&1
  connections c1 0
}

# The ends of established connections.
connections() { [ "$(runtime exec "$1" sh -c 'cat /proc/net/tcp*' | awk '$4 == "01"' | wc -l)" = "$2" ]; }

@test "a criu that fails is quoted, and the container runs on" {
  needs program:criu
  mkdir "$BATS_TEST_TMPDIR/bin"
  cat >"$BATS_TEST_TMPDIR/bin/criu" <<'SCRIPT'
#!/bin/sh
[ "$1" = swrk ] || exit 4
printf '(00.1) Warn  (a.c:1): x\n(00.2) Error (a.c:2): no luck\n(00.3) Error (a.c:3): Dumping FAILED.\n' >"$IMAGES/dump.log"
cp "$IMAGES/dump.log" "$IMAGES/restore.log"
exit 3
SCRIPT
  chmod +x "$BATS_TEST_TMPDIR/bin/criu"
  export IMAGES
  start_c1
  PATH=$BATS_TEST_TMPDIR/bin:$PATH run berth-runtime --root "$RUNTIME_ROOT" checkpoint --image-path "$IMAGES" c1
  expect_status 1
  expect_text "criu dump: exit status 3: Error (a.c:2): no luck (see '$IMAGES/dump.log')"
  running c1
  edit_config "$CONFIG" 'c["linux"]["cgroupsPath"] = "/berth-bats/checkpoint2"'
  PATH=$BATS_TEST_TMPDIR/bin:$PATH run berth-runtime --root "$RUNTIME_ROOT" restore -b "$CONFIG" --image-path "$IMAGES" c2
  expect_status 1
  expect_text "criu restore: exit status 3: Error (a.c:2): no luck (see '$IMAGES/restore.log')"
  [ ! -e "$RUNTIME_ROOT/c2" ]
  [ -z "$(find /sys/fs/cgroup -path '*/berth-bats/checkpoint2')" ]
}

# A criu that says what it was asked for, a line for each field that is not a path or a descriptor of ours, and fails.
fake_criu() {
  cat >"$BATS_TEST_TMPDIR/criu" <<'SCRIPT'
#!/usr/bin/python3
import socket, sys
def varint(data):
    n = shift = 0
    while True:
        n |= (data[0] & 0x7f) << shift
        shift += 7
        if data.pop(0) < 0x80:
            return n
def fields(data):
    data = bytearray(data)
    while data:
        key = varint(data)
        value = varint(data)
        if key & 7 == 2:
            value, data = bytes(data[:value]), data[value:]
        yield key >> 3, value
request = dict(fields(socket.socket(fileno=int(sys.argv[2])).recv(65536)))
with open(sys.argv[0] + ".said", "w") as said:
    print("type", request[1], file=said)
    for number, value in sorted(fields(request[2]), key=str):
        if number not in (1, 2, 10, 13, 17, 25, 37, 44):
            print(number, value, file=said)
sys.exit(3)
SCRIPT
  chmod +x "$BATS_TEST_TMPDIR/criu"
}

@test "every option reaches criu by its number" {
  fake_criu
  start_c1
  run runtime --criu "$BATS_TEST_TMPDIR/criu" checkpoint --image-path "$IMAGES" c1
  expect_status 1
  mv "$BATS_TEST_TMPDIR/criu.said" "$BATS_TEST_TMPDIR/plain"
  run runtime --criu "$BATS_TEST_TMPDIR/criu" checkpoint --image-path "$IMAGES" --leave-running --ext-unix-sk --tcp-established --shell-job --file-locks \
    --page-server x:7 --parent-path p --auto-dedup --link-remap --manage-cgroups-mode strict --empty-ns network --tcp-skip-in-flight --lazy-pages \
    --network-lock nftables c1
  run diff "$BATS_TEST_TMPDIR/plain" "$BATS_TEST_TMPDIR/criu.said"
  [ "$(grep '^>' <<<"$output" | cut -c3- | sort -n | tr '\n' ';')" = \
    "3 1;4 1;5 1;7 1;8 1;11 b'\\n\\x01x\\x10\\x07';14 b'p';16 1;18 1;34 5;38 1073741824;46 1;48 1;64 2;" ]
  run runtime --criu "$BATS_TEST_TMPDIR/criu" checkpoint --pre-dump --image-path "$IMAGES" c1
  run grep -x -e 'type 4' -e '15 1' "$BATS_TEST_TMPDIR/criu.said"
  expect_output $'type 4\n15 1'
  echo '["/dev/null", "/dev/null", "/dev/null"]' >"$IMAGES/descriptors.json"
  edit_config "$CONFIG" 'c["linux"]["cgroupsPath"] = "/berth-bats/checkpoint2"'
  run runtime --criu "$BATS_TEST_TMPDIR/criu" restore -b "$CONFIG" --image-path "$IMAGES" --tcp-close --lsm-profile apparmor:x --lsm-mount-context y c2 </dev/null
  expect_status 1
  run grep -x -e 'type 2' -e '26 1' -e '50 1' -e '52 1' -e "53 b'apparmor:x'" -e "63 b'y'" "$BATS_TEST_TMPDIR/criu.said"
  [ "${#lines[@]}" = 6 ]
}

@test "without criu the way to it is told" {
  local path=$BERTH_BIN
  start_c1
  run env PATH="$path" "$BERTH_BIN/berth-runtime" --root "$RUNTIME_ROOT" checkpoint --image-path "$IMAGES" c1
  expect_status 1
  expect_text "criu is not installed: apt-get install criu"
  running c1
}

@test "what cannot be checkpointed or restored is refused" {
  run runtime checkpoint nope
  expect_status 1
  expect_text "container does not exist"
  runtime create -b "$CONFIG" c1 </dev/null >/dev/null 2>&1
  run runtime checkpoint --image-path "$IMAGES" c1
  expect_status 1
  expect_text "container cannot be checkpointed in created state"
  runtime start c1
  run runtime checkpoint --image-path "$IMAGES" --manage-cgroups-mode loose c1
  expect_text "invalid cgroups mode 'loose'"
  run runtime checkpoint --image-path "$IMAGES" --empty-ns pid c1
  expect_text "empty namespace 'pid'"
  run runtime checkpoint --image-path "$IMAGES" --page-server 1234 c1
  expect_text "page server '1234': not ADDRESS:PORT"
  edit_config "$CONFIG" 'c["linux"]["cgroupsPath"] = "/berth-bats/checkpoint2"'
  run runtime restore -b "$CONFIG" --image-path "$BATS_TEST_TMPDIR/none" c2
  expect_status 1
  expect_text "is not a checkpoint"
  local kind name holder
  unshare -m sleep 50 3>&- &
  holder=$!
  wait_until 5 eval '[ "$(readlink /proc/$holder/ns/mnt)" != "$(readlink /proc/self/ns/mnt)" ]'
  for kind in cgroup user mount; do
    name=/proc/$holder/ns/${kind/mount/mnt}
    edit_config "$CONFIG" 'c["linux"]["namespaces"] = [n for n in c["linux"]["namespaces"] if n["type"] not in ("cgroup", "user", "'$kind'")] + [{"type": "'$kind'", "path": "'"$name"'"}]'
    run runtime restore -b "$CONFIG" --image-path "$BATS_TEST_TMPDIR/none" c2
    expect_status 1
    expect_text "linux.namespaces: cannot restore into the $kind namespace '$name': criu joins ipc, network, pid, time and uts namespaces only"
    [ ! -e "$RUNTIME_ROOT/c2" ]
  done
  kill "$holder"
}
