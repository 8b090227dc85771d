# SPDX-License-Identifier: Apache-2.0
# Manifest lists: berth says, stores and pushes what docker does, byte for byte, and others choose their platform from them.
# lanes: native, bytes to a registry are alike under every kernel
load ../lib/common

setup_file() {
  berth_setup_file
  fresh_home
  if ! command -v docker-registry >/dev/null || ! command -v skopeo >/dev/null || [ "$(id -u)" != 0 ]; then
    return
  fi
  "$BERTH_TOP/tests/lib/with-registry" --start "$BATS_FILE_TMPDIR/registry"
  . "$BATS_FILE_TMPDIR/registry/env"
  local arch
  for arch in amd64 arm64; do
    make_image oci "$BATS_FILE_TMPDIR/image.tar" --compress gzip --arch "$arch" --cmd "echo $arch"
    skopeo copy -q --dest-tls-verify=false "oci-archive:$BATS_FILE_TMPDIR/image.tar" "docker://$REGISTRY/oci/$arch:1"
    skopeo copy -q --dest-tls-verify=false --format v2s2 "oci-archive:$BATS_FILE_TMPDIR/image.tar" "docker://$REGISTRY/docker/$arch:1"
  done
}

teardown_file() {
  "$BERTH_TOP/tests/lib/with-registry" --stop "$BATS_FILE_TMPDIR/registry"
  berth_teardown_file
}

setup() {
  needs root program:docker-registry program:skopeo
  . "$BATS_FILE_TMPDIR/registry/env"
  fresh_store
  rm -rf "$HOME/.docker"
  R=$REGISTRY
}

raw() {
  skopeo inspect --raw --tls-verify=false "docker://$1"
}

@test "a list is created, annotated, pushed and chosen from" {
  run -0 berth manifest create "$R/a/list:1" "$R/oci/amd64:1" "$R/oci/arm64:1"
  expect_output "Created manifest list $R/a/list:1"
  berth manifest annotate "$R/a/list:1" "$R/oci/arm64:1" --variant v8
  run -0 berth manifest push "$R/a/list:1"
  [[ ${lines[0]} =~ ^Pushed\ ref\ $R/a/list@(sha256:[0-9a-f]{64})\ with\ digest:\ sha256:[0-9a-f]{64}$ ]]
  [[ ${lines[2]} =~ ^sha256:[0-9a-f]{64}$ ]]
  run -0 skopeo inspect --tls-verify=false --override-arch arm64 --override-variant v8 --format '{{.Architecture}}' "docker://$R/a/list:1"
  expect_output arm64
  skopeo copy -q --all --src-tls-verify=false "docker://$R/a/list:1" "dir:$BATS_TEST_TMPDIR/copy" # every blob is there
}

@test "several who change a list at once: no change is lost" {
  local i pids=()
  berth manifest create "$R/a/many:1" "$R/oci/amd64:1"
  for i in $(seq 8); do
    berth manifest annotate "$R/a/many:1" "$R/oci/amd64:1" --os-features "feature-$i" &
    pids+=($!)
  done
  berth manifest create --amend "$R/a/many:1" "$R/oci/arm64:1" &
  pids+=($!)
  berth manifest create --amend "$R/a/many:1" "$R/docker/arm64:1" &
  pids+=($!)
  for i in "${pids[@]}"; do wait "$i"; done
  run -0 berth manifest inspect "$R/a/many:1"
  [ "$(grep -c '"feature-' <<<"$output")" = 8 ] || fail "annotations are lost"
  [ "$(grep -c '"digest"' <<<"$output")" = 3 ] || fail "members are lost"
}

@test "mixed lists are docker's, lists that begin with OCI's are OCI's" {
  berth manifest create "$R/b/docker:1" "$R/docker/amd64:1" "$R/oci/arm64:1"
  berth manifest push "$R/b/docker:1"
  raw "$R/b/docker:1" | grep -q '"mediaType": "application/vnd.docker.distribution.manifest.list.v2+json"'
  berth manifest create "$R/b/oci:1" "$R/oci/amd64:1" "$R/docker/arm64:1"
  berth manifest push --all --remove-signatures "$R/b/oci:1"
  run -125 berth manifest push --all=false "$R/b/oci:1"
  expect_text "not supported: --all=false"
  raw "$R/b/oci:1" | grep -q '"mediaType": "application/vnd.oci.image.index.v1+json"'
}

@test "lists stay until they are removed, and a prune keeps them" {
  run -1 berth manifest exists "$R/c/list:1"
  berth manifest create "$R/c/list:1" "$R/oci/amd64:1"
  berth image prune -a -f
  run -0 berth manifest exists "$R/c/list:1"
  run -1 berth manifest create "$R/c/list:1" "$R/oci/arm64:1"
  expect_text "refusing to amend an existing manifest list with no --amend flag"
  berth manifest create --amend "$R/c/list:1" "$R/oci/arm64:1"
  [ "$(berth manifest inspect "$R/c/list:1" | grep -c '"digest"')" = 2 ]
  berth manifest push --purge "$R/c/list:1"
  run -1 berth manifest exists "$R/c/list:1"
  berth manifest create "$R/c/list:1" "$R/oci/arm64:1"
  run -1 berth manifest rm "$R/c/list:1" "$R/c/none:1"
  expect_text "No such manifest: $R/c/none:1"
  run -1 berth manifest exists "$R/c/list:1"
}

@test "members of another registry are copied" {
  "$BERTH_TOP/tests/lib/with-registry" bash -c "
    berth manifest create \$REGISTRY/d/list:1 $R/oci/amd64:1 $R/docker/arm64:1 &&
    berth manifest push \$REGISTRY/d/list:1 &&
    skopeo copy -q --all --src-tls-verify=false docker://\$REGISTRY/d/list:1 dir:$BATS_TEST_TMPDIR/copy"
  [ -e "$BATS_TEST_TMPDIR/copy/manifest.json" ]
}

@test "mistakes are told in docker's words, and nothing is left of them" {
  run -1 berth manifest create "$R/e/list:1" "$R/oci/amd64:1" "$R/oci/none:1"
  expect_text "no such manifest: $R/oci/none:1"
  run -1 berth manifest exists "$R/e/list:1"
  berth manifest create "$R/e/list:1" "$R/oci/amd64:1"
  berth manifest push "$R/e/list:1"
  run -1 berth manifest create "$R/e/nested:1" "$R/e/list:1"
  expect_text "$R/e/list:1 is a manifest list"
  run -1 berth manifest annotate "$R/e/list:1" "$R/oci/amd64:1" --arch foo
  expect_text "manifest entry for image has unsupported os/arch combination: linux/foo"
  run -1 berth manifest annotate "$R/e/list:1" "$R/oci/arm64:1" --arch arm64
  expect_text "manifest for image $R/oci/arm64:1 does not exist in $R/e/list:1"
  run -1 berth manifest push "$R/e/none:1"
  expect_text "No such manifest: $R/e/none:1"
  run -1 berth manifest inspect "$R/e/none:1"
  expect_text "no such manifest: $R/e/none:1"
  run -1 berth manifest create
  expect_text "requires at least 1 argument"
}

# host_arch: this machine's in Go's word
host_arch() {
  python3 -c 'import os; print({"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine])'
}

# here NAME ARCH: an image with plain layers in berth's store alone
here() {
  make_image docker "$BATS_TEST_TMPDIR/here.tar" --tag "$1" --arch "$2" --cmd "echo here-$2"
  berth load -q -i "$BATS_TEST_TMPDIR/here.tar"
}

@test "images that are only here are members, and go with the list" {
  here localhost/one:1 amd64
  here localhost/two:1 arm64
  berth manifest create "$R/i/list:1" localhost/one:1 "$R/oci/arm64:1"
  berth manifest create "$R/i/list:1" --amend localhost/two:1
  [ "$(berth manifest inspect "$R/i/list:1" | grep -c '"digest"')" = 3 ]
  run -0 berth manifest push "$R/i/list:1"
  [ "$(grep -c '^Pushed ref ' <<<"$output")" = 3 ]
  skopeo copy -q --all --src-tls-verify=false "docker://$R/i/list:1" "dir:$BATS_TEST_TMPDIR/copy" # checks every digest
  # plain layers went compressed, so what the list says of the member is what was pushed
  member=$(raw "$R/i/list:1" | python3 -c 'import json, sys; print(json.load(sys.stdin)["manifests"][0]["digest"])')
  run -0 raw "$R/i/list@$member"
  expect_text gzip
  berth manifest create "$R/i/gone:1" localhost/one:1
  berth rmi -f localhost/one:1 >/dev/null
  run -1 berth manifest push "$R/i/gone:1"
  expect_text "localhost/one:1: the image is not here any more"
}

@test "what the registry has counts, also for a name that is here" {
  here "$R/oci/amd64:1" arm64
  berth manifest create "$R/j/list:1" "$R/oci/amd64:1"
  run -0 berth manifest inspect "$R/j/list:1"
  expect_text '"architecture": "amd64"'
  run -1 berth manifest create "$R/j/list:2" nowhere.invalid/x:1 # the registry's trouble is told
  expect_text nowhere.invalid
}

@test "add and remove: podman's" {
  run -1 berth manifest add "$R/k/list:1" "$R/oci/amd64:1"
  expect_text "No such manifest: $R/k/list:1"
  berth manifest create "$R/k/list:1"
  run -1 berth manifest push "$R/k/list:1"
  expect_text "manifest list $R/k/list:1 has no members"
  run -0 berth manifest add "$R/k/list:1" "$R/oci/amd64:1"
  [[ $output =~ ^sha256:[0-9a-f]{64}$ ]]
  run -0 berth manifest add --arch arm --variant v7 --os-version 1 --annotation a=b=c --annotation d= --features sse4,avx \
    "$R/k/list:1" "$R/oci/arm64:1"
  digest=$output
  run -0 berth manifest push -q "$R/k/list:1"
  expect_output "$digest"
  raw "$R/k/list:1" >"$BATS_TEST_TMPDIR/list"
  run -0 python3 -c 'import json, sys; m = json.load(sys.stdin)["manifests"][1]; print(m["platform"], m["annotations"])' <"$BATS_TEST_TMPDIR/list"
  expect_output "{'architecture': 'arm', 'os': 'linux', 'os.version': '1', 'variant': 'v7', 'features': ['sse4', 'avx']} {'a': 'b=c', 'd': ''}"
  run -1 berth manifest add --annotation word "$R/k/list:1" "$R/oci/amd64:1"
  expect_text "invalid annotation 'word': not key=value"
  run -0 berth manifest remove "$R/k/list:1" "$R/oci/amd64:1"
  member=$(berth manifest inspect "$R/k/list:1" | sed -n 's/.*"digest": "\(.*\)".*/\1/p')
  berth manifest annotate --annotation e=f "$R/k/list:1" "$member"
  berth manifest inspect "$R/k/list:1" | grep -q '"e": "f"'
  berth manifest remove "$R/k/list:1" "$member"
  run -1 berth manifest remove "$R/k/list:1" "$member"
  expect_text "manifest for image $member does not exist in $R/k/list:1"
}

@test "of a list all members, or this machine's" {
  berth manifest create "$R/l/from:1" "$R/oci/amd64:1" "$R/oci/arm64:1"
  berth manifest annotate --annotation a=b "$R/l/from:1" "$R/oci/arm64:1"
  berth manifest push "$R/l/from:1"
  berth manifest create --all "$R/l/all:1" "$R/l/from:1"
  berth manifest push "$R/l/all:1"
  [ "$(raw "$R/l/all:1" | sha256sum)" = "$(raw "$R/l/from:1" | sha256sum)" ]
  berth manifest create "$R/l/one:1"
  berth manifest add "$R/l/one:1" "$R/l/from:1"
  run -0 berth manifest inspect "$R/l/one:1"
  [ "$(grep -c '"digest"' <<<"$output")" = 1 ]
  expect_text "\"architecture\": \"$(host_arch)\""
  berth manifest create "$R/l/more:1"
  berth manifest add --all "$R/l/more:1" "$R/l/from:1"
  [ "$(berth manifest inspect "$R/l/more:1" | grep -c '"digest"')" = 2 ]
}

@test "a list goes to another name" {
  berth manifest create only/here:1 "$R/oci/amd64:1" "$R/docker/arm64:1"
  run -0 berth manifest push -q only/here:1 "docker://$R/m/list:2"
  [ "$output" = "sha256:$(raw "$R/m/list:2" | sha256sum | cut -d' ' -f1)" ]
  berth manifest push --rm only/here:1 "$R/m/list:3"
  [ "$(raw "$R/m/list:3")" = "$(raw "$R/m/list:2")" ]
  run -1 berth manifest exists only/here:1
  run -1 berth manifest push only/here:1 "dir:$BATS_TEST_TMPDIR/copy"
  expect_text "only to a registry"
}

@test "a damaged list is named" {
  berth manifest create "$R/f/list:1" "$R/oci/amd64:1"
  sed -i 's/"data":"ey/"data":"fy/' "$BERTH_ROOT"/images/lists/*.json
  run -1 berth manifest push "$R/f/list:1"
  expect_text "manifest list $R/f/list:1: member sha256:"
  expect_text "is damaged"
}

# say ENGINE LINE...: what an engine says to the lines, and its exit codes; without its name, and with docker's old complaint as the new one
say() {
  local engine=$1 line
  shift
  for line in "$@"; do
    # shellcheck disable=SC2086 # the words of a line
    "$engine" manifest $line 2>&1 | sed "s/^berth: //"
    echo "$line: ${PIPESTATUS[0]}"
  done
}

@test "every line, digest and exit code is docker's" {
  needs program:docker
  docker manifest inspect --insecure -v "$R/oci/amd64:1" | grep -q OCIManifest || skip "needs a docker that knows OCI manifests"
  lines=("create --insecure $R/g/list:1 $R/docker/amd64:1 $R/docker/arm64:1"
    "inspect $R/g/list:1" "inspect -v $R/g/list:1" "create --insecure $R/g/list:1 $R/docker/amd64:1"
    "create --insecure --amend $R/g/list:1 $R/oci/amd64:1"
    "annotate $R/g/list:1 $R/docker/arm64:1 --variant v8 --os-version 1.2 --os-features a,b"
    "inspect $R/g/list:1 $R/docker/arm64:1" "inspect -v $R/g/list:1 $R/docker/arm64:1" "inspect $R/g/list:1 $R/docker/none:1"
    "annotate $R/g/list:1 $R/docker/none:1 --arch arm64" "annotate $R/g/none:1 $R/docker/none:1 --arch arm64"
    "push --insecure $R/g/list:1" "push --insecure --purge $R/g/list:1" "push --insecure $R/g/list:1"
    "inspect --insecure $R/g/list:1" "inspect --insecure -v $R/g/list:1"
    "inspect --insecure $R/docker/amd64:1" "inspect --insecure -v $R/docker/amd64:1"
    "inspect --insecure $R/oci/amd64:1" "inspect --insecure -v $R/oci/amd64:1" "inspect --insecure $R/oci/none:1"
    "create --insecure $R/g/oci:1 $R/oci/amd64:1 $R/oci/arm64:1" "inspect $R/g/oci:1" "push --insecure $R/g/oci:1"
    "rm $R/g/oci:1" "rm $R/g/oci:1 $R/g/none:1")
  say docker "${lines[@]}" >"$BATS_TEST_TMPDIR/docker"
  say berth "${lines[@]}" >"$BATS_TEST_TMPDIR/berth"
  diff "$BATS_TEST_TMPDIR/docker" "$BATS_TEST_TMPDIR/berth"
}

@test "docker and podman run an image by berth's list" {
  needs program:docker program:dockerd program:podman
  berth manifest create "$R/h/list:1" "$R/docker/amd64:1" "$R/docker/arm64:1"
  berth manifest push "$R/h/list:1"
  arch=$(host_arch)
  PEERS="docker podman" run "$BERTH_TOP/tests/lib/with-peers" bash -c "
    docker pull -q $R/h/list:1 && docker run --rm --network none $R/h/list:1 &&
    podman pull -q --tls-verify=false $R/h/list:1 && podman run --rm --network none $R/h/list:1"
  expect_status 0
  [ "$(grep -c "^$arch\$" <<<"$output")" = 2 ]
}
