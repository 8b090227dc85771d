# SPDX-License-Identifier: Apache-2.0
# Images of extreme sizes and documents that no tool would write: an answer in bounded time and memory, and nothing left.
# BERTH_TEST_ENTRIES says how many entries the largest layer has (1000000 before a release).
# lanes: native, bytes of an archive are read alike under every kernel
load ../lib/common
load ../lib/layouts

setup_file() {
  berth_setup_file
  layouts_setup
  export BERTH_ROOT=$BATS_FILE_TMPDIR/memory/store
  [ "$(id -u)" != 0 ] || { mkdir "$BATS_FILE_TMPDIR/memory"; mount -t tmpfs -o size=1500m,nr_inodes=1100k berth-extremes "$BATS_FILE_TMPDIR/memory"; }
  mkdir -p "$BERTH_ROOT"
}
teardown_file() {
  berth_teardown_file
  wait_until 20 umount "$BATS_FILE_TMPDIR/memory" # a deletion may still be at work
}
teardown() { unmount_disk; }
setup() {
  needs root
  work=$BATS_TEST_TMPDIR
  berth image prune -af >/dev/null
}

@test "a pax header of 100 MB, in a layer and in the archive around it" {
  python3 - "$work" <<'PYTHON'
import sys, tarfile
text = b"100000018 comment=" + b"x" * 99_999_999 + b"\n"
with open(sys.argv[1] + "/header.tar", "wb") as out:
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, len(text)
    for block in (header.tobuf(), text, bytes(-len(text) % 512), tarfile.TarInfo("a").tobuf(), bytes(1024)):
        out.write(block)
PYTHON
  bounded 65536 berth import "$work/header.tar" header
  refused
  bounded 65536 berth load -i "$work/header.tar"
  refused
  gzip -1 "$work/header.tar"
  bounded 65536 berth import "$work/header.tar.gz" header
  refused
}

@test "CVE-2017-14992: bombs of zstd and gzip end at the disk's reserve; what is compressed twice is no layer" {
  mkdir "$work/disk"
  mount -t tmpfs -o size=100m berth-bombs "$work/disk"
  export BERTH_ROOT=$work/disk/store
  mkdir "$BERTH_ROOT"
  truncate -s 200M "$work/zeros"
  tar -C "$work" -cf "$work/bomb.tar" zeros
  zstd -q "$work/bomb.tar"
  bounded 98304 berth import "$work/bomb.tar.zst" bomb
  refused "unpacks to more than"
  gzip -1 "$work/bomb.tar"
  bounded 65536 berth import "$work/bomb.tar.gz" bomb
  refused "unpacks to more than"
  gzip -1 <"$work/bomb.tar.gz" >"$work/nested.tar.gz"
  bounded 65536 berth import "$work/nested.tar.gz" bomb
  refused
}

@test "CVE-2023-25153: many entries: bounded memory" {
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

@test "documents: sizes that are negative, huge, broken or lies" {
  local size
  # every one of them is told from the size that the blob has
  for size in -1 -9223372036854775808 9223372036854775807 18446744073709551615 18446744073709551616 1e30 0.5 '"7"' null true '[1]'; do
    layout "text = json.dumps(index).replace('\"size\": ' + str(index['manifests'][0]['size']), '\"size\": $size')"
    refused
    layout "index['manifests'] = [raw(json.dumps(manifest).replace('\"size\": ' + str(manifest['layers'][0]['size']), '\"size\": $size').encode(), KIND)]"
    refused
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
