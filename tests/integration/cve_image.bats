# SPDX-License-Identifier: Apache-2.0
# What an image says of itself is data: it reaches no file, user, device or decision of the host.
# lanes: native, what an image says is read before a kernel is asked
load ../lib/common

setup_file() { berth_setup_file; }
teardown_file() { berth_teardown_file; }

setup() {
  needs root
  host=$BATS_TEST_TMPDIR/host
  mkdir "$host"
  echo untouched >"$host/file"
  before=$(host_state)
}

host_state() { find "$host" -printf '%P %y %m %U %G %s %l\n' | sort; cat "$host/file"; }
host_untouched() { [ "$(host_state)" = "$before" ] || fail "changed on the host: $(host_state)"; }

# image EDIT [ADDED-DIR]: the image hostile:latest, whose config c Python changes.
image() {
  make_image docker "$BATS_TEST_TMPDIR/whole.tar" --tag hostile ${2:+--add "$2"}
  python3 - "$BATS_TEST_TMPDIR" "$1" <<'PYTHON'
import io, json, sys, tarfile
work, edit = sys.argv[1:]
with tarfile.open(work + "/whole.tar") as whole, tarfile.open(work + "/image.tar", "w") as out:
    for member in whole:
        data = whole.extractfile(member).read()
        if member.name.endswith(".json") and member.name != "manifest.json":
            document = json.loads(data)
            c = document["config"]
            exec(edit)
            data = json.dumps(document).encode()
        member.size = len(data)
        out.addfile(member, io.BytesIO(data))
PYTHON
  berth load -q -i "$BATS_TEST_TMPDIR/image.tar" >/dev/null
}

@test "CVE-2024-40635, CVE-2026-46680: a user number that no kernel has is refused, not root" {
  local user
  image 'pass'
  for user in 2147483648 4294967295 4294967296 4294967296:1 1:4294967296 -1 99999999999999999999; do
    run berth run --rm -u "$user" hostile id -u
    [ "$status" != 0 ] || [ "$output" = "$user" ] || fail "user $user became $output"
    image "c['User'] = '$user'"
    run berth run --rm hostile id -u
    [ "$status" != 0 ] || [ "$output" = "$user" ] || fail "an image's user $user became $output"
  done
}

@test "CVE-2022-36109, CVE-2022-2989, CVE-2022-2990, CVE-2022-2995, CVE-2023-25173: a user's groups are those of the image's /etc/group, and no others" {
  image "c['User'] = 'tester'"
  run -0 berth run --rm hostile id -G
  expect_output "1000 29"
  run -0 berth run --rm -u 4242 hostile id -G
  expect_output 0
  run -0 berth run --rm -u 4242:4343 --group-add 77 hostile id -G
  expect_output "4343 77"
}

@test "CVE-2024-9676: an /etc/passwd that is a FIFO, a device or a link is not waited for, and links stay inside" {
  local add=$BATS_TEST_TMPDIR/add kind
  mkdir -p "$add/etc"
  for kind in fifo outside absolute; do
    rm -f "$add/etc/passwd" "$add/etc/real"
    case $kind in
      fifo) mkfifo "$add/etc/passwd" ;;
      outside) ln -s "../../../../../../..$host/passwd" "$add/etc/passwd" ;;
      absolute) ln -s /etc/real "$add/etc/passwd"; echo "inside:x:77:78::/:/bin/sh" >"$add/etc/real" ;;
    esac
    echo "inside:x:4242:4242::/:/bin/sh" >"$host/passwd"
    before=$(host_state)
    image "pass" "$add"
    run timeout 20 berth run --rm -u inside hostile id -u
    host_untouched
    if [ $kind = absolute ]; then
      expect_output 77
    else
      [ "$status" = 125 ] || fail "$kind: exit code $status"
    fi
  done
}

@test "CVE-2026-55686: a WORKDIR through symlinks makes nothing on the host" {
  local add=$BATS_TEST_TMPDIR/add
  mkdir -p "$add"
  ln -s "$host" "$add/absolute"
  ln -s "../../../../../../../..$host" "$add/climbing"
  for dir in /absolute/new /climbing/new "/../../..$host/new"; do
    image "c['WorkingDir'] = '$dir'" "$add"
    run berth run --rm hostile pwd
    host_untouched
  done
}

@test "CVE-2024-21626: a WORKDIR of /proc/self/fd/N leads nowhere" {
  local n
  exec 9<"$host"
  for n in 3 4 5 6 7 8 9 10 11 12 14; do
    image "c['WorkingDir'] = '/proc/self/fd/$n'"
    run berth run --rm hostile sh -c 'pwd; ls ..'
    [ "$status" != 0 ] || fail "WORKDIR /proc/self/fd/$n: $output"
  done
  exec 9<&-
}

@test "CVE-2026-57231, CVE-2021-3602: an image's malformed variables bring none of the caller's" {
  local env
  export BERTH_TEST_SECRET=leaked
  for env in '"BERTH_TEST_SECRET"' '"*"' '"BERTH_*"' '""' '"=BERTH_TEST_SECRET"' 'None'; do
    run image "c['Env'] = ['PATH=/bin', $env]"
    run berth run --rm hostile env
    expect_no_text leaked
    berth rmi hostile >/dev/null 2>&1 || true
  done
}

@test "CVE-2020-14370: a container has no variables of another, nor of who enters it" {
  export BERTH_TEST_SECRET=leaked
  image "pass"
  berth run -d --name first -e OTHER=leaked hostile sleep 60 >/dev/null
  berth run -d --name second -e OWN=kept hostile sleep 60 >/dev/null
  run -0 berth exec second sh -c 'env; tr "\0" "\n" </proc/1/environ'
  berth rm -f first second >/dev/null
  [ "$(grep -c OWN=kept <<<"$output")" = 2 ]
  expect_no_text leaked
}

@test "CVE-2022-23648: a VOLUME that climbs or is a link shows no file of the host" {
  local add=$BATS_TEST_TMPDIR/add volume
  mkdir -p "$add"
  ln -s "$host" "$add/linked"
  for volume in "/../../../../../..$host" /linked /linked/sub; do
    image "c['Volumes'] = {'$volume': {}}" "$add"
    run berth run --rm hostile sh -c "ls '$volume'; cat '$volume/file'"
    expect_no_text untouched
    host_untouched
  done
}

@test "CVE-2026-53488, CVE-2024-3154: labels of an image decide nothing" {
  image "c['Labels'] = {'io.berth.monitor': '$host/x', 'io.berth.privileged': 'true', 'containerd.io/restart.status': 'running', 'org.systemd.property.ExecStartPost': '/bin/false', 'run.oci.systemd.force_cgroup_v1': '1', 'containerd.io/restart.loguri': 'binary:///bin/touch?$host/new', 'io.podman.annotations.privileged': 'TRUE', 'run.oci.hooks.stdout': '$host/new'}"
  run -0 berth run --rm hostile grep CapEff /proc/self/status
  expect_text 00000000a80425fb
  host_untouched
  berth create --name labelled hostile true >/dev/null
  [ "$(jq -r '.annotations // {} | length' "$BERTH_ROOT"/containers/*/config.json)" = 0 ] || fail "labels became annotations"
  berth rm labelled >/dev/null
}

@test "CVE-2014-6408: an image asks for no privileges, wherever it writes that" {
  local wish="{'SecurityOpt': ['seccomp=unconfined', 'label=disable'], 'Privileged': True, 'CapAdd': ['ALL'], 'PidMode': 'host', 'NetworkMode': 'host', 'Binds': ['$host:/h']}"
  image "c.update($wish); c['HostConfig'] = document['HostConfig'] = document['host_config'] = $wish; document['container_config'] = dict(c)"
  run -0 berth run --rm hostile sh -c 'grep -E "CapEff|Seccomp:" /proc/self/status; echo $$; ls -d /h 2>/dev/null; ls /sys/class/net'
  expect_output $'CapEff:\t00000000a80425fb\nSeccomp:\t2\n1\nlo'
  host_untouched
}

@test "CVE-2022-1227: top executes nothing of the container" {
  local add=$BATS_TEST_TMPDIR/add
  mkdir -p "$add/bin"
  printf '#!/bin/sh\ntouch /executed\n' >"$add/bin/ps"
  chmod 755 "$add/bin/ps"
  image "pass" "$add"
  berth run -d --name top hostile sleep 60 >/dev/null
  run -0 berth top top
  expect_text "sleep 60"
  run berth exec top ls /executed
  [ "$status" != 0 ]
  berth rm -f top >/dev/null
}

# A file system of the kernel that decides: docker's filter, and what is shown read-only.
@test "CVE-2022-0492, CVE-2022-0185: no new namespaces, file systems or cgroup roots by default" {
  image "pass"
  run berth run --rm hostile unshare -U true
  [ "$status" != 0 ] || fail "a user namespace was made"
  run berth run --rm hostile unshare -m true
  [ "$status" != 0 ] || fail "a mount namespace was made"
  run berth run --rm hostile sh -c 'for f in /sys/fs/cgroup/release_agent /sys/fs/cgroup/*/release_agent /sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/*/cgroup.procs; do [ ! -e $f ] || ! echo 1 >$f || echo written $f; done; mount -t cgroup -o rdma none /tmp && echo mounted'
  expect_no_text "written "
  expect_no_text mounted
}

# in_python SCRIPT [OPTION...]: in a container whose programs are the host's. call() is a system call by number: its result, or -errno.
in_python() {
  local script=$1
  shift
  run -0 berth run --rm -v /:/host:ro "$@" hostile chroot /host python3 -SEc "
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
def call(*words):
    r = libc.syscall(*map(ctypes.c_long, words))
    return r if r != -1 else -ctypes.get_errno()
$script"
}

# EPERM is the filter's answer; a kernel without them says EAFNOSUPPORT. The kernel looks at 32 bits of a family, so the filter must not
# take others for a larger one.
@test "CVE-2026-31431: no socket to the kernel's ciphers or to virtual machines" {
  image "pass"
  in_python '
import socket
for family in 38, 40:
    try:
        print(family, socket.socket(family, 5))
    except OSError as e:
        print(family, e.errno)
number = {"x86_64": 41, "aarch64": 198}[__import__("os").uname().machine]
print(*(call(number, family | bits << 32, 5, 0) for family in (38, 40) for bits in (1, 1 << 31, (1 << 32) - 1)))
socket.socket()'
  expect_output "38 1
40 1
-1 -1 -1 -1 -1 -1"
}

# These numbers are the same everywhere. io_uring_setup, open_tree, move_mount, fsopen, pidfd_getfd, quotactl_fd; clone3 and what the
# profile cannot know get ENOSYS, so that C libraries take another way.
@test "CVE-2021-41133: the filter is a list of what is allowed; new and unknown calls are not" {
  local script='print(*(call(n, -1, -1, -1, -1, -1, -1) for n in (425, 428, 429, 430, 438, 443)), call(435, -1, -1), call(1000), call(1 << 30))'
  image "pass"
  in_python "$script"
  expect_output "-1 -1 -1 -1 -1 -1 -38 -38 -38"
  in_python "$script" --security-opt seccomp=unconfined
  expect_no_text "-1 -1 -1 -1 -1 -1 -38"
}

@test "CVE-2021-41091, CVE-2021-21284, CVE-2024-25621, CVE-2025-64507: nobody else may look into store and state" {
  export BERTH_ROOT=$BATS_TEST_TMPDIR/new-store BERTH_STATE=$BATS_TEST_TMPDIR/new-run
  umask 0
  image "c['Volumes'] = {'/volume': {}}"
  berth run -d --name open hostile sleep 60 >/dev/null
  berth exec open sh -c 'cp /bin/busybox /volume/su; chmod 4755 /volume/su'
  local left
  # what lies in a closed directory may have any mode, as an image's files must
  run setpriv --reuid 65534 --regid 65534 --clear-groups "$BERTH_ROOT"/containers/*/volumes/*/su true
  [ "$status" != 0 ] || fail "another user runs what a container made set-user-id"
  left=$(find "$BERTH_ROOT" "$BERTH_STATE" -maxdepth 0 -perm /077; find "$BERTH_ROOT"/containers/*/{container.log,config.json} "$BERTH_STATE" "$BERTH_ROOT"/berth.db* -perm /077 2>/dev/null)
  berth rm -f open >/dev/null
  [ -z "$left" ] || fail "open to others: $left"
  run setpriv --reuid 65534 --regid 65534 --clear-groups ls "$BERTH_ROOT/layers"
  [ "$status" != 0 ]
}

@test "CVE-2015-1331: a link that waits where the state will be is not followed to write" {
  local id
  mkdir "$BATS_TEST_TMPDIR/state"
  image "pass"
  id=$(berth create hostile true)
  mkdir -p "$BERTH_STATE/$id"
  ln -s "$host/file" "$BERTH_STATE/$id/monitor.pid"
  run timeout 20 berth start "$id"
  host_untouched
  rm -rf "${BERTH_STATE:?}/$id"
  berth rm -f "$id" >/dev/null
}
