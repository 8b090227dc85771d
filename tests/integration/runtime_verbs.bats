#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Every verb of berth-runtime on a plain bundle: output, refusals and exit codes are runc's.

load ../lib/common

setup_file() {
  berth_setup_file
  export BUNDLE=$BATS_FILE_TMPDIR/bundle
  make_bundle "$BUNDLE" 'c["process"]["args"] = ["sleep", "1000"]' \
    'c["process"]["terminal"] = False' 'c["linux"]["cgroupsPath"] = "/berth-bats/verbs"'
}
teardown_file() {
  berth_teardown_file
  find /sys/fs/cgroup -depth -type d -name berth-bats -exec rmdir {} + # parents stay, as with other runtimes
}
setup() { needs root; }
teardown() { runtime delete --force c1; }

start_container() {
  runtime run -d -b "$BUNDLE" c1 </dev/null >/dev/null 2>&1
}

@test "create leaves the container waiting, start lets it run, kill and delete end it" {
  runtime create -b "$BUNDLE" --pid-file "$BATS_TEST_TMPDIR/pid" c1 </dev/null >/dev/null 2>&1
  [ "$(runtime state c1 | jq -r .status)" = created ]
  [ "$(runtime state c1 | jq .pid)" = "$(cat "$BATS_TEST_TMPDIR/pid")" ]
  runtime start c1
  [ "$(runtime state c1 | jq -r .status)" = running ]
  runtime kill c1 KILL
  wait_until 5 eval '[ "$(runtime state c1 | jq -r .status)" = stopped ]'
  [ "$(runtime state c1 | jq .pid)" = 0 ]
  runtime delete c1
  run runtime state c1
  expect_status 1
  expect_text "container does not exist"
}

@test "run gives the exit code and deletes the container" {
  run runtime run -b "$BUNDLE" --no-such-flag c1
  expect_status 1
  expect_text "unknown flag: --no-such-flag"
  local other=$BATS_TEST_TMPDIR/other
  mkdir "$other"
  ln -s "$BUNDLE/rootfs" "$other/rootfs"
  cp "$BUNDLE/config.json" "$other"
  edit_config "$other" 'c["process"]["args"] = ["sh", "-c", "exit 7"]'
  run runtime run -b "$other" c1
  expect_status 7
  [ -z "$(runtime list -q)" ]
}

@test "run --keep leaves a stopped container" {
  copy_bundle "$BATS_TEST_TMPDIR/b" 'c["process"]["args"] = ["sh", "-c", "exit 7"]'
  run runtime run --keep -b "$BATS_TEST_TMPDIR/b" c1
  expect_status 7
  [ "$(runtime state c1 | jq -r .status)" = stopped ]
  runtime delete c1
  [ -z "$(runtime list -q)" ]
}

# The parent of what a container without a pid namespace leaves behind while it runs.
orphan_of_run() {
  rm -f "$BATS_TEST_TMPDIR/orphan"
  runtime run "$@" -b "$BATS_TEST_TMPDIR/b" c1 </dev/null >/dev/null 2>&1 3>&- &
  RUN=$!
  wait_until 5 test -s "$BATS_TEST_TMPDIR/orphan"
  PARENT=$(awk '/^PPid/ { print $2 }' "/proc/$(cat "$BATS_TEST_TMPDIR/orphan")/status")
}

@test "run adopts what the container leaves behind, unless --no-subreaper" {
  copy_bundle "$BATS_TEST_TMPDIR/b" 'c["linux"]["namespaces"] = [n for n in c["linux"]["namespaces"] if n["type"] != "pid"]' \
    'c["mounts"].append({"destination": "/data", "source": "'"$BATS_TEST_TMPDIR"'", "options": ["bind"]})' \
    'c["process"]["args"] = ["sh", "-c", "(sleep 1000 & echo $! >/data/new); mv /data/new /data/orphan; sleep 1000"]'
  orphan_of_run
  [ "$PARENT" = "$(pgrep -P "$RUN" -x berth-runtime || echo "$RUN")" ]
  runtime delete --force c1
  wait "$RUN" || true
  orphan_of_run --no-subreaper
  [ "$PARENT" != "$(pgrep -P "$RUN" -x berth-runtime || echo "$RUN")" ]
  runtime delete --force c1
  wait "$RUN" || true
}

@test "descriptors pass to a container when asked for, and must be there" {
  copy_bundle "$BATS_TEST_TMPDIR/b" 'c["process"]["args"] = ["sh", "-c", "cat <&4; [ ! -e /proc/self/fd/5 ]"]'
  run bash -c 'exec berth-runtime --root "$RUNTIME_ROOT" run --preserve-fds 2 -b "$BATS_TEST_TMPDIR/b" c1 3</dev/null 4<<<passed 5</dev/null'
  expect_status 0
  expect_output passed
  run bash -c 'exec 4>&-; exec berth-runtime --root "$RUNTIME_ROOT" run --preserve-fds 2 -b "$BATS_TEST_TMPDIR/b" c1 3</dev/null'
  expect_status 1
  expect_output "descriptor 4 is not open, it cannot be preserved"
  [ -z "$(runtime list -q)" ]
}

@test "sockets of a service manager are the container's first descriptors" {
  copy_bundle "$BATS_TEST_TMPDIR/b" 'c["process"]["env"].append("LISTEN_FDS=9")' \
    'c["process"]["args"] = ["sh", "-c", "echo $LISTEN_FDS for $LISTEN_PID; cat <&3; [ ! -e /proc/self/fd/4 ] || cat <&4"]'
  run bash -c 'export LISTEN_FDS=1 LISTEN_PID=$$; exec berth-runtime --root "$RUNTIME_ROOT" run -b "$BATS_TEST_TMPDIR/b" c1 3<<<socket 4<<<preserved'
  expect_output $'1 for 1\nsocket'
  run bash -c 'export LISTEN_FDS=1 LISTEN_PID=$$; exec berth-runtime --root "$RUNTIME_ROOT" run --preserve-fds 1 -b "$BATS_TEST_TMPDIR/b" c1 3<<<socket 4<<<preserved'
  expect_output $'1 for 1\nsocket\npreserved'
  # meant for somebody else
  run bash -c 'export LISTEN_FDS=1 LISTEN_PID=1; exec berth-runtime --root "$RUNTIME_ROOT" run --preserve-fds 1 -b "$BATS_TEST_TMPDIR/b" c1 3<<<only'
  expect_output $'9 for\nonly'
}

@test "run tells by its exit code which signal killed the container" {
  local pid
  berth-runtime --root "$RUNTIME_ROOT" run -b "$BUNDLE" c1 </dev/null &
  pid=$!
  wait_until 5 eval '[ "$(runtime state c1 | jq -r .status)" = running ]'
  runtime kill c1 KILL
  wait $pid || status=$?
  expect_status 137
}

@test "run passes signals on" {
  local other=$BATS_TEST_TMPDIR/other pid
  mkdir "$other"
  ln -s "$BUNDLE/rootfs" "$other/rootfs"
  cp "$BUNDLE/config.json" "$other"
  edit_config "$other" 'c["process"]["args"] = ["sh", "-c", "trap \"exit 9\" TERM; touch /dev/shm/up; while :; do sleep 0.1; done"]'
  berth-runtime --root "$RUNTIME_ROOT" run -b "$other" c1 </dev/null &
  pid=$!
  wait_until 5 runtime exec c1 test -e /dev/shm/up
  kill -TERM $pid
  wait $pid || status=$?
  expect_status 9
}

@test "list prints a table, json, or ids" {
  start_container
  run runtime list
  [[ ${lines[0]} == "ID          PID         STATUS      BUNDLE"*"CREATED"*"OWNER" ]]
  [[ ${lines[1]} == "c1 "*" running     $BUNDLE "* ]]
  [ "$(runtime list -q)" = c1 ]
  [ "$(runtime list --format json | jq -r '.[0] | .id, .status, .bundle, .owner' | xargs)" = "c1 running $BUNDLE root" ]
  run runtime list --format xml
  expect_status 1
}

@test "ps shows the processes of the container as ps or as json" {
  needs program:ps
  start_container
  runtime exec -d c1 sleep 2000
  run runtime ps c1
  expect_text "sleep 1000"
  expect_text "sleep 2000"
  [[ ${lines[0]} == *PID*CMD* ]]
  [ "${#lines[@]}" = 3 ]
  [ "$(runtime ps --format json c1 | jq length)" = 2 ]
  run runtime ps c1 -o comm
  expect_status 1
  expect_text "PID"
}

@test "signals have names in any form, or numbers" {
  start_container
  for signal in CONT cont SIGCONT sigcont 18 RTMIN+1; do
    [ "$signal" = RTMIN+1 ] || runtime kill c1 "$signal"
  done
  run runtime kill c1 NOSUCH
  expect_status 1
  expect_text 'unknown signal "NOSUCH"'
  run runtime kill c1 99
  expect_status 1
}

@test "kill --all reaches every process, also when init is gone" {
  start_container
  runtime exec -d c1 sleep 2000
  runtime kill --all c1 KILL
  wait_until 5 eval '[ "$(runtime state c1 | jq -r .status)" = stopped ]'
  [ "$(runtime ps -f json c1)" = "[]" ]
  run runtime kill c1 KILL
  expect_status 1
  expect_text "container not running"
}

@test "a running container is deleted only by force" {
  start_container
  run runtime delete c1
  expect_status 1
  expect_text "cannot delete container c1 that is not stopped: running"
  runtime delete --force c1
  runtime delete --force c1 # not there is no error
  run runtime delete c1
  expect_status 1
  expect_text "container does not exist"
}

@test "a created container is deleted without force" {
  runtime create -b "$BUNDLE" c1 </dev/null >/dev/null 2>&1
  runtime delete c1
  [ -z "$(runtime list -q)" ]
}

@test "pause stops everything until resume" {
  start_container
  run runtime resume c1
  expect_status 1
  expect_text "container not paused"
  runtime pause c1
  [ "$(runtime state c1 | jq -r .status)" = paused ]
  run runtime pause c1
  expect_status 1
  expect_text "container not running or created: paused"
  run runtime exec c1 true
  expect_status 255
  expect_text "cannot exec in a paused container"
  runtime resume c1
  runtime exec c1 true
}

@test "a paused container can be killed and deleted" {
  start_container
  runtime pause c1
  runtime kill c1 KILL
  wait_until 5 eval '[ "$(runtime state c1 | jq -r .status)" = stopped ]'
  runtime delete c1
}

@test "update changes limits, from flags and from a document" {
  needs controller:memory controller:pids
  start_container
  runtime update --memory 64m --memory-swap 64m --pids-limit 33 c1
  runtime events --stats c1 | jq -e '.data.memory.usage.limit == 67108864 and .data.pids.limit == 33'
  echo '{"memory": {"limit": 134217728, "swap": 134217728}}' | runtime update -r - c1
  runtime events --stats c1 | jq -e '.data.memory.usage.limit == 134217728 and .data.pids.limit == 33'
  run runtime update --memory lots c1
  expect_status 1
  expect_text "invalid value for memory"
  echo '{"memory": {"limit": "x"}}' >"$BATS_TEST_TMPDIR/bad.json"
  run runtime update -r "$BATS_TEST_TMPDIR/bad.json" c1
  expect_status 1
}

@test "events --stats counts processes, memory and cpu" {
  start_container
  runtime events --stats c1 | jq -e '.type == "stats" and .id == "c1" and .data.cpu.usage.total > 0 and .data.pids.current == 1'
}

@test "spec writes a config.json once, and the runtime takes it" {
  local dir=$BATS_TEST_TMPDIR/spec
  mkdir "$dir"
  runtime spec --bundle "$dir"
  run runtime spec --bundle "$dir"
  expect_status 1
  expect_text "File config.json exists. Remove it first"
  echo old >"$dir/other.json"
  runtime spec -b "$dir" --file other.json
  cmp "$dir/other.json" "$dir/config.json"
  run runtime spec -b "$dir" --file missing/other.json
  expect_status 1
  expect_text "missing/other.json"
  ln -s "$BUNDLE/rootfs" "$dir/rootfs"
  edit_config "$dir" 'c["process"]["terminal"] = False' 'c["process"]["args"] = ["echo", "from spec"]' \
    'c["root"]["path"] = "'"$BUNDLE/rootfs"'"' 'c["linux"]["cgroupsPath"] = "/berth-bats/spec"'
  run runtime run -b "$dir" c1
  expect_status 0
  expect_output "from spec"
}

@test "features is a document that names hooks, namespaces and cgroup versions" {
  runtime features | jq -e '.ociVersionMax and (.hooks | index("poststop")) and (.linux.namespaces | index("time")) and .linux.cgroup.v2'
}

@test "features names the annotations that lead to files and rights of the host" {
  # shellcheck disable=SC2016
  runtime features | jq -e '.potentiallyUnsafeConfigAnnotations as $list | ["org.criu.config", "org.systemd.property.ExecStop", "run.oci.hooks.stdout",
    "run.oci.keep_original_groups", "run.oci.pidfd_receiver", "run.oci.seccomp.receiver"] |
    all(. as $key | any($list[]; . == $key or (endswith(".") and . as $prefix | $key | startswith($prefix))))'
}

@test "what is not supported says so" {
  run runtime --cgroup-manager nobody list
  expect_status 1
  expect_text "cgroupfs, systemd or disabled"
  run runtime nosuchverb
  expect_status 3
}

@test "without systemd a scope is refused with what to do, and nothing is left" {
  [ ! -d /run/systemd/system ] || skip "systemd runs here"
  run runtime --systemd-cgroup run -b "$BUNDLE" c1
  expect_status 1
  expect_text "systemd does not run on this machine"
  expect_text "--cgroup-manager=cgroupfs"
  [ -z "$(runtime list -q)" ]
}

@test "without cgroups a container stays in the caller's" {
  local dir=$BATS_TEST_TMPDIR/b
  copy_bundle "$dir" 'c["process"]["args"] = ["sleep", "100"]' \
    'c["linux"]["cgroupsPath"] = "/berth-bats/none"' 'c["linux"]["resources"]["memory"] = {"limit": 67108864}'
  runtime --cgroup-manager disabled run -d -b "$dir" c1 </dev/null >"$BATS_TEST_TMPDIR/log" 2>&1
  diff /proc/self/cgroup "/proc/$(runtime state c1 | jq .pid)/cgroup"
  grep -q "linux.resources.memory.*cgroups are disabled" "$BATS_TEST_TMPDIR/log"
  run runtime pause c1
  expect_status 1
  runtime delete --force c1
  [ -z "$(find /sys/fs/cgroup -path '*/berth-bats/none' -print -quit)" ]
}

@test "errors go to the log file as JSON lines too" {
  local log=$BATS_TEST_TMPDIR/log
  run runtime --log "$log" --log-format json state nope
  expect_status 1
  [ "$(jq -r .level "$log")" = error ]
  [ "$(jq -r .msg "$log")" = "container does not exist: nope" ]
}

@test "ids that are paths are refused" {
  for id in a/b .. '' 'a b'; do
    run runtime create -b "$BUNDLE" "$id"
    expect_status 1
    expect_text "invalid container ID format"
  done
}

@test "nothing is left after the end: cgroups, state, processes" {
  start_container
  runtime delete --force c1
  [ -z "$(find /sys/fs/cgroup -path '*/berth-bats/verbs' -print -quit)" ]
  [ -z "$(ls -A "$RUNTIME_ROOT")" ]
}

@test "the manual page names every verb and option" {
  local page=$BERTH_TOP/docs/man/berth-runtime.8 verb option
  for verb in $(runtime --help | sed -n '/^Verbs:/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
    grep -q "^.SS \"$verb" "$page" || fail "no verb $verb"
    for option in $(runtime "$verb" --help | sed -n 's/.* --\([a-z-]*\) .*/\1/p'); do
      sed 's/\\-/-/g' "$page" | grep -q -- "--$option\\\\fR" || fail "no option --$option of $verb"
    done
  done
}

@test "what is wrong with a config.json is said with its bundle, or its container" {
  local b=$BATS_TEST_TMPDIR/b
  copy_bundle "$b" 'c["process"]["args"] = []'
  run runtime create -b "$b" c1 </dev/null
  expect_output "bundle '$b': config.json: process.args: missing, there is nothing to run"
  echo '{' >"$b/config.json"
  run runtime create -b "$b" c1 </dev/null
  expect_text "bundle '$b': config.json: "
  rm "$b/config.json"
  run runtime create -b "$b" c1 </dev/null
  expect_text "bundle '$b': cannot open 'config.json'"
  start_container
  cp "$RUNTIME_ROOT/c1/config.json" "$BATS_TEST_TMPDIR/kept"
  echo '{' >"$RUNTIME_ROOT/c1/config.json"
  run runtime exec c1 true
  expect_text "container 'c1': config.json: "
  cp "$BATS_TEST_TMPDIR/kept" "$RUNTIME_ROOT/c1/config.json"
}
