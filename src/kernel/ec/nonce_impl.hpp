#pragma once

#include "kernel/ec/batch_impl.hpp"
#include "kernel/lanes/sha2_impl.hpp"

/// Nonces of RFC 6979 for a batch: HMAC on lanes, all of them through the same blocks.
namespace octavo::kernel::ec {

/// HMAC-SHA-256 and HMAC-SHA-384, as RFC 6979 uses them for P-256 and P-384.
struct NonceSha256 {
    using Family = lanes::Sha256Family;
    static constexpr int kLen = 32;
    static constexpr const auto& kStart = lanes::kStart256;
};
struct NonceSha384 {
    using Family = lanes::Sha512Family;
    static constexpr int kLen = 48;
    static constexpr const auto& kStart = lanes::kStart384;
};

/// The generator of RFC 6979, 3.2, on a lane type H of the hash's words.
template <typename H, typename Hash>
struct NonceWork {
    using Family = typename Hash::Family;
    using Word = typename Family::Word;
    static constexpr int kLanes = Family::kLanes, kWordLen = sizeof(Word), kBlockLen = 16 * kWordLen;
    static constexpr int kOut = Hash::kLen / kWordLen;
    /// What follows V in the long messages: a separator, the scalar, the digest, extra input; padded to whole blocks.
    static constexpr int kDataLen = 1 + 2 * Hash::kLen + static_cast<int>(kNonceExtraLen);
    static constexpr int kNumBlocks = (Hash::kLen + kDataLen + 1 + 2 * kWordLen + kBlockLen - 1) / kBlockLen;
    static constexpr int kTailWords = 16 * kNumBlocks - kOut;

    using LaneWords = typename Family::LaneWords;
    LaneWords k[kOut], v[kOut], tail[kTailWords], block[16];
    H inner[8], outer[8];
    std::uint8_t digests[kLanes][Hash::kLen];

    void set_key() noexcept {
        start(inner, 0x36);
        start(outer, 0x5c);
    }
    /// K = HMAC_K(V || separator || ...), V = HMAC_K(V)
    void feed(Word separator) noexcept {
        H state[8];
        copy(state, inner);
        for (int at = 0; at < kNumBlocks; ++at) {
            for (int i = 0; i < 16; ++i) {
                const int word = 16 * at + i;
                const H from = word < kOut ? H::load(v + word) : H::load(tail + word - kOut);
                (word == kOut ? from | H::every(separator << (8 * kWordLen - 8)) : from).store(block + i);
            }
            lanes::compress<Family>(state, block);
        }
        finish(state, k);
        set_key();
        step();
    }
    /// V = HMAC_K(V)
    void step() noexcept {
        H state[8];
        copy(state, inner);
        fill_short(state, v);
        finish(state, v);
    }

private:
    static void copy(H (&to)[8], const H (&from)[8]) noexcept {
        lanes::repeat<8>(OCTAVO_EACH(i) { to[i] = from[i]; });
    }
    void start(H (&state)[8], Word pad) noexcept {
        const H pads = H::every(static_cast<Word>(~Word{0} / 0xff * pad));
        for (int i = 0; i < 16; ++i) (i < kOut ? H::load(k + i) ^ pads : pads).store(block + i);
        lanes::repeat<8>(OCTAVO_EACH(i) { state[i] = H::every(Hash::kStart[i]); });
        lanes::compress<Family>(state, block);
    }
    /// One more block: a hash's length of words, padding, the length behind a key block.
    void fill_short(H (&state)[8], const LaneWords (&words)[kOut]) noexcept {
        for (int i = 0; i < 16; ++i) (i < kOut ? H::load(words + i) : H::zero()).store(block + i);
        H::every(Word{1} << (8 * kWordLen - 1)).store(block + kOut);
        H::every(8 * (kBlockLen + Hash::kLen)).store(block + 15);
        lanes::compress<Family>(state, block);
    }
    void finish(H (&state)[8], LaneWords (&result)[kOut]) noexcept {
        lanes::repeat<kOut>(OCTAVO_EACH(i) { state[i].store(result + i); });
        copy(state, outer);
        fill_short(state, result);
        lanes::repeat<kOut>(OCTAVO_EACH(i) { state[i].store(result + i); });
    }
};

template <typename Word>
Word load_big_endian(const std::uint8_t* bytes) noexcept {
    Word word;
    std::memcpy(&word, bytes, sizeof word);
    return sizeof word == 8 ? static_cast<Word>(__builtin_bswap64(word))
                            : static_cast<Word>(__builtin_bswap32(static_cast<std::uint32_t>(word)));
}

/// The padded data of lane `lane`, as words.
template <typename H, typename Hash>
void fill_tail(NonceWork<H, Hash>& work, int lane, const NonceJob& job) noexcept {
    using Work = NonceWork<H, Hash>;
    constexpr int kLen = Hash::kLen, kWordLen = Work::kWordLen;
    std::uint8_t bytes[Work::kTailWords * kWordLen] = {};
    std::memcpy(bytes + 1, job.scalar, kLen);
    std::memcpy(bytes + 1 + kLen, work.digests[lane], kLen);
    std::memcpy(bytes + 1 + 2 * kLen, job.extra, kNonceExtraLen);
    bytes[Work::kDataLen] = 0x80;
    constexpr std::uint32_t kBits = 8 * (Work::kBlockLen + kLen + Work::kDataLen);
    bytes[sizeof bytes - 2] = static_cast<std::uint8_t>(kBits >> 8);
    bytes[sizeof bytes - 1] = static_cast<std::uint8_t>(kBits);
    for (int i = 0; i < Work::kTailWords; ++i)
        work.tail[i].lane[lane] = load_big_endian<typename Work::Word>(bytes + i * kWordLen);
}

/// work.digests = the digests modulo n (RFC 6979, 2.3.4).
template <typename V, typename Curve, typename H, typename Hash>
[[gnu::noinline]] void reduce_digests(NonceWork<H, Hash>& work, const NonceJob* jobs, std::size_t count) noexcept {
    using T = Types<V, Curve>;
    using Scalar = typename T::Scalar;
    for (std::size_t at = 0; at < count; at += lanes::kLaneCount) {
        const GroupOf group(jobs, count, at / lanes::kLaneCount);
        const auto digest = subtract_once(T::template read<Scalar>(group.jobs, group.num, &NonceJob::digest));
        Lanes limbs[Scalar::kLimbs];
        digest.store(limbs);
        for (std::size_t l = 0; l < group.num; ++l)
            lanes::write_lane<lanes::Order::big_endian, Hash::kLen, Scalar::kLimbs>(work.digests[at + l], limbs,
                                                                                    static_cast<int>(l));
    }
}

/// As many jobs as there are lanes.
template <typename V, typename Curve, typename H, typename Hash>
[[gnu::noinline]] void nonces_of_group(NonceWork<H, Hash>& work, const NonceJob* jobs, std::size_t count) noexcept {
    using Work = NonceWork<H, Hash>;
    reduce_digests<V, Curve>(work, jobs, count);
    for (std::size_t l = 0; l < Work::kLanes; ++l) {
        if (l >= count) std::memcpy(work.digests[l], work.digests[0], Hash::kLen);
        fill_tail(work, static_cast<int>(l), jobs[l < count ? l : 0]);
    }
    for (int i = 0; i < Work::kOut; ++i) {
        H::zero().store(work.k + i);
        H::every(static_cast<typename Work::Word>(~typename Work::Word{0} / 0xff)).store(work.v + i);
    }
    work.set_key();
    work.feed(0);
    work.feed(1);
    work.step();
    for (std::size_t l = 0; l < count; ++l) {
        for (int i = 0; i < Work::kOut; ++i) {
            const auto word =
                load_big_endian<typename Work::Word>(reinterpret_cast<const std::uint8_t*>(&work.v[i].lane[l]));
            std::memcpy(jobs[l].nonce + i * Work::kWordLen, &word, sizeof word);
        }
    }
}

template <typename V, typename Curve, typename H, typename Hash>
[[gnu::noinline]] void run_nonces(NonceWork<H, Hash>& work, NonceJob* jobs, std::size_t count) noexcept {
    constexpr std::size_t kLanes = NonceWork<H, Hash>::kLanes;
    for (std::size_t i = 0; i < count; i += kLanes)
        nonces_of_group<V, Curve>(work, jobs + i, count - i < kLanes ? count - i : kLanes);
}

}  // namespace octavo::kernel::ec
