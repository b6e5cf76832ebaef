#include "doctor/setup.hpp"

#include <fmt/format.h>
#include <openssl/conf.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <memory>

#include "installation.hpp"
#include "openssl_handles.hpp"
#include "rows.hpp"

namespace octavo::cli {
namespace {

constexpr const char* kName = "octavo";

/// The configuration file that OpenSSL reads in this environment.
std::string configuration_path() {
    char* path = CONF_get1_default_config_file();
    if (path == nullptr) return "(none)";
    std::string text = path;
    OPENSSL_free(path);
    return text;
}

/// How to activate the provider: the build tree has a file that does.
std::string activation_advice(const std::string& configuration) {
    const auto ready = std::filesystem::path(library_path()).parent_path().parent_path() / "openssl.cnf";
    std::error_code error;
    if (std::filesystem::is_regular_file(ready, error)) return fmt::format("set OPENSSL_CONF={}", ready.string());
    return fmt::format(
        "in {}: name it in the [providers] section that openssl_conf leads to (octavo = octavo_provider), with "
        "\"activate = 1\" in "
        "[octavo_provider] and also in the default provider's section; octavo(1) has the lines",
        configuration);
}

Check check_loadable() {
    const auto module = provider_module();
    const auto identity = identify_provider(module);
    if (!identity.loaded)
        return {"loadable", Verdict::fail,
                fmt::format("the provider {} cannot be loaded: {}", module.path, identity.error),
                "install it beside liboctavo, in its folder ossl-modules, or in OpenSSL's folder of modules; or name "
                "its folder "
                "in OPENSSL_MODULES"};
    if (identity.version != library_version())
        return {"loadable", Verdict::warn,
                fmt::format("the provider {} is version {}, the library {}", module.path, identity.version,
                            library_version()),
                "install both from one build"};
    return {"loadable", Verdict::ok,
            fmt::format("the provider {} can be loaded, version {}", module.path, identity.version), ""};
}

/// What the provider says to its section in the configuration, "" where it has nothing to say. OpenSSL throws the errors of a provider away
/// that the configuration activates, so it is loaded by a call, from the same file without these lines.
std::string refusal(const std::string& configuration) {
    std::ifstream file(configuration);
    std::string text, line;
    while (std::getline(file, line))
        if (line.find("activate") == std::string::npos) text += line + '\n';
    const int fd = memfd_create("octavo-doctor", MFD_CLOEXEC);
    const bool is_written = fd >= 0 && write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    const std::unique_ptr<OSSL_LIB_CTX, decltype(&OSSL_LIB_CTX_free)> context(OSSL_LIB_CTX_new(), OSSL_LIB_CTX_free);
    const auto path = fmt::format("/proc/self/fd/{}", fd);
    const bool is_read = is_written && OSSL_LIB_CTX_load_config(context.get(), path.c_str()) == 1;
    if (fd >= 0) close(fd);
    ERR_clear_error();
    const char* where = "";
    if (!is_read || OSSL_PROVIDER_load(context.get(), kName) != nullptr ||
        ERR_peek_error_all(&where, nullptr, nullptr, nullptr, nullptr) == 0 || where != std::string_view(kName))
        return {};
    return openssl_error();
}

Check check_active() {
    const auto configuration = configuration_path();
    const bool read = OPENSSL_init_crypto(OPENSSL_INIT_LOAD_CONFIG, nullptr) == 1;
    if (OSSL_PROVIDER_available(nullptr, kName) == 1)
        return {"active", Verdict::ok, fmt::format("the provider is active, by {}", configuration), ""};
    std::error_code error;
    if (!std::filesystem::exists(configuration, error))
        return {"active", Verdict::fail,
                fmt::format("the provider is not active: there is no configuration file {}", configuration),
                activation_advice(configuration)};
    if (!read)
        return {
            "active", Verdict::fail,
            fmt::format("the provider is not active: OpenSSL does not accept {}: {}", configuration, openssl_error()),
            "mend that file, or name another in OPENSSL_CONF"};
    if (const auto reason = refusal(configuration); !reason.empty())
        return {
            "active", Verdict::fail,
            fmt::format("the provider is not active: it does not accept its section in {}: {}", configuration, reason),
            "mend the parameter; octavo(1) lists them"};
    return {"active", Verdict::fail, fmt::format("the provider is not active: {} does not activate it", configuration),
            activation_advice(configuration)};
}

/// The provider that a program without property queries of its own gets for an algorithm; "none" where there is none.
template <typename Method, auto fetch, auto free_method, auto get_provider>
std::string provider_of(const char* algorithm) {
    const std::unique_ptr<Method, FreeWith<free_method>> method{fetch(nullptr, algorithm, nullptr)};
    const OSSL_PROVIDER* provider = method == nullptr ? nullptr : get_provider(method.get());
    return provider == nullptr ? "none" : OSSL_PROVIDER_get0_name(provider);
}
constexpr auto* kKeys = provider_of<EVP_KEYMGMT, EVP_KEYMGMT_fetch, EVP_KEYMGMT_free, EVP_KEYMGMT_get0_provider>;
constexpr auto* kSignatures =
    provider_of<EVP_SIGNATURE, EVP_SIGNATURE_fetch, EVP_SIGNATURE_free, EVP_SIGNATURE_get0_provider>;
constexpr auto* kEncryption =
    provider_of<EVP_ASYM_CIPHER, EVP_ASYM_CIPHER_fetch, EVP_ASYM_CIPHER_free, EVP_ASYM_CIPHER_get0_provider>;
constexpr auto* kExchange = provider_of<EVP_KEYEXCH, EVP_KEYEXCH_fetch, EVP_KEYEXCH_free, EVP_KEYEXCH_get0_provider>;

struct Use {
    const char* what;
    const char* algorithm;
    std::string (*provider)(const char* algorithm);
};
constexpr Use kUses[] = {
    {"RSA keys", "RSA", kKeys},
    {"RSA signatures", "RSA", kSignatures},
    {"RSA encryption", "RSA", kEncryption},
    {"EC keys", "EC", kKeys},
    {"ECDSA signatures", "ECDSA", kSignatures},
    {"ECDH", "ECDH", kExchange},
    {"X25519 keys", "X25519", kKeys},
    {"X25519 exchange", "X25519", kExchange},
    {"X448 keys", "X448", kKeys},
    {"X448 exchange", "X448", kExchange},
    {"Ed25519 keys", "ED25519", kKeys},
    {"Ed25519 signatures", "ED25519", kSignatures},
    {"Ed448 keys", "ED448", kKeys},
    {"Ed448 signatures", "ED448", kSignatures},
};

Check check_picked(bool active) {
    std::map<std::string, std::vector<const char*>> others;
    for (const auto& use : kUses)
        if (const auto provider = use.provider(use.algorithm); provider != kName) others[provider].push_back(use.what);
    if (others.empty())
        return {"picked", Verdict::ok,
                "the provider is picked for RSA, EC, X25519, X448, Ed25519 and Ed448: keys, signatures, exchange and "
                "encryption",
                ""};
    std::vector<std::string> texts;
    for (const auto& [provider, what] : others)
        texts.push_back(fmt::format("\"{}\" is, for {}", provider, fmt::join(what, ", ")));
    return {"picked", Verdict::fail, fmt::format("the provider is not picked: {}", fmt::join(texts, "; ")),
            active ? "set default_properties = ?provider=octavo in the section that alg_section leads to; octavo(1) "
                     "has the lines"
                   : "activate it first"};
}

Check check_rows(const std::vector<KernelRow>& rows) {
    std::vector<std::string> running, idle;
    for (const auto& row : rows) {
        if (row.name == "ref") continue;
        if (row.chosen) running.push_back(fmt::format("{} \"{}\"", row.table, row.name));
        if (!row.usable) idle.push_back(fmt::format("{} \"{}\": {}", row.table, row.name, row.why));
    }
    if (all_have_lane_rows(rows))
        return {"rows", Verdict::ok, fmt::format("fast rows run: {}", fmt::join(running, ", ")), ""};
    return {"rows", Verdict::warn,
            fmt::format("a fast row does not run ({}): everything works, nothing is faster", fmt::join(idle, "; ")),
            "take a CPU with AVX512-IFMA; or where a variable is named, unset it"};
}

}  // namespace

std::vector<Check> check_setup() {
    std::vector<Check> checks{check_loadable(), check_active()};
    const bool active = checks.back().verdict == Verdict::ok;
    checks.push_back(check_picked(active));
    const auto rows = kernel_rows();
    checks.push_back(check_rows(rows));
    for (const auto& warning : override_warnings(rows))
        checks.push_back({"overrides", Verdict::warn, warning, "mend or unset the variable"});
    return checks;
}

}  // namespace octavo::cli
