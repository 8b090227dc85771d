# SPDX-License-Identifier: Apache-2.0
# The life of a container: create, start, stop, kill, wait, rm, and what ps, inspect, logs, exec, top and stats say of it.
load ../lib/common

setup_file() { berth_setup_file; load_image; }
teardown_file() { berth_teardown_file; }
setup() { needs root; }
teardown() { remove_all; }

@test "run -d prints the full id and returns; the container goes on" {
  run -0 berth run -d berth-test sleep 100
  [[ $output =~ ^[0-9a-f]{64}$ ]]
  run -0 berth ps -q --no-trunc
  expect_output "${output}"
  [ "$(berth inspect -f '{{.State.Running}}' "$output")" = true ]
}

@test "create makes, start runs, files stay over stop and start, rm forgets" {
  id=$(berth create --name kept berth-test sh -c 'echo x >>/count; wc -l </count')
  [[ $id =~ ^[0-9a-f]{64}$ ]]
  [ "$(berth ps -a --format '{{.State}}' --filter name=kept)" = created ]
  run -0 berth start -a kept
  expect_output 1
  run -0 berth start -a kept
  expect_output 2
  run -0 berth rm kept
  expect_output kept
  run -0 berth ps -aq
  expect_output ""
}

@test "names are unique, invented ones have two words" {
  id=$(berth create --name mine berth-test)
  run -1 berth create --name mine berth-test
  expect_text "Conflict. The container name \"/mine\" is already in use by container \"$id\""
  berth create berth-test >/dev/null
  run -0 berth ps -a --format '{{.Names}}' --filter status=created -n 1
  [[ ${lines[0]} =~ ^[a-z]+_[a-z]+$ ]]
}

@test "--replace removes who has the name, once all else is well" {
  local first second
  first=$(berth run -d --name place berth-test sleep 100)
  run -125 berth run -d --replace --name place -w relative berth-test sleep 100
  run -125 berth run -d --replace --name place --pull never no-such-image
  run -125 berth run -d --replace --name place --network container:nobody berth-test sleep 100
  touch "$BATS_TEST_TMPDIR/cid"
  run -125 berth run -d --replace --name place --cidfile "$BATS_TEST_TMPDIR/cid" berth-test sleep 100
  [ "$(berth inspect -f '{{.Id}} {{.State.Status}}' place)" = "$first running" ]
  second=$(berth run -d --replace --name place berth-test sleep 100)
  [ "$(berth inspect -f '{{.Id}} {{.State.Status}}' place)" = "$second running" ]
  run -1 berth inspect "$first"
  run -0 berth create --replace --name fresh berth-test
  run -125 berth run --replace berth-test true
  expect_text "without --name"
}

@test "a container is found by name, full id and the beginning of its id" {
  id=$(berth create --name found berth-test)
  for ref in found "$id" "${id:0:12}" "${id:0:5}"; do
    [ "$(berth inspect -f '{{.Id}}' "$ref")" = "$id" ]
  done
  run -1 berth inspect nosuch
  expect_text "no such object: nosuch"
  run -1 berth start nosuch
  expect_text "No such container: nosuch"
}

@test "ps: docker's columns and words" {
  berth run -d --name listed berth-test sleep 1000 >/dev/null
  run -0 berth ps
  [[ ${lines[0]} =~ ^CONTAINER\ ID\ \ \ IMAGE\ +COMMAND\ +CREATED\ +STATUS\ +PORTS\ +NAMES$ ]]
  [[ ${lines[1]} =~ ^[0-9a-f]{12}\ \ \ berth-test\ +\"sleep\ 1000\"\ .*(second|ago).*Up\ .*listed$ ]]
  run -0 berth ps --format json
  expect_text '"Names":"listed"'
  run -0 berth ps --format 'table {{.Names}}\t{{.State}}'
  expect_output $'NAMES     STATE\nlisted    running'
  run -1 berth ps --format '{{.Nope}}'
  expect_text Nope
}

@test "ps filters: name, status, exited, label, ancestor, last" {
  berth run --name ended berth-test sh -c 'exit 3' || true
  berth run -d --name runs -l team=a berth-test sleep 100 >/dev/null
  [ "$(berth ps -a --filter status=exited --format '{{.Names}}')" = ended ]
  [ "$(berth ps --filter exited=3 --format '{{.Names}}')" = ended ]
  [ "$(berth ps --filter label=team=a --format '{{.Names}}')" = runs ]
  [ "$(berth ps -a --filter name=^run --format '{{.Names}}')" = runs ]
  [ "$(berth ps -a --filter ancestor=berth-test -q | wc -l)" = 2 ]
  [ "$(berth ps -n 1 --format '{{.Names}}')" = runs ]
  run -1 berth ps --filter nonsense=1
  expect_text "invalid filter 'nonsense'"
}

@test "ps filters that can match nothing say so, before and since know what does not run" {
  berth run --name oldest berth-test true
  berth run -d --name newer berth-test sleep 100 >/dev/null
  [ "$(berth ps --filter since=oldest --format '{{.Names}}')" = newer ]
  [ "$(berth ps -a --filter before=newer --filter name=oldest --format '{{.Names}}')" = oldest ]
  for filter in status=runing exited=zero; do
    run -1 berth ps --filter "$filter"
    expect_text "invalid filter '$filter'"
  done
  for filter in since=nobody before=nobody; do
    run -1 berth ps --filter "$filter"
    expect_text "No such container: nobody"
  done
  run -0 berth ps -q --filter status=restarting
  expect_output ""
}

@test "stop: TERM first, then KILL; the exit code tells" {
  berth run -d --name polite berth-test sh -c 'trap "exit 5" TERM; while :; do sleep 0.1; done' >/dev/null
  sleep 0.3
  run -0 berth stop polite
  expect_output polite
  [ "$(berth inspect -f '{{.State.ExitCode}}' polite)" = 5 ]
  berth run -d --name deaf berth-test sh -c 'trap "" TERM; while :; do sleep 0.1; done' >/dev/null
  sleep 0.3
  run -0 berth stop -t 1 deaf
  [ "$(berth inspect -f '{{.State.ExitCode}} {{.State.Status}}' deaf)" = "137 exited" ]
}

@test "--stop-signal is what stop sends" {
  berth run -d --name usr --stop-signal USR1 berth-test sh -c 'trap "exit 9" USR1; while :; do sleep 0.1; done' >/dev/null
  sleep 0.3
  berth stop usr
  [ "$(berth inspect -f '{{.State.ExitCode}}' usr)" = 9 ]
}

@test "kill: any signal, by name or number; a stopped one is not running" {
  berth run -d --name target berth-test sh -c 'trap "exit 4" HUP; while :; do sleep 0.1; done' >/dev/null
  sleep 0.3
  berth kill -s HUP target
  [ "$(berth wait target)" = 4 ]
  run -1 berth kill target
  expect_text "is not running"
}

@test "wait prints the exit code, also of one that ended" {
  berth run -d --name waited berth-test sh -c 'sleep 0.5; exit 6' >/dev/null
  [ "$(berth wait waited)" = 6 ]
  [ "$(berth wait waited)" = 6 ]
}

@test "rm refuses a running container in docker's words; -f kills it" {
  id=$(berth run -d --name busy berth-test sleep 100)
  run -1 berth rm busy
  expect_text "container is running: stop the container before removing or force remove" ||
    expect_text "You cannot remove a running container"
  run -0 berth rm -f busy
  [ -z "$(berth ps -aq)" ]
  run -0 berth rm -f busy
}

@test "--rm removes after the end, attached and detached" {
  berth run --rm berth-test true
  berth run -d --rm berth-test sleep 0.3 >/dev/null
  wait_until 10 bash -c '[ -z "$(berth ps -aq)" ]'
}

@test "logs: both streams, tail, timestamps, since" {
  berth run --name logged berth-test sh -c 'echo one; echo two >&2; sleep 0.2; echo three' >/dev/null 2>&1
  run -0 --separate-stderr berth logs logged
  [ "$output" = $'one\nthree' ]
  [ "$stderr" = two ]
  run -0 berth logs -n 1 logged
  expect_output three
  run -0 berth logs -t -n 1 logged
  [[ $output =~ ^20[0-9-]+T[0-9:.]+Z\ three$ ]]
  sleep 1.1
  run -0 berth logs --since 1s logged
  expect_output ""
}

@test "logs -f follows to the end" {
  berth run -d --name follow berth-test sh -c 'for i in 1 2 3; do echo $i; sleep 0.2; done' >/dev/null
  run -0 timeout 10 berth logs -f follow
  expect_output $'1\n2\n3'
}

@test "the log file is docker's json-file" {
  berth run --name json berth-test echo 'a "b"' >/dev/null
  run -0 cat "$(berth inspect -f '{{.LogPath}}' json)"
  [[ $output =~ ^\{\"log\":\"a\ \\\"b\\\"\\n\",\"stream\":\"stdout\",\"time\":\"20.*Z\"\}$ ]]
}

@test "exec: exit code, streams, user, env, directory, stdin" {
  berth run -d --name inside -e IMAGE=1 berth-test sleep 100 >/dev/null
  run -3 berth exec inside sh -c 'exit 3'
  run -0 berth exec -u 1000:1000 -e A=2 -w /tmp inside sh -c 'id -u; id -g; echo $A$IMAGE; pwd'
  expect_output $'1000\n1000\n21\n/tmp'
  run bash -c 'echo hello | berth exec -i inside cat'
  expect_output hello
  run -127 berth exec inside nosuch
  expect_text "executable file not found"
  run -126 berth exec inside /etc/passwd
  [ "$(berth exec inside readlink /proc/self/ns/pid)" = "$(berth exec inside readlink /proc/1/ns/pid)" ]
}

@test "exec: a signal to the command reaches the process inside" {
  local pid status=0
  berth run -d --name signalled berth-test sleep 100 >/dev/null
  berth exec signalled sh -c 'trap "exit 9" TERM; touch /trap; while :; do sleep 0.1; done' &
  pid=$!
  wait_until 5 berth exec signalled test -e /trap
  kill -TERM $pid
  wait $pid || status=$?
  expect_status 9
}

@test "exec has the capabilities and the filter of the container" {
  berth run -d --name caps --cap-drop ALL berth-test sleep 100 >/dev/null
  run -0 berth exec caps grep -E 'CapEff|Seccomp:' /proc/self/status
  expect_output $'CapEff:\t0000000000000000\nSeccomp:\t2'
  run -0 berth exec --privileged caps grep CapEff /proc/self/status
  expect_no_text 0000000000000000
}

@test "exec -t gives a terminal, exec -d returns at once" {
  berth run -d --name terms berth-test sleep 100 >/dev/null
  run -0 berth exec -t terms tty
  [[ $output =~ ^/dev/pts/[0-9] ]]
  berth exec -d terms sh -c 'sleep 0.2; touch /done'
  wait_until 5 berth exec terms test -e /done
}

@test "exec needs a running container" {
  berth create --name still berth-test >/dev/null
  run -1 berth exec still true
  expect_text "is not running"
}

@test "attach shows output and gives the exit code" {
  berth run -d -i --name attached berth-test sh -c 'read line; echo "got $line"; exit 8' >/dev/null
  run -8 bash -c 'echo hello | berth attach attached'
  expect_output "got hello"
}

@test "detach keys leave the container running" {
  needs program:tmux
  local session=berth-detach-$$ out=$BATS_TEST_TMPDIR/out
  tmux new-session -d -s "$session" -x 80 -y 24 \
    "BERTH_ROOT='$BERTH_ROOT' BERTH_STATE='$BERTH_STATE' PATH='$PATH' berth run -it --name left berth-test sh; echo code=\$? >$out"
  wait_until 10 bash -c "tmux capture-pane -p -t $session | grep -q '#'"
  tmux send-keys -t "$session" C-p C-q
  wait_until 10 grep -q code=0 "$out"
  [ "$(berth inspect -f '{{.State.Running}}' left)" = true ]
}

@test "a client that ends by a signal leaves its terminal as it was" {
  # the pty is python's, which reads its settings before, during and after
  run -0 python3 - <<'PYTHON'
import os, pty, signal, subprocess, termios, time
master, slave = pty.openpty()
before = termios.tcgetattr(slave)
client = subprocess.Popen(["berth", "run", "-it", "--sig-proxy=false", "--name", "rawest", "berth-test", "sleep", "100"],
                          stdin=slave, stdout=slave, stderr=slave)
end = time.monotonic() + 20
while termios.tcgetattr(slave) == before and time.monotonic() < end:
    time.sleep(0.02)
assert termios.tcgetattr(slave) != before, "never raw"
client.send_signal(signal.SIGTERM)
assert client.wait(20) == -signal.SIGTERM, client.returncode
assert termios.tcgetattr(slave) == before, "still raw"
PYTHON
  run -0 berth inspect -f '{{.State.Status}}' rawest
  expect_output running
  berth rm -f rawest
}

@test "top: docker's columns, host pids, ps options" {
  berth run -d --name topped berth-test sleep 100 >/dev/null
  run -0 berth top topped
  [[ ${lines[0]} =~ ^UID\ +PID\ +PPID\ +C\ +STIME\ +TTY\ +TIME\ +CMD$ ]]
  [[ ${lines[1]} =~ \ $(berth inspect -f '{{.State.Pid}}' topped)\ .*sleep\ 100$ ]]
  run -0 berth top topped -o pid,comm
  [[ ${lines[0]} =~ ^PID\ +COMMAND$ ]]
}

@test "stats: docker's columns and the limit" {
  needs controller:memory
  berth run -d --name measured -m 64m berth-test sh -c 'while :; do :; done' >/dev/null
  run -0 berth stats --no-stream measured
  [[ ${lines[0]} =~ ^CONTAINER\ ID\ +NAME\ +CPU\ %\ +MEM\ USAGE\ /\ LIMIT\ +MEM\ %\ +NET\ I/O\ +BLOCK\ I/O\ +PIDS$ ]]
  expect_text "/ 64MiB"
  cpu=$(berth stats --no-stream --format '{{.CPUPerc}}' measured)
  [ "${cpu%%.*}" -ge 20 ]
}

@test "pause stops every process, unpause lets them go on" {
  berth run -d --name frozen berth-test sh -c 'while :; do cat /proc/uptime >/beat; sleep 0.05; done' >/dev/null
  sleep 0.3
  berth pause frozen
  [[ $(berth ps --format '{{.Status}}') =~ \(Paused\)$ ]]
  before=$(cat "/proc/$(berth inspect -f '{{.State.Pid}}' frozen)/root/beat")
  sleep 0.3
  [ "$before" = "$(cat "/proc/$(berth inspect -f '{{.State.Pid}}' frozen)/root/beat")" ]
  berth unpause frozen
  sleep 0.3
  [ "$before" != "$(berth exec frozen cat /beat)" ]
}

@test "a container whose files are damaged says so, and can be removed" {
  local id file
  for file in missing '' '{"a":'; do
    id=$(berth create --name damaged berth-test true)
    if [ "$file" = missing ]; then rm "$BERTH_ROOT/containers/$id/container.json"; else printf %s "$file" >"$BERTH_ROOT/containers/$id/container.json"; fi
    run -1 berth start damaged
    expect_text "damaged and can only be removed: container.json"
    run -1 berth inspect damaged
    expect_text "damaged and can only be removed"
    run -0 berth ps -a
    expect_text damaged
    run -0 berth rm damaged
    [ ! -e "$BERTH_ROOT/containers/$id" ]
  done
}

@test "rename" {
  berth create --name before berth-test >/dev/null
  berth rename before after
  [ "$(berth ps -a --format '{{.Names}}')" = after ]
}

@test "restart runs it again with a new process" {
  berth run -d --name again berth-test sleep 100 >/dev/null
  first=$(berth inspect -f '{{.State.Pid}}' again)
  berth restart -t 0 again
  second=$(berth inspect -f '{{.State.Pid}}' again)
  [ "$first" != "$second" ]
  [ "$second" -gt 0 ]
}

@test "restart: --rm removes at the end, not in between, whoever watches" {
  local client watcher code=0
  berth run --rm --name again-rm berth-test sleep 1000 &
  client=$!
  wait_until 10 bash -c '[ "$(berth inspect -f "{{.State.Status}}" again-rm)" = running ]'
  berth wait again-rm &
  watcher=$!
  sleep 0.5
  run -0 berth restart -t 0 again-rm
  wait "$client" || code=$?
  [ "$code" = 137 ]
  [ "$(berth inspect -f '{{.State.Status}}' again-rm)" = running ]
  berth stop -t 0 again-rm
  wait "$watcher" # of the first end, or on a slow machine of the second
  run -1 berth inspect again-rm
}

@test "rm -f does not wait for a patient restart, nor stop for ever with a large timeout" {
  berth run -d --name patient berth-test sleep 1000 >/dev/null
  berth restart -t 600 patient &
  local restart=$!
  sleep 0.5
  run -0 timeout 20 berth rm -f patient
  wait "$restart" || true # on a slow machine there was nothing left to restart
  berth run -d --name patient berth-test sh -c 'trap "exit 3" TERM; while :; do sleep 0.1; done' >/dev/null
  sleep 0.5
  run -0 berth stop -t 2147483647 patient
  [ "$(berth inspect -f '{{.State.ExitCode}}' patient)" = 3 ]
}

@test "inspect has docker's fields" {
  berth run -d --name fields -e A=1 -l x=y -w /tmp berth-test sleep 100 >/dev/null
  run -0 berth inspect fields
  for key in Id Created Path Args State Image ResolvConfPath HostnamePath HostsPath LogPath Name RestartCount Driver Platform MountLabel ProcessLabel AppArmorProfile HostConfig GraphDriver Mounts Config NetworkSettings; do
    expect_text "\"$key\":"
  done
  [ "$(berth inspect -f '{{.Name}} {{.Config.WorkingDir}} {{index .Config.Labels "x"}} {{json .Config.Cmd}}' fields)" = '/fields /tmp y ["sleep","100"]' ]
  berth inspect fields | python3 -m json.tool >/dev/null
}
