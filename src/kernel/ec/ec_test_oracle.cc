#define OPENSSL_SUPPRESS_DEPRECATED  // EC_KEY takes a signature's numbers as they are

#include "kernel/ec/ec_test_oracle.hpp"

#include <openssl/ecdsa.h>
#include <openssl/obj_mac.h>

#include <stdexcept>

#include "kernel/p256/p256.hpp"
#include "kernel/p384/p384.hpp"

namespace octavo::kernel::ec::test {
namespace {

void require(bool good) {
    if (!good) throw std::runtime_error("the oracle failed");
}

Bn make_bn() { return Bn{BN_new()}; }

}  // namespace

ByteVector from_hex(const std::string& digits) {
    ByteVector bytes;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
        bytes.push_back(static_cast<std::uint8_t>(std::stoul(digits.substr(i, 2), nullptr, 16)));
    return bytes;
}

std::string to_hex(std::span<const std::uint8_t> bytes) {
    std::string digits;
    for (const std::uint8_t byte : bytes) digits += {"0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15]};
    return digits;
}

Oracle::Oracle(const char* curve, int nid, std::size_t field_len, std::span<const Row> curve_rows)
    : name(curve),
      len(field_len),
      rows(curve_rows),
      group_(EC_GROUP_new_by_curve_name(nid)),
      ctx_(BN_CTX_new()),
      prime_(make_bn()) {
    require(group_ && ctx_ && EC_GROUP_get_curve(group_.get(), prime_.get(), nullptr, nullptr, ctx_.get()) == 1);
    order_.reset(BN_dup(EC_GROUP_get0_order(group_.get())));
}

Bn Oracle::number(const ByteVector& from) const {
    return Bn{BN_bin2bn(from.data(), static_cast<int>(from.size()), nullptr)};
}

ByteVector Oracle::bytes(const Bn& from) const {
    ByteVector to(len);
    require(BN_bn2binpad(from.get(), to.data(), static_cast<int>(len)) == static_cast<int>(len));
    return to;
}

ByteVector Oracle::near_order(int offset) const {
    const Bn result{BN_dup(order_.get())};
    require((offset < 0 ? BN_sub_word(result.get(), static_cast<BN_ULONG>(-offset))
                        : BN_add_word(result.get(), static_cast<BN_ULONG>(offset))) == 1);
    return bytes(result);
}

ByteVector Oracle::small(std::uint64_t word) const {
    const Bn result = make_bn();
    require(BN_set_word(result.get(), word) == 1);
    return bytes(result);
}

ByteVector Oracle::random_scalar() const {
    const Bn result = make_bn();
    do require(BN_rand_range(result.get(), order_.get()) == 1);
    while (BN_is_zero(result.get()));
    return bytes(result);
}

bool Oracle::is_scalar(const ByteVector& k) const {
    const Bn scalar = number(k);
    return !BN_is_zero(scalar.get()) && BN_cmp(scalar.get(), order_.get()) < 0;
}

AffineBytes Oracle::affine(const PointPtr& from) const {
    const Bn x = make_bn(), y = make_bn();
    require(EC_POINT_get_affine_coordinates(group_.get(), from.get(), x.get(), y.get(), ctx_.get()) == 1);
    return {bytes(x), bytes(y)};
}

PointPtr Oracle::point(const AffineBytes& from) const {
    PointPtr result{EC_POINT_new(group_.get())};
    require(EC_POINT_set_affine_coordinates(group_.get(), result.get(), number(from.x).get(), number(from.y).get(),
                                            ctx_.get()) == 1);
    return result;
}

AffineBytes Oracle::times_base(const ByteVector& k) const {
    const PointPtr result{EC_POINT_new(group_.get())};
    require(EC_POINT_mul(group_.get(), result.get(), number(k).get(), nullptr, nullptr, ctx_.get()) == 1);
    return affine(result);
}

AffineBytes Oracle::times(const ByteVector& k, const AffineBytes& from) const {
    const PointPtr result{EC_POINT_new(group_.get())};
    require(EC_POINT_mul(group_.get(), result.get(), nullptr, point(from).get(), number(k).get(), ctx_.get()) == 1);
    return affine(result);
}

AffineBytes Oracle::negative(const AffineBytes& from) const {
    const Bn y = make_bn();
    require(BN_sub(y.get(), prime_.get(), number(from.y).get()) == 1);
    return {from.x, bytes(y)};
}

Signature Oracle::sign(const ByteVector& digest, const ByteVector& d, const ByteVector& nonce) const {
    const Bn r = number(times_base(nonce).x), s = make_bn();
    require(BN_nnmod(r.get(), r.get(), order_.get(), ctx_.get()) == 1);
    require(BN_mod_mul(s.get(), r.get(), number(d).get(), order_.get(), ctx_.get()) == 1);
    require(BN_mod_add(s.get(), s.get(), number(digest).get(), order_.get(), ctx_.get()) == 1);
    const Bn inverse{BN_mod_inverse(nullptr, number(nonce).get(), order_.get(), ctx_.get())};
    require(inverse && BN_mod_mul(s.get(), s.get(), inverse.get(), order_.get(), ctx_.get()) == 1);
    return {bytes(r), bytes(s)};
}

bool Oracle::verify(const ByteVector& digest, const Signature& signature, const AffineBytes& key) const {
    const std::unique_ptr<EC_KEY, Deleter<EC_KEY_free>> ec_key{EC_KEY_new()};
    const std::unique_ptr<ECDSA_SIG, Deleter<ECDSA_SIG_free>> numbers{ECDSA_SIG_new()};
    require(ec_key && EC_KEY_set_group(ec_key.get(), group_.get()) == 1);
    require(EC_KEY_set_public_key(ec_key.get(), point(key).get()) == 1);
    require(ECDSA_SIG_set0(numbers.get(), number(signature.r).release(), number(signature.s).release()) == 1);
    return ECDSA_do_verify(digest.data(), static_cast<int>(digest.size()), numbers.get(), ec_key.get()) == 1;
}

ByteVector Oracle::product(const ByteVector& a, const ByteVector& b) const {
    const Bn result = make_bn();
    require(BN_mod_mul(result.get(), number(a).get(), number(b).get(), order_.get(), ctx_.get()) == 1);
    return bytes(result);
}

ByteVector Oracle::inverse(const ByteVector& a) const {
    const Bn result{BN_mod_inverse(nullptr, number(a).get(), order_.get(), ctx_.get())};
    require(result != nullptr);
    return bytes(result);
}

ByteVector Oracle::minus(const ByteVector& a) const {
    const Bn result = make_bn();
    require(BN_sub(result.get(), order_.get(), number(a).get()) == 1);
    return bytes(result);
}

const std::vector<std::unique_ptr<Oracle>>& oracles() {
    static const auto all = [] {
        std::vector<std::unique_ptr<Oracle>> made;
        made.push_back(std::make_unique<Oracle>("p256", NID_X9_62_prime256v1, p256::kLen, p256::rows()));
        made.push_back(std::make_unique<Oracle>("p384", NID_secp384r1, p384::kLen, p384::rows()));
        return made;
    }();
    return all;
}

}  // namespace octavo::kernel::ec::test
