#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.hpp"
#include "kernel/ed25519/ed25519_rows.hpp"
#include "kernel/x25519/x25519_rows.hpp"

/// Runs the lanes of X25519 and Ed25519 with every secret poisoned. No iostream, container or test framework: they are not built with
/// MemorySanitizer.
namespace {

using namespace octavo::ct;
using namespace octavo::kernel;

constexpr std::size_t kMaxJobs = 17, kLen = 32;

using Bytes = std::uint8_t[kLen];
struct Operands {
    Bytes secret_key, public_key, shared, peer_shared;
};
Operands operands[kMaxJobs];

/// Key pairs, then each with its neighbour's key, both ways: they agree.
void check_x25519(std::size_t count) {
    x25519::KeygenJob keys[kMaxJobs];
    x25519::DeriveJob jobs[kMaxJobs], back[kMaxJobs];
    for (std::size_t i = 0; i < count; ++i) keys[i] = {operands[i].secret_key, operands[i].public_key, false};
    x25519::keygen_avx512ifma(keys, count);
    require_ok(keys, count);
    for (std::size_t i = 0; i < count; ++i) {
        require(is_all_secret(operands[i].public_key, kLen),
                "the key does not depend on the scalar: nothing was checked");
        declassify(operands[i].public_key, kLen);  // a public key
    }
    for (std::size_t i = 0; i < count; ++i) {
        Operands &own = operands[i], &peer = operands[(i + 1) % count];
        jobs[i] = {own.secret_key, peer.public_key, own.shared, false};
        back[i] = {peer.secret_key, own.public_key, own.peer_shared, false};
    }
    x25519::derive_avx512ifma(jobs, count);
    x25519::derive_avx512ifma(back, count);
    require_ok(jobs, count);
    require_ok(back, count);
    for (std::size_t i = 0; i < count; ++i) {
        require(is_all_secret(operands[i].shared, kLen), "the result does not depend on the scalar");
        // the test's own comparison
        declassify(operands[i].shared, kLen);
        declassify(operands[i].peer_shared, kLen);
        require(memcmp(operands[i].shared, operands[i].peer_shared, kLen) == 0, "wrong result");
    }
}

constexpr std::size_t kMaxMessage = 200;

/// The seed is secret, and so is the message until it is signed; its length is not.
void check_ed25519(std::size_t count) {
    static std::uint8_t public_keys[kMaxJobs][32], signatures[kMaxJobs][64], messages[kMaxJobs][kMaxMessage];
    ed25519::KeygenJob keys[kMaxJobs];
    ed25519::SignJob jobs[kMaxJobs];
    ed25519::VerifyJob checks[kMaxJobs];
    secret(messages, sizeof messages);
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t len = i * 11 % kMaxMessage;
        keys[i] = {operands[i].secret_key, public_keys[i], false};
        jobs[i] = {operands[i].secret_key, public_keys[i], messages[i], len, signatures[i], false};
        checks[i] = {public_keys[i], messages[i], len, signatures[i], false};
    }
    ed25519::keygen_avx512ifma(keys, count);
    require_ok(keys, count);
    for (std::size_t i = 0; i < count; ++i) {
        require(is_all_secret(public_keys[i], 32), "the public key does not depend on the seed: nothing was checked");
        declassify(public_keys[i], 32);  // a public key
    }
    ed25519::sign_avx512ifma(jobs, count);
    require_ok(jobs, count);
    for (std::size_t i = 0; i < count; ++i) {
        require(is_all_secret(signatures[i], 64), "the signature does not depend on the secrets");
        // a signature and its message are public from here on
        declassify(signatures[i], 64);
        declassify(messages[i], kMaxMessage);
    }
    ed25519::verify_avx512ifma(checks, count);
    for (std::size_t i = 0; i < count; ++i) require(checks[i].ok, "wrong signature");
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 2) fail("usage: curve25519_ct [COUNT] (one batch size, or else 1 to 17)");
    const std::size_t only_count = argc == 2 ? strtoul(argv[1], nullptr, 10) : 0;
    require(only_count <= kMaxJobs, "COUNT is more than the program holds");
    if (!__builtin_cpu_supports("avx512ifma") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512dq")) {
        fprintf(stderr,
                "\n*** NOT CHECKED: this CPU has no AVX512-IFMA, the lanes' constant time was not looked at ***\n\n");
        return 3;
    }
    for (Operands& o : operands) {
        fill(o.secret_key);
        secret(o.secret_key, kLen);
    }
    for (std::size_t count = 1; count <= kMaxJobs; ++count) {
        if (only_count != 0 && count != only_count) continue;
        check_x25519(count);
        check_ed25519(count);
    }
    printf("no branch or address depends on a secret\n");
    return 0;
}
