#include "load/lean_library.hpp"

#include <openssl/core_dispatch.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "usage.hpp"

namespace octavo::cli::load {
namespace {

constexpr const char* kName = "octavo-load-selection";
/// A client's X25519 key pair serves so many handshakes: making one costs a tenth of what the client does, and its age is nothing to the server.
constexpr unsigned kHandshakesPerKey = 64;
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

template <class Function>
Function* function_of(const OSSL_DISPATCH* table, int id) {
    for (; table->function_id != 0; ++table)
        if (table->function_id == id) return reinterpret_cast<Function*>(table->function);
    return nullptr;
}

struct KeyPairs {
    OSSL_FUNC_keymgmt_gen_init_fn* begin = nullptr;
    OSSL_FUNC_keymgmt_gen_fn* generate = nullptr;
    OSSL_FUNC_keymgmt_dup_fn* copy = nullptr;
    OSSL_FUNC_keymgmt_free_fn* free = nullptr;
};
KeyPairs x25519;  // the default provider's

struct LastKey {
    void* key = nullptr;
    unsigned num_uses = 0;
    ~LastKey() {
        if (key != nullptr) x25519.free(key);
    }
};

// libssl runs each generation before it begins the next.
thread_local int selection_of_generation = 0;

void* begin_generation(void* context, int selection, const OSSL_PARAM params[]) {
    selection_of_generation = selection;
    return x25519.begin(context, selection, params);
}

void* copy_or_generate(void* generation, OSSL_CALLBACK* progress, void* argument) {
    if ((selection_of_generation & OSSL_KEYMGMT_SELECT_KEYPAIR) == 0)
        return x25519.generate(generation, progress, argument);
    thread_local LastKey last;
    if (last.key == nullptr || ++last.num_uses >= kHandshakesPerKey) {
        if (last.key != nullptr) x25519.free(last.key);
        last.key = x25519.generate(generation, progress, argument);
        last.num_uses = 0;
    }
    return last.key == nullptr ? nullptr : x25519.copy(last.key, OSSL_KEYMGMT_SELECT_ALL);
}

std::vector<OSSL_DISPATCH> reuse_keys(const OSSL_DISPATCH* table) {
    x25519 = {function_of<OSSL_FUNC_keymgmt_gen_init_fn>(table, OSSL_FUNC_KEYMGMT_GEN_INIT),
              function_of<OSSL_FUNC_keymgmt_gen_fn>(table, OSSL_FUNC_KEYMGMT_GEN),
              function_of<OSSL_FUNC_keymgmt_dup_fn>(table, OSSL_FUNC_KEYMGMT_DUP),
              function_of<OSSL_FUNC_keymgmt_free_fn>(table, OSSL_FUNC_KEYMGMT_FREE)};
    std::vector<OSSL_DISPATCH> functions;
    for (; table->function_id != 0; ++table) {
        functions.push_back(*table);
        if (table->function_id == OSSL_FUNC_KEYMGMT_GEN_INIT)
            functions.back().function = reinterpret_cast<void (*)()>(begin_generation);
        if (table->function_id == OSSL_FUNC_KEYMGMT_GEN)
            functions.back().function = reinterpret_cast<void (*)()>(copy_or_generate);
    }
    functions.push_back({0, nullptr});
    return functions;
}

std::vector<OSSL_ALGORITHM> key_managers() {
    static std::vector<OSSL_DISPATCH> functions;
    int no_cache = 0;
    std::vector<OSSL_ALGORITHM> rows;
    const auto* row = OSSL_PROVIDER_query_operation(table_source(), OSSL_OP_KEYMGMT, &no_cache);
    for (; row != nullptr && row->algorithm_names != nullptr; ++row) {
        rows.push_back(*row);
        if (!std::string_view(row->algorithm_names).starts_with("X25519:")) continue;
        functions = reuse_keys(row->implementation);
        if (x25519.copy != nullptr) rows.back().implementation = functions.data();
    }
    rows.push_back({});
    return rows;
}

const OSSL_ALGORITHM* query(void*, int operation, int* no_cache) {
    static const auto keys = key_managers();
    static const auto decoders = select_decoders();
    *no_cache = 0;
    if (operation == OSSL_OP_DECODER) return decoders.data();
    if (operation == OSSL_OP_KEYMGMT) return keys.data();
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
