# SPDX-License-Identifier: Apache-2.0
# Holes that other runtimes had, tried on ours.
load ../lib/common

setup_file() {
  berth_setup_file
  export BUNDLE=$BATS_FILE_TMPDIR/bundle
  make_bundle "$BUNDLE" 'c["process"]["terminal"] = False' 'c["linux"]["cgroupsPath"] = "/berth-cve/c1"'
}
teardown_file() {
  berth_teardown_file
  rmdir /sys/fs/cgroup/{,*/}berth-cve 2>/dev/null || true
}

# A bundle of its own, whose rootfs a test may spoil; a directory of the host, which it shall not reach.
setup() {
  needs root
  b=$BATS_TEST_TMPDIR/b host=$BATS_TEST_TMPDIR/host
  mkdir "$b" "$host"
  cp -a "$BUNDLE/rootfs" "$b"
  fresh_config
  echo untouched >"$host/file"
  before=$(host_state)
}
fresh_config() {
  cp "$BUNDLE/config.json" "$b"
  edit_config "$b" "c['root'] = {'path': '$b/rootfs', 'readonly': False}"
}
teardown() { runtime delete --force c1; }

host_state() { find "$host" -printf '%P %y %m %U %G %s %l\n' | sort; cat "$host/file"; }
host_untouched() { [ "$(host_state)" = "$before" ] || fail "changed on the host: $(host_state)"; }

# in_container SCRIPT EDIT...
in_container() {
  local script=$1
  shift
  edit_config "$b" "c['process']['args'] = ['sh', '-c', '''$script''']" "$@"
  run runtime run -b "$b" c1 </dev/null
}

without_mount() { echo "c['mounts'] = [m for m in c['mounts'] if m['destination'] != '$1']"; }

# Defence: the steps "undumpable" and "hide", and sealed_self_ensure().
@test "CVE-2019-5736: the runtime's own file cannot be written from inside, neither by run nor by exec" {
  cp "$(readlink -f "$(command -v berth-runtime)")" "$BATS_TEST_TMPDIR/berth-runtime"
  local copy=$BATS_TEST_TMPDIR/berth-runtime own
  own=$(sha256sum <"$copy")
  # the container waits for anybody's /proc/PID/exe that is not its own and writes there
  edit_config "$b" 'c["process"]["args"] = ["sh", "-c", """while :; do for p in /proc/[0-9]*; do [ $p = /proc/1 ] || { echo x >$p/exe; echo x >$p/root/proc/self/exe; } 2>/dev/null; done; done"""]' \
    'c["process"]["capabilities"] = {k: ["CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE"] for k in ("bounding", "effective", "permitted")}'
  "$copy" --root "$RUNTIME_ROOT" run -d -b "$b" c1 </dev/null >/dev/null 2>&1
  for _ in $(seq 8); do
    "$copy" --root "$RUNTIME_ROOT" exec c1 /proc/self/exe true </dev/null >/dev/null 2>&1 || true
    "$copy" --root "$RUNTIME_ROOT" exec c1 true </dev/null
  done
  runtime delete --force c1
  [ "$(sha256sum <"$copy")" = "$own" ] || fail "berth-runtime was overwritten"
  # an interpreter line of /proc/self/exe executes the runtime again, inside, which nothing may come of
  printf '#!/proc/self/exe\n' >"$b/rootfs/evil"
  chmod 755 "$b/rootfs/evil"
  edit_config "$b" 'c["process"]["args"] = ["/evil"]'
  run timeout -s KILL 10 "$copy" --root "$RUNTIME_ROOT" run -b "$b" c1 </dev/null
  [ "$status" != 0 ]
  [ "$(sha256sum <"$copy")" = "$own" ] || fail "berth-runtime was overwritten"
}

# Defence: init_fds(), and the check of the working directory in process_set_cwd().
@test "CVE-2024-21626: no descriptor of the host is in the container, none leads its directory out" {
  local n
  exec 9<"$host"
  in_container 'ls /proc/self/fd | grep -c .; ls -l /proc/self/fd' 'c["process"]["cwd"] = "/"'
  exec 9<&-
  [ "$status" = 0 ]
  [ "${lines[0]}" = 4 ] || fail "more than 0, 1, 2 and that of ls itself"
  expect_no_text "$BATS_TEST_TMPDIR"
  for n in 3 5 7 8 9 10 12; do
    in_container 'cat ../../../../../../../etc/hostname; ls -d /proc/self/cwd/../../..' "c['process']['cwd'] = '/proc/self/fd/$n'"
    [ "$status" != 0 ] || fail "a working directory of /proc/self/fd/$n: $output"
  done
}

@test "CVE-2024-21626: exec, too" {
  local n
  edit_config "$b" 'c["process"]["args"] = ["sleep", "100"]'
  runtime run -d -b "$b" c1 </dev/null >/dev/null 2>&1
  exec 9<"$host"
  run runtime exec c1 ls -l /proc/self/fd
  expect_no_text "$BATS_TEST_TMPDIR/host"
  for n in 3 5 7 8 9 10 12; do
    run runtime exec --cwd "/proc/self/fd/$n" c1 true
    [ "$status" != 0 ] || fail "a working directory of /proc/self/fd/$n"
  done
  exec 9<&-
}

# Defence: the steps "handles" of init and "descriptors" of exec. What is close-on-exec is open while the execve looks up the program.
@test "CVE-2024-21626: neither the program nor a hook, nor what exec finds, is a file of the host" {
  local n climb="../../../../../../../../../.."
  cp "$(command -v busybox)" "$host/echo" # static: it would run
  cd "$host" # whose descriptor is not close-on-exec
  exec 9<.
  for n in $(seq 3 40); do
    edit_config "$b" "c['process']['args'] = ['/proc/self/fd/$n/$climb$host/echo', 'escaped']"
    run runtime run -b "$b" c1 </dev/null
    expect_no_text escaped
    [ "$status" != 0 ]
  done
  edit_config "$b" 'c["process"]["args"] = ["sleep", "100"]' \
    "c['hooks'] = {'startContainer': [{'path': '/bin/sh', 'args': ['sh', '-c', 'for n in \$(seq 3 40); do /proc/\$PPID/fd/\$n/$climb$host/echo escaped >>/by-hook 2>/dev/null; done; true']}]}"
  runtime run -d -b "$b" c1 </dev/null >/dev/null 2>&1
  for n in $(seq 3 40); do
    ln -sf "/proc/self/fd/$n/$climb$host/echo" "$b/rootfs/echo" # busybox goes by that name
    run runtime exec c1 /echo escaped
    expect_no_text escaped
    [ "$status" != 0 ]
  done
  exec 9<&-
  cd /
  [ ! -s "$b/rootfs/by-hook" ] || fail "a hook ran a file of the host"
}

@test "CVE-2022-24769, CVE-2022-29162: nothing is inheritable, in run and in exec" {
  make_image docker "$BATS_TEST_TMPDIR/image.tar"
  berth load -q -i "$BATS_TEST_TMPDIR/image.tar" >/dev/null
  berth run -d --name caps --cap-add SYS_ADMIN berth-test sleep 100 >/dev/null
  local where
  for where in "exec caps" "exec -u 1000 caps" "run --rm berth-test" "run --rm --privileged berth-test"; do
    # shellcheck disable=SC2086
    run -0 berth $where grep CapInh /proc/self/status
    expect_text 0000000000000000
  done
  berth rm -f caps >/dev/null
}

# Defence: mounter_null_fd().
@test "CVE-2025-31133: masks come from the host's /dev/null, whatever the image's is" {
  ln -sfn /proc/sys/kernel/hostname "$b/rootfs/dev/null"
  in_container 'echo evil >/proc/interrupts; wc -c </proc/interrupts; ls -l /proc/interrupts; cat /proc/sys/kernel/hostname' \
    'c["linux"]["maskedPaths"] = ["/proc/interrupts"]' "$(without_mount /dev)" "$(without_mount /dev/pts)" \
    "$(without_mount /dev/shm)" "$(without_mount /dev/mqueue)"
  expect_no_text evil
  [ "$status" != 0 ] || expect_text "crw-rw-rw-"
}

# Defence: what is made in a root is made by openat2 in it.
@test "CVE-2025-52565, CVE-2026-88264, CVE-2026-88265: a console, null device or ptmx that is a link to the host" {
  needs program:script
  local name
  edit_config "$b" "$(without_mount /dev)" "$(without_mount /dev/shm)" "$(without_mount /dev/mqueue)" 'c["process"]["terminal"] = True' \
    'c["process"]["args"] = ["true"]'
  for name in console null ptmx; do
    rm -rf "$b/rootfs/dev"
    mkdir -p "$b/rootfs/dev/pts"
    ln -s "$host/made-$name" "$b/rootfs/dev/$name"
    run script -qec "berth-runtime --root $RUNTIME_ROOT run -b $b c1" /dev/null
    host_untouched
    ln -sfn "$host/file" "$b/rootfs/dev/$name"
    run script -qec "berth-runtime --root $RUNTIME_ROOT run -b $b c1" /dev/null
    host_untouched
  done
}

# Defence: pty_open(). What an image put in place of a ptmx is not opened: it could be a device that does something then.
@test "CVE-2025-52565: a terminal comes from a devpts, from nothing else" {
  needs program:script
  edit_config "$b" "$(without_mount /dev)" "$(without_mount /dev/pts)" "$(without_mount /dev/shm)" "$(without_mount /dev/mqueue)" \
    'c["process"]["terminal"] = True'
  mkdir -p "$b/rootfs/dev/pts"
  mkfifo "$b/rootfs/dev/pts/ptmx"
  cat "$b/rootfs/dev/pts/ptmx" & # waits until somebody opens it to write
  run script -qec "berth-runtime --root $RUNTIME_ROOT run -b $b c1" /dev/null
  expect_text "'/dev/pts' is not a devpts file system"
  kill $! || fail "/dev/pts/ptmx of the image was opened"
}

@test "CVE-2026-41579, CVE-2026-47766: an image whose /dev is a link to a directory of the host" {
  touch "$host/ptmx"
  before=$(host_state)
  local target
  for target in "$host" "../../../../../../../../../../..$host"; do
    rm -rf "$b/rootfs/dev"
    ln -s "$target" "$b/rootfs/dev"
    in_container true
    host_untouched
    in_container true "$(without_mount /dev)"
    host_untouched
    fresh_config
  done
}

# Defence: MOUNT_OP_F_NO_SYMLINK.
@test "CVE-2023-27561, CVE-2023-28642, CVE-2019-19921: /proc or /sys that are links are refused" {
  local name
  for name in proc sys; do
    mv "$b/rootfs/$name" "$b/rootfs/real-$name"
    ln -s "real-$name" "$b/rootfs/$name"
    in_container true
    [ "$status" != 0 ] || fail "/$name as a link was accepted"
    expect_text "/$name"
    rm "$b/rootfs/$name"
    mv "$b/rootfs/real-$name" "$b/rootfs/$name"
  done
}

@test "CVE-2019-16884, CVE-2025-52881: what covers /proc is refused, and sysctls go to the kernel's files only" {
  mkdir -p "$host/proc/sys/kernel"
  echo old >"$host/proc/sys/kernel/domainname"
  before=$(host_state)
  in_container true "c['mounts'].append({'destination': '/proc', 'type': 'bind', 'source': '$host/proc', 'options': ['rbind']})"
  [ "$status" != 0 ] || fail "a bind over /proc was accepted"
  host_untouched
  in_container true "c['mounts'].append({'destination': '/proc/sys/kernel', 'type': 'bind', 'source': '$host/proc/sys/kernel', 'options': ['rbind']})" \
    'c["linux"]["sysctl"] = {"kernel.domainname": "written"}'
  host_untouched
}

# Defence: check_destination().
@test "CVE-2019-16884: a link of the image does not lead a mount into /proc" {
  ln -s proc "$b/rootfs/processes"
  echo old >"$host/file"
  in_container true "c['mounts'].append({'destination': '/processes/sys/kernel/msgmax', 'type': 'bind', 'source': '$host/file', 'options': ['bind']})"
  [ "$status" != 0 ] || fail "a mount on /processes/sys was accepted"
  expect_text "leads into /proc"
}

# Defence: procfs_open(), where the container has no /proc of its own to write to. The directory is covered: msgmax itself is another file
# in each ipc namespace.
@test "CVE-2025-52881: a sysctl whose file is covered is set all the same, and the cover is not written to" {
  mkdir "$host/kernel"
  echo untouched >"$host/kernel/msgmax"
  unshare -m --propagation private sh -c 'mount --bind "$0/kernel" /proc/sys/kernel && echo >"$0/ready" && exec sleep 60' "$host" &
  local holder=$!
  wait_until 10 test -e "$host/ready"
  in_container 'cat /other/sys/kernel/msgmax' "$(without_mount /proc)" \
    'c["mounts"].append({"destination": "/other", "type": "proc", "source": "proc"})' 'c["linux"]["sysctl"] = {"kernel.msgmax": "4321"}' \
    "[n.update(path='/proc/$holder/ns/mnt') for n in c['linux']['namespaces'] if n['type'] == 'mount']"
  kill "$holder"
  wait "$holder" || true
  [ "$(cat "$host/kernel/msgmax")" = untouched ] || fail "the cover was written to"
  expect_output 4321
}

@test "CVE-2021-30465, CVE-2024-45310, CVE-2015-1335, CVE-2019-18837, CVE-2026-87766: mount targets are resolved inside the root, links and all" {
  ln -s / "$b/rootfs/top"
  ln -s "$host" "$b/rootfs/absolute"
  ln -s "../../../../../../../../../../..$host" "$b/rootfs/climbing"
  local target
  for target in "/absolute/sub" "/climbing/sub" "/top/$host/sub" "/../../../..$host/sub" /absolute/file; do
    in_container true "c['mounts'].append({'destination': '$target', 'type': 'tmpfs', 'source': 'tmpfs', 'options': ['mode=700']})"
    host_untouched
    in_container true "c['mounts'][-1] = {'destination': '$target', 'type': 'bind', 'source': '/etc/hostname', 'options': ['bind']}"
    host_untouched
    fresh_config
  done
  ! grep -F "$host" /proc/self/mountinfo
}

@test "CVE-2021-30465: a mount target that is swapped for a link to the host, all the time" {
  mkdir -p "$b/rootfs/shared/one"
  cat >"$BATS_TEST_TMPDIR/swap.py" <<'PYTHON'
import ctypes, os, sys, time
libc = ctypes.CDLL(None, use_errno=True)
a, b = (os.fsencode(p) for p in sys.argv[1:3])
end = time.monotonic() + float(sys.argv[3])
while time.monotonic() < end:
    libc.renameat2(-100, a, -100, b, 2)  # RENAME_EXCHANGE
PYTHON
  ln -s "$host" "$b/rootfs/shared/link"
  edit_config "$b" 'c["process"]["args"] = ["true"]' \
    'c["mounts"].append({"destination": "/shared/one/sub/deep", "type": "tmpfs", "source": "tmpfs"})'
  python3 "$BATS_TEST_TMPDIR/swap.py" "$b/rootfs/shared/one" "$b/rootfs/shared/link" 3 &
  local swapper=$! i
  for i in $(seq 40); do
    runtime run -b "$b" c1 </dev/null >/dev/null 2>&1 || true
    kill -0 "$swapper" 2>/dev/null || break
  done
  kill "$swapper" 2>/dev/null || true
  wait "$swapper" || true
  host_untouched
  ! grep -F "$host" /proc/self/mountinfo
}

@test "CVE-2022-0811: sysctls that are not the container's own, and names that climb, are refused" {
  local name pattern
  pattern=$(cat /proc/sys/kernel/core_pattern)
  for name in kernel.core_pattern "kernel.shm_rmid_forced+kernel.core_pattern" "net.../../kernel.core_pattern" "net/../kernel/core_pattern"; do
    in_container true "c['linux']['sysctl'] = {'$name': 'evil'}"
    if grep evil /proc/sys/kernel/core_pattern; then
      echo "$pattern" >/proc/sys/kernel/core_pattern
      fail "sysctl '$name' reached the host"
    fi
    [ "$status" != 0 ] || fail "sysctl '$name' was accepted"
    fresh_config
  done
}

@test "CVE-2026-30892, CVE-2024-40635: user numbers are what they say, or refused" {
  local user
  edit_config "$b" 'c["process"]["args"] = ["sleep", "100"]'
  runtime run -d -b "$b" c1 </dev/null >/dev/null 2>&1
  [ "$(runtime exec -u 1 c1 id -u)" = 1 ]
  [ "$(runtime exec -u 1:2 c1 id -g)" = 2 ]
  [ "$(runtime exec -u 2147483647 c1 id -u)" = 2147483647 ]
  [ "$(runtime exec -u "" c1 id -u)" = 0 ] # config.json's, as with runc
  for user in 1: :1 +1 -1 4294967296 4294967295 abc " 1" 0x1 1:-1 1:4294967296; do
    run runtime exec -u "$user" c1 id -u
    [ "$status" != 0 ] || fail "user '$user' was accepted: $output"
  done
}

# Defence: process_setup's own list of variables, and init_start_hooks(): such a hook is a program of the container.
@test "CVE-2020-14370, CVE-2021-3602: run, exec and hooks in the container have none of the caller's variables" {
  export BERTH_TEST_SECRET=leaked
  in_container 'echo of the program; env; cat /of-hook' 'c["process"]["env"] = ["PATH=/bin", "OWN=kept"]' \
    'c["hooks"] = {"startContainer": [{"path": "/bin/sh", "args": ["sh", "-c", "echo of the hook >/of-hook; env >>/of-hook"]}]}'
  expect_text "of the hook"
  [ "$(grep -c OWN=kept <<<"$output")" = 2 ] || fail "not the variables of config.json"
  expect_no_text leaked
  edit_config "$b" 'c["process"]["args"] = ["sleep", "100"]'
  runtime run -d -b "$b" c1 </dev/null >/dev/null 2>&1
  run -0 runtime exec c1 env
  expect_text OWN=kept
  expect_no_text leaked
}

@test "CVE-2025-24965, CVE-2024-5154: files that berth writes into a root follow no links of the image" {
  mkdir -p "$BATS_TEST_TMPDIR/add/etc"
  local name
  ln -s "$host/file" "$BATS_TEST_TMPDIR/add/etc/hosts"
  for name in hostname resolv.conf mtab; do
    ln -s "$host/made-$name" "$BATS_TEST_TMPDIR/add/etc/$name"
  done
  make_image docker "$BATS_TEST_TMPDIR/links.tar" --tag links --add "$BATS_TEST_TMPDIR/add"
  berth load -q -i "$BATS_TEST_TMPDIR/links.tar" >/dev/null
  run berth run --rm -h evil links cat /etc/hostname
  host_untouched
}

@test "CVE-2021-41091, CVE-2021-41103: stores and state are for their owner only" {
  make_image docker "$BATS_TEST_TMPDIR/image.tar"
  BERTH_ROOT=$BATS_TEST_TMPDIR/new-store BERTH_STATE=$BATS_TEST_TMPDIR/new-run berth load -q -i "$BATS_TEST_TMPDIR/image.tar" >/dev/null
  BERTH_ROOT=$BATS_TEST_TMPDIR/new-store BERTH_STATE=$BATS_TEST_TMPDIR/new-run berth run --rm berth-test true
  [ "$(stat -c %a "$BATS_TEST_TMPDIR/new-store")" = 700 ]
  [ "$(stat -c %a "$BATS_TEST_TMPDIR/new-run")" = 700 ]
}

@test "CVE-2020-15257: no abstract socket" {
  make_image docker "$BATS_TEST_TMPDIR/image.tar"
  berth load -q -i "$BATS_TEST_TMPDIR/image.tar" >/dev/null
  # in a network namespace of its own, where nobody else has sockets
  run -0 unshare -n sh -c 'berth run -d --name open berth-test sleep 60 >/dev/null && cat /proc/net/unix'
  berth rm -f open >/dev/null
  expect_text attach.sock
  expect_no_text @
}
