# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For tests of what berth answers to images that somebody wrote by hand: "load ../lib/layouts" after common. $work is the
# test's directory, layouts_setup belongs into setup_file.

layouts_setup() {
  make_image oci-dir "$BATS_FILE_TMPDIR/layout"
}

# Runs a command for at most 50 s, with a peak of memory below so many KiB: bounded KIB COMMAND...
bounded() {
  local most=$1 kib
  shift
  run timeout 50 python3 -c 'import resource, subprocess, sys
code = subprocess.run(sys.argv[2:], stdin=subprocess.DEVNULL).returncode
open(sys.argv[1], "w").write("%d\n" % resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)' "$work/kib" "$@"
  kib=$(cat "$work/kib")
  [ "$kib" -lt "$most" ] || fail "took $kib KiB"
  echo "# $kib KiB: ${output:0:160}"
}

# What was run last was refused, in one sentence that has these words, and nothing is left of it: refused [WORDS]
refused() {
  [ "$status" = 1 ] || fail "accepted, or another exit code than 1 ($status): ${FUNCNAME[1]} $*"
  [ "${#lines[@]}" = 1 ] || fail "more than one line"
  expect_text "${1:-berth: }"
  nothing_loaded
}
nothing_loaded() {
  [ -z "$(berth images -q)" ] || fail "an image is left"
  [ -z "$(cd "$BERTH_ROOT" && find layers tmp images/blobs/sha256 -mindepth 1 2>/dev/null)" ] || fail "files are left"
}

# Loads a good OCI layout whose documents Python has changed: layout EDIT. index, manifest and config are what they are,
# blob(digest) is a file; raw(bytes, kind) and put(document) store a blob and give its descriptor; with_config(bytes) leads to
# another config. text, if it is set, becomes index.json as it is.
layout() {
  rm -rf "$work/oci"
  cp -r "$BATS_FILE_TMPDIR/layout" "$work/oci"
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
    return raw(json.dumps(document).encode(), document.get("mediaType", KIND), **fields)
manifest = json.loads(blob(index["manifests"][0]["digest"]).read_text())
config = json.loads(blob(manifest["config"]["digest"]).read_text())
KIND = manifest["mediaType"]
CONFIG = manifest["config"]["mediaType"]
LAYER = manifest["layers"][0]
def with_config(data):
    manifest["config"] = raw(data, CONFIG)
    index["manifests"] = [put(manifest)]
text = None
exec(edit)
(top / "index.json").write_text(json.dumps(index) if text is None else text)
PYTHON
  bounded 98304 berth load -i "$work/oci"
}
