#include "frontend/provider/digest.hpp"

#include <openssl/err.h>
#include <strings.h>

namespace octavo::provider {
namespace {

// SHA-2 and SHA-3 are 2.16.840.1.101.3.4.2.x: the DigestInfo differs in x and in the length alone.
#define OCTAVO_NIST_PREFIX(x, len)                                                                                 \
    {                                                                                                              \
        0x30, 0x11 + (len), 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, x, 0x05, 0x00, \
            0x04, len                                                                                              \
    }

constexpr std::uint8_t kSha256[] = OCTAVO_NIST_PREFIX(1, 32);
constexpr std::uint8_t kSha384[] = OCTAVO_NIST_PREFIX(2, 48);
constexpr std::uint8_t kSha512[] = OCTAVO_NIST_PREFIX(3, 64);
constexpr std::uint8_t kSha224[] = OCTAVO_NIST_PREFIX(4, 28);
constexpr std::uint8_t kSha512_224[] = OCTAVO_NIST_PREFIX(5, 28);
constexpr std::uint8_t kSha512_256[] = OCTAVO_NIST_PREFIX(6, 32);
constexpr std::uint8_t kSha3_224[] = OCTAVO_NIST_PREFIX(7, 28);
constexpr std::uint8_t kSha3_256[] = OCTAVO_NIST_PREFIX(8, 32);
constexpr std::uint8_t kSha3_384[] = OCTAVO_NIST_PREFIX(9, 48);
constexpr std::uint8_t kSha3_512[] = OCTAVO_NIST_PREFIX(10, 64);
#undef OCTAVO_NIST_PREFIX
// 1.3.14.3.2.26
constexpr std::uint8_t kSha1[] = {0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e,
                                  0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14};
// 1.2.840.113549.2.5
constexpr std::uint8_t kMd5[] = {0x30, 0x20, 0x30, 0x0c, 0x06, 0x08, 0x2a, 0x86, 0x48,
                                 0x86, 0xf7, 0x0d, 0x02, 0x05, 0x05, 0x00, 0x04, 0x10};
// 1.3.36.3.2.1
constexpr std::uint8_t kRipemd160[] = {0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x24,
                                       0x03, 0x02, 0x01, 0x05, 0x00, 0x04, 0x14};

struct Row {
    std::array<std::string_view, 4> names;  // the first is the one to fetch; unused ones empty
    std::span<const std::uint8_t> prefix;
};

constexpr Row kRows[] = {
    {{"SHA2-256", "SHA256", "SHA-256", "2.16.840.1.101.3.4.2.1"}, kSha256},
    {{"SHA1", "SHA-1", "SSL3-SHA1", "1.3.14.3.2.26"}, kSha1},
    {{"SHA2-384", "SHA384", "SHA-384", "2.16.840.1.101.3.4.2.2"}, kSha384},
    {{"SHA2-512", "SHA512", "SHA-512", "2.16.840.1.101.3.4.2.3"}, kSha512},
    {{"SHA2-224", "SHA224", "SHA-224", "2.16.840.1.101.3.4.2.4"}, kSha224},
    {{"SHA2-512/224", "SHA512-224", "SHA-512/224", "2.16.840.1.101.3.4.2.5"}, kSha512_224},
    {{"SHA2-512/256", "SHA512-256", "SHA-512/256", "2.16.840.1.101.3.4.2.6"}, kSha512_256},
    {{"SHA3-224", "2.16.840.1.101.3.4.2.7"}, kSha3_224},
    {{"SHA3-256", "2.16.840.1.101.3.4.2.8"}, kSha3_256},
    {{"SHA3-384", "2.16.840.1.101.3.4.2.9"}, kSha3_384},
    {{"SHA3-512", "2.16.840.1.101.3.4.2.10"}, kSha3_512},
    {{"MD5", "SSL3-MD5", "1.2.840.113549.2.5"}, kMd5},
    {{"MD5-SHA1"}, {}},
    {{"RIPEMD-160", "RIPEMD160", "RIPEMD", "RMD160"}, kRipemd160},
};

bool row_has(const Row& row, std::string_view name) {
    for (const auto known : row.names)
        if (!known.empty() && known.size() == name.size() && strncasecmp(known.data(), name.data(), name.size()) == 0)
            return true;
    return false;
}

}  // namespace

void Digests::open(OSSL_LIB_CTX* libctx) noexcept {
    static_assert(std::size(kRows) == kCount);
    // A build of OpenSSL may lack some: then they are not on the fast path, and that is no error.
    ERR_set_mark();
    for (std::size_t i = 0; i < kCount; ++i) {
        const auto* md = EVP_MD_fetch(libctx, kRows[i].names[0].data(), nullptr);
        const auto len = md == nullptr ? 0 : EVP_MD_get_size(md);
        digests_[i] = {kRows[i].names[0].data(), md, static_cast<std::size_t>(len), kRows[i].prefix};
    }
    ERR_pop_to_mark();
}

void Digests::close() noexcept {
    for (auto& digest : digests_) EVP_MD_free(const_cast<EVP_MD*>(digest.md));  // fetched, hence ours to free
    digests_ = {};
}

const Digest* Digests::find(std::string_view name) const noexcept {
    for (std::size_t i = 0; i < kCount; ++i)
        if (digests_[i].md != nullptr && row_has(kRows[i], name)) return &digests_[i];
    return nullptr;
}

}  // namespace octavo::provider
