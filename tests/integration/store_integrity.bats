# SPDX-License-Identifier: Apache-2.0
# Writers of the store are killed at random moments, work all at once, or meet a full disk: no image is ever half there,
# the next writer leaves nothing that belongs to nobody, and "system check" finds nothing.
# BERTH_TEST_KILLS says how many are killed (200 before a release), BERTH_TEST_SEED which moments.
# lanes: native, random moments are those of the real machine
load ../lib/common

setup_file() {
  berth_setup_file
  mkdir -p "$BATS_FILE_TMPDIR"/{one,two}
  head -c 300000 /dev/urandom >"$BATS_FILE_TMPDIR/one/random"
  for i in $(seq 200); do echo "$i" >"$BATS_FILE_TMPDIR/two/$i"; done
  make_image docker "$BATS_FILE_TMPDIR/a.tar" --tag a --add "$BATS_FILE_TMPDIR/one"
  make_image oci "$BATS_FILE_TMPDIR/b.tar" --tag b:1 --compress gzip --add "$BATS_FILE_TMPDIR/two"
  make_image tar "$BATS_FILE_TMPDIR/flat.tar"
  export WORK=$BATS_FILE_TMPDIR HOME=$BATS_FILE_TMPDIR FAKE_MIB=2
  "$BERTH_TOP/tests/lib/fake-registry" --start "$BATS_FILE_TMPDIR/fake"
}
teardown_file() {
  "$BERTH_TOP/tests/lib/fake-registry" --stop "$BATS_FILE_TMPDIR/fake"
  berth_teardown_file
}
setup() {
  needs root program:curl
  . "$BATS_FILE_TMPDIR/fake/env"
  seed=${BERTH_TEST_SEED:-$((EPOCHSECONDS % 100000))}
  RANDOM=$seed
  echo "# BERTH_TEST_SEED=$seed"
}

teardown() { unmount_disk; }

# How long a command takes, in ms: duration_ms COMMAND...
duration_ms() {
  local begin=${EPOCHREALTIME/./}
  "$@" >/dev/null 2>&1 </dev/null || true
  echo $(((${EPOCHREALTIME/./} - begin) / 1000 + 2))
}

# Kills a command, and what it started, at a random moment of its usual life of MS: kill_within MS COMMAND...
kill_within() {
  local us=$((RANDOM * 32768 + RANDOM)) pid
  us=$((us % ($1 * 1000)))
  shift
  "$@" >/dev/null 2>&1 </dev/null &
  pid=$!
  sleep "$(printf '%d.%06d' $((us / 1000000)) $((us % 1000000)))"
  kill -9 "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
}

clean() {
  run berth system check "$@"
  [ "$status" = 0 ] || fail "$now, seed $seed: not clean"
}

# Nothing of a dead writer is left: tmp, documents that were not renamed.
no_leftovers() {
  local left
  left=$(cd "$BERTH_ROOT" && find tmp images \( -path 'tmp/*' -o -name '*.tmp' \))
  [ -z "$left" ] || fail "$now, seed $seed: left: $left"
  wait_until 10 trash_is_empty
}
trash_is_empty() { [ -z "$(ls "$BERTH_ROOT/trash")" ]; }

# writer VERB [exec]: exec, for a process of its own that is to be killed itself
writer() {
  case $1 in
    load) $2 berth load -q -i "$WORK/a.tar" ;;
    load-oci) $2 berth load -q -i "$WORK/b.tar" ;;
    pull) $2 berth pull -q "$FAKE/plain" ;;
    import) $2 berth import "$WORK/flat.tar" flat ;;
    tag) $2 berth tag a "other:$RANDOM" ;;
    rmi) $2 berth rmi -f a b:1 flat ;;
    prune) $2 berth image prune -af ;;
  esac
}

@test "writers are killed: every image is whole, and the next writer clears up" {
  local i verb verbs=(load load-oci pull import tag rmi load pull import prune) kills=${BERTH_TEST_KILLS:-40}
  declare -A ms
  find_drivers writer load
  writer prune
  for verb in load load-oci pull import tag rmi prune; do ms[$verb]=$(duration_ms writer $verb); done
  for i in $(seq "$kills"); do
    verb=${verbs[RANDOM % ${#verbs[@]}]}
    any_driver
    now="kill $i of $verb, $BERTH_STORAGE_DRIVER"
    case $verb in
      tag | rmi | prune) writer load >/dev/null ;;
      pull) berth rmi -f "$FAKE/plain" >/dev/null 2>&1 || true ;; # else it is up to date
    esac
    kill_within "${ms[$verb]}" writer "$verb" exec
    clean --quick # at any moment
    if [ $((i % 5)) = 0 ]; then
      case $((RANDOM % 4)) in # a tag may fail: its image was never loaded
        0) writer load >/dev/null || fail "$now, seed $seed: no load afterwards" ;;
        1) writer tag 2>/dev/null || true ;;
        2) writer pull >/dev/null || fail "$now, seed $seed: no pull afterwards" ;;
        3) writer import >/dev/null || fail "$now, seed $seed: no import afterwards" ;;
      esac
      clean --quick
      [ $((i % 25)) != 0 ] || clean
      no_leftovers
    fi
  done
  writer load
  clean
  no_leftovers
  berth run --rm a cmp /random /random
  berth image prune -f # what a killed removal did not get to
  clean
  expect_output "nothing is half made"
}

@test "eight processes load, pull, tag and remove the same images at once" {
  local i until=$((EPOCHSECONDS + ${BERTH_TEST_SECONDS:-4})) pids=()
  for i in $(seq 8); do
    (
      RANDOM=$((seed + i))
      verbs=(load load-oci pull import tag rmi prune)
      while [ "$EPOCHSECONDS" -lt "$until" ]; do
        verb=${verbs[RANDOM % ${#verbs[@]}]}
        writer "$verb" >"$BATS_TEST_TMPDIR/$i.out" 2>&1 && continue
        # a name that another has taken away is the only thing that may go wrong
        grep -q "No such image" "$BATS_TEST_TMPDIR/$i.out" || { echo "$verb:"; cat "$BATS_TEST_TMPDIR/$i.out"; exit 1; } >"$BATS_TEST_TMPDIR/$i.failed"
      done
    ) &
    pids+=($!)
  done
  wait "${pids[@]}" || fail "seed $seed: $(cat "$BATS_TEST_TMPDIR"/*.failed)"
  now="after all"
  writer load
  clean
  no_leftovers
  berth run --rm a true
}

@test "a container is made from an image, or the image is removed: never both" {
  local i made removed=0
  for i in $(seq 30); do
    writer load >/dev/null
    berth create a true >"$BATS_TEST_TMPDIR/id" 2>"$BATS_TEST_TMPDIR/message" &
    made=$!
    sleep "0.00$((RANDOM % 10))"
    if berth rmi -f "$(berth images -q --no-trunc a)" >/dev/null 2>&1; then removed=$((removed + 1)); fi
    if wait "$made"; then
      berth start -a "$(cat "$BATS_TEST_TMPDIR/id")" || fail "round $i, seed $seed: the container has lost its image"
      berth rm "$(cat "$BATS_TEST_TMPDIR/id")" >/dev/null
    else
      grep -q "Unable to find image" "$BATS_TEST_TMPDIR/message" || fail "round $i, seed $seed: $(cat "$BATS_TEST_TMPDIR/message")"
    fi
    berth image prune -af >/dev/null
  done
  now=races
  clean
}

@test "disks of many sizes: load, tag and rmi leave a clean store, full or not" {
  local disk=$BATS_TEST_TMPDIR/disk size verb
  export BERTH_ROOT=$disk
  mkdir "$disk"
  for size in 1m 2500k 3m 3500k 4m 5m 6m 7m 9m 12m; do
    now="disk of $size"
    mount -t tmpfs -o "size=$size" berth-integrity "$disk"
    for verb in load load-oci pull import tag rmi load; do
      writer $verb >/dev/null 2>&1 || true
      run berth system check
      [ "$status" = 0 ] || fail "$now: after $verb"
    done
    dd if=/dev/zero of="$disk/fill" bs=4k 2>/dev/null || true
    berth image prune -af >/dev/null || fail "$now: prune fails on a full disk"
    rm "$disk/fill"
    clean
    [ -z "$(berth images -q)" ] || fail "$now: an image is left"
    umount "$disk"
  done
}

@test "a large image goes in the background: rmi has returned, its pipe is closed, a killed sweep is taken up again" {
  local begin ms pid
  python3 - "$WORK/large.tar" <<'PYTHON'
import io, sys, tarfile
with tarfile.open(sys.argv[1], "w") as tar:
    for i in range(8000):
        info = tarfile.TarInfo("d%d/f%d" % (i // 100, i))
        info.size = 512
        tar.addfile(info, io.BytesIO(b"x" * 512))
PYTHON
  berth import "$WORK/large.tar" large >/dev/null
  begin=${EPOCHREALTIME/./}
  berth rmi large | cat >/dev/null
  ms=$(((${EPOCHREALTIME/./} - begin) / 1000))
  echo "# rmi took $ms ms"
  [ $ms -lt 1000 ] || fail "rmi took $ms ms" # 50 on an idle machine
  run -0 berth images -q
  pid=$(pgrep -f "$BERTH_ROOT .*system sweep$") || skip "this machine has deleted 8,000 files already"
  [ "$(ps -o tty= -o sid= -p "$pid" | xargs)" = "? $pid" ] || fail "not a session of its own"
  [ "$(readlink "/proc/$pid/cwd" "/proc/$pid/fd/0" "/proc/$pid/fd/1" "/proc/$pid/fd/2" | sort -u | xargs)" = "/ /dev/null" ]
  run -0 berth system check # no fault
  kill -9 "$pid" || true
  wait_until 40 taken_up
  wait_until 5 no_sweep
}
# Whoever comes next starts another, once the killed one is gone.
taken_up() { berth images -q && trash_is_empty; }
no_sweep() { ! pgrep -f "$BERTH_ROOT .*system sweep$" >/dev/null; }

@test "nothing in the store is open to others but what lies inside layers" {
  local left
  export BERTH_ROOT=$BATS_TEST_TMPDIR/open BERTH_STATE=$BATS_TEST_TMPDIR/open-run
  umask 0
  writer load >/dev/null
  writer load-oci >/dev/null
  writer import >/dev/null
  berth create a true >/dev/null
  berth run --rm a true
  left=$(find "$BERTH_ROOT" "$BERTH_STATE" \( -path "$BERTH_ROOT/layers/*/diff" -o -path "$BERTH_ROOT/containers/*/*" \) -prune -o -perm /077 ! -type l -print)
  berth rm -f $(berth ps -aq) >/dev/null
  [ -z "$left" ] || fail "open to others: $left"
  [ -z "$(find "$BERTH_ROOT"/{layers,containers} -mindepth 0 -maxdepth 1 ! -perm 0700)" ] || fail "layers can be entered"
}
