#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# linux.resources in a table: what is written in config.json, what the kernel's file says then, on v1 and on v2; update,
# flag by flag; what a failed update leaves behind; pause and the sub-cgroups of exec.

load ../lib/common

setup_file() {
  berth_setup_file
  needs root
  export BUNDLE=$BATS_FILE_TMPDIR/bundle
  make_bundle "$BUNDLE" 'c["process"]["args"] = ["sleep", "1000"]' 'c["process"]["terminal"] = False' \
    'c["linux"]["cgroupsPath"] = "/berth-bats/resources"' 'c["linux"]["resources"].pop("memory", None)' \
    'c["linux"]["resources"].pop("cpu", None)' 'c["linux"]["resources"].pop("pids", None)'
}
teardown_file() { berth_teardown_file; }
setup() {
  needs root
  CONFIG=$BATS_TEST_TMPDIR/b
  FAILURES=
}
teardown() { runtime delete --force u1; }

new_config() {
  copy_bundle "$CONFIG" "$@"
}

try_start() {
  new_config "$@"
  runtime run -d -b "$CONFIG" u1 </dev/null >"$BATS_TEST_TMPDIR/log" 2>&1
}

start() { try_start "$@" || fail "$(cat "$BATS_TEST_TMPDIR/log")"; }

# The container's directory in the hierarchy of a v1 controller, or in the v2 tree where there is none.
dir_of() {
  if [ -d "/sys/fs/cgroup/$1" ]; then
    echo "/sys/fs/cgroup/$1/berth-bats/resources"
  elif [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    echo /sys/fs/cgroup/berth-bats/resources
  else
    echo /sys/fs/cgroup/unified/berth-bats/resources
  fi
}

is_v2() { [ -e /sys/fs/cgroup/cgroup.controllers ]; }

# is CONTROLLER V1-FILE=VALUE V2-FILE=VALUE: "-" has nothing to say on that version
is() {
  local expected=$2 file
  ! is_v2 || expected=$3
  [ "$expected" != - ] || return 0
  file=$(dir_of "$1")/${expected%%=*}
  local line=
  read -r line <"$file" || true
  [ "$line" = "${expected#*=}" ] || FAILURES+="$file is '$(cat "$file")', expected '${expected#*=}'"$'\n'
}

no_failures() { [ -z "$FAILURES" ] || fail "$FAILURES"; }

# trim VARIABLE...: without the blanks at both ends
trim() {
  local -n text
  for text in "$@"; do
    text=${text#"${text%%[! ]*}"}
    text=${text%"${text##*[! ]}"}
  done
}

# table: lines "RESOURCES | CONTROLLER | V1-FILE=VALUE | V2-FILE=VALUE"; each is a container of its own. v1 and v2 in a
# second line with the same resources ask for more of the same container.
table() {
  local resources controller v1 v2 before=
  while IFS='|' read -r resources controller v1 v2; do
    trim resources controller v1 v2
    has_controller "$controller" || continue
    ! is_v2 || [ "$v2" != - ] || continue
    is_v2 || [ "$v1" != - ] || continue
    if [ "$resources" != "$before" ]; then
      runtime delete --force u1
      start "c['linux']['resources'].update($resources)"
      before=$resources
    fi
    is "$controller" "$v1" "$v2"
  done
  no_failures
}

# refused TEXT RESOURCES: create fails, says why, leaves nothing
refused() {
  runtime delete --force u1
  new_config "c['linux']['resources'].update($2)"
  run runtime create -b "$CONFIG" u1
  expect_status 1
  expect_text "$1"
  [ -z "$(runtime list -q)" ]
  [ -z "$(find /sys/fs/cgroup -path '*/berth-bats/resources' -print -quit)" ]
}

update() { runtime update "$@" u1; }

# Prints the numbers of a block device; a small guest may have none until loop devices are there.
block_device() {
  local name
  [ -n "$(ls /sys/block)" ] || modprobe -q loop || true
  for name in /sys/block/*; do
    case ${name##*/} in ram* | zram* | "*") continue ;; esac
    cat "$name/dev"
    return
  done
  return 1
}

@test "memory: limit, reservation, swap" {
  table <<'TABLE'
{"memory": {"limit": 67108864}}                                  | memory | memory.limit_in_bytes=67108864       | memory.max=67108864
{"memory": {"limit": 67108864}}                                  | memory | -                                    | memory.swap.max=max
{"memory": {"limit": 67108864, "swap": 134217728}}               | memory | memory.memsw.limit_in_bytes=134217728 | memory.swap.max=67108864
{"memory": {"limit": 67108864, "swap": 67108864}}                | memory | memory.memsw.limit_in_bytes=67108864 | memory.swap.max=0
{"memory": {"limit": 67108864, "swap": -1}}                      | memory | memory.memsw.limit_in_bytes=9223372036854771712 | memory.swap.max=max
{"memory": {"limit": -1}}                                        | memory | memory.limit_in_bytes=9223372036854771712 | memory.max=max
{"memory": {"reservation": 33554432}}                            | memory | memory.soft_limit_in_bytes=33554432  | memory.low=33554432
{"memory": {"limit": 67108864, "checkBeforeUpdate": True}}       | memory | memory.limit_in_bytes=67108864       | memory.max=67108864
{"memory": {"swappiness": 7}}                                    | memory | memory.swappiness=7                  | -
{"memory": {"swappiness": 0}}                                    | memory | memory.swappiness=0                  | -
{"memory": {"disableOOMKiller": True}}                           | memory | memory.oom_control=oom_kill_disable 1 | -
{"memory": {"disableOOMKiller": False, "useHierarchy": True}}    | memory | memory.oom_control=oom_kill_disable 0 | -
{"memory": {"kernel": 1048576}}                                  | memory | memory.kmem.limit_in_bytes=9223372036854771712 | -
TABLE
  refused "linux.resources.memory.swappiness" '{"memory": {"swappiness": 101}}'
  ! is_v2 || refused "linux.resources.memory.swap" '{"memory": {"swap": 67108864}}'
  ! is_v2 || refused "less than" '{"memory": {"limit": 67108864, "swap": 1048576}}'
}

@test "cpu: shares, quota, period, burst, idle" {
  table <<'TABLE'
{"cpu": {"shares": 2}}                             | cpu | cpu.shares=2               | cpu.weight=1
{"cpu": {"shares": 1024}}                          | cpu | cpu.shares=1024            | cpu.weight=100
{"cpu": {"shares": 4096}}                          | cpu | cpu.shares=4096            | cpu.weight=303
{"cpu": {"shares": 262144}}                        | cpu | cpu.shares=262144          | cpu.weight=10000
{"cpu": {"shares": 0}}                             | cpu | cpu.shares=1024            | cpu.weight=100
{"cpu": {"quota": 50000, "period": 200000}}        | cpu | cpu.cfs_quota_us=50000     | cpu.max=50000 200000
{"cpu": {"quota": 50000, "period": 200000}}        | cpu | cpu.cfs_period_us=200000   | -
{"cpu": {"quota": 20000}}                          | cpu | cpu.cfs_quota_us=20000     | cpu.max=20000 100000
{"cpu": {"period": 50000}}                         | cpu | cpu.cfs_period_us=50000    | cpu.max=max 50000
{"cpu": {"quota": -1, "period": 50000}}            | cpu | cpu.cfs_quota_us=-1        | cpu.max=max 50000
{"cpu": {"quota": 50000, "burst": 10000}}          | cpu | cpu.cfs_burst_us=10000     | cpu.max.burst=10000
{"cpu": {"burst": 0}}                              | cpu | cpu.cfs_burst_us=0         | cpu.max.burst=0
{"cpu": {"idle": 1}}                               | cpu | cpu.idle=1                 | cpu.idle=1
{"cpu": {"idle": 0, "shares": 512}}                | cpu | cpu.idle=0                 | cpu.idle=0
{"cpu": {"idle": 1, "shares": 512}}                | cpu | cpu.idle=1                 | cpu.idle=1
TABLE
  refused "linux.resources.cpu.burst" '{"cpu": {"quota": 10000, "burst": 20000}}'
  refused "linux.resources.cpu" '{"cpu": {"period": 1}}'
  is_v2 || refused "linux.resources.cpu.shares: 1 is not between" '{"cpu": {"shares": 1}}'
}

@test "cpu: realtime is of v1 and needs time of the parent" {
  ! is_v2 || refused "linux.resources.cpu.realtime" '{"cpu": {"realtimeRuntime": 1000}}'
  [ -e /sys/fs/cgroup/cpu/cpu.rt_runtime_us ] || skip "needs realtime group scheduling"
  refused "linux.resources.cpu.realtimeRuntime" '{"cpu": {"realtimeRuntime": 2000, "realtimePeriod": 1000000}}'
  mkdir -p /sys/fs/cgroup/cpu/berth-bats
  echo 20000 >/sys/fs/cgroup/cpu/berth-bats/cpu.rt_runtime_us
  start 'c["linux"]["resources"]["cpu"] = {"realtimeRuntime": 2000, "realtimePeriod": 500000}' \
    'c["process"]["scheduler"] = {"policy": "SCHED_RR", "priority": 3}'
  is cpu cpu.rt_runtime_us=2000 -
  is cpu cpu.rt_period_us=500000 -
  update --cpu-rt-runtime 1000 --cpu-rt-period 250000
  is cpu cpu.rt_runtime_us=1000 -
  is cpu cpu.rt_period_us=250000 -
  no_failures
  [ "$(runtime exec u1 awk '{ print $40, $41 }' /proc/1/stat)" = "3 2" ] # rt_priority, SCHED_RR
}

@test "cpuset: processors and memory nodes" {
  table <<'TABLE'
{"cpu": {"cpus": "0"}}                | cpuset | cpuset.cpus=0    | cpuset.cpus=0
{"cpu": {"cpus": "0-0", "mems": "0"}} | cpuset | cpuset.mems=0    | cpuset.mems=0
{"cpu": {"cpus": "", "mems": ""}}     | cpuset | -                | cpuset.cpus=
TABLE
  refused "linux.resources.cpu.cpus" '{"cpu": {"cpus": "zero"}}'
  is_v2 || refused "linux.resources.cpu.mems" '{"cpu": {"mems": "77"}}'
}

@test "pids: a limit, none, and zero as each version of the document means it" {
  table <<'TABLE'
{"pids": {"limit": 33}} | pids | pids.max=33  | pids.max=33
{"pids": {"limit": -1}} | pids | pids.max=max | pids.max=max
TABLE
  runtime delete --force u1
  start 'c["ociVersion"] = "1.0.2-dev"' 'c["linux"]["resources"]["pids"] = {"limit": 0}'
  is pids pids.max=max pids.max=max
  runtime delete --force u1
  start 'c["ociVersion"] = "1.3.0"' 'c["linux"]["resources"]["pids"] = {"limit": 0}'
  is pids pids.max=0 pids.max=1
  no_failures
  run runtime exec u1 sh -c 'sleep 0; true'
  [ "$status" != 0 ]
}

@test "blockIO: throttles, each on its own, all in one line of v2" {
  local dev key file
  dev=$(block_device) || skip "needs a block device"
  has_controller blkio || has_controller io || skip "needs blkio or io"
  start "c['linux']['resources']['blockIO'] = {k: [{'major': ${dev%:*}, 'minor': ${dev#*:}, 'rate': r}] for k, r in
    {'throttleReadBpsDevice': 1048576, 'throttleWriteBpsDevice': 2097152, 'throttleReadIOPSDevice': 100, 'throttleWriteIOPSDevice': 200}.items()}"
  if is_v2; then
    is io - "io.max=$dev rbps=1048576 wbps=2097152 riops=100 wiops=200"
  else
    is blkio "blkio.throttle.read_bps_device=$dev 1048576" -
    is blkio "blkio.throttle.write_bps_device=$dev 2097152" -
    is blkio "blkio.throttle.read_iops_device=$dev 100" -
    is blkio "blkio.throttle.write_iops_device=$dev 200" -
  fi
  no_failures
  # zero takes a limit away
  echo "{\"blockIO\": {\"throttleReadBpsDevice\": [{\"major\": ${dev%:*}, \"minor\": ${dev#*:}, \"rate\": 0}]}}" | update -r -
  if is_v2; then
    is io - "io.max=$dev rbps=max wbps=2097152 riops=100 wiops=200"
  else
    [ -z "$(cat "$(dir_of blkio)/blkio.throttle.read_bps_device")" ]
  fi
  no_failures
  runtime delete --force u1
  refused "linux.resources.blockIO.throttleReadBpsDevice" \
    '{"blockIO": {"throttleReadBpsDevice": [{"major": 4095, "minor": 9, "rate": 5}]}}'
}

@test "blockIO: weight where the kernel has one, else the name of the field" {
  has_controller blkio || has_controller io || skip "needs blkio or io"
  if try_start 'c["linux"]["resources"]["blockIO"] = {"weight": 500}'; then
    if [ -e "$(dir_of blkio)/blkio.bfq.weight" ]; then
      is blkio blkio.bfq.weight=500 -
    elif [ -e "$(dir_of io)/io.bfq.weight" ]; then
      is io - "io.bfq.weight=default 500"
    elif is_v2; then
      is io - "io.weight=default 4950"
    else
      is blkio blkio.weight=500 -
    fi
    no_failures
    update --blkio-weight 100
  else
    grep -q 'linux.resources.blockIO.weight' "$BATS_TEST_TMPDIR/log"
  fi
  runtime delete --force u1
  refused "linux.resources.blockIO" '{"blockIO": {"leafWeight": 300}}'
  refused "linux.resources.blockIO.weightDevice" '{"blockIO": {"weightDevice": [{"major": 4095, "minor": 9, "weight": 300}]}}'
}

@test "hugepageLimits: usage and reservation of every size; sizes that are not there" {
  local size v1=hugetlb.2MB.limit_in_bytes
  has_controller hugetlb || skip "needs hugetlb"
  start 'c["linux"]["resources"]["hugepageLimits"] = [{"pageSize": "2MB", "limit": 4194304}]'
  is hugetlb hugetlb.2MB.limit_in_bytes=4194304 hugetlb.2MB.max=4194304
  is hugetlb hugetlb.2MB.rsvd.limit_in_bytes=4194304 hugetlb.2MB.rsvd.max=4194304
  no_failures
  runtime delete --force u1
  refused "hugepageLimits" '{"hugepageLimits": [{"pageSize": "3MB", "limit": 4194304}]}'
  refused "hugepageLimits[0].pageSize" '{"hugepageLimits": [{"pageSize": "../2MB", "limit": 4194304}]}'
}

@test "network, rdma: the field is named where the controller is missing" {
  has_controller net_cls || refused "linux.resources.network.classID: no cgroup controller 'net_cls'" '{"network": {"classID": 1048577}}'
  has_controller net_prio || refused "linux.resources.network.priorities: no cgroup controller 'net_prio'" \
    '{"network": {"priorities": [{"name": "lo", "priority": 5}]}}'
  has_controller rdma || refused "linux.resources.rdma: no cgroup controller 'rdma'" '{"rdma": {"mlx5_0": {"hcaHandles": 3}}}'
}

# in_hierarchy CONTROLLER RESOURCES: the container's directory of a v1 hierarchy that is mounted for this alone, in a mount
# namespace of its own: "FILE: content" for each FILE that begins with CONTROLLER. Skips where it cannot be mounted.
in_hierarchy() {
  needs cgroup1
  new_config "c['linux']['resources'].update($2)"
  run unshare --mount bash -c '
    mkdir "$2" && mount -t cgroup -o "$1" none "$2" 2>/dev/null || exit 77
    berth-runtime --root "$RUNTIME_ROOT" run -d -b "$3" u1 </dev/null >"$2.log" 2>&1 || { cat "$2.log"; exit 1; }
    cd "$2/berth-bats/resources" && grep -Hs "" "$1".*
    cd /
    berth-runtime --root "$RUNTIME_ROOT" delete --force u1
    rmdir "$2/berth-bats"
    # a hierarchy ends with its last mount only if the kernel has let go of all its cgroups
    while umount "$2"; grep -q "^$1[[:space:]]*0[[:space:]]" /proc/cgroups && break
      [ "$((++tries))" -lt 20 ]; do sleep 0.1; mount -t cgroup -o "$1" none "$2"; done' - "$1" "$BATS_TEST_TMPDIR/$1" "$CONFIG"
  [ "$status" != 77 ] || skip "needs the cgroup controller $1"
  expect_status 0
}

@test "network: the class of packets, where net_cls is mounted" {
  in_hierarchy net_cls '{"network": {"classID": 1048577}}'
  expect_text "net_cls.classid:1048577"
}

@test "network: the priorities of interfaces, where net_prio is mounted" {
  in_hierarchy net_prio '{"network": {"priorities": [{"name": "lo", "priority": 5}]}}'
  expect_text "net_prio.ifpriomap:lo 5"
}

@test "hugepageLimits: usage and reservation, where hugetlb is mounted" {
  in_hierarchy hugetlb '{"hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}]}'
  expect_text "hugetlb.2MB.limit_in_bytes:4194304"
  expect_text "hugetlb.2MB.rsvd.limit_in_bytes:4194304"
}

@test "unified: any file of v2, several lines, unknown keys, no way out" {
  if is_v2; then
    start 'c["linux"]["resources"]["unified"] = {"memory.high": "50000000", "pids.max": "77", "cgroup.max.depth": "3"}'
    is memory - memory.high=49999872
    is pids - pids.max=77
  else
    start 'c["linux"]["resources"]["unified"] = {"cgroup.max.depth": "3"}'
  fi
  [ "$(cat "$(dir_of unified)/cgroup.max.depth")" = 3 ]
  no_failures
  echo '{"unified": {"cgroup.max.depth": "5"}}' | update -r -
  [ "$(cat "$(dir_of unified)/cgroup.max.depth")" = 5 ]
  runtime delete --force u1
  refused "linux.resources.unified" '{"unified": {"cgroup.max.nosuch": "3"}}'
  refused "linux.resources.unified" '{"unified": {"../memory.max": "3"}}'
  refused "linux.resources.unified" '{"unified": {"cgroup./../../cgroup.max.depth": "3"}}'
  refused "linux.resources.unified" '{"unified": {"nosuch.max": "3"}}'
}

@test "update: every flag, and what is not named stays" {
  start 'c["linux"]["resources"]["memory"] = {"limit": 67108864, "swap": 134217728}' \
    'c["linux"]["resources"]["cpu"] = {"shares": 512, "quota": 50000, "period": 100000}' 'c["linux"]["resources"]["pids"] = {"limit": 20}'
  update --pids-limit 30
  is pids pids.max=30 pids.max=30
  update --cpu-share 1024
  is cpu cpu.shares=1024 cpu.weight=100
  is cpu cpu.cfs_quota_us=50000 "cpu.max=50000 100000"
  update --cpu-period 200000
  is cpu cpu.cfs_period_us=200000 "cpu.max=50000 200000"
  update --cpu-quota 60000
  is cpu cpu.cfs_quota_us=60000 "cpu.max=60000 200000"
  update --cpu-burst 1000
  is cpu cpu.cfs_burst_us=1000 cpu.max.burst=1000
  update --cpu-quota 500 || true # below the burst: the kernel decides
  update --cpu-burst 0 --cpu-quota -1
  is cpu cpu.cfs_quota_us=-1 "cpu.max=max 200000"
  update --cpu-idle 1
  is cpu cpu.idle=1 cpu.idle=1
  update --cpu-idle 0 --cpu-share 2048
  is cpu cpu.shares=2048 cpu.weight=174
  update --cpuset-cpus 0 --cpuset-mems 0
  is cpuset cpuset.cpus=0 cpuset.cpus=0
  update --memory-reservation 16m
  is memory memory.soft_limit_in_bytes=16777216 memory.low=16777216
  update --kernel-memory 1m --kernel-memory-tcp 1m --pids-limit -1
  is pids pids.max=max pids.max=max
  is memory memory.limit_in_bytes=67108864 memory.max=67108864
  no_failures
}

@test "update: memory and swap up, down, and without a limit" {
  needs controller:memory
  start 'c["linux"]["resources"]["memory"] = {"limit": 67108864, "swap": 134217728}'
  update --memory 256m --memory-swap 512m
  is memory memory.limit_in_bytes=268435456 memory.max=268435456
  is memory memory.memsw.limit_in_bytes=536870912 memory.swap.max=268435456
  update --memory 32m --memory-swap 48m
  is memory memory.limit_in_bytes=33554432 memory.max=33554432
  is memory memory.memsw.limit_in_bytes=50331648 memory.swap.max=16777216
  update --memory-swap 64m
  is memory memory.memsw.limit_in_bytes=67108864 memory.swap.max=33554432
  update --memory-swap -1
  is memory memory.memsw.limit_in_bytes=9223372036854771712 memory.swap.max=max
  update --memory -1
  is memory memory.limit_in_bytes=9223372036854771712 memory.max=max
  no_failures
}

@test "update: from a file or stdin, other options are ignored then" {
  start
  echo '{"memory": {"limit": 33554432}, "cpu": {"shares": 100}}' >"$BATS_TEST_TMPDIR/new.json"
  update --pids-limit 5 -r "$BATS_TEST_TMPDIR/new.json"
  is memory memory.limit_in_bytes=33554432 memory.max=33554432
  is cpu cpu.shares=100 cpu.weight=17
  is pids pids.max=max pids.max=max
  no_failures
  run update -r - <<<'{"memory": {"limit": "much"}}'
  expect_status 1
  expect_text "memory.limit"
  run update -r "$BATS_TEST_TMPDIR/nosuch"
  expect_status 1
}

@test "update: a failure leaves the old limits, all of them" {
  needs controller:memory controller:pids controller:cpu
  start 'c["linux"]["resources"]["memory"] = {"limit": 67108864}' 'c["linux"]["resources"]["cpu"] = {"shares": 512, "quota": 50000}' \
    'c["linux"]["resources"]["pids"] = {"limit": 20}'
  run update -r - <<<'{"cpu": {"shares": 1024, "quota": 70000}, "memory": {"limit": 33554432}, "pids": {"limit": 30},
    "blockIO": {"throttleReadBpsDevice": [{"major": 4095, "minor": 9, "rate": 5}]}}'
  expect_status 1
  expect_text "throttleReadBpsDevice"
  is cpu cpu.shares=512 cpu.weight=59
  is cpu cpu.cfs_quota_us=50000 "cpu.max=50000 100000"
  is memory memory.limit_in_bytes=67108864 memory.max=67108864
  is pids pids.max=20 pids.max=20
  no_failures
}

@test "update: checkBeforeUpdate refuses a limit below what is in use" {
  needs controller:memory
  start
  runtime exec u1 sh -c 'head -c 20000000 /dev/zero >/dev/shm/x'
  run update -r - <<<'{"memory": {"limit": 4194304, "checkBeforeUpdate": true}}'
  expect_status 1
  expect_text "rejecting memory limit 4194304"
  is memory memory.limit_in_bytes=9223372036854771712 memory.max=max
  no_failures
}

@test "update: device rules leave what runs running and what is paused paused, also when they are refused" {
  start
  update -r - <<<'{"devices": [{"allow": true, "type": "c", "major": 1, "minor": 11, "access": "r"}]}'
  [ "$(runtime state u1 | jq -r .status)" = running ]
  run update -r - <<<'{"devices": [{"allow": true, "type": "c", "major": 4294967296, "minor": 1, "access": "r"}]}'
  expect_status 1
  [ "$(runtime state u1 | jq -r .status)" = running ]
  runtime pause u1
  update -r - <<<'{"devices": [{"allow": false, "type": "c", "major": 1, "minor": 11, "access": "r"}], "pids": {"limit": 9}}'
  [ "$(runtime state u1 | jq -r .status)" = paused ]
  is pids pids.max=9 pids.max=9
  no_failures
  runtime resume u1
  runtime exec u1 true
}

@test "pause: signals wait for resume, SIGKILL does not; force deletes" {
  start 'c["process"]["args"] = ["sh", "-c", "trap \"exit 3\" TERM; while :; do sleep 0.1; done"]'
  runtime pause u1
  runtime kill u1 TERM
  sleep 0.3
  [ "$(runtime state u1 | jq -r .status)" = paused ]
  runtime resume u1
  wait_until 5 sh -c "berth-runtime --root '$RUNTIME_ROOT' state u1 | grep -q stopped"
  runtime delete u1
  start
  runtime pause u1
  runtime kill --all u1 KILL
  wait_until 5 sh -c "berth-runtime --root '$RUNTIME_ROOT' state u1 | grep -q stopped"
  runtime delete u1
  start
  runtime pause u1
  runtime delete --force u1
  [ -z "$(find /sys/fs/cgroup -path '*/berth-bats/resources' -print -quit)" ]
}

@test "update: a stopped container and one that is not there" {
  run runtime update --pids-limit 5 nosuch
  expect_status 1
  expect_text "does not exist"
  start 'c["process"]["args"] = ["true"]'
  wait_until 5 sh -c "berth-runtime --root '$RUNTIME_ROOT' state u1 | grep -q stopped"
  run update --pids-limit 5
  expect_status 1
  expect_text "not running"
}
