#pragma once

#include <openssl/core.h>

#include "frontend/provider/errors.hpp"

namespace octavo::provider {

/// Reads the parameters of the provider's section in openssl.cnf (octavo(1) lists them) and applies them to the process. False, and what is
/// wrong in OpenSSL's queue, where a value is out of its range, or comes too late: instances have started with others.
bool apply_settings(const OSSL_CORE_HANDLE* core, const OSSL_DISPATCH* functions, const Errors& errors) noexcept;

}  // namespace octavo::provider
