#define OPENSSL_SUPPRESS_DEPRECATED  // EVP_CIPHER methods are what an ENGINE is about
#include "frontend/bridge/gcm.hpp"

#include <openssl/evp.h>
#include <openssl/obj_mac.h>

#include <algorithm>
#include <new>

#include "frontend/bridge/aligned_new.hpp"
#include "frontend/bridge/cpu.hpp"
#include "frontend/bridge/made_once.hpp"
#include "frontend/engine/ciphers.hpp"
#include "frontend/engine/errors.hpp"
#include "frontend/engine/offload.hpp"
#include "frontend/engine/own_cipher.hpp"

// AES-GCM as an EVP_CIPHER. A context is Octavo's or OpenSSL's own for its whole life: both would have to count one IV up.
namespace octavo::engine {
namespace {

using bridge::Gcm;

constexpr int kFailed = -1;

struct Context : bridge::AlignedNew {
    Gcm gcm;
    explicit Context(std::size_t key_len) noexcept : gcm(key_len, nullptr) {}
};
/// Behind OpenSSL's own data.
struct State {
    Context* context;  // null: the context is OpenSSL's own
};

// As the engine is loaded: the guard of a function-local static could be left locked by a fork.
const OwnCipher own128(EVP_aes_128_gcm()), own192(EVP_aes_192_gcm()), own256(EVP_aes_256_gcm());

template <int nid>
const OwnCipher& own() noexcept {
    return nid == NID_aes_128_gcm ? own128 : nid == NID_aes_192_gcm ? own192 : own256;
}

bool is_ours() noexcept { return is_enabled(Algorithm::aes_gcm) && bridge::has_wide_aes(); }

template <int nid>
Context*& place_of(EVP_CIPHER_CTX* context) noexcept {
    return own<nid>().template state<State>(context).context;
}

/// When an EVP_CIPHER_CTX gets the cipher.
template <int nid>
int create(EVP_CIPHER_CTX* context) {
    auto& place = place_of<nid>(context);
    if (!is_ours()) return own<nid>().control(context, EVP_CTRL_INIT, 0, nullptr);
    place = new (std::nothrow) Context(static_cast<std::size_t>(EVP_CIPHER_CTX_get_key_length(context)));
    if (place != nullptr && place->gcm.good()) return 1;
    delete place;
    place = nullptr;
    return raise(Reason::no_memory, __func__);
}

template <int nid>
int copy(EVP_CIPHER_CTX* from, EVP_CIPHER_CTX* to) {
    auto* const original = place_of<nid>(from);
    if (original == nullptr) return own<nid>().control(from, EVP_CTRL_COPY, 0, to);
    auto* const copied = place_of<nid>(to) = new (std::nothrow) Context(*original);
    return copied != nullptr ? 1 : raise(Reason::no_memory, __func__);
}

template <int nid>
int cleanup(EVP_CIPHER_CTX* context) {
    if (EVP_CIPHER_CTX_get_cipher_data(context) == nullptr) return 1;
    auto& place = place_of<nid>(context);
    if (place == nullptr) return own<nid>().cleanup == nullptr ? 1 : own<nid>().cleanup(context);
    delete place;
    place = nullptr;
    return 1;
}

/// Where EVP_CIPHER_CTX_iv() looks, which has no room for a longer one.
void show_iv(EVP_CIPHER_CTX* context, const Gcm& gcm) noexcept {
    const auto iv = gcm.iv();
    if (iv.size() <= EVP_MAX_IV_LENGTH) std::copy(iv.begin(), iv.end(), EVP_CIPHER_CTX_iv_noconst(context));
}

template <int nid>
int init(EVP_CIPHER_CTX* context, const unsigned char* key, const unsigned char* iv, int encrypts) {
    auto* const ours = place_of<nid>(context);
    if (ours == nullptr) return own<nid>().init(context, key, iv, encrypts);
    auto& gcm = ours->gcm;
    gcm.set_direction(encrypts != 0);
    if (iv != nullptr && !gcm.set_iv({iv, gcm.iv_len()})) return 0;
    if (key != nullptr) gcm.set_key(key);
    show_iv(context, gcm);
    return 1;
}

/// Of the controls that have a length and bytes.
int control(Gcm& gcm, int type, int number, void* pointer) {
    auto* const bytes = static_cast<std::uint8_t*>(pointer);
    const auto len = static_cast<std::size_t>(number);
    if (bytes == nullptr || (number < 0 && type != EVP_CTRL_GCM_SET_IV_FIXED)) return 0;
    switch (type) {
        case EVP_CTRL_GET_IVLEN:
            *static_cast<int*>(pointer) = static_cast<int>(gcm.iv_len());
            return 1;
        case EVP_CTRL_AEAD_SET_TAG:
            return gcm.set_tag({bytes, len}) ? 1 : 0;
        case EVP_CTRL_AEAD_GET_TAG:
            return gcm.get_tag({bytes, len}) ? 1 : 0;
        case EVP_CTRL_GCM_SET_IV_FIXED:
            return gcm.set_fixed_iv(bytes, number < 0 ? Gcm::kWholeIv : len) ? 1 : 0;
        case EVP_CTRL_GCM_IV_GEN:
            return gcm.next_iv(bytes, len) ? 1 : 0;
        case EVP_CTRL_GCM_SET_IV_INV:
            return gcm.set_invocation({bytes, len}) ? 1 : 0;
        case EVP_CTRL_AEAD_TLS1_AAD:
            return static_cast<int>(gcm.set_tls_aad({bytes, len}));
        default:
            return kFailed;  // what OpenSSL takes for "not supported"
    }
}

template <int nid>
int control(EVP_CIPHER_CTX* context, int type, int number, void* pointer) {
    if (type == EVP_CTRL_INIT) return create<nid>(context);
    if (type == EVP_CTRL_COPY) return copy<nid>(context, static_cast<EVP_CIPHER_CTX*>(pointer));
    auto* const ours = place_of<nid>(context);
    if (ours == nullptr) return own<nid>().control(context, type, number, pointer);
    if (type == EVP_CTRL_AEAD_SET_IVLEN)
        return number > 0 && ours->gcm.set_iv_len(static_cast<std::size_t>(number)) ? 1 : 0;
    const int answer = control(ours->gcm, type, number, pointer);
    show_iv(context, ours->gcm);
    return answer;
}

template <int nid>
int run(EVP_CIPHER_CTX* context, unsigned char* out, const unsigned char* in, size_t len) {
    auto* const ours = place_of<nid>(context);
    if (ours == nullptr) return own<nid>().run(context, out, in, len);
    if (in == nullptr) return ours->gcm.final() ? 0 : kFailed;
    std::size_t done = 0;
    const bool good = ours->gcm.update(out, in, len, done);
    show_iv(context, ours->gcm);
    return good ? static_cast<int>(done) : kFailed;
}

template <int nid>
const EVP_CIPHER* make() noexcept {
    if (!own<nid>().good()) return nullptr;
    return own<nid>().template extend<State>(init<nid>, run<nid>, control<nid>, cleanup<nid>);
}

template <int nid>
const EVP_CIPHER* cipher() noexcept {
    static bridge::MadeOnce<const EVP_CIPHER*, nullptr> once;
    return once.get(make<nid>);
}

}  // namespace

const EVP_CIPHER* aes128_gcm() noexcept { return cipher<NID_aes_128_gcm>(); }
const EVP_CIPHER* aes192_gcm() noexcept { return cipher<NID_aes_192_gcm>(); }
const EVP_CIPHER* aes256_gcm() noexcept { return cipher<NID_aes_256_gcm>(); }

}  // namespace octavo::engine
