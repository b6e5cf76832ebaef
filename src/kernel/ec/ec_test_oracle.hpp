#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kernel/ec/ec.hpp"
#include "kernel/evp_ref.hpp"

/// Curves for tests, by OpenSSL's big numbers and points: independent of every row's code.
namespace octavo::kernel::ec::test {

using ByteVector = std::vector<std::uint8_t>;

using Bn = BnPtr;

ByteVector from_hex(const std::string& digits);
std::string to_hex(std::span<const std::uint8_t> bytes);

struct AffineBytes {
    ByteVector x, y;
};
struct Signature {
    ByteVector r, s;
};

/// One curve: its rows, and what they should answer. Numbers are big-endian, `len` bytes.
class Oracle {
public:
    Oracle(const char* name, int nid, std::size_t len, std::span<const Row> rows);
    Oracle(const Oracle&) = delete;
    Oracle& operator=(const Oracle&) = delete;

    const std::string name;
    const std::size_t len;
    const std::span<const Row> rows;

    Bn number(const ByteVector& bytes) const;
    ByteVector bytes(const Bn& number) const;
    /// n + offset, or offset itself.
    ByteVector near_order(int offset) const;
    ByteVector small(std::uint64_t word) const;
    ByteVector prime() const { return bytes(prime_); }
    /// From 1 to n - 1.
    ByteVector random_scalar() const;
    bool is_scalar(const ByteVector& k) const;

    /// k G, k from 1 to n - 1.
    AffineBytes times_base(const ByteVector& k) const;
    /// k P.
    AffineBytes times(const ByteVector& k, const AffineBytes& point) const;
    AffineBytes negative(const AffineBytes& point) const;
    Signature sign(const ByteVector& digest, const ByteVector& d, const ByteVector& nonce) const;
    /// As OpenSSL says.
    bool verify(const ByteVector& digest, const Signature& signature, const AffineBytes& key) const;
    /// a b, 1 / a and -a mod n.
    ByteVector product(const ByteVector& a, const ByteVector& b) const;
    ByteVector inverse(const ByteVector& a) const;
    ByteVector minus(const ByteVector& a) const;

private:
    AffineBytes affine(const PointPtr& point) const;
    PointPtr point(const AffineBytes& from) const;

    GroupPtr group_;
    BnCtxPtr ctx_;
    Bn order_, prime_;
};

/// All curves with rows of ec.hpp.
const std::vector<std::unique_ptr<Oracle>>& oracles();

}  // namespace octavo::kernel::ec::test
