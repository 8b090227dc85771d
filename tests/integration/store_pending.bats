# SPDX-License-Identifier: Apache-2.0
# A large load returns before the disk has it. A mark says so until it has; after a power cut, what the mark names is not
# believed. The power cut is played: the mark gets another boot's name, and files are damaged.
# lanes: native, what is tested is the same files everywhere
load ../lib/common

setup_file() {
  berth_setup_file
  mkdir "$BATS_FILE_TMPDIR/add"
  head -c 17M /dev/urandom >"$BATS_FILE_TMPDIR/add/large" # above what is flushed at once
  make_image docker "$BATS_FILE_TMPDIR/large.tar" --tag large --add "$BATS_FILE_TMPDIR/add"
}
teardown_file() { berth_teardown_file; }
setup() {
  needs root
  mark=$BERTH_ROOT/images/pending.json
  load_large
}
teardown() {
  flush
  berth rm -f box >/dev/null 2>&1 || true
  berth image prune -af >/dev/null
}

# Loads it while nobody may flush.
load_large() {
  mkdir -p "$BERTH_ROOT/images"
  flock "$BERTH_ROOT/images" berth load -q -i "$BATS_FILE_TMPDIR/large.tar" >/dev/null
}
# Any verb that looks at images starts the flush.
flush() {
  berth images -q >/dev/null
  wait_until 60 no_mark
}
no_mark() { [ ! -e "$mark" ]; }

power_cut() {
  sed -i 's/"boot":"[^"]*"/"boot":"'"${1:-00000000-0000-0000-0000-000000000000}"'"/' "$mark"
}
layer_file() { echo "$BERTH_ROOT"/layers/*/diff/large; }
large_blob() { find "$BERTH_ROOT/images/blobs" -size +15M; }

@test "a large load has a mark until the disk has it, and can be used meanwhile" {
  [ -e "$mark" ] || fail "no mark"
  grep -q "$(basename "$(large_blob)")" "$mark"
  grep -q "$(basename "$BERTH_ROOT"/layers/*)" "$mark"
  run -0 flock "$BERTH_ROOT/images" berth run --rm --network none large stat -c %s /large
  expect_output 17825792
  run -0 flock "$BERTH_ROOT/images" berth system check
  [ -e "$mark" ] || fail "the mark is gone though nobody could flush"
  flush # whoever should have done it was killed, say
  run -0 berth system check
}

@test "a small load has no mark" {
  flush
  make_image docker "$BATS_TEST_TMPDIR/small.tar" --tag small
  flock "$BERTH_ROOT/images" berth load -q -i "$BATS_TEST_TMPDIR/small.tar"
  no_mark
}

@test "a small load of many files has one" {
  flush
  python3 - <<'PYTHON' | zstd -q >"$BATS_TEST_TMPDIR/many.tar.zst"
import sys, tarfile
for i in range(70000):
    sys.stdout.buffer.write(tarfile.TarInfo("d%d/f%d" % (i // 1000, i)).tobuf(tarfile.USTAR_FORMAT))
sys.stdout.buffer.write(bytes(1024))
PYTHON
  flock "$BERTH_ROOT/images" berth import "$BATS_TEST_TMPDIR/many.tar.zst" many
  [ -e "$mark" ] || fail "no mark"
}

@test "after a power cut a layer that is half there is unpacked again before it is used" {
  power_cut
  truncate -s 4096 "$(layer_file)"
  run -0 --separate-stderr berth run --rm --network none large stat -c %s /large
  expect_output 17825792
  output=$stderr expect_text "of image large:latest is damaged"
  output=$stderr expect_text "unpacked again"
  no_mark
  run -0 --separate-stderr berth images -q
  [ -z "$stderr" ] || fail "told twice: $stderr"
}

@test "after a power cut a start looks at the layers, too" {
  berth create --name box --network none large stat -c %s /large >/dev/null
  flush
  printf '{"boot":"0","blobs":[],"layers":[]}' >"$mark" # which says nothing: all is looked at
  truncate -s 4096 "$(layer_file)"
  run -0 --separate-stderr berth start -a box
  expect_output 17825792
  no_mark
}

@test "after a power cut a blob that is half there is removed, and its image named" {
  power_cut
  truncate -s 4096 "$(large_blob)" "$(layer_file)"
  run -0 --separate-stderr berth images
  output=$stderr expect_text "image large:latest is damaged, now removed"
  output=$stderr expect_text "brings it again"
  no_mark
  [ -z "$(large_blob)" ] || fail "the blob is still there"
  run -1 berth system check # the layer is not believed either
  run -0 berth load -q -i "$BATS_FILE_TMPDIR/large.tar"
  run -0 berth run --rm --network none large stat -c %s /large
  expect_output 17825792
}

@test "what the disk refused to take is written again" {
  power_cut failed
  run -0 --separate-stderr berth images -q
  output=$stderr expect_text "the disk failed when it was written): unpacked again"
  no_mark
  run -0 berth system check
}
