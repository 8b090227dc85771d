# SPDX-License-Identifier: Apache-2.0
# Holes of other runtimes by which a container got hold of the process that enters it, or of the caller's terminal.
load ../lib/common

setup_file() {
  berth_setup_file
  export BUNDLE=$BATS_FILE_TMPDIR/bundle
  make_bundle "$BUNDLE" 'c["process"]["terminal"] = False' 'c["linux"]["cgroupsPath"] = "/berth-cve/e1"'
  chmod 755 "$BATS_RUN_TMPDIR" "$BATS_FILE_TMPDIR" "$BUNDLE"
}
teardown_file() {
  berth_teardown_file
  rmdir /sys/fs/cgroup/{,*/}berth-cve 2>/dev/null || true
}

setup() {
  needs root
  b=$BATS_TEST_TMPDIR/b
  mkdir "$b"
  cp -a "$BUNDLE/rootfs" "$BUNDLE/config.json" "$b"
  edit_config "$b" "c['root'] = {'path': '$b/rootfs', 'readonly': False}"
  program=$(readlink -f "$(command -v berth-runtime)")
}
teardown() {
  local id
  for id in c1 c2; do runtime delete --force $id || true; done
}

ALL_CAPS='c["process"]["capabilities"] = {k: ["CAP_" + n for n in "CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_ADMIN SYS_CHROOT SYS_PTRACE SYS_ADMIN".split()] for k in ("bounding", "effective", "permitted")}'
args() { printf 'c["process"]["args"] = ["sh", "-c", """%s"""]' "$1"; }
start() { runtime run -d -b "$b" "$@" c1 </dev/null >"$BATS_TEST_TMPDIR/log" 2>&1 || fail "$(cat "$BATS_TEST_TMPDIR/log")"; }

# Defence: exec.c, spawn(): undumpable before the clone. In a user namespace with every capability that is what counts.
@test "CVE-2016-9962, CVE-2016-8649: a process that enters shows the container neither its memory nor its descriptors" {
  needs userns program:strace
  edit_config "$b" "$ALL_CAPS" 'c["linux"]["sysctl"] = {}' \
    'c["linux"]["namespaces"] += [{"type": "user"}]' \
    'c["linux"]["uidMappings"] = [{"containerID": 0, "hostID": 100000, "size": 65536}]' \
    'c["linux"]["gidMappings"] = c["linux"]["uidMappings"]' \
    "$(args 'while :; do for p in /proc/[0-9]*; do [ $p = /proc/1 ] || ls -l $p/fd $p/exe $p/root; done; done >/tmp/seen 2>/tmp/denied')"
  chown -R 100000:100000 "$b/rootfs"
  chmod 755 "$BATS_TEST_TMPDIR" "$b"
  start
  wait_until 10 test -e "$b/rootfs/tmp/denied"
  # each of its setns(2) takes a while, so that the container cannot miss it
  strace -f -o /dev/null --inject=setns:delay_exit=300000 \
    berth-runtime --root "$RUNTIME_ROOT" exec c1 true </dev/null
  grep -q "root.*ermission denied" "$b/rootfs/tmp/denied" || fail "the container never looked"
  # "nobody": of a user that is not the container's. ls may look at a link before the execve and read it behind it: then it is the program's
  run -1 grep -E "nobody.* -> " <(grep -vE ' -> /(bin/busybox)?$' "$b/rootfs/tmp/seen")
}

# Defence: join.c, join_session(); init_session() for run.
@test "CVE-2016-10124, CVE-2017-5226, CVE-2019-10063: the caller's terminal is not the container's" {
  needs program:script
  edit_config "$b" "$(args 'sleep 100')"
  start
  # 7: the controlling terminal
  run -0 script -qec "berth-runtime --root $RUNTIME_ROOT exec c1 cat /proc/self/stat" /dev/null
  [ "$(cut -d' ' -f7 <<<"${lines[0]}")" = 0 ] || fail "exec: the caller's terminal is the process's"
  runtime delete --force c1
  edit_config "$b" 'c["process"]["args"] = ["cat", "/proc/self/stat"]'
  run -0 script -qec "berth-runtime --root $RUNTIME_ROOT run -b $b c1" /dev/null
  [ "$(cut -d' ' -f7 <<<"${lines[0]}")" = 0 ] || fail "run: the caller's terminal is the container's"
}

# Defence: sealed_self_refuse_inside() in main().
@test "CVE-2019-5736: a container whose program is a link to the runtime ends at once" {
  local name
  mkfifo "$b/rootfs/fifo"
  ln -s /proc/self/exe "$b/rootfs/linked"
  printf '#!/proc/self/exe --log=/fifo\n' >"$b/rootfs/script"
  chmod 755 "$b/rootfs/script"
  # a rootfs that shows the program under its name, by the same link
  mkdir -p "$b/rootfs$(dirname "$program")"
  ln -s /proc/self/exe "$b/rootfs$program"
  for name in /proc/self/exe /linked /script; do
    edit_config "$b" "c['process']['args'] = ['$name', '--log=/fifo', 'list']"
    # with nobody at the other end of the fifo it would hang, and could be looked at
    run timeout -s KILL 20 berth-runtime --root "$RUNTIME_ROOT" run -b "$b" c1 </dev/null
    expect_text "executed in a container by a link to the runtime's file"
    [ "$status" = 1 ]
  done
}

# Defence: creation.c, seal_self().
# The link of a file on a mount of its own reads "/".
@test "CVE-2019-5736: who shares a pid namespace gets no handle on the runtime to write through later" {
  local copy=$BATS_TEST_TMPDIR/berth-runtime own attached
  cp "$program" "$copy"
  own=$(sha256sum <"$copy")
  mkfifo "$b/rootfs/fifo" "$b/rootfs/go"
  edit_config "$b" "$ALL_CAPS" "$(args 'while :; do for p in /proc/[0-9]*; do case $(readlink $p/exe) in *berth-runtime|/) exec 5<$p/exe && touch /got && cat /go && echo x >/proc/self/fd/5; touch /tried; sleep 100; esac; done; done')"
  start
  mkdir "$b/2"
  cp "$b/config.json" "$b/2"
  edit_config "$b/2" 'c["process"]["args"] = ["/proc/self/exe", "--log=/fifo", "list"]' 'c["linux"]["cgroupsPath"] = "/berth-cve/e2"' \
    "[n.update(path='/proc/$(runtime state c1 | jq .pid)/ns/pid') for n in c['linux']['namespaces'] if n['type'] == 'pid']"
  "$copy" --root "$RUNTIME_ROOT" run -b "$b/2" c2 </dev/null >/dev/null 2>&1 &
  attached=$!
  wait_until 10 test -e "$b/rootfs/got"
  kill -9 $attached
  wait $attached || true
  runtime delete --force c2
  echo >"$b/rootfs/go"
  wait_until 10 test -e "$b/rootfs/tried"
  [ "$(sha256sum <"$copy")" = "$own" ] || fail "berth-runtime was overwritten"
}

# Defence: berth-monitor --sealed.
@test "CVE-2019-5736: the monitor of a container that shares pids runs from a read-only mount" {
  local id monitor
  make_image docker "$BATS_TEST_TMPDIR/image.tar"
  berth load -q -i "$BATS_TEST_TMPDIR/image.tar" >/dev/null
  id=$(berth run -d --pid host --name pids berth-test sleep 60)
  monitor=$(cat "$BERTH_STATE/$id/monitor.pid")
  python3 -c "import os; assert os.statvfs('/proc/$monitor/exe').f_flag & os.ST_RDONLY"
  [ "$(cat "/proc/$monitor/comm")" = berth-monitor ]
  berth rm -f pids >/dev/null
}

@test "CVE-2022-27650, CVE-2022-29162: exec, with capabilities of its own too, has nothing to inherit" {
  edit_config "$b" "$(args 'sleep 100')"
  start
  local how
  for how in "" "--cap CAP_SYS_ADMIN" "--cap CAP_SYS_ADMIN --user 1000"; do
    # shellcheck disable=SC2086
    run -0 runtime exec $how c1 grep -E 'Cap(Inh|Amb)' /proc/self/status
    [ "$(grep -c 0000000000000000 <<<"$output")" = 2 ] || fail "exec $how"
  done
}

# Defence: exec.c, open_proc(): labels and scores are written to the host's procfs, opened before.
@test "CVE-2015-1334: exec does not write to a /proc that the container put there" {
  edit_config "$b" "$ALL_CAPS" 'c["process"]["oomScoreAdj"] = 123' 'c["linux"]["seccomp"] = None' 'c["linux"]["readonlyPaths"] = c["linux"]["maskedPaths"] = []' \
    "$(args 'mkdir /fake; mount -t tmpfs none /proc; mkdir -p /proc/self /proc/1; echo fake >/proc/self/oom_score_adj; touch /ready; sleep 100')"
  start
  wait_until 10 test -e "$b/rootfs/ready"
  run -0 runtime exec c1 cat /proc/self/oom_score_adj
  expect_output fake
  runtime exec c1 sleep 77 </dev/null &
  local joined=$!
  wait_until 10 pgrep -f "^sleep 77$"
  [ "$(cat "/proc/$(pgrep -f "^sleep 77$" | head -1)/oom_score_adj")" = 123 ]
  runtime delete --force c1
  wait "$joined" || true # bats has children of its own
}
