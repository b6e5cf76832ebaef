#define NO_COMPAT_IMB_API_053  // older names of libipsec-mb, which are OpenSSL's, too
#include "support/own_work.hpp"

#include <dlfcn.h>
#include <intel-ipsec-mb.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/md5.h>
#include <openssl/sha.h>

#include <string_view>

namespace octavo::test::own_work {

std::atomic<int> hashes{0}, messages{0}, kdf_calls{0};
std::atomic<void (*)()> on_manager{nullptr};

namespace {

template <class Function>
Function* next(const char* name) {
    return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

/// Where provider or engine will go on at that address: libcrypto calls its own functions by these symbols, too.
void count(std::atomic<int>& calls, const void* return_address) {
    Dl_info object;
    if (dladdr(return_address, &object) != 0 && std::string_view(object.dli_fname).ends_with("/octavo.so")) ++calls;
}

/// Puts itself in the place of one of a manager's functions.
template <auto member>
struct Counted;
template <class... Arguments, void (*IMB_MGR::*member)(Arguments...)>
struct Counted<member> {
    static inline void (*real)(Arguments...) = nullptr;
    static void call(Arguments... arguments) {
        ++messages;
        real(arguments...);
    }
    static void wrap(IMB_MGR* manager) {
        if (manager->*member == call) return;
        real = manager->*member;
        manager->*member = call;
    }
};

template <auto... members>
void wrap_all(IMB_MGR* manager) {
    (Counted<members>::wrap(manager), ...);
}

}  // namespace
}  // namespace octavo::test::own_work

using namespace octavo::test;

#pragma GCC visibility push(default)  // seen by what the test loads

void init_mb_mgr_auto(IMB_MGR* manager, IMB_ARCH* arch) {
    static auto* const real = own_work::next<decltype(init_mb_mgr_auto)>("init_mb_mgr_auto");
    if (auto* const call = own_work::on_manager.load(); call != nullptr) call();
    real(manager, arch);
    own_work::wrap_all<&IMB_MGR::gcm128_enc, &IMB_MGR::gcm192_enc, &IMB_MGR::gcm256_enc, &IMB_MGR::gcm128_dec,
                       &IMB_MGR::gcm192_dec, &IMB_MGR::gcm256_dec, &IMB_MGR::gcm128_enc_finalize,
                       &IMB_MGR::gcm192_enc_finalize, &IMB_MGR::gcm256_enc_finalize, &IMB_MGR::gcm128_dec_finalize,
                       &IMB_MGR::gcm192_dec_finalize, &IMB_MGR::gcm256_dec_finalize,
                       &IMB_MGR::chacha20_poly1305_finalize>(manager);
}

#define COUNTED_HASH(function, Context)                                          \
    int function(Context* context) {                                             \
        static auto* const real = own_work::next<decltype(function)>(#function); \
        own_work::count(own_work::hashes, __builtin_return_address(0));          \
        return real(context);                                                    \
    }
COUNTED_HASH(MD5_Init, MD5_CTX)
COUNTED_HASH(SHA1_Init, SHA_CTX)
COUNTED_HASH(SHA224_Init, SHA256_CTX)
COUNTED_HASH(SHA256_Init, SHA256_CTX)
COUNTED_HASH(SHA384_Init, SHA512_CTX)
COUNTED_HASH(SHA512_Init, SHA512_CTX)

int EVP_DigestInit_ex2(EVP_MD_CTX* context, const EVP_MD* digest, const OSSL_PARAM params[]) {
    static auto* const real = own_work::next<decltype(EVP_DigestInit_ex2)>("EVP_DigestInit_ex2");
    own_work::count(own_work::hashes, __builtin_return_address(0));
    return real(context, digest, params);
}

int EVP_KDF_derive(EVP_KDF_CTX* context, unsigned char* key, size_t len, const OSSL_PARAM params[]) {
    static auto* const real = own_work::next<decltype(EVP_KDF_derive)>("EVP_KDF_derive");
    own_work::count(own_work::kdf_calls, __builtin_return_address(0));
    return real(context, key, len, params);
}

#pragma GCC visibility pop
