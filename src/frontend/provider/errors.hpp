#pragma once

#include <openssl/core.h>
#include <openssl/core_dispatch.h>

namespace octavo::provider {

/// Reasons of our own; the texts are the default provider's for the same failure. Most failures are raised by the default
/// provider itself, because what is not plain sailing is handed to it.
enum class Reason : int {
    output_too_small = 1,
    digest_not_allowed = 2,
    job_cancelled = 3,
    bad_setting = 4,
    device_failed = 5,
    cipher_failed = 6,
    bad_parameter = 7,
    parameter_not_set = 8,
    invalid_key_length = 9,
    invalid_iv_length = 10,
    invalid_aad = 11,
    invalid_tag = 12,
    invalid_tag_length = 13,
    invalid_data = 14,
    tag_not_set = 15,
    tag_not_needed = 16,
};

/// The core's error functions, as OSSL_provider_init() was given them.
class Errors {
public:
    Errors() = default;
    Errors(const OSSL_CORE_HANDLE* core, const OSSL_DISPATCH* functions) noexcept;

    bool complete() const noexcept { return new_error_ != nullptr && set_debug_ != nullptr && set_error_ != nullptr; }
    /// Puts an error into the calling thread's queue, with a printf text that may be null. Always 0, OpenSSL's "failed".
    int raise(Reason reason, const char* where, const char* format = nullptr, ...) const noexcept
        __attribute__((format(printf, 4, 5)));

private:
    const OSSL_CORE_HANDLE* core_ = nullptr;
    OSSL_FUNC_core_new_error_fn* new_error_ = nullptr;
    OSSL_FUNC_core_set_error_debug_fn* set_debug_ = nullptr;
    OSSL_FUNC_core_vset_error_fn* set_error_ = nullptr;
};

/// For OSSL_FUNC_PROVIDER_GET_REASON_STRINGS.
const OSSL_ITEM* reason_strings() noexcept;

}  // namespace octavo::provider
