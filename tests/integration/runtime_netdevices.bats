#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# linux.netDevices: devices of the host in the container's network namespace. The "host" is a network namespace of the test.

load ../lib/common

setup_file() {
  needs root program:ip
  berth_setup_file
  export BUNDLE=$BATS_FILE_TMPDIR/bundle
  make_bundle "$BUNDLE" 'c["process"]["terminal"] = False' 'c["linux"]["cgroupsPath"] = "/berth-bats-net/c1"'
  cp "$BUNDLE/config.json" "$BUNDLE/plain.json"
}
teardown_file() {
  berth_teardown_file
  find /sys/fs/cgroup -depth -type d -name berth-bats-net -exec rmdir {} +
}

setup() {
  needs root program:ip
  cp "$BUNDLE/plain.json" "$BUNDLE/config.json"
  unshare -n sleep 100 3>&- &
  holder=$!
  wait_until 5 eval '[ "$(readlink /proc/$holder/ns/net)" != "$(readlink /proc/self/ns/net)" ]'
  host ip link add a0 type veth peer name a1
  host ip link set a0 mtu 1400 address 02:00:00:00:00:01 up
  host ip link set a1 up
  host ip addr add 192.0.2.5/24 broadcast 192.0.2.255 dev a0
  host ip addr add 198.51.100.1 peer 198.51.100.2/32 dev a0
  host ip addr add 203.0.113.9/32 scope link dev a0
}
teardown() {
  runtime delete --force c1
  kill "$holder"
}
host() { nsenter -t "$holder" -n "$@"; }

# with_devices SCRIPT DEVICES EDIT...: DEVICES is the JSON of linux.netDevices
with_devices() {
  edit_config "$BUNDLE" "c['process']['args'] = ['sh', '-c', '''$1''']" "c['linux']['netDevices'] = $2" "${@:3}"
  run host berth-runtime --root "$RUNTIME_ROOT" run -b "$BUNDLE" c1 </dev/null
}

host_unchanged() {
  host ip -o link show a0 | grep -q "mtu 1400.*state UP" || fail "$(host ip link)"
  [ "$(host ip -o -4 addr show a0 | grep -oE '(inet|peer|scope) [^ ]+' | sort | tr '\n' ' ')" = \
    "inet 192.0.2.5/24 inet 198.51.100.1 inet 203.0.113.9/32 peer 198.51.100.2/32 scope global scope global scope link " ] ||
    fail "$(host ip addr show a0)"
}

@test "a device moves in with its global addresses and its attributes, and is up" {
  with_devices 'ip -o link show a0; ip -o -4 addr show a0' '{"a0": {}}'
  expect_status 0
  expect_text "mtu 1400"
  expect_text "02:00:00:00:00:01"
  [[ ${lines[0]} == *"UP"* ]]
  expect_text "192.0.2.5/24 brd 192.0.2.255 scope global"
  expect_text "198.51.100.1 peer 198.51.100.2/32 scope global"
  expect_no_text 203.0.113.9
  run host ip link show a0
  expect_status 1
}

@test "IPv6 addresses move, too" {
  [ -e /proc/net/if_inet6 ] || skip "needs IPv6"
  host ip addr add 2001:db8::5/64 nodad dev a0
  with_devices 'ip -o -6 addr show a0' '{"a0": {}}'
  expect_text "2001:db8::5/64 scope global"
}

@test "a device gets another name; %d is the first free number" {
  with_devices 'ls /sys/class/net' '{"a0": {"name": "lan0"}, "a1": {"name": "lan%d"}}'
  expect_status 0
  [ "$(tr '\n' ' ' <<<"$output")" = "lan0 lan1 lo " ]
}

@test "it is there before the container's sysctls are set" {
  with_devices 'cat /proc/sys/net/ipv4/conf/lan0/log_martians' '{"a0": {"name": "lan0"}}' \
    'c["linux"]["sysctl"] = {"net.ipv4.conf.lan0.log_martians": "1"}'
  expect_output 1
}

@test "with a user namespace" {
  with_devices 'ip -o -4 addr show lan0' '{"a0": {"name": "lan0"}}' 'c["linux"].pop("sysctl", None)' \
    'c["linux"]["namespaces"].append({"type": "user"})' \
    'c["linux"]["uidMappings"] = c["linux"]["gidMappings"] = [{"containerID": 0, "hostID": 100000, "size": 65536}]'
  expect_status 0
  expect_text 192.0.2.5/24
}

@test "what cannot be is refused, and the host is as it was" {
  local devices text
  while IFS='@' read -r devices text; do
    cp "$BUNDLE/plain.json" "$BUNDLE/config.json"
    with_devices true "$devices"
    expect_status 1
    expect_text "$text"
    host_unchanged
  done <<'CASES'
{"a0": {}, "nosuch": {}}@linux.netDevices: there is no network device 'nosuch' on the host
{"a0": {"name": "lo"}}@linux.netDevices: 'lo' is in the container's network namespace already
{"a0": {"name": "lan0"}, "lo": {"name": "lo1"}}@linux.netDevices: 'lo' is of a kind that cannot leave its network namespace
{"a0": {"name": "x"}, "a1": {"name": "x"}}@linux.netDevices: two devices are named 'x'
{"a0": {"name": "x%s"}}@linux.netDevices: 'x%s' is no interface name
{"a0": {"name": "a/b"}}@linux.netDevices: 'a/b' is no interface name
CASES
  cp "$BUNDLE/plain.json" "$BUNDLE/config.json"
  with_devices true '{"a0": {}}' 'c["linux"]["namespaces"] = [n for n in c["linux"]["namespaces"] if n["type"] != "network"]'
  expect_status 1
  expect_text "linux.netDevices: needs 'network' in linux.namespaces"
}

@test "a container that fails later gives the devices back" {
  with_devices true '{"a0": {"name": "lan0"}}' 'c["hooks"] = {"createRuntime": [{"path": "/bin/false"}]}'
  expect_status 1
  host_unchanged
  with_devices true '{"a0": {"name": "lan%d"}}' 'c.pop("hooks", None); c["process"]["args"] = ["/no/such/program"]'
  [ "$status" != 0 ]
  host_unchanged
}
