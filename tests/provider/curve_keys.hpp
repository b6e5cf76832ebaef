#pragma once

#include "sides.hpp"

namespace octavo::test {

/// A kind of key on a curve, as OpenSSL names it.
///   type      of EVP_PKEY
///   group     null where the type says it all
///   secret_len  of a derivation, 0 where there is none
///   octavo    whether Octavo computes on it
struct Group {
    const char* name;
    const char* type;
    const char* group;
    std::size_t public_len, secret_len;
    bool octavo;
};
inline std::ostream& operator<<(std::ostream& out, const Group& group) { return out << group.name; }

extern const std::vector<Group> kExchangeGroups, kEdwardsGroups;
std::vector<Group> all_groups();
std::vector<Group> ecdsa_groups();
/// Of kExchangeGroups.
const Group& group_named(const std::string& name);

/// Key number `seed` of the group on one side: the same numbers on both. Generated once per process by the default provider.
Pkey curve_key(const Group& group, unsigned seed, OSSL_LIB_CTX* side);
/// Its public half alone.
Pkey public_curve_key(const Group& group, unsigned seed, OSSL_LIB_CTX* side);

/// A fresh one of the side.
Pkey generate(Trace& trace, OSSL_LIB_CTX* side, const Group& group);
/// As libssl makes what a peer's public key is put into. Null where that fails.
Pkey parameters(Trace& trace, OSSL_LIB_CTX* side, const Group& group);

Data encoded_public_key(EVP_PKEY* key);

/// Whether the lanes are faster than OpenSSL even for one operation on the group: those run on Octavo outside of jobs, too.
bool lanes_need_no_company(const Group& group);

/// Derives as libssl does; empty when it fails. A key made in a job gets no twin by it.
Data plain_derive(OSSL_LIB_CTX* side, EVP_PKEY* key, EVP_PKEY* peer);

/// Everything that is asked of a key, and its numbers.
void note_key(Trace& trace, OSSL_LIB_CTX* side, EVP_PKEY* key);
void note_numbers(Trace& trace, EVP_PKEY* key);

/// The whole key, or its public half.
std::string pem(EVP_PKEY* key, bool whole);
Pkey from_pem(OSSL_LIB_CTX* side, const std::string& text, bool whole);

}  // namespace octavo::test
