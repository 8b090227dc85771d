#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What engines give to a runtime beside the bundle: global options, log forms, sockets, patterns; and what they put into bundles.
load ../lib/common

setup_file() {
  berth_setup_file
  export BUNDLE=$BATS_FILE_TMPDIR/bundle
  make_bundle "$BUNDLE" 'c["process"]["args"] = ["sleep", "1000"]' 'c["process"]["terminal"] = False' \
    'c["linux"]["cgroupsPath"] = "/berth-bats/cli"'
}
teardown_file() { berth_teardown_file; }
setup() { needs root; }
teardown() {
  local id
  for id in $(runtime list -q); do runtime delete --force "$id"; done
}

# bundle_with COMMAND [EDIT]...: a bundle that runs this shell command; its directory is in $bundle
bundle_with() {
  bundle=$(mktemp -d "$BATS_TEST_TMPDIR/bundle.XXXXXX")
  ln -s "$BUNDLE/rootfs" "$bundle/rootfs"
  cp "$BUNDLE/config.json" "$bundle"
  COMMAND=$1 edit_config "$bundle" 'import os; c["process"]["args"] = ["sh", "-c", os.environ["COMMAND"]]' "${@:2}"
}

@test "a device's fileMode may be a whole st_mode, as podman gives it" {
  bundle_with 'stat -c "%F %a %t,%T" /dev/odd' \
    'c["linux"]["devices"] = [{"path": "/dev/odd", "type": "c", "major": 1, "minor": 3, "fileMode": 0o20640}]'
  run -0 runtime run -b "$bundle" c1
  expect_output "character special file 640 1,3"
}

@test "tmpcopyup: mode= of the mount wins over the mode of the directory, which counts without it" {
  bundle_with 'stat -c %a /tmp /var/tmp; stat -c %a /root' \
    'm = lambda d, *o: {"destination": d, "type": "tmpfs", "source": "tmpfs", "options": ["tmpcopyup", *o]}' \
    'c["mounts"] += [m("/tmp"), m("/var/tmp", "mode=711"), m("/root", "mode=755")]'
  run -0 runtime run -b "$bundle" c1
  expect_output $'1777\n711\n755'
}
