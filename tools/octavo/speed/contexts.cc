#include "speed/contexts.hpp"

#include <fmt/core.h>
#include <openssl/params.h>

#include <string_view>

#include "installation.hpp"
#include "usage.hpp"

namespace octavo::cli {
namespace {

/// As a configuration file says it.
constexpr const char* kOctavoFirst = "?provider=octavo";

Pkey share(EVP_PKEY* pair) {
    EVP_PKEY_up_ref(pair);
    return Pkey{pair};
}

Pkey import_to_octavo(EVP_PKEY* pair) {
    const char* type = EVP_PKEY_get0_type_name(pair);
    OSSL_PARAM* numbers = nullptr;
    if (EVP_PKEY_todata(pair, EVP_PKEY_KEYPAIR, &numbers) != 1)
        throw Failure("OpenSSL does not give its key away: " + openssl_error());
    const std::unique_ptr<OSSL_PARAM, FreeWith<OSSL_PARAM_free>> owner{numbers};
    const PkeyContext context{EVP_PKEY_CTX_new_from_name(octavo_context(), type, kOctavoFirst)};
    EVP_PKEY* pkey = nullptr;
    if (context == nullptr || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &pkey, EVP_PKEY_KEYPAIR, numbers) != 1)
        throw Failure(fmt::format("the provider does not take a key of type {}: {}", type, openssl_error()));
    return Pkey{pkey};
}

}  // namespace

OSSL_LIB_CTX* default_context() {
    struct Holder {
        LibContext context{OSSL_LIB_CTX_new()};
        Provider provider{context == nullptr ? nullptr : OSSL_PROVIDER_load(context.get(), "default")};
    };
    static const Holder holder;
    if (holder.provider == nullptr) throw Failure("OpenSSL's default provider cannot be loaded: " + openssl_error());
    return holder.context.get();
}

OSSL_LIB_CTX* octavo_context() {
    struct Holder {
        LibContext context{OSSL_LIB_CTX_new()};
        Provider octavo, standard;
        Holder() {
            const auto module = provider_module();
            OSSL_PROVIDER_set_default_search_path(context.get(), module.folder.c_str());
            octavo.reset(OSSL_PROVIDER_load(context.get(), "octavo"));
            if (octavo == nullptr)
                throw Failure(fmt::format("the provider {} cannot be loaded: {}", module.path, openssl_error()));
            standard.reset(OSSL_PROVIDER_load(context.get(), "default"));
            if (standard == nullptr) throw Failure("OpenSSL's default provider cannot be loaded: " + openssl_error());
        }
    };
    static const Holder holder;
    return holder.context.get();
}

EvpPlace default_place() { return {default_context(), nullptr, share}; }
EvpPlace octavo_place() { return {octavo_context(), kOctavoFirst, import_to_octavo}; }

void require_octavo(const OSSL_PROVIDER* provider, const char* name) {
    const std::string_view who = provider == nullptr ? "none" : OSSL_PROVIDER_get0_name(provider);
    if (who != "octavo") throw Failure(fmt::format("{} is done by the provider \"{}\", not by octavo", name, who));
}

}  // namespace octavo::cli
