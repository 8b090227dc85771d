#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# lanes: native, files in a home directory are alike under every kernel
# login, logout and search: what berth stores others use, and the other way round.
load ../lib/common

setup_file() {
  berth_setup_file
  if command -v docker-registry htpasswd >/dev/null; then
    REGISTRY_AUTH=me:se:cret "$BERTH_TOP/tests/lib/with-registry" --start "$BATS_FILE_TMPDIR/registry"
  fi
}

teardown_file() {
  "$BERTH_TOP/tests/lib/with-registry" --stop "$BATS_FILE_TMPDIR/registry"
  berth_teardown_file
}

setup() {
  needs program:docker-registry program:htpasswd
  # shellcheck source=/dev/null
  . "$BATS_FILE_TMPDIR/registry/env"
  export HOME=$BATS_TEST_TMPDIR/home XDG_RUNTIME_DIR=$BATS_TEST_TMPDIR/run
  unset DOCKER_CONFIG REGISTRY_AUTH_FILE XDG_CONFIG_HOME
  mkdir "$HOME" "$XDG_RUNTIME_DIR"
  CONFIG=$HOME/.docker/config.json
}

log_in() {
  berth login -u me --password-stdin "$@" "$REGISTRY" <<<se:cret
}

# A credential helper that keeps one secret in a file.
install_helper() {
  mkdir -p "$HOME/bin"
  cat >"$HOME/bin/docker-credential-$1" <<'HELPER'
#!/bin/sh
kept=$(dirname "$0")/kept
case $1 in
store) cat >"$kept" ;;
get) read -r server; grep -qsF "$server" "$kept" && exec cat "$kept"; echo "credentials not found in native keychain"; exit 1 ;;
erase) rm "$kept" ;;
esac
HELPER
  chmod +x "$HOME/bin/docker-credential-$1"
  PATH=$HOME/bin:$PATH
}

@test "login stores what the registry takes, for its owner alone" {
  run --separate-stderr log_in
  [ "$status" -eq 0 ]
  [ "$output" = "Login Succeeded" ]
  [[ $stderr = *"WARNING! Your credentials are stored unencrypted in '$CONFIG'."* ]]
  [ "$(stat -c %a "$CONFIG" "$HOME/.docker")" = $'600\n700' ]
  run --separate-stderr log_in # again: nothing new is in the file
  [ "$status" -eq 0 ]
  [ -z "$stderr" ]
}

@test "login with a wrong password fails and stores nothing" {
  run --separate-stderr berth login -u me --password-stdin "$REGISTRY" <<<wrong
  [ "$status" -eq 1 ]
  [ -z "$output" ]
  [[ $stderr = *"401 Unauthorized"* ]]
  [ ! -e "$CONFIG" ]
}

@test "login without a name uses what is stored" {
  log_in 2>/dev/null
  run --separate-stderr berth login "$REGISTRY" </dev/null
  [ "$status" -eq 0 ]
  [ "$output" = "Login Succeeded" ]
  [ "$stderr" = "Authenticating with existing credentials... [Username: me]" ]
}

@test "login warns of a password on the command line" {
  run --separate-stderr berth login -u me -p se:cret "http://$REGISTRY/v2/"
  [ "$status" -eq 0 ]
  [ "${stderr_lines[0]}" = "WARNING! Using --password via the CLI is insecure. Use --password-stdin." ]
}

@test "login refuses flags that contradict each other" {
  run berth login -p x --password-stdin "$REGISTRY"
  [ "$status" -eq 1 ]
  [[ $output = *"cannot specify both --password and --password-stdin"* ]]
  run berth login --password-stdin "$REGISTRY" <<<x
  [ "$status" -eq 1 ]
  [[ $output = *"--password-stdin option requires --username"* ]]
  run berth login -u me "$REGISTRY" </dev/null
  [ "$status" -eq 1 ]
  [[ $output = *"cannot perform an interactive login from a non TTY device"* ]]
}

@test "login asks on a terminal and does not show the password" {
  needs program:python3
  run python3 - "$REGISTRY" <<'EOF2'
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execvp("berth", ["berth", "login", sys.argv[1]])
seen = b""
def until(word):
    global seen
    while word not in seen:
        seen += os.read(fd, 1000)
until(b"Username: ")
os.write(fd, b"me\n")
until(b"Password: ")
os.write(fd, b"se:cret\n")
try:
    while True:
        data = os.read(fd, 1000)
        if not data:
            break
        seen += data
except OSError: # the other end is closed
    pass
print(seen.decode())
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
EOF2
  [ "$status" -eq 0 ]
  [[ $output = *"Login Succeeded"* ]]
  [[ $output != *cret* ]]
}

@test "logout forgets, and says so" {
  log_in 2>/dev/null
  run berth logout "$REGISTRY"
  [ "$output" = "Removing login credentials for $REGISTRY" ]
  [ "$status" -eq 0 ]
  [[ $(cat "$CONFIG") != *"$REGISTRY"* ]]
  run berth logout "$REGISTRY"
  [ "$output" = "Not logged in to $REGISTRY" ]
  [ "$status" -eq 0 ]
  run berth logout
  [ "$output" = "Not logged in to https://index.docker.io/v1/" ]
}

@test "login --verbose says where it is stored" {
  run --separate-stderr log_in -v
  [ "$output" = "Used:  $CONFIG"$'\nLogin Succeeded' ]
  install_helper fake
  echo '{ "credsStore": "fake" }' >"$CONFIG"
  run --separate-stderr log_in --verbose
  [ "$output" = $'Used:  credential helper: fake\nLogin Succeeded' ]
}

@test "logout --all forgets all registries, also what helpers keep" {
  install_helper fake
  mkdir -m 700 "$HOME/.docker"
  echo '{"psFormat":"x","auths":{"https://index.docker.io/v1/":{"auth":"bWU6cHc="},"quay.io/team":{"auth":"bWU6cHc="}},"credHelpers":{"'"$REGISTRY"'":"fake"}}' >"$CONFIG"
  log_in 2>/dev/null
  grep -q se:cret "$HOME/bin/kept"
  run -1 berth logout --all "$REGISTRY"
  [[ $output = *"--all takes no arguments"* ]]
  run -0 berth logout --all
  [ "$output" = "Removed login credentials for all registries" ]
  [ ! -e "$HOME/bin/kept" ]
  run -0 python3 -c 'import json, sys; c = json.load(open(sys.argv[1])); print(c["auths"], c["psFormat"], len(c["credHelpers"]))' "$CONFIG"
  [ "$output" = "{} x 1" ]
  rm "$CONFIG"
  run -0 berth logout -a # nothing to forget
  [ ! -e "$CONFIG" ]
}

@test "skopeo and podman use what berth stored" {
  needs program:skopeo program:podman
  log_in 2>/dev/null
  [ "$(skopeo login --get-login "$REGISTRY")" = me ]
  [ "$(podman login --get-login "$REGISTRY")" = me ]
  log_in --authfile "$HOME/auth.json" 2>/dev/null
  [ "$(skopeo login --get-login --authfile "$HOME/auth.json" "$REGISTRY")" = me ]
  run skopeo list-tags --tls-verify=false --authfile "$HOME/auth.json" "docker://$REGISTRY/none"
  [[ $output = *404* || $output = *"not known to registry"* ]] # it was let in, to find nothing
}

@test "berth uses what skopeo stored" {
  needs program:skopeo
  skopeo login --tls-verify=false -u me --password-stdin "$REGISTRY" <<<se:cret
  [ -e "$XDG_RUNTIME_DIR/containers/auth.json" ]
  run berth search "$REGISTRY/nothing"
  [ "$status" -eq 0 ]
  berth logout --authfile "$XDG_RUNTIME_DIR/containers/auth.json" "$REGISTRY"
  run berth search "$REGISTRY/nothing"
  [ "$status" -ne 0 ]
}

@test "a helper keeps the secret, and the file does not" {
  install_helper fake
  mkdir -m 700 "$HOME/.docker"
  echo '{ "credsStore": "fake", "psFormat": "x" }' >"$CONFIG"
  run --separate-stderr log_in
  [ "$status" -eq 0 ]
  [ -z "$stderr" ]
  grep -q se:cret "$HOME/bin/kept"
  run ! grep -q "cret\|c2U6Y3JldA\|auth\"" "$CONFIG"
  grep -q '"psFormat": "x"' "$CONFIG"
  berth search "$REGISTRY/nothing"
  berth logout "$REGISTRY"
  [ ! -e "$HOME/bin/kept" ]
}

@test "a helper that fails is one sentence" {
  mkdir -p "$HOME/.docker" "$HOME/bin"
  printf '#!/bin/sh\necho the keyring is locked\nexit 1\n' >"$HOME/bin/docker-credential-locked"
  chmod +x "$HOME/bin/docker-credential-locked"
  PATH=$HOME/bin:$PATH
  echo '{ "credsStore": "locked" }' >"$CONFIG"
  run log_in
  [ "$status" -eq 1 ]
  [ "$output" = "berth: 'docker-credential-locked get' failed: the keyring is locked" ]
  echo '{ "credsStore": "missing" }' >"$CONFIG"
  run log_in
  [ "$status" -eq 1 ]
  [[ $output = *"docker-credential-missing"* ]]
  [ "${#lines[@]}" -eq 1 ]
}

@test "search by docker's own search, where a registry offers it" {
  # shellcheck disable=SC2016
  run -0 "$BERTH_TOP/tests/lib/fake-registry" bash -c '
    berth search --format "{{.Name}} {{.Description}} {{.StarCount}} {{.IsOfficial}}{{.IsAutomated}}" "$FAKE/web" | sed "s,^$FAKE/,," &&
    berth search --limit 3 --format "limit {{.Name}}" "$FAKE/web" &&
    berth search --filter is-official=true --limit 30 --format "official {{.Name}}" "$FAKE/web" &&
    berth search --filter stars=8 --filter is-automated=true --limit 30 --format "automated {{.Name}}" "$FAKE/web"'
  [ "$(grep -c ^team/web <<<"$output")" -eq 25 ]
  [ "${lines[0]}" = "team/web24 number 24 24 " ] # most stars first, of those that came
  grep -qx "team/web07 number 7 7 \[OK\]" <<<"$output"
  [ "$(grep -c ^limit <<<"$output")" -eq 3 ]
  [ "$(grep ^official <<<"$output" | sed 's,127.*/team,team,')" = "official team/web07" ]
  [ "$(grep ^automated <<<"$output" | sed 's,127.*/team,team,')" = "automated team/web08" ]
}

@test "search lists what a registry has, with docker's columns" {
  needs program:skopeo
  make_image docker "$BATS_TEST_TMPDIR/image.tar"
  for name in team/web team/db other; do
    skopeo copy -q --dest-tls-verify=false --dest-creds me:se:cret "docker-archive:$BATS_TEST_TMPDIR/image.tar" "docker://$REGISTRY/$name:1"
  done
  log_in 2>/dev/null
  run berth search "$REGISTRY/team"
  [ "$status" -eq 0 ]
  [[ ${lines[0]} = "NAME "*"DESCRIPTION"*"STARS"*"OFFICIAL" ]]
  [ "${#lines[@]}" -eq 3 ]
  run -0 berth search --compatible "$REGISTRY/team"
  [[ ${lines[0]} = "NAME "*"OFFICIAL"*"AUTOMATED" ]]
  run berth search --format '{{.Name}} {{.StarCount}}' "$REGISTRY/team"
  [ "$output" = "$REGISTRY/team/db 0"$'\n'"$REGISTRY/team/web 0" ]
  run berth search --filter stars=1 --format '{{.Name}}' "$REGISTRY/team"
  [ -z "$output" ]
  skopeo copy -q --src-tls-verify=false --src-creds me:se:cret --dest-tls-verify=false --dest-creds me:se:cret "docker://$REGISTRY/other:1" "docker://$REGISTRY/other:v2"
  run -0 berth search --list-tags "$REGISTRY/other"
  [[ ${lines[0]} = "NAME "*" TAG" ]]
  [ "$(sort <<<"${output#*$'\n'}" | tr -s ' ')" = "$REGISTRY/other 1"$'\n'"$REGISTRY/other v2" ]
  run -0 berth search --list-tags --limit 1000 --format json "$REGISTRY/other:1"
  [ "$(python3 -c 'import json, sys; [r] = json.load(sys.stdin); print(r["Name"], *sorted(r["Tags"]))' <<<"$output")" = "$REGISTRY/other 1 v2" ]
  run -0 berth search --list-tags --limit 1 --format '{{.Tag}}' "$REGISTRY/other"
  [ "${#lines[@]}" -eq 1 ]
  run -1 berth search --list-tags --filter stars=1 "$REGISTRY/other"
  [[ $output = *"filters are not applicable to list tags result"* ]]
  run -1 berth search --list-tags "$REGISTRY/none"
  run berth search --limit 0 "$REGISTRY/team"
  [ "$status" -eq 1 ]
  [[ $output = *"limit 0 is outside the range of [1, 100]"* ]]
  run berth search --filter colour=red "$REGISTRY/team"
  [[ $output = *"invalid filter 'colour=red'"* ]]
}
