#include "frontend/provider/errors.hpp"

#include <cstdarg>
#include <cstdint>

namespace octavo::provider {
namespace {

constexpr OSSL_ITEM item(Reason reason, const char* text) {
    return {static_cast<unsigned>(reason), const_cast<char*>(text)};  // OpenSSL's type; it only reads the text
}

}  // namespace

Errors::Errors(const OSSL_CORE_HANDLE* core, const OSSL_DISPATCH* functions) noexcept : core_(core) {
    for (const auto* f = functions; f->function_id != 0; ++f) {
        switch (f->function_id) {
            case OSSL_FUNC_CORE_NEW_ERROR:
                new_error_ = OSSL_FUNC_core_new_error(f);
                break;
            case OSSL_FUNC_CORE_SET_ERROR_DEBUG:
                set_debug_ = OSSL_FUNC_core_set_error_debug(f);
                break;
            case OSSL_FUNC_CORE_VSET_ERROR:
                set_error_ = OSSL_FUNC_core_vset_error(f);
                break;
            default:
                break;
        }
    }
}

int Errors::raise(Reason reason, const char* where, const char* format, ...) const noexcept {
    std::va_list arguments;
    va_start(arguments, format);
    new_error_(core_);
    set_debug_(core_, "octavo", 0, where);
    set_error_(core_, static_cast<std::uint32_t>(reason), format, arguments);
    va_end(arguments);
    return 0;
}

const OSSL_ITEM* reason_strings() noexcept {
    static constexpr OSSL_ITEM table[] = {
        item(Reason::output_too_small, "output buffer too small"),
        item(Reason::digest_not_allowed, "digest not allowed"),
        item(Reason::job_cancelled, "the job was cancelled"),
        item(Reason::bad_setting, "bad setting in the provider's section"),
        item(Reason::device_failed, "the endpoint failed, and there is no software fallback"),
        item(Reason::cipher_failed, "cipher operation failed"),
        item(Reason::bad_parameter, "failed to get parameter"),
        item(Reason::parameter_not_set, "failed to set parameter"),
        item(Reason::invalid_key_length, "invalid key length"),
        item(Reason::invalid_iv_length, "invalid iv length"),
        item(Reason::invalid_aad, "invalid aad"),
        item(Reason::invalid_tag, "invalid tag"),
        item(Reason::invalid_tag_length, "invalid tag length"),
        item(Reason::invalid_data, "invalid data"),
        item(Reason::tag_not_set, "tag not set"),
        item(Reason::tag_not_needed, "tag not needed"),
        {0, nullptr},
    };
    return table;
}

}  // namespace octavo::provider
