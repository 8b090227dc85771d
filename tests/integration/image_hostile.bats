# SPDX-License-Identifier: Apache-2.0
# An archive cannot reach anything outside its own layer, and what is refused is named and leaves nothing.
# lanes: native, archives are unpacked alike everywhere; an emulated processor takes minutes for them
load ../lib/common
load ../lib/layouts

setup_file() {
  berth_setup_file
  layouts_setup
}
teardown_file() { berth_teardown_file; }

setup() {
  needs root
  work=$BATS_TEST_TMPDIR
  export HOSTILE_CANARY=berth-hostile-$$
  canary=/tmp/$HOSTILE_CANARY
}

hostile() { "$BERTH_TOP/tests/lib/hostile-tar" "$@"; }

nothing_escaped() {
  [ ! -e "$canary" ] || fail "case $1 wrote $canary"
  [ "$(sha256sum /etc/hostname /etc/passwd)" = "$before" ] || fail "case $1 changed a host file"
}

@test "CVE-2014-6407, CVE-2014-9356, CVE-2014-9357, CVE-2014-9358, CVE-2018-15664, CVE-2021-32760, CVE-2023-25153, CVE-2026-47262: every hostile layer is refused by name or kept inside, in little memory" {
  local name outcome before
  before=$(sha256sum /etc/hostname /etc/passwd)
  while read -r name outcome _; do
    hostile image "$name" "$work/$name.tar"
    bounded 65536 berth load -i "$work/$name.tar"
    rm "$work/$name.tar"
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

# Defence: path_open_in_root() for every entry: nothing is looked at before and used by its name then.
@test "CVE-2025-47290: a directory that becomes a link to the host while it is filled" {
  mkdir "$work/host" "$work/host/a" "$work/host/b"
  python3 - "$work" <<'PYTHON'
import io, sys, tarfile
work = sys.argv[1]
with tarfile.open(work + "/layer.tar", "w") as layer:
    for name in ["top", "top/a", "top/b"] + [f"top/{'ab'[i % 2]}/{i}" for i in range(6000)]:
        info = tarfile.TarInfo(name)
        info.type = tarfile.REGTYPE if name.count("/") == 2 else tarfile.DIRTYPE
        info.mode = 0o755
        layer.addfile(info)
PYTHON
  # exchanges the directory that is unpacked with a link to the host's, again and again, from the moment it is there
  python3 - "$BERTH_ROOT" "$work/host" <<'PYTHON' 3>&- &
import ctypes, glob, os, sys, time
store, host = sys.argv[1:]
libc, swaps, end = ctypes.CDLL(None), 0, time.monotonic() + 20
while time.monotonic() < end:
    for top in glob.glob(store + "/tmp/*/*/diff/top"):
        link = os.path.dirname(top) + "/link"
        try:
            os.symlink(host, link)
        except OSError:
            continue
        while libc.renameat2(-100, top.encode(), -100, link.encode(), 2) == 0:
            swaps += 1
        print(swaps, file=open(host + ".swaps", "w"))
        sys.exit()
PYTHON
  local swapper=$!
  run berth import "$work/layer.tar" raced
  wait "$swapper"
  [ -z "$(find "$work/host" -mindepth 2)" ] || fail "files of the layer are on the host"
  [ "$(cat "$work/host.swaps")" -gt 0 ] || fail "the directory was not swapped while the layer was unpacked"
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

@test "CVE-2024-3727, CVE-2021-41190, CVE-2021-21285: documents that lie are refused" {
  layout 'blob(LAYER["digest"]).write_bytes(b"x" * LAYER["size"])'
  refused "layer sha256:"
  layout 'blob(LAYER["digest"]).write_bytes(b"x" * 1024)'
  refused "has 1024 bytes, not "
  layout 'LAYER["size"] += 1; index["manifests"] = [put(manifest)]'
  refused "bytes, not "
  layout 'blob(manifest["config"]["digest"]).write_bytes(b"{}")'
  refused "has 2 bytes, not "
  layout 'blob(manifest["config"]["digest"]).write_bytes(b" " * manifest["config"]["size"])'
  refused "has digest"
  layout 'index["manifests"][0]["size"] -= 1'
  refused "as its descriptor says"
  layout 'config["rootfs"]["diff_ids"] = ["sha256:" + "0" * 64]; with_config(json.dumps(config).encode())'
  refused "diff ID"
  layout 'config["rootfs"]["diff_ids"] *= 2; with_config(json.dumps(config).encode())'
  refused "diff ids"
  layout 'index["manifests"][0]["digest"] = "sha256:../../../../../../etc/passwd"'
  refused "is not a sha256 digest"
  layout 'index["manifests"][0]["digest"] = "../../../etc/passwd"'
  refused "is not a sha256 digest"
  layout 'manifest["manifests"] = index["manifests"]; index["manifests"] = [put(manifest)]'
  refused "does not belong"
  layout 'index["manifests"][0]["size"] = -1'
  refused "size"
  layout 'index = {}'
  refused "index.json"
  layout 'index = [[[[]]]]'
  refused "index.json"
  layout 'index["manifests"] = index["manifests"] * 5000; manifest["layers"] *= 100000; index["manifests"].append(put(manifest))'
  refused "cannot load"
}

@test "indexes in indexes end" {
  layout 'for _ in range(9): index["manifests"] = [put({**index}, mediaType="application/vnd.oci.image.index.v1+json")]'
  refused "nested deeper"
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
