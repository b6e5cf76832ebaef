#!/bin/sh
# `openssl speed` runs through with Octavo, in every mode; the figures are for people to read.
. "$(dirname "$0")/common.sh"

for jobs in "" "-async_jobs 1" "-async_jobs 16" "-async_jobs 64"; do
    # shellcheck disable=SC2086
    octavo speed -seconds 1 $jobs rsa2048 >out 2>err || fail "speed $jobs: $(cat err)"
    grep -q "rsa 2048 bits" out || fail "speed $jobs printed nothing: $(cat err)"
    ! grep -qiE "failure|error" err || fail "speed $jobs: $(cat err)"
    echo "${jobs:-no jobs}: $(tail -1 out)"
done
for jobs in 1 16; do
    octavo speed -seconds 1 -async_jobs $jobs ecdsap256 ecdhp384 ed25519 >out 2>err || fail "speed, $jobs jobs: $(cat err)"
    ! grep -qiE "failure|error" err || fail "speed, $jobs jobs: $(cat err)"
    for name in "ecdsa (nistp256)" "ecdh (nistp384)" "EdDSA (Ed25519)"; do
        grep -F "$name" out || fail "speed, $jobs jobs, printed no $name: $(cat err)"
    done
done
octavo speed -seconds 1 -multi 2 rsa2048 >out 2>&1 || fail "speed -multi: $(cat out)"
tail -1 out
