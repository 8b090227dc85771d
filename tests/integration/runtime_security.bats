#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What the container's process may do: user, capabilities, no_new_privs, seccomp, limits; and a command that cannot run.

load ../lib/common

setup_file() {
  berth_setup_file
  export BUNDLE=$BATS_FILE_TMPDIR/bundle
  make_bundle "$BUNDLE" 'c["process"]["terminal"] = False'
}
teardown_file() { berth_teardown_file; }
setup() {
  needs root
  CONFIG=$BATS_TEST_TMPDIR/b
  copy_bundle "$CONFIG" 'c["linux"]["cgroupsPath"] = "/berth-bats/security"'
}
teardown() { runtime delete --force c1; }

# in_container SCRIPT EDIT...: a shell script in a container of the edited configuration
in_container() {
  local script=$1
  shift
  edit_config "$CONFIG" "c['process']['args'] = ['sh', '-c', '''$script''']" "$@"
  run runtime run -b "$CONFIG" c1 </dev/null
}

status_line() { sed -n "s/^$1:[[:space:]]*//p" <<<"$output"; }

@test "root has what bounding, effective and permitted say, and nothing to inherit" {
  in_container 'cat /proc/self/status' 'c["process"]["capabilities"] = {k: ["CAP_KILL", "CAP_CHOWN"] for k in ("bounding", "effective", "permitted")}'
  [ "$status" = 0 ]
  [ "$(status_line CapBnd)" = 0000000000000021 ]
  [ "$(status_line CapEff)" = 0000000000000021 ]
  [ "$(status_line CapPrm)" = 0000000000000021 ]
  [ "$(status_line CapInh)" = 0000000000000000 ]
  [ "$(status_line CapAmb)" = 0000000000000000 ]
}

@test "without the section there are no capabilities at all" {
  in_container 'cat /proc/self/status' 'del c["process"]["capabilities"]'
  [ "$status" = 0 ]
  [ "$(status_line CapBnd)" = 0000000000000000 ]
  [ "$(status_line CapEff)" = 0000000000000000 ]
}

@test "another user has none, but for ambient ones" {
  in_container 'cat /proc/self/status' 'c["process"]["user"] = {"uid": 1000, "gid": 1001, "additionalGids": [7, 8], "umask": 63}'
  [ "$status" = 0 ]
  [ "$(status_line CapEff)" = 0000000000000000 ]
  [ "$(status_line Uid)" = "$(printf '1000\t1000\t1000\t1000')" ]
  [ "$(status_line Groups)" = "7 8 " ]
  [ "$(status_line Umask)" = 0077 ]
  in_container 'cat /proc/self/status' \
    'c["process"]["capabilities"] = {k: ["CAP_KILL"] for k in ("bounding", "effective", "permitted", "inheritable", "ambient")}'
  [ "$(status_line CapEff)" = 0000000000000020 ]
  [ "$(status_line CapAmb)" = 0000000000000020 ]
}

@test "the filter is there, with and without no_new_privs" {
  local seccomp='c["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]}'
  in_container 'cat /proc/self/status; mkdir /tmp/x' "$seccomp" 'c["process"]["noNewPrivileges"] = True'
  [ "$(status_line Seccomp)" = 2 ]
  [ "$(status_line NoNewPrivs)" = 1 ]
  expect_text 'No space left on device'
  in_container 'cat /proc/self/status; mkdir /tmp/x' "$seccomp" 'c["process"]["noNewPrivileges"] = False' \
    'c["process"]["user"] = {"uid": 1000, "gid": 1000}'
  [ "$(status_line Seccomp)" = 2 ]
  [ "$(status_line NoNewPrivs)" = 0 ]
  expect_text 'No space left on device'
}

@test "rlimits and the oom score are set" {
  in_container 'ulimit -n; ulimit -Hn; cat /proc/self/oom_score_adj' 'c["process"]["rlimits"] = [{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}]' \
    'c["process"]["oomScoreAdj"] = 500'
  [ "$status" = 0 ]
  [ "$output" = "$(printf '100\n200\n500')" ]
}

@test "HOME comes from passwd, unless it is given" {
  in_container 'echo $HOME' 'c["process"]["env"] = ["PATH=/bin", "HOME="]'
  [ "$output" = "$(sed -n 's/^root:.*:\(.*\):[^:]*$/\1/p' "$BUNDLE/rootfs/etc/passwd" 2>/dev/null | grep . || echo /)" ]
  in_container 'echo $HOME' 'c["process"]["env"] = ["PATH=/bin", "HOME=/h"]'
  [ "$output" = /h ]
}

@test "a working directory that only root may enter is kept for another user" {
  mkdir -p "$BUNDLE/rootfs/closed"
  chmod 700 "$BUNDLE/rootfs/closed"
  in_container 'cat /proc/self/status' 'c["process"]["cwd"] = "/closed"' 'c["process"]["user"] = {"uid": 1000, "gid": 1000}'
  [ "$status" = 0 ]
}

@test "a session keyring is each container's own, unless --no-new-keyring" {
  edit_config "$CONFIG" 'c["process"]["args"] = ["grep", "-o", " _ses.keys-[a-z]*-'$$'", "/proc/keys"]' 'c["linux"]["maskedPaths"] = []'
  run runtime run --no-new-keyring -b "$CONFIG" "keys-none-$$" </dev/null
  expect_output ""
  run runtime run -b "$CONFIG" "keys-own-$$" </dev/null
  expect_output " _ses.keys-own-$$"
}

# Profiles that let everything pass but one file each.
@test "process.apparmorProfile confines the program, and exec --apparmor its own" {
  needs apparmor program:apparmor_parser
  local name=berth-test-$$
  for word in one two; do
    apparmor_parser -Kr <<<"profile $name-$word flags=(attach_disconnected,mediate_deleted) {
      file, capability, network, mount, umount, pivot_root, ptrace, signal, unix, dbus,
      deny /tmp/$word rwl,
    }"
  done
  in_container 'sleep 100' "c['process']['apparmorProfile'] = '$name-none'"
  expect_status 1
  expect_text "apparmor profile '$name-none' is not loaded"
  edit_config "$CONFIG" "c['process']['args'] = ['sleep', '100']; c['process']['apparmorProfile'] = '$name-one'"
  runtime run -d -b "$CONFIG" c1 </dev/null >/dev/null 2>&1
  local touch='cat /proc/self/attr/current; for i in one two; do touch /tmp/$i 2>/dev/null || echo no $i; rm -f /tmp/$i; done'
  run -0 runtime exec c1 sh -c "cat /proc/1/attr/current; $touch"
  expect_output "$name-one (enforce)"$'\n'"$name-one (enforce)"$'\nno one'
  run -0 runtime exec --apparmor "$name-two" c1 sh -c "$touch"
  expect_output "$name-two (enforce)"$'\nno two'
  run -255 runtime exec --apparmor "$name-none" c1 true
  expect_text "apparmor profile '$name-none' is not loaded"
  runtime delete --force c1
  for word in one two; do
    printf '%s' "$name-$word" >/sys/kernel/security/apparmor/.remove
  done
}

@test "what the host or berth cannot do is named by its field" {
  in_container true 'c["process"]["selinuxLabel"] = "a:b:c:d"'
  [ "$status" != 0 ]
  expect_text 'process.selinuxLabel'
}
