#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# lanes: systemd, needs systemd as pid 1
# Containers whose cgroups systemd makes: scopes, their properties and files, as root and as an ordinary user.
load ../lib/common

setup_file() {
  berth_setup_file
  export BUNDLE=$BATS_FILE_TMPDIR/bundle
  make_bundle "$BUNDLE" 'c["process"]["args"] = ["sleep", "1000"]'
  load_image
}
teardown_file() { berth_teardown_file; }
setup() {
  needs root
  CONFIG=$BATS_TEST_TMPDIR/b
  copy_bundle "$CONFIG" 'c["linux"]["cgroupsPath"] = "bats-a.slice:pre:c1"'
  SCOPE=pre-c1.scope
  DIR=/sys/fs/cgroup/bats.slice/bats-a.slice/$SCOPE
}
teardown() {
  runtime delete --force c1
  ! systemctl -q is-active bats-manager || stop_user_manager # a failed test's
}

start() {
  edit_config "$CONFIG" "$@"
  runtime --systemd-cgroup run -d -b "$CONFIG" c1 </dev/null >"$BATS_TEST_TMPDIR/log" 2>&1 || fail "$(cat "$BATS_TEST_TMPDIR/log")"
}

property() {
  systemctl show -P "$1" "${2:-$SCOPE}"
}

@test "a container is a scope in its slice, and goes with it" {
  start
  [ "$(cat "/proc/$(runtime state c1 | jq .pid)/cgroup")" = "0::/bats.slice/bats-a.slice/$SCOPE" ]
  [ "$(property ActiveState) $(property Slice) $(property Delegate)" = "active bats-a.slice yes" ]
  runtime exec c1 true
  runtime delete --force c1
  [ ! -e "$DIR" ]
  [ "$(property LoadState)" = not-found ]
}

@test "limits are properties of the scope and files of its cgroup" {
  start 'c["linux"]["resources"].update({"memory": {"limit": 67108864, "swap": 134217728, "reservation": 33554432}, "pids": {"limit": 50},
    "cpu": {"shares": 512, "quota": 12345, "period": 50000, "cpus": "0", "mems": "0"}, "blockIO": {"weight": 500},
    "unified": {"memory.high": "50331648"}})'
  [ "$(property MemoryMax) $(property MemoryLow) $(property MemoryHigh) $(property MemorySwapMax)" = "67108864 33554432 50331648 67108864" ]
  [ "$(property CPUWeight) $(property CPUQuotaPerSecUSec) $(property CPUQuotaPeriodUSec)" = "59 246.900ms 50ms" ]
  [ "$(property TasksMax) $(property AllowedCPUs) $(property AllowedMemoryNodes) $(property IOWeight)" = "50 0 0 4950" ]
  [ "$(cat "$DIR/memory.max" "$DIR/memory.high" "$DIR/memory.swap.max" "$DIR/pids.max" "$DIR/cpu.weight" | xargs)" = "67108864 50331648 67108864 50 59" ]
  [ "$(cat "$DIR/cpu.max") $(cat "$DIR/cpuset.cpus")" = "12345 50000 0" ]
}

@test "what is restored is in a scope of systemd's, with its limits" {
  needs program:criu
  local said
  said=$(criu check 2>&1) || skip "criu cannot work here: $(grep -m 1 Error <<<"$said")"
  edit_config "$CONFIG" 'c["process"]["terminal"] = False' 'c["linux"]["resources"]["pids"] = {"limit": 50}' \
    'c["process"]["args"] = ["sh", "-c", "sleep 1000 & wait"]'
  runtime --systemd-cgroup run -d -b "$CONFIG" c1 </dev/null >/dev/null 2>&1 # criu opens no file of the host's
  runtime checkpoint --image-path "$BATS_TEST_TMPDIR/images" c1
  [ ! -e "$DIR" ]
  edit_config "$CONFIG" 'c["linux"]["cgroupsPath"] = "bats-a.slice:pre:c2"'
  runtime --systemd-cgroup restore -d -b "$CONFIG" --image-path "$BATS_TEST_TMPDIR/images" c1 </dev/null >/dev/null 2>"$BATS_TEST_TMPDIR/log" ||
    fail "$(cat "$BATS_TEST_TMPDIR/log")"
  local pid
  pid=$(runtime state c1 | jq .pid)
  [ "$(cat "/proc/$pid/cgroup")" = "0::/bats.slice/bats-a.slice/pre-c2.scope" ]
  [ "$(property ActiveState pre-c2.scope) $(property TasksMax pre-c2.scope)" = "active 50" ]
  [ "$(wc -l <"${DIR%/*}/pre-c2.scope/cgroup.procs")" = 2 ]
  runtime delete --force c1
  [ "$(property LoadState pre-c2.scope)" = not-found ]
}

@test "what systemd has no word for is in the files, and stays when systemd reads its files again" {
  start 'c["linux"]["resources"].update({"memory": {"limit": 67108864}, "cpu": {"burst": 1000, "quota": 20000, "period": 100000},
    "hugepageLimits": [{"pageSize": "2MB", "limit": 4194304}]})' \
    'c["linux"]["resources"]["devices"] = [{"allow": False, "access": "rwm"}, {"allow": True, "type": "c", "major": 1, "minor": 11, "access": "w"}]'
  systemctl daemon-reload
  systemctl set-property --runtime "$SCOPE" TasksMax=77
  [ "$(cat "$DIR/memory.max" "$DIR/cpu.max.burst" "$DIR/hugetlb.2MB.max" "$DIR/pids.max" | xargs)" = "67108864 1000 4194304 77" ]
  runtime exec --cap CAP_MKNOD c1 sh -c 'mknod /kmsg c 1 11; mknod /console c 5 1; echo test >/kmsg; head -c 1 /dev/zero >/dev/null'
  run runtime exec c1 sh -c 'exec 3>/console'
  expect_text "not permitted"
  echo '{"devices": [{"allow": true, "access": "rwm"}]}' | runtime update -r - c1
  runtime exec c1 sh -c 'exec 3>/console'
}

@test "update changes properties and files" {
  start 'c["linux"]["resources"]["cpu"] = {"quota": 20000, "period": 40000}'
  runtime update --memory 64M --pids-limit 33 --cpu-quota 10000 c1
  [ "$(property MemoryMax) $(property TasksMax) $(property CPUQuotaPerSecUSec)" = "67108864 33 250ms" ]
  [ "$(cat "$DIR/memory.max") $(cat "$DIR/pids.max") $(cat "$DIR/cpu.max")" = "67108864 33 10000 40000" ]
  systemctl daemon-reload
  [ "$(cat "$DIR/memory.max") $(cat "$DIR/pids.max") $(cat "$DIR/cpu.max")" = "67108864 33 10000 40000" ]
}

@test "annotations are properties, in GVariant's words" {
  start 'c["annotations"] = {"org.systemd.property.TimeoutStopSec": "7", "org.systemd.property.Description": "\"my box\"",
    "org.systemd.property.RuntimeMaxUSec": "uint64 90000000", "org.systemd.property.Wants": "[\"basic.target\"]",
    "org.systemd.property.MemoryAccounting": "true"}'
  [ "$(property TimeoutStopUSec) $(property Description) $(property RuntimeMaxUSec)" = "7s my box 1min 30s" ]
  [[ "$(property Wants)" == *basic.target* ]]
}

@test "an annotation that is no value, or no property, is refused and leaves nothing" {
  edit_config "$CONFIG" 'c["annotations"] = {"org.systemd.property.TimeoutStopSec": "soon"}'
  run runtime --systemd-cgroup run -b "$CONFIG" c1
  expect_status 1
  expect_text "annotations[org.systemd.property.TimeoutStopSec]"
  edit_config "$CONFIG" 'c["annotations"] = {"org.systemd.property.NoSuchThing": "5"}'
  run runtime --systemd-cgroup run -b "$CONFIG" c1
  expect_status 1
  expect_text "NoSuchThing"
  [ -z "$(runtime list -q)" ]
  [ ! -e "$DIR" ]
}

@test "without a path the scope has the id, and is in system.slice" {
  start 'del c["linux"]["cgroupsPath"]'
  [ "$(cat "/proc/$(runtime state c1 | jq .pid)/cgroup")" = "0::/system.slice/berth-c1.scope" ]
}

@test "a path that does not name a scope is refused" {
  local path
  for path in /a/b a:b a.slice:b:c:d a.slice:b: no_slice:b:c a--b.slice:b:c; do
    edit_config "$CONFIG" 'c["linux"]["cgroupsPath"] = "'$path'"'
    run runtime --cgroup-manager=systemd run -b "$CONFIG" c1
    expect_status 1
    expect_text "slice"
  done
  [ -z "$(runtime list -q)" ]
}

@test "a scope of that name that runs is not taken" {
  systemd-run -q --scope --unit="$SCOPE" sleep 100 &
  wait_until 10 systemctl -q is-active "$SCOPE"
  run runtime --systemd-cgroup run -b "$CONFIG" c1
  expect_status 1
  expect_text "$SCOPE"
  systemctl -q is-active "$SCOPE"
  systemctl stop "$SCOPE"
}

# annotate 'KEY": "VALUE', '...': crun's, without their beginning
annotate() { printf 'c["annotations"] = {%s}' "$(printf '"run.oci.%s", ' "$@")"; }

@test "run.oci.systemd.subgroup: the container's cgroup is below its scope, and has the limits" {
  start "$(annotate 'systemd.subgroup": "payload')" 'c["linux"]["resources"].update({"memory": {"limit": 67108864}, "pids": {"limit": 50}})' \
    'c["linux"]["resources"]["devices"] = [{"allow": False, "access": "rwm"}]'
  [ "$(cat "/proc/$(runtime state c1 | jq .pid)/cgroup")" = "0::/bats.slice/bats-a.slice/$SCOPE/payload" ]
  [ "$(property MemoryMax) $(cat "$DIR/memory.max" "$DIR/payload/memory.max" "$DIR/payload/pids.max" | xargs)" = "67108864 67108864 67108864 50" ]
  runtime exec c1 grep -q /payload /proc/self/cgroup || runtime exec c1 grep -qx 0::/ /proc/self/cgroup
  runtime update --pids-limit 33 c1
  [ "$(property TasksMax) $(cat "$DIR/payload/pids.max")" = "33 33" ]
  runtime pause c1
  runtime resume c1
  systemctl daemon-reload
  [ "$(cat "$DIR/payload/pids.max") $(runtime ps -f json c1 | jq length)" = "33 1" ]
  runtime delete --force c1
  [ ! -e "$DIR" ]
  [ "$(property LoadState)" = not-found ]
}

@test "run.oci.delegate-cgroup below a sub-cgroup of a scope: the container's root has it" {
  start "$(annotate 'systemd.subgroup": "payload' 'delegate-cgroup": "own/init')" \
    'c["linux"]["namespaces"] += [{"type": "user"}] + [n for n in [{"type": "cgroup"}] if n not in c["linux"]["namespaces"]]' \
    'c["linux"].pop("sysctl", None)' 'c["linux"]["uidMappings"] = c["linux"]["gidMappings"] = [{"containerID": 0, "hostID": 100000, "size": 65536}]' \
    'c["mounts"] = [m for m in c["mounts"] if m["type"] not in ("cgroup", "cgroup2", "bind")] + [{"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["ro", "nosuid", "noexec", "nodev"]}]'
  [ "$(cat "/proc/$(runtime state c1 | jq .pid)/cgroup")" = "0::/bats.slice/bats-a.slice/$SCOPE/payload/own/init" ]
  [ "$(cd "$DIR/payload" && stat -c %u . own/init own/init/cgroup.procs own/init/pids.max | xargs)" = "0 100000 100000 0" ]
  run runtime exec c1 cat /proc/self/cgroup # no process can be where controllers are switched on
  expect_output 0::/own/init
  runtime delete --force c1
  [ ! -e "$DIR" ]
}

@test "a container that ran out of memory leaves no failed unit in the way of the next" {
  edit_config "$CONFIG" 'c["linux"]["resources"]["memory"] = {"limit": 8388608, "swap": 8388608}' \
    'c["process"]["args"] = ["sh", "-c", "x=x; while :; do x=$x$x; done"]'
  run runtime --systemd-cgroup run -b "$CONFIG" c1
  expect_status 137
  [ "$(property LoadState)" = not-found ]
  start 'c["process"]["args"] = ["sleep", "100"]' 'c["linux"]["resources"]["memory"] = {}'
}

@test "create, start, pause and kill as with any cgroup" {
  runtime --systemd-cgroup create -b "$CONFIG" c1 </dev/null >/dev/null 2>&1
  systemctl -q is-active "$SCOPE"
  runtime start c1
  runtime pause c1
  [ "$(runtime state c1 | jq -r .status)" = paused ]
  runtime resume c1
  runtime kill c1 KILL
  wait_until 10 eval '[ "$(runtime state c1 | jq -r .status)" = stopped ]'
  runtime delete c1
  [ "$(property LoadState)" = not-found ]
}

@test "in a user namespace of its own, too, where a writable cgroup belongs to its root" {
  start 'c["linux"]["namespaces"] += [{"type": "user"}] + [n for n in [{"type": "cgroup"}] if n not in c["linux"]["namespaces"]]' \
    'c["linux"].pop("sysctl", None)' 'c["linux"]["uidMappings"] = c["linux"]["gidMappings"] = [{"containerID": 0, "hostID": 100000, "size": 65536}]' \
    'c["mounts"] = [m for m in c["mounts"] if m["type"] not in ("cgroup", "cgroup2", "bind")] + [{"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["rw", "nosuid", "noexec", "nodev"]}]'
  [ "$(stat -c %u "$DIR" "$DIR/cgroup.procs" "$DIR/memory.max" | xargs)" = "100000 100000 0" ]
  runtime exec c1 sh -c 'mkdir /sys/fs/cgroup/below && echo $$ >/sys/fs/cgroup/below/cgroup.procs && grep -q /below /proc/self/cgroup'
}

@test "berth puts a container below a slice, and foreign runtimes too" {
  local pid
  berth run -d --name sliced --cgroup-parent bats-a.slice -m 64m berth-test sleep 100
  pid=$(berth inspect -f '{{.State.Pid}}' sliced)
  [[ "$(cat "/proc/$pid/cgroup")" = 0::/bats.slice/bats-a.slice/berth-*.scope ]]
  [ "$(cat "/sys/fs/cgroup$(sed 's/0:://' "/proc/$pid/cgroup")/memory.max")" = 67108864 ]
  berth rm -f sliced
  [ -z "$(systemctl list-units --no-legend 'berth-*')" ]
  berth run --rm --cgroup-parent bats-a.slice --runtime "$BERTH_BIN/berth-runtime" berth-test true
  run berth run --rm --cgroup-parent a--b.slice berth-test true
  expect_status 125
  expect_text "not the name of a slice"
}

@test "an ordinary user's container is a scope of his own manager, with the limits it asks for" {
  needs userns program:newuidmap
  start_user_manager
  make_image rootfs "$USERS/rootfs"
  chown -R "$USER_ID:$USER_ID" "$USERS/rootfs"
  local path b=$USER_HOME/b
  mkdir "$b"
  cp "$CONFIG/config.json" "$b"
  edit_config "$b" "c['root']['path'] = '$USERS/rootfs'" 'c["linux"]["namespaces"].append({"type": "user"})' 'c["linux"].pop("sysctl", None)' \
    'c["linux"]["uidMappings"] = c["linux"]["gidMappings"] = [{"containerID": 0, "hostID": '$USER_ID', "size": 1}]' \
    'c["process"]["user"].pop("additionalGids", None)' 'c["mounts"] = [m for m in c["mounts"] if m["type"] in ("proc", "tmpfs")]' \
    'c["linux"]["resources"] = {"pids": {"limit": 30}, "memory": {"limit": 67108864}, "cpu": {"shares": 512}}'
  as_user sh -c 'cd b && berth-runtime --systemd-cgroup run -d c1' </dev/null >"$BATS_TEST_TMPDIR/log" 2>&1 ||
    fail "$(cat "$BATS_TEST_TMPDIR/log")"
  path=$(tail -n 1 "/proc/$(as_user berth-runtime state c1 | jq .pid)/cgroup")
  [ "$path" = "0::$MANAGED/bats.slice/bats-a.slice/$SCOPE" ]
  [ "$(as_user systemctl --user show -P TasksMax "$SCOPE") $(as_user systemctl --user show -P MemoryMax "$SCOPE")" = "30 67108864" ]
  path=/sys/fs/cgroup${path#0::}
  [ "$(cat "$path/pids.max" "$path/memory.max" "$path/cpu.weight" | xargs)" = "30 67108864 59" ]
  as_user berth-runtime update --memory 32M c1
  [ "$(cat "$path/memory.max")" = 33554432 ]
  as_user berth-runtime delete --force c1
  [ ! -e "$path" ]

  # the engine: within what the manager gave, and in a scope of his
  as_user berth load -q -i "$BATS_FILE_TMPDIR/image.tar" >/dev/null
  run -0 as_user systemd-run --user --scope -q -p Delegate=yes berth run --rm -m 64m berth-test sh -c 'cat /sys/fs/cgroup/memory.max'
  expect_output 67108864
  run -0 as_user berth run --rm --cgroup-parent user.slice -m 64m --pids-limit 20 berth-test sh -c 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max'
  expect_output $'67108864\n20'
  # what looks for no manager has no cgroup to limit
  run -125 as_user berth run --rm -m 64m berth-test true
  expect_text "this host delegates no cgroup to the user here (systemd-run --user --scope -p Delegate=yes gives one), so limits cannot be set"
  stop_user_manager
}
