#pragma once

#include <vector>

#include "sides.hpp"

/// Signatures of digests, ECDSA's and DSA's, with everything noted that a caller sees.
namespace octavo::test {

/// By EVP_PKEY_sign(), after buffers that are too short; empty where it fails. `digest` null: none is named.
Data sign(Trace& trace, OSSL_LIB_CTX* side, EVP_PKEY* key, const char* digest, const Data& tbs);
void verify(Trace& trace, OSSL_LIB_CTX* side, EVP_PKEY* key, const char* digest, const Data& tbs,
            const Data& signature);

/// The message "octavopus", by EVP_DigestSignUpdate() and EVP_DigestSignFinal(), in a copy of the context from its middle on if `copied`.
Data digest_sign(Trace& trace, OSSL_LIB_CTX* side, EVP_PKEY* key, const char* digest, bool copied);
void digest_verify(Trace& trace, OSSL_LIB_CTX* side, EVP_PKEY* key, const char* digest, const Data& signature,
                   const char* text);

/// What a good signature can be spoilt to, in its numbers and in its encoding.
std::vector<Data> wrong_signatures(const Data& good);

}  // namespace octavo::test
