#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Limits of config.json in the kernel's files, on v1 and on v2; placement; refusals.

load ../lib/common

setup_file() {
  berth_setup_file
  export BUNDLE=$BATS_FILE_TMPDIR/bundle
  make_bundle "$BUNDLE" 'c["process"]["args"] = ["sleep", "1000"]' 'c["process"]["terminal"] = False'
}
teardown_file() { berth_teardown_file; }
setup() {
  needs root
  CONFIG=$BATS_TEST_TMPDIR/b
  copy_bundle "$CONFIG" 'c["linux"]["cgroupsPath"] = "/berth-bats/cgroup"'
}
teardown() { runtime delete --force c1; }

start() {
  edit_config "$CONFIG" "$@"
  runtime run -d -b "$CONFIG" c1 </dev/null >"$BATS_TEST_TMPDIR/log" 2>&1 || fail "$(cat "$BATS_TEST_TMPDIR/log")"
}

# value V1-HIERARCHY/FILE V2-FILE: what the kernel says, on this host
value() {
  if [ -e "/sys/fs/cgroup/${1%%/*}" ]; then
    cat "/sys/fs/cgroup/${1%%/*}/berth-bats/cgroup/${1#*/}"
  else
    cat "/sys/fs/cgroup/berth-bats/cgroup/$2"
  fi
}

@test "memory, swap and reservation" {
  needs controller:memory
  start 'c["linux"]["resources"]["memory"] = {"limit": 67108864, "swap": 134217728, "reservation": 33554432}'
  [ "$(value memory/memory.limit_in_bytes memory.max)" = 67108864 ]
  [ "$(value memory/memory.soft_limit_in_bytes memory.low)" = 33554432 ]
  if [ -d /sys/fs/cgroup/memory ]; then
    [ "$(value memory/memory.memsw.limit_in_bytes -)" = 134217728 ]
  else
    [ "$(value - memory.swap.max)" = 67108864 ]
  fi
}

@test "cpu shares, quota and set" {
  needs controller:cpu controller:cpuset
  start 'c["linux"]["resources"]["cpu"] = {"shares": 512, "quota": 50000, "period": 100000, "cpus": "0"}'
  [ "$(value cpuset/cpuset.cpus cpuset.cpus)" = 0 ]
  if [ -d /sys/fs/cgroup/cpu ]; then
    [ "$(value cpu/cpu.shares -)" = 512 ]
    [ "$(value cpu/cpu.cfs_quota_us -)" = 50000 ]
  else
    [ "$(value - cpu.weight)" = 59 ]
    [ "$(value - cpu.max)" = "50000 100000" ]
  fi
}

@test "the process limit stops a fork bomb" {
  needs controller:pids
  start 'c["linux"]["resources"]["pids"] = {"limit": 5}'
  [ "$(value pids/pids.max pids.max)" = 5 ]
  run runtime exec c1 sh -c 'for i in 1 2 3 4 5 6 7; do sleep 20 >/dev/null 2>&1 & done; wait'
  expect_text "can't fork"
}

@test "a container that needs more than its memory is killed, and events tells" {
  needs controller:memory
  start 'c["linux"]["resources"]["memory"] = {"limit": 8388608, "swap": 8388608}'
  run runtime exec c1 sh -c 'x=x; while :; do x=$x$x; done'
  expect_status 137
  [ "$(runtime events --stats c1 | jq .data.memory.raw.oom_kill)" -ge 1 ]
}

@test "devices open only as the rules say" {
  start 'c["linux"]["resources"]["devices"] = [{"allow": False, "access": "rwm"}, {"allow": True, "type": "c", "major": 1, "minor": 11, "access": "w"}]'
  runtime exec --cap CAP_MKNOD c1 mknod -m 666 /dev/kmsg c 1 11
  runtime exec --cap CAP_MKNOD c1 mknod -m 666 /dev/mem c 1 1
  runtime exec c1 sh -c 'echo x >/dev/null; head -c 1 /dev/zero'
  run runtime exec c1 head -c 1 /dev/mem
  expect_text "Operation not permitted"
  run runtime exec c1 head -c 1 /dev/kmsg
  expect_text "Operation not permitted"
  echo '{"devices": [{"allow": false, "access": "rwm"}]}' | runtime update -r - c1
  runtime exec c1 sh -c 'echo x >/dev/null'
}

# Without those that were mounted once and linger, as hugetlb's does after a peer that wanted it.
mounted_hierarchies() {
  local line name
  while read -r line; do
    name=${line#*:}
    name=${name%%:*}
    grep -q " - cgroup2\? .*\b${name#name=}\b" /proc/self/mountinfo && echo "$line"
  done <"$1"
}

@test "every hierarchy of the host has the container" {
  start
  local pid
  pid=$(runtime state c1 | jq .pid)
  ! mounted_hierarchies "/proc/$pid/cgroup" | grep -v ':/berth-bats/cgroup$'
}

@test "a relative path is below the caller's cgroup, on v2 beside it" {
  local pid
  start 'c["linux"]["cgroupsPath"] = "berth-bats/relative"'
  pid=$(runtime state c1 | jq .pid)
  diff <(mounted_hierarchies /proc/self/cgroup | sed '/^0::/s,/[^/]*$,,; s,/$,,; s,$,/berth-bats/relative,') \
    <(mounted_hierarchies "/proc/$pid/cgroup")
}

@test "a cgroup that somebody uses is refused" {
  start
  edit_config "$CONFIG" 'c["hostname"] = "second"'
  run runtime create -b "$CONFIG" c2
  expect_status 1
  expect_text "in use"
  [ "$(runtime list -q)" = c1 ]
}

@test "a limit the host cannot set names the field, and nothing is left" {
  edit_config "$CONFIG" 'c["linux"]["resources"]["rdma"] = {"no_such_device": {"hcaHandles": 1}}'
  run runtime create -b "$CONFIG" c1
  expect_status 1
  expect_text "linux.resources.rdma"
  [ -z "$(find /sys/fs/cgroup -path '*/berth-bats/cgroup' -print -quit)" ]
  [ -z "$(runtime list -q)" ]
}

@test "cgroups that the container made itself go with it" {
  start
  local dir
  dir=$(find /sys/fs/cgroup -path '*/berth-bats/cgroup' | head -n 1)
  mkdir -p "$dir/a/b/c"
  runtime delete --force c1
  [ ! -e "$dir" ]
}

@test "run.oci.delegate-cgroup: the process is below what has the limits, and the controllers are switched on" {
  if [ ! -e /sys/fs/cgroup/cgroup.controllers ]; then
    edit_config "$CONFIG" 'c["annotations"] = {"run.oci.delegate-cgroup": "own"}'
    run runtime create -b "$CONFIG" c1
    expect_status 1
    expect_text "annotation run.oci.delegate-cgroup: needs a host with cgroup v2 only"
    [ -z "$(runtime list -q)" ]
    return
  fi
  local dir=/sys/fs/cgroup/berth-bats/cgroup
  start 'c["annotations"] = {"run.oci.delegate-cgroup": "own"}' 'c["linux"]["resources"]["pids"] = {"limit": 50}' \
    'c["linux"]["namespaces"] = [n for n in c["linux"]["namespaces"] if n["type"] != "cgroup"] + [{"type": "cgroup"}]'
  [ "$(cat "/proc/$(runtime state c1 | jq .pid)/cgroup")" = 0::/berth-bats/cgroup/own ]
  [ "$(cat $dir/pids.max $dir/own/pids.max | xargs)" = "50 max" ]
  run runtime exec c1 cat /proc/self/cgroup
  expect_output 0::/own
  run runtime exec --cgroup / c1 true # asked for by name: no other will do
  expect_status 255
  runtime pause c1
  [ "$(runtime state c1 | jq -r .status) $(runtime ps -f json c1 | jq length)" = "paused 1" ]
  runtime delete --force c1
  [ ! -e $dir ]
}

@test "exec finds its place in a container that has controllers for cgroups of its own" {
  needs cgroup2 controller:memory
  local dir=/sys/fs/cgroup/berth-bats/cgroup
  start
  mkdir $dir/init.scope
  runtime state c1 | jq .pid >$dir/init.scope/cgroup.procs
  echo +memory >$dir/cgroup.subtree_control
  runtime exec -d --pid-file "$BATS_TEST_TMPDIR/pid" c1 sleep 50
  [ "$(cat "/proc/$(cat "$BATS_TEST_TMPDIR/pid")/cgroup")" = 0::/berth-bats/cgroup/init.scope ]
}

# Systemd's hierarchy of v1: a host has it, or a host with v2 mounts it for a while.
@test "run.oci.systemd.force_cgroup_v1: the container sees systemd's hierarchy of v1 alone, and its own part of it" {
  local at=$BATS_TEST_TMPDIR/named dir pid
  edit_config "$CONFIG" 'c["annotations"] = {"run.oci.systemd.force_cgroup_v1": "/sys/fs/cgroup"}' \
    'c["mounts"] = [m for m in c["mounts"] if m["destination"] != "/sys/fs/cgroup"] + [{"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["rw"]}]' \
    'c["linux"]["resources"]["pids"] = {"limit": 50}' 'c["linux"]["namespaces"] = [n for n in c["linux"]["namespaces"] if n["type"] != "cgroup"] + [{"type": "cgroup"}]'
  if ! grep -q name=systemd /proc/self/mountinfo; then
    run runtime create -b "$CONFIG" c1
    expect_status 1
    expect_text "annotation run.oci.systemd.force_cgroup_v1: this host has no hierarchy of cgroup v1 called 'name=systemd'"
    mkdir "$at"
    mount -t cgroup -o none,name=systemd,xattr cgroup "$at"
  fi
  start
  dir=$(grep name=systemd /proc/self/mountinfo | head -n 1 | cut -d ' ' -f 5)/berth-bats/cgroup
  pid=$(runtime state c1 | jq .pid)
  grep -q ':name=systemd:/berth-bats/cgroup$' "/proc/$pid/cgroup"
  [ "$(runtime exec c1 ls /sys/fs/cgroup)" = systemd ]
  runtime exec c1 sh -c 'mkdir /sys/fs/cgroup/systemd/below && echo $$ >/sys/fs/cgroup/systemd/below/cgroup.procs && grep -q :name=systemd:/below /proc/self/cgroup'
  [ -d "$dir/below" ]
  [ "$(value pids/pids.max pids.max)" = 50 ]
  runtime delete --force c1
  [ ! -e "$dir" ]
  if mountpoint -q "$at"; then
    rmdir "${dir%/*}"
    umount "$at"
  fi
}
