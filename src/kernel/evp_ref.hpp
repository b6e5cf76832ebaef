#pragma once

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <array>
#include <atomic>
#include <memory>

#include "base/bytes.hpp"
#include "kernel/openssl_ref.hpp"

/// OpenSSL objects that reference rows share, in the library context of openssl_ref.hpp.
namespace octavo::kernel {

template <auto Free>
struct Deleter {
    template <typename T>
    void operator()(T* object) const noexcept {
        Free(object);
    }
};
using PkeyPtr = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using PkeyCtxPtr = std::unique_ptr<EVP_PKEY_CTX, Deleter<EVP_PKEY_CTX_free>>;
using MdCtxPtr = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;
using BnCtxPtr = std::unique_ptr<BN_CTX, Deleter<BN_CTX_free>>;
using BnPtr = std::unique_ptr<BIGNUM, Deleter<BN_clear_free>>;
using GroupPtr = std::unique_ptr<EC_GROUP, Deleter<EC_GROUP_free>>;
using PointPtr = std::unique_ptr<EC_POINT, Deleter<EC_POINT_clear_free>>;

/// Surrounds a row's calls of OpenSSL: leaves the thread's error queue as it was found, and tells a front end that OpenSSL calls back whatever
/// the library context (is_in_openssl()).
class KeepErrors {
public:
    KeepErrors() noexcept {
        enter_openssl();
        ERR_set_mark();
    }
    KeepErrors(const KeepErrors&) = delete;
    KeepErrors& operator=(const KeepErrors&) = delete;
    ~KeepErrors() {
        ERR_pop_to_mark();
        leave_openssl();
    }
};

/// A key pair of a curve that OpenSSL knows by `name` and by raw numbers, both taken as they are: it would compute the public one again,
/// which costs as much as what an ephemeral key is for. Null where OpenSSL refuses or memory runs out.
PkeyPtr raw_pair(const char* name, Bytes private_bytes, Bytes public_bytes) noexcept;

/// A curve of one generation of OpenSSL objects. Older ones stay reachable.
struct NamedGroup {
    GroupPtr group;
    unsigned generation;
    NamedGroup* older;
};

/// The curve that OpenSSL knows by `name`, made once in each generation and kept in `newest`; null where memory runs out.
const EC_GROUP* group_of(const char* name, std::atomic<NamedGroup*>& newest) noexcept;

/// Idle contexts of one key, initialised for one operation; making one costs microseconds. Any thread takes and gives.
class ContextPool {
public:
    using Init = int(EVP_PKEY_CTX*);

    ContextPool() = default;
    ContextPool(const ContextPool&) = delete;
    ContextPool& operator=(const ContextPool&) = delete;
    ~ContextPool();

    /// Null where memory runs out or `init` fails.
    PkeyCtxPtr take(EVP_PKEY* key, Init* init) noexcept;
    void give(PkeyCtxPtr ctx) noexcept;

private:
    static constexpr unsigned kSlots = 8;
    std::array<std::atomic<EVP_PKEY_CTX*>, kSlots> slots_{};
};

}  // namespace octavo::kernel
