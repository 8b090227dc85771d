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
