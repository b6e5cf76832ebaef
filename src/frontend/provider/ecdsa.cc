#include <openssl/core_dispatch.h>

#include <algorithm>
#include <array>

#include "frontend/bridge/bridge.hpp"
#include "frontend/bridge/ecdsa_der.hpp"
#include "frontend/provider/curve_key.hpp"
#include "frontend/provider/digest_signature.hpp"
#include "frontend/provider/offers.hpp"
#include "frontend/provider/run.hpp"

// A signature or a verification that Octavo does well runs here: in a job, or on a curve whose lanes need no company. All else, every refusal
// included, is the twin's.
namespace octavo::provider {
namespace {

/// What Octavo takes; a hash that is longer goes the twin's way.
constexpr std::size_t kMaxDigest = 64;

using Bytes = std::span<const std::uint8_t>;

using Context = DigestSignature<CurveKey>;

Context& context_of(void* context) { return *static_cast<Context*>(context); }

/// The key's numbers where this operation, on this digest, is for Octavo.
const Numbers* numbers_for(const Context& context, octavo_operation operation, Bytes digest) {
    if (!context.plain || context.key == nullptr || digest.size() > kMaxDigest) return nullptr;
    const auto* curve = context.key->curve();
    if (curve == nullptr || !offload(*curve, operation) || !context.is_plain(digest)) return nullptr;
    return context.key->numbers();
}

bool sign_on_octavo(const Context& context, Bytes digest, std::span<std::uint8_t> out, std::size_t& len) {
    const auto* numbers = numbers_for(context, OCTAVO_ECDSA_SIGN, digest);
    octavo_key handle{};
    if (numbers == nullptr || !numbers->has_private ||
        out.size() < static_cast<std::size_t>(numbers->curve->max_size) || !context.key->handle(handle))
        return false;
    std::array<std::uint8_t, kMaxSignatureBytes> memory;
    const auto signature = std::span(memory).first(numbers->curve->signature_len);
    if (!run_raw(handle, OCTAVO_ECDSA_SIGN, digest, signature)) return false;
    len = bridge::write_signature(signature, out.data());
    return true;
}

int sign(void* context, unsigned char* signature, size_t* signature_len, size_t capacity, const unsigned char* tbs,
         size_t tbs_len) {
    auto& self = context_of(context);
    if (signature != nullptr && sign_on_octavo(self, {tbs, tbs_len}, {signature, capacity}, *signature_len)) return 1;
    if (const auto why = refusal()) return self.provider.errors.raise(*why, __func__);
    return self.functions.sign(self.twin, signature, signature_len, capacity, tbs, tbs_len);
}

bool verify_on_octavo(const Context& context, Bytes der, Bytes digest) {
    const auto* numbers = numbers_for(context, OCTAVO_ECDSA_VERIFY, digest);
    octavo_key handle{};
    if (numbers == nullptr || !numbers->has_public || !context.key->handle(handle)) return false;
    std::array<std::uint8_t, kMaxSignatureBytes + kMaxDigest> in;
    const auto len = numbers->curve->signature_len;
    if (!bridge::read_signature(der, std::span(in).first(len))) return false;
    std::copy(digest.begin(), digest.end(), in.begin() + static_cast<std::ptrdiff_t>(len));
    return run_raw(handle, OCTAVO_ECDSA_VERIFY, std::span(in).first(len + digest.size()), {});
}

/// Answers as the twin does, which says -1 for what is no signature at all: never to be taken for a truth value.
int verify(void* context, const unsigned char* signature, size_t signature_len, const unsigned char* tbs,
           size_t tbs_len) {
    auto& self = context_of(context);
    if (verify_on_octavo(self, {signature, signature_len}, {tbs, tbs_len})) return 1;
    if (const auto why = refusal()) return self.provider.errors.raise(*why, __func__);
    return self.functions.verify(self.twin, signature, signature_len, tbs, tbs_len);
}

}  // namespace

const Offer ecdsa_offer = {OSSL_OP_SIGNATURE, "ECDSA",
                           DigestSignatureTable<Context, KeyKind::ec, sign, verify>::functions, "ECDSA by Octavo"};

}  // namespace octavo::provider
