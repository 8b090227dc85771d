# SPDX-License-Identifier: Apache-2.0
# SIGINT, SIGTERM and SIGHUP end what brings images in or out: by that signal, without a word, and nothing half made is left.
# (pull has its own in pull_parts.bats.)
# lanes: native, signals and files are alike under every kernel
load ../lib/common

setup_file() {
  berth_setup_file
  export HOME=$BATS_FILE_TMPDIR FAKE_MIB=2
  make_image docker "$BATS_FILE_TMPDIR/small.tar" --tag small:1
  make_image tar "$BATS_FILE_TMPDIR/rootfs.tar"
  # long enough to be met in the middle of it
  python3 - "$BATS_FILE_TMPDIR" <<'PYTHON'
import sys, tarfile
class Noise:
    def __init__(self, bytes):
        self.left, self.block = bytes, open("/dev/urandom", "rb").read(1 << 20)
    def read(self, n):
        n = min(n, self.left, len(self.block))
        self.left -= n
        return self.block[:n]
with tarfile.open(sys.argv[1] + "/large.tar", "w") as tar:
    info = tarfile.TarInfo("file")
    info.size = 300 << 20
    tar.addfile(info, Noise(info.size))
PYTHON
  [ "$(id -u)" != 0 ] || berth import "$BATS_FILE_TMPDIR/large.tar" large:1
  "$BERTH_TOP/tests/lib/fake-registry" --start "$BATS_FILE_TMPDIR/fake"
}
teardown_file() {
  "$BERTH_TOP/tests/lib/fake-registry" --stop "$BATS_FILE_TMPDIR/fake"
  berth_teardown_file
}
setup() {
  needs root program:curl
  . "$BATS_FILE_TMPDIR/fake/env"
  work=$BATS_TEST_TMPDIR
}

# Starts a command that a shell's job control would not let be interrupted: sets pid.
begin() {
  env --default-signal=INT "$@" >"$work/out" 2>"$work/err" &
  pid=$!
}

# It dies from the signal, silently, and the store is as it was: ends_by SIGNAL
ends_by() {
  local code=0
  kill -s "$1" $pid
  wait $pid || code=$?
  [ "$(kill -l $code)" = "$1" ] || fail "exit code $code, not that of $1: $(cat "$work/err")"
  [ ! -s "$work/err" ] || fail "$(cat "$work/err")"
  [ -z "$(ls "$BERTH_ROOT/tmp")" ] || fail "tmp/ is not empty"
  run -0 berth system check --quick
  expect_output "nothing is half made"
  [ "$(berth images -q | wc -l)" = 1 ] || fail "an image came or went: $(berth images)"
}

some() { compgen -G "$1" >/dev/null; }

@test "load and import from a pipe that has given a part" {
  local signal command file
  mkfifo "$work/pipe"
  for command in load import; do
    file=$BATS_FILE_TMPDIR/small.tar
    [ $command = load ] || file=$BATS_FILE_TMPDIR/rootfs.tar
    for signal in INT TERM HUP; do
      if [ $command = load ]; then begin berth load -i "$work/pipe"; else begin berth import "$work/pipe" piped:1; fi
      exec 7>"$work/pipe"
      head -c 100000 "$file" >&7
      wait_until 10 some "$BERTH_ROOT/tmp/*/lock"
      sleep 0.1
      ends_by $signal
      exec 7>&-
    done
  done
}

@test "load and import of a file, in the middle of a layer" {
  local signal
  berth save -o "$work/large.tar" large:1
  for signal in INT TERM HUP; do
    begin berth import "$BATS_FILE_TMPDIR/large.tar" again:1
    wait_until 10 some "$BERTH_ROOT/tmp/*/unpack-0"
    ends_by $signal
  done
  BERTH_ROOT=$work/other begin berth load -i "$work/large.tar"
  wait_until 10 some "$work/other/tmp/*/unpack-0"
  kill -s INT $pid
  local code=0
  wait $pid || code=$?
  [ $code = 130 ]
  [ -z "$(ls "$work/other/tmp")" ] || fail "tmp/ is not empty"
  [ -z "$(BERTH_ROOT=$work/other berth images -q)" ]
  BERTH_ROOT=$work/other wait_until 10 berth system check --quick
}

# Holds the store's lock as a writer does, until hold.stop is there.
hold_lock() {
  python3 - "$BERTH_ROOT/images/lock" "$work/hold" <<'PYTHON' &
import fcntl, os, struct, sys, time
fd = os.open(sys.argv[1], os.O_RDWR)
fcntl.fcntl(fd, 37, struct.pack("hhqqixxxx", fcntl.F_WRLCK, 0, 0, 0, 0))  # F_OFD_SETLK
os.ftruncate(fd, 0)
os.write(fd, b"holder (pid %d)\n" % os.getpid())
open(sys.argv[2] + ".ready", "w").close()
while not os.path.exists(sys.argv[2] + ".stop"):
    time.sleep(0.02)
PYTHON
  holder=$!
  wait_until 10 some "$work/hold.ready"
}
release_lock() {
  touch "$work/hold.stop"
  wait $holder
}

@test "a wait for another writer is told with its pid, and ends by the signal" {
  local signal command code
  hold_lock
  for command in "load -q -i $BATS_FILE_TMPDIR/small.tar" "import $BATS_FILE_TMPDIR/rootfs.tar locked:1" "pull -q $FAKE/plain" "tag large:1 other:1"; do
    for signal in INT TERM; do
      # shellcheck disable=SC2086
      begin berth $command
      [ "$signal$command" != "INTload -q -i $BATS_FILE_TMPDIR/small.tar" ] || wait_until 10 some_text "waiting for holder (pid $holder), which uses 'images/lock'" "$work/err"
      sleep 0.3
      kill -s $signal $pid
      code=0
      wait $pid || code=$?
      [ "$(kill -l $code)" = $signal ] || fail "$command: exit code $code, not that of $signal: $(cat "$work/err")"
      [ -z "$(ls "$BERTH_ROOT/tmp")" ] || fail "$command: tmp/ is not empty"
    done
  done
  begin berth load -q -i "$BATS_FILE_TMPDIR/small.tar"
  sleep 0.3
  kill -0 $pid
  release_lock
  wait $pid
  berth rmi small:1
  berth image prune -f
}
some_text() { grep -qF "$1" "$2"; }

@test "load from a pipe that nobody has opened yet ends by the signal" {
  mkfifo "$work/pipe"
  begin berth load -i "$work/pipe"
  sleep 0.3
  ends_by INT
}

@test "import from a server that waits" {
  begin berth import "http://$FAKE/v2/stall-90/blobs/$FAKE_LAYER" web:1
  wait_until 10 some "$BERTH_ROOT/tmp/*/part-0"
  sleep 0.2
  kill -s INT $pid
  local code=0
  wait $pid || code=$?
  [ $code = 130 ]
  [ ! -s "$work/err" ] || fail "$(cat "$work/err")"
  [ -z "$(ls "$BERTH_ROOT/tmp")" ] || fail "tmp/ is not empty"
}

@test "save: no file, no directory, and what was there before stays" {
  local signal format
  for format in docker-archive oci-dir; do
    for signal in INT TERM HUP; do
      echo before >"$work/image"
      [ $format = docker-archive ] || rm "$work/image"
      begin berth save --format $format -o "$work/image" large:1
      wait_until 10 saving
      ends_by $signal
      [ "$(ls -A "$work" | grep -vx -e out -e err -e image)" = "" ] || fail "half of it is left"
      if [ $format = docker-archive ]; then [ "$(cat "$work/image")" = before ]; else [ ! -e "$work/image" ]; fi
      rm -f "$work/image"
    done
  done
}

# It has its target open: a file without a name, or a directory beside it.
saving() { [[ "$(find /proc/$pid/fd -lname "$work/*" -printf '%l ')" == *"$work/"[#.]* ]]; }

@test "save that is killed: no file is left, and a directory until the next save to its place" {
  echo before >"$work/image"
  begin berth save -o "$work/image" large:1
  wait_until 10 saving
  kill -9 $pid
  wait $pid || true
  [ "$(ls -A "$work" | xargs)" = "err image out" ]
  [ "$(cat "$work/image")" = before ]
  begin berth save --format oci-dir -o "$work/dir/" large:1
  wait_until 10 some "$work/.dir.part/blobs/sha256/*"
  run -1 berth save --format oci-dir -o "$work/dir" large:1
  expect_text "another process writes '$work/.dir.part'"
  kill -9 $pid
  wait $pid || true
  [ -e "$work/.dir.part" ]
  berth save --format oci-dir -o "$work/dir/" large:1
  berth save -o "$work/image" large:1
  [ "$(ls -A "$work" | xargs)" = "dir err image out" ]
  tar -tf "$work/image" >/dev/null
}

# A registry of this moment that has nothing, and waits when it gets a manifest.
fresh_upload() {
  stop_upload
  "$BERTH_TOP/tests/lib/upload-registry" --start "$work/upload"
  . "$work/upload/env"
}
stop_upload() {
  [ ! -e "$work/upload/env" ] || "$BERTH_TOP/tests/lib/upload-registry" --stop "$work/upload"
}
teardown() { stop_upload; }
blobs_came() { [ "$(find "$UPLOAD_DIR" -name 'sha256:*' | wc -l)" = 2 ]; }

@test "push and manifest push that wait for the registry" {
  local signal command
  for signal in INT TERM HUP; do
    for command in "push" "manifest push"; do
      fresh_upload
      if [ "$command" = push ]; then
        berth import "$BATS_FILE_TMPDIR/rootfs.tar" "$UPLOAD/slow:1"
      else
        berth manifest create "$UPLOAD/slow:1" "$FAKE/plain"
      fi
      # shellcheck disable=SC2086
      begin berth $command "$UPLOAD/slow:1"
      wait_until 20 blobs_came
      sleep 0.1
      [ "$command" != push ] || berth rmi "$UPLOAD/slow:1" # it has read what it needs
      ends_by $signal
    done
  done
}

@test "push that compresses a layer" {
  fresh_upload
  berth tag large:1 "$UPLOAD/plain:1"
  begin berth push "$UPLOAD/plain:1"
  wait_until 10 grep -q Preparing "$work/out"
  sleep 0.3
  berth rmi "$UPLOAD/plain:1" # it has read what it needs
  ends_by INT
  ! blobs_came || fail "it went on to its end"
}

@test "an ignored SIGINT stays ignored" {
  mkfifo "$work/pipe"
  (trap '' INT; exec berth load -i "$work/pipe" >/dev/null 2>&1) &
  pid=$!
  exec 7>"$work/pipe"
  wait_until 10 some "$BERTH_ROOT/tmp/*/lock"
  kill -s INT $pid
  cat "$BATS_FILE_TMPDIR/small.tar" >&7
  exec 7>&-
  wait $pid
  berth rmi small:1
}
