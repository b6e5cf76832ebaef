#include <fmt/core.h>
#include <openssl/ec.h>

#include <algorithm>
#include <utility>

#include "speed/api_side.hpp"
#include "speed/curves_openssl.hpp"
#include "usage.hpp"

namespace octavo::cli {
namespace {

using EcdsaSig = std::unique_ptr<ECDSA_SIG, FreeWith<ECDSA_SIG_free>>;

void require_right(bool right, const CurveOperation& operation) {
    if (!right) throw Failure(fmt::format("{}: a result is wrong by OpenSSL; please report this", operation.name()));
}

/// ECDSA's r || s of the DER that OpenSSL makes; Ed25519's signatures as they are.
Bytes plain(const Bytes& signature, const Curve& curve) {
    if (curve.is_eddsa()) return signature;
    const std::uint8_t* der = signature.data();
    const EcdsaSig parsed{d2i_ECDSA_SIG(nullptr, &der, static_cast<long>(signature.size()))};
    Bytes bytes(2 * curve.len);
    const int len = static_cast<int>(curve.len);
    if (!parsed || BN_bn2binpad(ECDSA_SIG_get0_r(parsed.get()), bytes.data(), len) != len ||
        BN_bn2binpad(ECDSA_SIG_get0_s(parsed.get()), bytes.data() + len, len) != len)
        throw Failure("OpenSSL makes an ECDSA signature that it cannot read");
    return bytes;
}

Bytes der(const Bytes& signature, const Curve& curve) {
    if (curve.is_eddsa()) return signature;
    const int len = static_cast<int>(curve.len);
    const EcdsaSig parsed{ECDSA_SIG_new()};
    BIGNUM* const r = BN_bin2bn(signature.data(), len, nullptr);
    BIGNUM* const s = BN_bin2bn(signature.data() + len, len, nullptr);
    std::uint8_t* out = nullptr;
    if (!parsed || ECDSA_SIG_set0(parsed.get(), r, s) != 1) throw std::bad_alloc();
    const int out_len = i2d_ECDSA_SIG(parsed.get(), &out);
    if (out_len <= 0) throw std::bad_alloc();
    Bytes bytes(out, out + out_len);
    OPENSSL_free(out);
    return bytes;
}

/// `pair` may be null: a key that names the curve.
octavo::Key register_key(const Curve& curve, const EVP_PKEY* pair) {
    const Bytes private_key = pair == nullptr ? Bytes{} : curve_private_bytes(pair, curve);
    const Bytes public_key = pair == nullptr ? Bytes{} : curve_public_bytes(pair);
    return require(octavo::Key::create_ec({static_cast<octavo::Curve>(curve.number), private_key, public_key}),
                   "octavo_key_create_ec");
}

ApiWork sign_work(const CurveOperation& operation, std::size_t depth) {
    const std::shared_ptr<EVP_PKEY> pair = make_curve_key(operation.curve());
    ByteLists messages(depth);
    std::generate(messages.begin(), messages.end(), random_message);
    const auto check = [&operation, pair, messages](const ByteLists& signatures) {
        EvpSignature verifier(default_place(), pair.get(), false);
        for (std::size_t i = 0; i < signatures.size(); ++i)
            require_right(verifier.verify(messages[i], der(signatures[i], operation.curve())), operation);
    };
    return {operation.name(), register_key(operation.curve(), pair.get()),
            operation.curve().is_eddsa() ? OCTAVO_EDDSA_SIGN : OCTAVO_ECDSA_SIGN, messages, check};
}

ApiWork verify_work(const CurveOperation& operation, std::size_t depth) {
    const Pkey pair = make_curve_key(operation.curve());
    EvpSignature signer(default_place(), pair.get(), true);
    ByteLists inputs;
    for (std::size_t i = 0; i < depth; ++i) {
        const Bytes message = random_message();
        Bytes signature;
        if (!signer.sign(message, signature)) throw Failure("OpenSSL's default provider does not sign");
        auto& input = inputs.emplace_back(plain(signature, operation.curve()));
        input.insert(input.end(), message.begin(), message.end());
    }
    return {operation.name(), register_key(operation.curve(), pair.get()),
            operation.curve().is_eddsa() ? OCTAVO_EDDSA_VERIFY : OCTAVO_ECDSA_VERIFY, std::move(inputs),
            [](const ByteLists&) {}};  // a refusal has failed the run
}

ApiWork derive_work(const CurveOperation& operation, std::size_t depth) {
    const Pkey pair = make_curve_key(operation.curve());
    ByteLists peers, expected;
    for (std::size_t i = 0; i < depth; ++i) {
        const Pkey peer = make_curve_key(operation.curve());
        peers.push_back(curve_public_bytes(peer.get()));
        expected.push_back(derived_secret(pair.get(), peer.get()));
    }
    const auto check = [&operation, expected](const ByteLists& secrets) {
        require_right(secrets == expected, operation);
    };
    return {operation.name(), register_key(operation.curve(), pair.get()), OCTAVO_ECDH_DERIVE, std::move(peers), check};
}

ApiWork keygen_work(const CurveOperation& operation, std::size_t depth) {
    const auto check = [&operation](const ByteLists& pairs) {
        const Curve& curve = operation.curve();
        for (const Bytes& pair : pairs) require_right(curve_pair_is_right(pair, curve), operation);
    };
    return {operation.name(), register_key(operation.curve(), nullptr), OCTAVO_EC_GENERATE, ByteLists(depth), check};
}

ApiWork make_work(const CurveOperation& operation, std::size_t depth) {
    switch (operation.action()) {
        case Action::sign:
            return sign_work(operation, depth);
        case Action::verify:
            return verify_work(operation, depth);
        case Action::derive:
            return derive_work(operation, depth);
        default:
            return keygen_work(operation, depth);
    }
}

}  // namespace

SidePtr curve_api_side(const CurveOperation& operation, std::size_t depth) {
    return make_api_side(make_work(operation, depth));
}

}  // namespace octavo::cli
