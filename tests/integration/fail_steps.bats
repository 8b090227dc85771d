# SPDX-License-Identifier: Apache-2.0
# Each step on the way to a running process fails on purpose, or the process dies there: one sentence, the right exit code,
# and the host is clean. The steps are read out of the sources, so a new one is tested from its first day.
# shellcheck disable=SC2086 # lists of steps are split on purpose
load ../lib/common

setup_file() {
  local reason
  FAIL_BIN=$("$BERTH_TOP/tests/lib/fail-build" 2>"$BATS_FILE_TMPDIR/build.log") || {
    [ $? = 77 ] || { cat "$BATS_FILE_TMPDIR/build.log"; return 1; }
    reason=$FAIL_BIN
  }
  export FAIL_BIN FAIL_REASON=$reason
  [ -z "$reason" ] || return 0
  PATH=$FAIL_BIN:$PATH
  berth_setup_file
  load_image
  export BUNDLE=$BATS_FILE_TMPDIR/bundle
  make_bundle "$BUNDLE" 'c["process"]["terminal"] = False' 'c["linux"]["cgroupsPath"] = "/berth-fail/c1"'
  make_bundle "$BATS_FILE_TMPDIR/hooked" 'c["process"]["terminal"] = False' \
    'c["linux"]["cgroupsPath"] = "/berth-fail/c1"' 'c["hooks"] = {"createRuntime": [{"path": "/bin/true"}]}'
  mounts_now >"$BATS_FILE_TMPDIR/mounts"
  export INIT_STEPS CREATE_STEPS SPAWN_STEPS EXEC_STEPS
  INIT_STEPS=$(steps init.c init_steps init)
  EXEC_STEPS=$(steps join.c join_steps exec)
  SPAWN_STEPS=$(steps creation.c spawn_steps create)
  CREATE_STEPS=$(steps creation.c prepare_steps create; echo "$SPAWN_STEPS"; steps creation.c record_steps create)
}
teardown_file() {
  [ -n "$FAIL_REASON" ] || berth_teardown_file
  rmdir /sys/fs/cgroup/{,*/}berth-fail{,-engine} 2>/dev/null || true
}
setup() {
  needs root
  [ -z "$FAIL_REASON" ] || skip "$FAIL_REASON"
  PATH=$FAIL_BIN:$PATH
}

mounts_now() { grep -F "$BATS_FILE_TMPDIR" /proc/self/mountinfo || true; }

# The rows of a table: steps FILE TABLE SCOPE
steps() {
  local found
  found=$(sed -n "/ $2\\[\\] = {/,/^};/s/.*{ \"\\([^\"]*\\)\",.*/$3.\\1/p" "$BERTH_TOP/src/runtime/$1")
  [ -n "$found" ] || { echo "no table $2 in $1" >&2; return 1; }
  # An emulated processor is ten times slower: there, a quarter of them and those that differ between cgroup v1 and v2.
  [ "${BERTH_TEST_LANE:-}" != v2 ] || found=$(awk 'NR % 4 == 1 || /cgroup|[.]start$/' <<<"$found")
  echo "$found"
}
killed() { printf '%s:kill\n' "$@"; }

# Nothing of a container is left but what was there before: clean STEP
clean() {
  local left
  left=$(cd / && shopt -s nullglob && echo sys/fs/cgroup/{,*/}{berth-fail,berth-fail-engine}/*/cgroup.procs \
    "$RUNTIME_ROOT"/* "$BERTH_STATE"-runtime/*)
  [ -z "$left" ] || fail "$1: left behind: $left"
  [ "$(mounts_now)" = "$(<"$BATS_FILE_TMPDIR/mounts")" ] || fail "$1: mounts are left: $(mounts_now)"
  left=$(pgrep -fa -- "--(runtime-)?root $BATS_FILE_TMPDIR") || true
  [ -z "$left" ] || fail "$1: processes are left: $left"
}

# What was said is one sentence about this step, and nothing claims success: refused STEP
refused() {
  [ "$status" -ne 0 ] || fail "$1: success"
  [ "$(grep -c . <<<"$output")" = 1 ] || fail "$1: not one sentence"
  case $1 in
    create.*:kill) expect_text "the runtime died while it made the container" ;;
    *:kill) expect_text "during set-up: killed by signal" ;;
    *) expect_text "failure on purpose in step '$1'" ;;
  esac
}

# The creator itself is killed by create.*:kill: whoever comes next can remove everything.
recover() {
  [ "$status" = 137 ] || fail "$1: not killed"
  runtime delete --force c1
}

# A created container's init keeps the output open, which "run" would wait for: into_file COMMAND...
into_file() {
  status=0
  "$@" >"$BATS_TEST_TMPDIR/output" 2>&1 </dev/null || status=$?
  output=$(cat "$BATS_TEST_TMPDIR/output")
}

is_spawn_step() { [[ $'\n'$SPAWN_STEPS$'\n' = *$'\n'$1$'\n'* ]]; }

@test "run: each step fails, or dies" {
  local step
  for step in $INIT_STEPS $(killed $INIT_STEPS) $CREATE_STEPS; do
    into_file env BERTH_FAIL="$step" berth-runtime --root "$RUNTIME_ROOT" run -b "$BUNDLE" c1
    is_spawn_step "$step" && [ "$status" = 0 ] && continue # the way through shared memory has none of these
    refused "$step"
    clean "$step"
  done
}

# A death behind "start" cannot be told from that of the container's program, whose exit code is then what counts.
@test "run with hooks, the way through sockets: each step fails, or dies" {
  local step
  for step in $INIT_STEPS $(killed ${INIT_STEPS%%init.start*}) $CREATE_STEPS; do
    into_file env BERTH_FAIL="$step" berth-runtime --root "$RUNTIME_ROOT" run -b "$BATS_FILE_TMPDIR/hooked" c1
    refused "$step"
    clean "$step"
  done
}

@test "create and start: each step fails, or dies" {
  local step late=
  for step in $INIT_STEPS $CREATE_STEPS; do
    into_file env BERTH_FAIL="$step" berth-runtime --root "$RUNTIME_ROOT" create -b "$BUNDLE" c1
    if [ "$status" = 0 ] && [ -n "$late" ]; then
      run runtime start c1
      refused "$step"
      [ "$(runtime state c1 | grep -c '"status": "stopped"')" = 1 ] || fail "$step: not stopped"
      runtime delete c1
    else
      refused "$step"
    fi
    clean "$step"
    [ "$step" != init.start ] || late=1
  done
  for step in $(killed ${INIT_STEPS%%init.start*}); do
    into_file env BERTH_FAIL="$step" berth-runtime --root "$RUNTIME_ROOT" create -b "$BUNDLE" c1
    refused "$step"
    clean "$step"
  done
}

@test "the creator dies at each of its steps: delete --force removes everything" {
  local step verb
  for step in $CREATE_STEPS; do
    for verb in create run; do
      into_file env BERTH_FAIL="$step:kill" berth-runtime --root "$RUNTIME_ROOT" "$verb" -b "$BUNDLE" c1
      [[ $verb = run && $status = 0 ]] || recover "$step"
      wait_until 5 clean "$step"
    done
  done
}

@test "exec: each step fails, or dies; the container goes on" {
  local step
  edit_config "$BATS_FILE_TMPDIR/hooked" 'c["process"]["args"] = ["sleep", "100"]' 'c.pop("hooks", None)'
  runtime run -d -b "$BATS_FILE_TMPDIR/hooked" c1 </dev/null >/dev/null 2>&1
  for step in $EXEC_STEPS $(killed $EXEC_STEPS); do
    into_file env BERTH_FAIL="$step" berth-runtime --root "$RUNTIME_ROOT" exec c1 true
    [ "$status" = 255 ] || fail "$step: exit code $status"
    refused "$step"
    [ "$(runtime ps c1 | grep -c sleep)" = 1 ]
    [ "$(runtime ps c1 | wc -l)" = 2 ] || fail "$step: $(runtime ps c1)"
  done
  runtime exec c1 true
  runtime delete --force c1
  clean exec
}

@test "berth run: each step fails, or dies: 125 or what docker says, and nothing is left" {
  local step
  for step in $INIT_STEPS $(killed $INIT_STEPS) $CREATE_STEPS $(killed $CREATE_STEPS); do
    into_file env BERTH_FAIL="$step" berth run --rm --cgroup-parent /berth-fail-engine berth-test true
    is_spawn_step "${step%:kill}" && [ "$status" = 0 ] && continue
    refused "$step"
    [ "$status" = 125 ] || fail "$step: exit code $status"
    clean "$step"
  done
  [ -z "$(berth ps -aq)" ] || fail "containers are left"
  [ -z "$(ls "$BERTH_ROOT/containers")" ] || fail "directories are left"
  [ -z "$(ls "$BERTH_ROOT/trash")" ] || fail "trash is left"
  [ -z "$(find "$BERTH_STATE" -mindepth 1 -type d)" ] || fail "state is left"
  run -0 berth system check
}
