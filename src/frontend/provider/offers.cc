#include "frontend/provider/offers.hpp"

#include <algorithm>
#include <new>

#include "frontend/provider/provider.hpp"

namespace octavo::provider {
namespace {

const Offer* const kOffers[] = {
    &rsa_key_offer,
    &rsa_pss_key_offer,
    &ec_key_offer,
    &x25519_key_offer,
    &x448_key_offer,
    &ed25519_key_offer,
    &ed448_key_offer,
    &rsa_signature_offer,
    &ecdsa_offer,
    &ed25519_offer,
    &ed448_offer,
    &ecdh_offer,
    &x25519_offer,
    &x448_offer,
    &asym_cipher_offer,
    &tls13_kdf_offer,
    &dh_key_offer,
    &dhx_key_offer,
    &dh_offer,
    &dsa_key_offer,
    &dsa_offer,
    &hkdf_offer,
    &tls1_prf_offer,
    &hkdf_key_offer,
    &hkdf_exchange_offer,
    &tls1_prf_key_offer,
    &tls1_prf_exchange_offer,
    &aes128_gcm_offer,
    &aes192_gcm_offer,
    &aes256_gcm_offer,
    &chacha20_poly1305_offer,
};

bool has(const OSSL_DISPATCH* table, int id) {
    for (; table->function_id != 0; ++table)
        if (table->function_id == id) return true;
    return false;
}

std::size_t length(const OSSL_DISPATCH* table) {
    std::size_t count = 0;
    while (table[count].function_id != 0) ++count;
    return count;
}

}  // namespace

void Offers::add(const DefaultSide& standard, const Offer& offer) {
    const auto* twin = standard.algorithm(offer.operation, offer.name);
    if (twin == nullptr || (offer.wanted != nullptr && !offer.wanted())) return;
    const auto count = length(offer.functions);
    auto table = std::make_unique<OSSL_DISPATCH[]>(count + 1);  // zeroed, and so ended
    std::copy_if(offer.functions, offer.functions + count, table.get(),
                 [&](const OSSL_DISPATCH& f) { return has(twin->implementation, f.function_id); });
    auto operation = std::find_if(operations_.begin(), operations_.end(),
                                  [&](const Operation& known) { return known.number == offer.operation; });
    if (operation == operations_.end()) operation = operations_.insert(operation, {offer.operation, {}});
    operation->algorithms.push_back({twin->algorithm_names, kProperties, table.get(), offer.description});
    tables_.push_back(std::move(table));
}

bool Offers::open(const DefaultSide& standard) noexcept try {
    for (const auto* offer : kOffers) add(standard, *offer);
    for (auto& operation : operations_) operation.algorithms.push_back({nullptr, nullptr, nullptr, nullptr});
    return true;
} catch (const std::bad_alloc&) {
    return false;
}

const OSSL_ALGORITHM* Offers::of(int operation) const noexcept {
    for (const auto& known : operations_)
        if (known.number == operation) return known.algorithms.data();
    return nullptr;
}

}  // namespace octavo::provider
