#pragma once

#include <cstddef>
#include <cstring>

#include "kernel/lanes/unroll.hpp"

/// Bytes to lanes and back; written on a lane type V.
namespace octavo::kernel::lanes {

enum class Order { big_endian, little_endian };

template <Order kOrder>
[[gnu::always_inline]] inline Limb load_word(const std::uint8_t* bytes) {
    Limb word;
    std::memcpy(&word, bytes, sizeof word);
    return kOrder == Order::big_endian ? __builtin_bswap64(word) : word;
}

/// Lane `lane` of `limbs` = the number in kLen bytes, a multiple of 8.
template <Order kOrder, int kLen, int kLimbs>
[[gnu::always_inline]] inline void read_lane(Lanes* limbs, int lane, const std::uint8_t* bytes) {
    constexpr int kWords = kLen / 8;
    Limb words[kWords + 1];
    for (int i = 0; i < kWords; ++i)
        words[i] = load_word<kOrder>(bytes + 8 * (kOrder == Order::big_endian ? kWords - 1 - i : i));
    words[kWords] = 0;
    repeat<kLimbs>(OCTAVO_EACH(i) {
        constexpr int kBit = i * kLimbBits, kWord = kBit / 64, kShift = kBit % 64;
        Limb limb = 0;
        if constexpr (kWord < kWords) limb = words[kWord] >> kShift;
        if constexpr (kWord < kWords && kShift > 64 - kLimbBits) limb |= words[kWord + 1] << (64 - kShift);
        limbs[i].lane[lane] = limb & kLimbMask;
    });
}

/// The number of lane `lane`, limbs below 2^52, to kLen bytes, a multiple of 8.
template <Order kOrder, int kLen, int kLimbs>
[[gnu::always_inline]] inline void write_lane(std::uint8_t* bytes, const Lanes* limbs, int lane) {
    constexpr int kWords = kLen / 8;
    repeat<kWords>(OCTAVO_EACH(i) {
        constexpr int kBit = i * 64, kLimb = kBit / kLimbBits, kShift = kBit % kLimbBits;
        Limb word = limbs[kLimb].lane[lane] >> kShift;
        if constexpr (kLimb + 1 < kLimbs) word |= limbs[kLimb + 1].lane[lane] << (kLimbBits - kShift);
        if constexpr (kLimb + 2 < kLimbs && 2 * kLimbBits - kShift < 64)
            word |= limbs[kLimb + 2].lane[lane] << (2 * kLimbBits - kShift);
        if constexpr (kOrder == Order::big_endian) word = __builtin_bswap64(word);
        std::memcpy(bytes + 8 * (kOrder == Order::big_endian ? kWords - 1 - i : i), &word, sizeof word);
    });
}

/// A number of each job, named by its member; lanes without a job take the first one's.
template <typename Element, Order kOrder, int kLen, typename Job, typename Member>
[[gnu::noinline]] Element read_jobs(const Job* jobs, std::size_t count, Member Job::*member) noexcept {
    Lanes limbs[Element::kLimbs];
    for (std::size_t l = 0; l < kLaneCount; ++l)
        read_lane<kOrder, kLen, Element::kLimbs>(limbs, static_cast<int>(l), jobs[l < count ? l : 0].*member);
    return Element::load(limbs);
}

template <typename Element, Order kOrder, int kLen, typename Job>
[[gnu::noinline]] void write_jobs(const Element& number, const Job* jobs, std::size_t count,
                                  std::uint8_t* Job::*member) noexcept {
    Lanes limbs[Element::kLimbs];
    number.store(limbs);
    for (std::size_t l = 0; l < count; ++l)
        write_lane<kOrder, kLen, Element::kLimbs>(jobs[l].*member, limbs, static_cast<int>(l));
}

/// Sets `ok` of each job.
template <typename Mask, typename Job>
void write_ok(Mask good, Job* jobs, std::size_t count) noexcept {
    for (std::size_t l = 0; l < count; ++l) jobs[l].ok = ((static_cast<unsigned>(good) >> l) & 1) != 0;
}

}  // namespace octavo::kernel::lanes
