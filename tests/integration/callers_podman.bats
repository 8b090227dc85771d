# SPDX-License-Identifier: Apache-2.0
# lanes: native, the engine uses the machine's own cgroups, and an emulated processor is too slow for it
# podman and conmon, with berth-runtime as the runtime of containers.conf, as root and as an ordinary user: nobody notices.
load ../lib/common
load ../lib/callers

setup_file() {
  [ "$(id -u)" = 0 ] && command -v podman >/dev/null || return 0 # setup() skips
  export PODMAN_RUNTIME=$BERTH_BIN/berth-runtime
  start_peers podman
  [ -e /run/berth-runtime ] || export FRESH_ROOT=/run/berth-runtime # podman leaves it to the runtime where the state is
  make_image docker "$BATS_FILE_TMPDIR/image.tar"
  podman load -q -i "$BATS_FILE_TMPDIR/image.tar"
  ! command -v newuidmap >/dev/null || ! unshare -U true 2>/dev/null || { make_users; prepare_user; }
}
teardown_file() {
  [ -z "${USERS:-}" ] || { user_podman system migrate; unmake_users; } # ends the process that holds the namespace
  stop_peers
  [ -z "${FRESH_ROOT:-}" ] || rmdir "$FRESH_ROOT"
}
setup() { needs root program:podman program:conmon; }
teardown() {
  podman pod rm -a -f -t 0 >/dev/null
  podman rm -a -f -t 0 >/dev/null
  [[ $BATS_TEST_DESCRIPTION != "an ordinary user"* ]] || [ -z "${USERS:-}" ] || {
    user_podman pod rm -a -f -t 0 >/dev/null
    user_podman rm -a -f -t 0 >/dev/null
  }
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

@test "play kube: a pod of a document, and its end" {
  local file=$BATS_TEST_TMPDIR/pod.yaml
  [ ! -d /sys/fs/cgroup/memory ] || mountpoint -q /sys/fs/cgroup/hugetlb || skip "needs a hugetlb hierarchy, which is in use"
  [ -e /usr/libexec/podman/catatonit ] || needs program:catatonit # podman makes an image of it
  cat >"$file" <<'END'
{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "kube"}, "spec": {"containers": [{"name": "c1", "image": "localhost/berth-test",
  "command": ["sh", "-c", "trap 'exit 3' TERM; hostname; while :; do sleep 0.1; done"], "env": [{"name": "A", "value": "b"}],
  "securityContext": {"readOnlyRootFilesystem": true, "capabilities": {"drop": ["CAP_MKNOD"]}}}]}}
END
  podman play kube --network none "$file"
  wait_until 5 eval '[ "$(podman logs kube-c1)" = kube ]'
  run -0 podman exec kube-c1 sh -c 'echo $A; touch /x 2>/dev/null || echo refused'
  expect_output $'b\nrefused'
  podman play kube --down "$file"
  run ! podman container exists kube-c1
}

# --- as an ordinary user ---

needs_user() {
  needs userns program:newuidmap
  [ -n "${USERS:-}" ] || skip "needs the ordinary user of this file"
}

# detached, all of them: an attached run of such a user waits 20 s for conmon's end on some hosts, with every runtime

@test "an ordinary user's podman: run, exec, logs, stop" {
  needs_user
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
}

@test "an ordinary user's podman: keep-id, a terminal, capabilities, devices and volumes" {
  needs_user
  export -f as as_user user_podman
  user_podman run -d --network none --name c1 --userns keep-id -v "$USER_HOME/run:/run" -v vol:/vol --read-only --tmpfs /t:mode=1777 --init \
    --cap-drop all --security-opt no-new-privileges --device /dev/null:/dev/x berth-test sleep 100
  run -0 user_podman exec c1 sh -c 'id -u; tr -s " " </proc/self/uid_map; stat -c %u /run; touch /vol/x /t/x && stat -c %u /vol/x; cat /proc/1/comm'
  expect_output $'54321\n 0 1 54321\n 54321 0 1\n 54322 54322 11215\n54321\n54321\npodman-init'
  run -0 user_podman exec c1 sh -c 'grep -E "CapBnd|NoNew" /proc/self/status; stat -c %t:%T /dev/x; touch /x 2>/dev/null || echo refused'
  expect_output $'CapBnd:\t0000000000000000\nNoNewPrivs:\t1\n1:3\nrefused'
  run -4 in_terminal 33 77 bash -c 'user_podman exec -it c1 sh -c "until stty size 2>/dev/null | grep -q 33; do sleep 0.05; done; tty; exit 4"'
  expect_output /dev/pts/0
}

@test "an ordinary user's podman: slirp4netns, a published port" {
  local try page=''
  needs_user
  needs program:slirp4netns
  [ -c /dev/net/tun ] || skip "needs /dev/net/tun"
  for try in 1 2 3; do # another may have the port
    port=$((20000 + RANDOM % 20000))
    ! user_podman run -d --network slirp4netns -p "127.0.0.1:$port:80" --name c1 berth-test sh -c 'echo page >/tmp/index.html; exec httpd -f -p 80 -h /tmp' || break
    user_podman rm -f -t 0 c1
  done
  wait_until 10 eval '[ "$(curl -s -m 3 "http://127.0.0.1:$port/")" = page ]'
  run -0 user_podman exec c1 sh -c 'ip -o -4 addr show tap0; ip route'
  expect_text "10.0.2.100/24"
  expect_text "default via 10.0.2.2 dev tap0"
  user_podman kill c1
  [ "$(user_podman wait c1)" = 137 ]
}

@test "an ordinary user's podman: a pod whose containers share their processes, too" {
  needs_user
  user_podman pod create --name pod --hostname podhost --share ipc,uts,net,pid --network none --infra-image berth-test --infra-command 'sleep 1000'
  user_podman run -d --pod pod --name c1 berth-test sleep 100
  run -0 user_podman exec c1 sh -c 'hostname; ps -o args | grep -c "^sleep 1000\?$"'
  expect_output $'podhost\n2'
  user_podman pod stop -t 0 pod
  user_podman pod start pod
  [ "$(user_podman pod inspect -f '{{.State}}' pod)" = Running ]
  user_podman pod rm -f -t 0 pod
  run ! user_podman pod exists pod
}

@test "podman container checkpoint and restore: where it was, also from an archive under another name, and with its terminal" {
  needs program:criu
  local said
  said=$(criu check 2>&1) || skip "criu cannot work here: $(grep -m 1 Error <<<"$said")"
  alone -d --name c1 berth-test sh -c 'i=0; while :; do i=$((i+1)); echo $i >/dev/shm/n; sleep 0.1; done'
  sleep 1
  podman container checkpoint c1
  [ "$(podman inspect -f '{{.State.Status}} {{.State.Checkpointed}}' c1)" = "exited true" ]
  podman container restore c1
  [ "$(podman exec c1 cat /dev/shm/n)" -gt 5 ]
  podman container checkpoint -e "$BATS_TEST_TMPDIR/c.tar" --leave-running c1
  podman container restore -i "$BATS_TEST_TMPDIR/c.tar" --name c2
  [ "$(podman exec c2 cat /dev/shm/n)" -gt 5 ]
  [ "$(podman ps --format '{{.Names}}' | sort | xargs)" = "c1 c2" ]
  alone -dt --name c3 berth-test sh -c 'while :; do echo tick; sleep 0.1; done'
  podman container checkpoint c3
  podman container restore c3
  podman exec c3 sh -c 'tty </proc/1/fd/0; echo "on the terminal" >/dev/console'
  wait_until 5 eval 'podman logs c3 | grep -q "on the terminal"'
}
