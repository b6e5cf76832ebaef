#include <openssl/kdf.h>

#include "frontend/bridge/kdf.hpp"
#include "frontend/provider/kdf_context.hpp"

namespace octavo::provider {
namespace {

struct Hkdf {
    enum { key, salt, info };
    static constexpr KdfKind kKind = KdfKind::hkdf;
    template <std::size_t most>
    static constexpr OctetField kFields[] = {
        {OSSL_KDF_PARAM_KEY},
        {OSSL_KDF_PARAM_SALT, OctetField::Rule::replace_if_any},
        {OSSL_KDF_PARAM_INFO, OctetField::Rule::collect, most},
    };
    static constexpr KdfRules kRules = {kFields<DefaultSide::kMaxHkdfInfo>},
                              kOldRules = {kFields<DefaultSide::kMaxOldHkdfInfo>};
    static const KdfRules& rules(const DefaultSide& standard) noexcept {
        return standard.takes_long_hkdf_info() ? kRules : kOldRules;
    }

    static bool derive(const KdfState& state, std::span<std::uint8_t> out) noexcept {
        if (state.digest() == nullptr || state.bytes(key).empty()) return false;
        switch (state.mode()) {
            case EVP_KDF_HKDF_MODE_EXTRACT_ONLY:
                return bridge::hkdf_extract(state.digest(), state.bytes(salt), state.bytes(key), out);
            case EVP_KDF_HKDF_MODE_EXPAND_ONLY:
                return bridge::hkdf_expand(state.digest(), state.bytes(key), state.bytes(info), out);
            default:
                return bridge::hkdf(state.digest(), state.bytes(salt), state.bytes(key), state.bytes(info), out);
        }
    }
};

}  // namespace

const Offer hkdf_offer = {OSSL_OP_KDF, "HKDF", Kdf<Hkdf>::kTable, "HKDF by Octavo"};
const Offer hkdf_exchange_offer = {OSSL_OP_KEYEXCH, "HKDF", KdfExchange<Hkdf>::kTable, "HKDF by Octavo"};

}  // namespace octavo::provider
