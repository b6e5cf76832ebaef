#include "frontend/provider/pss.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>

namespace octavo::provider {
namespace {

constexpr std::uint8_t kTrailer = 0xbc;

/// The encoded message proper: emBits = bits - 1, and its first byte keeps only the bits that belong to it.
struct Frame {
    Buffer em;
    std::uint8_t mask;
};

/// Where bits - 1 is a multiple of eight, the modulus has a byte more than the encoding: that byte is 0.
Frame frame_of(std::size_t bits, Buffer em) {
    const auto em_bits = bits - 1;
    const auto spare = em_bits % 8;
    if (spare == 0) return {em.subspan(1), 0xff};
    return {em, static_cast<std::uint8_t>(0xff >> (8 - spare))};
}

/// Xors MGF1(seed) over `data` (RFC 8017, B.2.1).
bool mgf1_xor(EVP_MD_CTX* scratch, const Digest& digest, Bytes seed, Buffer data) {
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> block;
    for (std::uint32_t counter = 0; !data.empty(); ++counter) {
        const std::array<std::uint8_t, 4> number = {
            static_cast<std::uint8_t>(counter >> 24), static_cast<std::uint8_t>(counter >> 16),
            static_cast<std::uint8_t>(counter >> 8), static_cast<std::uint8_t>(counter)};
        if (EVP_DigestInit_ex(scratch, digest.md, nullptr) != 1 ||
            EVP_DigestUpdate(scratch, seed.data(), seed.size()) != 1 ||
            EVP_DigestUpdate(scratch, number.data(), number.size()) != 1 ||
            EVP_DigestFinal_ex(scratch, block.data(), nullptr) != 1)
            return false;
        const auto len = std::min(digest.len, data.size());
        for (std::size_t i = 0; i < len; ++i) data[i] = static_cast<std::uint8_t>(data[i] ^ block[i]);
        data = data.subspan(len);
    }
    return true;
}

/// H = Hash(eight zero bytes, digest, salt).
bool hash(EVP_MD_CTX* scratch, const Digest& with, Bytes digest, Bytes salt, std::uint8_t* out) {
    static constexpr std::array<std::uint8_t, 8> kZeros{};
    return EVP_DigestInit_ex(scratch, with.md, nullptr) == 1 &&
           EVP_DigestUpdate(scratch, kZeros.data(), kZeros.size()) == 1 &&
           EVP_DigestUpdate(scratch, digest.data(), digest.size()) == 1 &&
           EVP_DigestUpdate(scratch, salt.data(), salt.size()) == 1 && EVP_DigestFinal_ex(scratch, out, nullptr) == 1;
}

/// The most that fits beside digest, trailer and the separator; negative where not even an empty salt does.
long salt_room(const PssShape& shape) {
    const auto em_len = (shape.bits - 1 + 7) / 8;
    return static_cast<long>(em_len) - static_cast<long>(shape.digest->len) - 2;
}

bool salt_len_is_right(const PssShape& shape, std::size_t len) {
    switch (shape.salt_len) {
        case kSaltAuto:
        case kSaltAutoDigestMax:
            return true;
        case kSaltDigest:
            return len == shape.digest->len;
        case kSaltMax:
            return static_cast<long>(len) == salt_room(shape);
        default:
            return static_cast<int>(len) == shape.salt_len;
    }
}

}  // namespace

int pss_signing_salt_len(const PssShape& shape) noexcept {
    const auto room = salt_room(shape);
    const auto digest_len = static_cast<long>(shape.digest->len);
    long len = shape.salt_len;
    if (len == kSaltDigest) len = digest_len;
    if (len == kSaltAuto || len == kSaltMax) len = room;
    if (len == kSaltAutoDigestMax) len = std::min(room, digest_len);
    return len < 0 || len > room ? -1 : static_cast<int>(len);
}

bool pss_encode(EVP_MD_CTX* scratch, const PssShape& shape, Bytes digest, Bytes salt, Buffer em) noexcept {
    if (static_cast<long>(salt.size()) > salt_room(shape)) return false;
    em[0] = 0;
    const auto [frame, mask] = frame_of(shape.bits, em);
    const auto db = frame.first(frame.size() - shape.digest->len - 1);
    const auto h = frame.subspan(db.size(), shape.digest->len);
    if (!hash(scratch, *shape.digest, digest, salt, h.data())) return false;
    std::fill(db.begin(), db.end(), std::uint8_t{0});
    db[db.size() - salt.size() - 1] = 1;
    std::copy(salt.begin(), salt.end(), db.end() - static_cast<std::ptrdiff_t>(salt.size()));
    if (!mgf1_xor(scratch, *shape.mgf1, h, db)) return false;
    db[0] = static_cast<std::uint8_t>(db[0] & mask);
    frame.back() = kTrailer;
    return true;
}

bool pss_verify(EVP_MD_CTX* scratch, const PssShape& shape, Bytes digest, Buffer em) noexcept {
    if (salt_room(shape) < 0) return false;
    const auto [frame, mask] = frame_of(shape.bits, em);
    if (frame.size() != em.size() && em[0] != 0) return false;
    if (frame.back() != kTrailer || (frame[0] & ~mask & 0xff) != 0) return false;
    const auto db = frame.first(frame.size() - shape.digest->len - 1);
    const auto h = frame.subspan(db.size(), shape.digest->len);
    if (!mgf1_xor(scratch, *shape.mgf1, h, db)) return false;
    db[0] = static_cast<std::uint8_t>(db[0] & mask);
    const auto separator = std::find_if(db.begin(), db.end(), [](auto byte) { return byte != 0; });
    if (separator == db.end() || *separator != 1) return false;
    const Bytes salt(separator + 1, db.end());
    if (!salt_len_is_right(shape, salt.size())) return false;
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> expected;
    return hash(scratch, *shape.digest, digest, salt, expected.data()) &&
           CRYPTO_memcmp(expected.data(), h.data(), h.size()) == 0;
}

}  // namespace octavo::provider
