#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>

#include <memory>
#include <span>

#include "base/wipe.hpp"
#include "kernel/openssl_ref.hpp"
#include "kernel/x25519/x25519_rows.hpp"

namespace octavo::kernel::x25519 {
namespace {

template <auto Free>
struct Deleter {
    template <typename T>
    void operator()(T* object) const noexcept {
        Free(object);
    }
};
using PkeyPtr = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using PkeyCtxPtr = std::unique_ptr<EVP_PKEY_CTX, Deleter<EVP_PKEY_CTX_free>>;

/// OpenSSL works out the public key of every scalar that comes without one.
PkeyPtr key_with_public(const std::uint8_t* scalar) noexcept {
    return PkeyPtr{EVP_PKEY_new_raw_private_key_ex(openssl_library(), "X25519", nullptr, scalar, kLen)};
}

/// A key that is only used to derive: any public key will do, and saves half of the time.
PkeyPtr key_without_public(const std::uint8_t* scalar) noexcept {
    std::uint8_t any[kLen] = {9}, copy[kLen];
    const WipeOnExit wiper(copy);
    memcpy(copy, scalar, kLen);
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, copy, kLen),
                                 OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, any, kLen),
                                 OSSL_PARAM_construct_end()};
    const PkeyCtxPtr ctx{EVP_PKEY_CTX_new_from_name(openssl_library(), "X25519", nullptr)};
    EVP_PKEY* key = nullptr;
    if (!ctx || EVP_PKEY_fromdata_init(ctx.get()) != 1) return nullptr;
    // does not write to the parameters
    EVP_PKEY_fromdata(ctx.get(), &key, EVP_PKEY_KEYPAIR, const_cast<OSSL_PARAM*>(params));
    return PkeyPtr{key};
}

bool keygen(const KeygenJob& job) noexcept {
    const PkeyPtr key = key_with_public(job.scalar);
    std::size_t len = kLen;
    return key && EVP_PKEY_get_raw_public_key(key.get(), job.public_key, &len) == 1;
}

bool derive(const DeriveJob& job) noexcept {
    const PkeyPtr key = key_without_public(job.scalar);
    const PkeyPtr peer{EVP_PKEY_new_raw_public_key_ex(openssl_library(), "X25519", nullptr, job.u, kLen)};
    if (!key || !peer) return false;
    const PkeyCtxPtr ctx{EVP_PKEY_CTX_new_from_pkey(openssl_library(), key.get(), nullptr)};
    std::size_t len = kLen;
    return ctx && EVP_PKEY_derive_init(ctx.get()) == 1 && EVP_PKEY_derive_set_peer_ex(ctx.get(), peer.get(), 0) == 1 &&
           EVP_PKEY_derive(ctx.get(), job.shared, &len) == 1;
}

template <typename Job>
void run_each(bool (*run)(const Job&) noexcept, Job* jobs, std::size_t count, std::uint8_t* Job::*output) noexcept {
    ERR_set_mark();
    for (Job& job : std::span{jobs, count}) {
        job.ok = run(job);
        if (!job.ok) memset(job.*output, 0, kLen);
    }
    ERR_pop_to_mark();
}

}  // namespace

void keygen_ref(KeygenJob* jobs, std::size_t count) noexcept { run_each(keygen, jobs, count, &KeygenJob::public_key); }
void derive_ref(DeriveJob* jobs, std::size_t count) noexcept { run_each(derive, jobs, count, &DeriveJob::shared); }

}  // namespace octavo::kernel::x25519
