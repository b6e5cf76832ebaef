#include "frontend/bridge/modulus.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <new>
#include <vector>

#include "frontend/bridge/bridge.hpp"

namespace octavo::bridge {
namespace {

struct Known {
    std::vector<std::uint8_t> modulus;
    std::size_t exponent_len;
    octavo_key key{};
};

// Filled from the front, never emptied.
constexpr std::size_t kMaxKnown = 32;
std::array<std::atomic<const Known*>, kMaxKnown> known_moduli{};

std::unique_ptr<Known> make(std::span<const std::uint8_t> modulus, std::size_t exponent_len) noexcept try {
    auto made = std::make_unique<Known>(Known{{modulus.begin(), modulus.end()}, exponent_len});
    const octavo_modulus numbers{sizeof numbers, {modulus.data(), modulus.size()}, exponent_len};
    return octavo_key_create_modulus(&numbers, &made->key) == OCTAVO_OK ? std::move(made) : nullptr;
} catch (const std::bad_alloc&) {
    return nullptr;
}

bool is(const Known& known, std::span<const std::uint8_t> modulus, std::size_t exponent_len) noexcept {
    return known.exponent_len == exponent_len &&
           std::equal(modulus.begin(), modulus.end(), known.modulus.begin(), known.modulus.end());
}

}  // namespace

std::size_t exponent_len(std::size_t len, std::size_t modulus_len) noexcept {
    return std::min((len + kExponentStep - 1) / kExponentStep * kExponentStep, modulus_len);
}

bool modulus_key(std::span<const std::uint8_t> modulus, std::size_t exponent_len, octavo_key& handle) noexcept {
    std::unique_ptr<Known> mine;
    for (auto& place : known_moduli) {
        const auto* known = place.load(std::memory_order_acquire);
        if (known == nullptr) {
            if (mine == nullptr) mine = make(modulus, exponent_len);
            if (mine == nullptr) return false;
            // acq_rel: whoever finds it sees it whole
            if (place.compare_exchange_strong(known, mine.get(), std::memory_order_acq_rel)) known = mine.release();
        }
        if (!is(*known, modulus, exponent_len)) continue;
        handle = known->key;
        break;
    }
    if (mine != nullptr) octavo_key_destroy(mine->key);
    return handle.id != 0;
}

octavo_status mod_exp(std::span<const std::uint8_t> modulus, std::span<const std::uint8_t> base,
                      std::span<const std::uint8_t> exponent, std::span<std::uint8_t> out) noexcept {
    octavo_key key{};
    if (!in_job() || modulus.size() > kMaxFieldBytes || !modulus_key(modulus, exponent.size(), key) ||
        !is_worth(key, OCTAVO_MOD_EXP))
        return OCTAVO_PORTABLE;
    std::array<std::uint8_t, 2 * kMaxFieldBytes> input;
    const auto middle = std::copy(base.begin(), base.end(), input.begin());
    const auto end = std::copy(exponent.begin(), exponent.end(), middle);
    const auto len = static_cast<std::size_t>(end - input.begin());
    const auto status = run_raw(key, OCTAVO_MOD_EXP, {input.data(), len}, out);
    OPENSSL_cleanse(input.data(), len);
    return status;
}

}  // namespace octavo::bridge
