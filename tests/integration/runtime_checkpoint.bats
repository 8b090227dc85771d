#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# checkpoint and restore, by the program criu. The kernel may be too new for criu, which says so itself; that of the v2 lane is not.

load ../lib/common

setup_file() {
  berth_setup_file
  export BUNDLE=$BATS_FILE_TMPDIR/bundle
  make_bundle "$BUNDLE" 'c["process"]["terminal"] = False'
}
teardown_file() { berth_teardown_file; }
setup() {
  needs root program:jq
  CONFIG=$BATS_TEST_TMPDIR/b IMAGES=$BATS_TEST_TMPDIR/images
  mkdir "$BATS_TEST_TMPDIR/data"
  copy_bundle "$CONFIG" 'c["linux"]["cgroupsPath"] = "/berth-bats/checkpoint"' \
    'c["process"]["args"] = ["sh", "-c", "i=0; while :; do i=$((i+1)); echo $i >/dev/shm/n; echo $i; sleep 0.1; done"]' \
    'c["mounts"].append({"destination": "/data", "source": "'"$BATS_TEST_TMPDIR/data"'", "options": ["rbind"]})'
}
teardown() {
  runtime delete --force c1
  runtime delete --force c2
}

needs_criu() {
  needs program:criu
  local said
  said=$(criu check 2>&1) || skip "criu cannot work here: $(grep -m 1 Error <<<"$said")"
}

count() { runtime exec "$1" cat /dev/shm/n; }
counts_on() { [ "$(count "$1")" -gt "$2" ]; }
start_c1() {
  runtime run -d -b "$CONFIG" c1 </dev/null >/dev/null 2>&1
  wait_until 5 counts_on c1 2
}

@test "a container goes on where it was, with its mounts, limits and masks" {
  needs_criu
  edit_config "$CONFIG" 'c["linux"]["resources"]["pids"] = {"limit": 77}'
  start_c1
  runtime checkpoint --image-path "$IMAGES" c1
  run runtime state c1
  expect_status 1
  before=$(grep -c . "$IMAGES/descriptors.json")
  [ "$before" = 1 ]
  runtime restore -d -b "$CONFIG" --image-path "$IMAGES" --work-path "$BATS_TEST_TMPDIR/work" --pid-file "$BATS_TEST_TMPDIR/pid" c1 </dev/null >/dev/null 2>&1
  [ "$(runtime state c1 | jq -r .status)" = running ]
  [ "$(runtime state c1 | jq .pid)" = "$(cat "$BATS_TEST_TMPDIR/pid")" ]
  local n
  n=$(count c1)
  [ "$n" -gt 2 ]
  wait_until 5 counts_on c1 "$n"
  touch "$BATS_TEST_TMPDIR/data/seen"
  runtime exec c1 test -e /data/seen
  [ -z "$(runtime exec c1 cat /proc/kcore | head -c 1)" ]
  [ "$(runtime events --stats c1 | jq .data.pids.limit)" = 77 ]
  ! grep criu-root /proc/self/mounts || fail "the mount for criu is left"
  runtime kill c1 KILL
  wait_until 5 stopped c1
  runtime delete c1
}

stopped() { [ "$(runtime state "$1" | jq -r .status)" = stopped ]; }

@test "restore in the foreground takes over its output and gives its exit code" {
  needs_criu
  edit_config "$CONFIG" 'c["process"]["args"] = ["sh", "-c", "while [ ! -e /data/end ]; do sleep 0.1; done; echo bye; exit 7"]'
  (runtime run -d -b "$CONFIG" c1 </dev/null 2>&1 | cat >/dev/null) 3>&- &
  wait_until 5 running c1
  runtime checkpoint --image-path "$IMAGES" c1
  touch "$BATS_TEST_TMPDIR/data/end"
  run timeout 50 berth-runtime --root "$RUNTIME_ROOT" restore -b "$CONFIG" --image-path "$IMAGES" c1 </dev/null
  expect_status 7
  expect_output bye
  [ ! -e "$RUNTIME_ROOT/c1" ]
}

running() { [ "$(runtime state "$1" | jq -r .status)" = running ]; }

@test "leave-running keeps it; the copy has another name and cgroup" {
  needs_criu
  start_c1
  runtime checkpoint --leave-running --image-path "$IMAGES" c1
  running c1
  edit_config "$CONFIG" 'c["linux"]["cgroupsPath"] = "/berth-bats/checkpoint2"'
  runtime restore -d -b "$CONFIG" --image-path "$IMAGES" c2 </dev/null >/dev/null 2>&1
  wait_until 5 counts_on c2 2
  running c1
  grep -q ':/berth-bats/checkpoint2$' "/proc/$(runtime state c2 | jq .pid)/cgroup"
  ! grep -q ':/berth-bats/checkpoint$' "/proc/$(runtime state c2 | jq .pid)/cgroup" || fail "not all hierarchies"
}

@test "a pre-dump, and what changed since" {
  needs_criu
  criu check --feature mem_dirty_track || skip "this kernel does not track memory for criu"
  start_c1
  runtime checkpoint --pre-dump --image-path "$IMAGES.1" c1
  running c1
  runtime checkpoint --image-path "$IMAGES" --parent-path "../$(basename "$IMAGES.1")" c1
  [ -e "$IMAGES/parent" ]
  runtime restore -d -b "$CONFIG" --image-path "$IMAGES" c1 </dev/null >/dev/null 2>&1
  wait_until 5 counts_on c1 3
}

@test "a network namespace that was joined is joined again" {
  needs_criu
  unshare -n sleep 50 3>&- &
  local holder=$!
  wait_until 5 other_net "$holder"
  edit_config "$CONFIG" "next(n for n in c['linux']['namespaces'] if n['type'] == 'network')['path'] = '/proc/$holder/ns/net'" 'c["linux"]["sysctl"] = {}'
  start_c1
  runtime checkpoint --image-path "$IMAGES" c1
  runtime restore -d -b "$CONFIG" --image-path "$IMAGES" c1 </dev/null >/dev/null 2>&1
  [ "$(readlink "/proc/$(runtime state c1 | jq .pid)/ns/net")" = "$(readlink "/proc/$holder/ns/net")" ]
  kill "$holder"
}

other_net() { [ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }

@test "a criu that fails is quoted, and the container runs on" {
  needs program:criu
  mkdir "$BATS_TEST_TMPDIR/bin"
  cat >"$BATS_TEST_TMPDIR/bin/criu" <<'SCRIPT'
#!/bin/sh
while [ "$1" != --work-dir ]; do shift; done
printf '(00.1) Warn  (a.c:1): x\n(00.2) Error (a.c:2): no luck\n(00.3) Dumping FAILED.\n' >"$2/dump.log"
cp "$2/dump.log" "$2/restore.log"
exit 3
SCRIPT
  chmod +x "$BATS_TEST_TMPDIR/bin/criu"
  start_c1
  PATH=$BATS_TEST_TMPDIR/bin:$PATH run berth-runtime --root "$RUNTIME_ROOT" checkpoint --image-path "$IMAGES" c1
  expect_status 1
  expect_text "criu dump: exit status 3: Error (a.c:2): no luck (see '$IMAGES/dump.log')"
  running c1
  edit_config "$CONFIG" 'c["linux"]["cgroupsPath"] = "/berth-bats/checkpoint2"'
  PATH=$BATS_TEST_TMPDIR/bin:$PATH run berth-runtime --root "$RUNTIME_ROOT" restore -b "$CONFIG" --image-path "$IMAGES" c2
  expect_status 1
  expect_text "criu restore: exit status 3: Error (a.c:2): no luck (see '$IMAGES/restore.log')"
  [ ! -e "$RUNTIME_ROOT/c2" ]
  [ -z "$(find /sys/fs/cgroup -path '*/berth-bats/checkpoint2')" ]
}

@test "without criu the way to it is told" {
  local path=$BERTH_BIN
  start_c1
  run env PATH="$path" "$BERTH_BIN/berth-runtime" --root "$RUNTIME_ROOT" checkpoint --image-path "$IMAGES" c1
  expect_status 1
  expect_text "criu is not installed: apt-get install criu"
  running c1
}

@test "what cannot be checkpointed or restored is refused" {
  run runtime checkpoint nope
  expect_status 1
  expect_text "container does not exist"
  runtime create -b "$CONFIG" c1 </dev/null >/dev/null 2>&1
  run runtime checkpoint --image-path "$IMAGES" c1
  expect_status 1
  expect_text "container cannot be checkpointed in created state"
  runtime start c1
  run runtime checkpoint --image-path "$IMAGES" --manage-cgroups-mode loose c1
  expect_text "invalid cgroups mode 'loose'"
  run runtime checkpoint --image-path "$IMAGES" --empty-ns pid c1
  expect_text "empty namespace 'pid'"
  run runtime checkpoint --image-path "$IMAGES" --page-server 1234 c1
  expect_text "page server '1234': not ADDRESS:PORT"
  edit_config "$CONFIG" 'c["linux"]["cgroupsPath"] = "/berth-bats/checkpoint2"'
  run runtime restore -b "$CONFIG" --image-path "$BATS_TEST_TMPDIR/none" c2
  expect_status 1
  expect_text "is not a checkpoint"
  edit_config "$CONFIG" 'c["hooks"] = {"prestart": [{"path": "/bin/true"}]}'
  run runtime restore -b "$CONFIG" --image-path "$BATS_TEST_TMPDIR/none" c2
  expect_text "not supported yet: restore of a container with hooks"
  [ ! -e "$RUNTIME_ROOT/c2" ]
}
