#include <openssl/bn.h>
#include <openssl/rsa.h>

#include "provider/keys.hpp"
#include "provider/shim.hpp"
#include "support.hpp"

namespace octavo::test {
namespace {

using Rsa = std::unique_ptr<RSA, decltype(&RSA_free)>;
using Function = int(int, const unsigned char*, unsigned char*, RSA*, int);

BIGNUM* copy(const BIGNUM* number) { return number == nullptr ? nullptr : BN_dup(number); }

/// An object with the key's numbers, with the engine's method or OpenSSL's own.
Rsa object(Shape shape, ENGINE* engine) {
    const auto pkey = key(shape, without_octavo());
    const RSA* from = EVP_PKEY_get0_RSA(pkey.get());
    Rsa to(RSA_new_method(engine), RSA_free);
    RSA_set0_key(to.get(), copy(RSA_get0_n(from)), copy(RSA_get0_e(from)), copy(RSA_get0_d(from)));
    if (RSA_get0_p(from) == nullptr) return to;
    RSA_set0_factors(to.get(), copy(RSA_get0_p(from)), copy(RSA_get0_q(from)));
    RSA_set0_crt_params(to.get(), copy(RSA_get0_dmp1(from)), copy(RSA_get0_dmq1(from)), copy(RSA_get0_iqmp(from)));
    const int extra = RSA_get_multi_prime_extra_count(from);
    if (extra > 0) {
        const BIGNUM *prime = nullptr, *exponent = nullptr, *coefficient = nullptr;
        RSA_get0_multi_prime_factors(from, &prime);
        RSA_get0_multi_prime_crt_params(from, &exponent, &coefficient);
        BIGNUM *r = copy(prime), *d = copy(exponent), *t = copy(coefficient);
        EXPECT_EQ(extra, 1);
        EXPECT_EQ(RSA_set0_multi_prime_params(to.get(), &r, &d, &t, 1), 1);
    }
    return to;
}

Data call(Trace& trace, const char* name, Function* function, const Data& in, RSA* rsa, int padding) {
    Data out(static_cast<std::size_t>(RSA_size(rsa)) + 64, 0xa5);
    const int len = function(static_cast<int>(in.size()), in.data(), out.data(), rsa, padding);
    trace.note(std::string(name) + " of " + std::to_string(in.size()) + ", padding " + std::to_string(padding), len);
    out.resize(len > 0 ? static_cast<std::size_t>(len) : 0);
    return out;
}

std::vector<std::size_t> lengths(std::size_t size) { return {0, 20, size - 11, size - 10, size, size + 1}; }

// What the method may treat differently: lanes and portable row, with and without CRT values and private numbers, odd lengths.
constexpr Shape kShapes[] = {Shape::rsa1024,  Shape::rsa2048,  Shape::three_primes, Shape::no_crt,
                             Shape::odd_2049, Shape::tiny_512, Shape::wrong_crt,    Shape::public_2048};
class RsaMethod : public testing::TestWithParam<Shape> {};

TEST_P(RsaMethod, SignsAndRecoversAsOpenSslDoes) {
    compare(name_of(GetParam()), [](Trace& trace, ENGINE* side) {
        const auto rsa = object(GetParam(), side);
        const auto size = static_cast<std::size_t>(RSA_size(rsa.get()));
        for (const int padding : {RSA_PKCS1_PADDING, RSA_NO_PADDING, RSA_X931_PADDING, RSA_PKCS1_OAEP_PADDING, 77})
            for (const auto len : lengths(size)) {
                auto message = data(len, static_cast<unsigned>(len));
                if (len == size) message[0] = 0;
                const auto signature = call(trace, "sign", RSA_private_encrypt, message, rsa.get(), padding);
                trace.value("signature", hex(signature));
                if (signature.empty()) continue;
                for (int i = 0; i < 2; ++i)
                    trace.value("message",
                                hex(call(trace, "recover", RSA_public_decrypt, signature, rsa.get(), padding)));
                auto wrong = signature;
                wrong.back() ^= 1;
                call(trace, "recover another", RSA_public_decrypt, wrong, rsa.get(), padding);
            }
    });
}

TEST_P(RsaMethod, EncryptsAndDecryptsAsOpenSslDoes) {
    const auto other = object(GetParam(), nullptr);
    compare(name_of(GetParam()), [&](Trace& trace, ENGINE* side) {
        const auto rsa = object(GetParam(), side);
        const auto size = static_cast<std::size_t>(RSA_size(rsa.get()));
        for (const int padding : {RSA_PKCS1_PADDING, RSA_PKCS1_OAEP_PADDING, RSA_NO_PADDING, RSA_X931_PADDING})
            for (const auto len : lengths(size)) {
                auto message = data(len, static_cast<unsigned>(len));
                if (len == size) message[0] = 0;
                const auto ours = call(trace, "encrypt", RSA_public_encrypt, message, rsa.get(), padding);
                if (ours.empty()) continue;
                trace.value("sent",
                            hex(call(trace, "other decrypts", RSA_private_decrypt, ours, other.get(), padding)));
                trace.value("back", hex(call(trace, "decrypt", RSA_private_decrypt, ours, rsa.get(), padding)));
            }
    });
}

/// Blocks that hold no message: what OpenSSL answers, and its first reason, whatever is wrong in them.
TEST_P(RsaMethod, RefusesBadBlocksAsOpenSslDoes) {
    compare(name_of(GetParam()), [&](Trace& trace, ENGINE* side) {
        const auto rsa = object(GetParam(), side);
        const auto size = static_cast<std::size_t>(RSA_size(rsa.get()));
        for (unsigned seed = 0; seed < 4; ++seed) {
            auto block = data(size, seed);
            block[0] = 0;
            if (seed > 1) block[1] = 2;
            if (seed > 2) block[5] = 0;
            const auto sent = call(trace, "encrypt", RSA_public_encrypt, block, rsa.get(), RSA_NO_PADDING);
            for (const int padding : {RSA_PKCS1_PADDING, RSA_PKCS1_OAEP_PADDING})
                trace.value("back", hex(call(trace, "decrypt", RSA_private_decrypt, sent, rsa.get(), padding)));
        }
        const auto shorter = data(size - 1, 9);
        trace.value("short", hex(call(trace, "decrypt", RSA_private_decrypt, shorter, rsa.get(), RSA_NO_PADDING)));
        Data large(size, 0xff);
        for (auto* function : {RSA_private_encrypt, RSA_public_encrypt, RSA_private_decrypt, RSA_public_decrypt})
            call(trace, "too large", function, large, rsa.get(), RSA_NO_PADDING);
    });
}

INSTANTIATE_TEST_SUITE_P(Shapes, RsaMethod, testing::ValuesIn(kShapes),
                         [](const auto& shape) { return std::string(name_of(shape.param)); });

TEST(RsaMethodOf, TheEngineIsUsed) {
    const auto rsa = object(Shape::rsa2048, engine());
    Data out(256);
    const auto message = data(32, 1);
    const int before = shim::operations();
    EXPECT_EQ(RSA_private_encrypt(32, message.data(), out.data(), rsa.get(), RSA_PKCS1_PADDING), 256);
    EXPECT_EQ(shim::operations(), before + 1);
}

/// An object that gets other numbers after it has been used.
TEST(RsaMethodOf, AnObjectMayGetOtherNumbers) {
    const auto rsa = object(Shape::rsa2048, engine()), expected = object(Shape::exponent3, nullptr);
    const auto message = data(32, 1);
    Data out(256), right(256);
    ASSERT_EQ(RSA_private_encrypt(32, message.data(), out.data(), rsa.get(), RSA_PKCS1_PADDING), 256);
    const RSA* from = expected.get();
    RSA_set0_key(rsa.get(), copy(RSA_get0_n(from)), copy(RSA_get0_e(from)), copy(RSA_get0_d(from)));
    RSA_set0_factors(rsa.get(), copy(RSA_get0_p(from)), copy(RSA_get0_q(from)));
    RSA_set0_crt_params(rsa.get(), copy(RSA_get0_dmp1(from)), copy(RSA_get0_dmq1(from)), copy(RSA_get0_iqmp(from)));
    ASSERT_EQ(RSA_private_encrypt(32, message.data(), out.data(), rsa.get(), RSA_PKCS1_PADDING), 256);
    ASSERT_EQ(RSA_private_encrypt(32, message.data(), right.data(), expected.get(), RSA_PKCS1_PADDING), 256);
    EXPECT_EQ(out, right);
}

}  // namespace
}  // namespace octavo::test
