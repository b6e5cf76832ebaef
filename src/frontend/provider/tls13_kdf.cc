#include <openssl/kdf.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <memory>
#include <new>

#include "frontend/bridge/kdf.hpp"
#include "frontend/bridge/made_once.hpp"
#include "frontend/provider/kdf_context.hpp"

// The steps of the key schedule of TLS 1.3 (RFC 8446, 7.1), as libssl asks for them. A handshake has some twenty, and the default provider spends most of
// their time on finding its own parts.
namespace octavo::provider {
namespace {

using Bytes = std::span<const std::uint8_t>;

/// "tls13 " and the longest label are 18 bytes; a context is a transcript's hash.
constexpr std::size_t kMaxLabel = 64, kMaxData = 64;

bool fits(Bytes bytes, std::size_t least, std::size_t most) { return bytes.size() >= least && bytes.size() <= most; }

/// 0 for one that TLS 1.3 does not have.
std::size_t hash_len(const EVP_MD* digest) {
    const int nid = digest == nullptr ? NID_undef : EVP_MD_get_type(digest);
    return nid == NID_sha384 ? SHA384_DIGEST_LENGTH : nid == NID_sha256 ? SHA256_DIGEST_LENGTH : 0;
}

/// HKDF-Expand-Label(), with texts of at most kMaxLabel and kMaxData and at most one block of output.
bool expand_label(const EVP_MD* digest, Bytes secret, Bytes prefix, Bytes label, Bytes data,
                  std::span<std::uint8_t> out) {
    std::array<std::uint8_t, 4 + 2 * kMaxLabel + kMaxData> info;
    auto end = info.begin();
    const auto put = [&](Bytes bytes) { end = std::copy(bytes.begin(), bytes.end(), end); };
    *end++ = 0;
    *end++ = static_cast<std::uint8_t>(out.size());
    *end++ = static_cast<std::uint8_t>(prefix.size() + label.size());
    put(prefix);
    put(label);
    *end++ = static_cast<std::uint8_t>(data.size());
    put(data);
    return bridge::hkdf_expand(digest, secret, Bytes(info.begin(), end), out);
}

bool copy(Bytes from, std::span<std::uint8_t> out) {
    std::copy(from.begin(), from.end(), out.begin());
    return true;
}

/// Whether the two agree; how long that takes tells of secrets nothing but their lengths.
bool is(Bytes a, Bytes b) { return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0; }

constexpr std::uint8_t kPrefix[] = {'t', 'l', 's', '1', '3', ' '}, kDerived[] = {'d', 'e', 'r', 'i', 'v', 'e', 'd'};

/// Where the key schedule starts if there is no pre-shared key: the same for all the world, and a tenth of what a handshake derives.
class Start {
public:
    /// `len`: the hash's. Null where memory ran out.
    static const Start* of(std::size_t len) noexcept {
        static bridge::MadeOnce<const Start*, nullptr> sha256, sha384;
        return len == SHA256_DIGEST_LENGTH ? sha256.get([] { return make(EVP_sha256(), SHA256); })
                                           : sha384.get([] { return make(EVP_sha384(), SHA384); });
    }
    Bytes hash_of_nothing() const noexcept { return std::span(hash_of_nothing_).first(len_); }
    Bytes early_secret() const noexcept { return std::span(early_secret_).first(len_); }
    /// Derive-Secret(early secret, "derived", "").
    Bytes derived() const noexcept { return std::span(derived_).first(len_); }

private:
    using Hash = unsigned char*(const unsigned char* bytes, std::size_t len, unsigned char* out);

    explicit Start(std::size_t len) noexcept : len_(len) {}
    static const Start* make(const EVP_MD* digest, Hash* hash) noexcept {
        std::unique_ptr<Start> start(new (std::nothrow) Start(static_cast<std::size_t>(EVP_MD_get_size(digest))));
        return start != nullptr && start->derive(digest, hash) ? start.release() : nullptr;
    }
    bool derive(const EVP_MD* digest, Hash* hash) noexcept {
        const std::array<std::uint8_t, SHA384_DIGEST_LENGTH> zeros{};
        return hash(nullptr, 0, hash_of_nothing_.data()) != nullptr &&
               bridge::hkdf_extract(digest, {}, std::span(zeros).first(len_), std::span(early_secret_).first(len_)) &&
               expand_label(digest, early_secret(), kPrefix, kDerived, hash_of_nothing(),
                            std::span(derived_).first(len_));
    }

    std::size_t len_;
    std::array<std::uint8_t, SHA384_DIGEST_LENGTH> hash_of_nothing_, early_secret_, derived_;
};

struct Tls13 {
    enum { key, salt, prefix, label, data };
    static constexpr KdfKind kKind = KdfKind::tls13;
    static constexpr OctetField kFields[] = {
        {OSSL_KDF_PARAM_KEY},   {OSSL_KDF_PARAM_SALT}, {OSSL_KDF_PARAM_PREFIX},
        {OSSL_KDF_PARAM_LABEL}, {OSSL_KDF_PARAM_DATA},
    };
    // What a second call leaves of the first differs from one version of OpenSSL to the next.
    static constexpr KdfRules kRules = {kFields, EVP_KDF_HKDF_MODE_EXTRACT_ONLY, true};
    static const KdfRules& rules(const DefaultSide&) noexcept { return kRules; }

    static bool expand(const KdfState& state, std::size_t len, std::span<std::uint8_t> out) noexcept {
        if (state.has(salt) || state.bytes(key).size() != len || state.bytes(data).size() > kMaxData || out.empty() ||
            out.size() > len)
            return false;
        return expand_label(state.digest(), state.bytes(key), state.bytes(prefix), state.bytes(label),
                            state.bytes(data), out);
    }
    /// HKDF-Extract(Derive-Secret(salt, label, ""), key): the next of the three secrets. What is not given is zeros; without a secret before it,
    /// nothing is derived.
    static bool extract(const KdfState& state, std::size_t len, std::span<std::uint8_t> out) noexcept {
        if (state.has(data) || out.size() != len || (state.has(key) && state.bytes(key).empty())) return false;
        const auto* const start = Start::of(len);
        if (start == nullptr || (state.has(salt) && state.bytes(salt).size() != len)) return false;
        if (!state.has(salt) && !state.has(key)) return copy(start->early_secret(), out);
        std::array<std::uint8_t, SHA384_DIGEST_LENGTH> memory{};
        const auto derived = std::span(memory).first(len);
        const std::array<std::uint8_t, SHA384_DIGEST_LENGTH> zeros{};
        const auto secret = state.has(key) ? state.bytes(key) : std::span(zeros).first(len);
        const bool good = (!state.has(salt) || derive_next(state, *start, derived)) &&
                          bridge::hkdf_extract(state.digest(), derived, secret, out);
        OPENSSL_cleanse(memory.data(), memory.size());
        return good;
    }
    static bool derive_next(const KdfState& state, const Start& start, std::span<std::uint8_t> out) noexcept {
        if (is(state.bytes(salt), start.early_secret()) && is(state.bytes(prefix), kPrefix) &&
            is(state.bytes(label), kDerived))
            return copy(start.derived(), out);
        return expand_label(state.digest(), state.bytes(salt), state.bytes(prefix), state.bytes(label),
                            start.hash_of_nothing(), out);
    }
    static bool derive(const KdfState& state, std::span<std::uint8_t> out) noexcept {
        const auto len = hash_len(state.digest());
        const bool labelled = fits(state.bytes(prefix), 1, kMaxLabel) && fits(state.bytes(label), 1, kMaxLabel);
        if (len == 0) return false;
        if (state.mode() == EVP_KDF_HKDF_MODE_EXPAND_ONLY) return labelled && expand(state, len, out);
        return state.mode() == EVP_KDF_HKDF_MODE_EXTRACT_ONLY && (labelled || !state.has(salt)) &&
               extract(state, len, out);
    }
};

}  // namespace

const Offer tls13_kdf_offer = {OSSL_OP_KDF, "TLS13-KDF", Kdf<Tls13>::kTable, "TLS 1.3 key schedule by Octavo"};

}  // namespace octavo::provider
