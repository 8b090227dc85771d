# SPDX-License-Identifier: Apache-2.0
# What was loaded comes out of `save` byte for byte, and others read it.
# lanes: native, bytes of an archive are alike under every kernel
load ../lib/common

setup_file() { berth_setup_file; }
teardown_file() { berth_teardown_file; }

setup() {
  needs root
  fresh_store
}

teardown() { unmount_disk; }

# An image of two layers in both formats of archives: two NAME COMPRESSION KIND
two() {
  mkdir -p "$work/add/etc"
  echo hello >"$work/add/etc/hello"
  make_image "$3" "$work/$3-$2" --tag "$1" --add "$work/add" --compress "$2"
}

# All blobs of an OCI layout that is an archive or a directory, with their digests.
blobs() {
  local dir=$1
  if [ -f "$1" ]; then
    dir=$(mktemp -d "$work/XXXXXX")
    tar -C "$dir" -xf "$1"
  fi
  (cd "$dir/blobs/sha256" && sha256sum -- * | sort)
}

@test "save: blobs are those of the OCI layout that was loaded, with every compression" {
  local compression kind
  for compression in none gzip zstd; do
    two "me/$compression:1" "$compression" oci-dir
    berth load -q -i "$work/oci-dir-$compression"
    for kind in docker-archive oci-archive; do
      berth save --format "$kind" -o "$work/$kind.tar" "me/$compression:1"
      [ "$(blobs "$work/$kind.tar")" = "$(blobs "$work/oci-dir-$compression")" ] || fail "$compression $kind"
    done
    berth save --format oci-dir -o "$work/saved-$compression" "me/$compression:1"
    diff -r "$work/oci-dir-$compression/blobs" "$work/saved-$compression/blobs"
  done
}

@test "save: the manifest has the digest that skopeo sees in the original" {
  needs program:skopeo
  two digest:1 gzip oci
  berth load -q -i "$work/oci-gzip"
  berth save --format oci-archive -o "$work/oci.tar" digest:1
  berth save -o "$work/docker.tar" digest:1
  berth save --format docker-dir -o "$work/dir" digest:1
  local original
  original=$(skopeo inspect --format '{{.Digest}}' "oci-archive:$work/oci-gzip:digest:1")
  [ "$(skopeo inspect --format '{{.Digest}}' "oci-archive:$work/oci.tar:1")" = "$original" ]
  [ "$(skopeo inspect --format '{{.Digest}}' "dir:$work/dir")" = "$original" ]
  # and berth shows it
  [ "$(berth image inspect -f '{{index .RepoDigests 0}}' digest:1)" = "digest@$original" ]
  [ "$(skopeo inspect --config --format '{{.Architecture}}' "docker-archive:$work/docker.tar:digest:1")" != "" ]
}

@test "save --compress: plain layers of a directory by gzip, the image stays the same" {
  needs program:skopeo
  two plain:1 none oci
  berth load -q -i "$work/oci-none"
  berth save --format docker-dir --uncompressed -o "$work/plain" plain:1
  grep -q 'layer.v1.tar"' "$work/plain/manifest.json"
  berth save --format docker-dir --compress -o "$work/packed" plain:1
  ! grep -q 'layer.v1.tar"' "$work/packed/manifest.json"
  [ "$(grep -o 'layer.v1.tar+gzip"' "$work/packed/manifest.json" | wc -l)" -eq 2 ]
  skopeo copy -q "dir:$work/packed" "docker-archive:$work/copy.tar" # checks digests and sizes
  [ "$(skopeo inspect --config --raw "dir:$work/packed" | sha256sum)" = "$(skopeo inspect --config --raw "dir:$work/plain" | sha256sum)" ]
  [ "$(ls "$work/packed" | wc -l)" -eq 5 ] # two layers, config, manifest, version
  run -1 berth save --format oci-dir --compress -o "$work/oci" plain:1
  expect_text "--compress can only be set when --format is 'docker-dir'"
}

@test "save: twice gives the same bytes" {
  two same:1 gzip docker
  berth load -q -i "$work/docker-gzip"
  berth save same:1 >"$work/1.tar"
  berth rmi same:1 >/dev/null
  berth load -q -i "$work/docker-gzip"
  berth save -o "$work/2.tar" same:1
  cmp "$work/1.tar" "$work/2.tar"
}

@test "save: several images and names in one archive, their blobs once" {
  two on:1 gzip docker
  make_image docker "$work/base.tar" --tag base:1 --compress gzip
  berth load -q -i "$work/docker-gzip"
  berth load -q -i "$work/base.tar"
  berth tag on:1 on:2
  berth tag on:1 other/name:1
  berth tag on:1 not/saved:1
  berth save -o "$work/all.tar" on base:1 other/name:1
  [ -z "$(tar -tf "$work/all.tar" | sort | uniq -d)" ] || fail "a member is there twice"
  berth rmi -f "$(berth images -q on:1)" base:1 >/dev/null
  run -0 berth load -i "$work/all.tar"
  [ "$(sort <<<"$output")" = "$(printf 'Loaded image: %s\n' base:1 on:1 on:2 other/name:1)" ] || fail "names"
  # a tag that two images have does not tell them apart
  tar -xOf "$work/all.tar" index.json | grep -q '"org.opencontainers.image.ref.name":"docker.io/library/base:1"'
}

@test "save: one config with layers in two compressions is two manifests, and each comes back" {
  two two:gzip gzip oci-dir
  two two:zstd zstd oci-dir
  berth load -q -i "$work/oci-dir-gzip"
  berth load -q -i "$work/oci-dir-zstd"
  berth save --format oci-dir -o "$work/gzip" two:gzip
  berth save --format oci-dir -o "$work/zstd" two:zstd
  berth save --format oci-dir -o "$work/both" two
  diff -r "$work/oci-dir-gzip/blobs" "$work/gzip/blobs"
  diff -r "$work/oci-dir-zstd/blobs" "$work/zstd/blobs"
  [ "$(blobs "$work/both")" = "$({ blobs "$work/gzip"; blobs "$work/zstd"; } | sort -u)" ]
}

@test "save: an id saves an image without names" {
  two id:1 none docker
  berth load -q -i "$work/docker-none"
  berth save -o "$work/id.tar" "$(berth images -q id:1)"
  local id
  id=$(berth images -q --no-trunc id:1)
  berth rmi id:1 >/dev/null
  run -0 berth load -i "$work/id.tar"
  expect_output "Loaded image ID: $id"
}

@test "save: another platform, a damaged blob, a wrong word: said, and nothing is written" {
  two bad:1 gzip docker
  berth load -q -i "$work/docker-gzip"
  run -1 berth save --platform linux/s390x -o "$work/out" bad:1
  expect_text "does not match the specified platform (linux/s390x)"
  berth save --platform "linux/$(berth version -f '{{.Client.Arch}}')" -o "$work/fine" bad:1
  run -1 berth save --format zip -o "$work/out" bad:1
  expect_text 'unknown format "zip"'
  run -1 berth save --format oci-dir bad:1
  expect_text "a directory needs a name"
  mkdir "$work/full"
  touch "$work/full/file"
  run -1 berth save --format oci-dir -o "$work/full" bad:1
  expect_text "Directory not empty"
  run -1 berth save -o "$work/out" nobody:1
  expect_text "No such image: nobody:1"
  local blob
  blob=$(find "$BERTH_ROOT/images/blobs/sha256" -size +100k)
  printf x | dd of="$blob" conv=notrunc bs=1 seek=5000 status=none
  run -1 berth save -o "$work/out" bad:1
  expect_text "blob sha256:$(basename "$blob") is damaged"
  [ ! -e "$work/out" ]
  [ -z "$(find "$work" -maxdepth 1 -name '.*.part')" ]
}

@test "save: a full disk is said, and what was there before stays" {
  local format
  head -c 2000000 /dev/urandom >"$work/noise"
  tar -C "$work" -c noise | berth import - larger:1
  mkdir "$work/disk"
  mount -t tmpfs -o size=1m berth-save "$work/disk"
  echo before >"$work/disk/out"
  for format in docker-archive oci-dir; do
    run -1 berth save --format $format -o "$work/disk/out" larger:1
    expect_text "No space left on device"
    [ "$(ls -A "$work/disk")" = out ]
    [ "$(cat "$work/disk/out")" = before ]
  done
}

@test "save: podman, umoci and skopeo take it" {
  two read/by:1 gzip oci
  berth load -q -i "$work/oci-gzip"
  berth save -o "$work/docker.tar" read/by:1
  berth save --format oci-archive -o "$work/oci.tar" read/by:1
  berth save --format oci-dir -o "$work/layout" read/by:1
  if command -v umoci >/dev/null; then
    umoci unpack --image "$work/layout:1" "$work/bundle" >/dev/null
    [ "$(cat "$work/bundle/rootfs/etc/hello")" = hello ]
  fi
  if command -v skopeo >/dev/null; then
    skopeo copy -q "docker-archive:$work/docker.tar:read/by:1" "dir:$work/copy"
    skopeo copy -q "oci:$work/layout:1" "oci:$work/copy2:x"
  fi
  if command -v podman >/dev/null; then
    PEERS=podman run -0 "$BERTH_TOP/tests/lib/with-peers" bash -c "
      podman load -q -i '$work/docker.tar' && podman load -q -i '$work/oci.tar' && podman images"
    expect_text "read/by"
  fi
}

@test "save: what was pulled has the registry's digests and bytes" {
  needs program:docker-registry program:skopeo
  two pulled:1 gzip oci
  run -0 "$BERTH_TOP/tests/lib/with-registry" bash -ec "
    skopeo copy -q --dest-tls-verify=false 'oci-archive:$work/oci-gzip:pulled:1' docker://\$REGISTRY/pulled:1
    skopeo inspect --tls-verify=false --format '{{.Digest}}' docker://\$REGISTRY/pulled:1
    berth pull -q \$REGISTRY/pulled:1 >&2
    berth save --format oci-dir -o '$work/saved' \$REGISTRY/pulled:1
    berth image inspect -f '{{index .RepoDigests 0}}' \$REGISTRY/pulled:1"
  [ "${lines[0]}" = "${lines[-1]#*@}" ] || fail "RepoDigests"
  [ "$(blobs "$work/saved")" = "$(blobs "$work/oci-gzip")" ]
}

@test "save: docker takes it" {
  needs program:dockerd
  two by/docker:1 gzip oci
  berth load -q -i "$work/oci-gzip"
  berth save -o "$work/docker.tar" by/docker:1
  PEERS=docker run -0 "$BERTH_TOP/tests/lib/with-peers" bash -c "
    docker load -i '$work/docker.tar' && docker save -o '$work/back.tar' by/docker:1
    docker image inspect -f 'size {{.Size}}' by/docker:1"
  expect_text "Loaded image: by/docker:1"
  expect_text "size $(berth image inspect -f '{{.Size}}' by/docker:1)"
  local id
  id=$(berth images -q --no-trunc by/docker:1)
  berth rmi by/docker:1 >/dev/null
  berth load -q -i "$work/back.tar"
  [ "$(berth images -q --no-trunc by/docker:1)" = "$id" ]
}

@test "load: a layer of zstd:chunked, whose table of contents is a frame that zstd skips" {
  needs program:zstd
  two chunked:1 zstd oci-dir
  python3 - "$work/oci-dir-zstd" <<'PYTHON'
import hashlib, json, os, struct, sys
blobs = sys.argv[1] + "/blobs/sha256/"
def read(digest):
    return open(blobs + digest.split(":")[1], "rb").read()
def store(data):
    digest = hashlib.sha256(data).hexdigest()
    open(blobs + digest, "wb").write(data)
    return {"digest": "sha256:" + digest, "size": len(data)}
index = json.load(open(sys.argv[1] + "/index.json"))
manifest = json.loads(read(index["manifests"][0]["digest"]))
for layer in manifest["layers"]:
    extra = os.urandom(100)
    layer.update(store(read(layer["digest"]) + struct.pack("<II", 0x184D2A50, len(extra)) + extra))
    layer["annotations"] = {"io.github.containers.zstd-chunked.manifest-position": "1:2:3:1"}
index["manifests"][0].update(store(json.dumps(manifest).encode()))
json.dump(index, open(sys.argv[1] + "/index.json", "w"))
PYTHON
  berth load -q -i "$work/oci-dir-zstd"
  run -0 berth run --rm chunked:1 cat /etc/hello
  expect_output hello
  berth save --format oci-dir -o "$work/saved" chunked:1
  grep -q zstd-chunked.manifest-position "$work"/saved/blobs/sha256/*
}
