#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# SCMP_ACT_NOTIFY: an agent outside of the container gets its listener and answers for the kernel.

load ../lib/common

setup_file() {
  berth_setup_file
  export BUNDLE=$BATS_FILE_TMPDIR/bundle
  make_bundle "$BUNDLE" 'c["process"]["terminal"] = False'
}
teardown_file() { berth_teardown_file; }
setup() {
  needs root program:jq
  CONFIG=$BATS_TEST_TMPDIR/b AGENT=$BATS_TEST_TMPDIR/agent.sock STATES=$BATS_TEST_TMPDIR/states
  mkdir "$STATES"
  copy_bundle "$CONFIG" 'c["linux"]["cgroupsPath"] = "/berth-bats/notify"' \
    'c["annotations"] = {"a.b": "c \"d\""}'
  AGENT_PID=
}
teardown() {
  runtime delete --force c1
  [ -z "$AGENT_PID" ] || kill "$AGENT_PID" || true
}

# agent ANSWER: one that answers all calls so; see tests/lib/seccomp-agent
agent() {
  "$BERTH_TOP/tests/lib/seccomp-agent" "$AGENT" "$STATES" "$1" 3>&- &
  AGENT_PID=$!
  wait_until 5 test -S "$AGENT"
}

# notify NAME...: these calls ask the agent; prints an edit
notify() {
  local names
  names=$(printf '"%s", ' "$@")
  printf 'c["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"], %s "syscalls": [{"names": [%s], "action": "SCMP_ACT_NOTIFY"}]}' \
    "\"listenerPath\": \"$AGENT\", \"listenerMetadata\": \"MKNOD=/dev/null\"," "$names"
}

script() { printf "c['process']['args'] = ['sh', '-c', '''%s''']" "$1"; }

@test "the agent gets the listener with the state of the container that is created, and answers" {
  agent 28
  edit_config "$CONFIG" "$(notify mkdir mkdirat)" "$(script 'mkdir /tmp/x; echo alive')"
  run runtime run -b "$CONFIG" c1 </dev/null
  expect_status 0
  expect_text 'No space left on device'
  expect_text alive
  jq -e --arg b "$CONFIG" '.ociVersion and .fds == ["seccompFd"] and .metadata == "MKNOD=/dev/null" and .pid == .state.pid and .pid > 1
    and .state.id == "c1" and .state.status == "creating" and .state.bundle == $b and .state.ociVersion
    and .state.annotations["a.b"] == "c \"d\""' "$STATES/0.json"
  [ "$(cat "$STATES/0.calls")" = 1 ]
  [ ! -e "$STATES/1.json" ]
}

@test "the same without no_new_privs, as a user, in a created container, whose pid is in the state" {
  agent 28
  edit_config "$CONFIG" "$(notify mkdir mkdirat)" "$(script 'mkdir /tmp/x; cat /proc/self/status; sleep 50')" \
    'c["process"]["noNewPrivileges"] = False' 'c["process"]["user"] = {"uid": 1000, "gid": 1000}'
  runtime create -b "$CONFIG" --pid-file "$BATS_TEST_TMPDIR/pid" c1 </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1
  [ ! -e "$STATES/0.json" ]
  runtime start c1
  [ "$(jq .pid "$STATES/0.json")" = "$(cat "$BATS_TEST_TMPDIR/pid")" ]
  wait_until 5 grep -q CapEff "$BATS_TEST_TMPDIR/out"
  grep 'No space left' "$BATS_TEST_TMPDIR/out"
  grep 'CapEff:.*0000000000000000' "$BATS_TEST_TMPDIR/out"
  grep 'NoNewPrivs:.*0' "$BATS_TEST_TMPDIR/out"
}

@test "an executed process has a listener of its own, and both pids in the state" {
  agent 28
  edit_config "$CONFIG" "$(notify mkdir mkdirat)" "$(script 'sleep 50')"
  runtime run -d -b "$CONFIG" c1 </dev/null >/dev/null 2>&1
  run runtime exec c1 mkdir /tmp/y
  expect_status 1
  expect_text 'No space left on device'
  jq -e --argjson init "$(runtime state c1 | jq .pid)" \
    '.state.status == "running" and .state.pid == $init and .pid != $init and .pid > 1' "$STATES/1.json"
  runtime exec -d --pid-file "$BATS_TEST_TMPDIR/pid" c1 sleep 50
  [ "$(jq .pid "$STATES/2.json")" = "$(cat "$BATS_TEST_TMPDIR/pid")" ]
}

@test "calls of the runtime itself may ask the agent, too" {
  agent continue
  edit_config "$CONFIG" "$(notify sendmsg sendto read close futex execve capset prctl exit_group mkdir)" "$(script 'mkdir /tmp/x; echo ok')" \
    'c["process"]["noNewPrivileges"] = False'
  run runtime run -b "$CONFIG" c1 </dev/null
  expect_status 0
  expect_output ok
  runtime create -b "$CONFIG" c1 </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1
  runtime start c1
  wait_until 5 grep ok "$BATS_TEST_TMPDIR/out"
}

@test "startContainer hooks are answered by the same listener" {
  agent 28
  edit_config "$CONFIG" "$(notify mkdir mkdirat)" "$(script 'mkdir /tmp/x')" \
    'c["linux"]["seccomp"]["syscalls"].append({"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38})' \
    'c["hooks"] = {"startContainer": [{"path": "/bin/sh", "args": ["sh", "-c", "mkdir /tmp/hook 2>/tmp/said; true"]}]}' \
    "$(script 'cat /tmp/said; mkdir /tmp/x')"
  run runtime run -b "$CONFIG" c1 </dev/null
  expect_status 1
  expect_text "can't create directory '/tmp/hook': No space left"
  expect_text "can't create directory '/tmp/x': No space left"
  [ "$(cat "$STATES/0.calls")" = 2 ]
  [ ! -e "$STATES/1.json" ]
}

@test "flags go with notify, and in a user namespace it works as well" {
  agent 28
  edit_config "$CONFIG" "$(notify mkdir mkdirat)" "$(script 'mkdir /tmp/x')" \
    'c["linux"]["seccomp"]["flags"] = ["SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"]' \
    'c["linux"]["namespaces"].append({"type": "user"})' 'c["linux"]["sysctl"] = {}' \
    'c["linux"]["uidMappings"] = c["linux"]["gidMappings"] = [{"containerID": 0, "hostID": 100000, "size": 65536}]'
  run runtime run -b "$CONFIG" c1 </dev/null
  expect_text 'No space left on device'
  runtime features | jq -e '.linux.seccomp.supportedFlags | index("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV")' || skip "this kernel lacks WAIT_KILLABLE_RECV"
  edit_config "$CONFIG" 'c["linux"]["seccomp"]["flags"].append("SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV")'
  run runtime run -b "$CONFIG" c1 </dev/null
  expect_text 'No space left on device'
}

@test "what cannot be is refused: no listenerPath, no agent, write, the default action, an unknown flag" {
  edit_config "$CONFIG" "$(notify mkdir)"
  run runtime create -b "$CONFIG" c1 </dev/null
  expect_status 1
  expect_text "linux.seccomp.listenerPath: no agent at '$AGENT'"
  touch "$AGENT"
  run runtime create -b "$CONFIG" c1 </dev/null
  expect_text 'is not a socket'
  rm "$AGENT"
  edit_config "$CONFIG" 'del c["linux"]["seccomp"]["listenerPath"]'
  run runtime run -b "$CONFIG" c1 </dev/null
  expect_text 'linux.seccomp.listenerPath: missing, but SCMP_ACT_NOTIFY is used'
  edit_config "$CONFIG" "$(notify mkdir write)"
  run runtime run -b "$CONFIG" c1 </dev/null
  expect_text 'linux.seccomp.syscalls[0]: SCMP_ACT_NOTIFY is not possible for write'
  edit_config "$CONFIG" "$(notify mkdir)" 'c["linux"]["seccomp"]["defaultAction"] = "SCMP_ACT_NOTIFY"'
  run runtime run -b "$CONFIG" c1 </dev/null
  expect_text 'linux.seccomp.defaultAction'
  edit_config "$CONFIG" "$(notify mkdir)" 'c["linux"]["seccomp"]["flags"] = ["SECCOMP_FILTER_FLAG_X"]'
  run runtime run -b "$CONFIG" c1 </dev/null
  expect_text "linux.seccomp.flags[0]: unknown seccomp flag 'SECCOMP_FILTER_FLAG_X'"
}

@test "a start without its agent fails, and can be repeated" {
  agent 28
  edit_config "$CONFIG" "$(notify mkdir mkdirat)" "$(script 'mkdir /tmp/x')"
  runtime create -b "$CONFIG" c1 </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1
  kill "$AGENT_PID"
  wait "$AGENT_PID" || true
  run runtime start c1
  expect_status 1
  expect_text "cannot connect to socket '$AGENT'"
  [ "$(runtime state c1 | jq -r .status)" = created ]
  rm "$AGENT"
  agent 28
  runtime start c1
  wait_until 5 grep 'No space left' "$BATS_TEST_TMPDIR/out"
}

@test "without SCMP_ACT_NOTIFY the path means nothing" {
  edit_config "$CONFIG" "$(notify mkdir)" 'c["linux"]["seccomp"]["syscalls"][0]["action"] = "SCMP_ACT_ERRNO"' "$(script 'echo ok')"
  run runtime run -b "$CONFIG" c1 </dev/null
  expect_status 0
  expect_output ok
}

@test "annotations of crun: receiver, unknown names, a filter of one's own" {
  agent 28
  edit_config "$CONFIG" "$(notify mkdir mkdirat)" "$(script 'mkdir /tmp/x')" 'c["annotations"]["run.oci.seccomp.receiver"] = c["linux"]["seccomp"].pop("listenerPath")'
  run runtime run -b "$CONFIG" c1 </dev/null
  expect_text 'No space left on device'
  edit_config "$CONFIG" 'c["annotations"].pop("run.oci.seccomp.receiver")'
  RUN_OCI_SECCOMP_RECEIVER=$AGENT run runtime run -b "$CONFIG" c1 </dev/null
  expect_text 'No space left on device'
  edit_config "$CONFIG" 'c["annotations"] = {"run.oci.seccomp_fail_unknown_syscall": "1"}' \
    'c["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["reboot", "nosuch"], "action": "SCMP_ACT_ERRNO"}]}'
  run runtime run -b "$CONFIG" c1 </dev/null
  expect_status 1
  expect_text "linux.seccomp.syscalls[0].names[1]: unknown system call 'nosuch'"
  edit_config "$CONFIG" 'c["annotations"] = {"run.oci.seccomp_fail_unknown_syscall": "0"}'
  run runtime run -b "$CONFIG" c1 </dev/null
  [[ "$output" != *nosuch* ]]
  # ret allow; the section is not looked at
  edit_config "$CONFIG" 'c["annotations"] = {"run.oci.seccomp_bpf_data": "BgAAAAAA/38="}' 'c["linux"]["seccomp"]["syscalls"][0]["names"] = ["uname"]' \
    "$(script 'uname; grep Seccomp: /proc/self/status')"
  run runtime run -b "$CONFIG" c1 </dev/null
  expect_status 0
  expect_output "$(printf 'Linux\nSeccomp:\t2')"
  edit_config "$CONFIG" 'c["annotations"] = {"run.oci.seccomp_bpf_data": "BgAAAAAA"}'
  run runtime run -b "$CONFIG" c1 </dev/null
  expect_status 1
  expect_text run.oci.seccomp_bpf_data
}

@test "every architecture of the specification is accepted, and features lists it" {
  edit_config "$CONFIG" "$(notify mkdir)" "$(script 'echo ok')" \
    'c["linux"]["seccomp"]["syscalls"][0]["action"] = "SCMP_ACT_ERRNO"' \
    'c["linux"]["seccomp"]["architectures"] = ["SCMP_ARCH_" + a for a in "AARCH64 ARM LOONGARCH64 M68K MIPS MIPS64 MIPS64N32 MIPSEL MIPSEL64 MIPSEL64N32 PARISC PARISC64 PPC PPC64 PPC64LE RISCV64 S390 S390X SH SHEB X32 X86 X86_64".split()]'
  run runtime run -b "$CONFIG" c1 </dev/null
  expect_status 0
  expect_output ok
  runtime features | jq -e --slurpfile c "$CONFIG/config.json" '.linux.seccomp | .archs == $c[0].linux.seccomp.architectures
    and (.actions | index("SCMP_ACT_NOTIFY")) and (.knownFlags | length) == 4
    and (.supportedFlags | index("SECCOMP_FILTER_FLAG_SPEC_ALLOW"))'
}
