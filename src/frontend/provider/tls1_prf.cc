#include "frontend/bridge/kdf.hpp"
#include "frontend/provider/kdf_context.hpp"

namespace octavo::provider {
namespace {

struct Tls1Prf {
    enum { secret, seed };
    static constexpr KdfKind kKind = KdfKind::tls1_prf;
    static constexpr OctetField kFields[] = {
        {OSSL_KDF_PARAM_SECRET}, {OSSL_KDF_PARAM_SEED, OctetField::Rule::add, 1024},  // OpenSSL's own bound
    };
    static constexpr KdfRules kRules = {kFields};
    static const KdfRules& rules(const DefaultSide&) noexcept { return kRules; }

    static bool derive(const KdfState& state, std::span<std::uint8_t> out) noexcept {
        if (state.digest() == nullptr || state.bytes(secret).empty() || state.bytes(seed).empty()) return false;
        return bridge::tls1_prf(state.digest(), state.bytes(secret), state.bytes(seed), out);
    }
};

}  // namespace

const Offer tls1_prf_offer = {OSSL_OP_KDF, "TLS1-PRF", Kdf<Tls1Prf>::kTable, "TLS 1.0 to 1.2's PRF by Octavo"};
const Offer tls1_prf_exchange_offer = {OSSL_OP_KEYEXCH, "TLS1-PRF", KdfExchange<Tls1Prf>::kTable,
                                       "TLS 1.0 to 1.2's PRF by Octavo"};

}  // namespace octavo::provider
