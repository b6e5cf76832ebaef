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

port() { # a free one: the kernel picks it for a socket that is closed again
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}
serve() { # serve openssl.cnf certificate options...: s_server, until stop
    cnf=$1 name=$2
    shift 2
    port=$(port)
    OPENSSL_CONF=$cnf openssl s_server -accept "127.0.0.1:$port" -cert "$name.crt" -key "$name.pem" -quiet -no_ticket "$@" \
        >server.log 2>&1 </dev/null &
    server=$!
    tries=0
    until python3 -c "import socket; socket.create_connection(('127.0.0.1', $port)).close()" 2>/dev/null; do
        tries=$((tries + 1))
        [ $tries -lt 100 ] || fail "the server does not listen: $(cat server.log)"
        sleep 0.05
    done
}
stop() {
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    server=
}
connect() { # connect side certificate options...: a client that has to find the server as it should be
    side=$1 name=$2
    shift 2
    "$side" s_client -connect "127.0.0.1:$port" -CAfile "$name.crt" -verify_return_error -brief "$@" </dev/null >client.log 2>&1 ||
        fail "$side client, $name, $*: $(cat client.log server.log)"
    grep -q "Verification: OK" client.log || fail "$side client, $name, $*: $(cat client.log)"
}
