#include "frontend/engine/thresholds.hpp"

#include <openssl/obj_mac.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>

#include "frontend/engine/errors.hpp"

namespace octavo::engine {
namespace {

constexpr std::size_t kMaxList = 1023;
constexpr unsigned kDefault = 2048, kMax = 16384;
struct Cipher {
    std::string_view name;
    int nid;
};
constexpr Cipher kCiphers[] = {{"AES-128-CBC-HMAC-SHA1", NID_aes_128_cbc_hmac_sha1},
                               {"AES-256-CBC-HMAC-SHA1", NID_aes_256_cbc_hmac_sha1},
                               {"AES-128-CBC-HMAC-SHA256", NID_aes_128_cbc_hmac_sha256},
                               {"AES-256-CBC-HMAC-SHA256", NID_aes_256_cbc_hmac_sha256}};
using Thresholds = std::array<unsigned, std::size(kCiphers)>;
constexpr Thresholds kDefaults{kDefault, kDefault, kDefault, kDefault};

std::array<std::atomic<unsigned>, std::size(kCiphers)> thresholds{kDefault, kDefault, kDefault, kDefault};

void store(const Thresholds& values) {
    for (std::size_t i = 0; i < values.size(); ++i) thresholds[i].store(values[i], std::memory_order_relaxed);
}

bool refuse(std::string_view item) {
    return raise(Reason::bad_threshold, __func__, "'%.*s': CIPHER:BYTES is wanted, 0 to %u bytes",
                 static_cast<int>(std::min(item.size(), std::size_t{64})), item.data(), kMax) != 0;
}

bool take(std::string_view item, Thresholds& values) {
    const auto colon = item.find(':');
    const auto* cipher = std::find_if(std::begin(kCiphers), std::end(kCiphers),
                                      [&](const Cipher& known) { return known.name == item.substr(0, colon); });
    if (colon == std::string_view::npos || cipher == std::end(kCiphers)) return refuse(item);
    const auto number = item.substr(colon + 1);
    unsigned value = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (error != std::errc() || end != number.data() + number.size() || value > kMax) return refuse(item);
    values[static_cast<std::size_t>(cipher - std::begin(kCiphers))] = value;
    return true;
}

}  // namespace

bool set_thresholds(std::string_view list) noexcept {
    if (list.size() > kMaxList)
        return raise(Reason::bad_threshold, __func__, "%zu bytes: at most %zu", list.size(), kMaxList) != 0;
    Thresholds values;
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = thresholds[i].load(std::memory_order_relaxed);
    while (true) {
        const auto comma = list.find(',');
        if (!take(list.substr(0, comma), values)) return false;
        if (comma == std::string_view::npos) break;
        list.remove_prefix(comma + 1);
    }
    store(values);
    return true;
}

unsigned threshold_of(int nid) noexcept {
    const auto* cipher =
        std::find_if(std::begin(kCiphers), std::end(kCiphers), [&](const Cipher& known) { return known.nid == nid; });
    return cipher == std::end(kCiphers)
               ? 0
               : thresholds[static_cast<std::size_t>(cipher - kCiphers)].load(std::memory_order_relaxed);
}

void reset_thresholds() noexcept { store(kDefaults); }

}  // namespace octavo::engine
