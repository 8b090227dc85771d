# SPDX-License-Identifier: Apache-2.0
# Manifest lists: berth says, stores and pushes what docker does, byte for byte, and others choose their platform from them.
# lanes: native, bytes to a registry are alike under every kernel
load ../lib/common

setup_file() {
  berth_setup_file
  export HOME=$BATS_FILE_TMPDIR/home
  unset DOCKER_CONFIG REGISTRY_AUTH_FILE XDG_RUNTIME_DIR
  mkdir "$HOME"
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
  rm -rf "$BERTH_ROOT" "$HOME/.docker"
  mkdir "$BERTH_ROOT"
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

@test "mixed lists are docker's, lists that begin with OCI's are OCI's" {
  berth manifest create "$R/b/docker:1" "$R/docker/amd64:1" "$R/oci/arm64:1"
  berth manifest push "$R/b/docker:1"
  raw "$R/b/docker:1" | grep -q '"mediaType": "application/vnd.docker.distribution.manifest.list.v2+json"'
  berth manifest create "$R/b/oci:1" "$R/oci/amd64:1" "$R/docker/arm64:1"
  berth manifest push "$R/b/oci:1"
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
  run -1 berth manifest create "$R/e/one:1"
  expect_text "requires at least 2 arguments"
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
  arch=$(python3 -c 'import os; print({"x86_64": "amd64", "aarch64": "arm64"}[os.uname().machine])')
  PEERS="docker podman" run "$BERTH_TOP/tests/lib/with-peers" bash -c "
    docker pull -q $R/h/list:1 && docker run --rm --network none $R/h/list:1 &&
    podman pull -q --tls-verify=false $R/h/list:1 && podman run --rm --network none $R/h/list:1"
  expect_status 0
  [ "$(grep -c "^$arch\$" <<<"$output")" = 2 ]
}
