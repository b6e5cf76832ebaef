#include "speed/curves.hpp"

#include "kernel/curve25519/constants.hpp"
#include "kernel/p256/p256_curve.hpp"
#include "kernel/p384/p384_curve.hpp"

namespace octavo::cli {
namespace {

/// Multiply-adds of a field's operations, for one lane group.
template <typename Field>
struct Counts {
    static constexpr int kLimbs = Field::kLimbs;

    static constexpr int reduction() {
        constexpr auto& mod = Field::kModulus;
        int factors = 0;
        for (const auto limb : mod.m.limb) factors += limb != 0 ? 1 : 0;
        return mod.k == 1 ? 2 * kLimbs * factors : 2 * (kLimbs - 1) * factors + 2 * kLimbs + 1;
    }
    static constexpr int columns_of_product = 2 * kLimbs * kLimbs, columns_of_square = kLimbs * kLimbs + kLimbs;
    static constexpr int product = columns_of_product + reduction(), square = columns_of_square + reduction();
    static constexpr int doubling = 3 * square + 3 * product + columns_of_product + columns_of_square + reduction();
    static constexpr int addition = 3 * square + 6 * product + 2 * columns_of_product + reduction();
    /// Rounds of 52 divsteps: four numbers of two products each, two quotient digits, and twice the low words of two numbers.
    static constexpr int inversion = ((45907 * Field::kBits + 26313) / (19929 * 52) + 1) * (20 * kLimbs + 2 + 8);
};

template <typename Curve>
struct CurveCounts {
    using F = Counts<typename Curve::Field>;
    using N = Counts<typename Curve::Order>;
    static constexpr int base = Curve::CombDigits::kNum * F::addition;
    static constexpr int table = 8 * F::doubling + 7 * F::addition + 15 * F::product +
                                 kernel::ec::kTableSize * (5 * F::product + F::square) + F::inversion;
    static constexpr int windows =
        (Curve::WindowDigits::kNum - 1) * kernel::ec::kWindow * F::doubling + Curve::WindowDigits::kNum * F::addition;
    static constexpr int sign = base + F::inversion + N::inversion + 2 * F::product + F::square + 4 * N::product;
    static constexpr int keygen = base + F::inversion + 5 * F::product + F::square;
    static constexpr int derive = table + windows + F::inversion + 7 * F::product + 3 * F::square;
    /// Both sides of the curve's equation; the sum of two points, with all its cases; x against r and r + n.
    static constexpr int check_point = 5 * F::product + 2 * F::square;
    static constexpr int sum = F::doubling + 12 * F::product + 4 * F::square, compare_x = 6 * F::product + F::square;
    static constexpr int verify =
        check_point + base + table + windows + sum + compare_x + N::inversion + 3 * N::product;
};
using P256 = CurveCounts<kernel::p256::Curve>;
using P384 = CurveCounts<kernel::p384::Curve>;

/// 2^255 - 19: a product's fold takes 13, a square's 11, or 2 where the multiples of one factor are kept; the carries of what is multiplied next take 1.
struct Counts25519 {
    using Order = Counts<kernel::curve25519::Order>;
    static constexpr int product = 50 + 13, shared_product = 50 + 2, square = 31 + 11, carry = 1;
    /// Of all lanes' product, in general registers; what remains in the lanes.
    static constexpr int inversion = 6 * product + 7 * carry;
    static constexpr int fraction = inversion + product + 4 * carry, encoding = inversion + 2 * product + 7 * carry;
    static constexpr int small_multiple = 11;
    static constexpr int step = 4 * product + shared_product + 4 * square + small_multiple + 11 * carry;
    static constexpr int half_step =
        2 * product + 2 * square + small_multiple + 6 * carry;  ///< one point alone doubled
    static constexpr int kept_multiples = 5 * (2 + carry) + carry;
    static constexpr int base = kernel::curve25519::CombDigits::kNum * (7 * product + 7 * carry);
    static constexpr int derive = kept_multiples + 251 * step + 4 * half_step + fraction, keygen = base + fraction;
    static constexpr int ed25519_keygen = base + encoding, sign = base + encoding + 10 * Order::product;
    /// Without T, which a doubling does not read.
    static constexpr int doubling = 4 * product + 3 * square + 7 * carry, addition = 7 * product + 8 * carry;
    static constexpr int table = 9 * (addition + 2 * product + 5 * carry) + product + 5 * carry;
    static constexpr int windows = 252 * doubling + 63 * product + 64 * addition + product;
    static constexpr int decoding = 254 * square + 21 * product + 281 * carry;
    static constexpr int verify = decoding + table + windows + base + encoding + 4 * Order::product;
};

constexpr double each(int of_eight) { return of_eight / 8.0; }

constexpr std::size_t kLanes = 8;

constexpr Curve kP256{OCTAVO_CURVE_P256, "EC", "P-256", 32}, kP384{OCTAVO_CURVE_P384, "EC", "P-384", 48},
    kX25519{OCTAVO_CURVE_X25519, "X25519", nullptr, 32}, kEd25519{OCTAVO_CURVE_ED25519, "ED25519", nullptr, 32};

}  // namespace

SidePtr CurveOperation::kernel(std::size_t depth, RowChoice choice) const {
    return choose_row(curve_kernel_side(curve_, action_, depth, true), curve_kernel_side(curve_, action_, depth, false),
                      choice);
}

SidePtr CurveOperation::api(std::size_t depth) const { return curve_api_side(*this, depth); }

SidePtr CurveOperation::provider(std::size_t depth, bool jobs) const { return curve_provider_side(*this, depth, jobs); }

SidePtr CurveOperation::openssl(Counterpart of) const {
    if (of == Counterpart::kernel && action_ == Action::keygen && curve_.group != nullptr)
        return curve_openssl_scalar_side(curve_);
    return curve_openssl_evp_side(*this);
}

std::size_t CurveOperation::max_batch() const { return curve_max_batch(curve_); }

/// Groups of a batch share inversions, so that the count holds for one group alone.
double CurveOperation::multiply_adds(std::size_t depth) const { return depth > kLanes ? 0 : multiply_adds_; }

Operations curve_operations() {
    static const CurveOperation list[] = {
        {"p256-sign", "ECDSA P-256", kP256, Action::sign, each(P256::sign)},
        {"p256-verify", "ECDSA P-256", kP256, Action::verify, each(P256::verify)},
        {"p256-derive", "ECDH P-256", kP256, Action::derive, each(P256::derive)},
        {"p256-keygen", "P-256 key pair", kP256, Action::keygen, each(P256::keygen)},
        {"p384-sign", "ECDSA P-384", kP384, Action::sign, each(P384::sign)},
        {"p384-verify", "ECDSA P-384", kP384, Action::verify, each(P384::verify)},
        {"p384-derive", "ECDH P-384", kP384, Action::derive, each(P384::derive)},
        {"p384-keygen", "P-384 key pair", kP384, Action::keygen, each(P384::keygen)},
        {"x25519-derive", "X25519", kX25519, Action::derive, each(Counts25519::derive)},
        {"x25519-keygen", "X25519 key pair", kX25519, Action::keygen, each(Counts25519::keygen)},
        {"ed25519-sign", "Ed25519, 32 bytes", kEd25519, Action::sign, each(Counts25519::sign)},
        {"ed25519-verify", "Ed25519, 32 bytes", kEd25519, Action::verify, each(Counts25519::verify)},
        {"ed25519-keygen", "Ed25519 key pair", kEd25519, Action::keygen, each(Counts25519::ed25519_keygen)},
    };
    return operations_of(list);
}

}  // namespace octavo::cli
