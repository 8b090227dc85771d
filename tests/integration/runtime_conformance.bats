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
