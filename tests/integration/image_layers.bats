# SPDX-License-Identifier: Apache-2.0
# How many layers an image may have, and what layers may be alike: by the old way to mount overlayfs (before 6.5) as well.
load ../lib/common

setup_file() {
  berth_setup_file
  make_image tar "$BATS_FILE_TMPDIR/base.tar"
}
teardown_file() { berth_teardown_file; }
setup() {
  needs root
  work=$BATS_TEST_TMPDIR
}

# An archive of docker's: busybox, and above it one layer for each word, with a file of that name: layers FILE NAME WORD...
layers() {
  python3 - "$BATS_FILE_TMPDIR/base.tar" "$@" <<'PYTHON'
import hashlib, io, json, sys, tarfile
base, out, name, *words = sys.argv[1:]
def add(tar, name, data=b""):
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))
def layer(word):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        add(tar, word)
    return data.getvalue()
all = [open(base, "rb").read()] + [layer(word) for word in words]
config = {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers",
    "diff_ids": ["sha256:" + hashlib.sha256(data).hexdigest() for data in all]}}
with tarfile.open(out, "w") as tar:
    add(tar, "config", json.dumps(config).encode())
    add(tar, "manifest.json", json.dumps([{"Config": "config", "RepoTags": [name], "Layers": [str(i) for i in range(len(all))]}]).encode())
    for i, data in enumerate(all):
        add(tar, str(i), data)
PYTHON
}

@test "a layer that is there several times: what is between its copies is hidden, or not, as its order says" {
  layers "$work/image.tar" same:1 a b .wh.a b a b b
  berth load -q -i "$work/image.tar"
  run -0 berth run --rm same:1 ls /a /b
  expect_output $'/a\n/b'
  layers "$work/image.tar" same:2 a .wh.a a .wh.a
  berth load -q -i "$work/image.tar"
  run -1 berth run --rm same:2 ls /a
  run -0 berth image mount same:2
  [ -e "$output/bin/sh" ] && [ ! -e "$output/a" ]
  berth image unmount same:2
  berth image prune -af >/dev/null
}

@test "128 layers, more than docker takes, and 500, as many as overlayfs takes" {
  local n counts=(128)
  [ "${BERTH_TEST_LANE:-native}" != native ] || counts+=(500) # minutes on an emulated processor
  for n in "${counts[@]}"; do
    # shellcheck disable=SC2046
    layers "$work/image.tar" "many:$n" $(seq $((n - 1)) | sed 's/^/file-/')
    berth load -q -i "$work/image.tar"
    run -0 berth run --rm "many:$n" sh -c 'ls -d /file-* | wc -l; rm /file-1 && echo >/file-2 && ls -d /file-* | wc -l'
    expect_output $((n - 1))$'\n'$((n - 2))
    run -0 berth image mount "many:$n"
    [ -e "$output/file-1" ]
    berth image unmount "many:$n"
  done
  berth image prune -af >/dev/null
}

@test "more layers are refused in one sentence, before anything is made" {
  # shellcheck disable=SC2046
  layers "$work/image.tar" many:501 $(seq 500)
  run -1 berth load -i "$work/image.tar"
  expect_text "it has 501 different layers, but no container can have more than 500: that is all overlayfs takes"
  [ "${#lines[@]}" = 1 ]
  [ -z "$(cd "$BERTH_ROOT" && find layers tmp images/blobs/sha256 -mindepth 1)" ] || fail "something is left"
  # the same ones count once
  # shellcheck disable=SC2046
  layers "$work/image.tar" same:520 $(seq 20) $(for i in $(seq 25); do seq 20; done)
  berth load -q -i "$work/image.tar"
  berth run --rm same:520 ls /20
  berth image prune -af >/dev/null
}
