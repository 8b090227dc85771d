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

d() { docker "$@" 2>&1; }

@test "docker info names the runtime, and it is the one that runs" {
  run -0 docker info -f '{{.DefaultRuntime}} {{.Runtimes.berth.Path}}'
  expect_output "berth $BERTH_BIN/berth-runtime"
  docker run -d --name c1 berth-test sleep 100 >/dev/null
  run -0 docker inspect -f '{{.HostConfig.Runtime}}' c1
  expect_output berth
}

@test "docker run: output, stdin and exit codes" {
  run -0 --separate-stderr docker run --rm berth-test sh -c 'echo out; echo err >&2'
  [ "$output/$stderr" = out/err ]
  [ "$(echo in | docker run --rm -i berth-test cat)" = in ]
  run -7 docker run --rm berth-test sh -c 'exit 7'
  run -127 d run --rm berth-test nosuch
  expect_text 'exec: "nosuch": executable file not found in $PATH'
  run -126 d run --rm berth-test /etc/passwd
  expect_text 'exec: "/etc/passwd": permission denied'
  run -137 docker run --rm --init berth-test sh -c 'kill -9 $$'
}

@test "docker run -it and exec -it: a terminal of the right size, which follows the user's" {
  local follow='trap "stty size; exit 4" WINCH; stty size; echo ready; while :; do sleep 0.1; done'
  run -4 in_terminal 33 77 docker run --rm -it berth-test sh -c "sleep 0.5; $follow"
  expect_output $'33 77\nready\n50 100'
  docker run -d --name c1 berth-test sleep 100 >/dev/null
  run -4 in_terminal 33 77 docker exec -it c1 sh -c "sleep 0.5; tty; $follow"
  expect_output $'/dev/pts/0\n33 77\nready\n50 100'
}

@test "docker exec: exit codes, user, environment, directory, detached, and what is not there" {
  docker run -d --name c1 berth-test sleep 100 >/dev/null
  run -9 docker exec -e A=b -w /bin -u 1000 c1 sh -c 'echo $A $PWD $(id -u); exit 9'
  expect_output "b /bin 1000"
  docker exec -d c1 touch /there
  wait_until 5 docker exec c1 test -e /there
  run d exec c1 nosuch
  [ "$status" = 126 ] || [ "$status" = 127 ] # newer daemons
  expect_text 'exec: "nosuch": executable file not found in $PATH'
  run d exec -w /nosuch c1 true
  expect_text '("/nosuch")'
}

@test "limits, docker update, stats and top" {
  docker run -d --name c1 -m 64m --pids-limit 30 --cpus 0.5 berth-test sleep 100 >/dev/null
  run -0 docker exec c1 sh -c "$(cgroup_file memory/memory.limit_in_bytes memory.max); $(cgroup_file pids/pids.max pids.max)"
  expect_output $'67108864\n30'
  docker update -m 32m --memory-swap 64m --pids-limit 40 c1 >/dev/null
  run -0 docker exec c1 sh -c "$(cgroup_file memory/memory.limit_in_bytes memory.max); $(cgroup_file pids/pids.max pids.max)"
  expect_output $'33554432\n40'
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
  wait_until 5 eval '[ "$(docker logs c1)" = started ]'
  docker pause c1
  [[ $(docker ps --format '{{.Status}}') == *"(Paused)" ]]
  run -1 d exec c1 true
  docker unpause c1
  docker exec c1 true
  docker restart -t 5 c1
  wait_until 5 eval '[ "$(docker logs c1)" = $'\''started\ngot it\nstarted'\'' ]'
  docker stop -t 5 c1
  [ "$(docker inspect -f '{{.State.Status}} {{.State.ExitCode}}' c1)" = "exited 3" ]
  docker start c1
  docker kill -s KILL c1
  [ "$(docker wait c1)" = 137 ]
  run -0 docker events --since "$since" --until "$(date +%s.%N)" --filter container=c1 --format '{{.Action}}'
  [ "$(grep -Ev '^(exec_|attach)' <<<"$output" | tr '\n' ' ')" = "create start pause unpause kill die stop start restart kill die stop start kill die " ] ||
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
  run -0 docker run --rm --privileged berth-test sh -c 'grep Seccomp: /proc/self/status; mount -t tmpfs none /tmp && echo mounted'
  expect_output $'Seccomp:\t0\nmounted'
  run -0 docker run --rm --cap-drop ALL --cap-add CHOWN --security-opt no-new-privileges berth-test grep -E 'CapBnd|NoNew|Seccomp:' /proc/self/status
  expect_output $'CapBnd:\t0000000000000001\nNoNewPrivs:\t1\nSeccomp:\t2'
  run -0 docker run --rm --device /dev/kmsg:/dev/k:r --read-only --tmpfs /t:size=1m,mode=700 berth-test sh -c \
    'ls /dev/k; touch /t/x; stat -c %a /t; touch /x 2>/dev/null || echo refused'
  expect_output $'/dev/k\n700\nrefused'
  run -0 docker run --rm --init -u 1000:29 --group-add 55 --ulimit nofile=100:200 --hostname hh berth-test sh -c 'cat /proc/1/comm; id -G; ulimit -n; hostname'
  expect_output $'docker-init\n29 55\n100\nhh'
  run -0 docker run --rm -v vol:/v -v "$BATS_TEST_TMPDIR:/host:ro" berth-test sh -c 'echo a >/v/a; cat /v/a; touch /host/x 2>/dev/null || echo refused'
  expect_output $'a\nrefused'
}
