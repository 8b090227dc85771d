# SPDX-License-Identifier: Apache-2.0
# lanes: native, what a full disk refuses does not depend on the kernel or its cgroups
# The disk is full, at any point: one sentence that says so, nothing half made, and what runs goes on.
load ../lib/common

setup_file() {
  berth_setup_file
  make_image docker "$BATS_FILE_TMPDIR/image.tar"
  make_image tar "$BATS_FILE_TMPDIR/flat.tar"
}
teardown_file() { berth_teardown_file; }
setup() {
  needs root
  disk=$BATS_TEST_TMPDIR/disk
  mkdir "$disk"
}
teardown() {
  mountpoint -q "$disk" || return 0
  rm -f "$disk/fill"
  berth --root "$disk" ps -aq | xargs -r berth --root "$disk" rm -f >/dev/null
  umount "$disk"
}

mount_disk() { mount -t tmpfs -o "size=$1,nr_inodes=${2:-4k}" berth-disk-full "$disk"; }
on_disk() { berth --root "$disk" "$@"; }
fill() { dd if=/dev/zero of="$disk/fill" bs=4k 2>/dev/null || true; }

fill_inodes() {
  mkdir -p "$disk/more"
  python3 -c 'import itertools, sys, time
for n in itertools.count():
    open("%s/%d.%f" % (sys.argv[1], n, time.time()), "x").close()' "$disk/more" 2>/dev/null || true
}

says_full() {
  [ "$status" -ne 0 ] || fail "success on a full disk"
  expect_text "No space left on device"
  [ "$(grep -c '^berth: ' <<<"$output")" = 1 ] || fail "not one sentence"
}

no_image() {
  [ -z "$(on_disk images -q)" ] || fail "an image is left"
  [ -z "$(find "$disk"/{layers,tmp,trash,images/blobs/sha256} -mindepth 1 2>/dev/null)" ] ||
    fail "left: $(find "$disk" -type f)"
}

@test "load and import into disks of many sizes: all or nothing" {
  local size loaded=0
  for size in 64k 256k 1m 2m 3m 4m 5m 8m; do
    mount_disk "$size"
    run on_disk load -i "$BATS_FILE_TMPDIR/image.tar"
    if [ "$status" = 0 ]; then
      loaded=$((loaded + 1))
      on_disk image inspect berth-test >/dev/null
    else
      says_full
      no_image
    fi
    umount "$disk"
    mount_disk "$size"
    run on_disk import "$BATS_FILE_TMPDIR/flat.tar" flat
    [ "$status" = 0 ] || { says_full; no_image; }
    umount "$disk"
  done
  [ "$loaded" -gt 0 ] && [ "$loaded" -lt 8 ]
}

@test "no inodes left" {
  mount_disk 16m 60
  run on_disk load -i "$BATS_FILE_TMPDIR/image.tar"
  says_full
  no_image
}

@test "create and run on a full disk: nothing half made, and they work when there is room" {
  mount_disk 16m
  on_disk load -q -i "$BATS_FILE_TMPDIR/image.tar" >/dev/null
  on_disk ps -a >/dev/null
  fill
  run -1 on_disk create --name first berth-test true
  says_full
  run -125 on_disk run --rm --name second berth-test true
  says_full
  rm "$disk/fill"
  [ -z "$(on_disk ps -aq)" ]
  [ -z "$(ls "$disk/containers" "$disk/trash" | grep -v : | grep .)" ] || fail "left: $(find "$disk/containers" "$disk/trash")"
  on_disk run --rm --name second berth-test true
}

@test "the disk fills up below a container and its log: it goes on, and its exit is known" {
  mount_disk 16m
  on_disk load -q -i "$BATS_FILE_TMPDIR/image.tar" >/dev/null
  on_disk run -d --name writer berth-test sh -c 'i=0; while [ ! -e /stop ]; do echo "line $i"; i=$((i+1)); sleep 0.01; done; exit 7' >/dev/null
  wait_until 10 eval '[ -n "$(on_disk logs writer)" ]'
  fill
  sleep 1
  [ "$(on_disk inspect -f '{{.State.Running}}' writer)" = true ]
  on_disk exec writer true
  run -0 on_disk logs writer
  expect_text "line 0"
  rm "$disk/fill"
  on_disk exec writer touch /stop
  [ "$(on_disk wait writer)" = 7 ]
  on_disk rm writer
}

@test "a container that ends while the disk is full: who waits hears the exit code" {
  mount_disk 16m
  on_disk load -q -i "$BATS_FILE_TMPDIR/image.tar" >/dev/null
  on_disk run -d --name ends berth-test sh -c 'sleep 1; exit 5' >/dev/null
  fill
  run -0 on_disk wait ends
  expect_output 5
  rm "$disk/fill"
  [ "$(on_disk inspect -f '{{.State.Status}}' ends)" = exited ]
}

@test "a container that ends while the disk is full and nobody waits: its exit code is known later" {
  local id
  mount_disk 16m
  on_disk load -q -i "$BATS_FILE_TMPDIR/image.tar" >/dev/null
  id=$(on_disk run -d --name alone berth-test sh -c 'sleep 2; exit 5')
  wait_until 10 test -e "$disk/containers/$id/exit.json.reserve"
  fill
  [ ! -e "$disk/containers/$id/exit.json" ] || skip "this machine is too slow to fill a disk in 2 s"
  wait_until 10 test -e "$disk/containers/$id/exit.json"
  rm "$disk/fill"
  [ "$(on_disk inspect -f '{{.State.ExitCode}}' alone)" = 5 ]
  [ ! -e "$disk/containers/$id/exit.json.reserve" ]
}
# A container that has written NAME KiB.
writer() { on_disk run --name "$1" berth-test dd if=/dev/zero of=/data bs=1k "count=$2" 2>/dev/null; }

@test "rm and rmi on a full disk: they free it" {
  local kib
  for kib in 1 100 5000; do
    mount_disk 16m
    on_disk load -q -i "$BATS_FILE_TMPDIR/image.tar" >/dev/null
    writer first "$kib"
    writer second "$kib"
    fill
    run -0 on_disk rm first
    fill
    run -0 on_disk ps -a --format '{{.Names}}'
    expect_output second
    run -0 on_disk rm second
    fill
    run -0 on_disk rmi berth-test
    expect_text "Deleted: sha256:"
    rm "$disk/fill"
    run -0 on_disk system check
    [ -z "$(on_disk ps -aq)" ]
    no_image
    umount "$disk"
  done
}

@test "rm, rmi and prune without inodes: they free them" {
  mount_disk 16m 700
  on_disk load -q -i "$BATS_FILE_TMPDIR/image.tar" >/dev/null
  on_disk create --name first berth-test true >/dev/null
  on_disk create --name second berth-test true >/dev/null
  fill_inodes
  run -0 on_disk rm first
  fill_inodes
  run -0 on_disk container prune -f
  fill_inodes
  run -0 on_disk image prune -af
  expect_text "deleted: sha256:"
  rm -r "$disk/more"
  run -0 on_disk system check
  no_image
}
@test "tag on a full disk: the names are what they were" {
  mount_disk 16m
  on_disk load -q -i "$BATS_FILE_TMPDIR/image.tar" >/dev/null
  fill
  run on_disk tag berth-test other
  [ "$status" = 0 ] || says_full
  [ "$(on_disk images -q | sort -u | wc -l)" = 1 ]
  rm "$disk/fill"
  run -0 on_disk system check
}
