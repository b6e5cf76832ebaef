#include "kernel/evp_ref.hpp"

#include <openssl/core_names.h>
#include <openssl/params.h>

#include <new>
#include <utility>

#include "kernel/openssl_ref.hpp"

namespace octavo::kernel {
namespace {

/// Where a thread begins to look in a pool, so that threads seldom meet at one slot.
unsigned first_slot() noexcept {
    static std::atomic<unsigned> next{0};
    static thread_local const unsigned mine = next.fetch_add(1, std::memory_order_relaxed);
    return mine;
}

PkeyCtxPtr make_context(EVP_PKEY* key, ContextPool::Init* init) noexcept {
    OSSL_LIB_CTX* lib = openssl_library();
    if (lib == nullptr) return nullptr;
    PkeyCtxPtr ctx{EVP_PKEY_CTX_new_from_pkey(lib, key, nullptr)};
    return ctx && init(ctx.get()) > 0 ? std::move(ctx) : nullptr;
}

GroupPtr make_group(const char* name) noexcept {
    OSSL_LIB_CTX* lib = openssl_library();
    if (lib == nullptr) return nullptr;
    std::array<OSSL_PARAM, 2> params{
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, const_cast<char*>(name), 0),
        OSSL_PARAM_construct_end()};
    return GroupPtr{EC_GROUP_new_from_params(params.data(), lib, nullptr)};
}

}  // namespace

PkeyPtr raw_pair(const char* name, Bytes private_bytes, Bytes public_bytes) noexcept {
    // EVP_PKEY_fromdata() does not write to its parameters
    const auto octets = [](const char* key, Bytes bytes) {
        return OSSL_PARAM_construct_octet_string(key, const_cast<std::uint8_t*>(bytes.data()), bytes.size());
    };
    std::array<OSSL_PARAM, 3> params{octets(OSSL_PKEY_PARAM_PUB_KEY, public_bytes),
                                     octets(OSSL_PKEY_PARAM_PRIV_KEY, private_bytes), OSSL_PARAM_construct_end()};
    const PkeyCtxPtr ctx{EVP_PKEY_CTX_new_from_name(openssl_library(), name, nullptr)};
    EVP_PKEY* key = nullptr;
    if (!ctx || EVP_PKEY_fromdata_init(ctx.get()) <= 0) return nullptr;
    if (EVP_PKEY_fromdata(ctx.get(), &key, EVP_PKEY_KEYPAIR, params.data()) <= 0) return nullptr;
    return PkeyPtr{key};
}

const EC_GROUP* group_of(const char* name, std::atomic<NamedGroup*>& newest) noexcept {
    const auto* found =
        of_this_generation(newest, [name](NamedGroup* older, unsigned generation) noexcept -> NamedGroup* {
            GroupPtr group = make_group(name);
            return group ? new (std::nothrow) NamedGroup{std::move(group), generation, older} : nullptr;
        });
    return found == nullptr ? nullptr : found->group.get();
}

ContextPool::~ContextPool() {
    for (auto& slot : slots_) EVP_PKEY_CTX_free(slot.load(std::memory_order_relaxed));
}

PkeyCtxPtr ContextPool::take(EVP_PKEY* key, Init* init) noexcept {
    for (unsigned i = 0, at = first_slot(); i < kSlots; ++i, ++at) {
        auto& slot = slots_[at % kSlots];
        if (slot.load(std::memory_order_relaxed) == nullptr) continue;
        // acquire: what the last user wrote into the context is visible
        if (auto* found = slot.exchange(nullptr, std::memory_order_acquire)) return PkeyCtxPtr{found};
    }
    return make_context(key, init);
}

void ContextPool::give(PkeyCtxPtr ctx) noexcept {
    for (unsigned i = 0, at = first_slot(); i < kSlots; ++i, ++at) {
        auto& slot = slots_[at % kSlots];
        EVP_PKEY_CTX* empty = nullptr;
        if (slot.load(std::memory_order_relaxed) != nullptr) continue;
        // release: pairs with the acquire in take()
        if (!slot.compare_exchange_strong(empty, ctx.get(), std::memory_order_release, std::memory_order_relaxed))
            continue;
        ctx.release();
        return;
    }
}

}  // namespace octavo::kernel
