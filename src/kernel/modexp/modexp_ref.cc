#include <openssl/bn.h>

#include <cstring>

#include "kernel/evp_ref.hpp"
#include "kernel/modexp/modexp_rows.hpp"

namespace octavo::kernel::modexp {
namespace {

bool run_one(const Job& job) noexcept {
    const BnCtxPtr ctx{BN_CTX_secure_new()};
    const BnPtr n{BN_bin2bn(job.modulus.data(), static_cast<int>(job.modulus.size()), nullptr)};
    const BnPtr base{BN_bin2bn(job.base, static_cast<int>(job.len), nullptr)};
    const BnPtr exponent{BN_bin2bn(job.exponent, static_cast<int>(job.exponent_len), nullptr)};
    const BnPtr result{BN_new()};
    if (!ctx || !n || !base || !exponent || !result) return false;
    BN_set_flags(exponent.get(), BN_FLG_CONSTTIME);
    return BN_mod_exp_mont_consttime(result.get(), base.get(), exponent.get(), n.get(), ctx.get(), nullptr) == 1 &&
           BN_bn2binpad(result.get(), job.out, static_cast<int>(job.len)) >= 0;
}

}  // namespace

void run_ref(Job* jobs, std::size_t count, void* /*scratch*/) noexcept {
    const KeepErrors errors;
    for (std::size_t i = 0; i < count; ++i) {
        jobs[i].ok = run_one(jobs[i]);
        if (!jobs[i].ok) std::memset(jobs[i].out, 0, jobs[i].len);
    }
}

}  // namespace octavo::kernel::modexp
