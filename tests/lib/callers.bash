# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For tests/integration/callers_*.bats: an engine of the field with stores of its own, told to use berth-runtime.

# start_peers NAME...: has them started by tests/lib/with-peers, and takes over their variables; until stop_peers.
start_peers() {
  local env=$BATS_FILE_TMPDIR/peers
  # shellcheck disable=SC2016
  PEERS="$*" setsid "$BERTH_TOP/tests/lib/with-peers" bash -c '
    for name in DOCKER_HOST CONTAINERS_CONF CONTAINERS_STORAGE_CONF CONTAINERD_ADDRESS; do
      [ -z "${!name:-}" ] || echo "export $name=${!name}"
    done >"$0.new"
    echo $$ >"$0.pid"
    mv "$0.new" "$0"
    exec sleep 1000' "$env" >"$env.log" 2>&1 3>&- &
  export PEERS_PID=$!
  wait_until 30 test -s "$env"
  # shellcheck disable=SC1090
  . "$env"
}

stop_peers() {
  local pid
  [ -n "${PEERS_PID:-}" ] || return 0
  pid=$(cat "$BATS_FILE_TMPDIR/peers.pid") && kill "$pid"
  wait_until 20 bash -c "! kill -0 $PEERS_PID" || cat "$BATS_FILE_TMPDIR/peers.log" >&2
}

# For a shell of a container: a file below /sys/fs/cgroup that is called differently in v1 and v2.
cgroup_file() {
  echo "cat /sys/fs/cgroup/$1 2>/dev/null || cat /sys/fs/cgroup/$2"
}

# in_terminal ROWS COLUMNS COMMAND...: its output with a terminal of this size, which becomes 50 by 100 when it writes "ready".
in_terminal() {
  /usr/bin/python3 - "$@" <<'PYTHON'
import fcntl, os, pty, select, struct, sys, termios, time
def resize(rows, columns):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
pid, fd = pty.fork()
if pid == 0:
    time.sleep(0.2)  # the size is set
    os.execvp(sys.argv[3], sys.argv[3:])
resize(int(sys.argv[1]), int(sys.argv[2]))
seen, grown, end = b"", False, time.time() + 20
while time.time() < end:
    if select.select([fd], [], [], 0.1)[0]:
        try:
            data = os.read(fd, 4096)
        except OSError:
            break
        if not data:
            break
        seen += data
    if b"ready" in seen and not grown:
        grown = True
        resize(50, 100)
else:
    os.kill(pid, 9)
sys.stdout.write(seen.decode(errors="replace").replace("\r", ""))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
PYTHON
}

# What docker and podman do alike. A file gives their words: engine VERB... and run_it OPTION... (an attached container that
# is removed at its end); the image is berth-test, and c1 a container that sleeps.

check_output_and_exit_codes() {
  run -0 --separate-stderr run_it berth-test sh -c 'echo out; echo err >&2'
  [ "$output/$stderr" = out/err ]
  [ "$(echo in | run_it -i berth-test cat)" = in ]
  run -7 run_it berth-test sh -c 'exit 7'
  run -127 run_it berth-test nosuch
  expect_text 'exec: "nosuch": executable file not found in $PATH'
  run -126 run_it berth-test /etc/passwd
  expect_text 'exec: "/etc/passwd": permission denied'
  run -127 run_it berth-test ''
  expect_text 'exec: "": executable file not found in $PATH'
}

# The size comes soon after the start.
check_terminals() {
  local follow='until stty size 2>/dev/null | grep -q "[1-9]"; do sleep 0.05; done; tty; stty size
    trap "stty size | grep -v 33 && exit 4" WINCH; echo ready; while :; do sleep 0.1; done'
  export -f run_it engine
  run -4 in_terminal 33 77 bash -c 'run_it -it berth-test sh -c "$0"' "$follow"
  expect_output $'/dev/pts/0\n33 77\nready\n50 100'
  run -4 in_terminal 33 77 bash -c 'engine exec -it c1 sh -c "$0"' "$follow"
  expect_output $'/dev/pts/0\n33 77\nready\n50 100'
}

# check_exec CODE: what the engine makes of a command or a directory that is not there
check_exec() {
  run -9 engine exec -e A=b -w /bin -u 1000 c1 sh -c 'echo $A $PWD $(id -u); exit 9'
  expect_output "b /bin 1000"
  engine exec -d c1 touch /there
  wait_until 5 engine exec c1 test -e /there
  run "-$1" engine exec c1 nosuch
  expect_text 'exec: "nosuch": executable file not found in $PATH'
  run -126 engine exec c1 /
  expect_text "permission denied"
  run "-$1" engine exec -w /nosuch c1 true
  expect_text '("/nosuch")'
}

# c1 has 64m and 30 processes
check_limits() {
  run -0 engine exec c1 sh -c "$(cgroup_file memory/memory.limit_in_bytes memory.max); $(cgroup_file pids/pids.max pids.max)"
  expect_output $'67108864\n30'
  engine update -m 32m --memory-swap 64m c1 >/dev/null
  run -0 engine exec c1 sh -c "$(cgroup_file memory/memory.limit_in_bytes memory.max); $(cgroup_file pids/pids.max pids.max)"
  expect_output $'33554432\n30'
}

check_privileges() {
  run -0 run_it --privileged berth-test sh -c 'grep Seccomp: /proc/self/status; mount -t tmpfs none /tmp && echo mounted'
  expect_output $'Seccomp:\t0\nmounted'
  run -0 run_it --cap-drop ALL --cap-add CHOWN --security-opt no-new-privileges berth-test grep -E 'CapBnd|NoNew|Seccomp:' /proc/self/status
  expect_output $'CapBnd:\t0000000000000001\nNoNewPrivs:\t1\nSeccomp:\t2'
  run -0 run_it --device /dev/kmsg:/dev/k:r --read-only --tmpfs /t:size=1m,mode=700 berth-test sh -c \
    'ls /dev/k; touch /t/x; stat -c %a /t; touch /x 2>/dev/null || echo refused'
  expect_output $'/dev/k\n700\nrefused'
  run -0 run_it -v vol:/v -v "$BATS_TEST_TMPDIR:/host:ro" berth-test sh -c 'echo a >/v/a; cat /v/a; touch /host/x 2>/dev/null || echo refused'
  expect_output $'a\nrefused'
}

# c1 says "started", and at its TERM "got it" and exits with 3
check_life() {
  wait_until 5 eval '[ "$(engine logs c1)" = started ]'
  engine pause c1
  [ "$(engine inspect -f '{{.State.Status}}' c1)" = paused ]
  run engine exec c1 true
  [ "$status" != 0 ]
  engine unpause c1
  engine restart -t 5 c1
  wait_until 5 eval '[ "$(engine logs c1)" = $'\''started\ngot it\nstarted'\'' ]'
  engine stop -t 5 c1
  [ "$(engine inspect -f '{{.State.Status}} {{.State.ExitCode}}' c1)" = "exited 3" ]
  engine start c1
  engine kill -s KILL c1
  [ "$(engine wait c1)" = 137 ]
}

# --- podman of an ordinary user; make_users first, the image is $BATS_FILE_TMPDIR/image.tar ---

# Stores, settings and the image of the user.
prepare_user() {
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
  mknod -m 666 "$USERS/tun" c 10 200 # the host's is open to all where udev made it
  user_podman load -q -i "$USER_HOME/image.tar"
}

# Its runtime directory has a short name: sockets of rootlessport lie there, and a name that is too long makes podman wait for ever.
user_podman() {
  export -f as as_user
  # shellcheck disable=SC2016
  unshare -m --propagation private bash -c '
    mount --bind "$USER_HOME/run" /mnt
    [ ! -e /dev/net/tun ] || mount --bind "$USERS/tun" /dev/net/tun
    as_user env XDG_RUNTIME_DIR=/mnt PODMAN_IGNORE_CGROUPSV1_WARNING=1 CONTAINERS_CONF="$USER_HOME/containers.conf" CONTAINERS_STORAGE_CONF="$USER_HOME/storage.conf" podman "$@"' podman "$@"
}
