#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What engines give to a runtime beside the bundle: global options, log forms, sockets, patterns; and what they put into bundles.
# lanes: native, flags are read alike under every hierarchy
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
  edit_config "$bundle" "c['process']['args'] = ['sh', '-c', $(jq -n --arg command "$1" '$command')]" "${@:2}"
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

@test "tmpcopyup: the owner is who the options name, else root, not the owner of the directory; that of its content stays" {
  bundle_with 'stat -c "%u %g" /etc /root /etc/motd' \
    'm = lambda d, *o: {"destination": d, "type": "tmpfs", "source": "tmpfs", "options": ["tmpcopyup", *o]}' \
    'c["mounts"] = [m("/etc", "uid=33"), m("/root")] + [n for n in c["mounts"] if not n["destination"].startswith("/etc")]'
  cp -a "$bundle/rootfs" "$BATS_TEST_TMPDIR/rootfs"
  edit_config "$bundle" "c['root']['path'] = '$BATS_TEST_TMPDIR/rootfs'"
  touch "$BATS_TEST_TMPDIR/rootfs/etc/motd"
  chown 5:6 "$BATS_TEST_TMPDIR/rootfs/"{etc,root,etc/motd}
  run -0 runtime run -b "$bundle" c1
  expect_output $'33 0\n0 0\n5 6'
}

@test "a tmpfs on a directory that the image lacks: everyone may write in it, and again when the container is started again" {
  bundle_with 'touch /new/tmp/x && stat -c %a /new /new/tmp /other' \
    'm = lambda d, *o: {"destination": d, "type": "tmpfs", "source": "tmpfs", "options": [*o]}' \
    'c["mounts"] += [m("/new/tmp"), m("/other", "mode=711")]' 'c["process"]["user"] = {"uid": 33, "gid": 33}'
  cp -a "$bundle/rootfs" "$BATS_TEST_TMPDIR/rootfs"
  edit_config "$bundle" "c['root']['path'] = '$BATS_TEST_TMPDIR/rootfs'"
  for _ in 1 2; do
    run -0 runtime run -b "$bundle" c1
    expect_output $'755\n1777\n711'
  done
}

@test "create and run --config: another file of the bundle" {
  bundle_with 'echo other; exit 6'
  mv "$bundle/config.json" "$bundle/other.json"
  run runtime run -b "$bundle" --config other.json c1
  expect_status 6
  expect_output other
  run runtime create -b "$bundle" -f missing.json c1
  expect_status 1
  expect_text "missing.json"
  [ -z "$(runtime list -q)" ]
}

# Every option that runc or crun has for a verb: none is unknown here. "none" is no container, the file no configuration.
@test "the options of runc and crun are accepted by every verb" {
  local both="--bundle x -b x --no-pivot --no-new-keyring --no-subreaper --pid-file x --preserve-fds 0 --console-socket x --config x -f x"
  local criu="--image-path x --work-path x --tcp-established --ext-unix-sk --shell-job --file-locks --manage-cgroups-mode soft
    --empty-ns network --auto-dedup --lazy-pages"
  taken() {
    run runtime "$@" none true
    [ "$status" != 0 ]
    expect_no_text flag
  }
  # shellcheck disable=SC2086
  {
    taken create $both
    taken run $both --detach -d --keep
    taken exec --console-socket x --cwd / --env A=1 -e A=1 --tty -t --tty=false --user 0 -u 0 --additional-gids 1 -g 1 --process x -p x \
      --detach -d --pid-file x --process-label x --apparmor x --no-new-privs --cap CHOWN -c CHOWN --preserve-fds 0 --cgroup x --ignore-paused
    taken delete --regex=false -r=false # and one argument too many, as those below
    taken kill --all -a --regex=false -r=false
    taken events --interval 5s --stats
    taken ps --format json -f table
    taken checkpoint $criu --parent-path x --leave-running --status-fd -1 --page-server x:1 --pre-dump --link-remap --network-lock skip --tcp-skip-in-flight
    taken restore $criu --console-socket x --bundle x -b x --detach -d --pid-file x --no-subreaper --no-pivot --lsm-profile x --lsm-mount-context x \
      --network-lock skip --tcp-close
    taken update --resources /dev/null -r /dev/null --blkio-weight 10 --cpu-period 1000 --cpu-quota 1000 --cpu-share 2 --cpu-rt-period 1000 \
      --cpu-rt-runtime 100 --cpuset-cpus 0 --cpuset-mems 0 --memory 1 --memory-reservation 1 --memory-swap 1 --pids-limit 1 \
      --l3-cache-schema x --mem-bw-schema x --kernel-memory 1 --kernel-memory-tcp 1
  }
  run -0 runtime --debug --log /dev/null --log-format json --criu x --systemd-cgroup --rootless auto --cgroup-manager cgroupfs list --format json -f table --quiet -q
  run -0 berth-runtime -V
  expect_text "berth-runtime version"
  run -0 berth-runtime help spec
  expect_text "--rootless"
  run -0 berth-runtime create --no-pivot --help
  expect_text "--console-socket"
}

@test "a small number of open files is a limit of the program, not of its start" {
  local limits='c["process"]["rlimits"] = [{"type": "RLIMIT_NOFILE", "soft": 4, "hard": 5}]'
  bundle_with 'ulimit -n; ulimit -Hn; echo $HOME; exec sleep 100' "$limits"
  runtime create -b "$bundle" c1 </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1
  runtime start c1
  wait_until 5 eval '[ "$(cat "$BATS_TEST_TMPDIR/out")" = $'\''4\n5\n/root'\'' ]'
  run -0 runtime exec c1 sh -c 'ulimit -n; ulimit -Hn'
  expect_output $'4\n5'
  runtime delete --force c1
  bundle_with 'ulimit -n; ulimit -Hn' "$limits" 'c["linux"]["namespaces"].append({"type": "user"})' 'c["linux"].pop("sysctl", None)' \
    'c["linux"]["uidMappings"] = c["linux"]["gidMappings"] = [{"containerID": 0, "hostID": 0, "size": 65536}]'
  run -0 runtime run -b "$bundle" c1
  expect_output $'4\n5'
}

@test "with a user namespace, too, the rootfs and binds may be on shared mounts, and mounts stay in the container" {
  bundle_with 'mount -t tmpfs none /bound && echo mounted && grep -c " /bound " /proc/self/mountinfo' \
    'c["linux"]["namespaces"].append({"type": "user"})' 'c["linux"].pop("sysctl", None)' 'c["process"].pop("apparmorProfile", None)' \
    'c["linux"]["uidMappings"] = c["linux"]["gidMappings"] = [{"containerID": 0, "hostID": 0, "size": 65536}]' \
    'c["linux"].pop("seccomp", None)' 'c["root"]["path"] = "'"$BATS_TEST_TMPDIR/shared/rootfs"'"' \
    'c["process"]["capabilities"] = {k: ["CAP_SYS_ADMIN"] for k in ("bounding", "effective", "permitted")}' \
    'c["mounts"].append({"destination": "/bound", "source": "'"$BATS_TEST_TMPDIR/shared"'", "options": ["bind"]})'
  mkdir "$BATS_TEST_TMPDIR/shared"
  run -0 unshare -m bash -c 'mount -t tmpfs --make-shared none "$1" && mkdir "$1/rootfs" && mount --bind "$2/rootfs" "$1/rootfs" &&
    berth-runtime --root "$RUNTIME_ROOT" run -b "$3" c1 && grep -c " $1 " /proc/self/mountinfo' - "$BATS_TEST_TMPDIR/shared" "$BUNDLE" "$bundle"
  expect_output $'mounted\n2\n1'
}

@test "docker knows these by their words: a command without a name, a file mounted on a directory" {
  bundle_with true 'c["process"]["args"] = [""]'
  run -1 runtime run -b "$bundle" c1
  expect_text 'process.args[0]: exec: "": executable file not found in $PATH'
  bundle_with true 'c["mounts"].append({"destination": "/tmp", "source": "/etc/passwd", "options": ["bind"]})'
  run -1 runtime run -b "$bundle" c1
  expect_text "cannot mount '/etc/passwd' on '/tmp': not a directory"
  bundle_with true 'c["mounts"].append({"destination": "/etc/passwd", "source": "/etc", "options": ["bind"]})'
  run -1 runtime run -b "$bundle" c1
  expect_text "cannot mount '/etc' on '/etc/passwd': not a directory"
}

# What arrives at a socket: the bytes beside the descriptor, and the executable of the process it stands for.
listen_for_pidfd() {
  python3 - "$1" "$RUNTIME_ROOT" >"$1.seen" <<'PYTHON' &
import re, socket, sys
server = socket.socket(socket.AF_UNIX)
server.bind(sys.argv[1])
server.listen()
word, fds, _, _ = socket.recv_fds(server.accept()[0], 64, 4)
pid = re.search(r"^Pid:\s*(\d+)", open(f"/proc/self/fdinfo/{fds[0]}").read(), re.M)[1]
print(word.decode(), len(fds), pid)
PYTHON
  listener=$!
  wait_until 5 test -S "$1"
}

@test "--pidfd-socket and crun's annotation hand over a pidfd of init, exec one of its process" {
  local socket=$BATS_TEST_TMPDIR/pidfd.sock
  listen_for_pidfd "$socket"
  runtime create -b "$BUNDLE" --pidfd-socket "$socket" c1 </dev/null >/dev/null 2>&1
  wait "$listener"
  [ "$(cat "$socket.seen")" = "standard 1 $(runtime state c1 | jq .pid)" ]
  runtime start c1

  listen_for_pidfd "$socket.exec"
  runtime exec -d --pid-file "$BATS_TEST_TMPDIR/pid" --pidfd-socket "$socket.exec" c1 sleep 100 </dev/null >/dev/null 2>&1
  wait "$listener"
  [ "$(cat "$socket.exec.seen")" = "setns 1 $(cat "$BATS_TEST_TMPDIR/pid")" ]

  bundle_with 'sleep 100' "c['annotations'] = {'run.oci.pidfd_receiver': '$socket.run'}" 'c["linux"]["cgroupsPath"] += "-2"'
  listen_for_pidfd "$socket.run"
  runtime run -d -b "$bundle" c2 </dev/null >/dev/null 2>&1
  wait "$listener"
  [ "$(cat "$socket.run.seen")" = "standard 1 $(runtime state c2 | jq .pid)" ]
}

@test "a pidfd socket that nobody listens at costs nothing" {
  run runtime run -b "$BUNDLE" --pidfd-socket "$BATS_TEST_TMPDIR/none" c1
  expect_status 1
  expect_text "pidfd socket: cannot connect to socket '$BATS_TEST_TMPDIR/none'"
  [ -z "$(runtime list -q)" ]
}

@test "--regex: kill and delete all that match, and say which failed" {
  local id
  for id in web1 web2 db1; do
    bundle_with 'sleep 1000' "c['linux']['cgroupsPath'] += '-$id'"
    runtime run -d -b "$bundle" "$id" </dev/null >/dev/null 2>&1
  done
  runtime kill --regex '^web[0-9]$' KILL
  wait_until 5 eval '[ "$(runtime list -f json | jq -r "map(select(.status == \"stopped\").id) | join(\" \")")" = "web1 web2" ]'
  run runtime delete -r '1$' # web1 goes, db1 still runs
  expect_status 1
  expect_text "container db1: "
  expect_text "failed for 1 of 2 containers"
  [ "$(runtime list -q)" = $'db1\nweb2' ]
  runtime delete --force --regex .
  [ -z "$(runtime list -q)" ]
  runtime kill --regex nobody KILL
  run runtime kill --regex '(' KILL
  expect_status 1
  expect_text "invalid regular expression '('"
}

# The datagrams that arrive at a socket of the system's log while a failing command runs: log_lines SOCKET LOG-FORM
log_lines() {
  unshare -m --propagation private bash -s "$1" "$2" "$RUNTIME_ROOT" <<'SHELL'
top=${1#/} # nobody may see our socket where the host's would be
mount -t tmpfs none "/${top%%/*}"
mkdir -p "${1%/*}"
exec python3 - "$@" <<'PYTHON'
import socket, subprocess, sys
server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
server.bind(sys.argv[1])
subprocess.run(["berth-runtime", "--root", sys.argv[3], "--log", sys.argv[2], "state", "none"], capture_output=True)
server.settimeout(5)
sys.stdout.write(repr(server.recv(4096)))
PYTHON
SHELL
}

@test "--log: a file by name or file:, the journal, syslog" {
  local log=$BATS_TEST_TMPDIR/log
  run runtime --log "file:$log" --log-format json state none
  expect_status 1
  [ "$(jq -r .level "$log")" = error ]
  [[ $(jq -r .msg "$log") == "container does not exist"* ]]

  run -0 log_lines /run/systemd/journal/socket journald:engine
  expect_text 'PRIORITY=3\nSYSLOG_IDENTIFIER=engine\nMESSAGE\n'
  run -0 log_lines /dev/log syslog:engine
  [[ $output =~ ^b.\<27\>[A-Z][a-z][a-z]\ [\ 0-9][0-9]\ [0-9:]{8}\ engine\[[0-9]+\]:\  ]] || fail "no syslog line"

  if [ ! -S /run/systemd/journal/socket ]; then
    run runtime --log journald:x list
    expect_status 1
    expect_text "no journal to log to"
  fi
  run runtime --log-level loud list
  expect_status 1
  expect_text "unknown log level 'loud'"
}

@test "--rootless: true goes without cgroups that may not be made, auto does so only for a user, false never" {
  needs cgroup1
  local read_only='for m in /sys/fs/cgroup/*/; do mount --bind "$m" "$m" && mount -o remount,bind,ro "$m"; done; exec berth-runtime --root "$RUNTIME_ROOT" "$@"'
  bundle_with 'echo runs' 'c["linux"]["resources"] = {}'
  run unshare -m bash -c "$read_only" - run -b "$bundle" c1
  expect_status 1
  expect_text "Read-only file system"
  run -0 unshare -m bash -c "$read_only" - --rootless true run -b "$bundle" c1
  expect_output runs
  run unshare -m bash -c "$read_only" - --rootless=false run -b "$bundle" c1
  expect_status 1
  run runtime --rootless maybe list
  expect_status 1
  expect_text "'maybe' is not true, false or auto"
}

@test "options may stand behind the id, and exec's command keeps its own" {
  runtime create c1 --bundle "$BUNDLE" --pid-file "$BATS_TEST_TMPDIR/pid" --no-subreaper </dev/null >/dev/null 2>&1
  runtime start c1
  run -0 runtime exec -e A=1 --cwd=/bin -u 0:0 c1 sh -c 'echo $A $PWD "$@"' -- --cwd -e
  expect_output "1 /bin --cwd -e"
  runtime kill c1 KILL --all
  runtime delete c1 --force
  [ -z "$(runtime list --quiet)" ]
}
