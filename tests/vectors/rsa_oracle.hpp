#pragma once

#include "kernel/rsa/rsa_test_keys.hpp"

/// The paddings around raw RSA, by OpenSSL, so that a vector's verdict can be told from a row's raw result.
namespace octavo::vectors {

using kernel::rsa::test::ByteVector;
using kernel::rsa::test::TestKey;

/// EMSA-PKCS1-v1_5 (RFC 8017, 9.2).
ByteVector pkcs1_encoded(const std::string& hash, const ByteVector& message, std::size_t len);

struct PssParameters {
    std::string hash, mgf_hash;
    int salt_len;
};
/// EMSA-PSS-VERIFY (RFC 8017, 9.1.2).
bool pss_verifies(const TestKey& key, const PssParameters& parameters, const ByteVector& message,
                  const ByteVector& encoded);

struct Decoded {
    bool good;
    ByteVector message;
};
/// EME-PKCS1-v1_5 and EME-OAEP decoding (RFC 8017, 7.2.2 and 7.1.2).
Decoded decode_pkcs1(const ByteVector& encoded);
Decoded decode_oaep(const ByteVector& encoded, const std::string& hash, const std::string& mgf_hash,
                    const ByteVector& label);

/// All numbers of a private key in PKCS#8; throws if OpenSSL cannot read it.
TestKey key_from_pkcs8(const ByteVector& der);

}  // namespace octavo::vectors
