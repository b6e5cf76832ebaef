#include "kernel/evp_ref.hpp"

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

}  // namespace

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
