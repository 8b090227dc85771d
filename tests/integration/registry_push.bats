# SPDX-License-Identifier: Apache-2.0
# What berth pushes, others pull and run; what the registry has is not sent; broken uploads go on.
# lanes: native, bytes to a registry are alike under every kernel
load ../lib/common

setup_file() {
  berth_setup_file
  fresh_home
  if ! command -v docker-registry >/dev/null || [ "$(id -u)" != 0 ]; then
    return
  fi
  "$BERTH_TOP/tests/lib/with-registry" --start "$BATS_FILE_TMPDIR/registry"
  "$BERTH_TOP/tests/lib/upload-registry" --start "$BATS_FILE_TMPDIR/upload"
}

teardown_file() {
  "$BERTH_TOP/tests/lib/with-registry" --stop "$BATS_FILE_TMPDIR/registry"
  [ ! -e "$BATS_FILE_TMPDIR/upload/env" ] || "$BERTH_TOP/tests/lib/upload-registry" --stop "$BATS_FILE_TMPDIR/upload"
  berth_teardown_file
}

setup() {
  needs root program:docker-registry program:skopeo
  . "$BATS_FILE_TMPDIR/registry/env"
  . "$BATS_FILE_TMPDIR/upload/env"
  fresh_store
}

# The registry of a test that failed half way.
teardown() {
  "$BERTH_TOP/tests/lib/with-registry" --stop "$BATS_TEST_TMPDIR/private"
}

# fill KIND NAME [make-image options]: an image in the store under a name
fill() {
  local kind=$1 name=$2
  shift 2
  make_image "$kind" "$work/image.tar" --tag berth-push:latest "$@"
  berth load -q -i "$work/image.tar" >/dev/null
  berth tag berth-push "$name"
  berth rmi berth-push >/dev/null
}

raw() {
  skopeo inspect --raw --tls-verify=false "docker://$1"
}

# member JSON-PATH: of the JSON on stdin
member() {
  python3 -c "import json, sys; print(json.load(sys.stdin)$1)"
}

@test "docker's lines and digest, and an image that skopeo reads" {
  fill oci "$REGISTRY/lines:1" --compress gzip
  digest=$(berth image inspect -f '{{index .RepoDigests 0}}' "$REGISTRY/lines:1")
  run -0 berth push "$REGISTRY/lines:1"
  [ "${lines[0]}" = "The push refers to repository [$REGISTRY/lines]" ]
  [[ ${lines[1]} =~ ^[0-9a-f]{12}:\ Preparing$ ]]
  [[ ${lines[2]} =~ ^[0-9a-f]{12}:\ Pushed$ ]]
  size=$(raw "$REGISTRY/lines:1" | wc -c)
  [ "${lines[3]}" = "1: digest: ${digest#*@} size: $size" ]
  [ "${#lines[@]}" = 4 ]
  run -0 skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$REGISTRY/lines:1"
  expect_output "${digest#*@}"
}

@test "what is pushed twice is there already" {
  fill oci "$REGISTRY/twice:1" --compress gzip
  berth push "$REGISTRY/twice:1"
  uploads=$(grep -c '"POST /v2/twice/blobs/uploads/' "$REGISTRY_LOG")
  run -0 berth push "$REGISTRY/twice:1"
  expect_text ": Layer already exists"
  expect_no_text ": Pushed"
  [ "$(grep -c '"POST /v2/twice/blobs/uploads/' "$REGISTRY_LOG")" = "$uploads" ]
}

@test "another repository's blob is mounted" {
  fill oci "$REGISTRY/mount/from:1" --compress zstd
  berth push "$REGISTRY/mount/from:1"
  berth tag "$REGISTRY/mount/from:1" "$REGISTRY/mount/to:1"
  run -0 berth push "$REGISTRY/mount/to:1"
  expect_text ": Mounted from mount/from"
  run ! grep '"P[AU]TCH* /v2/mount/to/blobs/uploads/' "$REGISTRY_LOG"
  [ "$(raw "$REGISTRY/mount/to:1")" = "$(raw "$REGISTRY/mount/from:1")" ]
}

@test "a repository that has lost the blob does not matter" {
  fill oci "$REGISTRY/lost:1" --compress gzip
  berth tag "$REGISTRY/lost:1" "$UPLOAD/plain:1"
  berth push "$REGISTRY/lost:1"
  sed -i "s,$REGISTRY/lost,$UPLOAD/elsewhere,g" "$BERTH_ROOT/images/places.json"
  run -0 berth push "$UPLOAD/plain:1"
  expect_text ": Pushed"
  expect_no_text "Mounted"
  grep '"method": "DELETE".*"status": 204' "$UPLOAD_LOG" # the upload that the registry opened instead
}

@test "plain layers of docker save are compressed, the id stays" {
  fill docker "$REGISTRY/plain:1"
  id=$(berth image inspect -f '{{.Id}}' "$REGISTRY/plain:1")
  run -0 berth push "$REGISTRY/plain:1"
  digest=${lines[3]#*digest: }
  raw "$REGISTRY/plain:1" >"$work/manifest"
  [ "$(member '["config"]["digest"]' <"$work/manifest")" = "$id" ]
  [ "$(member '["layers"][0]["mediaType"]' <"$work/manifest")" = application/vnd.oci.image.layer.v1.tar+gzip ]
  run -0 berth image inspect -f '{{index .RepoDigests 0}}' "$REGISTRY/plain:1"
  expect_output "$REGISTRY/plain@${digest%% *}"
  # the second time it is neither sent nor compressed
  run -0 berth push "$REGISTRY/plain:1"
  expect_text ": Layer already exists"
  expect_text "digest: $digest"
  skopeo copy -q --src-tls-verify=false "docker://$REGISTRY/plain:1" "dir:$work/copy" # checks digests
}

@test "--compression-format zstd" {
  fill docker "$REGISTRY/zstd:1"
  run -0 berth push --compression-format zstd "$REGISTRY/zstd:1"
  [ "$(raw "$REGISTRY/zstd:1" | member '["layers"][0]["mediaType"]')" = application/vnd.oci.image.layer.v1.tar+zstd ]
  skopeo copy -q --src-tls-verify=false "docker://$REGISTRY/zstd:1" "dir:$work/copy"
  run -125 berth push --compression-format lz4 "$REGISTRY/zstd:1"
}

@test "--format: an image of one format goes as one of the other" {
  local id to
  fill oci "$REGISTRY/oci:1"
  id=$(berth image inspect -f '{{.Id}}' "$REGISTRY/oci:1")
  berth push -q "$REGISTRY/oci:1" "$REGISTRY/as/oci:1"
  for to in v2s2 docker; do
    berth push -q --format $to --remove-signatures "$REGISTRY/oci:1" "$REGISTRY/as/$to:1"
    raw "$REGISTRY/as/$to:1" >"$work/manifest"
    [ "$(member '["mediaType"]' <"$work/manifest")" = application/vnd.docker.distribution.manifest.v2+json ]
    [ "$(member '["config"]["mediaType"]' <"$work/manifest")" = application/vnd.docker.container.image.v1+json ]
    [ "$(member '["layers"][0]["mediaType"]' <"$work/manifest")" = application/vnd.docker.image.rootfs.diff.tar.gzip ]
    [ "$(member '["config"]["digest"]' <"$work/manifest")" = "$id" ]
  done
  skopeo copy -q --src-tls-verify=false "docker://$REGISTRY/as/v2s2:1" "dir:$work/copy" # checks digests
  berth rmi "$REGISTRY/oci:1" >/dev/null
  # and back: the layers are compressed now, so the manifest is what an OCI push of it gives
  berth pull -q "$REGISTRY/as/v2s2:1"
  [ "$(berth image inspect -f '{{.Id}}' "$REGISTRY/as/v2s2:1")" = "$id" ]
  berth push -q --format oci "$REGISTRY/as/v2s2:1" "$REGISTRY/as/back:1"
  [ "$(raw "$REGISTRY/as/back:1" | sha256sum)" = "$(raw "$REGISTRY/as/oci:1" | sha256sum)" ]
  berth push -q --format v2s2 "$REGISTRY/as/v2s2:1" "$REGISTRY/as/same:1" # nothing is written anew
  [ "$(raw "$REGISTRY/as/same:1" | sha256sum)" = "$(raw "$REGISTRY/as/v2s2:1" | sha256sum)" ]
  run -125 berth push --format v2s1 "$REGISTRY/as/v2s2:1"
  expect_text "unknown manifest format 'v2s1': oci, v2s2 (docker)"
  berth rmi "$REGISTRY/as/v2s2:1" >/dev/null # its layers are compressed
  fill docker "$REGISTRY/zstd:2"
  berth push -q --compression-format zstd "$REGISTRY/zstd:2" "$REGISTRY/as/zstd:1"
  berth pull -q "$REGISTRY/as/zstd:1"
  run -1 berth push --format v2s2 "$REGISTRY/as/zstd:1" "$REGISTRY/as/no:1"
  expect_text "docker's manifest format has nothing like 'application/vnd.oci.image.layer.v1.tar+zstd'"
  run ! raw "$REGISTRY/as/no:1"
}

@test "docker and podman run what import and push made" {
  needs program:docker program:dockerd program:podman
  make_image tar "$work/rootfs.tar"
  berth import -c 'CMD ["echo", "hello from berth"]' "$work/rootfs.tar" "$REGISTRY/import:1" >/dev/null
  berth push "$REGISTRY/import:1"
  PEERS="docker podman" run "$BERTH_TOP/tests/lib/with-peers" bash -c "
    docker pull -q $REGISTRY/import:1 && docker run --rm --network none $REGISTRY/import:1 &&
    podman pull -q --tls-verify=false $REGISTRY/import:1 && podman run --rm --network none $REGISTRY/import:1"
  expect_status 0
  [ "$(grep -c '^hello from berth$' <<<"$output")" = 2 ]
}

@test "what was pulled goes back as it came, plain layers too" {
  make_image oci "$work/image.tar" --tag x:1 # plain
  skopeo copy -q --dest-tls-verify=false --dest-compress=false --preserve-digests "oci-archive:$work/image.tar" "docker://$REGISTRY/pulled/from:1"
  raw "$REGISTRY/pulled/from:1" | grep -q 'layer.v1.tar"' # the peer left it plain
  berth pull -q "$REGISTRY/pulled/from:1"
  berth tag "$REGISTRY/pulled/from:1" "$REGISTRY/pulled/to:1"
  run -0 berth push "$REGISTRY/pulled/to:1"
  expect_text ": Mounted from pulled/from"
  [ "$(raw "$REGISTRY/pulled/to:1")" = "$(raw "$REGISTRY/pulled/from:1")" ]
  # asked for, it is compressed
  run -0 berth push --compression-format gzip "$REGISTRY/pulled/to:1"
  raw "$REGISTRY/pulled/to:1" | grep -q 'layer.v1.tar+gzip"'
}

@test "what docker and podman push, berth pulls, runs and pushes under the same digests" {
  needs program:docker program:dockerd program:podman
  fill docker "$REGISTRY/peers:seed" --cmd "echo hello from a peer"
  berth push "$REGISTRY/peers:seed"
  PEERS="docker podman" run "$BERTH_TOP/tests/lib/with-peers" bash -c "
    docker pull -q $REGISTRY/peers:seed && docker tag $REGISTRY/peers:seed $REGISTRY/peers:docker && docker push -q $REGISTRY/peers:docker &&
    podman pull -q --tls-verify=false $REGISTRY/peers:seed && podman tag $REGISTRY/peers:seed $REGISTRY/peers:podman &&
    podman push -q --tls-verify=false $REGISTRY/peers:podman"
  expect_status 0
  for peer in docker podman; do
    rm -rf "$BERTH_ROOT"
    mkdir "$BERTH_ROOT"
    berth pull -q "$REGISTRY/peers:$peer"
    run -0 berth run --rm "$REGISTRY/peers:$peer"
    expect_output "hello from a peer"
    berth tag "$REGISTRY/peers:$peer" "$REGISTRY/back/$peer:1"
    berth push "$REGISTRY/back/$peer:1"
    [ "$(raw "$REGISTRY/back/$peer:1")" = "$(raw "$REGISTRY/peers:$peer")" ]
  done
}

@test "all tags, quiet, no tag" {
  fill oci "$REGISTRY/tags:1" --compress gzip
  berth tag "$REGISTRY/tags:1" "$REGISTRY/tags:2"
  run -0 berth push -a "$REGISTRY/tags"
  expect_text "1: digest: sha256:"
  expect_text "2: digest: sha256:"
  run -0 skopeo list-tags --tls-verify=false "docker://$REGISTRY/tags"
  expect_text '"1"'; expect_text '"2"'
  run -0 berth push -q "$REGISTRY/tags:2"
  expect_output "$REGISTRY/tags:2"
  berth tag "$REGISTRY/tags:1" "$REGISTRY/tags"
  run -0 berth push "$REGISTRY/tags"
  [ "${lines[0]}" = "Using default tag: latest" ]
}

@test "an image goes to another name: podman's DESTINATION" {
  fill docker only/here:1
  id=$(berth images -q only/here:1)
  run -0 berth push "$id" "docker://$REGISTRY/elsewhere:2"
  expect_text "The push refers to repository [$REGISTRY/elsewhere]"
  [ "$(raw "$REGISTRY/elsewhere:2" | member '["config"]["digest"]')" = "$(berth images -q --no-trunc only/here:1)" ]
  run -0 berth push -q only/here:1 "$REGISTRY/elsewhere"
  expect_output "$REGISTRY/elsewhere:latest"
  [ "$(raw "$REGISTRY/elsewhere")" = "$(raw "$REGISTRY/elsewhere:2")" ]
  [ "$(berth images -q | wc -l)" = 1 ] # it got no name here
  run -1 berth push only/none:1 "$REGISTRY/elsewhere"
  expect_text "o such image: only/none:1"
  run -1 berth push only/here:1 "oci:$work/copy"
  expect_text "only to a registry"
  run -1 berth push -a only/here "$REGISTRY/elsewhere"
  expect_text "goes without a DESTINATION"
}

@test "mistakes are told in docker's words" {
  fill oci "$REGISTRY/words:1" --compress gzip
  run -1 berth push "$REGISTRY/words:2"
  expect_text "An image does not exist locally with the tag: $REGISTRY/words"
  run -1 berth push -a "$REGISTRY/words:1"
  expect_text "tag can't be used with --all-tags/-a"
  run -1 berth push "$REGISTRY/words@sha256:$(printf '%064d' 0)"
  expect_text "cannot push a digest reference"
  run -1 berth push --platform linux/s390x "$REGISTRY/words:1"
  expect_text "image with reference $REGISTRY/words:1 was found but does not provide the specified platform (linux/s390x)"
  berth tag "$REGISTRY/words:1" "$UPLOAD/denied:1"
  run -1 berth push "$UPLOAD/denied:1"
  expect_text "denied: requested access to the resource is denied"
  berth tag "$REGISTRY/words:1" "$UPLOAD/unauthorized:1"
  run -1 berth push "$UPLOAD/unauthorized:1"
  expect_text "unauthorized: authentication required"
}

@test "a registry behind HTTPS and a password" {
  needs program:htpasswd program:openssl
  start_private
  fill_large "$REGISTRY/private:1"
  run -1 berth push "$REGISTRY/private:1"
  expect_text "unauthorized: authentication required"
  berth login -u alice --password-stdin "$REGISTRY" <<<secret
  run -0 berth push "$REGISTRY/private:1"
  curl -sf --cacert "$REGISTRY_CA" -u alice:secret "https://$REGISTRY/v2/private/tags/list" >"$work/tags"
  [ "$(member '["tags"][0]' <"$work/tags")" = 1 ]
}

start_private() {
  REGISTRY_TLS=1 REGISTRY_AUTH=alice:secret "$BERTH_TOP/tests/lib/with-registry" --start "$work/private"
  . "$work/private/env"
}

@test "credentials and certificates of the command line: --creds, --authfile, --cert-dir, --tls-verify" {
  needs program:htpasswd program:openssl
  local HOME=$work name=private:1
  REGISTRY_CLIENT_CERT=1 start_private
  name=$REGISTRY/private:1
  mkdir "$work/certs"
  cp "$REGISTRY_CERT" "$work/certs/client.cert"
  cp "$REGISTRY_KEY" "$work/certs/client.key"
  fill oci "$name"
  run -1 berth push --creds alice:secret "$name" # it wants a certificate
  run -1 berth push --cert-dir "$work/certs" --creds alice:wrong "$name"
  expect_text "unauthorized: authentication required"
  run -0 berth push --cert-dir "$work/certs" --creds alice:secret --digestfile "$work/digest" "$name"
  [[ $output = *"1: digest: $(cat "$work/digest") size: "* ]]
  [ ! -e "$work/.docker" ]
  run -1 berth pull --cert-dir "$work/certs" --creds alice:secret --tls-verify "$name"
  expect_text "certificate"
  run -0 berth pull --cert-dir "$work/certs" --creds alice:secret --tls-verify=false "$name"
  cp "$REGISTRY_CA" "$work/certs/ca.crt"
  run -1 berth login --tls-verify --authfile "$work/auth" -u alice --password-stdin "$REGISTRY" <<<secret
  berth login --tls-verify --cert-dir "$work/certs" --authfile "$work/auth" -u alice --password-stdin "$REGISTRY" <<<secret
  run -1 berth login --get-login "$REGISTRY"
  expect_text "not logged into $REGISTRY"
  set -- --tls-verify --cert-dir "$work/certs" --authfile "$work/auth"
  [ "$(berth login --get-login --authfile "$work/auth" "$REGISTRY")" = alice ]
  run -0 berth pull "$@" "$name"
  run -0 berth search "$@" --format '{{.Name}}' "$REGISTRY/priv"
  expect_output "$REGISTRY/private"
  run -0 berth manifest inspect "$@" "$name"
  run -0 berth manifest create "$@" "$REGISTRY/list:1" "$name"
  run -0 berth manifest push "$@" -q --rm --digestfile "$work/digest" "$REGISTRY/list:1"
  expect_output "$(cat "$work/digest")"
  [[ $output = sha256:* ]] && [ "${#lines[@]}" = 1 ]
  run -1 berth manifest inspect "$@" list:1
  run -1 berth pull --authfile "$work/none" "$name"
  expect_text "cannot open '$work/none'"
}

# A layer of 4 MiB that does not compress.
fill_large() {
  mkdir -p "$work/add"
  head -c 4194304 /dev/urandom >"$work/add/data"
  fill oci "$1" --compress gzip --add "$work/add"
}

# Bytes of bodies that a repository of upload-registry got.
received() {
  python3 - "$UPLOAD_LOG" "$1" <<'PYTHON'
import json, sys
print(sum(r["received"] for r in map(json.loads, open(sys.argv[1])) if r["path"].startswith(f"/v2/{sys.argv[2]}/")))
PYTHON
}

blob_bytes() {
  find "$BERTH_ROOT/images/blobs/sha256" -type f -printf '%s\n' | awk '{ n += $1 } END { print n }'
}

# Every blob of the store's image is at upload-registry as it is here.
all_there() {
  local path
  for path in "$BERTH_ROOT"/images/blobs/sha256/*; do
    grep -q '"layers"' "$path" && [ "$(stat -c %s "$path")" -lt 10000 ] && continue # the manifest
    cmp "$path" "$UPLOAD_DIR/sha256:${path##*/}"
  done
}

@test "small blobs go in one piece, large ones as a stream" {
  fill_large "$UPLOAD/plain:pieces"
  before=$(wc -l <"$UPLOAD_LOG")
  run -0 berth push "$UPLOAD/plain:pieces"
  tail -n +$((before + 1)) "$UPLOAD_LOG" >"$work/log"
  run -0 jq -r 'select(.path | contains("/plain/blobs/uploads/")) | select(.method != "POST") | "\(.method) \(if .received > 0 then "body" else "empty" end)"' "$work/log"
  [ "$(sort -u <<<"$output" | paste -sd,)" = "PATCH body,PUT body,PUT empty" ] || fail "$output"
  all_there
}

@test "containerd: it runs what berth pushes, in every format, and berth what it pushes" {
  needs program:containerd program:ctr
  local as
  fill oci "$REGISTRY/ctr:oci"
  berth push -q "$REGISTRY/ctr:oci"
  berth push -q --format v2s2 "$REGISTRY/ctr:oci" "$REGISTRY/ctr:v2s2"
  berth manifest create "$REGISTRY/ctr:list" "$REGISTRY/ctr:oci"
  berth manifest push --purge "$REGISTRY/ctr:list"
  berth rmi "$REGISTRY/ctr:oci" >/dev/null
  fill docker "$REGISTRY/ctr:zstd"
  berth push -q --compression-format zstd "$REGISTRY/ctr:zstd"
  berth rmi "$REGISTRY/ctr:zstd" >/dev/null
  # shellcheck disable=SC2016
  PEERS=containerd run "$BERTH_TOP/tests/lib/with-peers" bash -c '
    for as in oci v2s2 list zstd; do
      ctr image pull --plain-http "$REGISTRY/ctr:$as" >/dev/null && ctr run --rm --cgroup /berth-push-ctr "$REGISTRY/ctr:$as" "push-$as-$$" echo "ran $as" || exit 1
    done
    ctr image tag "$REGISTRY/ctr:oci" "$REGISTRY/of-ctr:1" && ctr image push --plain-http "$REGISTRY/of-ctr:1"'
  find /sys/fs/cgroup -depth -type d -path '*/berth-push-ctr*' -exec rmdir {} +
  expect_status 0
  for as in oci v2s2 list zstd; do
    expect_text "ran $as"
  done
  run -0 berth run --rm "$REGISTRY/of-ctr:1" echo "ran by berth"
  expect_text "ran by berth"
}

@test "umoci: what berth pushes it unpacks, what it makes berth runs" {
  needs program:umoci
  fill oci "$REGISTRY/umoci:1" --compress gzip
  berth push -q "$REGISTRY/umoci:1"
  skopeo copy -q --src-tls-verify=false "docker://$REGISTRY/umoci:1" "oci:$work/layout:1"
  umoci unpack --image "$work/layout:1" "$work/bundle" >/dev/null
  cmp "$work/bundle/rootfs/bin/busybox" /bin/busybox
  echo "made by umoci" >"$work/bundle/rootfs/etc/made"
  rm "$work/bundle/rootfs/etc/os-release"
  umoci repack --image "$work/layout:2" "$work/bundle" >/dev/null
  umoci config --image "$work/layout:2" --config.cmd cat --config.cmd /etc/made
  skopeo copy -q --dest-tls-verify=false "oci:$work/layout:2" "docker://$REGISTRY/umoci:2"
  run -0 berth run --rm "$REGISTRY/umoci:2"
  expect_text "made by umoci"
  run -1 berth run --rm "$REGISTRY/umoci:2" cat /etc/os-release # its whiteout
}

@test "an upload that is cut at 90 % goes on there" {
  fill_large "$UPLOAD/cut-90:1"
  run -0 berth push "$UPLOAD/cut-90:1"
  expect_text ": Pushed"
  grep '"method": "PATCH".*"status": 202.*"range": "[1-9][0-9]*-' "$UPLOAD_LOG"
  [ "$(received cut-90)" -le $(($(blob_bytes) * 102 / 100)) ]
  all_there
}

@test "a registry that kept only a part gets the rest" {
  fill_large "$UPLOAD/lose-50:1"
  run -0 berth push "$UPLOAD/lose-50:1"
  all_there
}

@test "an upload that the registry forgot begins again" {
  fill_large "$UPLOAD/forget-50:1"
  run -0 berth push "$UPLOAD/forget-50:1"
  all_there
}

@test "a lost answer is not a lost blob" {
  fill_large "$UPLOAD/lostanswer:1"
  run -0 berth push "$UPLOAD/lostanswer:1"
  all_there
}

@test "relative locations and their parameters are kept" {
  fill_large "$UPLOAD/relative:1"
  run -0 berth push "$UPLOAD/relative:1"
  all_there
}

@test "a registry that stored something else is not believed" {
  fill oci "$UPLOAD/otherblob:1" --compress gzip
  run -1 berth push "$UPLOAD/otherblob:1"
  expect_text "the registry stored sha256:"
  berth tag "$UPLOAD/otherblob:1" "$UPLOAD/othermanifest:1"
  run -1 berth push "$UPLOAD/othermanifest:1"
  expect_text "the registry stored sha256:"
}

@test "a damaged layer is not pushed" {
  fill docker "$REGISTRY/damaged:1"
  layer=$(berth image inspect -f '{{index .RootFS.Layers 0}}' "$REGISTRY/damaged:1")
  printf x | dd of="$BERTH_ROOT/images/blobs/sha256/${layer#sha256:}" bs=1 seek=5000 conv=notrunc status=none
  run -1 berth push "$REGISTRY/damaged:1"
  expect_text "is damaged"
  run ! raw "$REGISTRY/damaged:1"
}

@test "a stdout that takes nothing is told" {
  fill oci "$REGISTRY/stdout:1" --compress gzip
  run -1 bash -c "berth push $REGISTRY/stdout:1 >/dev/full"
  expect_text "cannot write to standard output"
}

@test "lines are there as they happen" {
  fill_large "$UPLOAD/slow:1"
  mkfifo "$work/lines"
  berth push "$UPLOAD/slow:1" >"$work/lines" &
  pid=$!
  exec 7<"$work/lines"
  read -r -t 20 first <&7 || first=nothing # the registry waits until it was read
  touch "$UPLOAD_DIR/go"
  cat <&7 >/dev/null
  wait "$pid" # not for the clock of bats, which is a child, too
  [ "$first" = "The push refers to repository [$UPLOAD/slow]" ]
}

@test "nothing is left in tmp/ after a push that failed" {
  fill docker "$UPLOAD/denied:1"
  run -1 berth push "$UPLOAD/denied:1"
  [ -z "$(ls "$BERTH_ROOT/tmp")" ]
}
