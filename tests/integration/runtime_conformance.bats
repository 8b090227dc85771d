#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What a runtime takes, refuses and answers, case by case as recorded from runc: tests/conformance.
# lanes: native, the facts were recorded beside runc on such a host

load ../lib/common

setup() { needs root program:jq; }
# nothing may be deleted through a mount that a broken runtime left
teardown() { umount -R -l "$BATS_TEST_TMPDIR/bundle/rootfs" 2>/dev/null || true; }

conform() {
  run "$BERTH_TOP/tests/conformance/run" "$@"
  output=$(grep -v '^ok ' <<<"$output")
  expect_status 0
}

@test "documents are taken or refused as by runc, and the field at fault is named" {
  conform config
}

@test "every verb answers as runc's, whatever state the container is in" {
  conform verbs
}

@test "a container without a mount namespace takes its mounts along when it is deleted" {
  local bundle=$BATS_TEST_TMPDIR/bundle before
  berth_setup_file
  make_bundle "$bundle" 'c["process"]["terminal"] = False' 'c["process"]["args"] = ["sleep", "100"]' \
    'c.pop("hostname", None); c["mounts"] = c["mounts"][:1]; c["linux"] = {"cgroupsPath": "/berth-bats/host", "namespaces": [{"type": "pid"}]}'
  before=$(cat /proc/self/mountinfo)
  runtime run -d -b "$bundle" h1 </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 || fail "$(cat "$BATS_TEST_TMPDIR/out")"
  grep -F "$bundle/rootfs/proc" /proc/self/mountinfo
  [ "$(runtime exec h1 sh -c 'echo /bin/busybox')" = "$(echo /bin/busybox)" ]
  ! runtime exec h1 ls "$BERTH_TOP" || fail "exec sees the host"
  runtime delete --force h1
  [ "$(cat /proc/self/mountinfo)" = "$before" ] || fail "mounts: $(cat /proc/self/mountinfo)"
  berth_teardown_file
}

# A checkout of runtime-tools in name only: the programs are here, where it has sources, and the runtimes say what is to come of them.
@test "the runner of runtime-tools' programs counts their results, and names what passes with another runtime alone" {
  local dir=$BATS_TEST_TMPDIR
  mkdir -p "$dir/checkout/validation" "$dir/programs"
  printf '#!/bin/sh\n[ "$1 ${2##*/} $3" = "--root state says" ] && echo better\n' >"$dir/better"
  printf '#!/bin/sh\n[ "$1 ${2##*/} $3" = "--root state says" ] && echo worse\n' >"$dir/worse"
  cat >"$dir/programs/judge" <<'END'
#!/bin/sh
echo "TAP version 13"
echo "ok 1 - always"
[ "$("$RUNTIME" says)" = better ] || printf 'not '
echo "ok 2 - only if better"
echo "ok 3 # SKIP not here"
echo 1..3
sleep 100 &
END
  printf '#!/bin/sh\necho 1..0\n' >"$dir/programs/quiet"
  printf '#!/bin/sh\necho "  ---"\necho "  error: it failed"\necho 1..0\n' >"$dir/programs/remark"
  printf '#!/bin/sh\necho "ok 1 - so far"\nexit 3\n' >"$dir/programs/stumble"
  printf '#!/bin/sh\n[ -x runtimetest ] && [ -d "$TMPDIR" ] && [ $$ = 1 ] && echo "ok 1 - place"\n' >"$dir/programs/place"
  touch "$dir/programs/runtimetest"
  chmod +x "$dir"/programs/* "$dir/better" "$dir/worse"
  suite() { "$BERTH_TOP/tests/conformance/suite" "$dir/checkout" --programs "$dir/programs" "$@"; }

  run -1 suite --runtime "$dir/better"
  expect_text "ok 1 - judge: 2 passed, 0 failed, 1 skipped"
  expect_text "ok 2 - place: 1 passed, 0 failed, 0 skipped"
  expect_text "ok 3 - quiet: 1 passed, 0 failed, 0 skipped"
  expect_text "not ok 4 - remark: 0 passed, 1 failed, 0 skipped"
  expect_text "not ok 5 - stumble: 1 passed, 1 failed, 0 skipped"
  [ "${lines[-1]}" = "5 passed, 2 failed, 1 skipped" ]

  run -0 suite --runtime "$dir/better" --against "$dir/worse"
  expect_text "ok 1 - judge: 2 passed, 0 failed, 1 skipped; worse: 1 passed, 1 failed, 1 skipped"
  expect_text "# passes with better alone: only if better"
  expect_text "# something passes with worse alone: none"
  run -1 suite --runtime "$dir/worse" --against "$dir/better" --only judge
  expect_text "not ok 1 - judge: 1 passed, 1 failed, 1 skipped; better: 2 passed, 0 failed, 1 skipped"
  expect_text "# passes with better alone: only if better"
  expect_text "# something passes with better alone: judge"
  run -1 suite --runtime "$dir/no/such"
  run ! "$BERTH_TOP/tests/conformance/suite" "$dir"
  expect_text "is no checkout of opencontainers/runtime-tools"
}
