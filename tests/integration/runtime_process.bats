#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What config.json says of the process itself, as the kernel then shows it: scheduler, io priority, memory policy,
# personality, limits, clocks; for the container's first process and for exec.

load ../lib/common

setup_file() {
  berth_setup_file
  needs root
  export BUNDLE=$BATS_FILE_TMPDIR/bundle
  make_bundle "$BUNDLE" 'c["process"]["terminal"] = False' 'c["linux"]["cgroupsPath"] = "/berth-bats/process"' \
    'c["linux"].pop("seccomp", None)'
}
teardown_file() { berth_teardown_file; }
setup() {
  needs root
  CONFIG=$BATS_TEST_TMPDIR/b
}
teardown() { runtime delete --force p1; }

new_config() {
  copy_bundle "$CONFIG" "$@"
}

# in_container EDIT... -- WORD...: what this command prints as the container's process
in_container() {
  local edits=()
  while [ "$1" != -- ]; do
    edits+=("$1")
    shift
  done
  shift
  new_config "${edits[@]}" "c['process']['args'] = $(jq -cn --args '$ARGS.positional' -- "$@")"
  run runtime run -b "$CONFIG" p1
}

start() {
  new_config 'c["process"]["args"] = ["sleep", "1000"]' "$@"
  runtime run -d -b "$CONFIG" p1 </dev/null >"$BATS_TEST_TMPDIR/log" 2>&1 || fail "$(cat "$BATS_TEST_TMPDIR/log")"
}

# refused FIELD-TEXT EDIT...: create says no, and names the field
refused() {
  local text=$1
  shift
  new_config "$@"
  run runtime create -b "$CONFIG" p1
  expect_status 1
  expect_text "$text"
}

init_pid() { runtime state p1 | jq .pid; }

# The policy of a process as sched_getscheduler(2) numbers it, its nice value and its realtime priority.
scheduling() {
  sed 's/.*) //' "/proc/$1/stat" | awk '{ print $39, $17, $38 }'
}

@test "scheduler: each policy with what it takes" {
  local case policy expected edit
  for case in 'SCHED_OTHER:"nice": 7:0 7 0' 'SCHED_BATCH:"nice": -3:3 -3 0' "SCHED_IDLE:\"nice\": 0:5 $(nice) 0"; do # 0 leaves the caller's
    IFS=: read -r policy _ <<<"$case"
    expected=${case##*:}
    edit=${case#*:}
    start "c['process']['scheduler'] = {'policy': '$policy', ${edit%:*}}"
    [ "$(scheduling "$(init_pid)")" = "$expected" ] || fail "$policy: $(scheduling "$(init_pid)")"
    runtime exec -d --pid-file "$BATS_TEST_TMPDIR/pid" p1 sleep 100
    [ "$(scheduling "$(cat "$BATS_TEST_TMPDIR/pid")")" = "$expected" ]
    runtime delete --force p1
  done
}

@test "scheduler: realtime and deadline where the cgroup allows it, else a reason" {
  new_config 'c["process"]["args"] = ["sleep", "1000"]' \
    'c["process"]["scheduler"] = {"policy": "SCHED_FIFO", "priority": 5, "flags": ["SCHED_FLAG_RESET_ON_FORK"]}'
  if runtime run -d -b "$CONFIG" p1 </dev/null >"$BATS_TEST_TMPDIR/log" 2>&1; then
    [ "$(scheduling "$(init_pid)" | cut -d' ' -f1,3)" = "1 5" ]
  else
    grep -q 'cannot set process.scheduler to SCHED_FIFO' "$BATS_TEST_TMPDIR/log"
    [ -z "$(runtime list -q)" ]
  fi
  runtime delete --force p1
  new_config 'c["process"]["args"] = ["sleep", "1000"]' \
    'c["process"]["scheduler"] = {"policy": "SCHED_DEADLINE", "runtime": 1000000, "deadline": 10000000, "period": 10000000}'
  if runtime run -d -b "$CONFIG" p1 </dev/null >"$BATS_TEST_TMPDIR/log" 2>&1; then
    [ "$(scheduling "$(init_pid)" | cut -d' ' -f1)" = 6 ]
  else
    grep -q 'cannot set process.scheduler to SCHED_DEADLINE' "$BATS_TEST_TMPDIR/log"
  fi
}

@test "scheduler: what a policy has no use for is refused" {
  refused process.scheduler.policy 'c["process"]["scheduler"] = {"policy": "SCHED_FAST"}'
  refused process.scheduler.nice 'c["process"]["scheduler"] = {"policy": "SCHED_OTHER", "nice": 20}'
  refused process.scheduler.priority 'c["process"]["scheduler"] = {"policy": "SCHED_BATCH", "priority": 1}'
  refused "only SCHED_DEADLINE" 'c["process"]["scheduler"] = {"policy": "SCHED_FIFO", "runtime": 1}'
  refused "process.scheduler.flags[0]" 'c["process"]["scheduler"] = {"policy": "SCHED_OTHER", "flags": ["SCHED_FLAG_X"]}'
}

@test "ioPriority: each class, for init and for exec" {
  local class
  needs program:ionice
  for class in 'RT 3:realtime: prio 3' 'BE 7:best-effort: prio 7' 'IDLE 0:idle'; do
    start "c['process']['ioPriority'] = {'class': 'IOPRIO_CLASS_${class%% *}', 'priority': $(cut -d' ' -f2 <<<"${class%%:*}")}"
    [ "$(ionice -p "$(init_pid)")" = "${class#*:}" ] || fail "$(ionice -p "$(init_pid)")"
    runtime exec -d --pid-file "$BATS_TEST_TMPDIR/pid" p1 sleep 100
    [ "$(ionice -p "$(cat "$BATS_TEST_TMPDIR/pid")")" = "${class#*:}" ]
    runtime delete --force p1
  done
  refused process.ioPriority.class 'c["process"]["ioPriority"] = {"class": "BEST", "priority": 0}'
  refused process.ioPriority.priority 'c["process"]["ioPriority"] = {"class": "IOPRIO_CLASS_BE", "priority": 8}'
}

@test "execCPUAffinity: exec only, final after the cgroup, initial without it" {
  [ "$(nproc)" -ge 2 ] || skip "needs two processors"
  local all
  all=$(awk '/Cpus_allowed_list/ { print $2 }' /proc/self/status)
  start 'c["process"]["execCPUAffinity"] = {"initial": "0", "final": "1"}'
  [ "$(awk '/Cpus_allowed_list/ { print $2 }' "/proc/$(init_pid)/status")" = "$all" ]
  run runtime exec p1 grep Cpus_allowed_list /proc/self/status
  expect_text "	1"
  # from a document of its own
  echo '{"cwd": "/", "user": {}, "args": ["grep", "Cpus_allowed_list", "/proc/self/status"], "env": ["PATH=/bin"],
    "execCPUAffinity": {"final": "0"}}' >"$BATS_TEST_TMPDIR/process"
  run runtime exec --process "$BATS_TEST_TMPDIR/process" p1
  expect_text "	0"
  expect_no_text "	0-"
  refused process.execCPUAffinity.initial 'c["process"]["execCPUAffinity"] = {"initial": "zero"}'
  refused process.execCPUAffinity.final 'c["process"]["execCPUAffinity"] = {"final": "3-1"}'
}

@test "a final affinity outside of the cpuset is an error of exec, not of create" {
  needs controller:cpuset
  start 'c["process"]["execCPUAffinity"] = {"final": "4096"}'
  run runtime exec p1 true
  expect_status 255
  expect_text "process.execCPUAffinity.final"
}

@test "memoryPolicy: each mode as numa_maps shows it, for init and for exec" {
  [ -e /proc/self/numa_maps ] || skip "needs a kernel with NUMA"
  local case mode
  for case in 'BIND 0:bind' 'INTERLEAVE 0:interleave' 'PREFERRED 0:prefer' 'PREFERRED_MANY 0:prefer (many)' \
    'WEIGHTED_INTERLEAVE 0:weighted interleave' 'LOCAL :local' 'DEFAULT :default'; do
    mode=${case%% *}
    nodes=${case#* }
    new_config 'c["process"]["args"] = ["sleep", "1000"]' \
      "c['linux']['memoryPolicy'] = {'mode': 'MPOL_$mode', 'nodes': '${nodes%%:*}'}"
    if ! runtime run -d -b "$CONFIG" p1 </dev/null >"$BATS_TEST_TMPDIR/log" 2>&1; then
      [ "$mode" = WEIGHTED_INTERLEAVE ] && grep -q "the kernel must know the mode" "$BATS_TEST_TMPDIR/log" # since 6.9
      continue
    fi
    grep -q " ${case#*:}" "/proc/$(init_pid)/numa_maps" || fail "$mode: $(cat "/proc/$(init_pid)/numa_maps")"
    run runtime exec p1 cat /proc/self/numa_maps
    expect_text " ${case#*:}"
    runtime delete --force p1
  done
  start 'c["linux"]["memoryPolicy"] = {"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]}'
  grep -q ' bind=static:0' "/proc/$(init_pid)/numa_maps"
  runtime delete --force p1
  start 'c["linux"]["memoryPolicy"] = {"mode": "MPOL_BIND", "nodes": "0", "flags": ["MPOL_F_RELATIVE_NODES", "MPOL_F_NUMA_BALANCING"]}'
  grep -q ' bind=relative' "/proc/$(init_pid)/numa_maps"
}

@test "memoryPolicy: nodes that are not there and flags that do not fit" {
  [ -e /proc/self/numa_maps ] || skip "needs a kernel with NUMA"
  refused "linux.memoryPolicy.mode" 'c["linux"]["memoryPolicy"] = {"mode": "MPOL_NEAR", "nodes": "0"}'
  refused "linux.memoryPolicy.flags[0]" 'c["linux"]["memoryPolicy"] = {"mode": "MPOL_BIND", "nodes": "0", "flags": ["X"]}'
  refused "linux.memoryPolicy.nodes" 'c["linux"]["memoryPolicy"] = {"mode": "MPOL_BIND", "nodes": "a"}'
  refused "linux.memoryPolicy.nodes: MPOL_DEFAULT takes none" 'c["linux"]["memoryPolicy"] = {"mode": "MPOL_DEFAULT", "nodes": "0"}'
  refused "linux.memoryPolicy to MPOL_BIND with nodes '900'" 'c["linux"]["memoryPolicy"] = {"mode": "MPOL_BIND", "nodes": "900"}'
  [ -z "$(runtime list -q)" ]
}

@test "memoryPolicy: features lists seven modes and three flags" {
  [ "$(runtime features | jq -c '[.linux.memoryPolicy | (.modes, .flags) | length]')" = "[7,3]" ]
}

@test "run.oci.keep_original_groups keeps the groups of the caller, in exec and a user namespace too" {
  local caller="setpriv --groups 0,7777 berth-runtime --root $RUNTIME_ROOT"
  new_config
  edit_config "$CONFIG" 'c["process"]["args"] = ["id", "-G"]' 'c["process"]["user"] = {"uid": 1, "gid": 2, "additionalGids": [5]}'
  [ "$($caller run -b "$CONFIG" c1 </dev/null)" = "2 5" ]
  edit_config "$CONFIG" 'c["annotations"] = {"run.oci.keep_original_groups": "0"}'
  [ "$($caller run -b "$CONFIG" c1 </dev/null)" = "2 5" ]
  edit_config "$CONFIG" 'c["annotations"] = {"run.oci.keep_original_groups": "1"}'
  [ "$($caller run -b "$CONFIG" c1 </dev/null)" = "2 0 7777" ]
  edit_config "$CONFIG" 'c["process"]["args"] = ["sleep", "100"]'
  runtime run -d -b "$CONFIG" c1 </dev/null >/dev/null 2>&1
  [ "$($caller exec c1 id -G)" = "2 0 7777" ]
  runtime delete --force c1
  edit_config "$CONFIG" 'c["process"]["args"] = ["id", "-G"]' 'c["linux"]["namespaces"].append({"type": "user"})' \
    'c["linux"]["uidMappings"] = c["linux"]["gidMappings"] = [{"containerID": 0, "hostID": 0, "size": 100}]' 'c["linux"].pop("sysctl", None)'
  [ "$($caller run -b "$CONFIG" c1 </dev/null)" = "2 0 65534" ]
}

# Of all kinds, in every namespace, with a terminal or not; what the hooks say is not the caller's.
@test "run.oci.hooks.stdout and stderr: what hooks say goes to the ends of these files" {
  local dir=$BATS_TEST_TMPDIR hook
  new_config
  hook='lambda name: [{"path": "/bin/sh", "args": ["sh", "-c", "echo " + name + "; echo " + name + " >&2"]}]'
  edit_config "$CONFIG" 'c["process"]["args"] = ["sh", "-c", "ls /proc/self/fd | wc -l; echo program"]' \
    "c['hooks'] = {k: ($hook)(k) for k in ('prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop')}" \
    "c['annotations'] = {'run.oci.hooks.stdout': '$dir/out', 'run.oci.hooks.stderr': '$dir/err'}"
  echo before >"$dir/out"
  runtime create -b "$CONFIG" c1 </dev/null >"$dir/said" 2>&1
  [ "$(cat "$dir/out")" = $'before\nprestart\ncreateRuntime\ncreateContainer' ]
  runtime start c1
  wait_until 5 eval 'runtime state c1 | grep -q stopped'
  runtime delete c1
  [ "$(cat "$dir/out")" = $'before\nprestart\ncreateRuntime\ncreateContainer\nstartContainer\npoststart\npoststop' ]
  [ "$(tail -n +2 "$dir/out")" = "$(cat "$dir/err")" ]
  [ "$(stat -c %a "$dir/err")" = 600 ]
  [ "$(cat "$dir/said")" = $'4\nprogram' ]

  edit_config "$CONFIG" "c['annotations'] = {'run.oci.hooks.stderr': '$dir/run'}"
  run -0 runtime run -b "$CONFIG" c1 </dev/null
  [ "$(grep -c '^p\|^c\|^s' <<<"$output")" = 7 ] || fail "six hooks and the program"
  [ "$(cat "$dir/run")" = $'prestart\ncreateRuntime\ncreateContainer\nstartContainer\npoststart\npoststop' ]

  edit_config "$CONFIG" "c['annotations'] = {'run.oci.hooks.stdout': '$dir/no/file'}"
  run -1 runtime run -b "$CONFIG" c1 </dev/null
  expect_text "annotation run.oci.hooks.stdout: cannot open '$dir/no/file'"
  edit_config "$CONFIG" "c['annotations'] = {'run.oci.hooks.stdout': 'file'}"
  run -1 runtime run -b "$CONFIG" c1 </dev/null
  expect_text "annotation run.oci.hooks.stdout: 'file' is not absolute"
  edit_config "$CONFIG" 'c.pop("hooks")'
  runtime run -b "$CONFIG" c1 </dev/null # nobody asks for it
}

@test "annotations of crun that ask for what cannot be are refused by name" {
  local key value
  new_config
  for key in handler seccomp.plugins; do
    edit_config "$CONFIG" "c['annotations'] = {'run.oci.$key': 'some'}"
    run runtime run -b "$CONFIG" c1 </dev/null
    expect_status 1
    expect_text "annotation run.oci.$key: "
    expect_text "'some'"
  done
  for key in delegate-cgroup systemd.subgroup; do
    for value in / ../up a/../../up a//b ./a; do
      edit_config "$CONFIG" "c['annotations'] = {'run.oci.$key': '$value'}"
      run runtime run -b "$CONFIG" c1 </dev/null
      expect_status 1
      expect_text "annotation run.oci.$key: '$value' is no path of a cgroup below"
    done
  done
  edit_config "$CONFIG" 'c["annotations"] = {"run.oci.systemd.subgroup": "", "run.oci.mount_context_type": "word"}'
  run runtime run -b "$CONFIG" c1 </dev/null
  expect_status 1
  expect_text "annotation run.oci.mount_context_type: 'word' is not context, defcontext, fscontext or rootcontext"
  edit_config "$CONFIG" 'c["annotations"] = {"run.oci.systemd.subgroup": "", "run.oci.mount_context_type": "rootcontext"}'
  run runtime run -b "$CONFIG" c1 </dev/null
  expect_status 0
}

@test "personality: uname says 32 bit, in exec too; flags are ignored with a warning" {
  [ "$(uname -m)" = x86_64 ] || skip "needs x86_64"
  start 'c["linux"]["personality"] = {"domain": "LINUX32", "flags": ["ADDR_NO_RANDOMIZE"]}'
  grep -q "linux.personality.flags: 'ADDR_NO_RANDOMIZE'" "$BATS_TEST_TMPDIR/log"
  [ "$(cat "/proc/$(init_pid)/personality")" = 00000008 ]
  run runtime exec p1 uname -m
  expect_output i686
  runtime delete --force p1
  in_container 'c["linux"]["personality"] = {"domain": "LINUX"}' -- uname -m
  expect_output x86_64
  refused linux.personality.domain 'c["linux"]["personality"] = {"domain": "BSD"}'
}

@test "rlimits: all sixteen, without limit too; listed twice is refused" {
  in_container 'c["process"]["rlimits"] = ([{"type": "RLIMIT_" + n, "soft": 4096, "hard": 8192} for n in
    "CORE CPU LOCKS MEMLOCK MSGQUEUE NOFILE NPROC RSS RTTIME SIGPENDING".split()] +
    [{"type": "RLIMIT_" + n, "soft": 1 << 30, "hard": (1 << 64) - 1} for n in "AS DATA FSIZE STACK".split()] +
    [{"type": "RLIMIT_NICE", "soft": 0, "hard": 0}, {"type": "RLIMIT_RTPRIO", "soft": 0, "hard": 0}])' -- cat /proc/self/limits
  expect_status 0
  [ "$(grep -c ' 4096  *8192 ' <<<"$output")" = 10 ]
  [ "$(grep -c ' 1073741824  *unlimited ' <<<"$output")" = 4 ]
  [ "$(grep -cE "priority  *0  *0 " <<<"$output")" = 2 ]
  refused "process.rlimits[1]: RLIMIT_CORE is listed twice" \
    'c["process"]["rlimits"] = [{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}] * 2'
  refused "process.rlimits[0]" 'c["process"]["rlimits"] = [{"type": "RLIMIT_X", "soft": 0, "hard": 0}]'
}

@test "umask: the default, a given one, exec's; out of range is refused" {
  in_container 'c["process"]["user"].pop("umask", None)' -- sh -c umask
  expect_output 0022
  start 'c["process"]["user"]["umask"] = 0o77'
  grep -q 'Umask:	0077' "/proc/$(init_pid)/status"
  run runtime exec p1 sh -c umask
  expect_output 0077
  refused process.user.umask 'c["process"]["user"]["umask"] = 0o1000'
}

@test "oomScoreAdj: as set, and the caller's when it is not" {
  start 'c["process"]["oomScoreAdj"] = 321'
  [ "$(cat "/proc/$(init_pid)/oom_score_adj")" = 321 ]
  [ "$(runtime exec p1 cat /proc/self/oom_score_adj)" = 321 ]
  runtime delete --force p1
  in_container 'c["process"].pop("oomScoreAdj", None)' -- cat /proc/self/oom_score_adj
  expect_output "$(cat /proc/self/oom_score_adj)"
  refused process.oomScoreAdj 'c["process"]["oomScoreAdj"] = 1001'
}

@test "timeOffsets: both clocks move, in exec too; they need a namespace of their own" {
  local days='{"boottime": {"secs": 864000, "nanosecs": 5}, "monotonic": {"secs": 432000}}' up
  [ -e /proc/self/ns/time ] || skip "needs time namespaces"
  start 'c["linux"]["namespaces"].append({"type": "time"})' "c['linux']['timeOffsets'] = $days"
  grep -q '^boottime  *864000  *5$' "/proc/$(init_pid)/timens_offsets"
  grep -q '^monotonic  *432000  *0$' "/proc/$(init_pid)/timens_offsets"
  up=$(runtime exec p1 cut -d. -f1 /proc/uptime)
  [ "$up" -ge 864000 ]
  refused linux.timeOffsets "c['linux']['timeOffsets'] = $days"
}

@test "intelRdt: features says that it is there, whatever the host has" {
  runtime features | jq -e '.linux.intelRdt == {"enabled": true, "schemata": true, "monitoring": true}'
}

@test "linux.devices: every type, its number, mode and owner; the default ones and links stay, unless one is listed" {
  local devices='c["linux"]["devices"] = [{"path": "/dev/a", "type": "c", "major": 1, "minor": 3, "fileMode": 0o640, "uid": 7, "gid": 8}, {"path": "/dev/deep/b", "type": "b", "major": 7, "minor": 9, "fileMode": 0o600}, {"path": "/dev/u", "type": "u", "major": 1, "minor": 5}, {"path": "/tmp/p", "type": "p", "fileMode": 0o604, "gid": 5}, {"path": "/dev/zero", "type": "c", "major": 1, "minor": 7, "fileMode": 0o444}]'
  in_container "$devices" -- \
    stat -c '%n %F %t:%T %a %u:%g' /dev/a /dev/deep/b /dev/u /tmp/p /dev/zero /dev/null /dev/fd /dev/ptmx
  expect_output '/dev/a character special file 1:3 640 7:8
/dev/deep/b block special file 7:9 600 0:0
/dev/u character special file 1:5 666 0:0
/tmp/p fifo 0:0 604 0:5
/dev/zero character special file 1:7 444 0:0
/dev/null character special file 1:3 666 0:0
/dev/fd symbolic link 0:0 777 0:0
/dev/ptmx symbolic link 0:0 777 0:0'
  refused 'linux.devices[0].type' 'c["linux"]["devices"] = [{"path": "/dev/a", "type": "x", "major": 1, "minor": 3}]'
}

@test "hostname and domainname are the container's" {
  local before
  before=$(uname -n)/$(cat /proc/sys/kernel/domainname)
  in_container 'c["hostname"] = "host-of-it"; c["domainname"] = "domain.of.it"' -- sh -c 'uname -n; cat /proc/sys/kernel/domainname'
  expect_output $'host-of-it\ndomain.of.it'
  [ "$(uname -n)/$(cat /proc/sys/kernel/domainname)" = "$before" ]
}

@test "process.consoleSize is the size of the terminal from the start, of exec --process, too" {
  new_config
  edit_config "$CONFIG" 'c["process"]["terminal"] = True; c["process"]["consoleSize"] = {"height": 33, "width": 77}' 'c["process"]["args"] = ["stty", "size"]'
  run -0 script -qec "berth-runtime --root $RUNTIME_ROOT run -b $CONFIG p1" /dev/null </dev/null
  expect_text "33 77"
  start
  jq '.process | .terminal = true | .consoleSize = {height: 21, width: 43} | .args = ["stty", "size"]' "$CONFIG/config.json" >"$BATS_TEST_TMPDIR/process.json"
  run -0 script -qec "berth-runtime --root $RUNTIME_ROOT exec --process $BATS_TEST_TMPDIR/process.json p1" /dev/null </dev/null
  expect_text "21 43"
}

@test "sysctls are set whether or not the container has a /proc of its own that can be written" {
  local sysctl='c["linux"]["sysctl"] = {"net.ipv4.ip_unprivileged_port_start": "777"}' proc='m["destination"] == "/proc"' edit
  for edit in 'pass' "next(m for m in c['mounts'] if $proc)['options'].append('ro')" "c['mounts'] = [m for m in c['mounts'] if not $proc]"; do
    start "$sysctl" "$edit" 'c["linux"]["maskedPaths"] = c["linux"]["readonlyPaths"] = []'
    run -0 nsenter -t "$(init_pid)" -n cat /proc/sys/net/ipv4/ip_unprivileged_port_start
    [ "$output" = 777 ] || fail "$edit: $output"
    runtime delete --force p1
  done
}

@test "intelRdt: without resctrl the field is named, by create and by update" {
  ! grep -q ' - resctrl ' /proc/self/mountinfo || skip "this host has resctrl"
  refused "linux.intelRdt.closID: no resctrl file system is mounted" 'c["linux"]["intelRdt"] = {"closID": "gold"}'
  refused "linux.intelRdt.l3CacheSchema" 'c["linux"]["intelRdt"] = {"l3CacheSchema": "L3:0=f"}'
  refused "linux.intelRdt.schemata" 'c["linux"]["intelRdt"] = {"schemata": ["L3:0=f"]}'
  refused "linux.intelRdt.enableMonitoring" 'c["linux"]["intelRdt"] = {"enableMonitoring": True}'
  refused "linux.intelRdt.closID" 'c["linux"]["intelRdt"] = {"closID": "../gold"}'
  [ -z "$(runtime list -q)" ]
  start
  run runtime update --l3-cache-schema L3:0=f p1
  expect_status 1
  expect_text "l3-cache-schema: no resctrl"
  run runtime update --mem-bw-schema MB:0=50 --pids-limit 7 p1
  expect_status 1
  expect_text "mem-bw-schema: no resctrl"
}
