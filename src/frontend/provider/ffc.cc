#include "frontend/provider/ffc.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>

#include <algorithm>
#include <bit>
#include <memory>

#include "frontend/provider/run.hpp"

namespace octavo::provider {

bool GroupName::assign(std::string_view name) noexcept {
    if (name.size() >= text_.size()) return false;
    *std::copy(name.begin(), name.end(), text_.begin()) = '\0';
    return true;
}

GroupName named_group(const Key& key) noexcept {
    GroupName name;
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name.data(), name.capacity()),
                           OSSL_PARAM_construct_end()};
    ERR_set_mark();
    const bool has = key.functions().get_params(key.twin(), params) == 1 && OSSL_PARAM_modified(params) == 1;
    ERR_pop_to_mark();
    return has ? name : GroupName{};
}

std::size_t leading_zeros(std::span<const std::uint8_t> number) noexcept {
    std::size_t count = 0, all_zero = 1;
    for (const auto byte : number) {
        all_zero &= (std::size_t{byte} - 1) >> (8 * sizeof(std::size_t) - 1);
        count += all_zero;
    }
    return count;
}

FieldNumber::~FieldNumber() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

bool FieldNumber::read(const Key& key, const char* name) noexcept {
    OSSL_PARAM params[] = {OSSL_PARAM_construct_BN(name, bytes_.data(), bytes_.size()), OSSL_PARAM_construct_end()};
    ERR_set_mark();
    const bool good = key.functions().get_params(key.twin(), params) == 1 && OSSL_PARAM_modified(params) == 1;
    ERR_pop_to_mark();
    if (!good || params[0].return_size != bytes_.size()) return false;
    // OpenSSL's integers are in the byte order of the machine, and fill what there is for them.
    if constexpr (std::endian::native == std::endian::little) std::reverse(bytes_.begin(), bytes_.end());
    len_ = bytes_.size() - leading_zeros(bytes_);
    return len_ > 0;
}

bool in_range(const FieldNumber& y, const FieldNumber& p) noexcept {
    if (y.size() > p.size() || (y.size() == 1 && y.bytes()[0] < 2)) return false;
    if (y.size() < p.size()) return true;
    const auto a = y.bytes(), b = p.bytes();
    // p is odd: p - 1 differs from it in the last byte alone
    const auto last = a.size() - 1;
    const bool less = std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end());
    return less &&
           !(std::equal(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(last), b.begin()) && a[last] + 1 >= b[last]);
}

bool mod_exp(const FieldNumber& p, const FieldNumber& base, const FieldNumber& exponent,
             std::span<std::uint8_t> out) noexcept {
    if (base.size() > p.size() || exponent.size() > p.size()) return false;
    return is_done(bridge::mod_exp(p.bytes(), base.padded(p.size()),
                                   exponent.padded(bridge::exponent_len(exponent.size(), p.size())), out));
}

}  // namespace octavo::provider
