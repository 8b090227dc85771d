# SPDX-License-Identifier: Apache-2.0
# A layer that is mounted as it came looks and behaves as one that was unpacked.
# lanes: native, EROFS images in files take Linux 6.12, which the guests do not have
load ../lib/common
load ../lib/layouts

setup_file() {
  berth_setup_file
  export BERTH_STORAGE_DRIVER=erofs
  make_image docker "$BATS_FILE_TMPDIR/image.tar"
}
teardown_file() { berth_teardown_file; }

setup() {
  needs root
  work=$BATS_TEST_TMPDIR
  load_as_images "$BATS_FILE_TMPDIR/image.tar"
}

teardown() { unmount_disk; }

layer_of() { berth image inspect -f '{{.GraphDriver.Data.UpperDir}}' "$1"; }

# mounted IMAGE-FILE DIR COMMAND...: in a mount namespace of its own; mount(8) would take a loop device
mounted() {
  unshare -m --propagation private python3 -c '
import ctypes, os, sys
if ctypes.CDLL(None, use_errno=True).mount(*(os.fsencode(a) for a in sys.argv[1:3]), b"erofs", 1, None) != 0:
    sys.exit("mount: " + os.strerror(ctypes.get_errno()))
os.execvp(sys.argv[3], sys.argv[3:])' "$@"
}

@test "the tree of a layer with everything in it is the one that unpacking makes" {
  local image
  "$BERTH_TOP/tests/lib/nasty-tar" "$work/nasty.tar"
  berth import "$work/nasty.tar" nasty:latest
  image=$(layer_of nasty:latest)
  [ "$(basename "$image")" = layer.erofs ]
  mkdir "$work/overlay" "$work/mount"
  export BERTH_ROOT=$work/overlay BERTH_STORAGE_DRIVER=overlay2
  berth import "$work/nasty.tar" nasty:latest
  mounted "$image" "$work/mount" "$BERTH_TOP/tests/lib/compare-trees" "$(layer_of nasty:latest)" "$work/mount"
}

@test "directories that an archive leaves out, a file of a tebibyte, a directory of 100000 names" {
  "$BERTH_TOP/tests/lib/nasty-tar" --made-up --names 100000 "$work/nasty.tar"
  berth import "$work/nasty.tar" nasty:made-up
  mkdir "$work/mount"
  run -0 mounted "$(layer_of nasty:made-up)" "$work/mount" sh -ec "cd $work/mount
    cat implied/by/a/file; stat -c ' %a %u' implied/by
    stat -c '%F %t %T' white/gone
    find many -type f | wc -l; stat -c %n many/99999-*
    stat -c '%s %b' sparse/huge; dd if=sparse/huge bs=1M skip=524288 count=1 status=none 2>/dev/null | head -c 6"
  expect_output "i 755 0
character special file 0 0
100000
many/99999-$(printf 'x%.0s' $(seq $((99999 % 37))))
1099511627776 2147483648
middle"
  berth rmi nasty:made-up
}

@test "a million entries: bounded memory, and a container from them" {
  local image
  python3 - "$work/many.tar.zst" <<'PYTHON'
import subprocess, sys, tarfile
zstd = subprocess.Popen(["zstd", "-q", "-1", "-o", sys.argv[1]], stdin=subprocess.PIPE)
program, info = open("/bin/busybox", "rb").read(), tarfile.TarInfo("bin/true")
info.size, info.mode = len(program), 0o755
zstd.stdin.write(info.tobuf() + program + bytes(-len(program) % 512))
head = bytearray(tarfile.TarInfo("d0000/f0000000").tobuf(tarfile.USTAR_FORMAT))
for i in range(1_000_000):
    head[0:14] = b"d%04d/f%07d" % (i // 1000, i)
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    zstd.stdin.write(head)
zstd.stdin.write(bytes(1024))
zstd.stdin.close()
sys.exit(zstd.wait())
PYTHON
  bounded 163840 berth import "$work/many.tar.zst" many
  [ "$status" = 0 ] || fail "exit code $status: $output"
  image=$(layer_of many)
  [ "$(basename "$image")" = layer.erofs ]
  berth run --rm --network none many true
  mkdir "$work/mount"
  [ "$(mounted "$image" "$work/mount" find "$work/mount" -type f | wc -l)" = 1000001 ]
  bounded 163840 berth system check
  [ "$status" = 0 ] || fail "not clean: $output"
  berth rmi many
  [ ! -e "$image" ]
}

@test "fsck.erofs finds nothing wrong with any layer" {
  local name outcome image
  command -v fsck.erofs >/dev/null || skip "no fsck.erofs here"
  run fsck.erofs "$(layer_of berth-test)"
  [[ $output != *"blksize 512 isn't supported"* ]] || skip "this fsck.erofs knows no blocks of 512 bytes"
  [ "$status" = 0 ]
  "$BERTH_TOP/tests/lib/nasty-tar" --made-up "$work/nasty.tar"
  berth import "$work/nasty.tar" nasty:fsck
  while read -r name outcome _; do
    [ "$outcome" = kept ] || continue
    "$BERTH_TOP/tests/lib/hostile-tar" layer "$name" "$work/hostile.tar"
    berth import "$work/hostile.tar" "hostile:$name"
  done < <("$BERTH_TOP/tests/lib/hostile-tar" list)
  for image in "$BERTH_ROOT"/layers/*/layer.erofs; do
    run -0 fsck.erofs "$image"
    [[ $output != *"<E>"* ]] || fail "$output"
  done
}

@test "a container reads, writes, removes and renames over it, and the host sees no mount" {
  berth run -d --name over berth-test sh -c 'echo new >>/etc/passwd; rm -r /home; mv /etc/group /etc/g2; sleep 1000'
  wait_until 10 berth exec over test -e /etc/g2
  run -0 berth exec over sh -c 'tail -1 /etc/passwd; ls -d /home /etc/group /etc/g2 2>&1; id -un'
  expect_output "new
ls: /home: No such file or directory
ls: /etc/group: No such file or directory
/etc/g2
root"
  ! grep -w erofs /proc/mounts
  run -0 berth run --rm --user tester berth-test sh -c 'id -un; tail -1 /etc/passwd; ls -d /home'
  expect_output "tester
tester:x:1000:1000::/home/tester:/bin/sh
/home"
  berth restart -t 0 over
  run -0 berth exec over ls -d /etc/g2
  berth rm -f over
}

@test "whiteouts and opaque directories hide what lower layers have, unpacked or not" {
  mkdir -p "$work/add/etc" "$work/add/var"
  touch "$work/add/etc/.wh.group" "$work/add/var/.wh..wh..opq" "$work/add/var/new"
  make_image docker "$work/two.tar" --tag two:latest --add "$work/add"
  berth load -q -i "$work/two.tar"
  run -0 berth run --rm two sh -c 'ls -d /etc/group /etc/passwd /var/new /var/tmp 2>/dev/null; true'
  expect_output "/etc/passwd
/var/new"
}

@test "layers of both kinds make one image" {
  export BERTH_ROOT=$work/store
  mkdir "$BERTH_ROOT" "$work/add"
  echo upper >"$work/add/upper"
  make_image docker "$work/two.tar" --tag two:latest --add "$work/add"
  berth --storage-driver overlay2 load -q -i "$BATS_FILE_TMPDIR/image.tar"
  berth load -q -i "$work/two.tar"
  [ "$(cd "$BERTH_ROOT/layers" && ls -d -- */diff | wc -l) $(cd "$BERTH_ROOT/layers" && ls -d -- */layer.erofs | wc -l)" = "1 1" ]
  run -0 berth --storage-driver overlay2 run --rm two sh -c 'cat /upper; id -un'
  expect_output "upper
root"
  run -0 berth system check
}

@test "what is saved is what came" {
  berth save -o "$work/erofs.tar" berth-test
  mkdir "$work/overlay"
  export BERTH_ROOT=$work/overlay BERTH_STORAGE_DRIVER=overlay2
  berth load -q -i "$BATS_FILE_TMPDIR/image.tar"
  berth save -o "$work/overlay.tar" berth-test
  cmp "$work/erofs.tar" "$work/overlay.tar"
}

@test "system check names a damaged image of a layer and makes it again" {
  local image
  image=$(layer_of berth-test)
  printf X | dd of="$image" bs=1 seek=100000 conv=notrunc status=none
  run ! berth system check
  expect_text "is damaged"
  run -0 berth system check --quick
  berth system check --repair
  run -0 berth system check
  [ -f "$image" ]
  berth run --rm berth-test true
}

@test "disks of many sizes: a layer is there as a whole, or not at all" {
  local size loaded=0 full=0
  export BERTH_ROOT=$work/disk
  mkdir "$work/disk"
  for size in 1m 2m 3m 4m 5m 8m; do
    rm -f "$work/disk.img"
    truncate -s "$size" "$work/disk.img"
    mkfs.ext4 -q -F -m 0 -N 64 -O ^has_journal "$work/disk.img" # no tmpfs: the kernel mounts no file of it
    mount -o loop "$work/disk.img" "$work/disk"
    run berth load -i "$BATS_FILE_TMPDIR/image.tar"
    if [ "$status" = 0 ]; then
      loaded=$((loaded + 1))
    else
      expect_text "No space left on device"
      full=$((full + 1))
      [ -z "$(find "$BERTH_ROOT"/{layers,tmp,trash,images/blobs/sha256} -mindepth 1 2>/dev/null)" ] || fail "$size: left: $(find "$BERTH_ROOT")"
    fi
    berth system check
    umount "$work/disk"
  done
  [ "$loaded" -gt 0 ] && [ "$full" -gt 0 ]
}

@test "df, rmi, prune: what is kept as an image counts and goes like a directory" {
  local used layer
  export BERTH_ROOT=$work/store
  mkdir "$BERTH_ROOT" "$work/add"
  echo upper >"$work/add/upper"
  make_image docker "$work/two.tar" --tag two:latest --add "$work/add"
  berth --storage-driver overlay2 load -q -i "$work/two.tar"
  rm -r "$BERTH_ROOT/layers/$(basename "$(dirname "$(layer_of two)")")" # of both kinds, then
  berth system check --repair
  [ "$(cd "$BERTH_ROOT/layers" && echo ./*/diff ./*/layer.erofs | tr ' ' '\n' | grep -c -F -v '*')" = 2 ]
  used=$(berth system df --format '{{if eq .Type "Images"}}{{.Size}}{{end}}' | xargs)
  [[ $used = *[1-9]*[kM]B ]]
  layer=$(layer_of two)
  [ "$(basename "$layer")" = layer.erofs ]
  berth create --name keeps two true
  run ! berth rmi two
  [ -e "$layer" ]
  berth rm keeps
  berth --storage-driver overlay2 rmi two
  [ ! -e "$layer" ]
  berth load -q -i "$work/two.tar"
  layer=$(layer_of two)
  berth image prune -af
  [ ! -e "$layer" ]
  berth system check
}

@test "a layer with an ACL is unpacked" {
  python3 - "$work/acl.tar" <<'PYTHON'
import struct, sys, tarfile
with tarfile.open(sys.argv[1], "w", format=tarfile.PAX_FORMAT) as tar:
    info = tarfile.TarInfo("file")
    entries = [(1, 6, 0xFFFFFFFF), (2, 4, 65), (4, 4, 0xFFFFFFFF), (16, 4, 0xFFFFFFFF), (32, 0, 0xFFFFFFFF)]
    acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *e) for e in entries)
    # tarfile encodes text, so bytes above 127 go through surrogates
    info.pax_headers = {"SCHILY.xattr.system.posix_acl_access": acl.decode("utf-8", "surrogateescape")}
    tar.errors = "surrogateescape"
    tar.addfile(info)
PYTHON
  berth import "$work/acl.tar" acl:latest
  [ "$(basename "$(layer_of acl:latest)")" = diff ]
  [ ! -e "$(dirname "$(layer_of acl:latest)")/layer.erofs" ]
}

@test "every hostile layer has the outcome that it has when it is unpacked" {
  export HOSTILE_CANARY=berth-hostile-$$
  local name outcome canary=/tmp/$HOSTILE_CANARY
  while read -r name outcome _; do
    "$BERTH_TOP/tests/lib/hostile-tar" image "$name" "$work/$name.tar"
    run berth load -i "$work/$name.tar"
    [ ! -e "$canary" ] || fail "case $name wrote $canary"
    if [ "$outcome" = kept ]; then
      [ "$status" = 0 ] || fail "case $name was refused: $output"
      berth rmi "hostile:$name" >/dev/null
    else
      [ "$status" != 0 ] || fail "case $name was accepted"
      [[ $name = not-tar || $name = huge-header || $name = sparse-map ]] || expect_text "entry '"
    fi
    rm "$work/$name.tar"
  done < <("$BERTH_TOP/tests/lib/hostile-tar" list)
}

@test "mistakes have their own words" {
  run ! berth --storage-driver devicemapper images
  expect_text "unknown storage driver 'devicemapper': overlay2 or erofs"
  run ! berth run --rm --runtime /usr/bin/env berth-test true
  expect_text "runtime '/usr/bin/env' cannot mount layers that are EROFS images"
  [ "$(berth info -f '{{.Driver}}')" = erofs ]
}
