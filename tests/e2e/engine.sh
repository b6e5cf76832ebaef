#!/bin/sh
# The openssl command with the engine: both its ids, from the command line and from openssl.cnf; `openssl speed`; what one side signs or encrypts,
# the other takes; handshakes of TLS 1.2 and 1.3 with every group, with and without -async.
. "$(dirname "$0")/common.sh"
export OPENSSL_ENGINES="$build/lib/engines-3"

engine_cnf() { # engine_cnf id [command lines...]: openssl.cnf that makes it the default for all that it does
    id=$1
    shift
    cat <<END
openssl_conf = openssl_init
[openssl_init]
engines = engines
[engines]
any = engine
[engine]
engine_id = $id
$*
default_algorithms = ALL
END
}
engine_cnf octavo >engine.cnf
engine() { OPENSSL_CONF=$work/engine.cnf openssl "$@"; }

for id in octavo qatengine; do
    plain engine -t -c $id >out 2>&1 || fail "engine $id: $(cat out)"
    grep -q "\[ available \]" out || fail "engine $id: $(cat out)"
    for method in RSA EC X25519 X448 HKDF TLS1-PRF; do
        [ $method = EC ] || grep -qw $method out || fail "engine $id has no $method: $(cat out)"
    done
done

for jobs in "" "-async_jobs 1" "-async_jobs 16"; do
    # shellcheck disable=SC2086
    plain speed -engine octavo -seconds 1 $jobs rsa2048 ecdsap256 ecdhx25519 >out 2>err || fail "speed $jobs: $(cat err)"
    ! grep -qiE "failure|error" err || fail "speed $jobs: $(cat err)"
    grep -qF "Engine \"octavo\" set." err || fail "speed $jobs: $(cat err)"
    for name in "rsa 2048" "ecdsa (nistp256)" "ecdh (X25519)"; do
        grep -F "$name" out || fail "speed $jobs printed no $name: $(cat err)"
    done
done

echo "a message" >message
for side in engine plain; do
    other=plain
    [ $side = engine ] || other=engine
    $side genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem 2>/dev/null
    $side genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.pem
    $side genpkey -algorithm X25519 -out x.pem
    $other genpkey -algorithm X25519 -out y.pem
    for key in rsa ec; do
        $side pkey -in $key.pem -pubout -out $key.pub
        $side dgst -sha256 -sign $key.pem -out signature message
        $other dgst -sha256 -verify $key.pub -signature signature message >/dev/null || fail "$key signature of $side"
        echo other | expect_fail $other dgst -sha256 -verify $key.pub -signature signature
    done
    $side pkeyutl -encrypt -pubin -inkey rsa.pub -pkeyopt rsa_padding_mode:oaep -in message -out secret
    $other pkeyutl -decrypt -inkey rsa.pem -pkeyopt rsa_padding_mode:oaep -in secret | cmp - message
    for key in x y; do plain pkey -in $key.pem -pubout -out $key.pub; done
    $side pkeyutl -derive -inkey x.pem -peerkey y.pub -out one
    $other pkeyutl -derive -inkey y.pem -peerkey x.pub | cmp - one
done

handshakes=0
handshake() { # as connect
    connect "$@"
    handshakes=$((handshakes + 1))
}
for name in rsa ec; do
    plain req -x509 -new -key $name.pem -config "$octavo_cnf" -subj "/CN=$name" -days 3 -out $name.crt
    for mode in "" -async; do
        # shellcheck disable=SC2086
        serve "$work/engine.cnf" $name $mode
        for side in engine plain; do
            for group in X25519 X448 P-256 P-384 P-521; do
                # In TLS 1.2 the certificate's curve must be among them.
                also=
                [ $name = rsa ] || [ $group = P-256 ] || also=:P-256
                for version in -tls1_3 -tls1_2; do handshake $side $name $version -groups $group$also; done
            done
            [ $name = ec ] || handshake $side rsa -tls1_2 -cipher AES128-SHA
        done
        stop
    done
done
[ $handshakes -eq 84 ] || fail "only $handshakes handshakes"
echo "$handshakes handshakes, all verified"
