#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# policy.json decides what may be pulled; skopeo, given the same files, agrees.
# lanes: native, signatures are alike under every kernel
load ../lib/common

setup_file() {
  berth_setup_file
  if ! command -v docker-registry >/dev/null || ! command -v skopeo >/dev/null || ! command -v gpg >/dev/null; then
    return
  fi
  "$BERTH_TOP/tests/lib/with-registry" --start "$BATS_FILE_TMPDIR/registry"
  # shellcheck source=/dev/null
  . "$BATS_FILE_TMPDIR/registry/env"
  export HOME=$BATS_FILE_TMPDIR/home SIGNATURES=$BATS_FILE_TMPDIR/signatures
  unset DOCKER_CONFIG REGISTRY_AUTH_FILE XDG_RUNTIME_DIR XDG_CONFIG_HOME
  mkdir -p "$HOME/.config/containers/registries.d"
  printf 'default-docker:\n  lookaside: file://%s\n  lookaside-staging: file://%s\n' "$SIGNATURES" "$SIGNATURES" \
    >"$HOME/.config/containers/registries.d/default.yaml"
  make_keys
  make_image docker "$BATS_FILE_TMPDIR/image.tar" --compress gzip
  upload plain:1
  upload simple:1 --sign-by good@berth.test
  upload other:1 --sign-by other@berth.test
  upload cosign:1
  attach cosign:1 "$BATS_FILE_TMPDIR/good.pem"
  gpgconf --kill all
}

teardown_file() {
  [ -z "${GNUPGHOME:-}" ] || { gpgconf --kill all; rm -rf "$GNUPGHOME"; }
  "$BERTH_TOP/tests/lib/with-registry" --stop "$BATS_FILE_TMPDIR/registry"
  berth_teardown_file
}

setup() {
  needs root program:docker-registry program:skopeo program:gpg program:openssl program:curl
  # shellcheck source=/dev/null
  . "$BATS_FILE_TMPDIR/registry/env"
  POLICY=$HOME/.config/containers/policy.json
}

# OpenPGP keys for simple signing, others for attachments.
make_keys() {
  local name
  GNUPGHOME=$(mktemp -d /tmp/berth-gnupg-XXXXXX) # the agent's socket wants a short path
  export GNUPGHOME
  for name in good other; do
    gpg -q --batch --passphrase '' --quick-gen-key "$name@berth.test" ed25519 sign never 2>/dev/null
    gpg -q --armor --export "$name@berth.test" >"$BATS_FILE_TMPDIR/$name.asc"
    openssl ecparam -genkey -name prime256v1 -noout -out "$BATS_FILE_TMPDIR/$name.pem"
    openssl pkey -in "$BATS_FILE_TMPDIR/$name.pem" -pubout -out "$BATS_FILE_TMPDIR/$name.pub"
  done
}

# upload NAME:TAG [options of skopeo copy]
upload() {
  local to=$1
  shift
  skopeo copy -q --dest-tls-verify=false "$@" "docker-archive:$BATS_FILE_TMPDIR/image.tar" "docker://$REGISTRY/$to" >/dev/null
}

# put_blob NAME FILE: its descriptor without a media type
put_blob() {
  local digest location
  digest=sha256:$(sha256sum <"$2" | cut -d' ' -f1)
  location=$(curl -sSf -X POST -D- -o /dev/null "http://$REGISTRY/v2/$1/blobs/uploads/" | tr -d '\r' | sed -n 's/^Location: //p')
  curl -sSf -X PUT -H 'Content-Type: application/octet-stream' --data-binary "@$2" "$location&digest=$digest"
  printf '"digest":"%s","size":%s' "$digest" "$(wc -c <"$2")"
}

# attach NAME:TAG KEY: a signature beside the image, as cosign makes it
attach() {
  local name=${1%:*} dir=$BATS_FILE_TMPDIR/attach digest
  mkdir -p "$dir"
  digest=$(skopeo inspect --raw --tls-verify=false "docker://$REGISTRY/$1" | sha256sum | cut -d' ' -f1)
  printf '{"critical":{"identity":{"docker-reference":"%s"},"image":{"docker-manifest-digest":"sha256:%s"},"type":"cosign container image signature"},"optional":null}' \
    "$REGISTRY/$name" "$digest" >"$dir/text"
  echo '{}' >"$dir/config"
  openssl dgst -sha256 -sign "$2" -out "$dir/signature" "$dir/text"
  printf '{"schemaVersion":2,"mediaType":"%s","config":{"mediaType":"%s",%s},"layers":[{"mediaType":"%s",%s,"annotations":{"%s":"%s"}}]}' \
    application/vnd.oci.image.manifest.v1+json application/vnd.oci.image.config.v1+json "$(put_blob "$name" "$dir/config")" \
    application/vnd.dev.cosign.simplesigning.v1+json "$(put_blob "$name" "$dir/text")" \
    dev.cosignproject.cosign/signature "$(base64 -w0 "$dir/signature")" >"$dir/manifest"
  curl -sSf -X PUT -H 'Content-Type: application/vnd.oci.image.manifest.v1+json' --data-binary "@$dir/manifest" \
    "http://$REGISTRY/v2/$name/manifests/sha256-$digest.sig"
}

# policy REQUIREMENT: for the test registry; everything else is rejected
policy() {
  printf '{"default":[{"type":"reject"}],"transports":{"docker":{"%s":[%s]}}}' "$REGISTRY" "$1" >"$POLICY"
}

skopeo_takes() {
  skopeo --policy "$POLICY" --registries.d "$HOME/.config/containers/registries.d" copy -q --src-tls-verify=false \
    "docker://$REGISTRY/$1" "dir:$BATS_TEST_TMPDIR/copy"
}

pulls() {
  run berth pull -q "$REGISTRY/$1"
  [ "$status" -eq 0 ] || { echo "$output"; return 1; }
  berth rmi "$REGISTRY/$1" >/dev/null
}

takes() {
  pulls "$1"
  skopeo_takes "$1"
}

# refuses NAME:TAG PART: and nothing of it is fetched
refuses() {
  local blobs
  blobs=$(grep -c "GET /v2/[^ ]*/blobs/" "$REGISTRY_LOG" || true)
  run --separate-stderr berth pull -q "$REGISTRY/$1"
  [ "$status" -eq 1 ]
  [ -z "$output" ]
  [[ $stderr = *"'$REGISTRY/$1' is refused by "*"in '$POLICY'"* ]] || { echo "$stderr"; return 1; }
  [[ $stderr = *"$2"* ]] || { echo "$stderr"; return 1; }
  [ "$(berth images -q | wc -l)" -eq 0 ]
  [ "$(grep -c "GET /v2/[^ ]*/blobs/" "$REGISTRY_LOG" || true)" -le $((blobs + ${3:-0})) ]
}

@test "without rules for it an image is refused or taken as the default says" {
  echo '{"default":[{"type":"reject"}]}' >"$POLICY"
  refuses plain:1 "by 'reject' of 'default'"
  run ! skopeo_takes plain:1
  policy '{"type":"insecureAcceptAnything"}'
  takes plain:1
}

@test "a rule that is not known refuses" {
  policy '{"type":"signedTomorrow"}'
  refuses plain:1 "'signedTomorrow' is not known here"
}

@test "an image that was pulled before is refused when the policy says so now" {
  policy '{"type":"insecureAcceptAnything"}'
  berth pull -q "$REGISTRY/plain:1"
  policy '{"type":"reject"}'
  run berth pull -q "$REGISTRY/plain:1"
  [ "$status" -eq 1 ]
  [[ $output = *"is refused by 'reject'"* ]]
  berth rmi "$REGISTRY/plain:1"
}

@test "simple signing: by the right key, for this name" {
  policy "{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPath\":\"$BATS_FILE_TMPDIR/good.asc\"}"
  takes simple:1
  refuses other:1 "the signature is not good"
  run ! skopeo_takes other:1
  refuses plain:1 "there is no signature of"
  run ! skopeo_takes plain:1
  skopeo copy -q --src-tls-verify=false --dest-tls-verify=false "docker://$REGISTRY/simple:1" "docker://$REGISTRY/simple:2" --remove-signatures
  refuses simple:2 "the signature is for '$REGISTRY/simple:1'"
  run ! skopeo_takes simple:2
  policy "{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPath\":\"$BATS_FILE_TMPDIR/good.asc\",\"signedIdentity\":{\"type\":\"matchRepository\"}}"
  takes simple:2
}

@test "push --sign-by: what berth signs, berth and skopeo take" {
  policy "{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPath\":\"$BATS_FILE_TMPDIR/good.asc\"}"
  berth load -q -i "$BATS_FILE_TMPDIR/image.tar" --signature-policy <(echo '{"default":[{"type":"insecureAcceptAnything"}]}') >/dev/null
  id=$(berth images -q)
  berth push -q --sign-by good@berth.test "$id" "$REGISTRY/ours:1"
  run -1 berth push --sign-by nobody@berth.test "$id" "$REGISTRY/unsigned:1"
  expect_text "gpg does not sign with the key 'nobody@berth.test'"
  run ! skopeo inspect --tls-verify=false "docker://$REGISTRY/unsigned:1" # nor is it pushed
  berth push -q --sign-by other@berth.test "$id" "$REGISTRY/theirs:1"
  berth push -q "$id" "$REGISTRY/without:1"
  # a passphrase, and a second signature beside the first
  gpg -q --batch --passphrase secret --pinentry-mode loopback --quick-gen-key locked@berth.test ed25519 sign never 2>/dev/null
  echo secret >"$BATS_TEST_TMPDIR/passphrase"
  gpgconf --kill all # forgets it
  berth push -q --sign-by locked@berth.test --sign-passphrase-file "$BATS_TEST_TMPDIR/passphrase" "$id" "$REGISTRY/theirs:1"
  [ "$(ls "$SIGNATURES"/theirs@*/ | paste -sd,)" = signature-1,signature-2 ]
  berth rmi -f "$id" >/dev/null
  takes ours:1
  refuses theirs:1 "the signature is not good"
  run ! skopeo_takes theirs:1
  refuses without:1 "there is no signature of"
  gpg -q --armor --export locked@berth.test >"$BATS_TEST_TMPDIR/locked.asc"
  policy "{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPath\":\"$BATS_TEST_TMPDIR/locked.asc\"}"
  takes theirs:1
  # where signatures are read over the network, there must be a place to put them
  mkdir -p "$BATS_TEST_TMPDIR/config/containers/registries.d"
  printf 'default-docker:\n  lookaside: https://signatures.invalid\n' >"$BATS_TEST_TMPDIR/config/containers/registries.d/x.yaml"
  berth pull -q --signature-policy <(echo '{"default":[{"type":"insecureAcceptAnything"}]}') "$REGISTRY/without:1"
  XDG_CONFIG_HOME=$BATS_TEST_TMPDIR/config run -1 berth push -q --sign-by good@berth.test "$REGISTRY/without:1" "$REGISTRY/nowhere:1"
  expect_text "is to name a lookaside-staging of file://"
  run ! skopeo inspect --tls-verify=false "docker://$REGISTRY/nowhere:1"
  # the most exact scope counts, and in it the place for writing
  printf 'default-docker:\n  lookaside-staging: file://%s/no\ndocker:\n  %s/a:\n    lookaside: file://%s/a\n  %s/b:\n    lookaside-staging: file://%s/b\n    lookaside: file://%s/no\n' \
    "$BATS_TEST_TMPDIR" "$REGISTRY" "$BATS_TEST_TMPDIR" "$REGISTRY" "$BATS_TEST_TMPDIR" "$BATS_TEST_TMPDIR" \
    >"$BATS_TEST_TMPDIR/config/containers/registries.d/x.yaml"
  for to in a b; do
    XDG_CONFIG_HOME=$BATS_TEST_TMPDIR/config berth push -q --sign-by good@berth.test "$REGISTRY/without:1" "$REGISTRY/$to/x:1"
    [ -s "$BATS_TEST_TMPDIR/$to/$to/x@"*/signature-1 ]
  done
  [ ! -e "$BATS_TEST_TMPDIR/no" ]
  berth rmi -f "$REGISTRY/without:1" >/dev/null
}

# loads ARCHIVE: skopeo, given the same file, says the same
loads() {
  local from=docker-archive:
  case $1 in *oci.tar) from=oci-archive: ;; *oci) from=oci: ;; esac
  run berth load -q -i "$1"
  skopeo --policy "$POLICY" copy -q "$from$1" "dir:$BATS_TEST_TMPDIR/copy" >"$BATS_TEST_TMPDIR/skopeo" 2>&1
  [ "$?" = "$status" ] || { cat "$BATS_TEST_TMPDIR/skopeo"; return 2; }
  [ "$status" -eq 0 ] || return 1
  # shellcheck disable=SC2046
  berth rmi -f $(berth images -q) >/dev/null
}

@test "archives are loaded as the policy says: by their kind and place" {
  local dir=$BATS_TEST_TMPDIR/archives
  mkdir -p "$dir/oci" "$dir/bad"
  make_image oci "$dir/oci.tar"
  tar -xf "$dir/oci.tar" -C "$dir/oci"
  cp "$dir/oci.tar" "$dir/bad/oci.tar"
  echo '{"default":[{"type":"reject"}]}' >"$POLICY"
  run ! loads "$BATS_FILE_TMPDIR/image.tar"
  run -1 berth load -i "$BATS_FILE_TMPDIR/image.tar"
  [[ $output = *"'docker-archive:-' is refused by 'reject' of 'default' in '$POLICY'"* ]]
  printf '{"default":[{"type":"reject"}],"transports":{"docker-archive":{"":[%s]},"oci-archive":{"%s":[%s],"%s/bad":[%s]},"oci":{"":[%s]}}}' \
    '{"type":"insecureAcceptAnything"}' "$dir" '{"type":"insecureAcceptAnything"}' "$dir" '{"type":"reject"}' \
    '{"type":"signedBy","keyType":"GPGKeys","keyPath":"'"$BATS_FILE_TMPDIR/good.asc"'"}' >"$POLICY"
  loads "$BATS_FILE_TMPDIR/image.tar"
  loads "$dir/oci.tar"
  run -1 loads "$dir/bad/oci.tar"
  run -1 loads "$dir/oci"
  [ -z "$(berth images -q)" ]
  run -1 berth load -i "$dir/oci"
  [[ $output = *"'oci:$dir/oci' is refused by 'signedBy' of ''"*"it has no signatures"* ]]
  ln -s bad/oci.tar "$dir/link.tar" # where it lies counts
  run -1 berth load -i "$dir/link.tar"
  [[ $output = *"'reject' of '$dir/bad'"* ]]
  run -1 berth load <"$dir/oci.tar" # no place: the default's
  [[ $output = *"'oci-archive:-' is refused by 'reject' of 'default'"* ]]
  echo '{"default":[{"type":"insecureAcceptAnything"}]}' >"$BATS_TEST_TMPDIR/other.json"
  berth load -q --signature-policy "$BATS_TEST_TMPDIR/other.json" -i "$dir/bad/oci.tar"
  run -1 berth pull -q "$REGISTRY/plain:1"
  berth pull -q --signature-policy "$BATS_TEST_TMPDIR/other.json" "$REGISTRY/plain:1"
  # shellcheck disable=SC2046
  berth rmi -f $(berth images -q) >/dev/null
}

# attached_takes NAME:TAG: what a skopeo that knows attached signatures says
attached_takes() {
  skopeo --policy "$POLICY" --registries.d "$BATS_FILE_TMPDIR/attached.d" copy -q --src-tls-verify=false \
    "docker://$REGISTRY/$1" "dir:$BATS_TEST_TMPDIR/copy"
}

# sigstore KEY [IDENTITY]: the rule
sigstore() {
  policy "{\"type\":\"sigstoreSigned\",\"keyPath\":\"$1\",\"signedIdentity\":{\"type\":\"${2:-matchRepository}\"}}"
}

# sealed KEY.pem OUT [KIND]: the key as cosign and skopeo keep it, with the passphrase "secret"
sealed() {
  openssl pkcs8 -topk8 -nocrypt -outform DER -in "$1" | "$BERTH_TOP/tests/lib/sealed-key" secret "${3:-SIGSTORE}" >"$2"
}

@test "push --sign-by-sigstore-private-key: attached signatures of our own" {
  local dir=$BATS_TEST_TMPDIR kind
  sealed "$BATS_FILE_TMPDIR/good.pem" "$dir/key" || skip "needs libsodium"
  printf 'secret\nsecond line\n' >"$dir/passphrase"
  echo wrong >"$dir/wrong"
  sigstore "$BATS_FILE_TMPDIR/good.pub" matchExact
  berth load -q -i "$BATS_FILE_TMPDIR/image.tar" --signature-policy <(echo '{"default":[{"type":"insecureAcceptAnything"}]}') >/dev/null
  id=$(berth images -q)
  sign() { berth push -q --sign-passphrase-file "$dir/passphrase" --sign-by-sigstore-private-key "$@"; }
  sign "$dir/key" "$id" "$REGISTRY/attached/a:1"
  # who cannot sign pushes nothing
  run -1 berth push --sign-by-sigstore-private-key "$dir/key" --sign-passphrase-file "$dir/wrong" "$id" "$REGISTRY/attached/b:1"
  expect_text "the passphrase does not unlock the key"
  run -1 berth push --sign-by-sigstore-private-key "$dir/key" "$id" "$REGISTRY/attached/b:1" </dev/null
  expect_text "asking for the key's passphrase"
  run -1 sign "$BATS_FILE_TMPDIR/good.pem" "$id" "$REGISTRY/attached/b:1"
  expect_text "no key in PEM"
  sed 's/^[a-zA-Z0-9]\{8\}/AAAAAAAA/' "$dir/key" >"$dir/damaged"
  run -1 sign "$dir/damaged" "$id" "$REGISTRY/attached/b:1"
  run -1 sign "$dir/nothing" "$id" "$REGISTRY/attached/b:1"
  expect_text "'$dir/nothing'"
  run -1 sign "$dir/key" --sign-by good@berth.test "$id" "$REGISTRY/attached/b:1"
  expect_text "is of one key"
  [ -z "$(curl -s "http://$REGISTRY/v2/attached/b/tags/list" | grep -o '"tags"')" ]
  # another key; then a second signature beside its
  sealed "$BATS_FILE_TMPDIR/other.pem" "$dir/other" COSIGN
  sign "$dir/other" "$id" "$REGISTRY/attached/c:1"
  berth rmi -f "$id" >/dev/null
  pulls attached/a:1
  refuses attached/c:1 "not by the key of the rule" 1
  policy '{"type":"insecureAcceptAnything"}'
  berth pull -q "$REGISTRY/attached/c:1" >/dev/null
  sign "$dir/key" "$REGISTRY/attached/c:1"
  berth rmi "$REGISTRY/attached/c:1" >/dev/null
  sigstore "$BATS_FILE_TMPDIR/good.pub" matchExact
  pulls attached/c:1
  sigstore "$BATS_FILE_TMPDIR/other.pub" matchExact
  pulls attached/c:1
  # the other kinds of keys that cosign takes over
  policy '{"type":"insecureAcceptAnything"}'
  berth pull -q "$REGISTRY/attached/a:1" >/dev/null
  for kind in rsa ed25519; do
    openssl genpkey -algorithm $kind -out "$dir/$kind.pem" 2>/dev/null
    openssl pkey -in "$dir/$kind.pem" -pubout -out "$dir/$kind.pub"
    sealed "$dir/$kind.pem" "$dir/$kind"
    sign "$dir/$kind" "$REGISTRY/attached/a:1" "$REGISTRY/attached/$kind:1"
  done
  berth rmi "$REGISTRY/attached/a:1" >/dev/null
  for kind in rsa ed25519; do
    sigstore "$dir/$kind.pub" matchExact
    pulls attached/$kind:1
  done
}

@test "manifest push signs the list and its members" {
  local dir=$BATS_TEST_TMPDIR
  policy '{"type":"insecureAcceptAnything"}'
  berth manifest create "$REGISTRY/lists/gpg:1" "$REGISTRY/plain:1"
  berth manifest push --sign-by good@berth.test "$REGISTRY/lists/gpg:1"
  berth manifest push --purge "$REGISTRY/lists/gpg:1" "$REGISTRY/lists/unsigned:1"
  policy "{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\",\"keyPath\":\"$BATS_FILE_TMPDIR/good.asc\"}"
  takes lists/gpg:1 # skopeo asks for the member's
  [ "$(ls -d "$SIGNATURES"/lists/gpg@* | wc -l)" -eq 2 ]
  refuses lists/unsigned:1 "there is no signature of"
  sealed "$BATS_FILE_TMPDIR/good.pem" "$dir/key" || skip "needs libsodium"
  echo secret >"$dir/passphrase"
  policy '{"type":"insecureAcceptAnything"}'
  berth pull -q "$REGISTRY/plain:1" >/dev/null
  berth tag "$REGISTRY/plain:1" here:1
  berth manifest create "$REGISTRY/lists/attached:1" "$REGISTRY/plain:1" here:1
  run -1 berth manifest push --sign-by-sigstore-private-key "$dir/key" --sign-passphrase-file /dev/null "$REGISTRY/lists/attached:1"
  expect_text "the passphrase does not unlock the key"
  [ -z "$(curl -s "http://$REGISTRY/v2/lists/attached/tags/list" | grep -o '"tags"')" ]
  berth manifest push --purge --sign-by-sigstore-private-key "$dir/key" --sign-passphrase-file "$dir/passphrase" "$REGISTRY/lists/attached:1"
  berth rmi "$REGISTRY/plain:1" here:1 >/dev/null
  [ "$(curl -s "http://$REGISTRY/v2/lists/attached/tags/list" | grep -o 'sha256-[0-9a-f]*[.]sig' | wc -l)" -eq 2 ]
  sigstore "$BATS_FILE_TMPDIR/good.pub" matchExact
  pulls lists/attached:1
}

@test "attached signatures: what skopeo signs, and what it says of ours" {
  local to
  mkdir -p "$BATS_FILE_TMPDIR/attached.d"
  printf 'default-docker:\n  use-sigstore-attachments: true\n' >"$BATS_FILE_TMPDIR/attached.d/default.yaml"
  echo secret >"$BATS_TEST_TMPDIR/passphrase"
  skopeo generate-sigstore-key --output-prefix "$BATS_TEST_TMPDIR/key" --passphrase-file "$BATS_TEST_TMPDIR/passphrase" >/dev/null 2>&1 ||
    skip "needs a skopeo with attached signatures (Debian 13's)"
  echo '{"default":[{"type":"insecureAcceptAnything"}]}' >"$POLICY"
  for to in signed:1 again:1; do
    skopeo --registries.d "$BATS_FILE_TMPDIR/attached.d" copy -q --dest-tls-verify=false --sign-by-sigstore-private-key "$BATS_TEST_TMPDIR/key.private" \
      --sign-passphrase-file "$BATS_TEST_TMPDIR/passphrase" "docker-archive:$BATS_FILE_TMPDIR/image.tar" "docker://$REGISTRY/$to"
  done
  for to in matchExact matchRepoDigestOrExact matchRepository; do
    sigstore "$BATS_TEST_TMPDIR/key.pub" $to
    pulls signed:1
    attached_takes signed:1
  done
  refuses plain:1 "no signature is attached to"
  run ! attached_takes plain:1
  refuses cosign:1 "not by the key of the rule" 1
  run ! attached_takes cosign:1
  # a signature for another name, carried over
  skopeo --registries.d "$BATS_FILE_TMPDIR/attached.d" copy -q --src-tls-verify=false --dest-tls-verify=false \
    "docker://$REGISTRY/signed:1" "docker://$REGISTRY/carried:1"
  refuses carried:1 "the signature is for '$REGISTRY/signed:1'" 1
  run ! attached_takes carried:1
  sigstore "$BATS_FILE_TMPDIR/good.pub"
  refuses signed:1 "not by the key of the rule" 1
  run ! attached_takes signed:1
  # those of the other tests, made as cosign makes them
  pulls cosign:1
  attached_takes cosign:1
  # ours, with skopeo's key: an image, a list
  policy '{"type":"insecureAcceptAnything"}'
  berth pull -q "$REGISTRY/plain:1" >/dev/null
  berth push -q --sign-by-sigstore-private-key "$BATS_TEST_TMPDIR/key.private" --sign-passphrase-file "$BATS_TEST_TMPDIR/passphrase" "$REGISTRY/plain:1" "$REGISTRY/ours/image:1"
  berth manifest create "$REGISTRY/ours/list:1" "$REGISTRY/plain:1"
  berth manifest push --purge --sign-by-sigstore-private-key "$BATS_TEST_TMPDIR/key.private" --sign-passphrase-file "$BATS_TEST_TMPDIR/passphrase" "$REGISTRY/ours/list:1"
  berth rmi "$REGISTRY/plain:1" >/dev/null
  sigstore "$BATS_TEST_TMPDIR/key.pub" matchExact
  for to in image list; do
    pulls ours/$to:1
    attached_takes ours/$to:1
  done
  sigstore "$BATS_FILE_TMPDIR/other.pub"
  refuses cosign:1 "not by the key of the rule" 1
  run ! attached_takes cosign:1
}

@test "attached signatures: by the right key" {
  policy "{\"type\":\"sigstoreSigned\",\"keyPath\":\"$BATS_FILE_TMPDIR/good.pub\",\"signedIdentity\":{\"type\":\"matchRepository\"}}"
  pulls cosign:1
  refuses plain:1 "no signature is attached to"
  policy "{\"type\":\"sigstoreSigned\",\"keyPath\":\"$BATS_FILE_TMPDIR/other.pub\",\"signedIdentity\":{\"type\":\"matchRepository\"}}"
  refuses cosign:1 "not by the key of the rule" 1 # the signed text is a blob
  policy '{"type":"sigstoreSigned","fulcio":{"oidcIssuer":"x","subjectEmail":"y"}}'
  refuses cosign:1 "'fulcio' is not supported"
}
