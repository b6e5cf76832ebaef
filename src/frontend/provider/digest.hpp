#pragma once

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace octavo::provider {

/// A digest that the fast path knows.
struct Digest {
    const char* name;
    const EVP_MD* md;
    std::size_t len;
    /// The DER of DigestInfo before the digest itself (RFC 8017, 9.2, note 1); empty for MD5-SHA1, which has none.
    std::span<const std::uint8_t> prefix;
};

/// The digests of one library context, fetched once.
class Digests {
public:
    void open(OSSL_LIB_CTX* libctx) noexcept;
    void close() noexcept;
    /// By any of OpenSSL's names for it, in any case; null for one that the fast path does not know.
    const Digest* find(std::string_view name) const noexcept;

private:
    static constexpr std::size_t kCount = 14;
    std::array<Digest, kCount> digests_{};
};

/// Frees what EVP hands out.
struct MdContextFree {
    void operator()(EVP_MD_CTX* context) const noexcept { EVP_MD_CTX_free(context); }
};

}  // namespace octavo::provider
