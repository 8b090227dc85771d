# SPDX-License-Identifier: Apache-2.0
# What is damaged in the store is found, named with the images that have it, and mended from what is whole.
# lanes: native, files of a store are alike under every kernel
load ../lib/common

setup_file() {
  berth_setup_file
  make_tree "$BATS_FILE_TMPDIR/add"
  make_image docker "$BATS_FILE_TMPDIR/image.tar" --compress gzip --tag whole --add "$BATS_FILE_TMPDIR/add"
}
teardown_file() { berth_teardown_file; }
setup() {
  needs root
  rm -rf "${BERTH_ROOT:?}"/{images,layers}
  berth load -q -i "$BATS_FILE_TMPDIR/image.tar" >/dev/null
  top=$(berth image inspect -f '{{.GraphDriver.Data.UpperDir}}' whole)
  layer=${top%/diff}
  layer=sha256:${layer##*/}
  blobs=$BERTH_ROOT/images/blobs/sha256
}

# One of everything, for the second layer.
make_tree() {
  mkdir -p "$1"/{etc,empty,dir/deep}
  echo text >"$1/etc/file"
  ln "$1/etc/file" "$1/etc/hard"
  ln -s ../etc/file "$1/dir/link"
  mknod "$1/dir/fifo" p
  python3 -c 'import sys
with open(sys.argv[1], "wb") as f:
    f.write(b"x" * 300000)
    f.seek(5 << 20)
    f.write(b"end")' "$1/dir/deep/large"
}

clean() {
  run -0 berth system check
  expect_output "nothing is half made"
}

# found WORDS: one fault that says this, and nothing is changed; then it is mended and gone.
found() {
  run -1 berth system check
  expect_text "$1"
  [ "${#lines[@]}" = 1 ] || fail "not one sentence"
  run -1 berth system check
}

# The top layer is different: damaged WORDS
damaged() {
  found "layer $layer of image whole:latest is damaged ($1"
  expect_text "'berth system check --repair' unpacks it again"
  run -0 berth system check --repair
  expect_text "unpacked again"
  clean
  cmp "$top/etc/file" "$BATS_FILE_TMPDIR/add/etc/file"
  [ "$(berth run --rm whole cat /dir/link)" = text ]
}

flip() { # FILE OFFSET: the time stays
  touch -r "$1" "$BATS_TEST_TMPDIR/time"
  python3 - "$1" "$2" <<'PYTHON'
import sys
with open(sys.argv[1], "r+b") as f:
    f.seek(int(sys.argv[2]))
    byte = f.read(1)
    f.seek(int(sys.argv[2]))
    f.write(bytes([byte[0] ^ 1]))
PYTHON
  touch -r "$BATS_TEST_TMPDIR/time" "$1"
}

@test "a whole store is clean, whatever its layers hold" {
  clean
  berth system check --quick
  berth run --rm whole true
  clean
}

@test "a byte that is different" {
  flip "$top/etc/file" 2
  berth system check --quick
  damaged "'etc/file' has other contents)"
  flip "$top/dir/deep/large" 299999
  damaged "'dir/deep/large' has other contents)"
}

@test "bytes in a hole" {
  flip "$top/dir/deep/large" $((3 << 20))
  damaged "'dir/deep/large' has other contents)"
}

@test "a file that is cut, and one that is gone" {
  truncate -s 100 "$top/dir/deep/large"
  damaged "'dir/deep/large' has another size)"
  rm "$top/dir/fifo"
  damaged "'dir/fifo' is missing, and 1 more)"
  rm -r "$top/dir"
  damaged "'dir' is missing"
}

@test "owner, mode, time, type, link" {
  chown 12:0 "$top/dir"
  damaged "'dir' has another owner)"
  chmod 4755 "$top/etc/file"
  damaged "'etc/file' has another mode"
  touch -h -d 2001-01-01 "$top/dir/link"
  damaged "'dir/link' was modified at another time)"
  rm -r "$top/empty"
  echo >"$top/empty"
  damaged "'empty' is of another type"
  ln -sfn /etc/passwd "$top/dir/link"
  damaged "'dir/link' was modified" || damaged "'dir/link' leads elsewhere"
  cp -p --remove-destination "$top/etc/hard" "$top/etc/copy"
  mv "$top/etc/copy" "$top/etc/hard"
  damaged "'etc/hard' is a link to another file"
}

@test "a file that the layer did not have" {
  echo >"$top/dir/deep/new"
  damaged "'dir/deep/new' is not of this layer"
}

@test "a layer that is gone: run says what mends it" {
  rm -r "${top%/diff}"
  run -125 berth run --rm whole true
  expect_text "layer $layer of image whole:latest is missing: 'berth system check --repair' unpacks it again"
  run -1 berth system check --quick
  expect_text "layer $layer of image whole:latest is missing"
  run -0 berth system check --repair --quick
  expect_text "unpacked again"
  clean
  berth run --rm whole true
}

@test "layer.json that is gone or cut" {
  rm "${top%/diff}/layer.json"
  damaged "its layer.json cannot be read)"
  truncate -s 20 "${top%/diff}/layer.json"
  damaged "its layer.json cannot be read)"
}

@test "a blob that is damaged, cut or gone: named, removed, and a load brings it again" {
  local blob how
  blob=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["blob"])' "${top%/diff}/layer.json")
  for how in flip cut gone; do
    case $how in
      flip) flip "$blobs/${blob#*:}" 50 ;;
      cut) truncate -s 60 "$blobs/${blob#*:}" ;;
      gone) rm "$blobs/${blob#*:}" ;;
    esac
    run -1 berth system check
    expect_text "blob $blob of image whole:latest is "
    expect_text "'berth pull whole:latest' or a load brings it again"
    berth run --rm whole true # it stands on what is unpacked
    run -1 berth system check --repair
    [ ! -e "$blobs/${blob#*:}" ]
    berth load -q -i "$BATS_FILE_TMPDIR/image.tar"
    clean
  done
}

@test "a load replaces a blob that is cut, and one that check has named, also without a repair" {
  local blob
  blob=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["blob"])' "${top%/diff}/layer.json")
  truncate -s 60 "$blobs/${blob#*:}"
  berth load -q -i "$BATS_FILE_TMPDIR/image.tar"
  clean
  flip "$blobs/${blob#*:}" 50
  run -1 berth system check
  expect_text "blob $blob of image whole:latest is damaged"
  run -1 berth system check # and again, as long as nobody brings it
  berth load -q -i "$BATS_FILE_TMPDIR/image.tar"
  clean
  [ "$(stat -c %a "$blobs/${blob#*:}")" = 600 ]
  # what is mended by hand is whole again
  flip "$blobs/${blob#*:}" 50
  run -1 berth system check
  flip "$blobs/${blob#*:}" 50
  clean
  [ "$(stat -c %a "$blobs/${blob#*:}")" = 600 ]
}

@test "a layer and its blob: both go, and come again" {
  local blob
  blob=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["blob"])' "${top%/diff}/layer.json")
  rm "$blobs/${blob#*:}"
  rm -r "${top%/diff}"
  run -125 berth run --rm whole true
  expect_text "'berth pull whole:latest' or a load brings it again"
  run -1 berth system check --repair
  berth load -q -i "$BATS_FILE_TMPDIR/image.tar"
  clean
}

@test "a manifest or a config that is damaged: the image goes, others stay" {
  local id manifest
  make_image docker "$BATS_TEST_TMPDIR/other.tar" --tag other
  berth load -q -i "$BATS_TEST_TMPDIR/other.tar"
  id=$(berth image inspect -f '{{.Id}}' whole)
  flip "$blobs/${id#*:}" 5
  run -1 berth system check
  expect_text "image whole:latest: its config $id is damaged"
  run -125 berth run --rm whole true
  expect_text "'berth system check'"
  run -0 berth system check --repair
  expect_text "it is removed"
  [ "$(berth images -q | wc -l)" = 1 ]
  clean
  berth run --rm other true
  berth load -q -i "$BATS_FILE_TMPDIR/image.tar"
  clean
}

@test "a layer below a running container is not exchanged" {
  berth run -d --name below whole sleep 100 >/dev/null
  chmod 600 "$top/etc/file"
  run -1 berth system check --repair
  expect_text "stop its containers first"
  berth rm -f below >/dev/null
  run -0 berth system check --repair
  clean
}

@test "what no image needs is counted and removed" {
  cp -r "$BERTH_ROOT/layers/${layer#*:}" "$BERTH_ROOT/layers/$(printf %064d 7)"
  head -c 1000 /dev/zero >"$blobs/$(printf %064d 8)"
  run -0 berth system check # no fault: it only takes room
  expect_text "1 blob and 1 layer ("
  expect_text "belong to no image: 'berth image prune' removes them"
  run -0 berth system check --repair
  expect_text "belong to no image: removed"
  clean
  [ ! -e "$blobs/$(printf %064d 8)" ]
  head -c 1000 /dev/zero >"$blobs/$(printf %064d 8)"
  berth image prune -f
  clean
}
