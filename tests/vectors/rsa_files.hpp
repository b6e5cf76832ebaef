#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "vectors/rsa_oracle.hpp"

/// Reads RSA's vectors as raw operations. Every field, flag and type of group is known or an error.
namespace octavo::vectors {

/// One raw operation of a vector, and what its result means for the vector.
struct RsaOperation {
    std::string where;
    bool is_private;
    std::shared_ptr<const TestKey> key;  ///< with private numbers where the operation is private
    ByteVector in;
    std::function<void(const ByteVector& out)> judge;
};

struct RsaFile {
    std::deque<RsaOperation> operations;
    std::int64_t num_tests = 0, num_refused = 0;
};

RsaFile read_rsa(const std::string& path);

/// The files of vectors.
inline constexpr const char* kRsaFiles[] = {"rsa_signature_2048_sha256_test.json",
                                            "rsa_signature_3072_sha384_test.json",
                                            "rsa_signature_4096_sha512_test.json",
                                            "rsa_pkcs1_2048_sig_gen_test.json",
                                            "rsa_pkcs1_3072_sig_gen_test.json",
                                            "rsa_pkcs1_4096_sig_gen_test.json",
                                            "rsa_pss_2048_sha256_mgf1_32_test.json",
                                            "rsa_pss_4096_sha384_mgf1_48_test.json",
                                            "rsa_pkcs1_2048_test.json",
                                            "rsa_oaep_2048_sha256_mgf1sha256_test.json"};

}  // namespace octavo::vectors
