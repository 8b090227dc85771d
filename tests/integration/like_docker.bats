# SPDX-License-Identifier: Apache-2.0
# lanes: native, words and exit codes are alike under every kernel
# What tests/compare/run found by holding berth beside docker, kept where docker need not be installed.
load ../lib/common

setup_file() { berth_setup_file; load_image; }
teardown_file() { berth_teardown_file; }
setup() { needs root; }

@test "the primary group is a supplementary one, too" {
  run berth run --rm berth-test grep Groups /proc/self/status
  expect_output $'Groups:\t0 '
  run berth run --rm -u 1000:29 berth-test grep Groups /proc/self/status
  expect_output $'Groups:\t29 '
}

@test "exec as another user leaves the container's groups behind" {
  berth run -d --name groups --group-add 77 berth-test sleep 100
  run berth exec -u tester groups id -G
  expect_output "1000 29"
  run berth exec groups id -G
  expect_output "0 77"
  berth rm -f groups
}

@test "run without an image, and a terminal where there is none: 1, as docker's client" {
  run -1 berth run
  expect_text "an image is needed"
  run -1 berth run -it berth-test true </dev/null
  expect_text "the input device is not a TTY"
  [ -z "$(berth ps -aq)" ]
}

@test "rm -f of what is not there says so, and is no failure" {
  run -0 --separate-stderr berth rm -f no-such-container
  [ -z "$output" ]
  # shellcheck disable=SC2154 # bats sets stderr
  [[ $stderr == *"No such container: no-such-container"* ]]
}

@test "who joins a network has its names: hostname, hosts, resolv.conf" {
  berth run -d --name first -h box --add-host friend:1.2.3.4 berth-test sleep 100
  run -0 berth run --rm --network container:first berth-test sh -c 'hostname; cat /etc/hostname; grep friend /etc/hosts'
  expect_output $'box\nbox\n1.2.3.4\tfriend'
  berth rm -f first
}

@test "no link in /dev leads to a /proc/kcore that the kernel does not have" {
  run berth run --rm berth-test readlink /dev/core
  if [ -e /proc/kcore ]; then expect_output /proc/kcore; else [ "$status" != 0 ]; fi
}

@test "output that does not fit is an error, not a success" {
  run -125 bash -c 'berth run --rm berth-test echo lost >/dev/full'
  expect_text "No space left on device"
}

@test "help is a command, too" {
  run -0 berth help run
  expect_text "Usage:  berth run"
  run -0 berth help container
  expect_text "Usage:  berth container COMMAND"
}

@test "docker's commands that are not there yet say so" {
  run -1 berth build .
  expect_text "not supported yet: berth build"
  run -1 berth network ls
  expect_text "not supported yet: berth network"
}

@test "exec cannot be detached from, and does not pretend" {
  run -1 berth exec --detach-keys ctrl-x some true
  expect_text "not supported yet: detaching from exec"
}

@test "ctrl-z stops the client, not the container, whose output waits" {
  berth run -d --name ticks berth-test sh -c 'i=0; while [ $i -lt 20 ]; do echo $i; i=$((i+1)); sleep 0.1; done'
  berth attach ticks >"$BATS_TEST_TMPDIR/out" &
  local pid=$!
  sleep 0.3
  kill -STOP "$pid"
  wait_until 10 test "$(berth wait ticks)" = 0
  kill -CONT "$pid"
  wait "$pid"
  grep -qx 19 "$BATS_TEST_TMPDIR/out"
  berth rm ticks
}

@test "a closed terminal and a SIGTERM reach the command in a terminal" {
  run -0 python3 - <<'PYTHON'
import os, pty, signal, subprocess, time

def signalled(end):
    pid, terminal = pty.fork()
    if pid == 0:
        os.execvp("berth", ["berth", "run", "-it", "--name", "signalled", "berth-test", "sh", "-c",
                            "trap 'echo term; exit 4' TERM; trap 'exit 5' HUP; echo ready; while :; do sleep 0.1; done"])
    seen = b""
    while b"ready" not in seen:
        seen += os.read(terminal, 4096)
    end(pid, terminal)
    code = subprocess.run(["berth", "wait", "signalled"], capture_output=True, timeout=20, text=True).stdout.strip()
    os.waitpid(pid, 0)
    subprocess.run(["berth", "rm", "signalled"], check=True, capture_output=True)
    return code

print(signalled(lambda pid, terminal: os.kill(pid, signal.SIGTERM)), signalled(lambda pid, terminal: os.close(terminal)))
PYTHON
  expect_output "4 5"
}
