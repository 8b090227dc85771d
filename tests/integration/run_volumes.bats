# SPDX-License-Identifier: Apache-2.0
# Volumes that an image names: places of the container's own, filled with what the image has there.
load ../lib/common

# image_with_volumes NAME DIR VOLUMES: the small image with what is below DIR
image_with_volumes() {
  local root=$BATS_TEST_TMPDIR/root-$1
  [ -n "${BATS_TEST_TMPDIR:-}" ] || root=$BATS_FILE_TMPDIR/root-$1
  make_image rootfs "$root"
  cp -a "$2/." "$root"
  tar -C "$root" -cf "$root.tar" .
  berth import -c "VOLUME $3" "$root.tar" "$1" >/dev/null
}

setup_file() {
  needs root
  berth_setup_file
  local add=$BATS_FILE_TMPDIR/add
  mkdir -p "$add/data/sub" "$add/user"
  echo first >"$add/data/sub/file"
  chmod 1750 "$add/data"
  image_with_volumes voluminous "$add" '/data /made/here /data/sub/below'
}
teardown_file() { berth_teardown_file; }
setup() { needs root; }

@test "a volume has what the image has, is made where it has nothing, and is writable on a read-only root" {
  run -1 berth run --rm --read-only voluminous sh -c 'cat /data/sub/file; stat -c %a /data /made/here /data/sub/below; touch /data/new /made/here/new && echo written; touch /new'
  expect_text $'first\n1750\n755\n755\nwritten'
  expect_text "Read-only file system"
}

@test "each container has its own, which lasts as long as the container" {
  berth run --name one voluminous sh -c 'echo changed >/data/sub/file; touch /made/here/x'
  run -0 berth run --rm voluminous sh -c 'cat /data/sub/file; ls /made/here'
  expect_output first
  run -0 berth start -a one
  berth create --name two voluminous sh -c 'cat /data/sub/file' >/dev/null
  run -0 berth start -a two
  expect_output first
  run -0 berth inspect -f '{{json .Config.Volumes}}' one
  expect_output '{"/data":{},"/data/sub/below":{},"/made/here":{}}'
  berth rm one two
}

@test "what was written is there after a restart" {
  berth run -d --name kept voluminous sh -c 'cat /data/sub/file /made/here/x; echo second >/data/sub/file; echo third >/made/here/x; exec sleep 100' >/dev/null
  wait_until 10 berth exec kept test -s /made/here/x
  berth restart -t 0 kept
  wait_until 10 eval 'berth logs kept 2>&1 | grep -q third'
  run -0 berth logs kept
  expect_text second
  berth rm -f kept
}

@test "the user's own mount wins, also over what lies above or below" {
  mkdir -p "$BATS_TEST_TMPDIR/v"
  echo mine >"$BATS_TEST_TMPDIR/v/file"
  run -0 berth run --rm -v "$BATS_TEST_TMPDIR/v:/data" voluminous sh -c 'ls /data /data/sub; touch /data/sub/below/x'
  expect_text file
  [ ! -e "$BATS_TEST_TMPDIR/v/sub/below/x" ]
  run -0 berth run --rm -v "$BATS_TEST_TMPDIR/v:/data/sub" voluminous cat /data/sub/file
  expect_output mine
}

@test "a user that is not root may write where the image lets him" {
  local add=$BATS_TEST_TMPDIR/add
  mkdir -p "$add/user"
  chown 1000:1000 "$add/user"
  image_with_volumes owned "$add" /user
  run -0 berth run --rm -u 1000:1000 owned sh -c 'touch /user/x; stat -c %u:%g /user'
  expect_output 1000:1000
}

@test "the host's root is the host's, with all that is mounted below it" {
  echo mine >"$BATS_TEST_TMPDIR/file"
  mkdir "$BATS_TEST_TMPDIR/below"
  mount -t tmpfs berth-below "$BATS_TEST_TMPDIR/below"
  touch "$BATS_TEST_TMPDIR/below/mounted"
  run berth run --rm -v /:/host:ro voluminous sh -c 'cat "/host/$0/file"; ls "/host/$0/below"; grep -c " /host/host" /proc/self/mountinfo' "$BATS_TEST_TMPDIR"
  umount "$BATS_TEST_TMPDIR/below"
  expect_output $'mine\nmounted\n0'
}
