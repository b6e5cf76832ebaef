#include "installation.hpp"

#include <dlfcn.h>
#include <fmt/core.h>
#include <octavo/octavo.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <stdlib.h>

#include <array>
#include <filesystem>

namespace octavo::cli {
namespace {

std::string file_of(const void* address) {
    Dl_info info{};
    if (dladdr(address, &info) == 0 || info.dli_fname == nullptr) return "unknown";
    std::error_code error;
    auto path = std::filesystem::canonical(info.dli_fname, error);
    return error ? info.dli_fname : path.string();
}

std::string version_text(unsigned long number) {
    return fmt::format("{}.{}.{}", number / 10000, number / 100 % 100, number % 100);
}

ProviderModule module_in(const std::filesystem::path& folder) {
    const auto path = folder / "octavo.so";
    std::error_code error;
    return {folder.string(), path.string(), std::filesystem::is_regular_file(path, error)};
}

std::string text_param(OSSL_PROVIDER* provider, const char* key) {
    const char* text = nullptr;
    std::array<OSSL_PARAM, 2> params = {OSSL_PARAM_construct_utf8_ptr(key, const_cast<char**>(&text), 0),
                                        OSSL_PARAM_construct_end()};
    if (OSSL_PROVIDER_get_params(provider, params.data()) != 1 || text == nullptr) return "unknown";
    return text;
}

}  // namespace

std::string library_version() { return version_text(octavo_version()); }

std::string openssl_version() { return OpenSSL_version(OPENSSL_VERSION_STRING); }

std::string version_line() {
    return fmt::format("octavo {}.{}.{}, liboctavo {}, OpenSSL {}", OCTAVO_VERSION_MAJOR, OCTAVO_VERSION_MINOR,
                       OCTAVO_VERSION_PATCH, library_version(), openssl_version());
}

std::string library_path() { return file_of(reinterpret_cast<const void*>(&octavo_version)); }

std::string openssl_path() { return file_of(reinterpret_cast<const void*>(&OpenSSL_version)); }

ProviderModule provider_module() {
    const auto beside = module_in(std::filesystem::path(library_path()).parent_path() / "ossl-modules");
    if (beside.exists) return beside;
    if (const char* folder = secure_getenv("OPENSSL_MODULES"); folder != nullptr) return module_in(folder);
    const char* standard = OPENSSL_info(OPENSSL_INFO_MODULES_DIR);
    return standard == nullptr ? beside : module_in(standard);
}

Provider load_provider(const ProviderModule& module, OSSL_LIB_CTX* context) {
    OSSL_PROVIDER_set_default_search_path(context, module.folder.c_str());
    return Provider{OSSL_PROVIDER_load(context, "octavo")};
}

ProviderIdentity identify_provider(const ProviderModule& module) {
    if (!module.exists) return {false, "", "", "there is no such file"};
    const LibContext context{OSSL_LIB_CTX_new()};
    if (context == nullptr) throw std::bad_alloc();
    const auto provider = load_provider(module, context.get());
    if (provider == nullptr) return {false, "", "", openssl_error()};
    return {true, text_param(provider.get(), OSSL_PROV_PARAM_NAME), text_param(provider.get(), OSSL_PROV_PARAM_VERSION),
            ""};
}

std::string openssl_error() {
    const unsigned long code = ERR_peek_error();
    if (code == 0) return "no reason given";
    const char* data = nullptr;
    int flags = 0;
    ERR_peek_error_all(nullptr, nullptr, nullptr, &data, &flags);
    const char* reason = ERR_reason_error_string(code);
    std::string text = reason == nullptr ? fmt::format("error {:#x}", code) : reason;
    if (data != nullptr && *data != '\0' && (flags & ERR_TXT_STRING) != 0) text += fmt::format(" ({})", data);
    ERR_clear_error();
    return text;
}

}  // namespace octavo::cli
