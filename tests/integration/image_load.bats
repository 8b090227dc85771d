# SPDX-License-Identifier: Apache-2.0
# Every form in which an image can come is loaded, and its files are what was in the archive.
# lanes: native, the guest's tmpfs keeps no user attributes, which these trees have
load ../lib/common

setup_file() { berth_setup_file; }
teardown_file() { berth_teardown_file; }

setup() {
  needs root
  fresh_store
}

# The unpacked directory of an image of one layer.
layer_of() {
  berth image inspect -f '{{.GraphDriver.Data.UpperDir}}' "$1"
}

# A root file system with one of everything.
make_tree() {
  mkdir -p "$1"/{bin,etc,dev,tmp,empty}
  chmod 1777 "$1/tmp"
  chmod 0555 "$1/empty"
  echo text >"$1/etc/file"
  chown 1000:1001 "$1/etc/file"
  ln -s ../etc/file "$1/bin/symlink"
  ln -s nowhere "$1/bin/dangling"
  ln "$1/etc/file" "$1/bin/hardlink"
  cp /bin/true "$1/bin/su"
  chmod 4755 "$1/bin/su"
  cp /bin/true "$1/bin/ping"
  python3 - "$1" <<'PYTHON'
import os, struct, sys
root = sys.argv[1]
# file capabilities, version 2: cap_net_raw, permitted and effective
os.setxattr(root + "/bin/ping", "security.capability", struct.pack("<5I", 0x02000001, 1 << 13, 0, 0, 0))
os.setxattr(root + "/etc/file", "user.note", b"\x00binary\xff")
with open(root + "/etc/sparse", "wb") as file:
    file.truncate(50 << 20)
    file.seek(10 << 20)
    file.write(b"in the middle")
os.close(os.open(os.fsencode(root) + b"/etc/e\xcc\x81", os.O_CREAT))
os.close(os.open(os.fsencode(root) + b"/etc/\xc3\xa9", os.O_CREAT))
os.close(os.open(os.fsencode(root) + b"/etc/latin\xe9", os.O_CREAT))
long = root + "/etc/" + "/".join("d" * 100 for _ in range(4))
os.makedirs(long)
open(long + "/" + "f" * 200, "w").close()
PYTHON
  mknod "$1/dev/fifo" p
  mknod "$1/dev/null" c 1 3
  touch -d '2001-02-03 04:05:06.789' "$1/etc/file"
  touch -h -d '1999-01-01' "$1/bin/symlink"
  touch -d '2002-02-02' "$1/etc" "$1/bin" "$1/empty"
}

with_attributes=(--xattrs --xattrs-include='*')

pack() {
  tar --numeric-owner -S "${@:3}" -C "$1" -cf "$2" .
}

@test "load: docker archives, OCI archives and directories, with every compression" {
  local kind compression
  for kind in docker oci oci-dir; do
    for compression in none gzip zstd; do
      [ $compression != zstd ] || [ -n "$(command -v zstd)" ] || continue
      make_image "$kind" "$work/$kind-$compression" --tag "me/$kind:$compression" --compress "$compression"
      run -0 berth load -i "$work/$kind-$compression"
      expect_output "Loaded image: me/$kind:$compression"
    done
  done
  # the layer is the same in all of them, and is there once
  [ "$(ls "$BERTH_ROOT/layers" | wc -l)" = 1 ]
}

@test "load: an archive that is compressed as a whole, and one from a pipe" {
  make_image docker "$work/image.tar" --tag whole:1
  gzip -k "$work/image.tar"
  run -0 berth load -i "$work/image.tar.gz"
  expect_output "Loaded image: whole:1"
  berth rmi whole:1
  run -0 bash -c "cat '$work/image.tar' | berth load"
  expect_output "Loaded image: whole:1"
}

@test "load: of an image for several platforms this machine's, or the one of --platform" {
  local arch other
  for arch in amd64 arm64 s390x; do
    make_image oci-dir "$work/$arch" --arch "$arch" --compress gzip --cmd "echo $arch"
  done
  # one layout with an index of all three
  python3 - "$work" <<'PYTHON'
import hashlib, json, pathlib, shutil, sys
work = pathlib.Path(sys.argv[1])
out = work / "all"
shutil.copytree(work / "amd64", out)
members = []
for arch in ["amd64", "arm64", "s390x"]:
    for blob in (work / arch / "blobs/sha256").iterdir():
        shutil.copy(blob, out / "blobs/sha256")
    member = json.loads((work / arch / "index.json").read_text())["manifests"][0]
    members.append({key: member[key] for key in ("mediaType", "digest", "size")} | {"platform": {"os": "linux", "architecture": arch}})
index = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": members}).encode()
digest = hashlib.sha256(index).hexdigest()
(out / "blobs/sha256" / digest).write_bytes(index)
(out / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [{"mediaType": "application/vnd.oci.image.index.v1+json",
    "digest": "sha256:" + digest, "size": len(index), "annotations": {"io.containerd.image.name": "docker.io/library/several:1"}}]}))
PYTHON
  other=$(berth info --format '{{.Architecture}}' | grep -q aarch64 && echo amd64 || echo arm64)
  berth load -q -i "$work/all"
  [ "$(berth image inspect -f '{{.Architecture}}' several:1)" != $other ]
  berth run --rm several:1
  tar -C "$work/all" -cf "$work/all.tar" .
  run -0 berth load --platform "linux/$other" -i "$work/all.tar"
  expect_output "Loaded image: several:1"
  [ "$(berth image inspect -f '{{.Architecture}}' several:1)" = $other ]
  run -1 berth load --platform linux/ppc64le -i "$work/all"
  expect_text "has no image for linux/ppc64le in this archive"
  run -1 berth load --platform nonsense/x/y/z -i "$work/all"
  [ "$(berth image inspect -f '{{.Architecture}}' several:1)" = $other ] # it is as it was
}

@test "import: the tree is the one that tar would unpack, in pax and in GNU format" {
  local format
  make_tree "$work/tree"
  pack "$work/tree" "$work/pax.tar" --format=pax "${with_attributes[@]}"
  pack "$work/tree" "$work/gnu.tar" --format=gnu
  for format in pax gnu; do
    mkdir "$work/$format"
    tar "${with_attributes[@]}" --numeric-owner -C "$work/$format" -xpf "$work/$format.tar"
    berth import "$work/$format.tar" "tree:$format"
    run -0 "$BERTH_TOP/tests/lib/compare-trees" "$work/$format" "$(layer_of "tree:$format")"
    berth rmi "tree:$format"
  done
  # and that is the tree itself, where the format can say everything
  "$BERTH_TOP/tests/lib/compare-trees" "$work/tree" "$work/pax"
}

@test "import: holes stay holes" {
  make_tree "$work/tree"
  pack "$work/tree" "$work/tree.tar"
  berth import "$work/tree.tar" sparse:1
  [ "$(stat -c %b "$(layer_of sparse:1)/etc/sparse")" -lt 1000 ] || fail "etc/sparse is filled"
}

@test "import: an entry that is refused is named, without a layer that has no name yet" {
  python3 - "$work/bad.tar" <<'PYTHON'
import sys, tarfile
with tarfile.open(sys.argv[1], "w") as tar:
    tar.addfile(tarfile.TarInfo("../x"))
PYTHON
  run -1 berth import "$work/bad.tar"
  expect_text "berth: cannot import '$work/bad.tar': entry '../x'"
}

@test "import: -c sets the config" {
  make_image tar "$work/rootfs.tar"
  berth import -c 'CMD ["echo", "from the config"]' -c 'ENV A="b c"' "$work/rootfs.tar" changed
  run -0 berth run --rm changed
  expect_output "from the config"
  run -125 berth import -c 'FROM x' "$work/rootfs.tar" wrong || run -1 berth import -c 'FROM x' "$work/rootfs.tar" wrong
  expect_text "FROM is not a valid change command"
}

@test "whiteouts of an upper layer hide files of the lower one" {
  local tool=$work/layers.py
  cat >"$tool" <<'PYTHON'
import hashlib, io, json, sys, tarfile
def tar(*names):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as t:
        for name in names:
            info = tarfile.TarInfo(name.rstrip("/"))
            info.type = tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE
            info.mode = 0o755
            t.addfile(info)
    return out.getvalue()
base = open(sys.argv[2], "rb").read()
layers = [base, tar("gone", "kept", "dir/", "dir/old", "renewed/", "renewed/old"),
          tar(".wh.gone", "dir/.wh..wh..opq", "dir/new", ".wh.renewed", "renewed/", "renewed/new")]
config = json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers",
    "diff_ids": ["sha256:" + hashlib.sha256(l).hexdigest() for l in layers]}}).encode()
manifest = json.dumps([{"Config": "c", "RepoTags": ["whiteouts"], "Layers": ["0", "1", "2"]}]).encode()
with tarfile.open(sys.argv[1], "w") as t:
    for name, data in [("c", config), ("manifest.json", manifest)] + [(str(i), l) for i, l in enumerate(layers)]:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        t.addfile(info, io.BytesIO(data))
PYTHON
  make_image tar "$work/base.tar"
  python3 "$tool" "$work/image.tar" "$work/base.tar"
  berth load -i "$work/image.tar"
  run -0 berth run --rm whiteouts sh -c 'ls -d /gone /kept /dir/* /renewed/* 2>/dev/null; true'
  expect_output $'/dir/new\n/kept\n/renewed/new'
}

@test "save: what was saved loads with the same id, also by skopeo" {
  make_image docker "$work/image.tar" --tag saved:1 --compress gzip
  berth load -i "$work/image.tar"
  local id
  id=$(berth images -q --no-trunc saved:1)
  berth save -o "$work/saved.tar" saved:1
  berth rmi saved:1
  berth load -i "$work/saved.tar"
  [ "$(berth images -q --no-trunc saved:1)" = "$id" ]
  if command -v skopeo >/dev/null; then
    skopeo inspect --config "docker-archive:$work/saved.tar:saved:1" >/dev/null
    skopeo inspect --config "oci-archive:$work/saved.tar:1" >/dev/null
  fi
}

@test "rmi: the last name takes files, layers and blobs along" {
  make_image docker "$work/image.tar" --tag gone:1
  berth load -i "$work/image.tar"
  berth tag gone:1 gone:2
  run -0 berth rmi gone:1
  expect_output "Untagged: gone:1"
  run -0 berth rmi gone:2
  expect_text "Deleted: sha256:"
  [ -z "$(ls "$BERTH_ROOT"/{layers,tmp,trash,images/blobs/sha256} | grep -v :$ | grep .)" ] || fail "something is left"
}

@test "a killed load leaves nothing that counts, and the next one cleans up" {
  make_tree "$work/tree"
  dd if=/dev/urandom of="$work/tree/large" bs=1M count=64 status=none
  pack "$work/tree" "$work/tree.tar"
  berth import "$work/tree.tar" killed:1 &
  local pid=$!
  wait_until 10 compgen -G "$BERTH_ROOT/tmp/*/unpack-0"
  kill -9 $pid
  wait $pid || true
  [ -z "$(berth images -q)" ]
  make_image docker "$work/image.tar" --tag next:1
  berth load -i "$work/image.tar"
  [ -z "$(ls "$BERTH_ROOT/tmp")" ] || fail "tmp/ is not empty"
  [ "$(ls "$BERTH_ROOT/layers" | wc -l)" = 1 ]
}
