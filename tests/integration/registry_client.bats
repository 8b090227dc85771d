# SPDX-License-Identifier: Apache-2.0
# The client of registries by itself: what it does when a registry, a network or a storage host misbehaves.
# lanes: native, bytes from a registry are alike under every kernel
load ../lib/common

setup_file() {
  berth_setup_file
  export TRY=$BERTH_TOP/build/tests/lib/registry_try
  export HOME=$BATS_FILE_TMPDIR/home DOCKER_CONFIG=$BATS_FILE_TMPDIR/home/.docker
  mkdir -p "$DOCKER_CONFIG"
  unset XDG_CONFIG_HOME XDG_RUNTIME_DIR REGISTRY_AUTH_FILE http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY
  "$BERTH_TOP/tests/lib/fake-registry" --start "$BATS_FILE_TMPDIR/fake"
}

teardown_file() {
  "$BERTH_TOP/tests/lib/fake-registry" --stop "$BATS_FILE_TMPDIR/fake"
  berth_teardown_file
}

setup() {
  needs program:jq
  # shellcheck source=/dev/null
  . "$BATS_FILE_TMPDIR/fake/env"
  : >"$FAKE_LOG"
  echo '{}' >"$DOCKER_CONFIG/config.json"
}

# rows JQ-FILTER: of the server's log, one line each
rows() {
  jq -r "$1" "$FAKE_LOG"
}

# How many requests there were.
requests() {
  wc -l <"$FAKE_LOG"
}

# Bytes of all bodies.
sent() {
  jq -s 'map(.sent) | add' "$FAKE_LOG"
}

log_in() {
  printf '{"auths": {"%s": {"auth": "%s"}}}' "$1" "$(printf '%s' "$2" | base64 -w0)" >"$DOCKER_CONFIG/config.json"
}

# The layer of a repository arrives as it should.
fetches() {
  run -0 "$TRY" blobs "$FAKE/$1" "$FAKE_LAYER"
  expect_output "$FAKE_BYTES $FAKE_LAYER"
}

@test "asking for a tag is one request" {
  run -0 "$TRY" head "$FAKE/plain" latest
  expect_output "$FAKE_MANIFEST application/vnd.oci.image.manifest.v1+json"
  [ "$(rows '.method + " " + .path')" = "HEAD /v2/plain/manifests/latest" ]
}

@test "a registry that tells no digest is asked for the document" {
  run -0 "$TRY" head "$FAKE/nodigest" latest
  expect_output "$FAKE_MANIFEST application/vnd.oci.image.manifest.v1+json"
}

@test "a transfer that is cut at 90 percent costs no byte twice" {
  fetches cut-90
  [ "$(sent)" = "$FAKE_BYTES" ]
  [ "$(rows '.range // "none"' | tail -1)" = "bytes=$((FAKE_BYTES * 90 / 100))-" ]
}

@test "a transfer that is cut again and again arrives" {
  fetches drip-2048
  [ "$(sent)" = "$FAKE_BYTES" ]
}

@test "a registry that does not know ranges sends all of it again" {
  fetches norange-50
  [ "$(requests)" = 2 ]
}

@test "another part than was asked for is refused" {
  run -1 "$TRY" blobs "$FAKE/badrange-50" "$FAKE_LAYER"
  expect_text "the registry sends another part"
}

@test "a connection that stalls is resumed" {
  run -0 "$TRY" -s 500 blobs "$FAKE/stall-50" "$FAKE_LAYER"
  expect_output "$FAKE_BYTES $FAKE_LAYER"
}

@test "connections that are closed, 429 and 503 are tried again" {
  fetches refuse-2
  fetches busy-2
  fetches down-2
}

@test "a registry that wants an hour is not waited for" {
  run -1 timeout 5 "$TRY" get "$FAKE/later" latest
  expect_output "toomanyrequests: come back in an hour"
  [ "$(requests)" = 1 ]
}

@test "a blob that is longer or shorter than its descriptor is refused at once" {
  local fault
  for fault in longer shorter; do
    run -1 "$TRY" blob "$FAKE/$fault" "$FAKE_LAYER" "$FAKE_BYTES"
    expect_text "not $FAKE_BYTES as its descriptor says"
  done
}

@test "a blob without end ends" {
  # shellcheck disable=SC2016
  run -1 bash -c '"$TRY" blob "$FAKE/endless" "$FAKE_LAYER" 1000000 2>&1 >/dev/null'
  expect_text "longer than the 1000000 bytes of its descriptor"
}

@test "a manifest without end ends" {
  run -1 "$TRY" get "$FAKE/endless" latest
  expect_output "the answer has more than 4194304 bytes"
}

@test "CVE-2026-48769: a manifest that is not the one its digest says is refused" {
  run -1 "$TRY" get "$FAKE/othermanifest" latest
  expect_text "manifest verification failed for digest $FAKE_MANIFEST"
  run -1 "$TRY" get "$FAKE/othermanifest" "$FAKE_MANIFEST"
  expect_text "manifest verification failed for digest $FAKE_MANIFEST"
}

@test "headers without end and what is no HTTP are refused" {
  run -1 "$TRY" get "$FAKE/headers" latest
  expect_text "headers of more than 65536 bytes"
  run -1 "$TRY" get "$FAKE/garbage" latest
  expect_text "http://$FAKE: "
}

@test "what a registry says does not reach the terminal as control characters" {
  run -1 "$TRY" get "$FAKE/rude" latest
  expect_output "manifest for $FAKE/rude:latest not found: manifest unknown:  [31mred not here "
}

@test "a password for a registry that asks for one" {
  run -1 "$TRY" get "$FAKE/basic" latest
  expect_text "pull access denied for $FAKE/basic, repository does not exist or may require 'berth login': unauthorized: authentication required"
  log_in "$FAKE" alice:secret
  run -0 "$TRY" get "$FAKE/basic" latest
  log_in "$FAKE" alice:wrong
  run -1 "$TRY" get "$FAKE/basic" latest
  expect_text "pull access denied"
}

@test "no password goes to who does not ask for it" {
  log_in "$FAKE" alice:secret
  fetches plain
  [ "$(rows .authorization)" = null ]
}

@test "a token for everybody" {
  fetches anonymous
  [ "$(rows '[.server, .status] | map(tostring) | join(" ")' | paste -sd,)" = "registry 401,other 200,registry 200" ]
}

@test "a token for who has a password or an identity token" {
  run -1 "$TRY" get "$FAKE/token" latest
  expect_text "pull access denied for $FAKE/token"
  log_in "$FAKE" alice:wrong
  run -1 "$TRY" get "$FAKE/token" latest
  expect_text "unauthorized: incorrect username or password"
  log_in "$FAKE" alice:secret
  run -0 "$TRY" get "$FAKE/token" latest
  printf '{"auths": {"%s": {"identitytoken": "refresh"}}}' "$FAKE" >"$DOCKER_CONFIG/config.json"
  run -0 "$TRY" get "$FAKE/token" latest
}

@test "a token that expires on the way is renewed" {
  run -0 "$TRY" chain "$FAKE/expire-2" "$FAKE_LAYER" "$FAKE_LAYER" "$FAKE_LAYER" "$FAKE_LAYER" "$FAKE_LAYER"
  [ "${#lines[@]}" = 5 ]
  [ "$(rows 'select(.server == "other") | .status' | wc -l)" = 3 ]
}

@test "a token server that fails is asked again" {
  fetches flaky
  [ "$(rows 'select(.server == "other") | .status' | paste -sd,)" = "502,200" ]
}

@test "many blobs at once share one token" {
  # shellcheck disable=SC2046
  run -0 "$TRY" blobs "$FAKE/anonymous-9" $(yes "$FAKE_LAYER" | head -8)
  [ "$(grep -cx "$FAKE_BYTES $FAKE_LAYER" <<<"$output")" = 8 ]
  [ "$(rows 'select(.server == "other") | .status' | wc -l)" = 1 ]
}

@test "one connection serves many blobs" {
  # shellcheck disable=SC2046
  run -0 "$TRY" chain "$FAKE/plain" $(yes "$FAKE_LAYER" | head -5)
  [ "$(rows .client | sort -u | wc -l)" = 1 ]
}

@test "a token server without end ends" {
  run -1 "$TRY" get "$FAKE/greedy" latest
  expect_text "the token server's answer has no end"
}

@test "CVE-2020-15157: the storage host that a registry sends us to gets no authorization" {
  log_in "$FAKE" alice:secret
  fetches redirect-token
  [ "$(rows 'select(.server == "registry" and .authorization != null) | .status')" = 307 ]
  [ "$(rows 'select(.path | startswith("/stored/")) | [.server, .authorization] | map(tostring) | join(" ")')" = "other null" ]
}

@test "secrets are not in the debug log" {
  log_in "$FAKE" alice:secret
  run -0 "$TRY" -v blobs "$FAKE/redirect-token" "$FAKE_LAYER"
  expect_text "/stored/$FAKE_LAYER: 200"
  expect_no_text secret
  expect_no_text "$(printf alice:secret | base64)"
  expect_no_text xxxxxxxx
}

@test "redirects end, and lead to HTTP only" {
  run -1 "$TRY" blobs "$FAKE/loop" "$FAKE_LAYER"
  expect_text "stopped after 10 redirects"
  run -1 "$TRY" blobs "$FAKE/file" "$FAKE_LAYER"
  expect_text "an address that is not HTTP"
}

@test "all pages of the tags" {
  run -0 "$TRY" tags "$FAKE/many"
  [ "${#lines[@]}" = 250 ]
  [ "${lines[249]}" = v249 ]
}

@test "a registry that is not there is told at once" {
  run -1 timeout 5 "$TRY" get 127.0.0.1:1/x latest
  expect_text "127.0.0.1"
  expect_text "Connection refused"
  run -1 timeout 20 "$TRY" get nowhere.invalid/x latest
  expect_text "nowhere.invalid"
}

@test "a proxy is asked, but not for this host and what no_proxy names" {
  http_proxy=http://$FAKE run -0 "$TRY" -i get registry.invalid/plain latest
  [ "$(rows 'select(.status == 200) | .path')" = "http://registry.invalid/v2/plain/manifests/latest" ]
  HTTP_PROXY=http://$FAKE run -0 "$TRY" -i get registry.invalid/plain latest
  http_proxy=http://127.0.0.1:1 run -0 "$TRY" get "$FAKE/plain" latest
  no_proxy=.invalid http_proxy=http://$FAKE run -1 "$TRY" -i get registry.invalid/plain latest
}

@test "an interrupt ends a transfer at once" {
  "$TRY" blobs "$FAKE/stall-30" "$FAKE_LAYER" &
  local pid=$! begin
  wait_until 10 grep -q stall-30 "$FAKE_LOG"
  begin=$SECONDS
  kill -TERM "$pid"
  wait "$pid" || true
  [ $((SECONDS - begin)) -le 2 ]
}

# --- encryption, with a real registry ---

with_tls() {
  REGISTRY_TLS=1 "$BERTH_TOP/tests/lib/with-registry" "$@"
}

@test "HTTPS with a CA of its own, as docker and podman configure it" {
  needs program:docker-registry
  # shellcheck disable=SC2016
  run -0 with_tls bash -c '
    "$TRY" search "$REGISTRY" x || exit 1 # this host may do without a certificate
    name=registry.localhost:${REGISTRY#*:}
    "$TRY" search "$name" x && exit 2
    "$TRY" -i search "$name" x || exit 3
    mkdir -p "$HOME/.config/containers/certs.d/$name"
    cp "$REGISTRY_CA" "$HOME/.config/containers/certs.d/$name/ca.crt"
    "$TRY" search "$name" x || exit 4'
  expect_text "SSL certificate problem"
}

@test "HTTPS is not left for HTTP" {
  needs program:docker-registry
  # shellcheck disable=SC2016
  run with_tls bash -c '
    dir=$(dirname "$REGISTRY_CA")
    export FAKE_CERT=$dir/server.crt FAKE_KEY=$dir/server.key SSL_CERT_FILE=$REGISTRY_CA FAKE_PLAIN_OTHER=1
    "$BERTH_TOP/tests/lib/fake-registry" bash -c "
      name=registry.localhost:\${FAKE#*:}
      \$TRY blobs \$name/plain \$FAKE_LAYER
      \$TRY blobs \$name/plain-other \$FAKE_LAYER"'
  expect_text "$FAKE_BYTES $FAKE_LAYER"
  expect_text "from HTTPS to HTTP, which is refused"
}

@test "a registry without HTTPS is told in docker's words" {
  run -1 "$TRY" get "registry.localhost:${FAKE#*:}/plain" latest
  expect_text "http: server gave HTTP response to HTTPS client"
  run -0 "$TRY" -i get "registry.localhost:${FAKE#*:}/plain" latest
}

@test "insecure registries of registries.conf: any certificate, and no HTTPS at all" {
  needs program:docker-registry
  export CONTAINERS_REGISTRIES_CONF=$BATS_TEST_TMPDIR/registries.conf
  # shellcheck disable=SC2016
  run -0 with_tls bash -c '
    name=registry.localhost:${REGISTRY#*:} # not an address of this host, for which no configuration is needed
    : >"$CONTAINERS_REGISTRIES_CONF"
    "$TRY" tags "$name/x" 2>&1 | grep -i "certificate" || exit 2
    printf "[[registry]]\nlocation = \"%s\"\ninsecure = true\n" "$name" >"$CONTAINERS_REGISTRIES_CONF"
    "$TRY" tags "$name/x" 2>&1 | grep "name unknown" || exit 3'
  printf '[[registry]]\nlocation = "registry.localhost:%s"\ninsecure = true\n' "${FAKE#*:}" >"$CONTAINERS_REGISTRIES_CONF"
  run -0 "$TRY" get "registry.localhost:${FAKE#*:}/plain" latest
  : >"$CONTAINERS_REGISTRIES_CONF"
  run -1 "$TRY" get "registry.localhost:${FAKE#*:}/plain" latest
}

@test "a registry that wants a certificate of its clients" {
  needs program:docker-registry
  # shellcheck disable=SC2016
  REGISTRY_CLIENT_CERT=1 run -0 "$BERTH_TOP/tests/lib/with-registry" bash -c '
    "$TRY" tags "$REGISTRY/x" 2>&1 | grep -q "name unknown" && exit 1
    dir=$HOME/.config/containers/certs.d/$REGISTRY
    mkdir -p "$dir"
    cp "$REGISTRY_CA" "$dir/ca.crt"
    cp "$REGISTRY_CERT" "$dir/client.cert"
    cp "$REGISTRY_KEY" "$dir/client.key"
    "$TRY" tags "$REGISTRY/x" 2>&1 | grep "name unknown" || exit 2
    # of several the one whose authority the server names, wherever it stands
    other() {
      openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=nobody -keyout "$dir/$1.key" -out "$dir/$1.cert" 2>/dev/null
    }
    other a
    "$TRY" tags "$REGISTRY/x" 2>&1 | grep "name unknown" || exit 3
    other z
    "$TRY" tags "$REGISTRY/x" 2>&1 | grep "name unknown" || exit 4
    rm "$dir"/client.*
    "$TRY" tags "$REGISTRY/x" 2>&1 | grep "name unknown" && exit 5
    true'
}

@test "a mirror is asked first, and the registry when it fails" {
  needs program:docker-registry
  cat >"$BATS_TEST_TMPDIR/registries.conf" <<END
[[registry]]
location = "$FAKE"
[[registry.mirror]]
location = "127.0.0.1:1"
[[registry.mirror]]
location = "$FAKE_OTHER/cache"
insecure = true
END
  export CONTAINERS_REGISTRIES_CONF=$BATS_TEST_TMPDIR/registries.conf
  fetches plain
  [ "$(rows '.server + " " + .path')" = "other /v2/cache/plain/blobs/$FAKE_LAYER" ]
  : >"$FAKE_LOG"
  fetches down-1
  [ "$(rows '[.server, .status] | map(tostring) | join(" ")' | paste -sd,)" = "other 503,registry 503,registry 200" ]
}

@test "a mirror that breaks on the way is left for the registry, at this byte" {
  cat >"$BATS_TEST_TMPDIR/registries.conf" <<END
[[registry]]
location = "$FAKE"
[[registry.mirror]]
location = "$FAKE_OTHER"
insecure = true
END
  export CONTAINERS_REGISTRIES_CONF=$BATS_TEST_TMPDIR/registries.conf
  fetches fragile-100
  [ "$(sent)" = "$FAKE_BYTES" ]
  [ "$(rows .server | sort -u | paste -sd,)" = "other,registry" ]
}

@test "docker-registry as a mirror that fetches what it does not have" {
  needs program:docker-registry
  # shellcheck disable=SC2016
  REGISTRY_MIRROR_OF=http://$FAKE run -0 "$BERTH_TOP/tests/lib/with-registry" bash -c '
    printf "[[registry]]\nlocation = \"%s\"\n[[registry.mirror]]\nlocation = \"%s\"\n" "$FAKE" "$REGISTRY" >"$HOME/mirror.conf"
    export CONTAINERS_REGISTRIES_CONF=$HOME/mirror.conf
    "$TRY" head "$FAKE/plain" latest
    "$TRY" blobs "$FAKE/plain" "$FAKE_LAYER"
    grep -c "GET.*$FAKE_LAYER.* 200 " "$REGISTRY_LOG"'
  expect_text "$FAKE_MANIFEST application/vnd.oci.image.manifest.v1+json"
  expect_text "$FAKE_BYTES $FAKE_LAYER"
}

@test "docker-registry with a password, over TLS" {
  needs program:docker-registry program:htpasswd
  # shellcheck disable=SC2016
  REGISTRY_AUTH=alice:secret run -0 with_tls bash -c '
    name=registry.localhost:${REGISTRY#*:}
    export SSL_CERT_FILE=$REGISTRY_CA
    "$TRY" login "$name" alice wrong && exit 1
    "$TRY" login "$name" alice secret || exit 2
    printf "{\"auths\": {\"%s\": {\"auth\": \"%s\"}}}" "$name" "$(printf alice:secret | base64)" >"$DOCKER_CONFIG/config.json"
    "$TRY" search "$name" x || exit 3'
  expect_text "/v2/ failed with status: 401 Unauthorized"
}

# --- through berth pull ---

# A store that has nothing.
empty_store() {
  export BERTH_ROOT=$BATS_TEST_TMPDIR/store BERTH_STATE=$BATS_TEST_TMPDIR/run
}

@test "a pull that is cut at 90 percent costs at most 11 percent of the bytes again" {
  empty_store
  run -0 berth pull -q "$FAKE/cut-90"
  [ "$(jq -s 'map(select(.path | endswith(env.FAKE_LAYER)) | .sent) | add' "$FAKE_LOG")" -le $((FAKE_BYTES * 111 / 100)) ]
  run -0 berth system check
}

@test "a pull of an unchanged tag is one request" {
  empty_store
  run -0 berth pull -q "$FAKE/plain"
  : >"$FAKE_LOG"
  run -0 berth pull "$FAKE/plain"
  expect_text "Image is up to date"
  [ "$(rows .method)" = HEAD ]
}

@test "a manifest of schema 1 is refused by a sentence that says so" {
  empty_store
  run -1 berth pull "$FAKE/schema-1"
  expect_text "'$FAKE/schema-1:latest' is an image of docker's old manifest schema 1, which is not supported"
  run -1 berth pull -q "$FAKE/schema-1"
  [ "${#lines[@]}" = 1 ]
  [ -z "$(rows 'select(.path | contains("/blobs/")) | .path')" ]
  run -0 berth images -q
  expect_output ""
}

@test "CVE-2026-48769, CVE-2026-81500: what is not what its digest or its size says is not kept" {
  local fault
  empty_store
  for fault in flipped longer shorter othermanifest endless; do
    run -1 berth pull -q "$FAKE/$fault"
  done
  run -0 berth images -q
  expect_output ""
  run -0 berth system check
  [ -z "$(find "$BERTH_ROOT/images/blobs" -type f)" ]
}
