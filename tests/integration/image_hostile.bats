# SPDX-License-Identifier: Apache-2.0
# An archive cannot reach anything outside its own layer, and what is refused is named and leaves nothing.
# lanes: native, archives are unpacked alike everywhere; an emulated processor takes minutes for them
load ../lib/common

setup_file() { berth_setup_file; }
teardown_file() { berth_teardown_file; }

setup() {
  needs root
  work=$BATS_TEST_TMPDIR
  canary=/tmp/berth-hostile-canary
  rm -f "$canary"
}

hostile() { "$BERTH_TOP/tests/lib/hostile-tar" "$@"; }

nothing_escaped() {
  [ ! -e "$canary" ] || fail "case $1 wrote $canary"
  [ "$(sha256sum /etc/hostname /etc/passwd)" = "$before" ] || fail "case $1 changed a host file"
}

@test "every hostile layer is refused by name or kept inside" {
  local name outcome before
  before=$(sha256sum /etc/hostname /etc/passwd)
  while read -r name outcome _; do
    hostile image "$name" "$work/$name.tar"
    run berth load -i "$work/$name.tar"
    nothing_escaped "$name"
    if [ "$outcome" = kept ]; then
      [ "$status" = 0 ] || fail "case $name was refused"
      berth rmi "hostile:$name" >/dev/null
    else
      [ "$status" != 0 ] || fail "case $name was accepted"
      [ "$(wc -l <<<"$output")" = 1 ] || fail "case $name: more than one line"
      [[ $name = not-tar || $name = huge-header || $name = sparse-map ]] || expect_text "entry '"
    fi
    [ -z "$(berth images -q)" ] || fail "case $name left an image"
    [ -z "$(find "$BERTH_ROOT"/{layers,tmp,trash} -mindepth 1)" ] || fail "case $name left files"
  done < <(hostile list)
}

@test "a bomb ends when the disk's reserve is reached, and leaves nothing" {
  mount -t tmpfs -o size=200m berth-hostile "$work"
  mkdir "$work/store"
  truncate -s 400M "$BATS_FILE_TMPDIR/zeros"
  tar -C "$BATS_FILE_TMPDIR" -cf - zeros | gzip >"$work/bomb.tar.gz"
  run env BERTH_ROOT="$work/store" berth import "$work/bomb.tar.gz" bomb
  local left
  left=$(find "$work/store/layers" "$work/store/tmp" -mindepth 1)
  umount "$work"
  [ "$status" != 0 ]
  expect_text "unpacks to more than"
  [ -z "$left" ] || fail "left: $left"
}

@test "labels are left out, what an image may say is kept" {
  hostile image labels "$work/labels.tar"
  hostile image modes "$work/modes.tar"
  hostile image whiteout-own "$work/own.tar"
  berth load -q -i "$work/labels.tar" >/dev/null
  berth load -q -i "$work/modes.tar" >/dev/null
  run -0 getfattr -d -m - "$BERTH_ROOT"/layers/*/diff/a
  expect_text user.ok
  expect_no_text "security."
  [ "$(stat -c %a "$BERTH_ROOT"/layers/*/diff/s "$BERTH_ROOT"/layers/*/diff/t | xargs)" = "6777 1777" ]
  # nobody but root comes near a set-user-id program of an image (CVE-2021-41091)
  [ "$(stat -c %a "$BERTH_ROOT"/layers)" = 700 ] || [ "$(stat -c %a "$BERTH_ROOT")" = 700 ]
  berth rmi hostile:labels hostile:modes >/dev/null
}

# 64 MiB, whatever is in it. /usr/bin/time: KiB at the highest.
@test "CVE-2023-25153, CVE-2026-47262: memory stays small whatever a layer holds" {
  local name kib
  for name in sparse-map many-directories huge-header; do
    hostile image "$name" "$work/$name.tar"
    run python3 -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' berth load -i "$work/$name.tar"
    kib=${lines[-1]}
    [ "$kib" -lt 65536 ] || fail "case $name took $kib KiB"
  done
}

@test "CVE-2021-20291: streams that end too early are refused, whatever their compression, and never waited for" {
  local how kind part size
  for how in gzip zstd none; do
    make_image docker "$work/whole.tar" --compress $how
    size=$(stat -c %s "$work/whole.tar")
    for part in 3 10; do
      head -c $((size * part / 11)) "$work/whole.tar" >"$work/part.tar"
      run timeout 30 berth load -i "$work/part.tar"
      [ "$status" = 1 ] || fail "$how, $part of 11 parts: exit code $status"
      [ "$(wc -l <<<"$output")" = 1 ] || fail "more than one line"
    done
    # the layer alone is cut; the archive around it is whole
    python3 - "$work" $how <<'PYTHON'
import io, sys, tarfile
work, how = sys.argv[1:]
with tarfile.open(work + "/whole.tar") as whole, tarfile.open(work + "/cut.tar", "w") as cut:
    for member in whole:
        data = whole.extractfile(member).read()
        if member.name.endswith("layer.tar"):
            data = data[:len(data) // 2]
        member.size = len(data)
        cut.addfile(member, io.BytesIO(data))
PYTHON
    run timeout 30 berth load -i "$work/cut.tar"
    [ "$status" = 1 ] || fail "$how, cut layer: exit code $status"
    expect_text "cannot load '$work/cut.tar': layer sha256:"
  done
  [ -z "$(find "$BERTH_ROOT"/{layers,tmp,trash,images/blobs/sha256} -mindepth 1)" ] || fail "files are left"
}

# oci_layout EDIT: an OCI layout in $work/oci whose documents Python changes: files is {path: bytes}, put(doc) stores a blob.
oci_layout() {
  rm -rf "$work/oci"
  make_image oci-dir "$work/oci"
  python3 - "$work/oci" "$1" <<'PYTHON'
import hashlib, json, pathlib, sys
top, edit = pathlib.Path(sys.argv[1]), sys.argv[2]
index = json.loads((top / "index.json").read_text())
blob = lambda digest: top / "blobs" / "sha256" / digest.split(":")[1]
def put(document, **fields):
    data = json.dumps(document).encode()
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    blob(digest).write_bytes(data)
    return {"mediaType": document.get("mediaType", ""), "digest": digest, "size": len(data), **fields}
manifest = json.loads(blob(index["manifests"][0]["digest"]).read_text())
config = json.loads(blob(manifest["config"]["digest"]).read_text())
exec(edit)
(top / "index.json").write_text(json.dumps(index))
PYTHON
}

refused_layout() {
  oci_layout "$1"
  run timeout 30 berth load -i "$work/oci"
  [ "$status" = 1 ] || fail "accepted, or another exit code than 1 ($status): $1"
  [ "$(wc -l <<<"$output")" = 1 ] || fail "more than one line"
  expect_text "$2"
  [ -z "$(berth images -q)" ] || fail "left an image: $1"
  [ -z "$(find "$BERTH_ROOT"/{layers,tmp,trash,images/blobs/sha256} -mindepth 1)" ] || fail "left files: $1"
}

@test "CVE-2024-3727, CVE-2021-41190, CVE-2021-21285: documents that lie are refused" {
  refused_layout 'blob(manifest["layers"][0]["digest"]).write_bytes(b"x" * 1024)' "layer sha256:"
  refused_layout 'blob(manifest["config"]["digest"]).write_bytes(b"{}")' "has digest"
  refused_layout 'config["rootfs"]["diff_ids"] = ["sha256:" + "0" * 64]; manifest["config"] = {**put(config), "mediaType": manifest["config"]["mediaType"]}; index["manifests"] = [put(manifest)]' "diff ID"
  refused_layout 'config["rootfs"]["diff_ids"] *= 2; manifest["config"] = {**put(config), "mediaType": manifest["config"]["mediaType"]}; index["manifests"] = [put(manifest)]' "diff ids"
  refused_layout 'index["manifests"][0]["digest"] = "sha256:../../../../../../etc/passwd"' "is not a sha256 digest"
  refused_layout 'index["manifests"][0]["digest"] = "../../../etc/passwd"' "is not a sha256 digest"
  refused_layout 'manifest["manifests"] = index["manifests"]; index["manifests"] = [put(manifest)]' "does not belong"
  refused_layout 'index["manifests"] = [{**index["manifests"][0], "size": -1}]' "size"
  refused_layout 'index = {}' "index.json"
  refused_layout 'index = [[[[]]]]' "index.json"
  refused_layout 'index["manifests"] = index["manifests"] * 5000; manifest["layers"] *= 100000; index["manifests"].append(put(manifest))' "cannot load"
}

@test "indexes in indexes end" {
  refused_layout 'index["manifests"] = [put({**index})]
for _ in range(9): index["manifests"] = [put({**index}, mediaType="application/vnd.oci.image.index.v1+json")]' "nested deeper"
}

@test "CVE-2026-48749: a manifest.json that names what is not in the archive, or is a link out of it" {
  make_image docker "$work/whole.tar"
  local lie
  for lie in 'm["Layers"] = ["../../../../../../etc/hostname"]' 'm["Layers"] = ["/etc/hostname"]' 'm["Config"] = "../../etc/passwd"' \
    'm["Config"] = "link"' 'm["Layers"] = ["link"]' 'm["Layers"] = ["loop"]'; do
    python3 - "$work" "$lie" <<'PYTHON'
import io, json, sys, tarfile
work, lie = sys.argv[1:]
with tarfile.open(work + "/whole.tar") as whole, tarfile.open(work + "/lie.tar", "w") as out:
    for member in whole:
        data = whole.extractfile(member).read()
        if member.name == "manifest.json":
            document = json.loads(data)
            m = document[0]
            exec(lie)
            data = json.dumps(document).encode()
        member.size = len(data)
        out.addfile(member, io.BytesIO(data))
    for name, target in (("link", "/etc/passwd"), ("loop", "loop")):
        info = tarfile.TarInfo(name)
        info.type, info.linkname = tarfile.SYMTYPE, target
        out.addfile(info)
PYTHON
    run timeout 30 berth load -i "$work/lie.tar"
    [ "$status" = 1 ] || fail "exit code $status: $lie"
    [ "$(wc -l <<<"$output")" = 1 ] || fail "more than one line: $lie"
    [ -z "$(berth images -q)" ] || fail "left an image: $lie"
  done
}

@test "100,000 entries are unpacked, in little memory" {
  python3 - "$work" <<'PYTHON'
import sys, tarfile
with tarfile.open(sys.argv[1] + "/many.tar", "w") as tar:
    for i in range(100000):
        info = tarfile.TarInfo("d%d/f%d" % (i // 1000, i))
        tar.addfile(info)
PYTHON
  run python3 -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)' berth import "$work/many.tar" many
  [ "$status" = 0 ]
  [ "${lines[-1]}" -lt 65536 ] || fail "took ${lines[-1]} KiB"
  [ "$(find "$BERTH_ROOT"/layers/*/diff -type f | wc -l)" = 100000 ]
  berth rmi many >/dev/null
}
