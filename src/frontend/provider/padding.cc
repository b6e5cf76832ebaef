#include "frontend/provider/padding.hpp"

#include <algorithm>

namespace octavo::provider {
namespace {

/// RFC 8017 asks for eight bytes of padding at least; three bytes stand around it.
constexpr std::size_t kMinPadding = 8;
constexpr std::size_t kOverhead = kMinPadding + 3;

/// All ones where a == b, else 0. Arithmetic alone: d - 1 borrows through the top bit only for d = 0, or where d has it itself.
std::uint32_t equal_mask(std::uint32_t a, std::uint32_t b) {
    const std::uint32_t d = a ^ b;
    return 0 - (((d - 1) & ~d) >> 31);
}

}  // namespace

bool pkcs1_encode(Buffer em, Bytes prefix, Bytes digest) noexcept {
    const auto len = prefix.size() + digest.size();
    if (em.size() < len + kOverhead) return false;
    em[0] = 0;
    em[1] = 1;
    auto* const end = em.data() + em.size() - len;
    std::fill(em.data() + 2, end - 1, std::uint8_t{0xff});
    end[-1] = 0;
    std::copy(digest.begin(), digest.end(), std::copy(prefix.begin(), prefix.end(), end));
    return true;
}

bool pkcs1_decode(Bytes em, Bytes& message) noexcept {
    if (em.size() < kOverhead || em[0] != 0 || em[1] != 1) return false;
    std::size_t i = 2;
    while (i < em.size() && em[i] == 0xff) ++i;
    if (i == em.size() || em[i] != 0 || i < 2 + kMinPadding) return false;
    message = em.subspan(i + 1);
    return true;
}

void tls_decode(Bytes em, unsigned client, unsigned alternative, std::span<const std::uint8_t, kTlsPremaster> random,
                std::span<std::uint8_t, kTlsPremaster> premaster) noexcept {
    const auto secret = em.last(kTlsPremaster);
    const auto padding = em.subspan(2, em.size() - kTlsPremaster - 3);
    std::uint32_t good = equal_mask(em[0], 0) & equal_mask(em[1], 2) & equal_mask(em[em.size() - kTlsPremaster - 1], 0);
    for (const auto byte : padding) good &= ~equal_mask(byte, 0);
    const std::uint32_t version = (std::uint32_t{secret[0]} << 8) | secret[1];
    std::uint32_t version_good = equal_mask(version, client);
    // Whether an alternative is accepted is the application's setting, not a secret.
    if (alternative != 0) version_good |= equal_mask(version, alternative);
    good &= version_good;
    for (std::size_t i = 0; i < kTlsPremaster; ++i)
        premaster[i] = static_cast<std::uint8_t>((secret[i] & good) | (random[i] & ~good));
}

}  // namespace octavo::provider
