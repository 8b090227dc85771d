# SPDX-License-Identifier: Apache-2.0
# What a pull has fetched is not fetched again: by the next one if it dies, by others that want the same at the same time. What
# is damaged is.
# The bytes are counted where they are sent.
# lanes: native, files and locks are alike under every kernel
load ../lib/common

setup_file() {
  berth_setup_file
  export FAKE_MIB=6 HOME=$BATS_FILE_TMPDIR
  "$BERTH_TOP/tests/lib/fake-registry" --start "$BATS_FILE_TMPDIR/fake"
}
teardown_file() {
  "$BERTH_TOP/tests/lib/fake-registry" --stop "$BATS_FILE_TMPDIR/fake"
  berth_teardown_file
}
setup() {
  needs root program:curl
  . "$BATS_FILE_TMPDIR/fake/env"
  fresh_store
  : >"$FAKE_LOG"
  part=$BERTH_ROOT/images/parts/${FAKE_LAYER#sha256:}
}
teardown() { unmount_disk; }

# Bytes of the layer that were sent, and how often it was asked for.
sent() {
  sleep 0.1 # the server writes down what it has sent when it is through
  python3 - "$FAKE_LOG" "$FAKE_LAYER" <<'PYTHON'
import json, sys
rows = [row for row in map(json.loads, open(sys.argv[1])) if row["path"].endswith(sys.argv[2])]
print(sum(row["sent"] for row in rows), len(rows))
PYTHON
}

part_is() { [ "$(stat -c %s "$part" 2>/dev/null)" = "$1" ]; }
nine_tenths() { echo $((FAKE_BYTES * 90 / 100)); }

# A pull that has 90 % of the layer and waits for more: sets pid.
stuck_pull() {
  berth pull -q "$FAKE/stall-90" >/dev/null 2>&1 &
  pid=$!
  wait_until 10 part_is "$(nine_tenths)"
}
killed_pull() {
  stuck_pull
  kill -9 $pid
  wait $pid || true
}

nothing_left() {
  run -0 berth system check
  expect_output "nothing is half made"
  [ -z "$(ls "$BERTH_ROOT/images/parts" "$BERTH_ROOT/tmp" | grep -v :)" ] || fail "something is left"
}

@test "a connection is cut at 90 %: each byte comes once" {
  berth pull -q "$FAKE/cut-90"
  run -0 sent
  expect_output "$FAKE_BYTES 2"
  nothing_left
}

@test "what has come of a layer is unpacked already, while the rest is waited for" {
  stuck_pull
  # 90 % of what does not compress, less what the last block of the stream and the pipes hold
  wait_until 10 bash -c "find '$BERTH_ROOT/tmp' -name data -size +$((FAKE_MIB * 1024 * 85 / 100))k | grep -q ."
  [ -z "$(berth images -q)" ]
  kill -9 $pid
  wait $pid || true
}

@test "the layers of an image come at the same time" {
  run -0 berth pull -q "$FAKE/together"
  expect_output "$FAKE/together:latest"
}

@test "killed at 90 %: the store is clean, the next pull fetches the rest" {
  killed_pull
  run -0 berth system check
  expect_text "1 blob of pulls that were ended is here"
  run -0 berth pull "$FAKE/plain"
  expect_text "Pull complete"
  run -0 sent
  expect_output "$FAKE_BYTES 2"
  nothing_left
}

@test "killed when all was there: the next pull asks for nothing" {
  killed_pull
  curl -fsS "http://$FAKE/v2/plain/blobs/$FAKE_LAYER" >"$part"
  sleep 0.1
  : >"$FAKE_LOG"
  berth pull -q "$FAKE/plain"
  run -0 sent
  expect_output "0 0"
  nothing_left
}

@test "a part that was damaged, or is too long, is thrown away and fetched anew" {
  killed_pull
  printf x | dd of="$part" bs=1 seek=100000 conv=notrunc status=none
  berth pull -q "$FAKE/plain"
  nothing_left
  berth rmi "$FAKE/plain" >/dev/null
  killed_pull
  truncate -s $((FAKE_BYTES + 1)) "$part"
  berth pull -q "$FAKE/plain"
  nothing_left
  berth rmi "$FAKE/plain" >/dev/null
  killed_pull
  mv "$part" "$part.whole" # it says that it is all
  berth pull -q "$FAKE/plain"
  nothing_left
}

@test "several pull the same at once: each byte comes once" {
  local i pids=()
  for i in 1 2 3 4; do
    berth pull -q "$FAKE/plain" >/dev/null 2>"$BATS_TEST_TMPDIR/$i" &
    pids+=($!)
  done
  for i in 1 2 3 4; do
    wait "${pids[i - 1]}" || fail "$(cat "$BATS_TEST_TMPDIR/$i")"
  done
  run -0 sent
  expect_output "$FAKE_BYTES 1"
  nothing_left
}

@test "one waits for another that dies, and goes on where it was" {
  stuck_pull
  berth pull -q "$FAKE/plain" >/dev/null &
  local second=$!
  wait_until 10 grep -q '/plain/blobs/' "$FAKE_LOG" # its config
  sleep 0.2
  kill -0 $second
  kill -9 $pid
  wait $pid || true
  wait $second
  run -0 sent
  expect_output "$FAKE_BYTES 2"
  nothing_left
}

@test "a blob that is not what its digest says is not kept" {
  run -1 berth pull -q "$FAKE/flipped"
  expect_text "damaged gzip data"
  run -1 berth pull -q "$FAKE/longer"
  nothing_left
}

@test "what a dead pull left: df counts it as du does, prune removes it, and so does time" {
  killed_pull
  berth images -q # keeps a reserve, which the pull was killed before
  close "$(df_sum)" "$(disk)"
  run -0 berth system df --format '{{.Type}} {{.Reclaimable}}'
  expect_text "Images 5.6"
  run -0 berth image prune -f
  expect_text "Total reclaimed space: 5.6"
  [ ! -e "$part" ]
  killed_pull
  touch -d "2 days ago" "$part"
  tar -cT /dev/null | berth import - empty >/dev/null
  [ ! -e "$part" ]
}

@test "a full disk: nothing is kept of the pull that met it" {
  mkdir "$BATS_TEST_TMPDIR/disk"
  mount -t tmpfs -o size=5m berth-parts "$BATS_TEST_TMPDIR/disk"
  BERTH_ROOT=$BATS_TEST_TMPDIR/disk run -1 berth pull -q "$FAKE/plain"
  expect_text "No space left on device"
  [ -z "$(ls "$BATS_TEST_TMPDIR/disk/images/parts")" ]
  BERTH_ROOT=$BATS_TEST_TMPDIR/disk run -0 berth system check
}

@test "SIGINT, SIGTERM and SIGHUP end a pull: by that signal, without a word, only the part is left" {
  local signal code
  for signal in INT TERM HUP; do
    env --default-signal=INT berth pull -q "$FAKE/stall-90" >"$BATS_TEST_TMPDIR/out" 2>&1 &
    pid=$!
    wait_until 10 part_is "$(nine_tenths)"
    kill -s $signal $pid
    code=0
    wait $pid || code=$?
    [ "$(kill -l $code)" = $signal ] || fail "exit code $code"
    [ ! -s "$BATS_TEST_TMPDIR/out" ] || fail "$(cat "$BATS_TEST_TMPDIR/out")"
    [ -z "$(ls "$BERTH_ROOT/tmp")" ] || fail "tmp/ is not empty"
    part_is "$(nine_tenths)"
    rm "$part"
  done
  stuck_pull # one that waits for another ends, too
  env --default-signal=INT berth pull -q "$FAKE/plain" 2>"$BATS_TEST_TMPDIR/out" &
  local second=$!
  wait_until 10 grep -q '/plain/blobs/' "$FAKE_LOG"
  sleep 0.1
  kill -s INT $second
  code=0
  wait $second || code=$?
  [ $code = 130 ]
  kill -s TERM $pid
  wait $pid || true
  [ -z "$(ls "$BERTH_ROOT/tmp")" ] || fail "tmp/ is not empty"
}

@test "an ignored SIGINT stays ignored; a terminal is as it was after Ctrl-C" {
  needs program:script
  (trap '' INT; exec berth pull -q "$FAKE/stall-90" >/dev/null 2>&1) &
  pid=$!
  wait_until 10 part_is "$(nine_tenths)"
  kill -s INT $pid
  sleep 0.2
  kill -0 $pid
  kill -9 $pid
  wait $pid || true
  rm "$part"
  # shellcheck disable=SC2094
  (wait_until 10 part_is "$(nine_tenths)"; printf '\003') |
    script -qefc "trap : INT; stty cols 120; stty -g >'$BATS_TEST_TMPDIR/before'; berth pull '$FAKE/stall-90'; echo code \$?; stty -g >'$BATS_TEST_TMPDIR/after'" /dev/null >"$BATS_TEST_TMPDIR/out" || true
  cmp "$BATS_TEST_TMPDIR/before" "$BATS_TEST_TMPDIR/after"
  grep -q 'Downloading \[' "$BATS_TEST_TMPDIR/out"
  grep -q 'code 130' "$BATS_TEST_TMPDIR/out"
}

flip() { printf X | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }

@test "a damaged blob is named by save and check, removed by --repair, and fetched by a pull of the unchanged tag" {
  berth pull -q "$FAKE/plain"
  flip "$BERTH_ROOT/images/blobs/sha256/${FAKE_LAYER#sha256:}" 100000
  run -1 berth save -o "$BATS_TEST_TMPDIR/saved.tar" "$FAKE/plain"
  expect_text "blob $FAKE_LAYER is damaged"
  run -1 berth system check
  expect_text "blob $FAKE_LAYER of image $FAKE/plain:latest is damaged: 'berth pull $FAKE/plain:latest' or a load"
  run -1 berth system check --repair
  expect_text "is damaged, now removed: 'berth pull $FAKE/plain:latest' or a load brings it again"
  : >"$FAKE_LOG"
  berth pull -q "$FAKE/plain:latest"
  run -0 sent
  expect_output "$FAKE_BYTES 1"
  nothing_left
  berth save -o "$BATS_TEST_TMPDIR/saved.tar" "$FAKE/plain"
}

@test "a damaged blob is fetched without a repair: one that is cut at once, one of the right size when save or check has found it" {
  local blob=$BERTH_ROOT/images/blobs/sha256/${FAKE_LAYER#sha256:} finder
  berth pull -q "$FAKE/plain"
  truncate -s 1000 "$blob"
  : >"$FAKE_LOG"
  berth pull -q "$FAKE/plain"
  run -0 sent
  expect_output "$FAKE_BYTES 1"
  for finder in "system check" "save -o $BATS_TEST_TMPDIR/saved.tar $FAKE/plain"; do
    flip "$blob" 100000
    # shellcheck disable=SC2086
    run -1 berth $finder
    expect_text "blob $FAKE_LAYER"
    : >"$FAKE_LOG"
    berth pull -q "$FAKE/plain"
    run -0 sent
    expect_output "$FAKE_BYTES 1"
    nothing_left
  done
}

@test "a damaged layer is unpacked again from its blob without a request; one without a blob is fetched" {
  local layer
  berth pull -q "$FAKE/plain"
  layer=$(echo "$BERTH_ROOT"/layers/*)
  flip "$layer/diff/data" 5
  : >"$FAKE_LOG"
  run -1 berth system check
  run -0 berth system check --repair
  expect_text "unpacked again"
  [ ! -s "$FAKE_LOG" ]
  nothing_left
  rm -r "$layer" "$BERTH_ROOT/images/blobs/sha256/${FAKE_LAYER#sha256:}"
  run -1 berth create "$FAKE/plain"
  expect_text "is missing: 'berth pull $FAKE/plain:latest' or a load brings it again"
  berth create --pull always -q "$FAKE/plain" >/dev/null
  run -0 sent
  expect_output "$FAKE_BYTES 1"
  nothing_left
  berth rm "$(berth ps -aq)" >/dev/null
}
