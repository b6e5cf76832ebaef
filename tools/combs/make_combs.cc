#include <openssl/obj_mac.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "kernel/curve25519/constants.hpp"
#include "kernel/evp_ref.hpp"
#include "kernel/p256/p256_curve.hpp"
#include "kernel/p384/p384_curve.hpp"

/// Writes the tables of multiples of a curve's base point that the lanes select from, as C++ source. Runs at build time.
namespace {

namespace kernel = octavo::kernel;
using Bn = kernel::BnPtr;
using BnCtx = kernel::BnCtxPtr;
using Group = kernel::GroupPtr;
using EcPoint = kernel::PointPtr;

void require(bool good) {
    if (!good) throw std::runtime_error("OpenSSL failed");
}

Bn make_bn() {
    Bn number{BN_new()};
    require(number != nullptr);
    return number;
}

/// One comb: entries[window][coordinate][entry].
using Entries = std::vector<std::vector<std::vector<Bn>>>;

/// The comb's own file.
class Writer {
public:
    Writer(std::FILE* file, int num_limbs) : file_(file), num_limbs_(num_limbs) {}

    void write(const char* curve, const char* header, const Entries& entries) const {
        std::fprintf(file_, "#include \"kernel/%s/%s.hpp\"\n\n", curve, header);
        std::fprintf(file_, "namespace octavo::kernel::%s {\n", curve);
        std::fprintf(file_, "\nalignas(64) const Comb kComb[%zu] = {\n", entries.size());
        for (const auto& window : entries) {
            std::fprintf(file_, "{\n");
            for (const auto& coordinate : window)
                for (int limb = 0; limb < num_limbs_; ++limb) write_row(coordinate, limb);
            std::fprintf(file_, "},\n");
        }
        std::fprintf(file_, "};\n\n}  // namespace octavo::kernel::%s\n", curve);
    }

private:
    void write_row(const std::vector<Bn>& numbers, int limb) const {
        std::fprintf(file_, "{");
        for (const Bn& number : numbers) {
            const Bn shifted{BN_dup(number.get())};
            require(shifted && BN_rshift(shifted.get(), shifted.get(), limb * kernel::lanes::kLimbBits) == 1);
            // fails where the number is short enough already
            BN_mask_bits(shifted.get(), kernel::lanes::kLimbBits);
            std::fprintf(file_, "0x%llxU,", static_cast<unsigned long long>(BN_get_word(shifted.get())));
        }
        std::fprintf(file_, "},\n");
    }

    std::FILE* file_;
    int num_limbs_;
};

/// x R mod p
void to_montgomery(Bn& x, const BIGNUM* p, int num_limbs, BN_CTX* ctx) {
    require(BN_lshift(x.get(), x.get(), num_limbs * kernel::lanes::kLimbBits) == 1);
    require(BN_nnmod(x.get(), x.get(), p, ctx) == 1);
}

/// Multiples 1 to kCombEntries of 2^(w i) G, affine, in Montgomery form.
template <typename Curve>
Entries prime_curve(int nid, int width) {
    const BnCtx ctx{BN_CTX_new()};
    const Group group{EC_GROUP_new_by_curve_name(nid)};
    require(ctx && group);
    const Bn p = make_bn();
    require(EC_GROUP_get_curve(group.get(), p.get(), nullptr, nullptr, ctx.get()) == 1);
    Entries entries;
    const EcPoint base{EC_POINT_dup(EC_GROUP_get0_generator(group.get()), group.get())};
    const EcPoint multiple{EC_POINT_new(group.get())};
    require(base && multiple);
    for (int window = 0; window < Curve::CombDigits::kNum; ++window) {
        auto& coordinates = entries.emplace_back(2);
        require(EC_POINT_set_to_infinity(group.get(), multiple.get()) == 1);
        for (int entry = 0; entry < Curve::kCombEntries; ++entry) {
            require(EC_POINT_add(group.get(), multiple.get(), multiple.get(), base.get(), ctx.get()) == 1);
            Bn x = make_bn(), y = make_bn();
            require(EC_POINT_get_affine_coordinates(group.get(), multiple.get(), x.get(), y.get(), ctx.get()) == 1);
            to_montgomery(x, p.get(), Curve::Field::kLimbs, ctx.get());
            to_montgomery(y, p.get(), Curve::Field::kLimbs, ctx.get());
            coordinates[0].push_back(std::move(x));
            coordinates[1].push_back(std::move(y));
        }
        for (int bit = 0; bit < width; ++bit)
            require(EC_POINT_dbl(group.get(), base.get(), base.get(), ctx.get()) == 1);
    }
    return entries;
}

/// Arithmetic modulo 2^255 - 19 for affine points of edwards25519.
class Edwards {
public:
    struct Affine {
        Bn x, y;
    };

    Edwards()
        : ctx_(BN_CTX_new()), p_(limbs(kernel::curve25519::Field::kModulus.n)), d_(limbs(kernel::curve25519::kD)) {
        require(ctx_ != nullptr);
    }

    /// RFC 8032, 5.1: y = 4/5, x the even root of (y^2 - 1) / (d y^2 + 1).
    Affine base() const {
        const Bn four = word(4), one = word(1);
        Bn y = product(four, inverse(word(5)));
        const Bn yy = product(y, y), xx = product(difference(yy, one), inverse(sum(product(d_, yy), one)));
        Bn x = make_bn();
        require(BN_mod_sqrt(x.get(), xx.get(), p_.get(), ctx_.get()) != nullptr);
        if (BN_is_odd(x.get())) require(BN_sub(x.get(), p_.get(), x.get()) == 1);
        return {std::move(x), std::move(y)};
    }
    /// RFC 8032, 5.1.4, with Z = 1.
    Affine add(const Affine& a, const Affine& b) const {
        const Bn xx = product(a.x, b.x), yy = product(a.y, b.y), one = word(1);
        const Bn c = product(d_, product(xx, yy));
        const Bn cross = sum(product(a.x, b.y), product(a.y, b.x));
        return {product(cross, inverse(sum(one, c))), product(sum(yy, xx), inverse(difference(one, c)))};
    }
    /// What the lanes add: y + x, y - x, 2 d x y.
    std::vector<Bn> addend(const Affine& a) const {
        std::vector<Bn> result;
        result.push_back(sum(a.y, a.x));
        result.push_back(difference(a.y, a.x));
        const Bn once = product(d_, product(a.x, a.y));
        result.push_back(sum(once, once));
        return result;
    }

private:
    static Bn word(BN_ULONG value) {
        Bn result = make_bn();
        require(BN_set_word(result.get(), value) == 1);
        return result;
    }
    template <int kLimbs>
    static Bn limbs(const kernel::lanes::Number<kLimbs>& number) {
        Bn result = make_bn();
        BN_zero(result.get());
        for (int i = kLimbs - 1; i >= 0; --i) {
            require(BN_lshift(result.get(), result.get(), kernel::lanes::kLimbBits) == 1);
            require(BN_add_word(result.get(), number.limb[i]) == 1);
        }
        return result;
    }
    Bn product(const Bn& a, const Bn& b) const {
        Bn result = make_bn();
        require(BN_mod_mul(result.get(), a.get(), b.get(), p_.get(), ctx_.get()) == 1);
        return result;
    }
    Bn sum(const Bn& a, const Bn& b) const {
        Bn result = make_bn();
        require(BN_mod_add(result.get(), a.get(), b.get(), p_.get(), ctx_.get()) == 1);
        return result;
    }
    Bn difference(const Bn& a, const Bn& b) const {
        Bn result = make_bn();
        require(BN_mod_sub(result.get(), a.get(), b.get(), p_.get(), ctx_.get()) == 1);
        return result;
    }
    Bn inverse(const Bn& a) const {
        Bn result{BN_mod_inverse(nullptr, a.get(), p_.get(), ctx_.get())};
        require(result != nullptr);
        return result;
    }

    BnCtx ctx_;
    Bn p_, d_;
};

/// Multiples 1 to kCombEntries of 2^(w i) B.
Entries edwards_curve() {
    namespace c = kernel::curve25519;
    const Edwards curve;
    Entries entries;
    Edwards::Affine base = curve.base();
    for (int window = 0; window < c::CombDigits::kNum; ++window) {
        auto& coordinates = entries.emplace_back(3);
        Edwards::Affine multiple{Bn{BN_dup(base.x.get())}, Bn{BN_dup(base.y.get())}};
        for (int entry = 0; entry < c::kCombEntries; ++entry) {
            auto numbers = curve.addend(multiple);
            for (std::size_t i = 0; i < numbers.size(); ++i) coordinates[i].push_back(std::move(numbers[i]));
            multiple = curve.add(multiple, base);
        }
        for (int bit = 0; bit < c::kCombWidth; ++bit) base = curve.add(base, base);
    }
    return entries;
}

void write_comb(const char* curve, std::FILE* file) {
    if (std::strcmp(curve, "p256") == 0) {
        namespace p256 = kernel::p256;
        Writer(file, p256::Field::kLimbs)
            .write(curve, "p256_curve", prime_curve<p256::Curve>(NID_X9_62_prime256v1, p256::kCombWidth));
    } else if (std::strcmp(curve, "p384") == 0) {
        namespace p384 = kernel::p384;
        Writer(file, p384::Field::kLimbs)
            .write(curve, "p384_curve", prime_curve<p384::Curve>(NID_secp384r1, p384::kCombWidth));
    } else if (std::strcmp(curve, "curve25519") == 0) {
        Writer(file, kernel::curve25519::kLimbs).write(curve, "constants", edwards_curve());
    } else {
        throw std::runtime_error("no such curve");
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: make_combs p256|p384|curve25519 FILE\n");
        return 2;
    }
    try {
        const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file{std::fopen(argv[2], "w"), &std::fclose};
        if (!file) throw std::runtime_error("cannot open the file");
        write_comb(argv[1], file.get());
        if (std::fflush(file.get()) != 0) throw std::runtime_error("cannot write");
    } catch (const std::exception& e) {
        std::fprintf(stderr, "make_combs: %s: %s\n", argv[1], e.what());
        return 1;
    }
    return 0;
}
