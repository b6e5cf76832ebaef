#include "kernel/openssl_ref.hpp"

#include <openssl/crypto.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <pthread.h>

#include <memory>
#include <new>
#include <utility>

namespace octavo::kernel {
namespace {

struct LibCtxFree {
    void operator()(OSSL_LIB_CTX* ctx) const noexcept { OSSL_LIB_CTX_free(ctx); }
};
using LibCtxPtr = std::unique_ptr<OSSL_LIB_CTX, LibCtxFree>;
struct ProviderUnload {
    void operator()(OSSL_PROVIDER* provider) const noexcept { OSSL_PROVIDER_unload(provider); }
};
using ProviderPtr = std::unique_ptr<OSSL_PROVIDER, ProviderUnload>;

std::atomic<unsigned> fork_generation{0};
[[maybe_unused]] const int fork_hook =
    pthread_atfork(nullptr, nullptr, [] { fork_generation.fetch_add(1, std::memory_order_relaxed); });

/// The private library context of one generation. Never freed, but by who loses the race: threads that end late still give their random
/// generators back to it. Older ones stay reachable.
struct Library {
    LibCtxPtr ctx;
    ProviderPtr provider;  ///< which the context does not free
    unsigned generation;
    Library* older;
};
std::atomic<Library*> newest_library{nullptr};

Library* make_library(Library* older, unsigned generation) noexcept {
    LibCtxPtr ctx{OSSL_LIB_CTX_new()};
    if (!ctx) return nullptr;
    ProviderPtr provider{OSSL_PROVIDER_load(ctx.get(), "default")};
    if (!provider) return nullptr;
    // OpenSSL's own choice, CTR-DRBG, looks for a cipher, which brings objects for all of them: 110 KiB.
    if (RAND_set_DRBG_type(ctx.get(), "HASH-DRBG", nullptr, nullptr, "SHA2-256") != 1) return nullptr;
    return new (std::nothrow) Library{std::move(ctx), std::move(provider), generation, older};
}

}  // namespace

namespace {
thread_local unsigned openssl_depth = 0;
}

void enter_openssl() noexcept { ++openssl_depth; }
void leave_openssl() noexcept { --openssl_depth; }
bool is_in_openssl() noexcept { return openssl_depth != 0; }

unsigned openssl_generation() noexcept { return fork_generation.load(std::memory_order_relaxed); }

OSSL_LIB_CTX* openssl_library() noexcept {
    Library* found = of_this_generation(newest_library, make_library);
    return found == nullptr ? nullptr : found->ctx.get();
}

}  // namespace octavo::kernel
