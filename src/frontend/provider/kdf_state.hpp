#pragma once

#include <openssl/core.h>
#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>

#include "frontend/bridge/secret_bytes.hpp"
#include "frontend/provider/digest.hpp"

namespace octavo::provider {

/// What a key derivation does with a parameter of bytes.
struct OctetField {
    enum class Rule {
        replace,         ///< the last one counts
        replace_if_any,  ///< so it does, but an empty one is none
        collect,         ///< all of a call's, one after another
        add,             ///< all, one after another
    };
    const char* name;
    Rule rule = Rule::replace;
    std::size_t most = std::numeric_limits<int>::max();  ///< bytes: more is the twin's to judge
};

/// What a key derivation takes.
struct KdfRules {
    std::span<const OctetField> fields;  ///< KdfState::kMaxFields at most
    int lowest_mode = -1;                ///< without which nothing is taken; -1 where there need not be one
    bool once = false;                   ///< all in one call
};

/// The parameters of a key derivation, as the default side would keep them. Wiped when they go.
class KdfState {
public:
    using Bytes = std::span<const std::uint8_t>;
    static constexpr std::size_t kMaxFields = 5;

    explicit KdfState(const KdfRules& rules) noexcept : rules_(rules), fields_(rules.fields) {}

    /// Takes all of a call's parameters; false, with nothing taken, where there is one that the default side might not take, or in a way of its
    /// own: twice the same, of an odd type, unknown.
    [[nodiscard]] bool take(const OSSL_PARAM params[], const Digests& digests) noexcept;
    [[nodiscard]] bool copy_from(const KdfState& other) noexcept;
    void clear() noexcept;

    /// EVP_KDF_HKDF_MODE_...; -1: not given.
    int mode() const noexcept { return mode_; }
    /// Null: not given.
    const EVP_MD* digest() const noexcept { return digest_ == nullptr ? nullptr : digest_->md; }
    bool has(std::size_t field) const noexcept { return given_[field]; }
    Bytes bytes(std::size_t field) const noexcept { return values_[field].span(); }

    /// All that was taken, for the twin.
    using Params = std::array<OSSL_PARAM, kMaxFields + 3>;
    Params params() noexcept;

private:
    struct Call;
    bool is_empty() const noexcept;
    bool read(const OSSL_PARAM& param, const Digests& digests, Call& call) const noexcept;
    bool read_octets(const OSSL_PARAM& param, Call& call) const noexcept;
    bool make_room(const Call& call) noexcept;

    const KdfRules& rules_;
    const std::span<const OctetField> fields_;
    int mode_ = -1;
    const Digest* digest_ = nullptr;
    std::array<bool, kMaxFields> given_{};
    std::array<bridge::SecretBytes, kMaxFields> values_;
};

}  // namespace octavo::provider
