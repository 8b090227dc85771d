# SPDX-License-Identifier: Apache-2.0
# An archive cannot reach anything outside its own layer, and what is refused is named and leaves nothing.
load ../lib/common

setup_file() { berth_setup_file; }
teardown_file() { berth_teardown_file; }

setup() {
  needs root
  work=$BATS_TEST_TMPDIR
  canary=/tmp/berth-hostile-canary
  rm -f "$canary"
}

hostile() { "$BERTH_TOP/tests/lib/hostile-tar" "$@"; }

nothing_escaped() {
  [ ! -e "$canary" ] || fail "case $1 wrote $canary"
  [ "$(sha256sum /etc/hostname /etc/passwd)" = "$before" ] || fail "case $1 changed a host file"
}

@test "every hostile layer is refused by name or kept inside" {
  local name outcome before
  before=$(sha256sum /etc/hostname /etc/passwd)
  while read -r name outcome _; do
    hostile image "$name" "$work/$name.tar"
    run berth load -i "$work/$name.tar"
    nothing_escaped "$name"
    if [ "$outcome" = kept ]; then
      [ "$status" = 0 ] || fail "case $name was refused"
      berth rmi "hostile:$name" >/dev/null
    else
      [ "$status" != 0 ] || fail "case $name was accepted"
      [ "$(wc -l <<<"$output")" = 1 ] || fail "case $name: more than one line"
      [[ $name = not-tar ]] || expect_text "entry '"
    fi
    [ -z "$(berth images -q)" ] || fail "case $name left an image"
    [ -z "$(find "$BERTH_ROOT"/{layers,tmp,trash} -mindepth 1)" ] || fail "case $name left files"
  done < <(hostile list)
}

@test "a bomb ends when the disk's reserve is reached, and leaves nothing" {
  mount -t tmpfs -o size=200m berth-hostile "$work"
  mkdir "$work/store"
  truncate -s 400M "$BATS_FILE_TMPDIR/zeros"
  tar -C "$BATS_FILE_TMPDIR" -cf - zeros | gzip >"$work/bomb.tar.gz"
  run env BERTH_ROOT="$work/store" berth import "$work/bomb.tar.gz" bomb
  local left
  left=$(find "$work/store/layers" "$work/store/tmp" -mindepth 1)
  umount "$work"
  [ "$status" != 0 ]
  expect_text "unpacks to more than"
  [ -z "$left" ] || fail "left: $left"
}
