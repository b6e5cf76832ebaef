#include "numbers.hpp"

#include <openssl/bn.h>
#include <openssl/dh.h>
#include <openssl/obj_mac.h>

#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>

namespace api_test {
namespace {

struct BnFree {
    void operator()(BIGNUM* n) const { BN_clear_free(n); }
};
using Bn = std::unique_ptr<BIGNUM, BnFree>;
struct CtxFree {
    void operator()(BN_CTX* c) const { BN_CTX_free(c); }
};

void require(bool condition) {
    if (!condition) std::abort();
}

BN_CTX* ctx() {
    thread_local const std::unique_ptr<BN_CTX, CtxFree> context{BN_CTX_new()};
    return context.get();
}

Bn make_bn() { return Bn{BN_new()}; }
Bn to_bn(View bytes) { return Bn{BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr)}; }

Buffer to_bytes(const BIGNUM* number, std::size_t len) {
    Buffer bytes(len);
    require(BN_bn2binpad(number, bytes.data(), static_cast<int>(len)) >= 0);
    return bytes;
}
Buffer to_bytes(const Bn& number) {
    return to_bytes(number.get(), static_cast<std::size_t>(BN_num_bytes(number.get())));
}

Bn minus_one(const Bn& number) {
    Bn result{BN_dup(number.get())};
    require(BN_sub_word(result.get(), 1) == 1);
    return result;
}

/// a^-1 mod m, or 0 where there is none: parts_from() is asked for nonsense on purpose.
Bn inverse(const BIGNUM* a, const BIGNUM* m) {
    Bn result{BN_mod_inverse(nullptr, a, m, ctx())};
    if (!result) {
        result = make_bn();
        BN_zero(result.get());
    }
    return result;
}

Bn mod(const Bn& a, const Bn& m) {
    Bn result = make_bn();
    require(BN_mod(result.get(), a.get(), m.get(), ctx()) == 1);
    return result;
}

/// d = e^-1 mod the product of all (prime - 1).
Bn private_exponent(const std::vector<Bn>& primes, const Bn& e) {
    Bn phi = make_bn();
    require(BN_one(phi.get()) == 1);
    for (const auto& prime : primes) require(BN_mul(phi.get(), phi.get(), minus_one(prime).get(), ctx()) == 1);
    return inverse(e.get(), phi.get());
}

std::vector<Bn> to_bns(const std::vector<Buffer>& numbers) {
    std::vector<Bn> result;
    for (const auto& number : numbers) result.push_back(to_bn(number));
    return result;
}

Bn well_known_half(int bits, bool rfc7919) {
    if (!rfc7919) {
        using Get = BIGNUM*(BIGNUM*);
        static const std::map<int, Get*> primes = {{2048, BN_get_rfc3526_prime_2048},
                                                   {3072, BN_get_rfc3526_prime_3072},
                                                   {4096, BN_get_rfc3526_prime_4096},
                                                   {6144, BN_get_rfc3526_prime_6144},
                                                   {8192, BN_get_rfc3526_prime_8192}};
        return Bn{primes.at(bits)(nullptr)};
    }
    static const std::map<int, int> groups = {{2048, NID_ffdhe2048},
                                              {3072, NID_ffdhe3072},
                                              {4096, NID_ffdhe4096},
                                              {6144, NID_ffdhe6144},
                                              {8192, NID_ffdhe8192}};
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"  // there is no other way to the bare prime
    DH* dh = DH_new_by_nid(groups.at(bits));
    Bn prime{BN_dup(DH_get0_p(dh))};
    DH_free(dh);
#pragma GCC diagnostic pop
    return prime;
}

}  // namespace

RawKey::RawKey(const RsaParts& parts) {
    const auto number = [](const Buffer& b) { return octavo_number{b.empty() ? nullptr : b.data(), b.size()}; };
    for (const auto& x : parts.extra) extra_.push_back({number(x.prime), number(x.exponent), number(x.coefficient)});
    raw_.size = sizeof raw_;
    raw_.n = number(parts.n);
    raw_.e = number(parts.e);
    raw_.d = number(parts.d);
    raw_.p = number(parts.p);
    raw_.q = number(parts.q);
    raw_.dp = number(parts.dp);
    raw_.dq = number(parts.dq);
    raw_.qinv = number(parts.qinv);
    raw_.extra_primes = extra_.empty() ? nullptr : extra_.data();
    raw_.num_extra_primes = extra_.size();
}

RsaParts parts_from(const std::vector<Buffer>& prime_bytes, std::uint64_t e_value) {
    const auto primes = to_bns(prime_bytes);
    const Bn e = to_bn(small_number(e_value));
    const Bn d = private_exponent(primes, e);
    Bn n{BN_dup(primes[0].get())};
    require(BN_mul(n.get(), n.get(), primes[1].get(), ctx()) == 1);
    RsaParts parts;
    for (std::size_t i = 2; i < primes.size(); ++i) {  // RFC 8017, 3.2: t_i is the inverse of the product so far
        parts.extra.push_back(
            {prime_bytes[i], to_bytes(mod(d, minus_one(primes[i]))), to_bytes(inverse(n.get(), primes[i].get()))});
        require(BN_mul(n.get(), n.get(), primes[i].get(), ctx()) == 1);
    }
    parts.n = to_bytes(n);
    parts.e = small_number(e_value);
    parts.d = to_bytes(d);
    parts.p = prime_bytes[0];
    parts.q = prime_bytes[1];
    parts.dp = to_bytes(mod(d, minus_one(primes[0])));
    parts.dq = to_bytes(mod(d, minus_one(primes[1])));
    parts.qinv = to_bytes(inverse(primes[1].get(), primes[0].get()));
    return parts;
}

Buffer random_prime(int bits, std::uint64_t e_value) {
    const Bn e = to_bn(small_number(e_value));
    for (;;) {
        Bn prime = make_bn();
        require(BN_generate_prime_ex(prime.get(), bits, 0, nullptr, nullptr, nullptr) == 1);
        Bn gcd = make_bn();
        require(BN_gcd(gcd.get(), minus_one(prime).get(), e.get(), ctx()) == 1);
        if (BN_is_one(gcd.get()) && BN_is_bit_set(prime.get(), bits - 2)) return to_bytes(prime);
    }
}

RsaParts random_parts(int bits, std::uint64_t e, int num_primes) {
    for (;;) {
        std::vector<Buffer> primes;
        for (int i = 0; i < num_primes; ++i) {
            const int share = bits / num_primes + (i < bits % num_primes ? 1 : 0);
            primes.push_back(random_prime(share, e));
        }
        auto parts = parts_from(primes, e);
        if (BN_num_bits(to_bn(parts.n).get()) == bits) return parts;
    }
}

RsaParts unequal_parts(int p_bits, int q_bits) {
    return parts_from({random_prime(p_bits, 65537), random_prime(q_bits, 65537)}, 65537);
}

RsaParts well_known_parts(int bits) {
    return parts_from({to_bytes(well_known_half(bits / 2, false)), to_bytes(well_known_half(bits / 2, true))}, 65537);
}

const RsaParts& shared_parts(int bits) {
    static std::mutex mutex;
    static std::map<int, RsaParts> made;
    const std::lock_guard lock{mutex};
    const auto found = made.find(bits);
    if (found != made.end()) return found->second;
    return made.emplace(bits, bits > 4096 ? well_known_parts(bits) : random_parts(bits)).first->second;
}

RsaParts without_crt(RsaParts parts) {
    parts.p = parts.q = parts.dp = parts.dq = parts.qinv = {};
    parts.extra.clear();
    return parts;
}

RsaParts public_half(const RsaParts& parts) {
    RsaParts half;
    half.n = parts.n;
    half.e = parts.e;
    return half;
}

Buffer mod_exp(View base, View exponent, View modulus) {
    Bn result = make_bn();
    require(BN_mod_exp(result.get(), to_bn(base).get(), to_bn(exponent).get(), to_bn(modulus).get(), ctx()) == 1);
    return to_bytes(result.get(), modulus.size());
}

Buffer random_below(View modulus) {
    Bn result = make_bn();
    require(BN_rand_range(result.get(), to_bn(modulus).get()) == 1);
    return to_bytes(result.get(), modulus.size());
}

Buffer plus(View number, int addend) {
    Bn result = to_bn(number);
    const auto size = static_cast<BN_ULONG>(std::abs(addend));
    require((addend < 0 ? BN_sub_word(result.get(), size) : BN_add_word(result.get(), size)) == 1);
    return to_bytes(result.get(), number.size());
}

Buffer sum(View a, View b) {
    Bn result = make_bn();
    require(BN_add(result.get(), to_bn(a).get(), to_bn(b).get()) == 1);
    return to_bytes(result);
}

Buffer product(View a, View b) {
    Bn result = make_bn();
    require(BN_mul(result.get(), to_bn(a).get(), to_bn(b).get(), ctx()) == 1);
    return to_bytes(result);
}

Buffer small_number(std::uint64_t value) {
    Buffer bytes;
    for (; value != 0; value >>= 8) bytes.insert(bytes.begin(), static_cast<std::uint8_t>(value));
    return bytes;
}

}  // namespace api_test
