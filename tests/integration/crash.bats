# SPDX-License-Identifier: Apache-2.0
# kill -9 of anything but the container itself loses nothing.
load ../lib/common

setup_file() { berth_setup_file; load_image; }
teardown_file() { berth_teardown_file; }
setup() { needs root; }
teardown() { remove_all; }

@test "the user's berth run is killed: the container goes on, the exit code and the log are kept" {
  berth run --name survivor berth-test sh -c 'echo before; until [ -e /go ]; do sleep 0.1; done; echo after; exit 5' >/dev/null &
  local client=$!
  wait_until 10 bash -c '[ "$(berth inspect -f "{{.State.Running}}" survivor)" = true ]'
  kill -9 "$client"
  wait "$client" || true
  [ "$(state Running survivor)" = true ]
  berth exec survivor touch /go
  [ "$(berth wait survivor)" = 5 ]
  run -0 berth logs survivor
  expect_output $'before\nafter'
}

@test "the user's berth run --rm is killed: the container is removed when it ends" {
  berth run --rm --name cleaned berth-test sleep 1000 &
  local client=$!
  wait_until 10 bash -c '[ "$(berth inspect -f "{{.State.Running}}" cleaned)" = true ]'
  kill -9 "$client"
  wait "$client" || true
  berth kill cleaned
  wait_until 10 bash -c '[ -z "$(berth ps -aq)" ]'
}

@test "the monitor is killed: the container goes on, ps and exec see it, stop and rm work" {
  berth run -d --name orphan berth-test sleep 100 >/dev/null
  kill -9 "$(monitor_of orphan)"
  sleep 0.3
  [ "$(state Running orphan)" = true ]
  run -0 berth exec orphan echo still here
  expect_output "still here"
  berth stop -t 1 orphan
  [ "$(state Running orphan)" = false ]
  berth start orphan
  [ "$(state Running orphan)" = true ]
  berth rm -f orphan
}

@test "the container's own process is killed: 137 is recorded" {
  berth run -d --name victim berth-test sleep 100 >/dev/null
  kill -9 "$(state Pid victim)"
  [ "$(berth wait victim)" = 137 ]
  [ "$(state Status victim)" = exited ]
}

@test "twenty clients killed at random moments leave nothing half made" {
  for i in $(seq 20); do
    berth run --rm berth-test true >/dev/null 2>&1 &
    local client=$!
    sleep "0.00$((i % 10))"
    kill -9 "$client" 2>/dev/null || true
    wait "$client" 2>/dev/null || true
  done
  wait_until 15 bash -c '[ -z "$(berth ps -aq --filter status=running)" ]'
  # what is young may still be in the making: made older here, so that it is judged now
  find "$BERTH_ROOT/containers" -mindepth 1 -maxdepth 1 -exec touch -d '1 hour ago' {} +
  berth system check --repair
  remove_all
  run -0 berth system check
  [ -z "$(ls "$BERTH_ROOT/containers" 2>/dev/null)" ]
}
