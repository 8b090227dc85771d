# SPDX-License-Identifier: Apache-2.0
# Images of extreme sizes and documents that no tool would write: an answer in bounded time and memory, and nothing left.
# BERTH_TEST_ENTRIES says how many entries the largest layer has (1000000 before a release).
# lanes: native, bytes of an archive are read alike under every kernel
load ../lib/common

setup_file() {
  berth_setup_file
  export BERTH_ROOT=$BATS_FILE_TMPDIR/memory/store
  [ "$(id -u)" != 0 ] || { mkdir "$BATS_FILE_TMPDIR/memory"; mount -t tmpfs -o size=1500m,nr_inodes=1100k berth-extremes "$BATS_FILE_TMPDIR/memory"; }
  mkdir -p "$BERTH_ROOT"
}
teardown_file() {
  berth_teardown_file
  wait_until 20 umount "$BATS_FILE_TMPDIR/memory" # a deletion may still be at work
}
setup() {
  needs root
  work=$BATS_TEST_TMPDIR
  berth image prune -af >/dev/null
}

# Runs a command for at most 50 s; its exit code, output and peak memory: bounded KIB COMMAND...
bounded() {
  local most=$1
  shift
  run timeout 50 python3 -c 'import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL).returncode
sys.stdout.flush()
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)' "$@"
  [ "${lines[-1]}" -lt "$most" ] || fail "took ${lines[-1]} KiB"
  echo "# ${lines[-1]} KiB: ${lines[0]:0:160}"
}

# Or it is an image like others: some sizes are only hints.
refused_or_whole() {
  if [ "$status" = 0 ]; then
    run -0 berth system check
    berth rmi -f "$(berth images -q)" >/dev/null
  else
    refused
  fi
}

refused() {
  [ "$status" = 1 ] || fail "accepted, or another exit code than 1: $status"
  [ "${#lines[@]}" = 2 ] || fail "more than one line"
  [ -z "$(berth images -q)" ] || fail "an image is left"
  [ -z "$(cd "$BERTH_ROOT" && find layers tmp images/blobs/sha256 -mindepth 1 2>/dev/null)" ] || fail "files are left"
}

@test "a pax header of 100 MB, in a layer and in the archive around it" {
  python3 - "$work" <<'PYTHON'
import sys, tarfile
info = tarfile.TarInfo("a")
info.pax_headers = {"comment": "x" * 100_000_000}
with tarfile.open(sys.argv[1] + "/header.tar", "w", format=tarfile.PAX_FORMAT) as tar:
    tar.addfile(info)
PYTHON
  bounded 65536 berth import "$work/header.tar" header
  refused
  bounded 65536 berth load -i "$work/header.tar"
  refused
  gzip -1 "$work/header.tar"
  bounded 65536 berth import "$work/header.tar.gz" header
  refused
}

@test "bombs of zstd and gzip end at the disk's reserve; what is compressed twice is no layer" {
  truncate -s 3G "$work/zeros"
  tar -C "$work" -cf - zeros | zstd -q -c >"$work/bomb.tar.zst"
  bounded 98304 berth import "$work/bomb.tar.zst" bomb
  refused
  expect_text "unpacks to more than"
  tar -C "$work" -cf - zeros | gzip -1 | gzip -1 >"$work/nested.tar.gz"
  bounded 65536 berth import "$work/nested.tar.gz" bomb
  refused
}

@test "many entries: bounded memory" {
  local n=${BERTH_TEST_ENTRIES:-100000}
  python3 - "$work/many.tar" "$n" <<'PYTHON'
import sys, tarfile
head = bytearray(tarfile.TarInfo("d000/f0000000").tobuf(tarfile.USTAR_FORMAT))
head[148:156] = b" " * 8
with open(sys.argv[1], "wb") as out:
    for i in range(int(sys.argv[2])):
        head[0:13] = b"d%03d/f%07d" % (i // 1000, i)
        head[148:156] = b" " * 8
        head[148:156] = b"%06o\0 " % sum(head)
        out.write(head)
    out.write(bytes(1024))
PYTHON
  bounded 65536 berth import "$work/many.tar" many
  [ "$status" = 0 ] || fail "exit code $status"
  bounded 98304 berth system check
  [ "$status" = 0 ] || fail "not clean"
  berth rmi many >/dev/null
}

# An OCI layout whose documents Python changes: layout EDIT. put(document) stores a blob, raw(bytes) too.
layout() {
  rm -rf "$work/oci"
  make_image oci-dir "$work/oci"
  python3 - "$work/oci" "$1" <<'PYTHON'
import hashlib, json, pathlib, sys
top, edit = pathlib.Path(sys.argv[1]), sys.argv[2]
index = json.loads((top / "index.json").read_text())
blob = lambda digest: top / "blobs" / "sha256" / digest.split(":")[1]
def raw(data, kind, **fields):
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    blob(digest).write_bytes(data)
    return {"mediaType": kind, "digest": digest, "size": len(data), **fields}
def put(document, **fields):
    return raw(json.dumps(document).encode(), document.get("mediaType", "application/vnd.oci.image.manifest.v1+json"), **fields)
manifest = json.loads(blob(index["manifests"][0]["digest"]).read_text())
config = json.loads(blob(manifest["config"]["digest"]).read_text())
KIND = manifest["mediaType"]
CONFIG = manifest["config"]["mediaType"]
def with_config(data):
    manifest["config"] = raw(data, CONFIG)
    index["manifests"] = [put(manifest)]
text = None
exec(edit)
(top / "index.json").write_text(json.dumps(index) if text is None else text)
PYTHON
  bounded 98304 berth load -i "$work/oci"
}

@test "documents: sizes that are negative, huge, broken or lies" {
  local size
  for size in -1 -9223372036854775808 9223372036854775807 18446744073709551615 18446744073709551616 1e30 0.5 '"7"' null true '[1]'; do
    layout "text = json.dumps(index).replace('\"size\": ' + str(index['manifests'][0]['size']), '\"size\": $size')"
    refused_or_whole
    layout "index['manifests'] = [raw(json.dumps(manifest).replace('\"size\": ' + str(manifest['layers'][0]['size']), '\"size\": $size').encode(), KIND)]"
    refused_or_whole
  done
}

@test "documents: deep, huge, with keys twice, with bytes that are no text" {
  layout 'text = "[" * 1000000'
  refused
  layout 'text = "{\"a\":" * 500000'
  refused
  layout 'with_config(b"{\"config\":" + b"[" * 100000 + b"]" * 100000 + b"}")'
  refused
  layout 'with_config(b" " * (5 << 20) + json.dumps(config).encode())'
  refused
  layout 'with_config(json.dumps(config).encode() + b"{}")'
  refused
  layout 'with_config(b"\x00" + json.dumps(config).encode())'
  refused
  layout 'with_config(json.dumps(config).encode()[:-9])'
  refused
  # a key that is there twice: one reader takes the first, one the last; never two opinions in one program
  layout 'with_config(json.dumps(config).encode()[:-1] + b", \"rootfs\": {\"type\": \"layers\", \"diff_ids\": [\"sha256:" + b"0" * 64 + b"\"]}}")'
  [ "$status" = 1 ] || { berth run --rm "$(berth images -q)" true; berth rmi -f "$(berth images -q)" >/dev/null; }
  [ -z "$(berth images -q)" ]
}

@test "documents: thousands of layers, annotations, names" {
  layout 'manifest["layers"] *= 20000; config["rootfs"]["diff_ids"] *= 20000
manifest["config"] = raw(json.dumps(config).encode(), CONFIG); index["manifests"] = [put(manifest)]'
  refused
  layout 'index["manifests"][0]["annotations"] = {"k%d" % i: "v" * 100 for i in range(100000)}'
  [ "$status" = 1 ] || berth rmi -f "$(berth images -q)" >/dev/null
  layout 'index["manifests"] = [dict(index["manifests"][0], annotations={"io.containerd.image.name": "x/y:%d" % i}) for i in range(20000)]'
  [ "$status" = 1 ] || berth image prune -af >/dev/null
  layout 'index["manifests"][0]["digest"] = "sha512:" + "0" * 128'
  refused
  layout 'index["manifests"][0]["digest"] = "sha256:" + "A" * 64'
  refused
}
