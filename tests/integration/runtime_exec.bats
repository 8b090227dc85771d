#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# berth-runtime exec: every flag, every refusal, exit codes, terminals.

load ../lib/common

setup_file() {
  berth_setup_file
  needs root
  export BUNDLE=$BATS_FILE_TMPDIR/bundle
  make_bundle "$BUNDLE" 'c["process"]["args"] = ["sleep", "1000"]' \
    'c["process"]["terminal"] = False' 'c["process"]["env"] = ["PATH=/bin:/usr/bin", "KEPT=yes"]' \
    'c["linux"]["cgroupsPath"] = "/berth-bats/exec"'
  runtime run -d -b "$BUNDLE" c1 </dev/null >/dev/null 2>&1
}
teardown_file() { berth_teardown_file; }
setup() { needs root; }

@test "the exit code is that of the process" {
  run runtime exec c1 sh -c 'exit 7'
  expect_status 7
  run runtime exec c1 sh -c 'kill -TERM $$'
  expect_status 143
}

@test "it runs in the namespaces and cgroups of the container" {
  local init
  init=$(runtime state c1 | jq .pid)
  for ns in mnt pid uts ipc net; do
    [ "$(runtime exec c1 readlink "/proc/self/ns/$ns")" = "$(readlink "/proc/$init/ns/$ns")" ]
  done
  runtime exec -d --pid-file "$BATS_TEST_TMPDIR/pid" c1 sleep 50
  diff "/proc/$(cat "$BATS_TEST_TMPDIR/pid")/cgroup" "/proc/$init/cgroup"
  kill "$(cat "$BATS_TEST_TMPDIR/pid")"
}

@test "a command that is not there is 255, with --shell-codes 127, and 126 if it cannot run" {
  run -255 runtime exec c1 nosuch
  expect_text 'exec: "nosuch": executable file not found in $PATH'
  run -127 runtime exec --shell-codes c1 nosuch
  expect_text 'exec: "nosuch": executable file not found in $PATH'
  run -127 runtime exec --shell-codes c1 /no/such
  expect_text "no such file or directory"
  run -126 runtime exec --shell-codes c1 /etc
  runtime exec c1 sh -c 'echo x >/dev/shm/noexec'
  run -126 runtime exec --shell-codes c1 /dev/shm/noexec
  run -255 runtime exec c1 /dev/shm/noexec
  run -127 runtime exec --shell-codes --cwd /no/such c1 true
  run -126 runtime exec --shell-codes --cwd /bin/sh c1 true
  run -3 runtime exec --shell-codes c1 sh -c 'exit 3'
}

@test "other failures are 255" {
  run runtime exec nope true
  expect_status 255
  expect_text "container does not exist"
  run runtime exec --user nobody c1 true
  expect_status 255
  run runtime exec --cwd /no/such c1 true
  expect_status 255
  run runtime exec c1
  expect_status 255
}

@test "a capability that there is not is told of and left out; an empty user is none" {
  run -0 runtime exec --cap NO_SUCH c1 echo runs
  expect_text 'ignoring unknown capability "NO_SUCH"'
  expect_text "runs"
  run -0 runtime exec --user "" c1 id -u
  expect_output "0"
}

@test "env adds to the container's and wins over it" {
  run runtime exec -e KEPT=new --env MORE=1 c1 sh -c 'echo $KEPT $MORE $PATH'
  expect_output "new 1 /bin:/usr/bin"
  run runtime exec c1 sh -c 'echo $KEPT'
  expect_output "yes"
}

@test "cwd, user and groups" {
  run runtime exec --cwd /bin --user 5:6 -g 77 -g 88 c1 sh -c 'pwd; id -u; id -g; id -G'
  expect_text "$(printf '/bin\n5\n6\n')"
  expect_text " 77 88"
}

@test "cap adds to what the process may use, no-new-privs is set" {
  local before after
  before=$((0x$(runtime exec c1 grep CapEff /proc/self/status | cut -f 2)))
  after=$((0x$(runtime exec --cap CAP_SYS_ADMIN c1 grep CapEff /proc/self/status | cut -f 2)))
  [ $((before | 1 << 21)) = $after ]
  run runtime exec --no-new-privs c1 grep NoNewPrivs /proc/self/status
  expect_output "$(printf 'NoNewPrivs:\t1')"
}

@test "the container's seccomp filter holds for exec" {
  run runtime exec c1 grep -w Seccomp /proc/self/status
  expect_output "$(printf 'Seccomp:\t2')"
}

@test "a process document replaces everything" {
  echo '{"args": ["sh", "-c", "id -u; pwd; echo $X"], "cwd": "/bin", "env": ["X=y", "PATH=/bin"], "user": {"uid": 3, "gid": 4}}' \
    >"$BATS_TEST_TMPDIR/process.json"
  run runtime exec --process "$BATS_TEST_TMPDIR/process.json" c1
  expect_output "$(printf '3\n/bin\ny')"
  echo '{"args": [1]}' >"$BATS_TEST_TMPDIR/process.json"
  run runtime exec --process "$BATS_TEST_TMPDIR/process.json" c1
  expect_status 255
  expect_text "args[0]"
}

@test "descriptors pass only when asked for" {
  run bash -c 'exec 5>/dev/null; berth-runtime --root "$RUNTIME_ROOT" exec c1 test -e /proc/self/fd/5'
  expect_status 1
  bash -c 'exec 3>"$BATS_TEST_TMPDIR/three"; berth-runtime --root "$RUNTIME_ROOT" exec --preserve-fds 1 c1 sh -c "echo passed >&3"'
  [ "$(cat "$BATS_TEST_TMPDIR/three")" = passed ]
  run bash -c 'exec 3>&-; berth-runtime --root "$RUNTIME_ROOT" exec --preserve-fds 1 c1 true'
  expect_status 255
  expect_text "descriptor 3"
}

@test "signals are passed on" {
  local pid
  berth-runtime --root "$RUNTIME_ROOT" exec c1 sh -c 'trap "exit 9" TERM; touch /dev/shm/trap; while :; do sleep 0.1; done' &
  pid=$!
  wait_until 5 runtime exec c1 test -e /dev/shm/trap
  kill -TERM $pid
  wait $pid || status=$?
  expect_status 9
}

# $1...: a command, run by a caller that ignores SIGCHLD and yet asks for the exit code
without_sigchld() {
  timeout 20 python3 -c '
import os, signal, sys
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
pid = os.posix_spawnp(sys.argv[1], sys.argv[1:], os.environ)
signal.signal(signal.SIGCHLD, signal.SIG_DFL)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))' "$@"
}

@test "a caller that ignores SIGCHLD gets exit codes" {
  run -7 without_sigchld berth-runtime --root "$RUNTIME_ROOT" exec c1 sh -c 'exit 7'
}

@test "a terminal of the container's own devpts, and its exit code" {
  run runtime exec -t c1 sh -c 'tty; exit 4' </dev/null
  expect_status 4
  expect_text "/dev/pts/"
}

# The caller's terminal puts the return before a newline, so that what is read by a program has none.
@test "the lines of a terminal end in a newline alone, but for the engine" {
  run -0 runtime exec -t c1 sh -c 'echo line; stty -a' </dev/null
  [[ $output == $'line\n'* ]] || fail "$(od -c <<<"$output")"
  expect_text " -onlcr"
  run -0 runtime exec --shell-codes -t c1 echo line </dev/null
  expect_output $'line\r'
  needs program:script
  run -0 script -qec "stty raw opost onlcr; berth-runtime --root '$RUNTIME_ROOT' exec -t c1 echo line" /dev/null </dev/null
  expect_text $'line\r'
  [[ $output != *$'line\r\r'* ]] || fail "$(od -c <<<"$output")"
}

@test "typing reaches the process through the terminal" {
  needs program:script
  run script -qec "berth-runtime --root '$RUNTIME_ROOT' exec -t c1 sh -c 'read x; echo got:\$x'" /dev/null <<<"typed"
  expect_text "got:typed"
}

@test "a detached terminal needs a console socket, which gets the master" {
  run runtime exec -d -t c1 true
  expect_status 255
  expect_text "console-socket"
  python3 - "$BATS_TEST_TMPDIR/sock" >"$BATS_TEST_TMPDIR/got" <<'PYTHON' &
import array, os, socket, sys
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen(1)
c, _ = s.accept()
data, anc, _, _ = c.recvmsg(64, socket.CMSG_SPACE(4))
fd = array.array("i", anc[0][2])[0]
print(data.decode(), os.isatty(fd), os.read(fd, 100).decode().strip())
PYTHON
  wait_until 5 test -S "$BATS_TEST_TMPDIR/sock"
  runtime exec -d -t --console-socket "$BATS_TEST_TMPDIR/sock" c1 sh -c 'echo on the terminal; sleep 1'
  wait $!
  [ "$(cat "$BATS_TEST_TMPDIR/got")" = "/dev/ptmx True on the terminal" ]
}

@test "sub-cgroups stay below the container's" {
  run runtime exec --cgroup ../.. c1 true
  expect_status 255
  run runtime exec --cgroup no/such c1 true
  expect_status 255
  expect_text "sub-cgroup"
  run runtime exec --cgroup /../.. c1 true
  expect_status 255
}

# The container's directories, one a line; each gets a sub-cgroup "work".
make_sub_cgroups() {
  local dir
  for dir in $(find /sys/fs/cgroup -type d -path '*/berth-bats/exec'); do
    mkdir -p "$dir/work"
    [ ! -e "$dir/work/cpuset.cpus" ] || [ -e "$dir/cgroup.controllers" ] || {
      cat "$dir/cpuset.cpus" >"$dir/work/cpuset.cpus"
      cat "$dir/cpuset.mems" >"$dir/work/cpuset.mems"
    }
  done
}
remove_sub_cgroups() { find /sys/fs/cgroup -depth -type d -path '*/berth-bats/exec/work' -exec rmdir {} +; }

@test "a sub-cgroup holds the process, in all hierarchies or in those that are named" {
  make_sub_cgroups
  run runtime exec --cgroup work c1 cat /proc/self/cgroup
  expect_status 0
  ! grep -vE ":/((berth-bats/exec/)?work)?$" <<<"$output" || fail "not all" # "/": not mounted here
  run runtime exec --cgroup /work c1 cat /proc/self/cgroup
  ! grep -vE ":/((berth-bats/exec/)?work)?$" <<<"$output" || fail "not all" # "/": not mounted here
  if [ -d /sys/fs/cgroup/memory ]; then
    run runtime exec --cgroup memory,cpu:work --cgroup :/work c1 cat /proc/self/cgroup
    [ "$(grep -c ':/berth-bats/exec/work$' <<<"$output")" = 3 ]
    [ "$(grep -E ':memory:|:cpu:|^0::' <<<"$output" | grep -c ':/berth-bats/exec/work$')" = 3 ]
    run runtime exec --cgroup memory:work --cgroup memory:work c1 true
    expect_status 255
    expect_text "'memory' is given twice"
  else
    run runtime exec --cgroup :work c1 cat /proc/self/cgroup
    [[ $output == 0::*/work ]]
    run runtime exec --cgroup memory:work c1 true
    expect_status 255
    expect_text "no cgroup with controller 'memory'"
  fi
  run runtime exec --cgroup work --cgroup :work c1 true
  expect_status 255
  expect_text "need a controller each"
  run runtime exec --cgroup :a:b c1 true
  expect_status 255
  run runtime exec --cgroup nosuch:work c1 true
  expect_status 255
  expect_text "'nosuch'"
  remove_sub_cgroups
}

@test "in a paused container, when asked for, it begins at resume" {
  runtime pause c1
  runtime exec --ignore-paused c1 touch /dev/shm/resumed &
  sleep 0.3
  kill -0 $!
  runtime resume c1
  wait $!
  runtime exec c1 test -e /dev/shm/resumed
}

@test "users are numbers, and nothing else" {
  local user
  for user in : 5: :5 +5 -1 " 5" "5 " 0x5 5:6:7 4294967295 4294967296 5:4294967295 root; do
    run runtime exec --user "$user" c1 true
    expect_status 255
  done
  for user in -1 4294967296 x; do
    run runtime exec --additional-gids="$user" c1 true
    expect_status 255
  done
  run runtime exec --user 4294967294:4294967294 c1 id -u
  expect_output 4294967294
}

@test "a label or profile without its security module names it" {
  [ ! -e /sys/fs/selinux/enforce ] || skip "this host has SELinux"
  run runtime exec --process-label system_u:system_r:container_t:s0 c1 true
  expect_status 255
  expect_text "SELinux"
  [ ! -e /sys/module/apparmor/parameters/enabled ] || skip "this host has AppArmor"
  run runtime exec --apparmor docker-default c1 true
  expect_status 255
  expect_text "AppArmor"
}

@test "a console socket without a terminal is refused" {
  run runtime exec -d --console-socket "$BATS_TEST_TMPDIR/sock" c1 true
  expect_status 255
  expect_text "console socket"
}

@test "a stopped container is refused" {
  local other=$BATS_TEST_TMPDIR/other
  copy_bundle "$other" 'c["linux"]["cgroupsPath"] = "/berth-bats/exec2"'
  runtime run -d -b "$other" c2 </dev/null >/dev/null 2>&1
  runtime kill c2 KILL
  wait_until 5 eval '[ "$(runtime state c2 | jq -r .status)" = stopped ]'
  run runtime exec c2 true
  expect_status 255
  expect_text "cannot exec in a stopped container"
  runtime delete c2
}

@test "joins user, cgroup and time namespaces too" {
  needs userns
  local other=$BATS_TEST_TMPDIR/other init
  chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$BUNDLE"
  copy_bundle "$other" 'c["linux"]["cgroupsPath"] = "/berth-bats/exec3"' \
    'c["linux"]["namespaces"] += [{"type": n} for n in ("user", "cgroup", "time") if n not in [x["type"] for x in c["linux"]["namespaces"]]]' \
    'c["linux"]["uidMappings"] = [{"containerID": 0, "hostID": 100000, "size": 65536}]' \
    'c["linux"]["gidMappings"] = c["linux"]["uidMappings"]' \
    'c["linux"]["sysctl"] = {}' # docker's names groups that are not mapped here
  runtime run -d -b "$other" c3 </dev/null >"$BATS_TEST_TMPDIR/log" 2>&1 || fail "$(cat "$BATS_TEST_TMPDIR/log")"
  init=$(runtime state c3 | jq .pid)
  for ns in user cgroup time pid mnt; do
    [ "$(runtime exec c3 readlink "/proc/self/ns/$ns")" = "$(readlink "/proc/$init/ns/$ns")" ]
  done
  [ "$(runtime exec c3 id -u)" = 0 ]
  runtime delete --force c3
}

@test "a runtime in a chroot: whoever joins the container stands in its root, not in the host's" {
  local jail=$BATS_TEST_TMPDIR/jail
  mkdir -p "$jail"/{proc,sys,dev,bundle,tmp}
  cp "$(command -v berth-runtime)" "$jail/runtime"
  cp -a "$BUNDLE/." "$jail/bundle"
  edit_config "$jail/bundle" 'c["root"]["path"] = "rootfs"' 'c["linux"]["cgroupsPath"] = "/berth-bats/exec4"' \
    'c["mounts"] = [m for m in c["mounts"] if not m["destination"].startswith("/etc")]'
  run -0 unshare -m --propagation private sh -euc '
    mount --bind "$1" "$1" # runtimes want a mount point for their root
    mount -t proc proc "$1/proc"
    mount --rbind /sys "$1/sys"
    mount --rbind /dev "$1/dev"
    chroot "$1" /runtime --root /tmp run -d -b /bundle jailed </dev/null >"$1/log" 2>&1 || { cat "$1/log"; exit 9; }
    trap "chroot $1 /runtime --root /tmp delete --force jailed" EXIT
    chroot "$1" /runtime --root /tmp exec jailed sh -c "readlink /proc/self/ns/pid | wc -l; test ! -e /runtime"
    pid=$(chroot "$1" /runtime --root /tmp state jailed | jq .pid)
    nsenter -t "$pid" -m /bin/ls /' sh "$jail"
  expect_output "1
$(ls "$BUNDLE/rootfs")"
}
