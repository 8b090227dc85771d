#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What a runtime takes, refuses and answers, case by case as recorded from runc: tests/conformance.
# lanes: native, the facts were recorded beside runc on such a host

load ../lib/common

setup() { needs root program:jq; }

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
