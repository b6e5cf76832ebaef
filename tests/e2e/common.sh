# For the end-to-end tests: sourced with the build folder as the first argument.
set -eu
build=$1
octavo_cnf=$build/openssl.cnf
plain_cnf=/dev/null
work=$(mktemp -d)
server=
finish() {
    status=$?
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$work"
    exit $status
}
trap finish EXIT
cd "$work"

octavo() { OPENSSL_CONF=$octavo_cnf openssl "$@"; }
plain() { OPENSSL_CONF=$plain_cnf openssl "$@"; }
fail() {
    echo "FAILED: $*" >&2
    exit 1
}
expect_fail() {
    if "$@" >/dev/null 2>&1; then fail "should have failed: $*"; fi
}
