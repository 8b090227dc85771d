# SPDX-License-Identifier: Apache-2.0
# lanes: systemd, needs systemd as pid 1
# podman (also of an ordinary user) and docker that let systemd make the cgroups, with berth-runtime below them.
load ../lib/common
load ../lib/callers

setup_file() {
  mount -t tmpfs tmpfs /var/tmp # the root is an overlay, on which no other can be
  export PODMAN_RUNTIME=$BERTH_BIN/berth-runtime
  export DOCKERD_CONFIG="{\"runtimes\":{\"berth\":{\"path\":\"$BERTH_BIN/berth-runtime\"}},\"default-runtime\":\"berth\",\"exec-opts\":[\"native.cgroupdriver=systemd\"]}"
  start_peers podman docker
  sed -i 's/^cgroup_manager.*/cgroup_manager = "systemd"/' "$CONTAINERS_CONF"
  make_image docker "$BATS_FILE_TMPDIR/image.tar"
  podman load -q -i "$BATS_FILE_TMPDIR/image.tar"
}
teardown_file() {
  stop_peers
  rmdir /run/berth-runtime 2>/dev/null || true # podman names no --root
  umount -l /var/tmp # a daemon may still be on its way out
}
setup() { needs root program:podman program:dockerd; }

# The unit's properties, in order of their names, on one line: show MemoryMax TasksMax
show() {
  systemctl show "$unit" $(printf -- '-p %s ' "$@") | sort | xargs
}

@test "podman: a container is a scope with its limits; exec, update, stats, pause; nothing is left" {
  local unit id
  id=$(podman run -d --network none --name c1 -m 64m --pids-limit 50 --cpus 0.5 berth-test sleep 1000)
  unit=libpod-$id.scope
  [ "$(show ActiveState CPUQuotaPerSecUSec Delegate MemoryMax Slice TasksMax)" = \
    "ActiveState=active CPUQuotaPerSecUSec=500ms Delegate=yes MemoryMax=67108864 Slice=machine.slice TasksMax=50" ]
  run -7 podman exec c1 sh -c 'cat /proc/self/cgroup /sys/fs/cgroup/memory.max; exit 7'
  expect_output $'0::/\n67108864'
  podman update -m 32m --cpus 0.25 c1
  [ "$(show CPUQuotaPerSecUSec MemoryMax)" = "CPUQuotaPerSecUSec=250ms MemoryMax=33554432" ]
  [ "$(cat "/sys/fs/cgroup/machine.slice/$unit/memory.max")" = 33554432 ]
  run -0 podman stats --no-stream --format '{{.MemUsage}} {{.PIDs}}' c1
  [[ $output == [1-9]*" / "*"MB 1" ]] || fail "no statistics"
  podman pause c1
  [ "$(podman inspect -f '{{.State.Status}}' c1)" = paused ]
  podman unpause c1
  podman rm -f -t 0 c1
  [ "$(show LoadState)" = LoadState=not-found ]
  [ ! -e "/sys/fs/cgroup/machine.slice/$unit" ]
}

@test "podman: a pod is a slice with its containers' scopes" {
  local slice
  podman pod create --name pod --network none --memory 100m
  podman run -d --pod pod --name a -m 50m berth-test sleep 1000
  podman run -d --pod pod --name b berth-test sleep 1000
  slice=/sys/fs/cgroup/machine.slice/machine-libpod_pod_$(podman pod inspect -f '{{.ID}}' pod).slice
  [ "$(cat "$slice"/libpod-"$(podman inspect -f '{{.Id}}' a)".scope/memory.max)" = 52428800 ]
  [ "$(find "$slice" -maxdepth 1 -name 'libpod-*.scope' | wc -l)" = 3 ] # that of the pod itself, too
  podman pod rm -f -t 0 pod
  [ ! -e "$slice" ]
}

@test "podman of an ordinary user: scopes of his own manager, with their limits" {
  needs userns program:newuidmap
  start_user_manager
  prepare_user
  local id scope
  id=$(user_podman run -d --network none --name c1 -m 64m --pids-limit 30 --cpus 0.5 berth-test sleep 1000)
  scope=$MANAGED/user.slice/libpod-$id.scope
  [ "$(as_user systemctl --user show -P TasksMax "libpod-$id.scope")" = 30 ]
  cd "/sys/fs/cgroup$scope"
  [ "$(cat memory.max pids.max cpu.max | xargs)" = "67108864 30 50000 100000" ]
  run -0 user_podman exec c1 cat /sys/fs/cgroup/memory.max
  expect_output 67108864
  user_podman update -m 32m c1
  [ "$(cat memory.max)" = 33554432 ]
  cd /
  user_podman rm -f -t 0 c1
  [ ! -e "/sys/fs/cgroup$scope" ]
  stop_user_manager
}

@test "docker: the same with native.cgroupdriver=systemd" {
  local unit id
  wait_until 60 docker version # an emulated processor starts a daemon slowly
  docker load -q -i "$BATS_FILE_TMPDIR/image.tar"
  id=$(docker run -d --name c1 -m 64m --pids-limit 50 berth-test sleep 1000)
  unit=docker-$id.scope
  [ "$(show ActiveState MemoryMax Slice TasksMax)" = "ActiveState=active MemoryMax=67108864 Slice=system.slice TasksMax=50" ]
  run -7 docker exec c1 sh -c 'cat /proc/self/cgroup /sys/fs/cgroup/memory.max; exit 7'
  expect_output $'0::/\n67108864'
  docker update -m 32m --memory-swap 64m --cpus 0.5 c1
  [ "$(show CPUQuotaPerSecUSec MemoryMax)" = "CPUQuotaPerSecUSec=500ms MemoryMax=33554432" ]
  docker pause c1
  docker unpause c1
  docker rm -f c1
  [ "$(show LoadState)" = LoadState=not-found ]
}
