#define OPENSSL_SUPPRESS_DEPRECATED  // EVP_PKEY_METHODs are what an ENGINE is about
#include "frontend/bridge/kdf.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <array>
#include <cstdint>
#include <memory>
#include <new>
#include <string_view>

#include "frontend/bridge/secret_bytes.hpp"
#include "frontend/engine/errors.hpp"
#include "frontend/engine/pkey.hpp"

// HKDF and TLS1-PRF as EVP_PKEY_METHODs. OpenSSL 3 has none of its own: what is switched off, missing or out of the ordinary goes to its EVP_KDF, and so do
// all refusals to derive.
namespace octavo::engine {
namespace {

using Bytes = std::span<const std::uint8_t>;
using Kdf = std::unique_ptr<EVP_KDF, decltype(&EVP_KDF_free)>;
using KdfContext = std::unique_ptr<EVP_KDF_CTX, decltype(&EVP_KDF_CTX_free)>;

/// As OpenSSL 3 takes it.
constexpr std::size_t kMaxSeed = 1024, kMaxInfo = 32 * 1024;

/// What a context was given.
struct State {
    int mode = EVP_PKEY_HKDEF_MODE_EXTRACT_AND_EXPAND;
    const EVP_MD* digest = nullptr;
    bool has_key = false;
    bridge::SecretBytes key, salt, info;  ///< a PRF's secret, none, and its seed

    void clear() noexcept {
        mode = EVP_PKEY_HKDEF_MODE_EXTRACT_AND_EXPAND;
        digest = nullptr;
        has_key = false;
        for (auto* bytes : {&key, &salt, &info}) bytes->clear();
    }
    bool copy_from(const State& other) noexcept {
        mode = other.mode;
        digest = other.digest;
        has_key = other.has_key;
        return key.assign(other.key.span()) && salt.assign(other.salt.span()) && info.assign(other.info.span());
    }
    bool is_plain() const noexcept {
        return digest != nullptr && EVP_MD_get_size(digest) > 0 && (EVP_MD_get_flags(digest) & EVP_MD_FLAG_XOF) == 0 &&
               key.size() != 0;
    }
};

State& state_of(const EVP_PKEY_CTX* context) {
    return *static_cast<State*>(EVP_PKEY_CTX_get_data(const_cast<EVP_PKEY_CTX*>(context)));  // reads only
}

int copy(EVP_PKEY_CTX* to, const EVP_PKEY_CTX* from) {
    if (make_state<State>(to) != 1) return 0;
    return state_of(to).copy_from(state_of(from)) ? 1 : raise(Reason::no_memory, __func__);
}

int derive_init(EVP_PKEY_CTX* context) {
    state_of(context).clear();
    return 1;
}

// What a control command gives: p1 bytes at p2.

int replace(bridge::SecretBytes& bytes, int len, const void* from) {
    if (len < 0) return raise(Reason::out_of_range, __func__, "a length of %d", len);
    return bytes.assign({static_cast<const std::uint8_t*>(from), static_cast<std::size_t>(len)})
               ? 1
               : raise(Reason::no_memory, __func__);
}

int append(bridge::SecretBytes& bytes, int len, const void* from, std::size_t most) {
    if (len == 0 || from == nullptr) return 1;
    if (len < 0 || static_cast<std::size_t>(len) > most - bytes.size())
        return raise(Reason::out_of_range, __func__, "a length of %d, and %zu bytes at most", len, most);
    const Bytes more(static_cast<const std::uint8_t*>(from), static_cast<std::size_t>(len));
    if (!bytes.reserve(bytes.size() + more.size())) return raise(Reason::no_memory, __func__);
    bytes.append(more);
    return 1;
}

int set_digest(State& state, const void* digest) {
    if (digest == nullptr) return raise(Reason::null_argument, __func__);
    state.digest = static_cast<const EVP_MD*>(digest);
    return 1;
}

int set_key(State& state, int len, const void* from) {
    if (len < 0 || (len > 0 && from == nullptr)) return raise(Reason::out_of_range, __func__, "a length of %d", len);
    state.has_key = true;
    return replace(state.key, len, from);
}

/// OpenSSL's EVP_KDF, given all that the state has.
int derive_by_openssl(const State& state, const char* name, bool is_prf, unsigned char* out, std::size_t len) {
    const Kdf kdf(EVP_KDF_fetch(nullptr, name, nullptr), EVP_KDF_free);
    const KdfContext context(kdf == nullptr ? nullptr : EVP_KDF_CTX_new(kdf.get()), EVP_KDF_CTX_free);
    if (context == nullptr) return 0;
    std::array<OSSL_PARAM, 6> params;
    auto* next = params.data();
    auto mode = state.mode;
    const auto add = [&next](const char* parameter, Bytes bytes) {
        *next++ = OSSL_PARAM_construct_octet_string(parameter, const_cast<std::uint8_t*>(bytes.data()), bytes.size());
    };
    if (!is_prf) *next++ = OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode);
    if (state.digest != nullptr)
        *next++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
                                                   const_cast<char*>(EVP_MD_get0_name(state.digest)), 0);
    if (state.has_key) add(is_prf ? OSSL_KDF_PARAM_SECRET : OSSL_KDF_PARAM_KEY, state.key.span());
    if (state.salt.size() != 0) add(OSSL_KDF_PARAM_SALT, state.salt.span());
    if (state.info.size() != 0) add(is_prf ? OSSL_KDF_PARAM_SEED : OSSL_KDF_PARAM_INFO, state.info.span());
    *next = OSSL_PARAM_construct_end();
    return EVP_KDF_derive(context.get(), out, len, params.data());
}

struct HkdfMethod {
    static constexpr int kNid = NID_hkdf;
    static constexpr const char* kName = "HKDF";
    static constexpr bool kIsPrf = false;
    static constexpr auto kAlgorithm = Algorithm::hkdf;

    struct Text {
        const char* name;
        int command;
    };
    static constexpr Text kTexts[] = {
        {"key", EVP_PKEY_CTRL_HKDF_KEY}, {"salt", EVP_PKEY_CTRL_HKDF_SALT}, {"info", EVP_PKEY_CTRL_HKDF_INFO}};
    static constexpr int kDigestCommand = EVP_PKEY_CTRL_HKDF_MD;

    static int set_mode(State& state, int mode) {
        if (mode < EVP_PKEY_HKDEF_MODE_EXTRACT_AND_EXPAND || mode > EVP_PKEY_HKDEF_MODE_EXPAND_ONLY)
            return raise(Reason::out_of_range, __func__, "mode %d", mode);
        state.mode = mode;
        return 1;
    }
    static int control(State& state, int command, int p1, void* p2) {
        switch (command) {
            case EVP_PKEY_CTRL_HKDF_MD:
                return set_digest(state, p2);
            case EVP_PKEY_CTRL_HKDF_MODE:
                return set_mode(state, p1);
            case EVP_PKEY_CTRL_HKDF_KEY:
                return set_key(state, p1, p2);
            case EVP_PKEY_CTRL_HKDF_SALT:
                return replace(state.salt, p2 == nullptr ? 0 : p1, p2);
            case EVP_PKEY_CTRL_HKDF_INFO:
                return append(state.info, p1, p2, kMaxInfo);
            default:
                return -2;
        }
    }
    static int control_mode(State& state, std::string_view mode) {
        constexpr std::string_view kModes[] = {"EXTRACT_AND_EXPAND", "EXTRACT_ONLY", "EXPAND_ONLY"};
        for (int i = 0; i < static_cast<int>(std::size(kModes)); ++i)
            if (mode == kModes[i]) return set_mode(state, i);
        return raise(Reason::out_of_range, __func__, "mode %s: EXTRACT_AND_EXPAND, EXTRACT_ONLY or EXPAND_ONLY",
                     mode.data());
    }
    /// SIZE_MAX where any length will do.
    static std::size_t size(const State& state) {
        return state.mode == EVP_PKEY_HKDEF_MODE_EXTRACT_ONLY && state.digest != nullptr
                   ? static_cast<std::size_t>(EVP_MD_get_size(state.digest))
                   : SIZE_MAX;
    }
    static bool derive(const State& state, std::span<std::uint8_t> out) {
        if (state.mode == EVP_PKEY_HKDEF_MODE_EXTRACT_ONLY)
            return bridge::hkdf_extract(state.digest, state.salt.span(), state.key.span(), out);
        if (state.mode == EVP_PKEY_HKDEF_MODE_EXPAND_ONLY)
            return bridge::hkdf_expand(state.digest, state.key.span(), state.info.span(), out);
        return bridge::hkdf(state.digest, state.salt.span(), state.key.span(), state.info.span(), out);
    }
};

struct PrfMethod {
    static constexpr int kNid = NID_tls1_prf;
    static constexpr const char* kName = "TLS1-PRF";
    static constexpr bool kIsPrf = true;
    static constexpr auto kAlgorithm = Algorithm::prf;

    static constexpr HkdfMethod::Text kTexts[] = {{"secret", EVP_PKEY_CTRL_TLS_SECRET},
                                                  {"seed", EVP_PKEY_CTRL_TLS_SEED}};
    static constexpr int kDigestCommand = EVP_PKEY_CTRL_TLS_MD;

    static int control(State& state, int command, int p1, void* p2) {
        switch (command) {
            case EVP_PKEY_CTRL_TLS_MD:
                return set_digest(state, p2);
            case EVP_PKEY_CTRL_TLS_SECRET:
                state.info.clear();  // EVP_PKEY_CTX_set1_tls1_prf_secret(3): a seed that was there is reset
                return set_key(state, p1, p2);
            case EVP_PKEY_CTRL_TLS_SEED:
                return append(state.info, p1, p2, kMaxSeed);
            default:
                return -2;
        }
    }
    static int control_mode(State&, std::string_view) { return -2; }
    static std::size_t size(const State&) { return SIZE_MAX; }
    static bool derive(const State& state, std::span<std::uint8_t> out) {
        return state.info.size() != 0 && bridge::tls1_prf(state.digest, state.key.span(), state.info.span(), out);
    }
};

template <class Method>
int control(EVP_PKEY_CTX* context, int command, int p1, void* p2) {
    return Method::control(state_of(context), command, p1, p2);
}

/// The parameters of `openssl pkeyutl -pkeyopt`; -2: there is none of that name.
template <class Method>
int control_text(EVP_PKEY_CTX* context, const char* name, const char* value) {
    if (value == nullptr) return raise(Reason::null_argument, __func__, "%s", name);
    const std::string_view what = name;
    if (what == "md") return EVP_PKEY_CTX_md(context, EVP_PKEY_OP_DERIVE, Method::kDigestCommand, value);
    if (what == "mode") return Method::control_mode(state_of(context), value);
    for (const auto& text : Method::kTexts) {
        if (what == text.name) return EVP_PKEY_CTX_str2ctrl(context, text.command, value);
        if (what.starts_with("hex") && what.substr(3) == text.name)
            return EVP_PKEY_CTX_hex2ctrl(context, text.command, value);
    }
    return -2;
}

template <class Method>
int derive(EVP_PKEY_CTX* context, unsigned char* out, size_t* len) {
    const auto& state = state_of(context);
    const auto size = Method::size(state);
    if (out == nullptr) {
        *len = size;
        return 1;
    }
    if (size != SIZE_MAX) {
        if (*len < size) return raise(Reason::out_of_range, __func__, "room for %zu bytes of %zu", *len, size);
        *len = size;
    }
    if (is_enabled(Method::kAlgorithm) && state.is_plain() && Method::derive(state, {out, *len})) return 1;
    return derive_by_openssl(state, Method::kName, Method::kIsPrf, out, *len);
}

template <class Method>
EVP_PKEY_METHOD* make() noexcept {
    auto* method = EVP_PKEY_meth_new(Method::kNid, 0);
    if (method == nullptr) return nullptr;
    EVP_PKEY_meth_set_init(method, make_state<State>);
    EVP_PKEY_meth_set_cleanup(method, free_state<State>);
    EVP_PKEY_meth_set_copy(method, copy);
    EVP_PKEY_meth_set_derive(method, derive_init, derive<Method>);
    EVP_PKEY_meth_set_ctrl(method, control<Method>, control_text<Method>);
    return method;
}

}  // namespace

EVP_PKEY_METHOD* make_hkdf() noexcept { return make<HkdfMethod>(); }
EVP_PKEY_METHOD* make_tls1_prf() noexcept { return make<PrfMethod>(); }

}  // namespace octavo::engine
