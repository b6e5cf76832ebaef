#include "sides.hpp"

#include <openssl/err.h>

namespace octavo::test {
namespace {

OSSL_LIB_CTX* make(bool octavo) {
    auto* context = OSSL_LIB_CTX_new();
    if (octavo) {
        OSSL_PROVIDER_set_default_search_path(context, OCTAVO_MODULES);
        if (OSSL_PROVIDER_load(context, "octavo") == nullptr) {
            ERR_print_errors_fp(stderr);
            abort();
        }
        EVP_set_default_properties(context, "?provider=octavo");
    }
    if (OSSL_PROVIDER_load(context, "default") == nullptr) abort();
    return context;
}

std::string first_error() {
    const auto code = ERR_get_error();
    std::string text = "no error";
    if (code != 0) {
        const auto* reason = ERR_reason_error_string(code);
        text = reason == nullptr ? "reason " + std::to_string(ERR_GET_REASON(code)) : reason;
    }
    ERR_clear_error();
    return text;
}

}  // namespace

Data data(std::size_t len, unsigned seed) {
    Data bytes(len);
    std::uint32_t state = seed * 2654435761U + 1;
    for (auto& byte : bytes) {
        state = state * 1664525U + 1013904223U;
        byte = static_cast<std::uint8_t>(state >> 24);
    }
    return bytes;
}

Data data(const std::string& text) { return {text.begin(), text.end()}; }

std::string hex(const Data& bytes) {
    std::string text;
    char digits[3];
    for (const auto byte : bytes) std::snprintf(digits, sizeof digits, "%02x", byte), text += digits;
    return text;
}

OSSL_LIB_CTX* with_octavo() {
    static OSSL_LIB_CTX* const context = make(true);
    return context;
}

OSSL_LIB_CTX* without_octavo() {
    static OSSL_LIB_CTX* const context = make(false);
    return context;
}

bool Trace::note(const std::string& call, long answer) {
    lines_.push_back(call + " = " + std::to_string(answer) + ", " + first_error());
    return answer == 1;
}

std::string Trace::text() const {
    std::string text;
    for (const auto& line : lines_) text += line + "\n";
    return text;
}

PkeyContext context_for(OSSL_LIB_CTX* side, EVP_PKEY* key) {
    return PkeyContext(EVP_PKEY_CTX_new_from_pkey(side, key, nullptr));
}

}  // namespace octavo::test
