#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.hpp"
#include "kernel/modexp/modexp_rows.hpp"
#include "kernel/rsa/rsa_rows.hpp"

/// Runs the lanes of modular exponentiation with bases and exponents poisoned; moduli and lengths are public.
namespace {

using namespace octavo;
using namespace octavo::ct;
using namespace octavo::kernel;
using namespace octavo::kernel::modexp;

constexpr std::size_t kLanes = 8;
constexpr std::size_t kMaxLen = 512;
constexpr std::size_t kLens[] = {256, 384, 512};
/// Of Diffie-Hellman's private numbers and DSA's nonces, in lengths that the front ends give.
constexpr std::size_t kExponentLen = 32;

alignas(64) Form forms[kLanes];
alignas(64) std::uint8_t scratch[kLaneScratchLen];
std::uint8_t moduli[kLanes][kMaxLen], bases[kLanes][kMaxLen];
std::uint8_t one[kLanes][kExponentLen], other[kLanes][kExponentLen];

void prepare(std::size_t len) {
    for (std::size_t i = 0; i < kLanes; ++i) {
        fill(moduli[i]);
        fill(bases[i]);
        fill(one[i]);
        fill(other[i]);
        moduli[i][0] |= 0x80;
        moduli[i][len - 1] |= 1;
        bases[i][0] = 0;
        rsa::Components key;
        constexpr std::uint8_t kAnyExponent[] = {3};
        key.n = {moduli[i], len};
        key.e = kAnyExponent;
        rsa::prepare_public(key, &forms[i]);
        secret(bases[i], len);
        secret(one[i], kExponentLen);
        secret(other[i], kExponentLen);
    }
}

using Numbers = std::uint8_t[kLanes][kMaxLen];

void raise(const Numbers& in, const std::uint8_t (&exponents)[kLanes][kExponentLen], Numbers& out, std::size_t len,
           std::size_t count) {
    Job jobs[kLanes];
    for (std::size_t i = 0; i < count; ++i)
        jobs[i] = {&forms[i], {moduli[i], len}, in[i], len, exponents[i], kExponentLen, out[i], false};
    run_avx512ifma(jobs, count, scratch);
    require_ok(jobs, count);
    for (std::size_t i = 0; i < count; ++i)
        require(is_all_secret(out[i], len), "the result does not depend on the secrets: nothing was checked");
}

/// (b^x)^y is (b^y)^x: the checked program computes what it should.
void check(std::size_t len, std::size_t count) {
    static Numbers half, left, right;
    raise(bases, one, half, len, count);
    raise(half, other, left, len, count);
    raise(bases, other, half, len, count);
    raise(half, one, right, len, count);
    for (std::size_t i = 0; i < count; ++i) {
        // the test's own comparison
        declassify(left[i], len);
        declassify(right[i], len);
        require(memcmp(left[i], right[i], len) == 0, "wrong result");
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 2) fail("usage: modexp_ct [COUNT] (one batch size, or else 1 to 8)");
    const std::size_t only_count = argc == 2 ? strtoul(argv[1], nullptr, 10) : 0;
    require(only_count <= kLanes, "COUNT is more than a batch holds");
    if (!__builtin_cpu_supports("avx512ifma") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512dq")) {
        fprintf(stderr,
                "\n*** NOT CHECKED: this CPU has no AVX512-IFMA, the lanes' constant time was not looked at ***\n\n");
        return 3;
    }
    for (const std::size_t len : kLens) {
        prepare(len);
        for (std::size_t count = 1; count <= kLanes; ++count)
            if (only_count == 0 || count == only_count) check(len, count);
        printf("%zu bits: no branch or address depends on a secret\n", 8 * len);
    }
    return 0;
}
