#pragma once

#include "sides.hpp"

namespace octavo::test {

/// The shapes of keys that tests run over. Generated once per process by the default provider.
enum class Shape {
    rsa1024,
    rsa2048,
    rsa3072,
    rsa4096,
    exponent3,
    three_primes,
    no_crt,   /* n, e and d alone */
    odd_2056, /* 257 bytes */
    odd_2049, /* one bit in the first byte: PSS has a byte less */
    tiny_512,
    wrong_crt, /* dP of another key: refused by Octavo */
    public_2048,
    pss_2048,      /* RSA-PSS without restrictions */
    pss_restricted /* RSA-PSS: SHA-256, MGF1 with SHA-256, a salt of 32 at least */
};
const char* name_of(Shape shape);
inline constexpr Shape kAllShapes[] = {
    Shape::rsa1024,      Shape::rsa2048,     Shape::rsa3072,  Shape::rsa4096,        Shape::exponent3,
    Shape::three_primes, Shape::no_crt,      Shape::odd_2056, Shape::odd_2049,       Shape::tiny_512,
    Shape::wrong_crt,    Shape::public_2048, Shape::pss_2048, Shape::pss_restricted,
};

/// The key on one side. The same numbers on both; the caller owns a reference.
Pkey key(Shape shape, OSSL_LIB_CTX* side);

/// As PEM, as the `openssl` command writes it.
std::string pem(EVP_PKEY* key);

}  // namespace octavo::test
