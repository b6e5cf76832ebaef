#!/bin/sh
# Real handshakes: server and client with Octavo and without, with and without -async, TLS 1.2 (ECDHE, DHE and RSA key exchange) and 1.3,
# certificates of an ordinary RSA key, of e = 3, of three primes and of a key for PSS alone, of keys on NIST's and on Edwards curves; every group.
. "$(dirname "$0")/common.sh"

start() { # start side certificate options...
    side=$1
    shift
    case $side in
    octavo) serve "$octavo_cnf" "$@" ;;
    *) serve "$plain_cnf" "$@" ;;
    esac
}

handshakes() { # handshakes server-side certificate server-options...
    start "$@"
    certificate=$2
    for client in octavo plain; do
        connect $client "$certificate" -tls1_3
        case $certificate in
        nist* | ed*) connect $client "$certificate" -tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256 ;;
        *) connect $client "$certificate" -tls1_2 -cipher ECDHE-RSA-AES128-GCM-SHA256 ;;
        esac
        case $certificate in
        pss | nist* | ed*) ;; # a key for signatures alone cannot decrypt
        *) connect $client "$certificate" -tls1_2 -cipher AES128-SHA ;;
        esac
        handshakes_done=$((handshakes_done + 1))
    done
    stop
}

plain genrsa -out ordinary.pem 2048 2>/dev/null
plain genrsa -3 -out exponent3.pem 2048 2>/dev/null
plain genrsa -primes 3 -out primes3.pem 2048 2>/dev/null
plain genpkey -algorithm RSA-PSS -pkeyopt rsa_keygen_bits:2048 -out pss.pem 2>/dev/null
for curve in 256 384 521; do plain genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-$curve -out nist$curve.pem 2>/dev/null; done
for curve in ed25519 ed448; do plain genpkey -algorithm $curve -out $curve.pem; done
handshakes_done=0
for name in ordinary exponent3 primes3 pss nist256 nist384 nist521 ed25519 ed448; do
    octavo req -x509 -new -key $name.pem -subj "/CN=$name" -days 3 -out $name.crt
    handshakes octavo $name
    handshakes octavo $name -async
    [ $name = pss ] || handshakes plain $name
done
[ $handshakes_done -ge 50 ] || fail "only $handshakes_done clients ran"

# Every group, as the one that both sides agree on. An octavo server without -groups must know them all by itself.
exchanges() { # exchanges server-side server-options...
    side=$1
    shift
    start "$side" ordinary "$@"
    for client in octavo plain; do
        for group in X25519 X448 P-256 P-384 P-521; do
            for version in -tls1_3 -tls1_2; do
                connect $client ordinary $version -groups $group
                case $group in P-*) shown="ECDH, .*${group#P-} bits" ;; *) shown=$group ;; esac
                grep -q "Server Temp Key: $shown" client.log || fail "$client, $version, not $group: $(cat client.log)"
                exchanges_done=$((exchanges_done + 1))
            done
        done
    done
    stop
}
exchanges_done=0
exchanges octavo
exchanges octavo -async
exchanges plain
[ $exchanges_done -eq 60 ] || fail "only $exchanges_done exchanges ran"

# The pseudorandom functions of TLS 1.2 (with the digest of the suite) and of TLS 1.0 and 1.1 (MD5 and SHA-1 together).
for side in octavo plain; do
    start $side ordinary -cipher ALL:@SECLEVEL=0
    for client in octavo plain; do
        connect $client ordinary -tls1_2 -cipher ECDHE-RSA-AES256-GCM-SHA384
        for version in -tls1_1 -tls1; do
            connect $client ordinary $version -cipher ECDHE-RSA-AES128-SHA:@SECLEVEL=0
        done
    done
    stop
done

# Diffie-Hellman in a finite field, which TLS 1.2 has.
for options in "octavo ordinary -async" "octavo ordinary" "plain ordinary"; do
    start $options # one word each
    for client in octavo plain; do
        connect $client ordinary -tls1_2 -cipher DHE-RSA-AES128-GCM-SHA256
        grep -q "Server Temp Key: DH, " client.log || fail "$client, $options, no DHE: $(cat client.log)"
    done
    stop
done

# Both sides prove themselves.
for name in ordinary nist256 ed25519; do
    start octavo $name -async -Verify 1 -CAfile $name.crt -verify_return_error
    connect octavo $name -tls1_3 -cert $name.crt -key $name.pem
    connect octavo $name -tls1_2 -cert $name.crt -key $name.pem
    stop
done
echo "$handshakes_done clients and $exchanges_done key exchanges, all verified"
