#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# image mount and unmount: an image as a directory of the host, for as long as somebody wants it.
# lanes: native, images of files are mounted since Linux 6.12
load ../lib/common

setup_file() {
  berth_setup_file
  mkdir "$BATS_FILE_TMPDIR/add"
  echo from above >"$BATS_FILE_TMPDIR/add/added"
  make_image docker "$BATS_FILE_TMPDIR/one.tar" --tag one:1
  make_image docker "$BATS_FILE_TMPDIR/two.tar" --tag two:1 --add "$BATS_FILE_TMPDIR/add"
}

teardown_file() {
  berth_teardown_file
}

setup() {
  needs root
  fresh_store
}

teardown() {
  berth image unmount -af >/dev/null
}

load_both() {
  berth load -q -i "$BATS_FILE_TMPDIR/one.tar" >/dev/null
  berth load -q -i "$BATS_FILE_TMPDIR/two.tar" >/dev/null
}

nothing_is_mounted() {
  [ -z "$(berth image mount)" ]
  [ ! -e "$BERTH_STATE/image-mounts" ]
  [ ! -e "$BERTH_STATE/image-empty" ]
  ! grep -F "$BERTH_STATE/image-mounts" /proc/mounts
}

@test "an image is mounted read-only until the last who mounted it unmounts it" {
  load_both
  local path id
  id=$(berth images -q --no-trunc two:1)
  id=${id#sha256:}
  run -0 berth image mount
  [ -z "$output" ]
  path=$(berth image mount two:1)
  [ "$(cat "$path/added")" = "from above" ]
  [ -x "$path/bin/busybox" ]
  run ! touch "$path/new"
  run -0 berth image mount "${id:0:12}"
  expect_output "$path"
  run -0 berth image unmount two:1
  expect_output "$id"
  [ -e "$path/added" ]
  run -0 berth image umount two:1
  nothing_is_mounted
  [ ! -e "$path" ]
  run -0 berth image unmount two:1
  [ -z "$output" ]
}

@test "several, all, and what is mounted" {
  load_both
  run -0 berth image mount one:1 two:1
  [ "${#lines[@]}" = 2 ]
  [[ $output = *"one:1  $BERTH_STATE/image-mounts/"* ]]
  run -0 berth image mount
  [[ $output = *"two:1  $BERTH_STATE/image-mounts/"* ]]
  run -0 berth image mount --format json
  [ "$(python3 -c 'import json, sys; print(sorted(i["Repositories"][0] for i in json.load(sys.stdin)))' <<<"$output")" = "['one:1', 'two:1']" ]
  run -0 berth image mount --all
  [ "${#lines[@]}" = 2 ]
  run -0 berth image unmount --all
  run -0 berth image unmount --all
  nothing_is_mounted
  run -0 berth image mount one:1
  run -0 berth image mount one:1
  run -0 berth image unmount -f one:1
  nothing_is_mounted
}

@test "what is wrong is told, and mounts nothing" {
  load_both
  run -1 berth image mount none
  expect_text "No such image: none:latest"
  run -1 berth image unmount none
  expect_text "No such image: none:latest"
  run -1 berth image mount -a one:1
  expect_text "when using the --all switch, you may not pass any image names or IDs"
  run -1 berth image mount --format yaml
  expect_text 'unknown --format argument: "yaml"'
  run -1 berth image unmount
  expect_text "image name or ID must be specified"
  rm -rf "$BERTH_ROOT"/layers/*
  run -1 berth image mount one:1
  nothing_is_mounted
}

@test "a mounted image stays: rmi refuses, prune passes over it, -f unmounts it" {
  load_both
  local path
  path=$(berth image mount two:1)
  run -1 berth rmi two:1
  expect_text "(must be forced) - image is mounted: 'berth image unmount'"
  berth tag two:1 other:1
  run -0 berth rmi two:1
  expect_output "Untagged: two:1"
  run -0 berth image prune -af
  [ "$(cat "$path/added")" = "from above" ]
  berth untag other:1
  run -0 berth image prune -f # it has no name any more
  [ "$(cat "$path/added")" = "from above" ]
  run -0 berth rmi -f "$(basename "$path")"
  expect_text "Deleted: sha256:$(basename "$path")"
  nothing_is_mounted
}

@test "a mount that is in use is not unmounted but by force" {
  load_both
  local path
  path=$(berth image mount one:1)
  cd "$path"
  run -1 berth image unmount one:1
  expect_text "cannot unmount '$path'"
  [ -e bin ]
  cd /
  run -0 berth image unmount one:1
  nothing_is_mounted
}

@test "layers that are images of files" {
  load_as_images "$BATS_FILE_TMPDIR/two.tar"
  local path
  path=$(berth image mount two:1)
  [ "$(cat "$path/added")" = "from above" ]
  run ! touch "$path/new"
  berth image unmount two:1
  nothing_is_mounted
}
