#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <thread>
#include <vector>

#include "frontend/bridge/cbc_hmac.hpp"
#include "frontend/bridge/chacha20_poly1305.hpp"
#include "frontend/bridge/gcm.hpp"

// What no front end's test can reach: lengths that take minutes, and the managers of libipsec-mb that threads share.
namespace octavo::bridge {
namespace {

std::array<std::uint8_t, 64> text{};
constexpr std::array<std::uint8_t, 32> kKey{};

/// A piece so long that it goes over the limit must be refused before anything is read. False, too, where a message is over by a byte alone.
template <class Cipher>
void expect_limit(Cipher& cipher, std::uint64_t most) {
    std::size_t done = 0;
    EXPECT_FALSE(cipher.update(text.data(), text.data(), most + 1, done));
    ASSERT_TRUE(cipher.update(text.data(), text.data(), text.size(), done));
    EXPECT_EQ(done, text.size());
    EXPECT_FALSE(cipher.update(text.data(), text.data(), most - text.size() + 1, done));
    EXPECT_FALSE(cipher.update(text.data(), text.data(), SIZE_MAX, done));
    EXPECT_EQ(done, 0U);
    EXPECT_TRUE(cipher.update(text.data(), text.data(), text.size(), done)) << "a refusal changes nothing";
    EXPECT_TRUE(cipher.final());
}

TEST(CipherLimits, ChaCha20Poly1305) {
    ChaCha20Poly1305 cipher;
    ASSERT_TRUE(cipher.good());
    cipher.set_key(kKey.data());
    cipher.set_iv(kKey.data());
    expect_limit(cipher, (std::uint64_t{1} << 38) - 64);
}

TEST(CipherLimits, Gcm) {
    Gcm cipher(16, nullptr);
    ASSERT_TRUE(cipher.good());
    cipher.set_key(kKey.data());
    ASSERT_TRUE(cipher.set_iv(Gcm::Bytes(kKey).first(12)));
    expect_limit(cipher, (std::uint64_t{1} << 36) - 32);
}

/// Sixteen records sealed with keys of the caller's own.
std::vector<std::uint8_t> seal(std::uint8_t number) {
    constexpr std::size_t kTextLen = 100;
    const std::vector<std::uint8_t> key(16, number), mac_key(20, static_cast<std::uint8_t>(number + 1));
    const std::array<std::uint8_t, CbcHmac::kHeaderLen> header{};
    alignas(CbcHmac::kBlock) CbcHmac sealer;
    sealer.set_hash(CbcHmac::Hash::sha1);
    sealer.forget_keys();
    sealer.set_key(key);
    sealer.set_mac_key(mac_key);
    const auto len = sealer.sealed_len(kTextLen);
    std::vector<std::uint8_t> bytes(CbcHmac::kMaxLanes * len, number);
    std::vector<CbcHmac::Record> records;
    for (std::size_t i = 0; i < CbcHmac::kMaxLanes; ++i)
        records.push_back({bytes.data() + i * len, len, kTextLen, header.data()});
    EXPECT_EQ(sealer.seal(records), CbcHmac::Sealing::done);
    return bytes;
}

/// More threads than there are places for idle managers.
TEST(CipherManagers, ThreadsShareThem) {
    constexpr std::uint8_t kNumThreads = 20;
    constexpr int kRounds = 20;
    std::vector<std::vector<std::uint8_t>> alone;
    for (std::uint8_t i = 0; i < kNumThreads; ++i) alone.push_back(seal(i));
    std::array<int, kNumThreads> num_wrong{};
    std::vector<std::thread> threads;
    for (std::uint8_t i = 0; i < kNumThreads; ++i)
        threads.emplace_back([&, i] {
            for (int round = 0; round < kRounds; ++round) num_wrong[i] += seal(i) != alone[i];
        });
    for (auto& thread : threads) thread.join();
    for (const int wrong : num_wrong) EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace octavo::bridge
