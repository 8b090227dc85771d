# SPDX-License-Identifier: Apache-2.0
# A pull and what runs from it, under every kernel: root and an ordinary user.
load ../lib/common

setup_file() {
  berth_setup_file
  command -v docker-registry >/dev/null || return 0
  export HOME=$BATS_FILE_TMPDIR
  unset DOCKER_CONFIG REGISTRY_AUTH_FILE XDG_CONFIG_HOME
  "$BERTH_TOP/tests/lib/with-registry" --start "$BATS_FILE_TMPDIR/registry"
  . "$BATS_FILE_TMPDIR/registry/env"
  make_image docker "$BATS_FILE_TMPDIR/image.tar" --compress gzip --tag "$REGISTRY/app:1"
  berth load -q -i "$BATS_FILE_TMPDIR/image.tar" >/dev/null
  berth push -q "$REGISTRY/app:1" >/dev/null
  berth rmi "$REGISTRY/app:1" >/dev/null
}
teardown_file() {
  [ ! -e "$BATS_FILE_TMPDIR/registry" ] || "$BERTH_TOP/tests/lib/with-registry" --stop "$BATS_FILE_TMPDIR/registry"
  berth_teardown_file
}
setup() {
  needs root program:docker-registry
  . "$BATS_FILE_TMPDIR/registry/env"
}

@test "run pulls what is not there" {
  run -0 berth run --rm "$REGISTRY/app:1" echo hello
  expect_text "Status: Downloaded newer image for $REGISTRY/app:1"
  expect_text hello
}

@test "a second pull has nothing to do" {
  berth pull -q "$REGISTRY/app:1"
  run -0 berth pull "$REGISTRY/app:1"
  expect_text "Status: Image is up to date for $REGISTRY/app:1"
}

@test "an ordinary user pulls and runs" {
  needs program:newuidmap userns
  make_users
  run as_user berth run --rm "$REGISTRY/app:1" id -u
  unmake_users
  [ "$status" = 0 ] || fail "$output"
  expect_text "Status: Downloaded newer image for $REGISTRY/app:1"
  [ "${lines[-1]}" = 0 ]
}
