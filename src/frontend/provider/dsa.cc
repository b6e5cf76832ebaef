#include "frontend/bridge/dsa.hpp"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/params.h>

#include <array>

#include "frontend/bridge/bridge.hpp"
#include "frontend/bridge/ecdsa_der.hpp"
#include "frontend/provider/digest_signature.hpp"
#include "frontend/provider/ffc.hpp"
#include "frontend/provider/offers.hpp"
#include "frontend/provider/twin_keymgmt.hpp"

// Keys are the default side's. A signature in a job runs on Octavo; verifications and every refusal are the twin's.
namespace octavo::provider {
namespace {

using namespace twin_keymgmt;

using Context = DigestSignature<Key>;
using Bytes = std::span<const std::uint8_t>;

std::size_t max_size(const Key& key) noexcept {
    int size = 0;
    OSSL_PARAM params[] = {OSSL_PARAM_construct_int(OSSL_PKEY_PARAM_MAX_SIZE, &size), OSSL_PARAM_construct_end()};
    return key.functions().get_params(key.twin(), params) == 1 && size > 0 ? static_cast<std::size_t>(size) : SIZE_MAX;
}

/// The twin does not tell its digest's length, but takes no other.
bool has_the_digests_length(const Context& context, Bytes digest) noexcept {
    std::array<char, 64> name{};
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, name.data(), name.size()),
                           OSSL_PARAM_construct_end()};
    if (context.functions.get_ctx_params(context.twin, params) != 1) return false;
    if (name[0] == '\0') return true;
    const auto* known = context.provider.standard.digests().find(name.data());
    return known != nullptr && static_cast<std::size_t>(EVP_MD_get_size(known->md)) == digest.size();
}

bool sign_on_octavo(const Context& context, Bytes digest, std::span<std::uint8_t> out, std::size_t& len) {
    FieldNumber p, q, g, x;
    if (!bridge::in_job() || !context.is_plain(digest) || !has_the_digests_length(context, digest) ||
        out.size() < max_size(*context.key) || !p.read(*context.key, OSSL_PKEY_PARAM_FFC_P) ||
        !q.read(*context.key, OSSL_PKEY_PARAM_FFC_Q) || !g.read(*context.key, OSSL_PKEY_PARAM_FFC_G) ||
        !x.read(*context.key, OSSL_PKEY_PARAM_PRIV_KEY) || !in_range(g, p) || q.size() > bridge::kMaxSubgroupBytes)
        return false;
    std::array<std::uint8_t, 2 * bridge::kMaxSubgroupBytes> memory;
    const auto signature = std::span(memory).first(2 * q.size());
    if (!bridge::dsa_sign({p.bytes(), q.bytes(), g.padded(p.size()), x.bytes()}, digest,
                          context.provider.standard.libctx(), signature))
        return false;
    len = bridge::write_signature(signature, out.data());
    return true;
}

int sign(void* context, unsigned char* signature, size_t* signature_len, size_t capacity, const unsigned char* tbs,
         size_t tbs_len) {
    auto& self = *static_cast<Context*>(context);
    if (signature != nullptr && sign_on_octavo(self, {tbs, tbs_len}, {signature, capacity}, *signature_len)) return 1;
    if (bridge::job_is_cancelled()) return self.provider.errors.raise(Reason::job_cancelled, __func__);
    return self.functions.sign(self.twin, signature, signature_len, capacity, tbs, tbs_len);
}

int verify(void* context, const unsigned char* signature, size_t signature_len, const unsigned char* tbs,
           size_t tbs_len) {
    auto& self = *static_cast<Context*>(context);
    return self.functions.verify(self.twin, signature, signature_len, tbs, tbs_len);
}

const OSSL_DISPATCH key_functions[] = {OCTAVO_KEY_FUNCTIONS(KeyKind::dsa, validate),
                                       entry(OSSL_FUNC_KEYMGMT_GEN_SET_TEMPLATE, gen_set_template),
                                       {0, nullptr}};

}  // namespace

const Offer dsa_key_offer = {OSSL_OP_KEYMGMT, "DSA", key_functions, "DSA keys for Octavo"};
const Offer dsa_offer = {OSSL_OP_SIGNATURE, "DSA", DigestSignatureTable<Context, KeyKind::dsa, sign, verify>::functions,
                         "DSA by Octavo"};

}  // namespace octavo::provider
