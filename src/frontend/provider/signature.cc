#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <memory>

#include "frontend/bridge/block.hpp"
#include "frontend/bridge/bridge.hpp"
#include "frontend/provider/message.hpp"
#include "frontend/provider/offers.hpp"
#include "frontend/provider/padding.hpp"
#include "frontend/provider/pss.hpp"
#include "frontend/provider/run.hpp"
#include "frontend/provider/signature_plan.hpp"
#include "frontend/provider/twin_context.hpp"

// What is plain sailing runs here: encode, one raw operation, compare. All else, every refusal included, is the twin's, so that
// its error is the default provider's own.
namespace octavo::provider {
namespace {

using bridge::Block;
using bridge::kMaxModulusBytes;

struct Context : TwinContext<Key, SignatureFunctions> {
    using TwinContext::TwinContext;
    Message message{};
    std::unique_ptr<EVP_MD_CTX, MdContextFree> scratch{};  // for PSS

    bool copy_from(const Context& other) noexcept {
        return TwinContext::copy_from(other) && message.copy_from(other.message);
    }
    /// The three kinds of init differ in the twin's function alone.
    template <class Init>
    int init(Init* twin_init, void* new_key, const OSSL_PARAM params[]) noexcept {
        if (!start(new_key, [&](void* twin_key) { return twin_init(twin, twin_key, params); })) return 0;
        message.stop();
        settings_changed();
        return 1;
    }
    std::size_t len() const noexcept { return key->bytes(); }
    /// Read again after settings have changed, when an operation wants it: applications make several in a row.
    void settings_changed() noexcept { plan_is_right_ = false; }
    const SignaturePlan& plan() noexcept {
        if (!plan_is_right_) plan_ = read_plan(provider.standard, twin);
        plan_is_right_ = true;
        return plan_;
    }
    EVP_MD_CTX* scratch_context() noexcept {
        if (scratch == nullptr) scratch.reset(EVP_MD_CTX_new());
        return scratch.get();
    }

private:
    SignaturePlan plan_{};
    bool plan_is_right_ = false;
};

Context& context_of(void* context) { return *static_cast<Context*>(context); }

int verify_recover_init(void* context, void* key, const OSSL_PARAM params[]) {
    auto& self = context_of(context);
    return self.init(self.functions.verify_recover_init, key, params);
}

bool digest_fits(const SignaturePlan& plan, Bytes tbs) {
    return plan.digest == nullptr || plan.digest->len == tbs.size();
}

Bytes prefix_of(const SignaturePlan& plan) { return plan.digest == nullptr ? Bytes() : plan.digest->prefix; }

PssShape shape_of(Context& context) {
    return {context.plan().digest, context.plan().mgf1, context.key->bits(), context.plan().salt_len};
}

bool encode_pss(Context& context, Bytes tbs, Buffer em) {
    const auto shape = shape_of(context);
    const auto salt_len = pss_signing_salt_len(shape);
    if (salt_len < 0 || context.scratch_context() == nullptr) return false;
    Block salt_memory(static_cast<std::size_t>(salt_len));
    const auto salt = salt_memory.bytes();
    return RAND_bytes_ex(context.provider.standard.libctx(), salt.data(), salt.size(), 0) == 1 &&
           pss_encode(context.scratch.get(), shape, tbs, salt, em);
}

bool encode(Context& context, Bytes tbs, Buffer em) {
    switch (context.plan().form) {
        case SignaturePlan::Form::pkcs1:
            return digest_fits(context.plan(), tbs) && pkcs1_encode(em, prefix_of(context.plan()), tbs);
        case SignaturePlan::Form::pss:
            return digest_fits(context.plan(), tbs) && encode_pss(context, tbs, em);
        case SignaturePlan::Form::raw:
            if (tbs.size() != em.size()) return false;
            std::copy(tbs.begin(), tbs.end(), em.begin());
            return true;
        default:
            return false;
    }
}

bool size_is_ours(const Context& context) {
    return context.key != nullptr && context.len() != 0 && context.len() <= kMaxModulusBytes;
}

bool fast_sign(Context& context, Bytes tbs, Buffer signature) {
    if (!size_is_ours(context) || signature.size() < context.len()) return false;
    octavo_key handle{};
    if (!context.key->private_handle(handle) || !bridge::is_worth(handle, OCTAVO_RSA_PRIVATE)) return false;
    Block memory(context.len());
    const auto em = memory.bytes();
    return encode(context, tbs, em) && run_raw(handle, OCTAVO_RSA_PRIVATE, em, signature.first(em.size()));
}

int sign(void* context, unsigned char* signature, size_t* signature_len, size_t capacity, const unsigned char* tbs,
         size_t tbs_len) {
    auto& self = context_of(context);
    if (signature != nullptr && fast_sign(self, Bytes(tbs, tbs_len), Buffer(signature, capacity))) {
        *signature_len = self.len();
        return 1;
    }
    if (const auto why = refusal()) return self.provider.errors.raise(*why, __func__);
    return self.functions.sign(self.twin, signature, signature_len, capacity, tbs, tbs_len);
}

/// Whether a public operation is for Octavo here and now; with which key.
bool may_open(Context& context, octavo_key& handle) {
    return context.key->public_handle(handle) && bridge::is_worth(handle, OCTAVO_RSA_PUBLIC);
}

/// signature^e mod n, for public data.
bool open(octavo_key key, Bytes signature, Buffer em) { return run_raw(key, OCTAVO_RSA_PUBLIC, signature, em); }

bool fast_verify(Context& context, Bytes signature, Bytes tbs) {
    if (context.plan().form == SignaturePlan::Form::other || !size_is_ours(context) ||
        signature.size() != context.len() || !digest_fits(context.plan(), tbs))
        return false;
    octavo_key handle{};
    if (!may_open(context, handle)) return false;
    Block em_memory(signature.size());
    const auto em = em_memory.bytes();
    if (context.plan().form == SignaturePlan::Form::pss)
        return context.scratch_context() != nullptr && open(handle, signature, em) &&
               pss_verify(context.scratch.get(), shape_of(context), tbs, em);
    Block expected_memory(signature.size());
    const auto expected = expected_memory.bytes();
    return encode(context, tbs, expected) && open(handle, signature, em) &&
           CRYPTO_memcmp(expected.data(), em.data(), em.size()) == 0;
}

int verify(void* context, const unsigned char* signature, size_t signature_len, const unsigned char* tbs,
           size_t tbs_len) {
    auto& self = context_of(context);
    if (fast_verify(self, Bytes(signature, signature_len), Bytes(tbs, tbs_len))) return 1;
    if (const auto why = refusal()) return self.provider.errors.raise(*why, __func__);
    return self.functions.verify(self.twin, signature, signature_len, tbs, tbs_len);
}

/// What a signature says, in em: the digest, or the message where there is no digest.
bool fast_recover(Context& context, Bytes signature, Buffer em, Bytes& message) {
    const auto form = context.plan().form;
    octavo_key handle{};
    if ((form != SignaturePlan::Form::raw && form != SignaturePlan::Form::pkcs1) || !size_is_ours(context) ||
        signature.size() != context.len() || !may_open(context, handle) || !open(handle, signature, em))
        return false;
    message = em;
    if (form == SignaturePlan::Form::raw) return true;
    if (!pkcs1_decode(em, message)) return false;
    const auto prefix = prefix_of(context.plan());
    if (context.plan().digest == nullptr) return true;
    if (message.size() != prefix.size() + context.plan().digest->len ||
        !std::equal(prefix.begin(), prefix.end(), message.begin()))
        return false;
    message = message.subspan(prefix.size());
    return true;
}

/// What the twin may write without looking at the capacity: the first releases of OpenSSL 3.0 trust the caller.
std::size_t recover_bound(Context& context) {
    if (context.plan().form == SignaturePlan::Form::pkcs1 && context.plan().digest != nullptr)
        return context.plan().digest->len;
    return context.plan().form == SignaturePlan::Form::other ? 0 : context.len();
}

int verify_recover(void* context, unsigned char* out, size_t* out_len, size_t capacity, const unsigned char* signature,
                   size_t signature_len) {
    auto& self = context_of(context);
    if (out != nullptr && self.key != nullptr) {
        if (capacity < recover_bound(self))
            return self.provider.errors.raise(Reason::output_too_small, __func__, "buffer size is %zu, should be %zu",
                                              capacity, recover_bound(self));
        Block em(std::min(signature_len, kMaxModulusBytes));
        Bytes message;
        if (fast_recover(self, Bytes(signature, signature_len), em.bytes(), message)) {
            std::copy(message.begin(), message.end(), out);
            *out_len = message.size();
            return 1;
        }
    }
    if (const auto why = refusal()) return self.provider.errors.raise(*why, __func__);
    return self.functions.verify_recover(self.twin, out, out_len, capacity, signature, signature_len);
}

int set_ctx_params(void* context, const OSSL_PARAM params[]) {
    auto& self = context_of(context);
    if (params == nullptr) return 1;
    if (self.message.forbids(params)) return self.provider.errors.raise(Reason::digest_not_allowed, __func__);
    const int done = self.functions.set_ctx_params(self.twin, params);
    self.settings_changed();
    return done;
}

using Own = ContextFunctions<Context, signatures_of<KeyKind::rsa>>;
using OfMessage = MessageFunctions<Context, sign, verify>;

const OSSL_DISPATCH rsa_functions[] = {
    OCTAVO_DIGEST_SIGNATURE_FUNCTIONS(Own, OfMessage, sign, verify, set_ctx_params),
    entry(OSSL_FUNC_SIGNATURE_VERIFY_RECOVER_INIT, verify_recover_init),
    entry(OSSL_FUNC_SIGNATURE_VERIFY_RECOVER, verify_recover),
    {0, nullptr},
};

}  // namespace

const Offer rsa_signature_offer = {OSSL_OP_SIGNATURE, "RSA", rsa_functions, "RSA signatures by Octavo"};

}  // namespace octavo::provider
