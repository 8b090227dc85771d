# SPDX-License-Identifier: Apache-2.0
# berth run: the process that the user asked for, with docker's words, environment and exit codes.
load ../lib/common

setup_file() { berth_setup_file; load_image; }
teardown_file() { berth_teardown_file; }
setup() { needs root; }

@test "the exit code of the command is the exit code of run" {
  run -7 berth run --rm berth-test sh -c 'exit 7'
  run -0 berth run --rm berth-test true
}

@test "a command killed by a signal gives 128 and the signal" {
  run -137 berth run --rm --init berth-test sh -c 'kill -9 $$'
  run -143 berth run --rm --init berth-test sh -c 'kill -TERM $$'
}

@test "stdout and stderr stay apart" {
  berth run --rm berth-test sh -c 'echo out; echo err >&2' >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/err"
  [ "$(cat "$BATS_TEST_TMPDIR/out")" = out ]
  [ "$(cat "$BATS_TEST_TMPDIR/err")" = err ]
}

@test "a megabyte of output arrives whole" {
  sum=$(berth run --rm berth-test sh -c 'yes abcdefghijklmno | head -c 1048576' | sha256sum)
  [ "$sum" = "$(yes abcdefghijklmno | head -c 1048576 | sha256sum)" ]
}

@test "stdin reaches the command with -i, and not without" {
  run bash -c 'echo hello | berth run --rm -i berth-test cat'
  expect_output hello
  run bash -c 'echo hello | berth run --rm berth-test cat'
  expect_output ""
}

@test "a megabyte of stdin arrives whole" {
  sum=$(head -c 1048576 /dev/zero | tr '\0' x | berth run --rm -i berth-test sha256sum)
  [ "$sum" = "$(head -c 1048576 /dev/zero | tr '\0' x | sha256sum)" ]
}

@test "-t gives a terminal, -it needs one" {
  run -0 berth run --rm -t berth-test tty
  expect_output $'/dev/pts/0\r'
  run -1 bash -c 'echo | berth run --rm -it berth-test tty'
  expect_text "the input device is not a TTY"
}

@test "-it in a real terminal: size, keys, exit code" {
  needs program:tmux
  local session=berth-test-$$ out=$BATS_TEST_TMPDIR/out
  tmux new-session -d -s "$session" -x 91 -y 31 \
    "BERTH_ROOT='$BERTH_ROOT' BERTH_STATE='$BERTH_STATE' PATH='$PATH' berth run --rm -it berth-test sh; echo code=\$? >$out"
  wait_until 10 bash -c "tmux capture-pane -p -t $session | grep -q '#'"
  tmux send-keys -t "$session" 'stty size; exit 5' Enter
  wait_until 10 grep -q code= "$out"
  [ "$(cat "$out")" = code=5 ]
}

@test "a program that asks at once knows the size of its terminal" {
  needs program:tmux
  local session=berth-test-$$ words="-it -t"
  berth run -d --name sized berth-test sleep 1000 >/dev/null
  tmux new-session -d -s "$session" -x 91 -y 31 \
    "export BERTH_ROOT='$BERTH_ROOT' BERTH_STATE='$BERTH_STATE' PATH='$PATH'
     for flags in $words $words; do berth run --rm \$flags berth-test stty size; berth exec \$flags sized stty size; done; sleep 100"
  wait_until 20 bash -c "[ \$(tmux capture-pane -p -t $session | grep -cx '31 91') = 8 ]"
  tmux kill-session -t "$session"
  [ "$(berth inspect -f '{{.HostConfig.ConsoleSize}}' sized)" = "[0 0]" ]
  berth rm -f sized
}

@test "the environment is PATH, HOSTNAME, TERM, the image's, -e, and HOME" {
  run -0 berth run --rm -h box -e A=1 -e EMPTY= berth-test env
  expect_output $'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nHOSTNAME=box\nA=1\nEMPTY=\nHOME=/root'
  run -0 berth run --rm -t berth-test env
  expect_text TERM=xterm
}

@test "-e NAME takes the caller's value, --env-file reads lines" {
  export FROM_CALLER=yes
  printf '# comment\nB=2\nFROM_CALLER\n\nC="quoted"\n' >"$BATS_TEST_TMPDIR/env"
  run -0 berth run --rm -e FROM_CALLER -e NOT_THERE berth-test env
  expect_text FROM_CALLER=yes
  expect_no_text NOT_THERE
  run -0 berth run --rm --env-file "$BATS_TEST_TMPDIR/env" berth-test env
  expect_text $'B=2\nFROM_CALLER=yes\nC="quoted"'
}

@test "-w is the working directory and is made if missing" {
  run -0 berth run --rm -w /new/deep/dir berth-test pwd
  expect_output /new/deep/dir
}

@test "-u takes names and numbers, and group names" {
  run -0 berth run --rm -u 1000:2000 berth-test id
  expect_text "uid=1000(tester) gid=2000"
  run -0 berth run --rm -u nobody berth-test id -u
  expect_output 65534
  run -125 berth run --rm -u nosuchuser berth-test id
  expect_text "nosuchuser"
}

@test "--entrypoint replaces, its arguments follow" {
  run -0 berth run --rm --entrypoint echo berth-test a 'b c'
  expect_output 'a b c'
}

@test "the hostname is the short id, -h sets it, hosts agrees" {
  run -0 berth run --rm berth-test sh -c 'hostname; cat /etc/hostname'
  [[ ${lines[0]} =~ ^[0-9a-f]{12}$ ]]
  [ "${lines[0]}" = "${lines[1]}" ]
  run -0 berth run --rm -h my.box berth-test sh -c 'hostname; cat /etc/hosts'
  [ "${lines[0]}" = my.box ]
  expect_text my.box
}

@test "a command that is not in the image: 127, one sentence" {
  run -127 berth run --rm berth-test nosuchcommand
  expect_text '"nosuchcommand": executable file not found in $PATH'
  run -127 berth run --rm berth-test /no/such/file
  expect_text "no such file or directory"
}

@test "a command that cannot run: 126" {
  run -126 berth run --rm berth-test /etc/passwd
  expect_text "permission denied"
  run -126 berth run --rm berth-test /etc
}

@test "a failed run --rm leaves nothing" {
  run -127 berth run --rm --name gone berth-test nosuchcommand
  run -0 berth ps -aq --filter name=gone
  expect_output ""
}

@test "--init reaps orphans and is pid 1" {
  run -0 berth run --rm --init berth-test sh -c 'cat /proc/1/comm; (sleep 0.1 &) ; sleep 0.5; ps -o stat,comm'
  expect_text berth-init
  expect_no_text Z
}

@test "signals of the user reach the command" {
  berth run --name signals berth-test sh -c 'trap "echo got it; exit 3" INT; echo ready; while :; do sleep 0.1; done' \
    >"$BATS_TEST_TMPDIR/out" &
  local pid=$!
  wait_until 10 grep -q ready "$BATS_TEST_TMPDIR/out"
  kill -INT "$pid"
  local code=0
  wait "$pid" || code=$?
  [ "$code" = 3 ]
  grep -q "got it" "$BATS_TEST_TMPDIR/out"
  berth rm signals
}

@test "--ulimit sets soft and hard limits" {
  run -0 berth run --rm --ulimit nofile=100:200 berth-test sh -c 'ulimit -Sn; ulimit -Hn'
  expect_output $'100\n200'
}

@test "--cidfile holds the id and must not exist" {
  run -0 berth run --rm --cidfile "$BATS_TEST_TMPDIR/cid" berth-test true
  [[ $(cat "$BATS_TEST_TMPDIR/cid") =~ ^[0-9a-f]{64}$ ]]
  run -125 berth run --rm --cidfile "$BATS_TEST_TMPDIR/cid" berth-test true
}

@test "--rootfs runs a directory without an image" {
  make_image rootfs "$BATS_TEST_TMPDIR/rootfs"
  run -0 berth run --rm --rootfs "$BATS_TEST_TMPDIR/rootfs" sh -c 'echo from a directory'
  expect_output "from a directory"
}
