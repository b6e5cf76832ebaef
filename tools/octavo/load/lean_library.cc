#include "load/lean_library.hpp"

#include <openssl/core_dispatch.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "usage.hpp"

namespace octavo::cli::load {
namespace {

constexpr const char* kName = "octavo-load-selection";
constexpr std::string_view kCertificateKeys[] = {"RSA", "RSA-PSS", "EC", "ED25519", "ED448"};

// OSSL_PROVIDER_load takes no argument for the init function that it calls, on this thread.
thread_local const OSSL_PROVIDER* being_offered = nullptr;

/// Asked for its tables only, which are the same in every library context; it stays until the program ends.
OSSL_PROVIDER* table_source() {
    static OSSL_PROVIDER* const source = OSSL_PROVIDER_load(OSSL_LIB_CTX_new(), "default");
    return source;
}

bool decodes_certificate_key(const OSSL_ALGORITHM& row) {
    const std::string_view properties = row.property_definition;
    return properties.find("input=der") != properties.npos &&
           properties.find("structure=SubjectPublicKeyInfo") != properties.npos &&
           std::find(std::begin(kCertificateKeys), std::end(kCertificateKeys), row.algorithm_names) !=
               std::end(kCertificateKeys);
}

std::vector<OSSL_ALGORITHM> select_decoders() {
    int no_cache = 0;
    std::vector<OSSL_ALGORITHM> rows;
    const auto* row = OSSL_PROVIDER_query_operation(table_source(), OSSL_OP_DECODER, &no_cache);
    for (; row != nullptr && row->algorithm_names != nullptr; ++row)
        if (decodes_certificate_key(*row)) rows.push_back(*row);
    rows.push_back({});
    return rows;
}

const OSSL_ALGORITHM* query(void*, int operation, int* no_cache) {
    static const auto decoders = select_decoders();
    *no_cache = 0;
    if (operation == OSSL_OP_DECODER) return decoders.data();
    return OSSL_PROVIDER_query_operation(table_source(), operation, no_cache);
}

int get_capabilities(void*, const char* capability, OSSL_CALLBACK* each, void* argument) {
    return OSSL_PROVIDER_get_capabilities(table_source(), capability, each, argument);
}

int init(const OSSL_CORE_HANDLE*, const OSSL_DISPATCH*, const OSSL_DISPATCH** functions, void** context) {
    static const OSSL_DISPATCH table[] = {
        {OSSL_FUNC_PROVIDER_QUERY_OPERATION, reinterpret_cast<void (*)()>(query)},
        {OSSL_FUNC_PROVIDER_GET_CAPABILITIES, reinterpret_cast<void (*)()>(get_capabilities)},
        {0, nullptr},
    };
    *functions = table;
    *context = OSSL_PROVIDER_get0_provider_ctx(being_offered);
    return 1;
}

}  // namespace

LeanLibrary::LeanLibrary()
    : whole_(OSSL_LIB_CTX_new()), default_(OSSL_PROVIDER_load(whole_.get(), "default")), lean_(OSSL_LIB_CTX_new()) {
    if (!default_ || !lean_ || table_source() == nullptr) throw Failure("OpenSSL's default provider cannot be loaded");
    being_offered = default_.get();
    if (OSSL_PROVIDER_add_builtin(lean_.get(), kName, init) == 1)
        selection_.reset(OSSL_PROVIDER_load(lean_.get(), kName));
    if (!selection_) throw Failure("OpenSSL does not take a selection of the default provider's algorithms");
}

}  // namespace octavo::cli::load
