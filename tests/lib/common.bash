# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For tests/integration/*.bats: "load ../lib/common" on the first line. Gives berth with stores of its own, images,
# "needs" for what a lane may lack, and words for what is expected.
#
# A file begins:
#   load ../lib/common
#   setup_file() { berth_setup_file; load_image; }      # stores of this file, with the image berth-test:latest
#   teardown_file() { berth_teardown_file; }            # removes every container and unmounts what is left: leaks stay visible
#   setup() { needs root; }
#   @test "the exit code of the command is the exit code of run" { ... }

BERTH_TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BERTH_BIN=${BERTH_BIN:-$BERTH_TOP/build/bin}
# not the wrappers that a developer's PATH may have for python3: each call of one costs dozens of processes
PATH=$BERTH_BIN:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export BERTH_TOP BERTH_BIN PATH
export PODMAN_IGNORE_CGROUPSV1_WARNING=1 # podman 5 warns at each call
bats_require_minimum_version 1.5.0

# --- what this machine has ---

# load_as_images ARCHIVE: its layers are kept as EROFS images; skips the test, with the reason, if they could not be mounted.
load_as_images() {
  BERTH_STORAGE_DRIVER=erofs run berth load -q -i "$1"
  [[ $output != *"storage driver erofs: "* ]] || skip "${output##*storage driver erofs: }"
  [ "$status" = 0 ]
}

# needs WORD...: skips the test, with the reason, if one is not there.
#   root, program:NAME, cgroup1, cgroup2, controller:NAME, apparmor, selinux, userns
needs() {
  local word
  for word in "$@"; do
    case $word in
      root) [ "$(id -u)" = 0 ] || skip "needs root" ;;
      program:*) command -v "${word#*:}" >/dev/null || skip "needs the program ${word#*:}" ;;
      cgroup1) [ -d /sys/fs/cgroup/memory ] || skip "needs cgroup v1" ;;
      cgroup2) [ -e /sys/fs/cgroup/cgroup.controllers ] || skip "needs cgroup v2" ;;
      controller:*) has_controller "${word#*:}" || skip "needs the cgroup controller ${word#*:}" ;;
      selinux) [ -e /sys/fs/selinux/load ] || skip "needs a kernel that was started with SELinux" ;;
      apparmor) grep -qs Y /sys/module/apparmor/parameters/enabled || skip "needs AppArmor" ;;
      userns) unshare -U true 2>/dev/null || skip "needs user namespaces, which no chroot can have" ;;
      *) echo "needs: unknown word '$word'" >&2; return 2 ;;
    esac
  done
}

has_controller() {
  mountpoint -q "/sys/fs/cgroup/$1" || grep -qsw "$1" /sys/fs/cgroup/cgroup.controllers
}

# --- stores of this file ---

berth_setup_file() {
  export BERTH_ROOT=$BATS_FILE_TMPDIR/store BERTH_STATE=$BATS_FILE_TMPDIR/run RUNTIME_ROOT=$BATS_FILE_TMPDIR/runtime
  mkdir -p "$BERTH_ROOT" "$BERTH_STATE" "$RUNTIME_ROOT"
}

# Every container of $BERTH_ROOT.
remove_all() {
  local ids
  ids=$(berth ps -aq)
  # shellcheck disable=SC2086
  [ -z "$ids" ] || berth rm -f $ids >/dev/null
}

# Of a container, by name: a member of its state, and its monitor's pid.
state() { berth inspect -f "{{.State.$1}}" "$2"; }
monitor_of() { cat "$BERTH_STATE/$(berth inspect -f '{{.Id}}' "$1")/monitor.pid"; }

# Containers that a failed test forgot are removed, so that one failure does not become many.
berth_teardown_file() {
  local ids i
  for ((i = 0; i < 300; i++)); do # a large load is flushed in the background, on a busy disk for long
    [ -e "$BERTH_ROOT/images/pending.json" ] && pgrep -f "$BERTH_ROOT .*system sweep\$" >/dev/null || break
    sleep 0.1
  done
  remove_all || true
  for ids in $(berth-runtime --root "$RUNTIME_ROOT" list -q 2>/dev/null); do
    berth-runtime --root "$RUNTIME_ROOT" delete --force "$ids" || true
  done
  # the parent that bundles of these tests name; the runtime leaves parents, as others do
  find /sys/fs/cgroup -depth -type d -name berth-bats -exec rmdir {} + 2>/dev/null || true # leakcheck tells
}

# For setup: an empty store, and the test's own directory as $work.
fresh_store() {
  rm -rf "${BERTH_ROOT:?}"
  mkdir "$BERTH_ROOT"
  work=$BATS_TEST_TMPDIR
}

# The ways to keep layers that work here, found by a command that brings an image: find_drivers COMMAND...
# any_driver sets one of them, at random.
find_drivers() {
  export BERTH_STORAGE_DRIVER=erofs
  DRIVERS=(overlay2)
  run "$@"
  if [ "$status" = 0 ]; then DRIVERS+=(erofs); else expect_text "storage driver erofs: "; fi # the kernel has no such mounts
}
any_driver() { BERTH_STORAGE_DRIVER=${DRIVERS[RANDOM % ${#DRIVERS[@]}]}; }

# For setup_file: a home in which nobody has logged in to a registry.
fresh_home() {
  export HOME=$BATS_FILE_TMPDIR/home
  unset DOCKER_CONFIG REGISTRY_AUTH_FILE XDG_RUNTIME_DIR XDG_CONFIG_HOME
  mkdir "$HOME"
}

# An OCI runtime with a state directory of its own: runtime state ID
runtime() {
  berth-runtime --root "$RUNTIME_ROOT" "$@"
}

# --- ordinary users ---

# Two users, whom only the commands below know: the host's files stay as they are.
#   as_user      has a line in passwd, 65536 subordinate ids from 600000, and a home with an XDG_RUNTIME_DIR
#   as_stranger  a number without a name and without subordinate ids
# Programs are copied to where both may execute them: $USERS/bin. Needs: program:newuidmap, userns.
export USER_ID=54321 STRANGER_ID=54322

make_users() {
  local dir=$BATS_FILE_TMPDIR name
  export USERS=$BATS_FILE_TMPDIR/users
  export USER_HOME=$USERS/user STRANGER_HOME=$USERS/stranger
  while [ "$dir" != /tmp ] && [ "$dir" != / ]; do # temporary directories are closed to others
    chmod go+rx "$dir"
    dir=$(dirname "$dir")
  done
  mkdir -p "$USERS/etc" "$USERS/bin" "$USER_HOME/run" "$STRANGER_HOME/run"
  chmod -R o+rX "$USERS"
  for name in berth berth-init berth-monitor berth-runtime; do
    cp "$BERTH_BIN/$name" "$USERS/bin/"
  done
  { cat /etc/passwd; echo "bertha:x:$USER_ID:$USER_ID::$USER_HOME:/bin/sh"; } >"$USERS/etc/passwd"
  { cat /etc/group; echo "bertha:x:$USER_ID:"; } >"$USERS/etc/group"
  echo "bertha:600000:65536" >"$USERS/etc/subuid"
  cp "$USERS/etc/subuid" "$USERS/etc/subgid"
  for name in "$USER_HOME $USER_ID" "$STRANGER_HOME $STRANGER_ID"; do
    # shellcheck disable=SC2086
    set -- $name
    chmod 700 "$1" "$1/run"
    chown -R "$2:$2" "$1"
  done
}

# What the users left: containers, the process that holds their user namespace.
unmake_users() {
  local who
  for who in as_user as_stranger; do
    # shellcheck disable=SC2016
    "$who" sh -c 'cd; ids=$(berth ps -aq); [ -z "$ids" ] || berth rm -f $ids; kill "$(cat run/berth/userns.pid)"' >/dev/null 2>&1 || true
  done
  rm -rf "$USERS" # also what belongs to subordinate ids
}

# as NUMBER HOME COMMAND...
as() {
  local id=$1 home=$2
  shift 2
  (cd "$home" && exec setpriv --reuid "$id" --regid "$id" --clear-groups env -i "HOME=$home" "XDG_RUNTIME_DIR=$home/run" \
    "PATH=$USERS/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin" "TMPDIR=$home" "USERS=$USERS" "$@")
}

as_stranger() {
  as "$STRANGER_ID" "$STRANGER_HOME" "$@"
}

as_user() {
  export -f as as_user
  # shellcheck disable=SC2016
  unshare -m --propagation private bash -c '
    for file in passwd group subuid subgid; do mount --bind "$USERS/etc/$file" "/etc/$file" || exit 1; done
    as "$@"' as_user "$USER_ID" "$USER_HOME" "$@"
}

# The process that holds the user's namespace.
holder() {
  cat "$USER_HOME/run/berth/userns.pid"
}

# The manager of an ordinary user, as user@.service starts it: his part of the cgroups, his systemd.
start_user_manager() {
  make_users
  useradd -M -u "$USER_ID" -d "$USER_HOME" bats-user # a manager wants a name
  systemctl start dbus # moves processes between what two managers own
  systemd-run -q --uid=$USER_ID -p Delegate=yes -E "XDG_RUNTIME_DIR=$USER_HOME/run" --unit=bats-manager /lib/systemd/systemd --user
  wait_until 20 test -S "$USER_HOME/run/systemd/private"
  export MANAGED=/system.slice/bats-manager.service
}
stop_user_manager() {
  unmake_users
  systemctl stop bats-manager
  userdel bats-user
}

# --- room on the disk ---

# What the store takes: du's bytes, and the sum of what "system df" says; close A B: within one percent.
disk() {
  du -xsB1 "$BERTH_ROOT" | cut -f1
}

# bytes_of "4.28MB"
bytes_of() {
  awk -v t="$1" 'BEGIN { n = t + 0; u = t; gsub(/[0-9.]/, "", u)
    m["B"] = 1; m["kB"] = 1e3; m["MB"] = 1e6; m["GB"] = 1e9; printf "%d\n", n * m[u] }'
}

df_sum() {
  local sum=0 size
  for size in $(berth system df --format '{{.Size}}'); do sum=$((sum + $(bytes_of "$size"))); done
  echo "$sum"
}

# close A B: within one percent
close() {
  local difference=$(($1 - $2))
  [ "${difference#-}" -le $(($2 / 100)) ] || fail "$1 and $2 differ by more than 1 %"
}

# For teardown: what a test mounted as its disk.
unmount_disk() {
  ! mountpoint -q "$BATS_TEST_TMPDIR/disk" || umount "$BATS_TEST_TMPDIR/disk"
}

# --- images and bundles ---

# Made once for all files of a lane, if tests/run keeps a directory for that: an emulated processor needs two seconds.
make_image() {
  local words="${*:3}" kept
  if [ -z "${BERTH_TEST_IMAGES:-}" ] || [[ " $words" == *" --add"* ]]; then
    "$BERTH_TOP/tests/lib/make-image" "$@"
    return
  fi
  kept=$BERTH_TEST_IMAGES/$1${words//\//%}
  if [ ! -e "$kept" ]; then
    "$BERTH_TOP/tests/lib/make-image" "$1" "$kept.new" "${@:3}" && mv "$kept.new" "$kept" || return
  fi
  cp -aT "$kept" "$2"
}

# The image berth-test:latest (busybox) in this file's store.
load_image() {
  make_image docker "$BATS_FILE_TMPDIR/image.tar" "$@"
  berth load -q -i "$BATS_FILE_TMPDIR/image.tar" >/dev/null
}

# make_bundle DIR [JSON-EDIT]...: a bundle with a busybox rootfs and docker's default config.json, terminal off.
# An edit is Python on the dict c: make_bundle "$b" 'c["process"]["args"] = ["id"]'
make_bundle() {
  local dir=$1
  shift
  mkdir -p "$dir"
  [ -d "$dir/rootfs" ] || make_image rootfs "$dir/rootfs"
  dir=$(realpath "$dir")
  ask_editor make "$dir" --args /bin/true
  edit_config "$dir" "$@"
}

# copy_bundle DIR [JSON-EDIT]...: a bundle of this test's own, made of $BUNDLE's config.json and rootfs.
copy_bundle() {
  local dir=$1
  shift
  [[ $dir = /* ]] || dir=$PWD/$dir
  ask_editor copy "$BUNDLE/config.json" "$dir" 'c["root"]["path"] = "'"$BUNDLE/rootfs"'"' "$@"
}

edit_config() {
  local dir=$1
  shift
  [[ $dir = /* ]] || dir=$PWD/$dir
  ask_editor edit "$dir/config.json" "$@"
}

# A request to this file's tests/lib/config-editor, which is started by the first one.
ask_editor() {
  local answer dir=$BATS_FILE_TMPDIR
  if [ ! -p "$dir/editor.in" ]; then
    mkfifo "$dir/editor.in" "$dir/editor.out"
    setsid python3 -SE "$BERTH_TOP/tests/lib/config-editor" "$dir" </dev/null >"$dir/editor.log" 2>&1 3>&- &
    disown
  fi
  printf '%s\0' "$@" >"$dir/editor.in"
  IFS= read -r -d '' answer <"$dir/editor.out" || true # no NUL ends it
  [ -z "$answer" ] || fail "config.json: $answer"
}

# --- expectations; each says what it saw ---

expect_status() {
  [ "$status" = "$1" ] || fail "exit code $status, expected $1"
}

expect_output() {
  [ "$output" = "$1" ] || fail "expected: $1"
}

# The output contains this text.
expect_text() {
  [[ $output == *"$1"* ]] || fail "expected in the output: $1"
}

expect_no_text() {
  [[ $output != *"$1"* ]] || fail "not expected in the output: $1"
}

fail() {
  printf '%s\n' "$1" "output: ${output:-}" >&2
  return 1
}

# wait_until SECONDS COMMAND...: until the command succeeds; fails when the time is up. An emulated processor gets six times as long.
wait_until() {
  local factor=1
  [ "${BERTH_TEST_LANE:-native}" = native ] || factor=6
  local deadline=$((SECONDS + $1 * factor))
  shift
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$deadline" ] || fail "not within time: $*" || return 1
    sleep 0.1
  done
}
