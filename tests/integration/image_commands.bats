# SPDX-License-Identifier: Apache-2.0
# Lists of images, their history and names: docker's words and columns.
# lanes: native, what is said of images does not depend on the kernel
load ../lib/common

setup_file() {
  berth_setup_file
  [ "$(id -u)" = 0 ] || return 0
  # two layers, one of them large; an empty step; a step that is longer than the column
  mkdir -p "$BATS_FILE_TMPDIR/add/etc"
  head -c 30000 /dev/zero >"$BATS_FILE_TMPDIR/add/etc/zeros"
  make_image docker "$BATS_FILE_TMPDIR/base.tar" --tag base:1
  make_image docker "$BATS_FILE_TMPDIR/on.tar" --tag on:1 --add "$BATS_FILE_TMPDIR/add"
  berth load -q -i "$BATS_FILE_TMPDIR/base.tar" >/dev/null
  berth load -q -i "$BATS_FILE_TMPDIR/on.tar" >/dev/null
  make_image tar "$BATS_FILE_TMPDIR/rootfs.tar"
  berth import -m "a message" -c 'LABEL colour=red' "$BATS_FILE_TMPDIR/rootfs.tar" new:1 >/dev/null
}

teardown_file() { berth_teardown_file; }
setup() {
  needs root
  work=$BATS_TEST_TMPDIR
}

names() {
  berth images --format '{{.Repository}}:{{.Tag}}' "$@" | sort | tr '\n' ' '
}

@test "images: filters" {
  [ "$(names)" = "base:1 new:1 on:1 " ]
  [ "$(names -f reference='o*')" = "on:1 " ]
  [ "$(names -f reference='o*' -f reference=base)" = "base:1 on:1 " ]
  [ "$(names 'on:*')" = "on:1 " ]
  [ "$(names -f label=colour)" = "new:1 " ]
  [ "$(names -f label=colour=red)" = "new:1 " ]
  [ "$(names -f label=colour=blue)" = "" ]
  [ "$(names -f before=new:1)" = "base:1 on:1 " ]
  [ "$(names -f since=on:1)" = "new:1 " ]
  [ "$(names -f until=1h)" = "base:1 on:1 " ]
  [ "$(names -f until=2100-01-01)" = "base:1 new:1 on:1 " ]
  [ "$(names -f id="$(berth images -q on:1)")" = "on:1 " ]
  [ "$(names -f dangling=true)" = "" ]
  run -1 berth images -f colour=red
  expect_text "Invalid filter 'colour'"
  run -125 berth images -f colour
  expect_text 'invalid argument "colour" for "-f, --filter" flag: bad format of filter (expected name=value)'
  run -1 berth images -f before=nobody
  expect_text "No such image: nobody:latest"
}

@test "images: columns, fields, ids and digests" {
  local id digest
  id=$(berth images -q --no-trunc base:1)
  digest=$(berth image inspect -f '{{.Descriptor.digest}}' base:1)
  run -0 berth images base
  expect_output "REPOSITORY   TAG       IMAGE ID       CREATED       SIZE
base         1         ${id:7:12}   $(berth images --format '{{.CreatedSince}}   {{.Size}}' base)"
  run -0 berth images --digests --format '{{.Digest}} {{.ID}}' base
  expect_output "$digest ${id:7:12}"
  run -0 bash -c "berth images --format json base | python3 -c 'import json, sys; print(*sorted(json.load(sys.stdin)))'"
  expect_output "Containers CreatedAt CreatedSince Digest ID Repository SharedSize Size Tag UniqueSize VirtualSize"
  berth tag base:1 base:2
  run -0 berth images -q base
  expect_output "${id:7:12}
${id:7:12}"
  berth rmi base:2 >/dev/null
}

@test "images: podman's --noheading and --sort" {
  local by
  run -0 berth images --noheading base
  [ "$output" = "$(berth images -n base)" ]
  [ "${#lines[@]}" = 1 ] && [[ $output = "base "* ]] || fail "no row alone"
  berth tag base:1 zebra:0
  for by in id repository size tag; do
    run -0 berth images --no-trunc --sort $by --format '{{.ID}} {{.Repository}} {{.Size}} {{.Tag}}'
    [ "${#lines[@]}" = 4 ] || fail "not all"
    case $by in
      id) [ "$(cut -d' ' -f1 <<<"$output")" = "$(cut -d' ' -f1 <<<"$output" | sort)" ] ;;
      repository) [ "$(cut -d' ' -f2 <<<"$output" | tr '\n' ' ')" = "base new on zebra " ] ;;
      size) [[ ${lines[3]} = *" on "* ]] ;; # it has a layer more than the others
      tag) [[ ${lines[0]} = *" zebra "*" 0" ]] ;;
    esac || fail "$by: $output"
  done
  [ "$(berth images --sort created -q)" = "$(berth images -q)" ]
  berth rmi zebra:0
  run -1 berth images --sort colour
  expect_text '"colour" is not a valid field for sorting. Choose from: created, id, repository, size, tag'
  run -1 berth images --tree --sort size
  expect_text "--tree has its own order"
}

@test "images --tree: an image, its names, its platform" {
  run -0 berth images --tree on
  [[ ${lines[0]} =~ ^IMAGE\ +ID\ +DISK\ USAGE\ +CONTENT\ SIZE\ +EXTRA ]] || fail "header"
  [[ ${lines[1]} =~ ^on:1\ +[0-9a-f]{12}\ +[0-9.]+MB\ +[0-9.]+MB ]] || fail "image"
  [[ ${lines[2]} =~ ^"└─ linux/" ]] || fail "platform"
  run -1 berth images --tree -q
  expect_text "--quiet is not supported with --tree"
}

@test "history: a row for each step, the image's id on the first" {
  local id
  id=$(berth images -q on:1)
  run -0 berth history on:1
  [[ ${lines[0]} =~ ^IMAGE\ +CREATED\ +CREATED\ BY\ +SIZE\ +COMMENT$ ]] || fail "header"
  [[ ${lines[1]} =~ ^$id\ +.*years\ ago\ +make-image\ +30kB ]] || fail "first"
  [[ ${lines[2]} =~ ^\<missing\>\ +.*make-image\ +[0-9.]+MB ]] || fail "second"
  [ ${#lines[@]} = 3 ]
  run -0 berth history -q --no-trunc on:1
  expect_output "$(berth images -q --no-trunc on:1)
<missing>"
  run -0 berth history -H=false --format '{{.CreatedAt}} {{.CreatedSince}} {{.Size}}' on:1
  [ "${lines[0]}" = "2024-01-01T00:00:00Z 2024-01-01T00:00:00Z 30000" ] || fail "numbers"
  run -0 berth history --format '{{.Comment}}' new:1
  expect_output "a message"
  run -1 berth history --platform linux/s390x on:1
  expect_text "does not match the specified platform (linux/s390x)"
  run -1 berth history nobody
  expect_text "No such image: nobody:latest"
}

@test "history: empty steps, long ones, and layers nobody has a word for" {
  python3 - "$work" "$BATS_FILE_TMPDIR/rootfs.tar" <<'PYTHON'
import hashlib, io, json, sys, tarfile
work, base = sys.argv[1], open(sys.argv[2], "rb").read()
empty = io.BytesIO()
tarfile.open(fileobj=empty, mode="w").close()
layers = [base, empty.getvalue(), empty.getvalue() + bytes(10240)]
config = json.dumps({"architecture": "amd64", "os": "linux", "docker_version": "1.2.3", "config": {},
    "history": [{"created_by": "ENV A=\tB", "empty_layer": True},
                {"created": "2020-01-01T00:00:00Z", "created_by": "RUN " + "x" * 60, "comment": "last"}],
    "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(l).hexdigest() for l in layers]}}).encode()
manifest = json.dumps([{"Config": "c", "RepoTags": ["steps"], "Layers": ["0", "1", "2"]}]).encode()
with tarfile.open(work + "/steps.tar", "w") as t:
    for name, data in [("c", config), ("manifest.json", manifest)] + [(str(i), l) for i, l in enumerate(layers)]:
        info = tarfile.TarInfo(name)
        info.size = len(data)
        t.addfile(info, io.BytesIO(data))
PYTHON
  berth load -q -i "$work/steps.tar" >/dev/null
  run -0 berth history --format '{{.CreatedSince}}|{{.CreatedBy}}|{{.Size}}|{{.Comment}}' steps
  [[ ${lines[0]} =~ ^[0-9]+\ years\ ago\|RUN\ x{40}…\|0B\|last$ ]] || fail "long"
  [ "${lines[1]}" = "N/A|ENV A= B|0B|" ] || fail "empty"
  [ "${lines[2]}" = "N/A||0B|" ] || fail "no words"
  [[ ${lines[3]} =~ ^N/A\|\|[0-9.]+MB\|$ ]] || fail "no words, large"
  run -0 berth image inspect -f '{{.Comment}} {{.DockerVersion}}' steps
  expect_output "last 1.2.3"
  berth rmi steps >/dev/null
}

@test "image tree: layers, and whose last they are" {
  run -0 berth image tree on:1
  expect_text "Tags:     [on:1]"
  [[ ${lines[4]} =~ ^"├── ID: "[0-9a-f]{12}" Size: ".*"Top Layer of: ["([a-z0-9: ]*" ")?base:1 ]] || fail "base's layer"
  [[ ${lines[5]} =~ ^"└── ID: "[0-9a-f]{12}" Size:    30kB Top Layer of: [on:1]"$ ]] || fail "own layer"
  run -0 berth image tree --whatrequires base:1
  expect_text "Tags:     [on:1]"
}

@test "untag takes names and leaves the image" {
  local id
  id=$(berth images -q on:1)
  berth tag on:1 on:2
  berth tag on:1 on:3
  berth untag on:1 on:2
  [ "$(names on)" = "on:1 on:3 " ]
  run -1 berth untag on:1 base:1
  expect_text "base:1: tag not known"
  berth untag on:1
  [ "$(berth images -qf dangling=true)" = "$id" ]
  berth tag "$id" on:1
  [ -z "$(berth images -qf dangling=true)" ]
}

@test "exists answers by its exit code" {
  run -0 berth image exists on:1
  expect_output ""
  run -1 berth image exists nobody
  expect_output ""
  berth create --name there base:1 >/dev/null
  run -0 berth container exists there
  run -1 berth container exists nobody
  berth rm there >/dev/null
}

@test "inspect: docker's fields; another platform is an error" {
  run -0 bash -c "berth image inspect on:1 | python3 -c 'import json, sys; print(*json.load(sys.stdin)[0])'"
  local field
  for field in Id RepoTags RepoDigests Parent Comment Created DockerVersion Author Config Architecture Os Size VirtualSize \
    GraphDriver RootFS Metadata Descriptor; do
    [[ " $output " == *" $field "* ]] || fail "no $field"
  done
  run -0 berth image inspect -f '{{index .RepoTags 0}} {{len .RepoDigests}} {{len .RootFS.Layers}}' on:1
  expect_output "on:1 1 2"
  # the name's own time, not the image's
  run -0 berth image inspect -f '{{.Metadata.LastTagTime}}' on:1
  [[ $output == "$(date -u +%Y)"-* ]] || fail "LastTagTime"
  run -1 berth image inspect --platform linux/s390x on:1
  expect_text "does not match the specified platform (linux/s390x)"
}

@test "rmi: by digest, several, another platform, names in the way" {
  local id digest
  id=$(berth images -q on:1)
  digest=$(berth image inspect -f '{{index .RepoDigests 0}}' on:1)
  [ "$(berth image inspect -f '{{.Id}}' "$digest")" = "$(berth images -q --no-trunc on:1)" ]
  run -1 berth rmi --platform linux/s390x on:1
  expect_text "does not match the specified platform"
  berth tag on:1 other:1
  run -1 berth rmi "$id"
  expect_text "conflict: unable to delete $id (must be forced) - image is referenced in multiple repositories"
  run -1 berth rmi --no-prune other:1 nobody:1
  expect_text "Untagged: other:1"
  expect_text "No such image: nobody:1"
  run -0 berth rmi "$digest"
  expect_text "Untagged: on:1"
  expect_text "Deleted: sha256:$id"
  berth load -q -i "$BATS_FILE_TMPDIR/on.tar" >/dev/null
}

@test "rmi: podman's --all and --ignore" {
  run -0 berth rmi --ignore nobody:1
  expect_output ""
  run -1 berth rmi --all on:1
  expect_text "when using the --all switch, you may not pass any images names or IDs"
  run -1 berth rmi
  expect_text "requires at least 1 argument"
  export BERTH_ROOT=$work/other
  run -0 berth rmi --all
  expect_output ""
  berth load -q -i "$BATS_FILE_TMPDIR/on.tar" >/dev/null
  berth load -q -i "$BATS_FILE_TMPDIR/base.tar" >/dev/null
  berth tag on:1 other:1
  berth create --name user base:1
  run -1 berth rmi -a
  expect_text "Untagged: on:1"
  expect_text "Untagged: other:1"
  expect_text "conflict: unable to "
  [ "$(names)" = "base:1 " ]
  berth rm user
  run -0 berth rmi -a
  [ -z "$(berth images -q)" ]
}

@test "import: podman's --os, --arch, --variant and --quiet; save -q" {
  berth import -q --arch arm --variant v7 "$BATS_FILE_TMPDIR/rootfs.tar" arm:1
  [ "$(berth image inspect -f '{{.Os}}/{{.Architecture}}/{{.Variant}}' arm:1)" = linux/arm/v7 ]
  berth save -q -o "$work/arm.tar" arm:1
  berth rmi arm:1
  run -1 berth import --arch arm --platform linux/arm "$BATS_FILE_TMPDIR/rootfs.tar"
  expect_text "--platform option can not be specified with --arch, --os or --variant"
}

@test "load: foreign layers, another platform and what is no image are refused with a sentence" {
  make_image oci-dir "$work/oci" --tag foreign:1 --compress gzip
  python3 - "$work/oci" <<'PYTHON'
import hashlib, json, os, sys
blobs = sys.argv[1] + "/blobs/sha256/"
index = json.load(open(sys.argv[1] + "/index.json"))
manifest = json.load(open(blobs + index["manifests"][0]["digest"].split(":")[1]))
layer = manifest["layers"][0]
layer["mediaType"] = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
os.remove(blobs + layer["digest"].split(":")[1])
data = json.dumps(manifest).encode()
digest = hashlib.sha256(data).hexdigest()
open(blobs + digest, "wb").write(data)
index["manifests"][0].update(digest="sha256:" + digest, size=len(data))
json.dump(index, open(sys.argv[1] + "/index.json", "w"))
PYTHON
  run -1 berth load -i "$work/oci"
  expect_text "lies elsewhere (foreign layer) and is not in the archive"
  echo hello >"$work/text"
  run -1 berth load -i "$work/text"
  [ -n "$output" ]
  run -1 berth load -i "$work/nobody"
  expect_text "No such file or directory"
  [ "$(names -f reference='foreign')" = "" ]
}

@test "import: from a pipe, and from a web server that sends it elsewhere" {
  run -0 bash -c "berth import - pipe:1 <'$BATS_FILE_TMPDIR/rootfs.tar'"
  expect_text "sha256:"
  python3 - "$BATS_FILE_TMPDIR/rootfs.tar" "$work/port" 3>&- <<'PYTHON' &
import http.server, sys
data = open(sys.argv[1], "rb").read()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        cut = self.path == "/cut.tar"
        if self.path == "/moved.tar":
            self.send_response(302)
            self.send_header("Location", "rootfs.tar")
            self.end_headers()
        elif self.path == "/rootfs.tar" or cut:
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[:500000] if cut else data)
        else:
            self.send_error(404)
    def log_message(self, *args):
        pass
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
open(sys.argv[2] + ".new", "w").write(str(server.server_port))
import os
os.rename(sys.argv[2] + ".new", sys.argv[2])
server.serve_forever()
PYTHON
  local pid=$! url
  wait_until 20 test -e "$work/port"
  url=http://127.0.0.1:$(cat "$work/port")
  run -0 berth import "$url/moved.tar" web:1
  expect_text "Downloading from $url/moved.tar"
  run -0 berth import -q "$url/moved.tar" web:1
  [ "${#lines[@]}" = 1 ] || fail "more than the ID with -q"
  run berth import "$url/nothing.tar" web:2
  local missing=$status said=$output
  run berth import "$url/cut.tar" web:3
  kill "$pid"
  wait "$pid" || true
  [ "$missing" = 1 ] && [[ $said == *404* ]] || fail "404: $said"
  expect_status 1
  run -0 berth images --format '{{.Repository}}:{{.Tag}}' 'web:*'
  expect_output web:1
  run -0 berth run --rm web:1 sh -c 'echo it runs'
  expect_output "it runs"
  berth rmi web:1 pipe:1 >/dev/null || true
}
