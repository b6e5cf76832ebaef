#include <string.h>

#include <span>

#include "kernel/ed25519/ed25519_rows.hpp"
#include "kernel/evp_ref.hpp"
#include "kernel/openssl_ref.hpp"

namespace octavo::kernel::ed25519 {
namespace {

bool keygen(const KeygenJob& job) noexcept {
    const PkeyPtr key{EVP_PKEY_new_raw_private_key_ex(openssl_library(), kEd25519Oid, nullptr, job.seed, kKeyLen)};
    std::size_t len = kKeyLen;
    return key && EVP_PKEY_get_raw_public_key(key.get(), job.public_key, &len) == 1;
}

bool sign(const SignJob& job) noexcept {
    const PkeyPtr key = raw_pair(kEd25519Oid, {job.seed, kKeyLen}, {job.public_key, kKeyLen});
    const MdCtxPtr ctx{EVP_MD_CTX_new()};
    std::size_t len = kSignatureLen;
    return key && ctx &&
           EVP_DigestSignInit_ex(ctx.get(), nullptr, nullptr, openssl_library(), nullptr, key.get(), nullptr) == 1 &&
           EVP_DigestSign(ctx.get(), job.signature, &len, job.message, job.len) == 1;
}

/// RFC 8032, 5.1.3, steps 1 and 4, which OpenSSL leaves out: y < p, and no sign where x is 0, which is for y = 1 and y = p - 1.
bool is_canonical(const std::uint8_t* key) noexcept {
    const bool sign = (key[kKeyLen - 1] & 0x80) != 0, high = (key[kKeyLen - 1] & 0x7F) == 0x7F;
    bool middle_ones = true, middle_zeros = (key[kKeyLen - 1] & 0x7F) == 0;
    for (std::size_t i = 1; i < kKeyLen - 1; ++i) {
        middle_ones = middle_ones && key[i] == 0xFF;
        middle_zeros = middle_zeros && key[i] == 0;
    }
    if (high && middle_ones && key[0] >= 0xED) return false;
    return !sign || !((middle_zeros && key[0] == 1) || (high && middle_ones && key[0] == 0xEC));
}

bool verify(const VerifyJob& job) noexcept {
    if (!is_canonical(job.public_key)) return false;
    const PkeyPtr key{EVP_PKEY_new_raw_public_key_ex(openssl_library(), kEd25519Oid, nullptr, job.public_key, kKeyLen)};
    const MdCtxPtr ctx{EVP_MD_CTX_new()};
    return key && ctx &&
           EVP_DigestVerifyInit_ex(ctx.get(), nullptr, nullptr, openssl_library(), nullptr, key.get(), nullptr) == 1 &&
           EVP_DigestVerify(ctx.get(), job.signature, kSignatureLen, job.message, job.len) == 1;
}

template <typename Job>
void run_each(bool (*run)(const Job&) noexcept, Job* jobs, std::size_t count) noexcept {
    const KeepErrors keep;
    for (Job& job : std::span{jobs, count}) job.ok = run(job);
}

}  // namespace

void keygen_ref(KeygenJob* jobs, std::size_t count) noexcept {
    run_each(keygen, jobs, count);
    for (const KeygenJob& job : std::span{jobs, count})
        if (!job.ok) memset(job.public_key, 0, kKeyLen);
}
void sign_ref(SignJob* jobs, std::size_t count) noexcept {
    run_each(sign, jobs, count);
    for (const SignJob& job : std::span{jobs, count})
        if (!job.ok) memset(job.signature, 0, kSignatureLen);
}
void verify_ref(VerifyJob* jobs, std::size_t count) noexcept { run_each(verify, jobs, count); }

}  // namespace octavo::kernel::ed25519
