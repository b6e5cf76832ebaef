#!/bin/sh
# The openssl commands with Octavo activated: what one side makes, the other reads.
. "$(dirname "$0")/common.sh"

octavo list -providers | grep -q Octavo || fail "octavo is not active"
echo "a message" > message
printf '0123456789abcdef0123456789abcdef' > digest

make_keys() {
    octavo genrsa -out rsa2048.pem 2048 2>/dev/null
    octavo genrsa -3 -out exponent3.pem 2048 2>/dev/null
    octavo genrsa -primes 3 -out primes3.pem 2048 2>/dev/null
    octavo genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_pss_keygen_md:sha256 \
        -pkeyopt rsa_pss_keygen_mgf1_md:sha256 -pkeyopt rsa_pss_keygen_saltlen:32 -out pss.pem 2>/dev/null
    octavo genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out ec.pem 2>/dev/null
}

check_key() {
    octavo rsa -in "$1.pem" -check -noout | grep -q "RSA key ok"
    octavo rsa -in "$1.pem" -pubout -out "$1.pub" 2>/dev/null
    octavo pkey -in "$1.pem" -text -noout > text.octavo
    plain pkey -in "$1.pem" -text -noout > text.plain
    cmp text.octavo text.plain
    octavo pkey -in "$1.pem" -aes256 -passout pass:x | plain pkey -passin pass:x -outform DER | cmp - "$(der "$1")"
}
der() {
    plain pkey -in "$1.pem" -outform DER -out "$1.der"
    echo "$1.der"
}

sign_messages() {
    for digest in sha1 sha256 sha384 sha512 sha3-256 md5; do
        octavo dgst -$digest -sign "$1.pem" -out signature message
        plain dgst -$digest -verify "$1.pub" -signature signature message >/dev/null
        octavo dgst -$digest -verify "$1.pub" -signature signature message >/dev/null
        plain dgst -$digest -sign "$1.pem" -out signature.plain message
        cmp signature signature.plain
    done
    for salt in digest max auto 20; do
        set -- "$1" -sigopt rsa_padding_mode:pss -sigopt "rsa_pss_saltlen:$salt"
        octavo dgst -sha256 "$2" "$3" "$4" "$5" -sign "$1.pem" -out signature message
        plain dgst -sha256 "$2" "$3" "$4" "$5" -verify "$1.pub" -signature signature message >/dev/null
        octavo dgst -sha256 "$2" "$3" "$4" "$5" -verify "$1.pub" -signature signature message >/dev/null
        echo more >> message.other
        expect_fail octavo dgst -sha256 "$2" "$3" "$4" "$5" -verify "$1.pub" -signature signature message.other
    done
}

encrypt_digest() {
    for options in rsa_padding_mode:pkcs1 rsa_padding_mode:oaep "rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 -pkeyopt rsa_oaep_label:6f637461766f"; do
        # shellcheck disable=SC2086
        octavo pkeyutl -encrypt -pubin -inkey "$1.pub" -pkeyopt $options -in digest -out encrypted
        # shellcheck disable=SC2086
        plain pkeyutl -decrypt -inkey "$1.pem" -pkeyopt $options -in encrypted | cmp - digest
        # shellcheck disable=SC2086
        octavo pkeyutl -decrypt -inkey "$1.pem" -pkeyopt $options -in encrypted | cmp - digest
    done
    expect_fail octavo pkeyutl -decrypt -inkey "$1.pem" -pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha512 -in encrypted
    octavo pkeyutl -sign -inkey "$1.pem" -pkeyopt digest:sha256 -in digest -out signature
    plain pkeyutl -verify -pubin -inkey "$1.pub" -pkeyopt digest:sha256 -in digest -sigfile signature >/dev/null
    octavo pkeyutl -verifyrecover -pubin -inkey "$1.pub" -pkeyopt digest:sha256 -in signature | cmp - digest
}

certify() {
    octavo req -x509 -new -key "$1.pem" -subj "/CN=$1" -days 3 -out "$1.crt"
    plain verify -CAfile "$1.crt" "$1.crt" >/dev/null
    octavo verify -CAfile "$1.crt" "$1.crt" >/dev/null
    octavo req -new -key "$1.pem" -subj "/CN=leaf of $1" -out leaf.csr
    octavo req -in leaf.csr -verify -noout 2>/dev/null
    octavo x509 -req -in leaf.csr -CA "$1.crt" -CAkey "$1.pem" -CAcreateserial -days 2 -out leaf.crt 2>/dev/null
    plain verify -CAfile "$1.crt" leaf.crt >/dev/null
    octavo verify -CAfile "$1.crt" leaf.crt >/dev/null
}

cms() {
    octavo cms -sign -signer "$1.crt" -inkey "$1.pem" -in message -out signed -nodetach
    plain cms -verify -CAfile "$1.crt" -purpose any -in signed -out out 2>/dev/null
    octavo cms -verify -CAfile "$1.crt" -purpose any -in signed -out out 2>/dev/null
    octavo cms -sign -signer "$1.crt" -inkey "$1.pem" -keyopt rsa_padding_mode:pss -in message -out signed -nodetach
    plain cms -verify -CAfile "$1.crt" -purpose any -in signed -out out 2>/dev/null
    octavo cms -encrypt -in message -recip "$1.crt" -keyopt rsa_padding_mode:oaep -out enveloped
    plain cms -decrypt -in enveloped -inkey "$1.pem" -recip "$1.crt" | tr -d '\r' | cmp - message
    plain cms -encrypt -in message -out enveloped "$1.crt"
    octavo cms -decrypt -in enveloped -inkey "$1.pem" -recip "$1.crt" | tr -d '\r' | cmp - message
}

pss_only_key() {
    octavo dgst -sha256 -sign pss.pem -out signature message
    plain dgst -sha256 -prverify pss.pem -signature signature message >/dev/null
    expect_fail octavo dgst -sha512 -sign pss.pem -out signature message
    expect_fail octavo pkeyutl -encrypt -inkey pss.pem -in digest -out encrypted
    octavo req -x509 -new -key pss.pem -subj "/CN=pss" -days 3 -out pss.crt
    plain verify -CAfile pss.crt pss.crt >/dev/null
}

ec_key() { # ec_key curve: a key, its certificate, messages signed with it and encrypted to it
    octavo genpkey -algorithm EC -pkeyopt "ec_paramgen_curve:$1" -out "$1.pem" 2>/dev/null
    octavo ec -in "$1.pem" -check -noout 2>&1 | grep -q "Key valid"
    octavo ec -in "$1.pem" -pubout -out "$1.pub" 2>/dev/null
    octavo pkey -in "$1.pem" -text -noout > text.octavo
    plain pkey -in "$1.pem" -text -noout > text.plain
    cmp text.octavo text.plain
    octavo dgst -sha256 -sign "$1.pem" -out signature message
    plain dgst -sha256 -verify "$1.pub" -signature signature message >/dev/null
    octavo dgst -sha256 -verify "$1.pub" -signature signature message >/dev/null
    expect_fail octavo dgst -sha256 -verify "$1.pub" -signature message message
    certify "$1"
    octavo cms -encrypt -in message -recip "$1.crt" -out enveloped
    plain cms -decrypt -in enveloped -inkey "$1.pem" -recip "$1.crt" | tr -d '\r' | cmp - message
    plain cms -encrypt -in message -out enveloped "$1.crt"
    octavo cms -decrypt -in enveloped -inkey "$1.pem" -recip "$1.crt" | tr -d '\r' | cmp - message
}

edwards_key() {
    octavo genpkey -algorithm "$1" -out "$1.pem"
    octavo pkey -in "$1.pem" -pubout -out "$1.pub"
    octavo pkeyutl -sign -inkey "$1.pem" -rawin -in message -out signature
    plain pkeyutl -verify -pubin -inkey "$1.pub" -rawin -in message -sigfile signature >/dev/null
    plain pkeyutl -sign -inkey "$1.pem" -rawin -in message | cmp - signature
    certify "$1"
}

agree() {
    octavo genpkey -algorithm "$1" -out one.pem
    plain genpkey -algorithm "$1" -out other.pem
    octavo pkey -in one.pem -pubout -out one.pub
    plain pkey -in other.pem -pubout -out other.pub
    octavo pkeyutl -derive -inkey one.pem -peerkey other.pub > secret
    plain pkeyutl -derive -inkey other.pem -peerkey one.pub | cmp - secret
}

make_keys
for key in rsa2048 exponent3 primes3; do
    check_key $key
    sign_messages $key
    encrypt_digest $key
    certify $key
    cms $key
done
pss_only_key
for curve in P-256 secp384r1 P-521 secp256k1 brainpoolP256r1 brainpoolP320r1; do ec_key $curve; done
for curve in ed25519 ed448; do edwards_key $curve; done
for curve in x25519 x448; do agree $curve; done
octavo req -x509 -new -key ec.pem -subj "/CN=ec" -out ec.crt
octavo pkcs12 -export -in rsa2048.crt -inkey rsa2048.pem -passout pass:x | octavo pkcs12 -passin pass:x -nodes -nocerts 2>/dev/null | grep -q "PRIVATE KEY"
echo "all commands agree"
