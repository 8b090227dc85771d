# SPDX-License-Identifier: Apache-2.0
# What takes room is said as du would say it, and goes when nobody uses it.
# lanes: native, files of a store are alike under every kernel
load ../lib/common

setup_file() { berth_setup_file; }
teardown_file() { berth_teardown_file; }

setup() {
  needs root
  work=$BATS_TEST_TMPDIR
  berth_teardown_file
  fresh_store
}

# base:1, and on:1 with a layer above it, of 4 MB under two names
two_images() {
  mkdir -p "$work/add/etc"
  head -c 4M /dev/urandom >"$work/add/etc/large"
  ln "$work/add/etc/large" "$work/add/etc/link"
  make_image docker "$work/base.tar" --tag base:1
  make_image docker "$work/on.tar" --tag on:1 --add "$work/add" --compress gzip
  berth load -q -i "$work/base.tar" >/dev/null
  berth load -q -i "$work/on.tar" >/dev/null
}

trash_is_empty() {
  [ -z "$(ls "$BERTH_ROOT/trash")" ]
}

@test "df: docker's four lines, which agree with du" {
  two_images
  mkdir "$work/sparse"
  truncate -s 64M "$work/sparse/hole"
  tar -SC "$work/sparse" -c . | berth import - sparse:1 >/dev/null
  berth create --name made on:1 sh >/dev/null
  head -c 3M /dev/urandom >"$BERTH_ROOT/containers/$(berth ps -aq --no-trunc)/upper/file"
  close "$(df_sum)" "$(disk)"
  run -0 berth system df
  [ "${lines[0]}" = "TYPE            TOTAL     ACTIVE    SIZE      RECLAIMABLE" ] || fail "header"
  [[ ${lines[1]} =~ ^Images\ +3\ +1\ .*\ \(0%\)$ ]] || fail "images"
  [[ ${lines[2]} =~ ^Containers\ +1\ +0\ .*\ \(9[0-9]%\)$ ]] || fail "containers"
  [ "${#lines[@]}" = 5 ]
}

@test "df -v: what images share, and what goes with them" {
  two_images
  berth run --name ran base:1 true
  local rows
  rows=$(berth system df -v --format '{{range .Images}}{{.Repository}} {{.VirtualSize}} {{.SharedSize}} {{.UniqueSize}} {{.Containers}};{{end}}')
  [[ $rows =~ base\ ([^ ]*)\ ([^ ]*)\ ([^ ]*)\ 1\;.*on\ ([^ ]*)\ ([^ ]*)\ ([^ ]*)\ 0\; ]] ||
    [[ $rows =~ on\ ([^ ]*)\ ([^ ]*)\ ([^ ]*)\ 0\;.*base\ ([^ ]*)\ ([^ ]*)\ ([^ ]*)\ 1\; ]] || fail "$rows"
  run -0 berth system df -v
  expect_text "REPOSITORY   TAG       IMAGE ID       CREATED       SIZE      SHARED SIZE   UNIQUE SIZE   CONTAINERS"
  expect_text "CONTAINER ID   IMAGE     COMMAND   LOCAL VOLUMES"
  expect_text "Build cache usage: 0B"
  # the unique part of an image is what its removal frees
  local unique before
  unique=$(berth system df -v --format '{{range .Images}}{{if eq .Repository "on"}}{{.UniqueSize}}{{end}}{{end}}')
  before=$(disk)
  berth rmi on:1 >/dev/null
  wait_until 20 trash_is_empty
  close $((before - $(disk))) "$(bytes_of "$unique")"
}

@test "image prune: dangling images; with -a, all that no container uses" {
  two_images
  berth tag on:1 base:1 # the old base has no name now
  run -0 berth image prune <<<n
  expect_output $'WARNING! This will remove all dangling images.\nAre you sure you want to continue? [y/N] '
  [ "$(berth images -q | sort -u | wc -l)" = 2 ]
  run -0 berth image prune --external <<<"y but not all"
  [ "$(berth images -q | sort -u | wc -l)" = 2 ]
  run -0 berth image prune <<<" Y "
  expect_text "Deleted Images:"
  expect_text "deleted: sha256:"
  expect_text "Total reclaimed space: "
  expect_no_text "untagged"
  [ "$(berth images -q | sort -u | wc -l)" = 1 ]
  berth create --name uses on:1 >/dev/null
  run -0 berth image prune -af
  expect_output "Total reclaimed space: 0B"
  berth rm uses >/dev/null
  run -0 berth image prune -a <<<y
  expect_text "This will remove all images without at least one container associated to them."
  expect_text "untagged: base:1"
  expect_text "untagged: on:1"
  [ -z "$(berth images -q)" ]
}

@test "prune: filters by label and age, and refuses others" {
  make_image tar "$work/rootfs.tar"
  berth import -c 'LABEL keep=yes' "$work/rootfs.tar" labelled:1 >/dev/null
  berth import "$work/rootfs.tar" plain:1 >/dev/null
  berth image prune -af --filter until=1h >/dev/null
  [ "$(berth images -q | wc -l)" = 2 ]
  berth image prune -af --filter label=keep=no >/dev/null
  [ "$(berth images -q | wc -l)" = 2 ]
  berth image prune -af --filter 'label!=keep' >/dev/null
  run -0 berth images --format '{{.Repository}}'
  expect_output labelled
  berth create --name one --label x=1 labelled:1 sh >/dev/null
  berth create --name two labelled:1 sh >/dev/null
  berth container prune -f --filter 'label!=x' >/dev/null
  run -0 berth ps -a --format '{{.Names}}'
  expect_output one
  run -1 berth container prune -f --filter colour=red
  expect_text "Invalid filter 'colour'"
  run -1 berth image prune -f --filter until=soon
  expect_text 'failed to parse value as time or duration: "soon"'
  run -1 berth system prune -f --volumes --filter until=1h
  expect_text "not supported with"
}

@test "container prune: what does not run, by its whole id" {
  two_images
  local stopped
  stopped=$(berth create base:1)
  berth run -d --name runs base:1 sleep 100 >/dev/null
  run -0 berth container prune <<<y
  expect_text $'Deleted Containers:\n'"$stopped"$'\n'
  run -0 berth ps -a --format '{{.Names}}'
  expect_output runs
  berth rm -f runs >/dev/null
}

@test "system prune -a leaves less than a MiB, also of what a crash left" {
  two_images
  berth run base:1 sh -c 'head -c 2000000 /dev/zero >/file'
  # a blob and a layer that no image names
  head -c 2M /dev/urandom >"$BERTH_ROOT/images/blobs/sha256/$(printf '%064d' 1)"
  cp -a "$BERTH_ROOT/layers/$(ls "$BERTH_ROOT/layers" | head -1)" "$BERTH_ROOT/layers/$(printf '%064d' 2)"
  run -0 berth system prune -a <<<y
  expect_text "  - all stopped containers"
  expect_text "Deleted Containers:"
  expect_text "Deleted Images:"
  wait_until 20 trash_is_empty
  [ "$(du -xsB1 "$BERTH_ROOT" | cut -f1)" -le 1048576 ] || fail "$(du -xa "$BERTH_ROOT" | sort -n | tail)"
  berth system check
}
