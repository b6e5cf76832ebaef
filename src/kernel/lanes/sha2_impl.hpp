#pragma once

#include <cstddef>
#include <cstring>

#include "kernel/lanes/unroll.hpp"

/// SHA-2 (FIPS 180-4) of several messages side by side: on a lane type V of eight 64-bit words, or on a lane type W of sixteen 32-bit words.
namespace octavo::kernel::lanes {

/// A message in two pieces.
struct HashInput {
    const std::uint8_t* head;
    std::size_t head_len;
    const std::uint8_t* rest;
    std::size_t rest_len;
};

inline constexpr std::size_t kHashBlock = 128, kHashLen = 64;

/// Blocks of a message with its padding: a byte of 0x80, and 16 bytes of length.
constexpr std::size_t num_blocks(const HashInput& input) noexcept {
    return (input.head_len + input.rest_len + 17 + kHashBlock - 1) / kHashBlock;
}

/// Copies what of `piece`, which begins at `start` of the message, lies in the block that begins at `at`.
inline void copy_piece(std::uint8_t* block, std::size_t at, const std::uint8_t* piece, std::size_t start,
                       std::size_t len) noexcept {
    const std::size_t from = at > start ? at : start;
    const std::size_t end = at + kHashBlock < start + len ? at + kHashBlock : start + len;
    if (from < end) std::memcpy(block + (from - at), piece + (from - start), end - from);
}

/// Block `index` of the padded message.
inline void fill_block(std::uint8_t (&block)[kHashBlock], const HashInput& input, std::size_t index) noexcept {
    const std::size_t at = index * kHashBlock, len = input.head_len + input.rest_len;
    std::memset(block, 0, kHashBlock);
    copy_piece(block, at, input.head, 0, input.head_len);
    copy_piece(block, at, input.rest, input.head_len, input.rest_len);
    if (len >= at && len < at + kHashBlock) block[len - at] = 0x80;
    if (index + 1 == num_blocks(input)) {
        const std::uint64_t bits = __builtin_bswap64(static_cast<std::uint64_t>(len) * 8);
        block[kHashBlock - 9] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(len) >> 61);
        std::memcpy(block + kHashBlock - 8, &bits, sizeof bits);
    }
}

inline constexpr std::uint64_t kStart512[8] = {0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
                                               0xa54ff53a5f1d36f1, 0x510e527fade682d1, 0x9b05688c2b3e6c1f,
                                               0x1f83d9abfb41bd6b, 0x5be0cd19137e2179};
inline constexpr std::uint64_t kStart384[8] = {0xcbbb9d5dc1059ed8, 0x629a292a367cd507, 0x9159015a3070dd17,
                                               0x152fecd8f70e5939, 0x67332667ffc00b31, 0x8eb44a8768581511,
                                               0xdb0c2e0d64f98fa7, 0x47b5481dbefa4fa4};
inline constexpr std::uint32_t kStart256[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                               0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

inline constexpr std::uint64_t kRounds512[80] = {
    0x428a2f98d728ae22, 0x7137449123ef65cd, 0xb5c0fbcfec4d3b2f, 0xe9b5dba58189dbbc, 0x3956c25bf348b538,
    0x59f111f1b605d019, 0x923f82a4af194f9b, 0xab1c5ed5da6d8118, 0xd807aa98a3030242, 0x12835b0145706fbe,
    0x243185be4ee4b28c, 0x550c7dc3d5ffb4e2, 0x72be5d74f27b896f, 0x80deb1fe3b1696b1, 0x9bdc06a725c71235,
    0xc19bf174cf692694, 0xe49b69c19ef14ad2, 0xefbe4786384f25e3, 0x0fc19dc68b8cd5b5, 0x240ca1cc77ac9c65,
    0x2de92c6f592b0275, 0x4a7484aa6ea6e483, 0x5cb0a9dcbd41fbd4, 0x76f988da831153b5, 0x983e5152ee66dfab,
    0xa831c66d2db43210, 0xb00327c898fb213f, 0xbf597fc7beef0ee4, 0xc6e00bf33da88fc2, 0xd5a79147930aa725,
    0x06ca6351e003826f, 0x142929670a0e6e70, 0x27b70a8546d22ffc, 0x2e1b21385c26c926, 0x4d2c6dfc5ac42aed,
    0x53380d139d95b3df, 0x650a73548baf63de, 0x766a0abb3c77b2a8, 0x81c2c92e47edaee6, 0x92722c851482353b,
    0xa2bfe8a14cf10364, 0xa81a664bbc423001, 0xc24b8b70d0f89791, 0xc76c51a30654be30, 0xd192e819d6ef5218,
    0xd69906245565a910, 0xf40e35855771202a, 0x106aa07032bbd1b8, 0x19a4c116b8d2d0c8, 0x1e376c085141ab53,
    0x2748774cdf8eeb99, 0x34b0bcb5e19b48a8, 0x391c0cb3c5c95a63, 0x4ed8aa4ae3418acb, 0x5b9cca4f7763e373,
    0x682e6ff3d6b2b8a3, 0x748f82ee5defb2fc, 0x78a5636f43172f60, 0x84c87814a1f0ab72, 0x8cc702081a6439ec,
    0x90befffa23631e28, 0xa4506cebde82bde9, 0xbef9a3f7b2c67915, 0xc67178f2e372532b, 0xca273eceea26619c,
    0xd186b8c721c0c207, 0xeada7dd6cde0eb1e, 0xf57d4f7fee6ed178, 0x06f067aa72176fba, 0x0a637dc5a2c898a6,
    0x113f9804bef90dae, 0x1b710b35131c471b, 0x28db77f523047d84, 0x32caab7b40c72493, 0x3c9ebe0a15c9bebc,
    0x431d67c49c100d4c, 0x4cc5d4becb3e42b6, 0x597f299cfc657e2a, 0x5fcb6fab3ad6faec, 0x6c44198c4a475817};

/// A word of sixteen hashes.
struct alignas(64) Lanes32 {
    std::uint32_t lane[16];
};

struct Sha512Family {
    using Word = std::uint64_t;
    using LaneWords = Lanes;
    static constexpr int kRounds = 80, kLanes = 8;
    static constexpr int kSum0[3] = {28, 34, 39}, kSum1[3] = {14, 18, 41}, kSmall0[3] = {1, 8, 7},
                         kSmall1[3] = {19, 61, 6};
    static constexpr Word round_constant(int i) { return kRounds512[i]; }
};
struct Sha256Family {
    using Word = std::uint32_t;
    using LaneWords = Lanes32;
    static constexpr int kRounds = 64, kLanes = 16;
    static constexpr int kSum0[3] = {2, 13, 22}, kSum1[3] = {6, 11, 25}, kSmall0[3] = {7, 18, 3},
                         kSmall1[3] = {17, 19, 10};
    /// The first half of SHA-512's.
    static constexpr Word round_constant(int i) { return static_cast<Word>(kRounds512[i] >> 32); }
};

/// The states after one more block of every lane. words: the blocks, big-endian words as numbers; destroyed.
template <typename Family, typename V>
[[gnu::noinline]] void compress(V (&state)[8], typename Family::LaneWords (&words)[16]) noexcept {
    using F = Family;
    V s[8];
    repeat<8>(OCTAVO_EACH(i) { s[i] = state[i]; });
    for (int round = 0; round < F::kRounds; round += 16) {
        repeat<16>(OCTAVO_EACH(t) {
            const V word = V::load(words + t);
            V &a = s[(16 - t) % 8], &b = s[(17 - t) % 8], &c = s[(18 - t) % 8], &d = s[(19 - t) % 8];
            V &e = s[(20 - t) % 8], &f = s[(21 - t) % 8], &g = s[(22 - t) % 8], &h = s[(23 - t) % 8];
            const V sum1 = e.template rotated<F::kSum1[0]>() ^ e.template rotated<F::kSum1[1]>() ^
                           e.template rotated<F::kSum1[2]>();
            const V sum0 = a.template rotated<F::kSum0[0]>() ^ a.template rotated<F::kSum0[1]>() ^
                           a.template rotated<F::kSum0[2]>();
            const V added = h + sum1 + (g ^ (e & (f ^ g))) + V::every(F::round_constant(round + t)) + word;
            d = d + added;
            h = added + sum0 + ((a & b) | (c & (a | b)));
            const V w1 = V::load(words + (t + 1) % 16), w14 = V::load(words + (t + 14) % 16);
            const V small0 = w1.template rotated<F::kSmall0[0]>() ^ w1.template rotated<F::kSmall0[1]>() ^
                             w1.template shifted_right<F::kSmall0[2]>();
            const V small1 = w14.template rotated<F::kSmall1[0]>() ^ w14.template rotated<F::kSmall1[1]>() ^
                             w14.template shifted_right<F::kSmall1[2]>();
            (word + small0 + V::load(words + (t + 9) % 16) + small1).store(words + t);
        });
    }
    repeat<8>(OCTAVO_EACH(i) { state[i] = state[i] + s[i]; });
}

/// digests[l] = SHA-512(inputs[l]).
template <typename V>
[[gnu::noinline]] void sha512(std::uint8_t (&digests)[kLaneCount][kHashLen],
                              const HashInput (&inputs)[kLaneCount]) noexcept {
    V state[8];
    repeat<8>(OCTAVO_EACH(i) { state[i] = V::every(kStart512[i]); });
    std::size_t most = 0;
    for (const HashInput& input : inputs) most = most > num_blocks(input) ? most : num_blocks(input);
    for (std::size_t index = 0; index < most; ++index) {
        Lanes words[16], active;
        for (int l = 0; l < kLaneCount; ++l) {
            std::uint8_t block[kHashBlock];
            fill_block(block, inputs[l], index);
            for (int i = 0; i < 16; ++i) {
                std::memcpy(&words[i].lane[l], block + 8 * i, 8);
                words[i].lane[l] = __builtin_bswap64(words[i].lane[l]);
            }
            active.lane[l] = index < num_blocks(inputs[l]) ? 1 : 0;
        }
        V next[8];
        repeat<8>(OCTAVO_EACH(i) { next[i] = state[i]; });
        compress<Sha512Family>(next, words);
        const auto ended = V::load(&active).is_zero();
        repeat<8>(OCTAVO_EACH(i) { state[i] = V::choose(ended, state[i], next[i]); });
    }
    repeat<8>(OCTAVO_EACH(i) {
        Lanes word;
        state[i].store(&word);
        for (int l = 0; l < kLaneCount; ++l) {
            const std::uint64_t bytes = __builtin_bswap64(word.lane[l]);
            std::memcpy(digests[l] + 8 * i, &bytes, 8);
        }
    });
}

}  // namespace octavo::kernel::lanes
