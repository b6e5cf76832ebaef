#define OPENSSL_SUPPRESS_DEPRECATED  // ENGINE: deprecated in OpenSSL 3, gone in 4
#include "frontend/engine/ciphers.hpp"

#include <openssl/engine.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <new>

#include "frontend/bridge/made_once.hpp"

namespace octavo::engine {
namespace {

class Ciphers {
public:
    Ciphers() noexcept {
        for (auto* make : {aes128_gcm, aes192_gcm, aes256_gcm, aes128_cbc_hmac_sha1, aes256_cbc_hmac_sha1,
                           aes128_cbc_hmac_sha256, aes256_cbc_hmac_sha256})
            if (const auto* cipher = make(); cipher != nullptr) {
                ciphers_[count_] = cipher;
                nids_[count_++] = EVP_CIPHER_get_nid(cipher);
            }
    }
    const EVP_CIPHER* find(int nid) const noexcept {
        const auto* const end = nids_.data() + count_;
        const auto* const found = std::find(nids_.data(), end, nid);
        return found == end ? nullptr : ciphers_[static_cast<std::size_t>(found - nids_.data())];
    }
    int list(const int** nids) const noexcept {
        *nids = nids_.data();
        return static_cast<int>(count_);
    }

private:
    static constexpr std::size_t kMost = 7;
    std::array<const EVP_CIPHER*, kMost> ciphers_{};
    std::array<int, kMost> nids_{};
    std::size_t count_ = 0;
};

/// Null where memory ran out.
const Ciphers* all() noexcept {
    static bridge::MadeOnce<const Ciphers*, nullptr> once;
    return once.get([]() -> const Ciphers* { return new (std::nothrow) Ciphers; });
}

/// As ENGINE_set_ciphers() wants it: the list where `cipher` is null.
int ciphers(ENGINE*, const EVP_CIPHER** cipher, const int** nids, int nid) {
    if (cipher == nullptr) return all()->list(nids);
    *cipher = all()->find(nid);
    return *cipher != nullptr ? 1 : 0;
}

}  // namespace

bool add_ciphers(ENGINE* engine) noexcept { return all() != nullptr && ENGINE_set_ciphers(engine, ciphers) == 1; }

}  // namespace octavo::engine
