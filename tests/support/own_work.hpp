#pragma once

#include <atomic>
#include <functional>

/// Counts of what provider and engine compute themselves, because results do not tell it from OpenSSL's: stands between them and libcrypto and
/// libipsec-mb, as a program's own symbols come first. What others call is not counted.
namespace octavo::test::own_work {

/// Hash functions begun: HMAC's, of a key derivation.
extern std::atomic<int> hashes;
/// Messages that libipsec-mb authenticated: of AES-GCM and ChaCha20-Poly1305.
extern std::atomic<int> messages;
/// Calls of EVP_KDF_derive(): the engine's way to OpenSSL's key derivations.
extern std::atomic<int> kdf_calls;

/// Called when a manager of libipsec-mb is made, unless null: whoever wants a cipher first is in the middle of making what all share.
extern std::atomic<void (*)()> on_manager;

/// How many hash functions `work` begins.
inline int hashes_in(const std::function<void()>& work) {
    const int before = hashes;
    work();
    return hashes - before;
}

}  // namespace octavo::test::own_work
