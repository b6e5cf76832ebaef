#pragma once

#include <string>
#include <vector>

#include "vectors/wycheproof.hpp"

/// Reads the vectors of operations on curves. Every field and flag is known or an error.
namespace octavo::vectors {

struct CurveName {
    const char* name;  ///< as the files call it
    std::size_t len;   ///< bytes of a coordinate, and of the order
    std::size_t bits;
};

/// A big-endian pair; empty where there is none.
struct PointBytes {
    ByteVector x, y;
};

struct DeriveTest {
    std::string where;
    ByteVector scalar;
    PointBytes peer;
    ByteVector shared;
    bool valid;
};

struct VerifyTest {
    std::string where;
    ByteVector digest, r, s;
    PointBytes key;
    bool valid;
};

/// `num_refused` others have no operands of the form that operations take, and none of them is valid.
template <typename Test>
struct File {
    std::vector<Test> tests;
    std::size_t num_refused = 0;
};

File<DeriveTest> read_ecdh(const std::string& path, const CurveName& curve);
File<VerifyTest> read_ecdsa(const std::string& path, const CurveName& curve);

struct XdhTest {
    std::string where;
    ByteVector scalar, u, shared;
};
/// `curve` as the file calls it. A shared secret of zeros, or none, stands for a refusal.
std::vector<XdhTest> read_xdh(const std::string& path, const char* curve);

struct EddsaTest {
    std::string where;
    ByteVector key, message, signature;
    bool valid;
};
/// Ed25519. Refused are signatures of another length.
File<EddsaTest> read_eddsa(const std::string& path);

}  // namespace octavo::vectors
