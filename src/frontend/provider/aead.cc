#include "frontend/provider/aead.hpp"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

namespace octavo::provider {
namespace {

constexpr std::size_t kIvLen = 12;

bool set(OSSL_PARAM params[], const char* name, std::size_t value) {
    auto* param = OSSL_PARAM_locate(params, name);
    return param == nullptr || OSSL_PARAM_set_size_t(param, value) == 1;
}

bool set_flag(OSSL_PARAM params[], const char* name, int value) {
    auto* param = OSSL_PARAM_locate(params, name);
    return param == nullptr || OSSL_PARAM_set_int(param, value) == 1;
}

}  // namespace

int get_aead_params(OSSL_PARAM params[], unsigned mode, std::size_t key_len) noexcept {
    auto* its_mode = OSSL_PARAM_locate(params, OSSL_CIPHER_PARAM_MODE);
    return (its_mode == nullptr || OSSL_PARAM_set_uint(its_mode, mode) == 1) &&
           set(params, OSSL_CIPHER_PARAM_KEYLEN, key_len) && set(params, OSSL_CIPHER_PARAM_BLOCK_SIZE, 1) &&
           set(params, OSSL_CIPHER_PARAM_IVLEN, kIvLen) && set_flag(params, OSSL_CIPHER_PARAM_AEAD, 1) &&
           set_flag(params, OSSL_CIPHER_PARAM_CUSTOM_IV, 1) && set_flag(params, OSSL_CIPHER_PARAM_CTS, 0) &&
           set_flag(params, OSSL_CIPHER_PARAM_TLS1_MULTIBLOCK, 0) &&
           set_flag(params, OSSL_CIPHER_PARAM_HAS_RAND_KEY, 0);
}

const OSSL_PARAM* gettable_aead_params(void*) noexcept {
    static const OSSL_PARAM table[] = {OSSL_PARAM_uint(OSSL_CIPHER_PARAM_MODE, nullptr),
                                       OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_KEYLEN, nullptr),
                                       OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_IVLEN, nullptr),
                                       OSSL_PARAM_size_t(OSSL_CIPHER_PARAM_BLOCK_SIZE, nullptr),
                                       OSSL_PARAM_int(OSSL_CIPHER_PARAM_AEAD, nullptr),
                                       OSSL_PARAM_int(OSSL_CIPHER_PARAM_CUSTOM_IV, nullptr),
                                       OSSL_PARAM_int(OSSL_CIPHER_PARAM_CTS, nullptr),
                                       OSSL_PARAM_int(OSSL_CIPHER_PARAM_TLS1_MULTIBLOCK, nullptr),
                                       OSSL_PARAM_int(OSSL_CIPHER_PARAM_HAS_RAND_KEY, nullptr),
                                       OSSL_PARAM_END};
    return table;
}

}  // namespace octavo::provider
