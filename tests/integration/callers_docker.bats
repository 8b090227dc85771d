# SPDX-License-Identifier: Apache-2.0
# lanes: native, the daemon uses the machine's own cgroups, and an emulated processor is too slow for it
# docker, with berth-runtime as the default runtime of its daemon: nobody notices.
load ../lib/common
load ../lib/callers

setup_file() {
  [ "$(id -u)" = 0 ] && command -v dockerd >/dev/null && command -v docker >/dev/null || return 0 # setup() skips
  export DOCKERD_CONFIG="{\"runtimes\":{\"berth\":{\"path\":\"$BERTH_BIN/berth-runtime\"}},\"default-runtime\":\"berth\"}"
  start_peers docker
  make_image docker "$BATS_FILE_TMPDIR/image.tar"
  docker load -q -i "$BATS_FILE_TMPDIR/image.tar"
}
teardown_file() { stop_peers; }
setup() { needs root program:dockerd program:docker; }
teardown() {
  local ids
  ids=$(docker ps -aq)
  # shellcheck disable=SC2086
  [ -z "$ids" ] || docker rm -f $ids >/dev/null
}

engine() { docker "$@"; }
run_it() { docker run --rm "$@"; }
sleeping() { docker run -d --name c1 "$@" berth-test sleep 100 >/dev/null; }
export -f run_it

@test "docker info names the runtime, and it is the one that runs" {
  run -0 docker info -f '{{.DefaultRuntime}} {{.Runtimes.berth.Path}}'
  expect_output "berth $BERTH_BIN/berth-runtime"
  sleeping
  run -0 docker inspect -f '{{.HostConfig.Runtime}}' c1
  expect_output berth
}

@test "docker run: output, stdin and exit codes" {
  check_output_and_exit_codes
  run -137 docker run --rm --init berth-test sh -c 'kill -9 $$'
}

@test "docker run -it and exec -it: a terminal of the right size, which follows the user's" {
  sleeping
  check_terminals
}

@test "docker exec: exit codes, user, environment, directory, detached, and what is not there" {
  sleeping
  check_exec 126
}

@test "limits, docker update, stats and top" {
  sleeping -m 64m --pids-limit 30 --cpus 0.5
  check_limits
  run -0 docker stats --no-stream --format '{{.MemUsage}} {{.PIDs}}' c1
  [[ $output == *"/ 32MiB 1" ]] || fail "no statistics"
  run -0 docker top c1 -o pid,comm
  [ "${#lines[@]}" = 2 ] && [[ ${lines[1]} == *" sleep" ]]
}

@test "a container that runs out of memory is reported as such" {
  run -137 docker run --name c1 -m 16m --memory-swap 16m berth-test sh -c 'x=$(yes aaaaaaaaaaaaaaaa | head -c 100m)'
  run -0 docker inspect -f '{{.State.OOMKilled}} {{.State.ExitCode}}' c1
  expect_output "true 137"
}

@test "pause, unpause, kill, stop, restart, logs, events" {
  local since
  since=$(date +%s.%N)
  docker run -d --name c1 berth-test sh -c 'trap "echo got it; exit 3" TERM; echo started; while :; do sleep 0.1; done' >/dev/null
  check_life
  run -0 docker events --since "$since" --until "$(date +%s.%N)" --filter container=c1 --format '{{.Action}}'
  # docker 26 says "stop" before "die"
  [ "$(grep -Ev '^(exec_|attach)' <<<"$output" | tr '\n' ' ' | sed 's/stop die/die stop/g')" = "create start pause unpause kill die stop start restart kill die stop start kill die " ] ||
    fail "other events"
}

@test "restart policy and health check" {
  docker run -d --name again --restart on-failure:1 berth-test sh -c 'echo run; exit 4' >/dev/null
  docker run -d --name sound --health-cmd 'test -e /ok' --health-interval 0.2s --health-retries 1 berth-test sh -c 'sleep 1; touch /ok; sleep 100' >/dev/null
  wait_until 10 eval '[ "$(docker inspect -f "{{.State.Health.Status}}" sound)" = unhealthy ]'
  wait_until 10 eval '[ "$(docker inspect -f "{{.State.Health.Status}}" sound)" = healthy ]'
  wait_until 10 eval '[ "$(docker inspect -f "{{.State.Status}} {{.RestartCount}} {{.State.ExitCode}}" again)" = "exited 1 4" ]'
  [ "$(docker logs again)" = $'run\nrun' ]
}

@test "privileges, devices, file systems" {
  check_privileges
  run -0 docker run --rm --init -u 1000:29 --group-add 55 --ulimit nofile=10:20 --hostname hh berth-test sh -c 'cat /proc/1/comm; id -G; ulimit -n; hostname'
  expect_output $'docker-init\n29 55\n10\nhh'
}
