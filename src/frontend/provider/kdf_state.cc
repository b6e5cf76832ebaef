#include "frontend/provider/kdf_state.hpp"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <algorithm>
#include <functional>
#include <string_view>

namespace octavo::provider {
namespace {

using Rule = OctetField::Rule;

struct ModeName {
    const char* name;
    int mode;
};
constexpr ModeName kModes[] = {
    {"EXTRACT_AND_EXPAND", EVP_KDF_HKDF_MODE_EXTRACT_AND_EXPAND},
    {"EXTRACT_ONLY", EVP_KDF_HKDF_MODE_EXTRACT_ONLY},
    {"EXPAND_ONLY", EVP_KDF_HKDF_MODE_EXPAND_ONLY},
};

bool read_mode(const OSSL_PARAM& param, int& mode) noexcept {
    if (param.data_type == OSSL_PARAM_INTEGER && OSSL_PARAM_get_int(&param, &mode) == 1)
        return mode >= EVP_KDF_HKDF_MODE_EXTRACT_AND_EXPAND && mode <= EVP_KDF_HKDF_MODE_EXPAND_ONLY;
    if (param.data_type != OSSL_PARAM_UTF8_STRING || param.data == nullptr) return false;
    for (const auto& known : kModes)
        if (OPENSSL_strcasecmp(known.name, static_cast<const char*>(param.data)) == 0) {
            mode = known.mode;
            return true;
        }
    return false;
}

bool read_digest(const OSSL_PARAM& param, const Digests& digests, const Digest*& digest) noexcept {
    if (param.data_type != OSSL_PARAM_UTF8_STRING || param.data == nullptr) return false;
    digest = digests.find(static_cast<const char*>(param.data));
    return digest != nullptr;
}

bool is_list(Rule rule) { return rule == Rule::collect || rule == Rule::add; }

KdfState::Bytes octets(const OSSL_PARAM& param) {
    return {static_cast<const std::uint8_t*>(param.data), param.data_size};
}

}  // namespace

/// One call's parameters while they are looked through.
struct KdfState::Call {
    int mode = -1;
    const Digest* digest = nullptr;
    std::array<bool, kMaxFields> named{}, given{};
    std::array<std::size_t, kMaxFields> len{};
};

bool KdfState::read_octets(const OSSL_PARAM& param, Call& call) const noexcept {
    for (std::size_t i = 0; i < fields_.size(); ++i) {
        const auto& [name, rule, most] = fields_[i];
        if (std::string_view(name) != param.key) continue;
        if (param.data_type != OSSL_PARAM_OCTET_STRING || (call.named[i] && !is_list(rule))) return false;
        call.named[i] = true;
        const bool empty = param.data_size == 0;
        // The default sides do not agree on what an empty one does to one that was there.
        if (empty && rule == Rule::replace_if_any) return !given_[i];
        if (param.data == nullptr) return empty && is_list(rule);
        const auto before = rule == Rule::add && !call.given[i] ? values_[i].size() : call.len[i];
        call.given[i] = true;
        call.len[i] = before + param.data_size;
        return param.data_size <= most && call.len[i] <= most;
    }
    return false;
}

bool KdfState::read(const OSSL_PARAM& param, const Digests& digests, Call& call) const noexcept {
    const std::string_view name = param.key;
    if (name == OSSL_KDF_PARAM_DIGEST) return call.digest == nullptr && read_digest(param, digests, call.digest);
    if (name == OSSL_KDF_PARAM_MODE) return call.mode == -1 && read_mode(param, call.mode);
    return read_octets(param, call);
}

bool KdfState::is_empty() const noexcept {
    return mode_ == -1 && digest_ == nullptr && std::none_of(given_.begin(), given_.end(), std::identity{});
}

bool KdfState::make_room(const Call& call) noexcept {
    for (std::size_t i = 0; i < fields_.size(); ++i)
        if (!values_[i].reserve(call.len[i])) return false;
    return true;
}

bool KdfState::take(const OSSL_PARAM params[], const Digests& digests) noexcept {
    Call call;
    for (const auto* p = params; p->key != nullptr; ++p)
        if (!read(*p, digests, call)) return false;
    const auto mode = call.mode != -1 ? call.mode : mode_;
    if (mode < rules_.lowest_mode || (rules_.once && !is_empty()) || !make_room(call)) return false;
    mode_ = mode;
    if (call.digest != nullptr) digest_ = call.digest;
    for (std::size_t i = 0; i < fields_.size(); ++i) {
        if (call.named[i] && fields_[i].rule == Rule::collect) given_[i] = false;
        if (call.given[i]) given_[i] = true;
        if (!given_[i] || (call.given[i] && fields_[i].rule != Rule::add)) values_[i].clear();
    }
    for (const auto* p = params; p->key != nullptr; ++p)
        for (std::size_t i = 0; i < fields_.size(); ++i)
            if (std::string_view(fields_[i].name) == p->key && p->data != nullptr) values_[i].append(octets(*p));
    return true;
}

bool KdfState::copy_from(const KdfState& other) noexcept {
    mode_ = other.mode_;
    digest_ = other.digest_;
    given_ = other.given_;
    for (std::size_t i = 0; i < fields_.size(); ++i)
        if (!values_[i].assign(other.bytes(i))) return false;
    return true;
}

void KdfState::clear() noexcept {
    mode_ = -1;
    digest_ = nullptr;
    given_ = {};
    for (auto& value : values_) value.clear();
}

KdfState::Params KdfState::params() noexcept {
    Params params;
    std::size_t count = 0;
    if (mode_ != -1) params[count++] = OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode_);
    if (digest_ != nullptr)
        params[count++] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, const_cast<char*>(digest_->name), 0);
    for (std::size_t i = 0; i < fields_.size(); ++i)
        if (given_[i])
            params[count++] = OSSL_PARAM_construct_octet_string(fields_[i].name, values_[i].data(), values_[i].size());
    params[count] = OSSL_PARAM_construct_end();
    return params;
}

}  // namespace octavo::provider
