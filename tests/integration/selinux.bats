#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# lanes: selinux, needs a kernel that was started with SELinux
# Labels of processes and mounts, under a policy of these tests (tests/lib/selinux.conf) that is in force.
load ../lib/common

PROCESS=u:r:container_t:s0:c1 FILES=u:object_r:container_file_t:s0:c1

setup_file() {
  berth_setup_file
  [ -e /sys/fs/selinux/load ] || return 0
  printf 'category c%d;\n' {0..1023} | sed '/^# all categories/r /dev/stdin' "$BERTH_TOP/tests/lib/selinux.conf" >"$BATS_FILE_TMPDIR/conf"
  checkpolicy -M -U allow -c "$(cat /sys/fs/selinux/policyvers)" -o "$BATS_FILE_TMPDIR/policy" "$BATS_FILE_TMPDIR/conf" >"$BATS_FILE_TMPDIR/log" 2>&1 || fail "$(cat "$BATS_FILE_TMPDIR/log")"
  dd if="$BATS_FILE_TMPDIR/policy" of=/sys/fs/selinux/load bs=1M status=none # takes one write
  export BUNDLE=$BATS_FILE_TMPDIR/bundle
  make_bundle "$BUNDLE" 'c["linux"]["mountLabel"] = "'$FILES'"' 'c["process"]["selinuxLabel"] = "'$PROCESS'"'
  label_tree $FILES "$BUNDLE/rootfs"
  # what a distribution's policy says of containers; the guest's /etc is its own
  [ ! -e /etc/selinux ] || mv /etc/selinux "$BATS_FILE_TMPDIR/selinux"
  mkdir -p /etc/selinux/berth-tests/contexts
  echo SELINUXTYPE=berth-tests >/etc/selinux/config
  printf '%s = "%s"\n' process u:r:container_t:s0 file u:object_r:container_file_t:s0 ro_file u:object_r:container_ro_file_t:s0 >/etc/selinux/berth-tests/contexts/lxc_contexts
  load_image
}
teardown_file() {
  berth_teardown_file
  [ -e /sys/fs/selinux/load ] || return 0
  echo 0 >/sys/fs/selinux/enforce
  rm -rf /etc/selinux
  [ ! -e "$BATS_FILE_TMPDIR/selinux" ] || mv "$BATS_FILE_TMPDIR/selinux" /etc/
}
setup() {
  needs root selinux
  echo 1 >/sys/fs/selinux/enforce
  CONFIG=$BATS_TEST_TMPDIR/b
  copy_bundle "$CONFIG" 'c["linux"]["cgroupsPath"] = "/berth-bats/selinux"'
}
teardown() { runtime delete --force c1; }

label_tree() { find "$2" -exec setfattr -h -n security.selinux -v "$1" {} +; }
label_of() { getfattr --absolute-names -h --only-values -n security.selinux "$1" | tr -d '\0'; }

# in_container SCRIPT EDIT...
in_container() {
  local script=$1
  shift
  edit_config "$CONFIG" "c['process']['args'] = ['sh', '-c', '''$script''']" "$@"
  run runtime run -b "$CONFIG" c1 </dev/null
}

# What the container says of itself: label of its process, mounts with a context.
ITSELF='cat /proc/self/attr/current; echo; sed -n "s/.* - \\([a-z0-9]*\\) .*[, ]context=\\([^,]*\\).*/\\1 \\2/p" /proc/self/mountinfo | sort -u'

@test "the process and the new file systems have their labels, and /dev/mqueue its own" {
  in_container "$ITSELF; ls -d /dev/mqueue" 'c["process"]["capabilities"] = {}'
  expect_status 0
  expect_output "$PROCESS
devpts $FILES
tmpfs $FILES
/dev/mqueue"
  [ "$(runtime features | jq .linux.selinux.enabled)" = true ]
}

@test "runc gives the same" {
  needs program:runc
  in_container "$ITSELF"
  expect_status 0
  local own=$output
  run runc --root "$BATS_TEST_TMPDIR/runc" run -b "$CONFIG" c2 </dev/null
  expect_status 0
  expect_output "$own"
}

@test "the policy confines: files of the host and of others are denied, its own, masks and devices are not" {
  mkdir "$BATS_TEST_TMPDIR/files"
  echo secret | tee "$BATS_TEST_TMPDIR/files/host" "$BATS_TEST_TMPDIR/files/other" >"$BATS_TEST_TMPDIR/files/own"
  label_tree $FILES "$BATS_TEST_TMPDIR/files"
  setfattr -n security.selinux -v u:object_r:host_t:s0 "$BATS_TEST_TMPDIR/files/host"
  setfattr -n security.selinux -v u:object_r:container_file_t:s0:c2 "$BATS_TEST_TMPDIR/files/other"
  in_container 'cd /files; for f in host other own; do cat $f; done; echo new >/dev/shm/f && echo x >own && ls -A /proc/acpi /sys/firmware && echo all' \
    "c['mounts'].append({'destination': '/files', 'type': 'bind', 'source': '$BATS_TEST_TMPDIR/files', 'options': ['bind']})"
  expect_status 0
  [ "$(grep -c 'Permission denied' <<<"$output")" = 2 ] || fail "two files are not the container's"
  expect_text "can't open 'host': Permission denied"
  expect_text "can't open 'other': Permission denied"
  expect_text secret
  expect_text all
}

@test "the session keyring is the container's own to use" {
  in_container 'grep -c _ses.c1 /proc/keys' 'c["linux"]["maskedPaths"] = []'
  expect_output 1
}

@test "exec has the container's label, or its own" {
  edit_config "$CONFIG" 'c["process"]["args"] = ["sleep", "1000"]' 'c["linux"]["maskedPaths"] = []'
  runtime run -d -b "$CONFIG" c1 </dev/null >/dev/null 2>&1
  run runtime exec c1 sh -c 'cat /proc/self/attr/current; echo; grep -c _ses.c1 /proc/keys'
  expect_output "$PROCESS
2" # the container's keyring, and its own
  run runtime exec --process-label u:r:other_t:s0:c1 c1 cat /proc/self/attr/current
  expect_output u:r:other_t:s0:c1
  run runtime exec --process-label u:r:nobody_t:s0 c1 true
  [ "$status" != 0 ]
  expect_text "SELinux label 'u:r:nobody_t:s0'"
}

@test "labels that the policy does not know are refused with their words" {
  in_container true 'c["process"]["selinuxLabel"] = "u:r:nobody_t:s0"'
  [ "$status" != 0 ]
  expect_text "SELinux label 'u:r:nobody_t:s0'"
  in_container true "c['process']['selinuxLabel'] = '$PROCESS'" 'c["linux"]["mountLabel"] = "nothing"'
  [ "$status" != 0 ]
  expect_text nothing
  [ -z "$(runtime list -q)" ]
}

@test "berth gives each container the policy's labels with categories of its own, and exec the same" {
  local one two
  berth run -d --name one berth-test sleep 100 >/dev/null
  berth run -d --name two berth-test sleep 100 >/dev/null
  one=$(berth inspect -f '{{.ProcessLabel}} {{.MountLabel}}' one) two=$(berth inspect -f '{{.ProcessLabel}} {{.MountLabel}}' two)
  [[ $one =~ ^u:r:container_t:(s0:c[0-9]+,c[0-9]+)\ u:object_r:container_file_t:(.*)$ ]] || fail "labels: $one"
  [ "${BASH_REMATCH[1]}" = "${BASH_REMATCH[2]}" ]
  [ "$one" != "$two" ]
  [ "$(berth exec one cat /proc/self/attr/current | tr -d '\0')" = "${one% *}" ]
  run -0 berth exec one sh -c 'cat /etc/hosts >/tmp/f && sed -n "s/.* \/ .*[, ]context=\([^ ]*\).*/\1/p" /proc/self/mountinfo'
  [[ $output == *"${one#* }"* ]] || fail "the rootfs has another label"
  # who shares its processes has its label
  [ "$(berth run --rm --pid container:one berth-test cat /proc/self/attr/current | tr -d '\0')" = "${one% *}" ]
  berth rm -f one two >/dev/null
}

@test "--security-opt label: parts that the user chooses, or none" {
  run -0 berth run --rm --security-opt label=type:other_t --security-opt label=level:s0:c1 berth-test cat /proc/self/attr/current
  [[ $output == u:r:other_t:s0:c1* ]] || fail "another label"
  echo 0 >/sys/fs/selinux/enforce # what has no label of a container is kernel_t, as its creator is
  local words
  for words in "--security-opt label=disable" "--privileged" "--pid host"; do
    # shellcheck disable=SC2086
    run -0 berth run --rm $words berth-test cat /proc/self/attr/current
    [[ $output == u:r:kernel_t:* ]] || fail "$words has a label"
  done
}

@test "CVE-2021-43816: -v: Z makes files the container's own, z everybody's, and neither those of the system" {
  local dir=$BATS_TEST_TMPDIR/files
  mkdir -p "$dir/below"
  echo content >"$dir/below/file"
  run berth run --rm -v "$dir:/files" berth-test cat /files/below/file
  expect_text "Permission denied"
  run -0 berth run --rm --security-opt label=level:s0:c1,c2 -v "$dir:/files:Z" berth-test cat /files/below/file
  expect_output content
  [ "$(label_of "$dir/below/file")" = u:object_r:container_file_t:s0:c1,c2 ]
  run berth run --rm --security-opt label=level:s0:c1,c3 -v "$dir:/files" berth-test cat /files/below/file
  expect_text "Permission denied"
  run -0 berth run --rm -v "$dir:/files:ro,z" berth-test cat /files/below/file
  [ "$(label_of "$dir/below/file")" = u:object_r:container_file_t:s0 ]
  run berth run --rm -v /etc:/files:z berth-test true
  expect_status 125
  expect_text "SELinux relabeling of '/etc' is not allowed"
}
