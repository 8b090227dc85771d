# SPDX-License-Identifier: Apache-2.0
# A real Debian with apt's own packages as an image: nginx, redis and python3 run as services.
load ../lib/common
load ../lib/callers

setup_file() {
  berth_setup_file
  export DEBIAN_TAR=$BERTH_TOP/build/cache/debian-services.tar
  make_debian || return 0
  berth import -c 'CMD ["bash"]' -c 'ENV LANG=C.UTF-8' "$DEBIAN_TAR" debian-services:1 >/dev/null
}
teardown_file() { berth_teardown_file; }
setup() {
  needs root program:mmdebstrap
  [ -s "$DEBIAN_TAR" ] || skip "no image from a Debian mirror: $(tail -n 1 "$BATS_FILE_TMPDIR/mmdebstrap.log")"
}
teardown() {
  remove_all
  stop_peers
}

# Made once a checkout: half a minute.
make_debian() {
  [ -s "$DEBIAN_TAR" ] && return 0
  mkdir -p "${DEBIAN_TAR%/*}"
  # bats has several descriptors open, and mmdebstrap's shell can name none above 9
  (
    for fd in {3..20}; do eval "exec $fd>&-"; done
    exec mmdebstrap --variant=apt --include=python3-minimal,nginx-light,redis-server \
      --aptopt='APT::Install-Recommends "false"' bookworm "$DEBIAN_TAR.new.tar"
  ) >"$BATS_FILE_TMPDIR/mmdebstrap.log" 2>&1 || return 1
  mv "$DEBIAN_TAR.new.tar" "$DEBIAN_TAR"
}

@test "bash, apt and python3 of the image run" {
  run -0 berth run --rm debian-services:1 bash -c 'echo $LANG; apt --version | cut -d" " -f1; python3 -c "print(6 * 7)"'
  expect_output $'C.UTF-8\napt\n42'
  run -0 berth run --rm debian-services:1 cat /etc/os-release
  expect_text 'ID=debian'
}

@test "apt's sandbox user and dpkg's database work in a container" {
  run -0 berth run --rm debian-services:1 dpkg --verify base-files
  run -0 berth run --rm debian-services:1 su -s /bin/sh -c 'id -un' _apt
  expect_output _apt
}

@test "redis as a service: set, get, log, stop saves, start has the data again" {
  berth run -d --name redis debian-services:1 redis-server --dir /var/lib/redis --save 1 1 >/dev/null
  wait_until 10 berth exec redis redis-cli ping
  run -0 berth exec redis redis-cli set key value
  expect_output OK
  run -0 berth logs redis
  expect_text "Ready to accept connections"
  run -0 berth top redis
  expect_text redis-server
  run -0 berth stop redis
  run -0 berth logs --tail 3 redis
  expect_text "bye bye"
  [ "$(berth inspect -f '{{.State.ExitCode}}' redis)" = 0 ]
  berth start redis
  wait_until 10 berth exec redis redis-cli ping
  run -0 berth exec redis redis-cli get key
  expect_output value
}

@test "nginx serves a file of the host, to python3 in its network, through a restart" {
  mkdir "$BATS_TEST_TMPDIR/html"
  echo "served by nginx" >"$BATS_TEST_TMPDIR/html/index.html"
  chmod 755 "$BATS_TEST_TMPDIR" "$BATS_TEST_TMPDIR/html"
  berth run -d --name web -v "$BATS_TEST_TMPDIR/html:/var/www/html:ro" debian-services:1 \
    nginx -g 'daemon off; error_log /dev/stderr;' >/dev/null
  fetch() {
    berth run --rm --network container:web debian-services:1 python3 -c \
      'import socket; s=socket.create_connection(("127.0.0.1",80),3); s.sendall(b"GET /index.html HTTP/1.0\r\n\r\n"); print(s.recv(9999).decode())'
  }
  wait_until 10 fetch
  run -0 fetch
  expect_text "served by nginx"
  berth restart -t 3 web
  wait_until 10 fetch
  run -0 berth exec web sh -c 'cat /proc/1/comm'
  expect_output nginx
}

@test "the service goes on when the client that started it is killed" {
  berth run --name attached debian-services:1 redis-server >/dev/null 2>&1 &
  local client=$!
  wait_until 10 berth exec attached redis-cli ping
  kill -9 "$client"
  wait "$client" || true
  run -0 berth exec attached redis-cli ping
  expect_output PONG
  berth stop attached
  berth start attached
  wait_until 10 berth exec attached redis-cli ping
}

# same CODE COMMAND...: both end with it, and print the same
same() {
  local code=$1 ours theirs our_code=0 their_code=0
  shift
  ours=$(berth run --rm debian-services:1 "$@" 2>/dev/null) || our_code=$?
  theirs=$(podman run --rm --network none debian-services:1 "$@" 2>/dev/null) || their_code=$?
  [ "$our_code $their_code" = "$code $code" ] || fail "$*: exit code $our_code, podman's is $their_code"
  diff <(echo "$theirs") <(echo "$ours") || fail "$*: podman prints something else"
}

@test "podman runs the same image with the same output and exit codes" {
  needs program:podman program:conmon
  [ "${BERTH_TEST_LANE:-native}" = native ] || skip "an emulated processor is too slow for podman"
  start_peers podman
  podman import -q -c 'CMD ["bash"]' -c 'ENV LANG=C.UTF-8' "$DEBIAN_TAR" debian-services:1
  same 7 bash -c 'echo out; exit 7'
  same 137 bash -c 'sleep 100 & kill -9 $!; wait $!'
  same 127 no-such-command
  same 126 /etc/passwd
  same 3 python3 -c 'import sys, os, locale; print(sys.version, os.getcwd(), os.getuid(), locale.getpreferredencoding()); sys.exit(3)'
  same 0 redis-server --version
  same 0 nginx -t
  same 0 su -s /bin/bash -c 'id; umask; ulimit -c' redis
  same 0 find / -xdev ! -type d ! -path '/dev/*' ! -path '/etc/host*' ! -path /etc/resolv.conf ! -path /etc/mtab ! -path /run/.containerenv \
    -printf '%M %u:%g %s %T@ %p %l\n'
}
