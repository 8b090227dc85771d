# SPDX-License-Identifier: Apache-2.0
# What others push, berth pulls and runs: every kind of manifest and layer, by tag and digest, several at once, and killed.
# lanes: native, bytes from a registry are alike under every kernel
load ../lib/common

setup_file() {
  berth_setup_file
  fresh_home
  if ! command -v docker-registry >/dev/null || ! command -v skopeo >/dev/null || [ "$(id -u)" != 0 ]; then
    return
  fi
  "$BERTH_TOP/tests/lib/with-registry" --start "$BATS_FILE_TMPDIR/registry"
  . "$BATS_FILE_TMPDIR/registry/env"
  cd "$BATS_FILE_TMPDIR"
  mkdir large
  dd if=/dev/urandom of=large/large bs=1M count=48 status=none
  make_image docker small.tar --compress gzip
  make_image docker large.tar --compress gzip --add large
  make_image oci zstd.tar --compress zstd
  make_image oci arm.tar --compress gzip --arch arm64
  upload docker-archive:small.tar small:1 --format v2s2
  upload docker-archive:small.tar small:oci --format oci
  upload docker-archive:large.tar large:1
  upload oci-archive:zstd.tar zstd:1
  upload oci-archive:arm.tar many:arm
  upload docker-archive:small.tar many:amd --format oci
  upload_index many:1 amd arm
}

teardown_file() {
  [ ! -e "$BATS_FILE_TMPDIR/registry" ] || "$BERTH_TOP/tests/lib/with-registry" --stop "$BATS_FILE_TMPDIR/registry"
  berth_teardown_file
}

setup() {
  needs root program:docker-registry program:skopeo program:curl
  . "$BATS_FILE_TMPDIR/registry/env"
  fresh_store
}

teardown() {
  local ids
  ids=$(berth ps -aq 2>/dev/null) || return 0
  # shellcheck disable=SC2086
  [ -z "$ids" ] || berth rm -f $ids >/dev/null
}

# upload FROM NAME:TAG [skopeo copy options]
upload() {
  local from=$1 to=$2
  shift 2
  skopeo copy -q --dest-tls-verify=false "$@" "$from" "docker://$REGISTRY/$to" >/dev/null
}

raw() { skopeo inspect --raw --tls-verify=false "docker://$REGISTRY/$1"; }
digest_of() { echo "sha256:$(raw "$1" | sha256sum | cut -d' ' -f1)"; }

# put NAME:TAG MEDIA-TYPE: the manifest on stdin
put() { curl -fsS -X PUT -H "Content-Type: $2" --data-binary @- "http://$REGISTRY/v2/${1%:*}/manifests/${1#*:}"; }

# upload_index NAME:TAG AMD64-TAG ARM64-TAG
upload_index() {
  local name=${1%:*} amd arm
  amd=$(digest_of "$name:$2") arm=$(digest_of "$name:$3")
  printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[%s,%s]}' \
    "$(one_of_index "$amd" "$(raw "$name:$2" | wc -c)" amd64)" "$(one_of_index "$arm" "$(raw "$name:$3" | wc -c)" arm64)" |
    put "$1" application/vnd.oci.image.index.v1+json
}
one_of_index() {
  printf '{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"%s","size":%s,"platform":{"os":"linux","architecture":"%s"}}' "$@"
}

# edit NAME:TAG NEW-TAG PYTHON: a manifest m that somebody changed
edit() {
  raw "$1" | python3 -c "import json, sys; m = json.load(sys.stdin); $3; print(json.dumps(m))" |
    put "${1%:*}:$2" "$(raw "$1" | python3 -c 'import json, sys; print(json.load(sys.stdin)["mediaType"])')"
}

requests() { grep -c '"\(GET\|HEAD\) /v2/.*HTTP/1' "$REGISTRY_LOG" || true; }

nothing_left() {
  [ -z "$(ls "$BERTH_ROOT/tmp" 2>/dev/null)" ] || fail "tmp/ is not empty"
  [ -z "$(berth images -q)" ] || fail "an image is left"
}

@test "docker schema 2, OCI and zstd: docker's lines, and the image runs" {
  local tag digest
  for tag in small:1 small:oci zstd:1; do
    run -0 berth pull "$REGISTRY/$tag"
    digest=$(digest_of "$tag")
    [ "${lines[0]}" = "${tag#*:}: Pulling from ${tag%:*}" ]
    [[ ${lines[1]} =~ ^[0-9a-f]{12}:\ (Pulling fs layer|Already exists)$ ]]
    [ "${lines[-3]}" = "Digest: $digest" ]
    [ "${lines[-2]}" = "Status: Downloaded newer image for $REGISTRY/$tag" ]
    [ "${lines[-1]}" = "$REGISTRY/$tag" ]
    run -0 berth run --rm "$REGISTRY/$tag" echo it runs
    expect_output "it runs"
    run -0 berth image inspect -f '{{.RepoDigests}}' "$REGISTRY/$tag"
    expect_text "$REGISTRY/${tag%:*}@$digest"
  done
  # their files are the same, and are there once
  [ "$(ls "$BERTH_ROOT/layers" | wc -l)" = 1 ]
  run -0 berth pull -q "$REGISTRY/small:1"
  expect_output "$REGISTRY/small:1"
}

@test "a tag that has not changed costs one request" {
  local before
  berth pull -q "$REGISTRY/small:1"
  before=$(requests)
  run -0 berth pull "$REGISTRY/small:1"
  expect_text "Status: Image is up to date for $REGISTRY/small:1"
  wait_until 5 bash -c "[ \$(grep -c '\"\(GET\|HEAD\) /v2/.*HTTP/1' '$REGISTRY_LOG') -gt $before ]"
  [ "$(requests)" = $((before + 1)) ] || fail "$(tail -5 "$REGISTRY_LOG")"
  upload "docker://$REGISTRY/small:1" moved:1 --src-tls-verify=false
  berth pull -q "$REGISTRY/moved:1"
  upload docker-archive:"$BATS_FILE_TMPDIR/large.tar" moved:1
  run -0 berth pull "$REGISTRY/moved:1"
  expect_text "Already exists"
  expect_text "Status: Downloaded newer image for $REGISTRY/moved:1"
  wait_until 5 grep -q '"GET /v2/moved/blobs/.*HTTP/1' "$REGISTRY_LOG"
  # of all its blobs the config and the layer that is new
  [ "$(grep -c '"GET /v2/moved/blobs/.*HTTP/1' "$REGISTRY_LOG")" = 2 ] || fail "$(grep '"GET /v2/moved' "$REGISTRY_LOG")"
}

@test "docker's list of manifests, and a list in a list" {
  local amd arm
  upload docker-archive:"$BATS_FILE_TMPDIR/small.tar" list:amd --format v2s2
  upload oci-archive:"$BATS_FILE_TMPDIR/arm.tar" list:arm --format v2s2
  amd=$(digest_of list:amd) arm=$(digest_of list:arm)
  printf '{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.list.v2+json","manifests":[%s,%s]}' \
    "$(one_of_index "$arm" "$(raw list:arm | wc -c)" arm64)" "$(one_of_index "$amd" "$(raw list:amd | wc -c)" amd64)" |
    sed 's/vnd.oci.image.manifest.v1/vnd.docker.distribution.manifest.v2/g' | put list:1 application/vnd.docker.distribution.manifest.list.v2+json
  berth pull -q --platform linux/amd64 "$REGISTRY/list:1"
  [ "$(berth image inspect -f '{{.Architecture}} {{index .RepoDigests 0}}' "$REGISTRY/list:1")" = "amd64 $REGISTRY/list@$(digest_of list:1)" ]
  berth pull -q --platform linux/arm64 "$REGISTRY/list:1"
  [ "$(berth image inspect -f '{{.Architecture}}' "$REGISTRY/list:1")" = arm64 ]
  one_of_index "$(digest_of many:1)" "$(raw many:1 | wc -c)" amd64 |
    sed 's/image.manifest.v1/image.index.v1/; s/.*/{"schemaVersion":2,"mediaType":"application\/vnd.oci.image.index.v1+json","manifests":[&]}/' |
    put many:nested application/vnd.oci.image.index.v1+json
  berth pull -q --platform linux/amd64 "$REGISTRY/many:nested"
  [ "$(berth image inspect -f '{{.Architecture}}' "$REGISTRY/many:nested")" = amd64 ]
}

@test "an index: the image of this machine, or the one that is asked for" {
  local digest
  digest=$(digest_of many:1)
  berth pull -q "$REGISTRY/many:1"
  [ "$(berth image inspect -f '{{.Architecture}}' "$REGISTRY/many:1")" = amd64 ]
  [ "$(berth image inspect -f '{{index .RepoDigests 0}}' "$REGISTRY/many:1")" = "$REGISTRY/many@$digest" ]
  run -0 berth pull "$REGISTRY/many:1"
  expect_text "Image is up to date"
  berth pull -q --platform linux/arm64 "$REGISTRY/many:1"
  [ "$(berth image inspect -f '{{.Architecture}}' "$REGISTRY/many:1")" = arm64 ]
  berth pull -q --arch amd64 "$REGISTRY/many:1"
  [ "$(berth image inspect -f '{{.Architecture}}' "$REGISTRY/many:1")" = amd64 ]
  run -1 berth pull --arch arm --variant v7 "$REGISTRY/many:1"
  expect_text "no matching manifest for linux/arm/v7"
  run -1 berth pull --os windows "$REGISTRY/many:1"
  expect_text "no matching manifest for windows/amd64"
  run -1 berth pull --arch arm64 --platform linux/arm64 "$REGISTRY/many:1"
  expect_text "--platform option can not be specified with --arch, --os or --variant"
  run -125 berth pull --disable-content-trust=false "$REGISTRY/many:1"
  expect_text "there is no content trust"
  berth pull -q --disable-content-trust --platform linux/arm64 "$REGISTRY/many:1"
  run -1 berth pull --platform linux/s390x "$REGISTRY/many:1"
  expect_text "no matching manifest for linux/s390x in the manifest list entries"
  # run wants the platform that it was told, and gets it
  run -0 berth run --rm -q --platform linux/amd64 "$REGISTRY/many:1" echo back again
  expect_output "back again"
}

@test "digests: of a manifest and of an index; what is pinned stays what it is" {
  local digest
  digest=$(digest_of small:oci)
  run -0 berth pull "$REGISTRY/small@$digest"
  [ "${lines[0]}" = "$REGISTRY/small@$digest: Pulling from small" ]
  run -0 berth run --rm "$REGISTRY/small@$digest" echo pinned
  expect_output pinned
  run -0 berth pull "$REGISTRY/small@$digest"
  expect_text "up to date"
  berth pull -q "$REGISTRY/many@$(digest_of many:1)"
  run -1 berth pull "$REGISTRY/small@sha256:$(printf '%064d' 0)"
  [ "$(berth images -q | sort -u | wc -l)" = 1 ] # the same image twice
}

@test "-a: all tags of a repository" {
  run -0 berth pull -a "$REGISTRY/small"
  expect_text "1: Pulling from small"
  expect_text "oci: Pulling from small"
  expect_text "Status: Downloaded newer image for $REGISTRY/small"
  [ "$(berth images "$REGISTRY/small" | wc -l)" = 3 ]
  run -1 berth pull -a "$REGISTRY/small:1"
  expect_text "tag can't be used with --all-tags/-a"
}

@test "-a: a tag that fails ends it, and what came before stays" {
  upload docker-archive:small.tar part:a --format oci
  edit part:a b 'm["layers"] = []'
  edit part:a c 'm["annotations"] = {"third": "1"}'
  run -1 --separate-stderr berth pull -a "$REGISTRY/part" # the registry gives its tags in any order
  [ "${lines[-1]}" = "b: Pulling from part" ]
  [[ $stderr = *"the manifest has 0 layers"* ]]
  [ "$(berth images -q "$REGISTRY/part" | wc -l)" = "$(grep -c "^Digest: " <<<"$output")" ]
  [ -z "$(berth images -q "$REGISTRY/part:b")" ]
  run -1 --separate-stderr berth pull -aq "$REGISTRY/part"
  [ -z "$output" ]
  run -0 berth pull -aq "$REGISTRY/small"
  expect_output "$REGISTRY/small"
}

@test "what cannot be an image is refused, and nothing is left of it" {
  edit small:oci artifact 'm["config"]["mediaType"] = "application/vnd.example.thing.v1+json"'
  edit small:oci foreign 'm["layers"][0]["mediaType"] = "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"'
  edit small:oci other 'm["layers"][0]["mediaType"] = "text/plain"'
  edit small:oci fewer 'm["layers"] = []'
  edit zstd:1 size 'm["layers"][0]["size"] -= 1'
  run -1 berth pull "$REGISTRY/small:artifact"
  expect_text "is no image"
  run -1 berth pull "$REGISTRY/small:foreign"
  expect_text "foreign or non-distributable layer"
  run -1 berth pull "$REGISTRY/small:other"
  expect_text "which is no file system layer"
  run -1 berth pull "$REGISTRY/small:fewer"
  expect_text "the manifest has 0 layers, the config 1 diff ids"
  run -1 berth pull "$REGISTRY/zstd:size"
  run -1 berth pull "$REGISTRY/small:none"
  expect_no_text "Pulling from" # nobody knows yet whether there is anything
  expect_text "manifest for $REGISTRY/small:none not found"
  run -1 berth pull "$REGISTRY/none"
  run -1 berth pull 127.0.0.1:1/none
  nothing_left
}

@test "a blob that was damaged in the registry is named, and is not in the store" {
  local layer file
  upload docker-archive:"$BATS_FILE_TMPDIR/small.tar" damaged:1
  layer=$(raw damaged:1 | python3 -c 'import json, sys; print(json.load(sys.stdin)["layers"][0]["digest"])')
  file=$(find "$BATS_FILE_TMPDIR/registry" -path "*/blobs/sha256/*/${layer#*:}/data")
  cp "$file" "$work/whole"
  printf x | dd of="$file" bs=1 seek=100000 conv=notrunc status=none
  run -1 berth pull "$REGISTRY/damaged:1"
  cp "$work/whole" "$file"
  expect_text "layer sha256:"
  nothing_left
  [ -z "$(ls "$BERTH_ROOT/layers")" ]
  berth pull -q "$REGISTRY/damaged:1"
}

@test "several pull the same at once, others tag and remove: each of them gets what it wants" {
  local i pids=()
  for i in 1 2 3 4; do
    berth pull -q "$REGISTRY/large:1" >/dev/null 2>"$work/err-$i" &
    pids+=($!)
  done
  for i in 1 2 3; do
    berth pull -q "$REGISTRY/small:1"
    berth tag "$REGISTRY/small:1" "other:$i"
    berth rmi "$REGISTRY/small:1" "other:$i" >/dev/null
  done
  for i in 1 2 3 4; do
    wait "${pids[i - 1]}" || fail "$(cat "$work/err-$i")"
  done
  run -0 berth run --rm "$REGISTRY/large:1" ls /large
  run -0 berth system check
  [ -z "$(ls "$BERTH_ROOT/tmp")" ]
}

@test "the layers that a pull stands on are removed meanwhile: it fetches them" {
  berth pull -q "$REGISTRY/small:1"
  berth pull -q "$REGISTRY/large:1" &
  local pid=$!
  wait_until 10 bash -c "compgen -G '$BERTH_ROOT/images/parts/*' >/dev/null || ! kill -0 $pid"
  berth rmi "$REGISTRY/small:1" >/dev/null
  wait $pid
  run -0 berth run --rm "$REGISTRY/large:1" ls /large /bin/sh
  run -0 berth system check
}

# BERTH_TEST_KILLS and BERTH_TEST_SECONDS say how long the next two last (200 and 30 before a release), BERTH_TEST_SEED what they do.
seeded() {
  seed=${BERTH_TEST_SEED:-$((EPOCHSECONDS % 100000))}
  RANDOM=$seed
  echo "# BERTH_TEST_SEED=$seed"
}

@test "killed pulls: the store is clean at once, the next one goes on, and nothing is left" {
  local i pid
  seeded
  find_drivers berth pull -q "$REGISTRY/small:1"
  for i in $(seq "${BERTH_TEST_KILLS:-8}"); do
    any_driver
    berth pull -q "$REGISTRY/large:1" >/dev/null 2>&1 &
    pid=$!
    sleep "0.$(printf %03d $((RANDOM % 600)))"
    kill -9 $pid 2>/dev/null || true
    wait $pid 2>/dev/null || true
    run berth system check --quick
    [ "$status" = 0 ] || fail "kill $i, $BERTH_STORAGE_DRIVER, seed $seed: not clean"
    if berth image inspect "$REGISTRY/large:1" >/dev/null 2>&1; then
      berth rmi "$REGISTRY/large:1" >/dev/null
    fi
  done
  berth pull -q "$REGISTRY/large:1"
  run -0 berth system check
  [ -z "$(ls "$BERTH_ROOT/tmp" "$BERTH_ROOT/images/parts" | grep -v :)" ] || fail "seed $seed: something is left"
  [ "$(ls "$BERTH_ROOT/layers" | wc -l)" = 2 ] # that of small is one of them
  run -0 berth run --rm "$REGISTRY/large:1" echo whole
}

@test "eight processes pull, run, remove and prune at once" {
  local i pids=() until=$((EPOCHSECONDS + ${BERTH_TEST_SECONDS:-3}))
  seeded
  for i in $(seq 8); do
    (
      RANDOM=$((seed + i))
      while [ "$EPOCHSECONDS" -lt "$until" ]; do
        case $((RANDOM % 6)) in
          0) berth pull -q "$REGISTRY/small:1" ;;
          1) berth pull -q "$REGISTRY/zstd:1" ;;
          2 | 3) berth run --rm -q "$REGISTRY/small:1" true ;;
          4) berth rmi -f "$REGISTRY/small:1" ;;
          5) berth image prune -af ;;
        esac >"$work/$i.out" 2>&1 && continue
        # an image that another has taken away is the only thing that may go wrong
        grep -qE "No such image|Unable to find image" "$work/$i.out" || { cp "$work/$i.out" "$work/$i.failed"; exit 1; }
      done
    ) &
    pids+=($!)
  done
  for i in "${pids[@]}"; do
    wait "$i" || fail "seed $seed: $(cat "$work"/*.failed)"
  done
  berth pull -q "$REGISTRY/small:1"
  run -0 berth system check
  [ -z "$(ls "$BERTH_ROOT/tmp")" ] || fail "seed $seed: tmp/ is not empty"
  [ -z "$(berth ps -aq)" ] || fail "seed $seed: a container is left"
  berth run --rm "$REGISTRY/small:1" true
}

@test "save after pull gives back the same digests" {
  berth pull -q "$REGISTRY/zstd:1"
  berth save -o "$work/saved.tar" "$REGISTRY/zstd:1"
  mkdir "$work/saved"
  tar -C "$work/saved" -xf "$work/saved.tar"
  raw zstd:1 | cmp - "$work/saved/blobs/sha256/$(digest_of zstd:1 | cut -d: -f2)"
  raw zstd:1 | grep -o 'sha256:[0-9a-f]*' | cut -d: -f2 | while read -r digest; do
    [ -e "$work/saved/blobs/sha256/$digest" ] || fail "$digest is not in the archive"
  done
}

@test "on a terminal a layer's line changes in place" {
  needs program:script
  run -0 script -qec "stty cols 120; berth pull '$REGISTRY/large:1'" /dev/null
  expect_text "Downloading ["
  expect_text $'\e[2K'
  expect_text "Pull complete"
}

@test "run and create: --pull always, missing and never, -q" {
  run -125 berth run --rm --pull never "$REGISTRY/small:1" true
  expect_text "No such image: $REGISTRY/small:1"
  run -0 --separate-stderr berth run --rm "$REGISTRY/small:1" echo output
  expect_output output
  # shellcheck disable=SC2154
  [[ $stderr == *"Unable to find image '$REGISTRY/small:1' locally"*"Pull complete"*"Status: Downloaded newer image"* ]]
  run -0 --separate-stderr berth run --rm --pull always "$REGISTRY/small:1" true
  [[ $stderr == *"Image is up to date"* ]]
  run -0 --separate-stderr berth create -q --pull always "$REGISTRY/zstd:1" true
  [ -z "$stderr" ]
  run -125 berth run --rm --pull always "$REGISTRY/none" true
}

@test "a policy that refuses an image refuses its pull, even if it is here" {
  berth pull -q "$REGISTRY/small:1"
  mkdir -p "$HOME/.config/containers"
  echo "{\"default\": [{\"type\": \"insecureAcceptAnything\"}], \"transports\": {\"docker\": {\"$REGISTRY/small\": [{\"type\": \"reject\"}]}}}" \
    >"$HOME/.config/containers/policy.json"
  run -1 berth pull "$REGISTRY/small:1"
  expect_text "policy.json"
  run -1 berth pull "$REGISTRY/small:oci"
  run -0 berth pull "$REGISTRY/zstd:1"
  rm -r "$HOME/.config"
}
