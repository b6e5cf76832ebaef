#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/prov_ssl.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>

#include "frontend/bridge/block.hpp"
#include "frontend/bridge/bridge.hpp"
#include "frontend/provider/key.hpp"
#include "frontend/provider/offers.hpp"
#include "frontend/provider/padding.hpp"
#include "frontend/provider/run.hpp"
#include "frontend/provider/twin_context.hpp"

// As with signatures, what is plain sailing runs here and the rest is the twin's; with one difference: once a ciphertext has been
// decrypted, nothing depends on what it held, so that its padding is judged here, in constant time.
namespace octavo::provider {
namespace {

using bridge::Block;
using bridge::kMaxModulusBytes;

constexpr std::size_t kMaxName = 64;
/// Three bytes and at least eight of padding.
constexpr std::size_t kPkcs1Overhead = RSA_PKCS1_PADDING_SIZE;
static_assert(kTlsPremaster == SSL_MAX_MASTER_KEY_LENGTH);

/// What a context is set to, as its twin has it.
struct Plan {
    enum class Form { other, raw, pkcs1, oaep, tls };
    Form form = Form::other;
    const Digest* digest = nullptr;
    const Digest* mgf1 = nullptr;
    Bytes label{};  // the twin's memory
    unsigned client_version = 0, alternative_version = 0;
};

Plan::Form form_of(int padding, const Plan& plan, unsigned implicit_rejection) {
    switch (padding) {
        case RSA_NO_PADDING:
            return Plan::Form::raw;
        // From OpenSSL 3.2 on, a wrong padding decrypts to a message made from the key and the ciphertext: the twin's affair.
        case RSA_PKCS1_PADDING:
            return implicit_rejection != 0 ? Plan::Form::other : Plan::Form::pkcs1;
        case RSA_PKCS1_OAEP_PADDING:
            return plan.digest == nullptr ? Plan::Form::other : Plan::Form::oaep;
        case RSA_PKCS1_WITH_TLS_PADDING:
            return Plan::Form::tls;
        default:
            return Plan::Form::other;
    }
}

Plan read_plan(const DefaultSide& standard, void* twin) {
    Plan plan;
    int padding = 0;
    std::array<char, kMaxName> digest{}, mgf1{};
    void* label = nullptr;
    unsigned implicit_rejection = 0;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_ASYM_CIPHER_PARAM_PAD_MODE, &padding),
        OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_OAEP_DIGEST, digest.data(), digest.size()),
        OSSL_PARAM_construct_utf8_string(OSSL_ASYM_CIPHER_PARAM_MGF1_DIGEST, mgf1.data(), mgf1.size()),
        OSSL_PARAM_construct_octet_ptr(OSSL_ASYM_CIPHER_PARAM_OAEP_LABEL, &label, 0),
        OSSL_PARAM_construct_uint(OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION, &plan.client_version),
        OSSL_PARAM_construct_uint(OSSL_ASYM_CIPHER_PARAM_TLS_NEGOTIATED_VERSION, &plan.alternative_version),
        OSSL_PARAM_construct_uint("implicit-rejection", &implicit_rejection),
        OSSL_PARAM_construct_end(),
    };
    if (standard.cipher().get_ctx_params(twin, params) != 1) return plan;
    if (digest[0] != '\0' && (plan.digest = standard.digests().find(digest.data())) == nullptr) return plan;
    plan.mgf1 = plan.digest;
    if (mgf1[0] != '\0' && (plan.mgf1 = standard.digests().find(mgf1.data())) == nullptr) return plan;
    if (label != nullptr) plan.label = Bytes(static_cast<const std::uint8_t*>(label), params[3].return_size);
    plan.form = form_of(padding, plan, implicit_rejection);
    return plan;
}

struct Context : TwinContext<Key, CipherFunctions> {
    using TwinContext::TwinContext;

    std::size_t len() const noexcept { return key->bytes(); }
    /// Read again after settings have changed, when an operation wants it: applications make several in a row.
    void settings_changed() noexcept { plan_is_right_ = false; }
    const Plan& plan() noexcept {
        if (!plan_is_right_) plan_ = read_plan(provider.standard, twin);
        plan_is_right_ = true;
        return plan_;
    }
    template <class Init>
    int init(Init* twin_init, void* new_key, const OSSL_PARAM params[]) noexcept {
        if (!start(new_key, [&](void* twin_key) { return twin_init(twin, twin_key, params); })) return 0;
        settings_changed();
        return 1;
    }
    bool size_is_ours() const noexcept { return key != nullptr && len() != 0 && len() <= kMaxModulusBytes; }

private:
    Plan plan_{};
    bool plan_is_right_ = false;
};

Context& context_of(void* context) { return *static_cast<Context*>(context); }

int encrypt_init(void* context, void* key, const OSSL_PARAM params[]) {
    auto& self = context_of(context);
    return self.init(self.functions.encrypt_init, key, params);
}

int decrypt_init(void* context, void* key, const OSSL_PARAM params[]) {
    auto& self = context_of(context);
    return self.init(self.functions.decrypt_init, key, params);
}

// libcrypto's own encodings: deprecated as functions to call with an RSA object in hand, which is not the case here.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

bool encode(const Plan& plan, Bytes message, Block& em) {
    const auto len = static_cast<int>(message.size());
    switch (plan.form) {
        case Plan::Form::raw:
            return RSA_padding_add_none(em.data(), em.size(), message.data(), len) == 1;
        case Plan::Form::pkcs1:
            return RSA_padding_add_PKCS1_type_2(em.data(), em.size(), message.data(), len) == 1;
        case Plan::Form::oaep:
            return RSA_padding_add_PKCS1_OAEP_mgf1(em.data(), em.size(), message.data(), len, plan.label.data(),
                                                   static_cast<int>(plan.label.size()), plan.digest->md,
                                                   plan.mgf1->md) == 1;
        default:
            return false;
    }
}

/// The length of the message, or -1; constant time in the block, errors included.
int decode(const Plan& plan, Block& em, Buffer out) {
    const auto capacity = static_cast<int>(std::min(out.size(), kMaxModulusBytes));
    if (plan.form == Plan::Form::pkcs1)
        return RSA_padding_check_PKCS1_type_2(out.data(), capacity, em.data(), em.size(), em.size());
    return RSA_padding_check_PKCS1_OAEP_mgf1(out.data(), capacity, em.data(), em.size(), em.size(), plan.label.data(),
                                             static_cast<int>(plan.label.size()), plan.digest->md, plan.mgf1->md);
}

#pragma GCC diagnostic pop

/// Whether a message fits: where not, the twin says so.
bool message_fits(const Plan& plan, std::size_t message_len, std::size_t len) {
    switch (plan.form) {
        case Plan::Form::raw:
            return message_len == len;
        case Plan::Form::pkcs1:
            return len >= kPkcs1Overhead && message_len <= len - kPkcs1Overhead;
        case Plan::Form::oaep:
            return message_len + 2 * plan.digest->len + 2 <= len;
        default:
            return false;
    }
}

bool fast_encrypt(Context& context, Bytes message, Buffer out) {
    octavo_key handle{};
    if (!context.size_is_ours() || !message_fits(context.plan(), message.size(), context.len()) ||
        !context.key->public_handle(handle))
        return false;
    Block em(context.len());
    return encode(context.plan(), message, em) &&
           run_raw(handle, OCTAVO_RSA_PUBLIC, em.bytes(), out.first(context.len()));
}

int encrypt(void* context, unsigned char* out, size_t* out_len, size_t capacity, const unsigned char* in,
            size_t in_len) {
    auto& self = context_of(context);
    if (out != nullptr && self.key != nullptr) {
        // The first releases of OpenSSL 3.0 do not look at the capacity.
        if (capacity < self.len())
            return self.provider.errors.raise(Reason::output_too_small, __func__, "buffer size is %zu, should be %zu",
                                              capacity, self.len());
        if (fast_encrypt(self, Bytes(in, in_len), Buffer(out, capacity))) {
            *out_len = self.len();
            return 1;
        }
    }
    if (const auto why = refusal()) return self.provider.errors.raise(*why, __func__);
    return self.functions.encrypt(self.twin, out, out_len, capacity, in, in_len);
}

/// The block that a ciphertext holds. Fails on public grounds alone.
bool open(Context& context, Bytes ciphertext, Block& em) {
    octavo_key handle{};
    return context.key->private_handle(handle) && run_raw(handle, OCTAVO_RSA_PRIVATE, ciphertext, em.bytes());
}

bool fast_decrypt_is_possible(Context& context, std::size_t ciphertext_len, std::size_t capacity) {
    if (!context.size_is_ours() || ciphertext_len != context.len()) return false;
    switch (context.plan().form) {
        case Plan::Form::tls:
            return capacity >= kTlsPremaster && context.len() >= kTlsPremaster + kPkcs1Overhead &&
                   context.plan().client_version != 0;
        case Plan::Form::pkcs1:
            return capacity >= context.len() && context.len() >= kPkcs1Overhead;
        case Plan::Form::other:
            return false;
        default:
            return capacity >= context.len();
    }
}

int decrypt_tls(Context& context, Block& em, Buffer out, size_t* out_len) {
    std::array<std::uint8_t, kTlsPremaster> random;
    if (RAND_priv_bytes_ex(context.provider.standard.libctx(), random.data(), random.size(), 0) != 1) return 0;
    tls_decode(em.bytes(), context.plan().client_version, context.plan().alternative_version, random,
               out.first<kTlsPremaster>());
    OPENSSL_cleanse(random.data(), random.size());
    *out_len = kTlsPremaster;
    return 1;
}

int finish_decrypt(Context& context, Block& em, Buffer out, size_t* out_len) {
    if (context.plan().form == Plan::Form::tls) return decrypt_tls(context, em, out, out_len);
    if (context.plan().form == Plan::Form::raw) {
        std::copy_n(em.data(), context.len(), out.data());
        *out_len = context.len();
        return 1;
    }
    const int len = decode(context.plan(), em, out);
    // All ones for a failure; the length stays as it was then, as with the default provider.
    const auto failed = static_cast<size_t>(0) - (static_cast<unsigned>(len) >> 31);
    *out_len = (*out_len & failed) | (static_cast<size_t>(len) & ~failed);
    return static_cast<int>(1 + failed);
}

int decrypt(void* context, unsigned char* out, size_t* out_len, size_t capacity, const unsigned char* in,
            size_t in_len) {
    auto& self = context_of(context);
    if (out != nullptr && fast_decrypt_is_possible(self, in_len, capacity)) {
        Block em(self.len());
        if (open(self, Bytes(in, in_len), em)) return finish_decrypt(self, em, Buffer(out, capacity), out_len);
    }
    if (const auto why = refusal()) return self.provider.errors.raise(*why, __func__);
    return self.functions.decrypt(self.twin, out, out_len, capacity, in, in_len);
}

int set_ctx_params(void* context, const OSSL_PARAM params[]) {
    auto& self = context_of(context);
    const int done = self.functions.set_ctx_params(self.twin, params);
    self.settings_changed();
    return done;
}

const CipherFunctions& table_of(const DefaultSide& standard) noexcept { return standard.cipher(); }
using Own = ContextFunctions<Context, table_of>;

const OSSL_DISPATCH rsa_functions[] = {
    entry(OSSL_FUNC_ASYM_CIPHER_NEWCTX, Own::newctx<>),
    entry(OSSL_FUNC_ASYM_CIPHER_FREECTX, Own::freectx),
    entry(OSSL_FUNC_ASYM_CIPHER_DUPCTX, Own::dupctx),
    entry(OSSL_FUNC_ASYM_CIPHER_ENCRYPT_INIT, encrypt_init),
    entry(OSSL_FUNC_ASYM_CIPHER_ENCRYPT, encrypt),
    entry(OSSL_FUNC_ASYM_CIPHER_DECRYPT_INIT, decrypt_init),
    entry(OSSL_FUNC_ASYM_CIPHER_DECRYPT, decrypt),
    entry(OSSL_FUNC_ASYM_CIPHER_GET_CTX_PARAMS, Own::get_params),
    entry(OSSL_FUNC_ASYM_CIPHER_GETTABLE_CTX_PARAMS, Own::gettable_params),
    entry(OSSL_FUNC_ASYM_CIPHER_SET_CTX_PARAMS, set_ctx_params),
    entry(OSSL_FUNC_ASYM_CIPHER_SETTABLE_CTX_PARAMS, Own::settable_params),
    {0, nullptr},
};

}  // namespace

const Offer asym_cipher_offer = {OSSL_OP_ASYM_CIPHER, "RSA", rsa_functions, "RSA encryption by Octavo"};

}  // namespace octavo::provider
