#include "frontend/provider/signature_plan.hpp"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include <array>

namespace octavo::provider {
namespace {

constexpr std::size_t kMaxName = 64;

SignaturePlan::Form form_of(int padding, const SignaturePlan& plan) {
    switch (padding) {
        case RSA_NO_PADDING:
            return plan.digest == nullptr ? SignaturePlan::Form::raw : SignaturePlan::Form::other;
        case RSA_PKCS1_PADDING:
            return SignaturePlan::Form::pkcs1;
        case RSA_PKCS1_PSS_PADDING:
            return plan.digest == nullptr ? SignaturePlan::Form::other : SignaturePlan::Form::pss;
        default:
            return SignaturePlan::Form::other;
    }
}

}  // namespace

SignaturePlan read_plan(const DefaultSide& standard, void* twin) noexcept {
    SignaturePlan plan;
    int padding = 0;
    std::array<char, kMaxName> digest{}, mgf1{};
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PAD_MODE, &padding),
        OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_DIGEST, digest.data(), digest.size()),
        OSSL_PARAM_construct_utf8_string(OSSL_SIGNATURE_PARAM_MGF1_DIGEST, mgf1.data(), mgf1.size()),
        OSSL_PARAM_construct_int(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, &plan.salt_len),
        OSSL_PARAM_construct_end(),
    };
    if (standard.signatures(KeyKind::rsa).get_ctx_params(twin, params) != 1) return plan;
    if (digest[0] != '\0' && (plan.digest = standard.digests().find(digest.data())) == nullptr) return plan;
    plan.mgf1 = plan.digest;
    if (mgf1[0] != '\0' && (plan.mgf1 = standard.digests().find(mgf1.data())) == nullptr) return plan;
    plan.form = form_of(padding, plan);
    return plan;
}

}  // namespace octavo::provider
