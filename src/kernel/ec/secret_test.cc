#include "kernel/ec/secret.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <vector>

namespace octavo::kernel::ec {
namespace {

using ByteVector = std::vector<std::uint8_t>;

ByteVector hex(const std::string& digits) {
    ByteVector bytes;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
        bytes.push_back(static_cast<std::uint8_t>(std::stoul(digits.substr(i, 2), nullptr, 16)));
    return bytes;
}

ByteVector nonce(const Group& group, Bytes scalar, Bytes digest, Bytes extra = {}) {
    ByteVector out(group.order.size());
    derive_nonce(group, scalar, digest, extra, out);
    return out;
}

const ByteVector& key256() {
    static const auto key = hex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721");
    return key;
}
const ByteVector& sample256() {
    static const auto digest = hex("af2bdbe1aa9b6ec1e2ade1d694f41fc71a831d0268e9891562113d8a62add1bf");
    return digest;
}

/// RFC 6979, A.2.5: P-256 with SHA-256, "sample".
TEST(Nonce, OfTheStandardForP256) {
    EXPECT_EQ(nonce(kGroupP256, key256(), sample256()),
              hex("A6E3C57DD01ABE90086538398355DD4C3B17AA873382B0F24D6129493D8AAD60"));
}

/// RFC 6979, A.2.6: P-384 with SHA-384, "sample".
TEST(Nonce, OfTheStandardForP384) {
    const auto key =
        hex("6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D896D5724E4C70A825F872C9EA60D2EDF5");
    const auto digest =
        hex("9a9083505bc92276aec4be312696ef7bf3bf603f4bbd381196a029f340585312313bca4a9b5b890efee42c77b1ee25fe");
    EXPECT_EQ(nonce(kGroupP384, key, digest),
              hex("94ED910D1A099DAD3254E9242AE85ABDE4BA15168EAF0CA87A555FD56D10FBCA2907E3E83BA95368623B8C4686915CF9"));
}

/// Nothing that goes in is without effect: nonces repeat only where all of it does.
TEST(Nonce, DependsOnKeyDigestAndExtra) {
    std::set<ByteVector> seen{nonce(kGroupP256, key256(), sample256())};
    for (int i = 0; i < 32; ++i) {
        auto key = key256(), digest = sample256();
        ByteVector extra(32, 0);
        const auto at = static_cast<std::size_t>(i);
        key[at] ^= 1, digest[at] ^= 1, extra[at] = 1;
        EXPECT_TRUE(seen.insert(nonce(kGroupP256, key, sample256())).second);
        EXPECT_TRUE(seen.insert(nonce(kGroupP256, key256(), digest)).second);
        EXPECT_TRUE(seen.insert(nonce(kGroupP256, key256(), sample256(), extra)).second);
    }
    EXPECT_EQ(nonce(kGroupP256, key256(), sample256()), nonce(kGroupP256, key256(), sample256()));
}

/// A digest of the order or more counts modulo the order.
TEST(Nonce, ReducesTheDigest) {
    const ByteVector order(kGroupP256.order.begin(), kGroupP256.order.end()), zero(32, 0), all(32, 0xFF);
    auto rest = all;  // 2^256 - 1 - order
    for (std::size_t i = 0; i < rest.size(); ++i) rest[i] = static_cast<std::uint8_t>(all[i] - order[i]);
    EXPECT_EQ(nonce(kGroupP256, key256(), order), nonce(kGroupP256, key256(), zero));
    EXPECT_EQ(nonce(kGroupP256, key256(), all), nonce(kGroupP256, key256(), rest));
}

TEST(Scalar, IsInRangeAndNeverTheSame) {
    for (const auto* group : {&kGroupP256, &kGroupP384}) {
        std::set<ByteVector> seen;
        for (int i = 0; i < 1000; ++i) {
            ByteVector scalar(group->order.size());
            ASSERT_TRUE(random_scalar(*group, scalar));
            EXPECT_TRUE(
                std::lexicographical_compare(scalar.begin(), scalar.end(), group->order.begin(), group->order.end()));
            EXPECT_TRUE(seen.insert(scalar).second);
        }
    }
}

}  // namespace
}  // namespace octavo::kernel::ec
