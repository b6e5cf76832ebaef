#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.hpp"
#include "kernel/p256/p256_rows.hpp"
#include "kernel/p384/p384_rows.hpp"

/// Runs the lanes of the curves with every secret poisoned. No iostream, container or test framework: they are not built with
/// MemorySanitizer.
namespace {

using namespace octavo;
using namespace octavo::ct;
using namespace octavo::kernel;

constexpr std::size_t kMaxJobs = 17, kMaxLen = 48;

/// One curve's lane row.
struct Lanes {
    const char* name;
    std::size_t len;
    void (*keygen)(ec::KeygenJob*, std::size_t) noexcept;
    void (*derive)(ec::DeriveJob*, std::size_t) noexcept;
    void (*sign)(ec::SignJob*, std::size_t) noexcept;
    void (*verify)(ec::VerifyJob*, std::size_t) noexcept;
    void (*nonces)(ec::NonceJob*, std::size_t) noexcept;
};
constexpr Lanes kCurves[] = {
    {"P-256", 32, p256::keygen_avx512ifma, p256::derive_avx512ifma, p256::sign_avx512ifma, p256::verify_avx512ifma,
     p256::nonces_avx512ifma},
    {"P-384", 48, p384::keygen_avx512ifma, p384::derive_avx512ifma, p384::sign_avx512ifma, p384::verify_avx512ifma,
     p384::nonces_avx512ifma},
};

using Bytes = std::uint8_t[kMaxLen];
struct Operands {
    Bytes key, extra, nonce, digest;  // secret
    Bytes public_x, public_y;         // the key's point
    Bytes shared, peer_shared, r, s;
};
Operands operands[kMaxJobs];

/// Below 2^(bits - 1), so below every order.
void fill_below_order(Bytes& bytes) {
    fill(bytes);
    bytes[0] &= 0x7F;
}

void check_keygen(const Lanes& curve, std::size_t count) {
    ec::KeygenJob jobs[kMaxJobs];
    for (std::size_t i = 0; i < count; ++i)
        jobs[i] = {operands[i].key, operands[i].public_x, operands[i].public_y, false};
    curve.keygen(jobs, count);
    require_ok(jobs, count);
    for (std::size_t i = 0; i < count; ++i) {
        require(is_all_secret(operands[i].public_x, curve.len),
                "the point does not depend on the scalar: nothing was checked");
        // a public key
        declassify(operands[i].public_x, curve.len);
        declassify(operands[i].public_y, curve.len);
    }
}

/// Each with its neighbour's key, both ways: they agree.
void check_derive(const Lanes& curve, std::size_t count) {
    ec::DeriveJob jobs[kMaxJobs], back[kMaxJobs];
    for (std::size_t i = 0; i < count; ++i) {
        Operands &own = operands[i], &peer = operands[(i + 1) % count];
        jobs[i] = {own.key, peer.public_x, peer.public_y, own.shared, false};
        back[i] = {peer.key, own.public_x, own.public_y, own.peer_shared, false};
    }
    curve.derive(jobs, count);
    curve.derive(back, count);
    require_ok(jobs, count);
    require_ok(back, count);
    for (std::size_t i = 0; i < count; ++i) {
        require(is_all_secret(operands[i].shared, curve.len), "the result does not depend on the scalar");
        // the test's own comparison
        declassify(operands[i].shared, curve.len);
        declassify(operands[i].peer_shared, curve.len);
        require(memcmp(operands[i].shared, operands[i].peer_shared, curve.len) == 0, "wrong result");
    }
}

/// The nonces that are signed with. The random part is as secret as the rest.
void check_nonces(const Lanes& curve, std::size_t count) {
    ec::NonceJob jobs[kMaxJobs];
    for (std::size_t i = 0; i < count; ++i) {
        Operands& o = operands[i];
        jobs[i] = {o.key, o.digest, o.extra, o.nonce};
    }
    curve.nonces(jobs, count);
    for (std::size_t i = 0; i < count; ++i)
        require(is_all_secret(operands[i].nonce, curve.len), "the nonce does not depend on the secrets");
}

void check_sign(const Lanes& curve, std::size_t count) {
    ec::SignJob jobs[kMaxJobs];
    ec::VerifyJob checks[kMaxJobs];
    for (std::size_t i = 0; i < count; ++i) {
        Operands& o = operands[i];
        jobs[i] = {o.digest, o.key, o.nonce, o.r, o.s, false};
        checks[i] = {o.digest, o.r, o.s, o.public_x, o.public_y, false};
    }
    curve.sign(jobs, count);
    require_ok(jobs, count);
    for (std::size_t i = 0; i < count; ++i) {
        require(is_all_secret(operands[i].s, curve.len), "the signature does not depend on the secrets");
        // a signature and its message are public from here on
        declassify(operands[i].r, curve.len);
        declassify(operands[i].s, curve.len);
        declassify(operands[i].digest, curve.len);
    }
    curve.verify(checks, count);
    for (std::size_t i = 0; i < count; ++i) require(checks[i].ok, "wrong signature");
    for (std::size_t i = 0; i < count; ++i) secret(operands[i].digest, curve.len);
}

void check_curve(const Lanes& curve, std::size_t only_count) {
    for (Operands& o : operands) {
        fill_below_order(o.key), fill_below_order(o.extra), fill_below_order(o.digest);
        secret(o.key, sizeof o.key);
        secret(o.extra, sizeof o.extra);
        secret(o.digest, sizeof o.digest);
    }
    for (std::size_t count = 1; count <= kMaxJobs; ++count) {
        if (only_count != 0 && count != only_count) continue;
        check_keygen(curve, count);
        check_derive(curve, count);
        check_nonces(curve, count);
        check_sign(curve, count);
    }
    printf("%s: no branch or address depends on a secret\n", curve.name);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 2) fail("usage: ec_ct [COUNT] (one batch size, or else 1 to 17)");
    const std::size_t only_count = argc == 2 ? strtoul(argv[1], nullptr, 10) : 0;
    require(only_count <= kMaxJobs, "COUNT is more than the program holds");
    if (!__builtin_cpu_supports("avx512ifma") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512dq")) {
        fprintf(stderr,
                "\n*** NOT CHECKED: this CPU has no AVX512-IFMA, the lanes' constant time was not looked at ***\n\n");
        return 3;
    }
    for (const Lanes& curve : kCurves) check_curve(curve, only_count);
    return 0;
}
