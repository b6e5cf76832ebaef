#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <span>

#include "frontend/bridge/curve.hpp"
#include "frontend/bridge/registered_key.hpp"
#include "frontend/provider/provider.hpp"

namespace octavo::provider {

using bridge::Curve;
using bridge::curve_named;
using bridge::generator;
using bridge::is_point;
using bridge::kMaxPrivateBytes;
using bridge::kMaxPublicBytes;
using bridge::kMaxSignatureBytes;
using bridge::may_offload;
using bridge::offload;
using bridge::only_curve;

/// The numbers of a key: any of both, or none for a curve alone. Wiped when it goes.
struct Numbers {
    const Curve* curve;
    bool has_private = false, has_public = false;
    /// private || public, each in its place whether it is there or not
    std::array<std::uint8_t, kMaxPrivateBytes + kMaxPublicBytes> bytes;

    explicit Numbers(const Curve* of) noexcept : curve(of) {}  // NOLINT: bytes are written before they are read
    Numbers(const Numbers&) = default;
    Numbers& operator=(const Numbers&) = delete;
    ~Numbers();

    /// Wipes it.
    void drop_private() noexcept;
    std::span<std::uint8_t> pair() noexcept { return {bytes.data(), curve->private_len + curve->public_len}; }
    std::span<std::uint8_t> private_key() noexcept { return pair().first(curve->private_len); }
    std::span<std::uint8_t> public_key() noexcept { return pair().subspan(curve->private_len); }
    std::span<const std::uint8_t> private_key() const noexcept { return {bytes.data(), curve->private_len}; }
    std::span<const std::uint8_t> public_key() const noexcept {
        return {bytes.data() + curve->private_len, curve->public_len};
    }
};

/// A key on a curve as OpenSSL holds it: its twin on the default side or its numbers, whichever there was first; the other is made when
/// something first needs it, and so is the Octavo key. A key that lives for one handshake never has a twin. Counted references:
/// operation contexts outlive the EVP_PKEY. Any number of threads may use one key at once; no lock.
class CurveKey {
public:
    /// Takes the twin. Null when memory has run out; the twin is freed then.
    static CurveKey* adopt(const Provider& provider, KeyKind kind, void* twin) noexcept;
    /// Null when memory has run out.
    static CurveKey* make(const Provider& provider, std::unique_ptr<Numbers> numbers) noexcept;

    CurveKey* retain() noexcept;
    void release() noexcept;

    const Provider& provider() const noexcept { return provider_; }
    const KeyFunctions& functions() const noexcept { return provider_.standard.keys(kind_); }
    KeyKind kind() const noexcept { return kind_; }
    /// Null when memory has run out.
    void* twin() noexcept;
    bool has_twin() const noexcept { return twin_.load(std::memory_order_acquire) != nullptr; }
    /// Null where it is none of Octavo's, or has explicit parameters. Costs less than the numbers, and once.
    const Curve* curve() noexcept;
    /// Null where they are not for Octavo: another curve, explicit parameters, an empty key.
    const Numbers* numbers() noexcept;

    /// The key is about to change: its twin alone counts, for that is what changes. False when memory has run out.
    bool leave_to_twin() noexcept;
    /// Gives a key without a private number, whose twin nobody has asked for, this public one. False: that is the twin's to do.
    bool set_public(std::span<const std::uint8_t> bytes) noexcept;

    /// The Octavo key. False where Octavo does not take the key: use the twin.
    bool handle(octavo_key& handle) noexcept;

private:
    CurveKey(const Provider& provider, KeyKind kind, void* twin, Numbers* numbers) noexcept;
    ~CurveKey();

    void* make_twin(const Numbers& numbers) const noexcept;
    Numbers* read_numbers() const noexcept;
    void forget() noexcept;

    const Provider& provider_;
    const KeyKind kind_;
    std::atomic<std::uint32_t> references_{1};
    std::atomic<void*> twin_;
    std::atomic<Numbers*> numbers_;
    bridge::RegisteredKey registered_;
    std::atomic<const Curve*> curve_{nullptr};
};

}  // namespace octavo::provider
