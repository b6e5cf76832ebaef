#include <string.h>

#include <span>

#include "kernel/evp_ref.hpp"
#include "kernel/openssl_ref.hpp"
#include "kernel/x25519/x25519_rows.hpp"

namespace octavo::kernel::x25519 {
namespace {

/// OpenSSL works out the public key of every scalar that comes without one.
PkeyPtr key_with_public(const std::uint8_t* scalar) noexcept {
    return PkeyPtr{EVP_PKEY_new_raw_private_key_ex(openssl_library(), kX25519Oid, nullptr, scalar, kLen)};
}

/// A key that is only used to derive: any public key will do, and saves half of the time.
PkeyPtr key_without_public(const std::uint8_t* scalar) noexcept {
    static constexpr std::uint8_t kAny[kLen] = {9};
    return raw_pair(kX25519Oid, {scalar, kLen}, kAny);
}

bool keygen(const KeygenJob& job) noexcept {
    const PkeyPtr key = key_with_public(job.scalar);
    std::size_t len = kLen;
    return key && EVP_PKEY_get_raw_public_key(key.get(), job.public_key, &len) == 1;
}

bool derive(const DeriveJob& job) noexcept {
    const PkeyPtr key = key_without_public(job.scalar);
    const PkeyPtr peer{EVP_PKEY_new_raw_public_key_ex(openssl_library(), kX25519Oid, nullptr, job.u, kLen)};
    if (!key || !peer) return false;
    const PkeyCtxPtr ctx{EVP_PKEY_CTX_new_from_pkey(openssl_library(), key.get(), nullptr)};
    std::size_t len = kLen;
    return ctx && EVP_PKEY_derive_init(ctx.get()) == 1 && EVP_PKEY_derive_set_peer_ex(ctx.get(), peer.get(), 0) == 1 &&
           EVP_PKEY_derive(ctx.get(), job.shared, &len) == 1;
}

template <typename Job>
void run_each(bool (*run)(const Job&) noexcept, Job* jobs, std::size_t count, std::uint8_t* Job::*output) noexcept {
    const KeepErrors keep;
    for (Job& job : std::span{jobs, count}) {
        job.ok = run(job);
        if (!job.ok) memset(job.*output, 0, kLen);
    }
}

}  // namespace

void keygen_ref(KeygenJob* jobs, std::size_t count) noexcept { run_each(keygen, jobs, count, &KeygenJob::public_key); }
void derive_ref(DeriveJob* jobs, std::size_t count) noexcept { run_each(derive, jobs, count, &DeriveJob::shared); }

}  // namespace octavo::kernel::x25519
