# SPDX-License-Identifier: Apache-2.0
# lanes: native, the engine uses the machine's own cgroups, and an emulated processor is too slow for it
# podman and conmon, with berth-runtime as the runtime of containers.conf, as root and as an ordinary user: nobody notices.
load ../lib/common
load ../lib/callers

setup_file() {
  [ "$(id -u)" = 0 ] && command -v podman >/dev/null || return 0 # setup() skips
  export PODMAN_RUNTIME=$BERTH_BIN/berth-runtime
  start_peers podman
  make_image docker "$BATS_FILE_TMPDIR/image.tar"
  podman load -q -i "$BATS_FILE_TMPDIR/image.tar"
}
teardown_file() {
  [ -z "${USERS:-}" ] || unmake_users
  stop_peers
}
setup() { needs root program:podman program:conmon; }
teardown() {
  podman pod rm -a -f -t 0 >/dev/null
  podman rm -a -f -t 0 >/dev/null
}

engine() { podman "$@"; }
alone() { podman run --network none "$@"; }
run_it() { podman run --network none --rm "$@"; }

@test "podman info names the runtime and its version" {
  run -0 podman info -f '{{.Host.OCIRuntime.Path}} {{.Host.OCIRuntime.Version}}'
  expect_text "$BERTH_BIN/berth-runtime berth-runtime version "
}

@test "podman run: output, stdin, exit codes, and the runtime's own words" {
  check_output_and_exit_codes
  run -0 alone --rm --preserve-fds 1 berth-test sh -c 'cat <&3' 3<<<kept
  expect_output kept
}

@test "the runtime by its path, with crun's options before the verb" {
  run -0 podman --runtime "$BERTH_BIN/berth-runtime" --runtime-flag debug --runtime-flag cgroup-manager=cgroupfs \
    run --rm --network none berth-test echo by path
  expect_text "by path"
  run -126 podman --runtime "$BERTH_BIN/berth-runtime" --runtime-flag rootless=maybe run --rm --network none berth-test true
  expect_text "'maybe' is not true, false or auto"
}

@test "run -it and exec -it: a terminal that follows the size of the user's" {
  alone -d --name c1 berth-test sleep 100
  check_terminals
}

@test "exec: exit codes, user, environment, directory, detached, and what is not there" {
  alone -d --name c1 berth-test sleep 100
  check_exec 127
  run -0 podman exec --preserve-fds 1 c1 sh -c 'cat <&3' 3<<<kept
  expect_output kept
}

@test "limits, update, stats, top" {
  alone -d --name c1 -m 64m --pids-limit 30 --cpus 0.5 berth-test sleep 100
  check_limits
  run -0 podman stats --no-stream --format '{{.MemUsage}} {{.PIDs}}' c1
  [[ $output == *"MB 1" ]] || fail "no statistics"
  run -0 podman top c1 pid comm
  [ "$(tr -s ' ' <<<"${lines[1]}")" = "1 sleep " ] || [ "$(tr -s ' ' <<<"${lines[1]}")" = "1 sleep" ]
}

@test "pause, unpause, kill, stop, restart, logs, init, attach, wait" {
  alone -d --name c1 berth-test sh -c 'trap "echo got it; exit 3" TERM; echo started; while :; do sleep 0.1; done'
  check_life
  podman create --network none --name c2 berth-test sh -c 'echo created; exit 5'
  podman init c2
  [ "$(podman inspect -f '{{.State.Status}}' c2)" = initialized ]
  run -5 podman start -a c2
  expect_output created
}

@test "pods: an infra container's namespaces are shared" {
  # for podman 4.3 every controller of /proc/cgroups has a hierarchy
  [ ! -d /sys/fs/cgroup/memory ] || mountpoint -q /sys/fs/cgroup/hugetlb || skip "needs a hugetlb hierarchy, which is in use"
  podman pod create --name pod --hostname podhost --share ipc,uts,net --network none --infra-image berth-test --infra-command 'sleep 1000'
  podman run -d --pod pod --name c1 berth-test sleep 100
  run -0 podman run --rm --pod pod berth-test sh -c 'hostname; readlink /proc/self/ns/net'
  [ "${lines[0]}" = podhost ]
  [ "${lines[1]}" = "$(podman exec c1 readlink /proc/self/ns/net)" ]
  podman pod pause pod
  podman pod unpause pod
  podman pod stop -t 0 pod
  podman pod start pod
  [ "$(podman pod inspect -f '{{.State}}' pod)" = Running ]
  podman pod rm -f -t 0 pod
}

@test "privileges, devices, file systems, user namespace, health check" {
  check_privileges
  run -0 alone --rm --uidmap 0:200000:5000 --gidmap 0:200000:5000 -u 1000 berth-test sh -c 'tr -s " " </proc/self/uid_map; id -u; touch /tmp/x && stat -c %u /tmp/x'
  expect_output $' 0 200000 5000\n1000\n1000'
  run -0 alone --rm --cgroups disabled berth-test sh -c 'grep -c libpod_parent /proc/self/cgroup || true'
  expect_output 0
  alone -d --name c1 --health-cmd 'test -e /ok' --health-interval disable berth-test sh -c 'sleep 100'
  run -1 podman healthcheck run c1
  podman exec c1 touch /ok
  run -0 podman healthcheck run c1
}

@test "--init" {
  [ -e /usr/libexec/podman/catatonit ] || needs program:catatonit
  run -0 alone --rm --init berth-test cat /proc/1/comm
  expect_output podman-init
}

@test "an ordinary user's podman: run, exec, logs, stop" {
  needs userns program:newuidmap
  make_users
  local dir=$USERS
  while [ "$dir" != /tmp ] && [ "$dir" != / ]; do # podman wants all to be able to enter, and would see to it
    chmod a+x "$dir"
    dir=$(dirname "$dir")
  done
  cp "$BATS_FILE_TMPDIR/image.tar" "$USER_HOME/image.tar"
  chmod 644 "$USER_HOME/image.tar"
  sed "s#= \"$BATS_FILE_TMPDIR.*##; s#\"$BERTH_BIN/#\"$USERS/bin/#" "$CONTAINERS_CONF" >"$USER_HOME/containers.conf"
  printf '[storage]\ndriver = "vfs"\ngraphroot = "%s/store"\nrunroot = "%s/run/store"\n' "$USER_HOME" "$USER_HOME" >"$USER_HOME/storage.conf"
  chmod 644 "$USER_HOME"/*.conf
  user_podman() {
    as_user env PODMAN_IGNORE_CGROUPSV1_WARNING=1 CONTAINERS_CONF="$USER_HOME/containers.conf" CONTAINERS_STORAGE_CONF="$USER_HOME/storage.conf" podman "$@"
  }
  user_podman load -q -i "$USER_HOME/image.tar"
  # detached: an attached run of such a user waits 20 s for conmon's end on some hosts, with every runtime
  user_podman run -d --network none --name c1 berth-test sh -c 'trap "exit 3" TERM; echo started; while :; do sleep 0.1; done'
  run -0 user_podman exec c1 sh -c 'id -u; tr -s " " </proc/self/uid_map'
  expect_output $'0\n 0 54321 1\n 1 600000 65536'
  run -7 user_podman exec -u 1000 c1 sh -c 'id -u; touch /tmp/x && stat -c %u /tmp/x; exit 7'
  expect_output $'1000\n1000'
  run -0 user_podman inspect -f '{{.OCIRuntime}} {{.State.Status}}' c1
  expect_output "berth running"
  wait_until 5 eval '[ "$(user_podman logs c1)" = started ]'
  user_podman stop -t 5 c1
  [ "$(user_podman inspect -f '{{.State.ExitCode}}' c1)" = 3 ]
  user_podman rm -a -f -t 0
  user_podman system migrate # ends the process that holds the namespace
}
