#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Mounts of berth-runtime as the container sees them: options, id maps, propagation, links, and what is refused.

load ../lib/common

setup_file() {
  needs root
  berth_setup_file
  export BUNDLE=$BATS_FILE_TMPDIR/bundle SOURCE=$BATS_FILE_TMPDIR/source
  make_bundle "$BUNDLE" 'c["process"]["terminal"] = False' 'c["linux"]["cgroupsPath"] = "/berth-bats-mounts/c1"' \
    'c["linux"].pop("sysctl", None)'
  cp "$BUNDLE/config.json" "$BUNDLE/plain.json"
  chmod 755 "$BUNDLE" "$BUNDLE/rootfs" "$BATS_FILE_TMPDIR"
  # two file systems, one on the other, with options of their own
  mkdir "$SOURCE"
  mount -t tmpfs -o nosuid,noexec,noatime source "$SOURCE"
  mkdir "$SOURCE/sub"
  mount -t tmpfs -o nodev sub "$SOURCE/sub"
  touch "$SOURCE"/{root,other} "$SOURCE/sub/root"
  chown 7:8 "$SOURCE/other"
  ln -s root "$SOURCE/link"
  chmod 777 "$SOURCE"
}
teardown_file() {
  umount "$SOURCE/sub" "$SOURCE"
  berth_teardown_file
  find /sys/fs/cgroup -depth -type d -name berth-bats-mounts -exec rmdir {} +
}
setup() {
  needs root
  cp "$BUNDLE/plain.json" "$BUNDLE/config.json"
}
teardown() {
  runtime delete --force c1
  [ ! -e "$BATS_TEST_TMPDIR/undo" ] || sh "$BATS_TEST_TMPDIR/undo"
}

# in_container SCRIPT EDIT...: what the script prints with these edits of config.json
in_container() {
  local script=$1
  shift
  edit_config "$BUNDLE" "c['process']['args'] = ['sh', '-c', '''$script''']" "$@"
  run runtime run -b "$BUNDLE" c1 </dev/null
}

# A mount of $SOURCE on /m with these options and members: mount_m '"rbind", "ro"' ['"uidMappings": [...]']
mount_m() {
  echo "c['mounts'].append({'destination': '/m', 'type': 'bind', 'source': '$SOURCE', 'options': [$1], ${2:-}})"
}

USERNS='c["linux"]["namespaces"].append({"type": "user"}); c["linux"]["uidMappings"] = c["linux"]["gidMappings"] = [{"containerID": 0, "hostID": 100000, "size": 65536}]'
MAPS='"uidMappings": [{"containerID": 0, "hostID": 1000, "size": 100}], "gidMappings": [{"containerID": 0, "hostID": 2000, "size": 100}]'

# Lines "type option,... => flags of the mount [propagation] [| flags of the mount below]": all mounts of the table in one container.
check_table() {
  cat >"$BATS_TEST_TMPDIR/table"
  edit_config "$BUNDLE" "table = [l.split('=>') for l in open('$BATS_TEST_TMPDIR/table') if l.strip()]
for i, (what, _) in enumerate(table):
    kind, options = (what.split() + [''])[:2]
    bind = kind in ('bind', 'rbind')
    c['mounts'].append({'destination': f'/m{i}', 'type': 'bind' if bind else kind, 'source': '$SOURCE' if bind else kind,
                        'options': [kind] * bind + options.split(',') * bool(options)})
c['process']['args'] = ['cat', '/proc/self/mountinfo']"
  runtime run -b "$BUNDLE" c1 </dev/null >"$BATS_TEST_TMPDIR/mountinfo"
  python3 - "$BATS_TEST_TMPDIR" <<'PYTHON'
import sys
seen, wrong = {}, 0
for line in open(sys.argv[1] + "/mountinfo"):
    word = line.split()
    end = word.index("-")
    flags = set(word[5].split(",")) | {w.split(":")[0] for w in word[6:end]}
    flags |= {"super-" + w for w in word[end + 3].split(",") if w in ("sync", "dirsync", "lazytime", "mand")}
    seen[word[4]] = flags - {"rw"}
for i, line in enumerate(l for l in open(sys.argv[1] + "/table") if l.strip()):
    what, expected = line.split("=>")
    for path, words in zip((f"/m{i}", f"/m{i}/sub"), expected.split("|")):
        if set(words.split()) != seen.get(path, {"nothing"}):
            print(f"{what}: {path} is {sorted(seen.get(path, ['nothing']))}, expected {sorted(words.split())}")
            wrong = 1
sys.exit(wrong)
PYTHON
}

# The source is nosuid,noexec,noatime, what is mounted on it nodev,relatime. A word changes what it names and nothing else.
@test "options of bind mounts" {
  check_table <<'TABLE'
rbind                 => nosuid noexec noatime | nodev relatime
bind                  => nosuid noexec noatime | nothing
rbind defaults        => nosuid noexec noatime | nodev relatime
rbind ro              => ro nosuid noexec noatime | nodev relatime
rbind ro,rw           => nosuid noexec noatime | nodev relatime
rbind nodev           => nodev nosuid noexec noatime | nodev relatime
rbind suid            => noexec noatime | nodev relatime
rbind exec,dev        => nosuid noatime | nodev relatime
rbind atime           => nosuid noexec relatime | nodev relatime
rbind relatime        => nosuid noexec relatime | nodev relatime
rbind strictatime     => nosuid noexec | nodev relatime
rbind norelatime      => nosuid noexec noatime | nodev relatime
rbind nostrictatime   => nosuid noexec noatime | nodev relatime
rbind nodiratime      => nosuid noexec noatime nodiratime | nodev relatime
rbind diratime        => nosuid noexec noatime | nodev relatime
rbind nosymfollow     => nosuid noexec noatime nosymfollow | nodev relatime
rbind symfollow       => nosuid noexec noatime | nodev relatime
rbind async,sync,dirsync,lazytime,nolazytime,iversion,noiversion,loud,silent,mand,nomand,acl,noacl => nosuid noexec noatime | nodev relatime
TABLE
}

@test "recursive options of bind mounts" {
  check_table <<'TABLE'
rbind rro             => ro nosuid noexec noatime | ro nodev relatime
rbind rrw             => nosuid noexec noatime | nodev relatime
rbind ro,rrw          => nosuid noexec noatime | nodev relatime
rbind rnosuid         => nosuid noexec noatime | nosuid nodev relatime
rbind rsuid           => noexec noatime | nodev relatime
rbind rnodev          => nosuid nodev noexec noatime | nodev relatime
rbind rdev            => nosuid noexec noatime | relatime
rbind rnoexec         => nosuid noexec noatime | nodev noexec relatime
rbind rexec           => nosuid noatime | nodev relatime
rbind rnoatime        => nosuid noexec noatime | nodev noatime
rbind ratime          => nosuid noexec relatime | nodev relatime
rbind rrelatime       => nosuid noexec relatime | nodev relatime
rbind rstrictatime    => nosuid noexec | nodev
rbind rnorelatime     => nosuid noexec noatime | nodev relatime
rbind rnostrictatime  => nosuid noexec noatime | nodev relatime
rbind rnodiratime     => nosuid noexec noatime nodiratime | nodev relatime nodiratime
rbind rdiratime       => nosuid noexec noatime | nodev relatime
rbind rnosymfollow    => nosuid noexec noatime nosymfollow | nodev relatime nosymfollow
rbind rsymfollow      => nosuid noexec noatime | nodev relatime
TABLE
}

@test "propagation of bind mounts and of new file systems" {
  check_table <<'TABLE'
rbind shared          => nosuid noexec noatime shared | nodev relatime
rbind rshared         => nosuid noexec noatime shared | nodev relatime shared
rbind private         => nosuid noexec noatime | nodev relatime
rbind rprivate        => nosuid noexec noatime | nodev relatime
rbind unbindable      => nosuid noexec noatime unbindable | nodev relatime
rbind runbindable     => nosuid noexec noatime unbindable | nodev relatime unbindable
rbind ro,rshared      => ro nosuid noexec noatime shared | nodev relatime shared
tmpfs shared          => relatime shared
tmpfs unbindable      => relatime unbindable
TABLE
}

@test "options of new file systems" {
  check_table <<'TABLE'
tmpfs                 => relatime
tmpfs defaults        => relatime
tmpfs ro              => ro relatime
tmpfs rro             => ro relatime
tmpfs rnoexec,nodev   => noexec nodev relatime
tmpfs noexec,rexec    => relatime
tmpfs nosuid,suid     => relatime
tmpfs noatime         => noatime
tmpfs noatime,atime   => relatime
tmpfs strictatime     =>
tmpfs nodiratime      => nodiratime relatime
tmpfs nosymfollow     => nosymfollow relatime
tmpfs sync            => relatime super-sync
tmpfs sync,async      => relatime
tmpfs dirsync         => relatime super-dirsync
tmpfs lazytime        => relatime super-lazytime
tmpfs mand            => relatime super-mand
tmpfs iversion,noiversion,acl,noacl,silent,loud => relatime
proc ro,nosuid        => ro nosuid relatime
TABLE
}

@test "slave: what the host mounts later arrives, nothing goes back" {
  mount --make-shared "$SOURCE"
  edit_config "$BUNDLE" "$(mount_m '"rbind", "rslave"')" 'c["process"]["args"] = ["sleep", "100"]' \
    'c["mounts"].append({"destination": "/p", "type": "bind", "source": "'"$SOURCE"'", "options": ["rbind", "rprivate"]})'
  runtime run -d -b "$BUNDLE" c1 </dev/null >/dev/null 2>&1
  mkdir "$SOURCE/later"
  echo "umount '$SOURCE/later'; rmdir '$SOURCE/later'; mount --make-private '$SOURCE'" >"$BATS_TEST_TMPDIR/undo"
  mount -t tmpfs later "$SOURCE/later"
  runtime exec c1 grep -q " /m/later " /proc/self/mountinfo
  run runtime exec c1 grep " /p/later " /proc/self/mountinfo
  expect_status 1
}

@test "rootfsPropagation is that of the container's root" {
  for word in shared slave private unbindable; do
    cp "$BUNDLE/plain.json" "$BUNDLE/config.json"
    in_container 'head -1 /proc/self/mountinfo' "c['linux']['rootfsPropagation'] = '$word'"
    expect_status 0
    case $word in
      shared | unbindable) expect_text "$word" ;;
      *) expect_no_text shared ;;
    esac
  done
}

@test "rootfsPropagation shared keeps the container's mounts off the host" {
  local root=$BATS_TEST_TMPDIR/root
  mkdir "$root"
  mount -t tmpfs root "$root"
  echo "umount '$root'" >"$BATS_TEST_TMPDIR/undo"
  mount --make-shared "$root"
  cp -a "$BUNDLE/rootfs/." "$root"
  edit_config "$BUNDLE" "c['root']['path'] = '$root'" 'c["linux"]["rootfsPropagation"] = "rshared"' 'c["process"]["args"] = ["sleep", "100"]'
  runtime run -d -b "$BUNDLE" c1 </dev/null >"$BATS_TEST_TMPDIR/log" 2>&1 || cat "$BATS_TEST_TMPDIR/log"
  run runtime exec c1 head -1 /proc/self/mountinfo
  expect_text shared
  [ "$(grep -c "$root" /proc/self/mountinfo)" = 1 ]
}

@test "tmpcopyup keeps what the tmpfs covers" {
  in_container 'ls -ld /etc/motd; cat /etc/motd; touch /etc/new' \
    'c["mounts"] = [m for m in c["mounts"] if not m["destination"].startswith("/etc")] + [{"destination": "/etc", "type": "tmpfs", "source": "tmpfs", "options": ["tmpcopyup"]}]' \
    "import os; open('$BUNDLE/rootfs/etc/motd', 'w').write('hello\n'); os.chown('$BUNDLE/rootfs/etc/motd', 5, 6)"
  expect_status 0
  expect_text hello
  [[ ${lines[0]} == *" 5 "*" 6 "* ]]
  [ ! -e "$BUNDLE/rootfs/etc/new" ]
}

# --- links: crun's options ---

@test "a dangling link as destination is followed, and what it names is made" {
  ln -s /hot/made/dir "$BUNDLE/rootfs/dangling"
  ln -s ../hot/made/file "$BUNDLE/rootfs/etc/dangling"
  ln -s loop "$BUNDLE/rootfs/loop"
  in_container 'ls /hot/made/dir; ls -l /dangling/root /hot/made/file >/dev/null && echo there' "$(mount_m '"bind"')" \
    'c["mounts"][-1]["destination"] = "/dangling"' "$(mount_m '"bind"')" \
    'c["mounts"][-1].update({"destination": "/etc/dangling", "source": "'"$SOURCE/root"'"})'
  expect_status 0
  expect_output $'link\nother\nroot\nsub\nthere'
  in_container true "$(mount_m '"bind"')" 'c["mounts"][-1]["destination"] = "/loop"'
  expect_status 1
  expect_text "cannot open mount point '/loop'"
  rm -rf "$BUNDLE/rootfs/"{dangling,loop,hot,etc/dangling}
}

@test "a bind of what another process sees, /proc/PID/root/..., in its mount namespace or in ours" {
  unshare -m sh -c "mount -t tmpfs x $SOURCE; echo theirs >$SOURCE/file; ln -s /etc $SOURCE/etc; echo \$\$; exec sleep 50" >"$BATS_TEST_TMPDIR/pid" 3>&- &
  echo "kill $!" >"$BATS_TEST_TMPDIR/undo"
  wait_until 5 test -s "$BATS_TEST_TMPDIR/pid"
  in_container 'cat /m/file' "$(mount_m '"bind"')" "c['mounts'][-1]['source'] = '/proc/$(cat "$BATS_TEST_TMPDIR/pid")/root$SOURCE'"
  expect_status 0
  expect_output theirs
  in_container 'ls /m' "c['mounts'][-1]['source'] = '/proc/$$/root$SOURCE/sub'"
  expect_output root
  in_container true "c['mounts'][-1]['source'] = '/proc/$(cat "$BATS_TEST_TMPDIR/pid")/root/no/such'"
  expect_status 1
  expect_text "/root/no/such': cannot open it"
}

@test "copy-symlink, src-nofollow and dest-nofollow" {
  ln -sfn /etc/passwd "$BUNDLE/rootfs/destlink"
  local link="'source': '$SOURCE/link', 'type': 'bind'"
  in_container 'readlink /copied; readlink /asis; stat -c %F /followed; readlink /destlink || stat -c %F /destlink' \
    "c['mounts'] += [{'destination': '/copied', $link, 'options': ['bind', 'copy-symlink']},
                     {'destination': '/asis', $link, 'options': ['bind', 'src-nofollow']},
                     {'destination': '/followed', $link, 'options': ['bind']},
                     {'destination': '/destlink', 'type': 'bind', 'source': '$SOURCE/root', 'options': ['bind', 'dest-nofollow']}]"
  rm -f "$BUNDLE"/rootfs/{copied,destlink}
  expect_status 0
  expect_output $'root\nroot\nregular empty file\nregular empty file'
}

@test "copy-symlink refuses a destination that is something else" {
  touch "$BUNDLE/rootfs/copied"
  in_container true "c['mounts'].append({'destination': '/copied', 'source': '$SOURCE/link', 'options': ['bind', 'copy-symlink']})"
  rm "$BUNDLE/rootfs/copied"
  expect_status 1
  expect_text "'/copied' exists in the rootfs and is not a symlink to 'root'"
}

# --- ids ---

needs_idmap() {
  [ "$(printf '%s\n' 6.3 "$(uname -r)" | sort -V | head -1)" = 6.3 ] || skip "needs Linux 6.3: a tmpfs that can be id-mapped"
}

@test "idmap maps the ids of one mount, ridmap of all below" {
  needs_idmap
  in_container 'stat -c "%u %g" /m/root /m/other /m/sub/root' "$(mount_m '"rbind", "idmap"' "$MAPS")"
  expect_output $'1000 2000\n1007 2008\n0 0'
  cp "$BUNDLE/plain.json" "$BUNDLE/config.json"
  in_container 'stat -c "%u %g" /m/root /m/other /m/sub/root' "$(mount_m '"rbind", "ridmap"' "$MAPS")"
  expect_output $'1000 2000\n1007 2008\n1000 2000'
}

@test "mappings without the option are as with idmap; new files get the mapped owner" {
  needs_idmap
  in_container 'stat -c "%u %g" /m/root; touch /m/new' "$(mount_m '"bind"' "$MAPS")" \
    'c["process"]["user"] = {"uid": 1003, "gid": 2004}'
  expect_output "1000 2000"
  [ "$(stat -c '%u %g' "$SOURCE/new")" = "3 4" ]
  rm "$SOURCE/new"
}

@test "idmap alone takes the mapping of the container's user namespace" {
  needs_idmap
  in_container 'stat -c "%u %g" /m/root /m/other /m/sub/root' "$USERNS" "$(mount_m '"rbind", "ridmap"')"
  expect_output $'0 0\n7 8\n0 0'
  cp "$BUNDLE/plain.json" "$BUNDLE/config.json"
  in_container 'stat -c "%u %g" /m/root' "$USERNS" "$(mount_m '"rbind"')"
  expect_output "65534 65534"
}

@test "crun's idmap=, absolute and relative to the container" {
  needs_idmap
  in_container 'stat -c "%u %g" /m/root /m/other' "$(mount_m '"rbind", "idmap=uids=0-50-1#7-60-1;gids=0-2000-100"')"
  expect_output $'50 2000\n60 2008'
  cp "$BUNDLE/plain.json" "$BUNDLE/config.json"
  in_container 'stat -c "%u %g" /m/root /m/other' "$USERNS" "$(mount_m '"rbind", "idmap=uids=@0-50-1#@7-60-1;gids=@0-0-100"')"
  expect_output $'50 0\n60 8'
}

@test "the rootfs may be id-mapped" {
  needs_idmap
  in_container 'stat -c "%u %g" /bin/busybox' "$USERNS" \
    "c['mounts'].insert(0, {'destination': '/', 'type': 'bind', 'source': '$BUNDLE/rootfs', 'options': ['rbind', 'idmap']})"
  expect_output "0 0"
}

# --- what is refused, by the path of the field ---

@test "wrong mounts are refused by the path of their field" {
  local n case edit text
  n=$(jq '.mounts | length' "$BUNDLE/plain.json")
  while IFS='@' read -r edit text; do
    cp "$BUNDLE/plain.json" "$BUNDLE/config.json"
    in_container true "$edit"
    expect_status 1
    expect_text "${text//N/$n}"
  done <<CASES
$(mount_m '"rbind", "idmap"')@mounts[N].options: idmap needs uidMappings and gidMappings
$(mount_m '"rbind", "ridmap"')@mounts[N].options: idmap needs uidMappings and gidMappings
$(mount_m '"rbind", "idmap"' "${MAPS%%, \"gidM*}")@mounts[N]: an id-mapped mount needs both uidMappings and gidMappings
$(mount_m '"rbind", "idmap=uids=0-1"')@mounts[N].options: 'idmap=uids=0-1' is not like
$(mount_m '"rbind", "idmap=uids=0-1-1"')@mounts[N].options: 'idmap=uids=0-1-1' is not like
$(mount_m '"rbind", "idmap=uids=0-1-0;gids=0-1-1"')@mounts[N].uidMappings[0]: size is 0
$(mount_m '"rbind", "idmap=uids=0-1-1;gids=0-1-1"' "$MAPS")@mounts[N].options: 'idmap=uids=0-1-1;gids=0-1-1' beside uidMappings
$(mount_m '"rbind", "idmap"' '"uidMappings": [{"containerID": 0, "hostID": 1, "size": 5}, {"containerID": 2, "hostID": 9, "size": 5}], "gidMappings": [{"containerID": 0, "hostID": 1, "size": 5}]')@mounts[N].uidMappings, gidMappings: cannot map user ids '0 1 5,2 9 5'
c["mounts"].append({"destination": "/m", "type": "tmpfs", "source": "t", $MAPS})@mounts[N]: '/m' is not a bind mount, only these can be id-mapped
c["mounts"].append({"destination": "/m", "type": "bind", "source": "/proc", "options": ["rbind", "idmap"], $MAPS})@mounts[N]: the file system of '/proc' cannot be id-mapped
c["mounts"].append({"destination": "/m", "type": "tmpfs", "source": "t", "options": ["src-nofollow"]})@mounts[N].options: 'src-nofollow' is for bind mounts
$(mount_m '"rbind", "tmpcopyup"')@mounts[N].options: tmpcopyup is for type tmpfs
$(mount_m '"remount", "ro"')@'/m' cannot be remounted, it is not a mount point
c["mounts"].append({"destination": "/m", "type": "nofs", "source": "t"})@the kernel has no file system 'nofs'
c["mounts"].append({"destination": "/m", "type": "tmpfs", "source": "t", "options": ["size=x"]})@file system 'tmpfs' refuses option 'size=x'
c["linux"]["rootfsPropagation"] = "up"@linux.rootfsPropagation: unknown propagation 'up'
CASES
}

# --- namespaces by path ---

# A process in a mount namespace of its own; $holder is its pid.
hold_mount_namespace() {
  unshare -m --propagation slave sleep 100 3>&- &
  holder=$!
  echo "kill $holder" >"$BATS_TEST_TMPDIR/undo"
  wait_until 5 eval '[ "$(readlink /proc/$holder/ns/mnt)" != "$(readlink /proc/self/ns/mnt)" ]'
}

join() { echo "c['linux']['namespaces'] = [n for n in c['linux']['namespaces'] if n['type'] != '$1'] + [{'type': '$1', 'path': '$2'}]"; }

@test "a mount namespace is joined by its path; the rootfs becomes its root" {
  hold_mount_namespace
  local before
  before=$(grep -F "$BATS_FILE_TMPDIR" /proc/self/mountinfo)
  in_container 'readlink /proc/self/ns/mnt; ls -d /bin /etc; head -1 /proc/self/mountinfo' \
    "$(join mount "/proc/$holder/ns/mnt")" 'c["linux"]["namespaces"].append({"type": "time"})' 'c["linux"]["timeOffsets"] = {"boottime": {"secs": 5}}'
  expect_status 0
  [ "${lines[0]}" = "$(readlink "/proc/$holder/ns/mnt")" ]
  [[ ${lines[3]} == *" $BUNDLE/rootfs / "* || ${lines[3]} == *"/rootfs / "* ]]
  [ "$(grep -F "$BATS_FILE_TMPDIR" /proc/self/mountinfo)" = "$before" ]
}

@test "namespaces that cannot be joined are refused" {
  local path text type
  while IFS='@' read -r type path text; do
    cp "$BUNDLE/plain.json" "$BUNDLE/config.json"
    in_container true "$(join "$type" "$path")"
    expect_status 1
    expect_text "$text"
  done <<CASES
mount@/proc/self/ns/mnt@linux.namespaces: mount '/proc/self/ns/mnt' is the runtime's own
mount@/proc/self/ns/net@'/proc/self/ns/net' is a net namespace, not a mnt namespace
mount@/etc/passwd@'/etc/passwd' is not a namespace
mount@/no/such@linux.namespaces: mount: cannot open mnt namespace '/no/such'
network@/proc/self/ns/uts@'/proc/self/ns/uts' is a uts namespace, not a net namespace
ipc@proc/self/ns/ipc@linux.namespaces: path 'proc/self/ns/ipc' is not absolute
CASES
  cp "$BUNDLE/plain.json" "$BUNDLE/config.json"
  in_container true "c['linux']['namespaces'].append({'type': 'mount', 'path': '/proc/1/ns/mnt'})"
  expect_status 1
  expect_text "namespace 'mount' is listed twice"
}

@test "labels need SELinux" {
  [ ! -e /sys/fs/selinux/enforce ] || skip "SELinux is enabled"
  in_container true 'c["linux"]["mountLabel"] = "system_u:object_r:x_t:s0"'
  expect_status 1
  expect_text "linux.mountLabel 'system_u:object_r:x_t:s0': SELinux is not enabled on this host"
  cp "$BUNDLE/plain.json" "$BUNDLE/config.json"
  in_container true 'c["process"]["selinuxLabel"] = "system_u:system_r:x_t:s0"'
  expect_status 1
  expect_text "process.selinuxLabel 'system_u:system_r:x_t:s0': SELinux is not enabled on this host"
}

# --- mounts add, mounts remove ---

# start_container EDIT...
start_container() {
  edit_config "$BUNDLE" 'c["process"]["args"] = ["sleep", "100"]' "$@"
  runtime run -d -b "$BUNDLE" c1 </dev/null >"$BATS_TEST_TMPDIR/log" 2>&1 || fail "$(cat "$BATS_TEST_TMPDIR/log")"
}

mounts_inside() { runtime exec c1 awk '$5 ~ "^/hot" { print $5, $6, $8 }' /proc/self/mountinfo; }

# hot DESTINATION TYPE SOURCE [OPTION,...]...: a file for "mounts add"
hot() {
  python3 - "$@" >"$BATS_TEST_TMPDIR/hot.json" <<'PYTHON'
import json, sys
words, mounts = sys.argv[1:], []
while words:
    dest, kind, source, options, *words = words
    mounts.append({"destination": dest, "type": kind, "source": source, "options": options.split(",") if options else []})
json.dump({"ociVersion": "1.0.0", "mounts": mounts}, sys.stdout)
PYTHON
}

@test "mounts add: binds, files and new file systems appear in a running container, mounts remove takes them away" {
  start_container
  hot /hot/bind bind "$SOURCE" rbind,ro /hot/file bind "$SOURCE/root" bind /hot/tmp tmpfs tmpfs ro,nosuid,size=1m /hot/proc proc proc ''
  before=$(grep -cF "$BATS_FILE_TMPDIR" /proc/self/mountinfo)
  runtime mounts add c1 "$BATS_TEST_TMPDIR/hot.json"
  run mounts_inside
  expect_output '/hot/bind ro,nosuid,noexec,noatime tmpfs
/hot/bind/sub rw,nodev,relatime tmpfs
/hot/file rw,nosuid,noexec,noatime tmpfs
/hot/tmp ro,nosuid,relatime tmpfs
/hot/proc rw,relatime proc'
  # it is the container's pid namespace
  [ "$(runtime exec c1 cat /hot/proc/1/comm)" = sleep ]
  [ "$(grep -cF "$BATS_FILE_TMPDIR" /proc/self/mountinfo)" = "$before" ]
  runtime mounts remove c1 "$BATS_TEST_TMPDIR/hot.json"
  [ -z "$(mounts_inside)" ]
  rm -rf "$BUNDLE/rootfs/hot"
}

@test "mounts add: all or nothing, by the path of the field" {
  start_container
  hot /hot/bind bind "$SOURCE" rbind /hot/file bind "$SOURCE/root" bind /hot/tmp tmpfs tmpfs size=x
  run runtime mounts add c1 "$BATS_TEST_TMPDIR/hot.json"
  expect_status 1
  expect_text "mounting '/hot/tmp': file system 'tmpfs' refuses option 'size=x'"
  [ -z "$(mounts_inside)" ]
  local line
  while IFS='@' read -r line text; do
    eval "hot $line"
    run runtime mounts add c1 "$BATS_TEST_TMPDIR/hot.json"
    expect_status 1
    expect_text "$text"
  done <<CASES
/hot/a tmpfs tmpfs '' / tmpfs tmpfs ''@mounts[1].destination: the root of a running container cannot be mounted over
/hot/a cgroup cgroup ''@mounts[0].type: 'cgroup' cannot be added to a running container
/hot/a bind /no/such bind@cannot bind '/no/such'
/hot/a bind $SOURCE idmap@mounts[0].options: idmap needs uidMappings and gidMappings
/proc/1 bind $SOURCE bind@'/proc/1' cannot be mounted inside /proc
CASES
  echo '{"mounts": [{"type": "tmpfs"}]}' >"$BATS_TEST_TMPDIR/hot.json"
  run runtime mounts add c1 "$BATS_TEST_TMPDIR/hot.json"
  expect_text "mounts[0].destination"
  echo '{"mount": []}' >"$BATS_TEST_TMPDIR/hot.json"
  run runtime mounts add c1 "$BATS_TEST_TMPDIR/hot.json"
  expect_text "mounts: missing"
  run runtime mounts change c1 "$BATS_TEST_TMPDIR/hot.json"
  expect_text "unknown command 'mounts change', expected add or remove"
  rm -rf "$BUNDLE/rootfs/hot"
}

@test "mounts remove: what is no mount point is refused, and then nothing is removed" {
  start_container
  hot /hot/tmp tmpfs tmpfs ''
  runtime mounts add c1 "$BATS_TEST_TMPDIR/hot.json"
  hot /hot/tmp '' '' '' /etc '' '' ''
  run runtime mounts remove c1 "$BATS_TEST_TMPDIR/hot.json"
  expect_status 1
  expect_text "mounts[1].destination: '/etc' is not a mount point in the container"
  [ -n "$(mounts_inside)" ]
  hot / '' '' ''
  run runtime mounts remove c1 "$BATS_TEST_TMPDIR/hot.json"
  expect_text "mounts[0].destination: the root of a container stays"
  runtime kill c1 KILL
  wait_until 5 eval '[ "$(runtime state c1 | jq -r .status)" = stopped ]'
  run runtime mounts remove c1 "$BATS_TEST_TMPDIR/hot.json"
  expect_text "container not running"
  rm -rf "$BUNDLE/rootfs/hot"
}

@test "mounts remove: a link that was put there meanwhile does not take a mask or the root away" {
  local target masked
  start_container 'c["root"]["readonly"] = False'
  masked=$(runtime exec c1 sh -c 'for f in kcore keys timer_list interrupts; do [ ! -c /proc/$f ] || echo /proc/$f; done' | head -1)
  hot /hot/in/tmp tmpfs tmpfs ''
  runtime mounts add c1 "$BATS_TEST_TMPDIR/hot.json"
  runtime exec c1 mv /hot/in /hot/moved
  runtime exec c1 mkdir /hot/in
  for target in "$masked" /proc/sys /sys/firmware / ../../proc; do
    runtime exec c1 ln -sfn "$target" /hot/in/tmp
    run runtime mounts remove c1 "$BATS_TEST_TMPDIR/hot.json"
    expect_status 1
    expect_text "mounts[0].destination: '/hot/in/tmp' leads to '"
  done
  runtime exec c1 test -c "$masked"
  run runtime exec c1 sh -c 'echo 1 >/proc/sys/kernel/msgmax'
  expect_status 1
  [ "$(runtime exec c1 ls /sys/firmware)" = "" ]
  hot /hot/moved/tmp '' '' ''
  runtime mounts remove c1 "$BATS_TEST_TMPDIR/hot.json"
  [ -z "$(mounts_inside)" ]
  rm -rf "$BUNDLE/rootfs/hot"
}

@test "mounts add: the container's symlinks lead inside the container" {
  start_container
  ln -s "$SOURCE" "$BUNDLE/rootfs/hot"
  mkdir -p "$BUNDLE/rootfs$SOURCE"
  hot /hot/tmp tmpfs tmpfs '' /hot/../../../../escape tmpfs tmpfs ''
  runtime mounts add c1 "$BATS_TEST_TMPDIR/hot.json"
  runtime exec c1 grep -q " $SOURCE/tmp " /proc/self/mountinfo
  runtime exec c1 grep -q " /escape " /proc/self/mountinfo
  [ ! -e "$SOURCE/tmp" ] && [ ! -e /escape ]
  runtime delete --force c1
  rm -rf "$BUNDLE/rootfs/hot" "${BUNDLE:?}/rootfs/tmp"/* "$BUNDLE/rootfs/escape"
}

@test "mounts add: a bare list, and a container with a user namespace" {
  start_container "$USERNS" 'c["mounts"].append({"destination": "/run", "type": "tmpfs", "source": "tmpfs"})'
  echo "[{\"destination\": \"/run/hot\", \"type\": \"tmpfs\", \"options\": [\"mode=700\"]}, {\"destination\": \"/run/b\", \"source\": \"$SOURCE\", \"options\": [\"bind\"]}]" >"$BATS_TEST_TMPDIR/hot.json"
  runtime mounts add c1 "$BATS_TEST_TMPDIR/hot.json"
  run runtime exec c1 stat -c '%u %a' /run/hot
  expect_output "0 700"
  runtime exec c1 test -e /run/b/root
  runtime mounts remove c1 "$BATS_TEST_TMPDIR/hot.json"
  run runtime exec c1 grep -c " /run/" /proc/self/mountinfo
  expect_output 0
}
