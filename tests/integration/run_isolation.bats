# SPDX-License-Identifier: Apache-2.0
# berth run: what the container may see and use, read inside /proc and in the host's cgroups.
load ../lib/common

setup_file() { berth_setup_file; load_image; }
teardown_file() { berth_teardown_file; }
setup() { needs root; }

# The inode of a namespace inside a container made with these flags: ns TYPE FLAG...
ns() {
  local type=$1
  shift
  berth run --rm "$@" berth-test readlink "/proc/self/ns/$type"
}

@test "mount, pid, uts, ipc and net namespaces are new, user is the host's" {
  for type in mnt pid uts ipc net; do
    [ "$(ns "$type")" != "$(readlink "/proc/self/ns/$type")" ]
  done
  [ "$(ns user)" = "$(readlink /proc/self/ns/user)" ]
}

@test "the cgroup namespace is private on v2 and the host's on v1" {
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    [ "$(ns cgroup)" != "$(readlink /proc/self/ns/cgroup)" ]
  else
    [ "$(ns cgroup)" = "$(readlink /proc/self/ns/cgroup)" ]
  fi
  [ "$(ns cgroup --cgroupns host)" = "$(readlink /proc/self/ns/cgroup)" ]
  [ "$(ns cgroup --cgroupns private)" != "$(readlink /proc/self/ns/cgroup)" ]
}

@test "--pid, --ipc, --uts, --network host join the host's" {
  [ "$(ns pid --pid host)" = "$(readlink /proc/self/ns/pid)" ]
  [ "$(ns ipc --ipc host)" = "$(readlink /proc/self/ns/ipc)" ]
  [ "$(ns uts --uts host)" = "$(readlink /proc/self/ns/uts)" ]
  [ "$(ns net --network host)" = "$(readlink /proc/self/ns/net)" ]
}

@test "--pid, --ipc, --uts, --network container:X join X's" {
  berth run -d --name target --ipc shareable berth-test sleep 100
  for type in pid ipc uts net; do
    local flag=$type
    [ "$type" = net ] && flag=network
    [ "$(ns "$type" "--$flag" container:target)" = "$(berth exec target readlink "/proc/self/ns/$type")" ]
  done
  berth rm -f target
}

@test "--ipc container:X shares X's /dev/shm, also after both were started again" {
  berth run -d --name donor --ipc shareable --shm-size 3m berth-test sh -c 'echo $$ >/dev/shm/from; exec sleep 100'
  berth run -d --name taker --ipc container:donor berth-test sh -c 'echo back >/dev/shm/to; exec sleep 100'
  wait_until 5 berth exec donor test -e /dev/shm/to
  run -0 berth exec taker cat /dev/shm/from
  expect_output 1
  [ "$(berth exec taker df -k /dev/shm | awk 'END { print $2 }')" = 3072 ]
  berth restart -t 0 donor taker
  run -0 berth exec donor ls /dev/shm
  wait_until 5 berth exec donor test -e /dev/shm/to
  run -0 berth run --rm --ipc container:donor -v "$BATS_TEST_TMPDIR:/dev/shm" berth-test ls /dev/shm
  expect_no_text from
  run -0 berth run --rm --ipc container:donor --read-only berth-test sh -c 'echo x >/dev/shm/third; grep -c /dev/shm /proc/self/mounts'
  expect_output 1
  berth exec donor test -e /dev/shm/third
  # a link that the donor put there leads to its own files only
  berth run -d --name liar --privileged berth-test sh -c 'umount /dev/shm; rmdir /dev/shm; ln -s /etc /dev/shm; exec sleep 100'
  wait_until 5 berth exec liar test -L /dev/shm
  berth exec liar touch /etc/of-the-liar
  run -0 berth run --rm --ipc container:liar berth-test ls /dev/shm
  expect_text of-the-liar
  berth rm -f donor taker liar
}

@test "--ipc none: a namespace of its own, and no /dev/shm" {
  berth run -d --name no-shm --ipc none berth-test sleep 100 >/dev/null
  run -0 berth exec no-shm sh -c 'ls /dev; cat /proc/mounts'
  expect_no_text shm
  expect_text mqueue
  [ "$(berth exec no-shm readlink /proc/self/ns/ipc)" != "$(readlink /proc/self/ns/ipc)" ]
  [ "$(berth inspect -f '{{.HostConfig.IpcMode}}' no-shm)" = none ]
  # who joins has a /dev/shm of his own
  run -0 berth run --rm --ipc container:no-shm berth-test grep -c ' /dev/shm ' /proc/mounts
  expect_output 1
  berth rm -f no-shm
}

@test "--network none has a loopback that is up, and nothing else" {
  run -0 berth run --rm --network none berth-test ip -o addr
  expect_text "127.0.0.1/8"
  run -0 berth run --rm --network none berth-test ls /sys/class/net
  expect_no_text eth
}

@test "the first process is pid 1 and sees only its own" {
  run -0 berth run --rm berth-test sh -c 'echo $$; ls -d /proc/[0-9]* | wc -l'
  [ "${lines[0]}" = 1 ]
  [ "${lines[1]}" -le 3 ]
}

@test "docker's fourteen capabilities are bounding, permitted and effective; none is inheritable or ambient" {
  run -0 berth run --rm berth-test grep Cap /proc/self/status
  expect_output $'CapInh:\t0000000000000000\nCapPrm:\t00000000a80425fb\nCapEff:\t00000000a80425fb\nCapBnd:\t00000000a80425fb\nCapAmb:\t0000000000000000'
}

@test "--cap-drop and --cap-add, any spelling, drop first" {
  run -0 berth run --rm --cap-add net_admin --cap-drop all --cap-add CAP_CHOWN berth-test grep CapEff /proc/self/status
  expect_text 0000000000001001
  run -125 berth run --rm --cap-add NOPE berth-test true
  expect_text 'unknown capability: "CAP_NOPE"'
}

@test "a user that is not root has no effective capabilities" {
  run -0 berth run --rm -u 1000 berth-test grep CapEff /proc/self/status
  expect_text 0000000000000000
}

@test "--privileged: every capability, no seccomp, nothing masked, /sys writable" {
  run -0 berth run --rm --privileged berth-test sh -c 'grep -E "CapBnd|Seccomp:" /proc/self/status; grep " /sys " /proc/mounts; grep -c "tmpfs /proc" /proc/mounts; true'
  expect_text "Seccomp:	0"
  [[ $output =~ sysfs\ /sys\ sysfs\ rw ]]
  [ "${lines[-1]}" = 0 ]
  bounding=$(grep CapBnd /proc/self/status)
  expect_text "$bounding"
}

@test "seccomp filters by default and not when unconfined" {
  run -0 berth run --rm berth-test grep Seccomp: /proc/self/status
  expect_text 2
  run -0 berth run --rm --security-opt seccomp=unconfined berth-test grep Seccomp: /proc/self/status
  expect_text 0
  run -1 berth run --rm berth-test unshare -U true
  expect_text "not permitted"
}

@test "a seccomp profile of the user is applied" {
  echo '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO"}]}' \
    >"$BATS_TEST_TMPDIR/profile.json"
  run -1 berth run --rm --security-opt "seccomp=$BATS_TEST_TMPDIR/profile.json" berth-test mkdir /tmp/x
  expect_text "not permitted"
}

@test "no-new-privileges in all its spellings" {
  for word in no-new-privileges no-new-privileges:true no-new-privileges=true; do
    run -0 berth run --rm --security-opt "$word" berth-test grep NoNewPrivs /proc/self/status
    expect_text 1
  done
  run -0 berth run --rm berth-test grep NoNewPrivs /proc/self/status
  expect_text 0
}

@test "docker's masked and read-only paths" {
  run -0 berth run --rm berth-test sh -c 'for f in kcore keys timer_list sched_debug; do [ ! -e /proc/$f ] || head -c1 /proc/$f | wc -c; done; ls /sys/firmware'
  expect_no_text 1
  run -1 berth run --rm berth-test sh -c 'echo 1 >/proc/sys/kernel/printk'
  expect_text "Read-only file system"
}

@test "default devices are there, and disks cannot be opened" {
  run -0 berth run --rm berth-test sh -c 'for d in null zero full random urandom tty; do [ -c /dev/$d ] || echo missing $d; done; ls -l /dev/ptmx /dev/fd /dev/stdin'
  expect_no_text missing
  expect_text "pts/ptmx"
  run -1 berth run --rm --cap-add MKNOD berth-test sh -c 'mknod /tmp/disk b 254 0 && head -c1 /tmp/disk'
  expect_text "not permitted"
}

@test "--device gives a device, --device-cgroup-rule a right" {
  run -0 berth run --rm --device /dev/full:/dev/other berth-test sh -c 'ls -l /dev/other'
  expect_text "1,   7"
  run -0 berth run --rm --device-cgroup-rule 'c 10:200 rwm' berth-test true
}

@test "--read-only: EROFS, but /dev and --tmpfs are writable" {
  run -1 berth run --rm --read-only berth-test touch /x
  expect_text "Read-only file system"
  run -0 berth run --rm --read-only --tmpfs /scratch:size=1m berth-test sh -c 'touch /scratch/x; echo x >/dev/null; grep " /scratch " /proc/mounts'
  expect_text "size=1024k"
}

@test "-v binds, ro is read-only, a missing source is made" {
  mkdir "$BATS_TEST_TMPDIR/src"
  echo from host >"$BATS_TEST_TMPDIR/src/file"
  run -0 berth run --rm -v "$BATS_TEST_TMPDIR/src:/data" berth-test sh -c 'cat /data/file; echo back >/data/new'
  expect_output "from host"
  [ "$(cat "$BATS_TEST_TMPDIR/src/new")" = back ]
  run -1 berth run --rm -v "$BATS_TEST_TMPDIR/src:/data:ro" berth-test touch /data/no
  expect_text "Read-only file system"
  run -0 berth run --rm -v "$BATS_TEST_TMPDIR/made:/data" berth-test touch /data/yes
  [ -e "$BATS_TEST_TMPDIR/made/yes" ]
}

@test "--mount type=bind needs its source, tmpfs takes a size" {
  run -125 berth run --rm --mount "type=bind,src=$BATS_TEST_TMPDIR/nothere,dst=/data" berth-test true
  expect_text nothere
  run -0 berth run --rm --mount type=tmpfs,dst=/t,tmpfs-size=1m berth-test grep ' /t ' /proc/mounts
  expect_text size=1024k
}

@test "--security-opt writable-cgroups: its own, and not the host's" {
  run -1 berth run --rm --cgroupns private berth-test mkdir /sys/fs/cgroup/pids/sub /sys/fs/cgroup/sub
  expect_text "Read-only file system"
  run -0 berth run --rm --cgroupns private --security-opt writable-cgroups berth-test \
    sh -c 'd=/sys/fs/cgroup; [ ! -e $d/pids ] || d=$d/pids; mkdir $d/sub && rmdir $d/sub'
  run -125 berth run --rm --cgroupns host --security-opt writable-cgroups=true berth-test true
  expect_text "--cgroupns private"
}

@test "a read-only bind is so below, too, unless --mount bind-recursive=writable" {
  local dir=$BATS_TEST_TMPDIR/outer said=$BATS_TEST_TMPDIR/said bind
  mkdir -p "$dir/inner"
  mount -t tmpfs none "$dir/inner"
  bind=type=bind,src=$dir,dst=/d,readonly
  for words in "-v $dir:/d:ro" "--mount $bind" "--mount $bind,bind-propagation=rprivate,bind-recursive=readonly" \
    "--mount $bind,bind-recursive=writable" "-v $dir:/d"; do
    # shellcheck disable=SC2086
    berth run --rm $words berth-test touch /d/inner/file 2>&1 | grep -c "Read-only file system" || true
  done >"$said"
  umount "$dir/inner"
  [ "$(xargs <"$said")" = "1 1 1 0 0" ] || fail "read-only: $(xargs <"$said")"
  run -125 berth run --rm --mount "type=bind,src=$dir,dst=/d,bind-recursive=readonly" berth-test true
  expect_text "requires 'readonly'"
  run -125 berth run --rm --mount "type=bind,src=$dir,dst=/d,bind-recursive=writable" berth-test true
  expect_text "requires 'readonly'"
}

@test "--sysctl of a namespace of its own works, of the host is refused" {
  run -0 berth run --rm --sysctl net.ipv4.ip_unprivileged_port_start=512 berth-test cat /proc/sys/net/ipv4/ip_unprivileged_port_start
  expect_output 512
  run -125 berth run --rm --sysctl kernel.panic=1 berth-test true
  expect_text kernel.panic
}

@test "--shm-size" {
  run -0 berth run --rm --shm-size 1m berth-test grep /dev/shm /proc/mounts
  expect_text size=1024k
}

# cgroup files of the container's own group, on either version: cgroup_value ID V1-HIERARCHY V1-FILE V2-FILE
cgroup_value() {
  local pid
  pid=$(berth inspect -f '{{.State.Pid}}' "$1")
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    cat "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$pid/cgroup")/$4"
  else
    cat "/sys/fs/cgroup/$2$(awk -F: -v c="$2" '$2 == c { print $3 }' "/proc/$pid/cgroup")/$3"
  fi
}

@test "-m, --cpus, --pids-limit, --cpu-shares, --cpuset-cpus are in the cgroup" {
  needs controller:memory controller:cpu controller:pids controller:cpuset
  berth run -d --name limits -m 32m --cpus 0.5 --pids-limit 50 --cpu-shares 512 --cpuset-cpus 0 berth-test sleep 100
  [ "$(cgroup_value limits memory memory.limit_in_bytes memory.max)" = 33554432 ]
  [ "$(cgroup_value limits pids pids.max pids.max)" = 50 ]
  [ "$(cgroup_value limits cpuset cpuset.cpus cpuset.cpus)" = 0 ]
  if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    [ "$(cgroup_value limits - - cpu.max)" = "50000 100000" ]
  else
    [ "$(cgroup_value limits cpu cpu.cfs_quota_us -)" = 50000 ]
    [ "$(cgroup_value limits cpu cpu.shares -)" = 512 ]
  fi
  berth rm -f limits
}

@test "memory is a multiple of pages: 8000000 reads back 7999488" {
  needs controller:memory
  berth run -d --name pages -m 8000000 berth-test sleep 100
  [ "$(cgroup_value pages memory memory.limit_in_bytes memory.max)" = 7999488 ]
  run -0 berth inspect -f '{{.HostConfig.Memory}}' pages
  expect_output 8000000
  berth rm -f pages
}

@test "a container may be smaller than docker's least of 6 MB" {
  needs controller:memory
  run -0 berth run --rm -m 512k berth-test echo small
  expect_output small
}

@test "a container over its memory limit is killed, and inspect says so" {
  needs controller:memory
  run -137 berth run --name oom -m 16m --memory-swap 16m berth-test sh -c 'exec tail /dev/zero'
  run -0 berth inspect -f '{{.State.OOMKilled}} {{.State.ExitCode}}' oom
  expect_output "true 137"
  berth rm oom
}

@test "a fork bomb ends at the pids limit" {
  needs controller:pids
  run berth run --rm --pids-limit 10 berth-test sh -c 'i=0; while [ $i -lt 30 ]; do sleep 2 & i=$((i+1)); done; wait'
  [ "$status" -ne 0 ]
  expect_text "an't fork"
}

@test "every process of the container is in its cgroup, exec's too" {
  berth run -d --name grouped berth-test sh -c 'sleep 100 & sleep 100'
  local init=$(berth inspect -f '{{.State.Pid}}' grouped)
  run -0 berth exec grouped cat /proc/self/cgroup
  local inside=$output
  run -0 berth exec grouped cat /proc/1/cgroup
  expect_output "$inside"
  grep -q grouped <(berth ps) && grep -q "$(berth inspect -f '{{.Id}}' grouped)" "/proc/$init/cgroup"
  berth rm -f grouped
}

@test "--security-opt label: parts of a label need SELinux; none of it, and -v :z, does not" {
  [ ! -e /sys/fs/selinux/load ] || skip "needs a host without SELinux"
  run -125 berth run --rm --security-opt label=type:some_t berth-test true
  expect_text "SELinux is not enabled on this host"
  run -125 berth run --rm --security-opt label=colour:red berth-test true
  expect_text "valid are disable, and user, role, type, level, filetype"
  run -0 berth run --rm --security-opt label=disable -v "$BATS_TEST_TMPDIR:/x:z" berth-test true
}

@test "--cgroup-parent with a slice needs systemd" {
  [ ! -d /run/systemd/system ] || skip "systemd runs here"
  run berth run --rm --cgroup-parent some.slice berth-test true
  expect_status 125
  expect_text "does not run on this machine: give a cgroup path"
}

@test "--cgroup-parent places the container" {
  berth run -d --name placed --cgroup-parent /berth-test-parent berth-test sleep 100
  grep -q "/berth-test-parent/$(berth inspect -f '{{.Id}}' placed)" "/proc/$(berth inspect -f '{{.State.Pid}}' placed)/cgroup"
  berth rm -f placed
  find /sys/fs/cgroup -depth -type d -name berth-test-parent -exec rmdir {} +
}

@test "mounts of the container do not reach the host" {
  before=$(wc -l </proc/self/mountinfo)
  berth run -d --name mounts --tmpfs /t berth-test sleep 100
  [ "$(wc -l </proc/self/mountinfo)" = "$before" ]
  berth rm -f mounts
}
