#include "frontend/provider/provider.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/prov_ssl.h>

#include <memory>
#include <new>

#include "frontend/provider/key_types.hpp"
#include "frontend/provider/settings.hpp"
#include "octavo/octavo.h"

namespace octavo::provider {
namespace {

#define OCTAVO_TEXT_(x) #x
#define OCTAVO_TEXT(x) OCTAVO_TEXT_(x)
constexpr char kVersion[] =
    OCTAVO_TEXT(OCTAVO_VERSION_MAJOR) "." OCTAVO_TEXT(OCTAVO_VERSION_MINOR) "." OCTAVO_TEXT(OCTAVO_VERSION_PATCH);

void teardown(void* provctx) { delete static_cast<Provider*>(provctx); }

const OSSL_PARAM* gettable_params(void*) {
    static const OSSL_PARAM table[] = {OSSL_PARAM_utf8_ptr(OSSL_PROV_PARAM_NAME, nullptr, 0),
                                       OSSL_PARAM_utf8_ptr(OSSL_PROV_PARAM_VERSION, nullptr, 0),
                                       OSSL_PARAM_utf8_ptr(OSSL_PROV_PARAM_BUILDINFO, nullptr, 0),
                                       OSSL_PARAM_int(OSSL_PROV_PARAM_STATUS, nullptr), OSSL_PARAM_END};
    return table;
}

int get_params(void*, OSSL_PARAM params[]) {
    auto* name = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_NAME);
    auto* version = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_VERSION);
    auto* build = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_BUILDINFO);
    auto* status = OSSL_PARAM_locate(params, OSSL_PROV_PARAM_STATUS);
    return (name == nullptr || OSSL_PARAM_set_utf8_ptr(name, "Octavo") == 1) &&
           (version == nullptr || OSSL_PARAM_set_utf8_ptr(version, kVersion) == 1) &&
           (build == nullptr || OSSL_PARAM_set_utf8_ptr(build, kVersion) == 1) &&
           (status == nullptr || OSSL_PARAM_set_int(status, 1) == 1);
}

const OSSL_ALGORITHM* query_operation(void* provctx, int operation, int* no_cache) {
    *no_cache = 0;
    return static_cast<const Provider*>(provctx)->offers.of(operation);
}

/// The groups of TLS, with the default side's particulars: libssl takes a group from the provider that has its key management.
int get_capabilities(void* provctx, const char* capability, OSSL_CALLBACK* callback, void* argument) {
    const auto* provider = static_cast<const Provider*>(provctx);
    return OPENSSL_strcasecmp(capability, "TLS-GROUP") == 0 &&
           provider->standard.capabilities(capability, callback, argument) == 1;
}

const OSSL_ITEM* get_reason_strings(void*) { return reason_strings(); }

const OSSL_DISPATCH functions[] = {
    entry(OSSL_FUNC_PROVIDER_TEARDOWN, teardown),
    entry(OSSL_FUNC_PROVIDER_GETTABLE_PARAMS, gettable_params),
    entry(OSSL_FUNC_PROVIDER_GET_PARAMS, get_params),
    entry(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query_operation),
    entry(OSSL_FUNC_PROVIDER_GET_CAPABILITIES, get_capabilities),
    entry(OSSL_FUNC_PROVIDER_GET_REASON_STRINGS, get_reason_strings),
    {0, nullptr},
};

}  // namespace
}  // namespace octavo::provider

extern "C" __attribute__((visibility("default"))) int OSSL_provider_init(const OSSL_CORE_HANDLE* core,
                                                                         const OSSL_DISPATCH* in,
                                                                         const OSSL_DISPATCH** out, void** provctx) {
    using namespace octavo::provider;
    auto provider = std::unique_ptr<Provider>(new (std::nothrow) Provider);
    if (provider == nullptr) return 0;
    provider->core = core;
    provider->errors = Errors(core, in);
    if (!provider->errors.complete() || !apply_settings(core, in, provider->errors) || !provider->standard.open() ||
        !provider->offers.open(provider->standard))
        return 0;
    use_key_types(provider->standard);
    *out = functions;
    *provctx = provider.release();
    return 1;
}
