#pragma once

#include <atomic>

struct ossl_lib_ctx_st;

/// OpenSSL for reference rows: a library context of our own, which holds only the default provider. In the application's
/// context a row would call itself for ever.
namespace octavo::kernel {

/// Forks since the process image was loaded. OpenSSL takes a lock inside a key at every operation; if another thread of the
/// parent holds it at the fork, it stays locked in the child for ever. So a child uses no OpenSSL object made before.
unsigned openssl_generation() noexcept;

/// The private library context of this generation; null where it cannot be made.
ossl_lib_ctx_st* openssl_library() noexcept;

/// Between these two the thread is in OpenSSL on a row's behalf; they nest.
void enter_openssl() noexcept;
void leave_openssl() noexcept;
/// OpenSSL asks the process's default ENGINE for RSA and EC in every library context: one that is ours must leave the row to OpenSSL then.
bool is_in_openssl() noexcept;

/// Names by which OpenSSL knows these curves without asking an ENGINE for them, as it would for the plain ones in whatever library context.
inline constexpr char kX25519Oid[] = "1.3.101.110", kX448Oid[] = "1.3.101.111", kEd25519Oid[] = "1.3.101.112",
                      kEd448Oid[] = "1.3.101.113";

/// The item of the present generation from `newest`, made by `make(older, generation)` if need be; null if that fails.
/// Lock-free, so that a fork can come at any moment: who loses the race drops its own item.
template <typename T, typename Make>
T* of_this_generation(std::atomic<T*>& newest, Make&& make) noexcept {
    const unsigned generation = openssl_generation();
    T* found = newest.load(std::memory_order_acquire);
    if (found != nullptr && found->generation == generation) [[likely]]
        return found;
    T* made = make(found, generation);
    // release: the item's contents are visible before the pointer to it
    if (made == nullptr || newest.compare_exchange_strong(found, made, std::memory_order_acq_rel)) return made;
    delete made;
    return found;
}

}  // namespace octavo::kernel
