# SPDX-License-Identifier: Apache-2.0
# What a user gets for a mistake: one sentence that says what failed, on what, and what to do; docker's exit code; nothing left.
# lanes: native, the client refuses them before a kernel is asked
load ../lib/common

setup_file() { berth_setup_file; load_image; }
teardown_file() { berth_teardown_file; }
setup() { needs root; }

# At most this many lines on stderr besides the usage hint, each a sentence of berth's.
one_sentence() {
  [ "$(grep -c '^berth: ' <<<"$output")" = 1 ] || fail "not one sentence"
}

nothing_left() {
  [ -z "$(berth ps -aq)" ] || fail "a container is left"
  [ -z "$(ls "$BERTH_STATE" | grep -E '^[0-9a-f]{64}$')" ] || fail "a state directory is left"
}

@test "an unknown command" {
  run -1 berth frobnicate
  expect_text "unknown command: berth frobnicate"
  expect_text "Run 'berth --help'"
}

@test "an unknown flag: 125, its name, the usage" {
  run -125 berth run --frob berth-test
  expect_text "unknown flag: --frob"
  expect_text "Run 'berth run --help'"
  run -125 berth ps -Z
  expect_text "unknown shorthand flag: 'Z' in -Z"
}

@test "a flag without its value" {
  run -125 berth run --name
  expect_text "flag needs an argument: --name"
}

@test "too few and too many arguments" {
  run -1 berth rm
  expect_text "'berth rm' requires at least 1 argument"
  run -1 berth rename a
  expect_text "requires 2 arguments"
}

@test "an image that is not there: 125, with the reason why it cannot be pulled" {
  run -125 berth run --rm --pull never no-such-image true
  expect_text "No such image: no-such-image:latest"
  run -125 berth run --rm 127.0.0.1:1/no-such-image true
  expect_text "Unable to find image '127.0.0.1:1/no-such-image:latest' locally"
  expect_text "127.0.0.1:1"
  nothing_left
}

@test "a name that is no reference" {
  run -125 berth run --rm UPPER/Case true
  expect_text "must be lowercase"
}

@test "an image for another architecture: a warning that names both" {
  make_image docker "$BATS_TEST_TMPDIR/foreign.tar" --tag foreign --arch s390x
  run -0 berth load -i "$BATS_TEST_TMPDIR/foreign.tar"
  run berth run --rm foreign true
  expect_text "WARNING: The requested image's platform (linux/s390x) does not match the detected host platform"
}

@test "numbers and units that are none" {
  for flag in "-m 12q" "--cpus many" "--pids-limit x" "--shm-size -5" "--cpu-shares 1.5"; do
    # shellcheck disable=SC2086
    run -125 berth run --rm $flag berth-test true
    expect_text "invalid"
  done
  nothing_left
}

@test "cpus that the host does not have" {
  run -125 berth run --rm --cpuset-cpus 4000 berth-test true
  expect_text 4000
  nothing_left
}

@test "what is not there yet says so" {
  local flag
  for flag in --gpus=all --health-cmd=true --expose=80 --no-healthcheck; do
    run -125 berth run "$flag" berth-test
    expect_text "not supported yet: ${flag%%=*}"
  done
  for flag in "-p 80:80" "--network bridge" "-v named:/data" "--restart always"; do
    # shellcheck disable=SC2086
    run -125 berth run --rm $flag berth-test true
    expect_text "not supported yet"
  done
  nothing_left
}

@test "options that contradict each other" {
  run -125 berth run --rm --cpus 1 --cpu-quota 1000 berth-test true
  one_sentence
  run -125 berth run --rm --network host -h name --uts host berth-test true
  nothing_left
}

@test "a mount target that is not absolute" {
  run -125 berth run --rm -v /tmp:relative berth-test true
  expect_text relative
  nothing_left
}

@test "joining a container that is not there, or does not run" {
  run -125 berth run --rm --network container:nosuch berth-test true
  expect_text nosuch
  berth create --name sleeping berth-test >/dev/null
  run -125 berth run --rm --pid container:sleeping berth-test true
  expect_text "non running container"
  berth rm sleeping
  nothing_left
}

@test "a seccomp profile that is no JSON" {
  echo '{"defaultAction":' >"$BATS_TEST_TMPDIR/broken.json"
  run -125 berth run --rm --security-opt "seccomp=$BATS_TEST_TMPDIR/broken.json" berth-test true
  expect_text broken.json
  nothing_left
}

@test "a full disk: the error says so, nothing is half made" {
  mkdir "$BATS_TEST_TMPDIR/small"
  mount -t tmpfs -o size=1m none "$BATS_TEST_TMPDIR/small"
  run berth --root "$BATS_TEST_TMPDIR/small" load -i "$BATS_FILE_TMPDIR/image.tar"
  local code=$status text=$output
  run berth --root "$BATS_TEST_TMPDIR/small" images -q
  local images=$output
  umount "$BATS_TEST_TMPDIR/small"
  [ "$code" = 1 ]
  [[ $text == *"No space left on device"* ]]
  [ -z "$images" ]
}

@test "output into a closed pipe and a full device" {
  run bash -c 'berth --help >/dev/full'
  [ "$status" -ne 0 ]
  expect_text "No space left"
  run bash -c 'set -o pipefail; berth run --rm berth-test sh -c "yes | head -c 300000; exit 0" | head -1'
  expect_text y
}
