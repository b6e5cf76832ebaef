#include <algorithm>
#include <new>

#include "base/wipe.hpp"
#include "kernel/rsa/rsa_forms.hpp"
#include "kernel/rsa/rsa_rows.hpp"

namespace octavo::kernel::rsa {
namespace {

__extension__ using Wide = unsigned __int128;

struct Number {
    Limb limb[kMaxPublicLimbs];
};

/// Reads `width` bits from bit `at` of a big-endian number; bits beyond its end are zero. width <= 56.
Limb bits_at(Bytes number, std::size_t at, unsigned width) noexcept {
    Limb value = 0;
    const std::size_t low = at / 8;
    for (std::size_t i = 0; i < 8 && low + i < number.size(); ++i)
        value |= Limb{number[number.size() - 1 - low - i]} << (8 * i);
    return (value >> (at % 8)) & ((Limb{1} << width) - 1);
}

void read_number(Limb* out, int limbs, Bytes number) noexcept {
    for (int i = 0; i < limbs; ++i) out[i] = bits_at(number, static_cast<std::size_t>(i) * kLimbBits, kLimbBits);
}

/// x -= n where x + top 2^(52 limbs) >= n; x unchanged elsewhere. The choice leaves no branch.
void subtract_if_reached(Limb* x, Limb top, const Limb* n, int limbs) noexcept {
    Number less;
    WipeOnExit wiper(less);
    Limb borrow = 0;
    for (int i = 0; i < limbs; ++i) {
        const Limb difference = x[i] - n[i] - borrow;
        less.limb[i] = difference & kLimbMask;
        borrow = difference >> 63;
    }
    const Limb keep = Limb{0} - ((top - borrow) >> 63);  // all ones where top = 0 and x < n
    for (int i = 0; i < limbs; ++i) x[i] = (x[i] & keep) | (less.limb[i] & ~keep);
}

/// x = 2 x mod n for x < n.
void double_mod(Limb* x, const Limb* n, int limbs) noexcept {
    Limb carry = 0;
    for (int i = 0; i < limbs; ++i) {
        const Limb doubled = (x[i] << 1) | carry;
        x[i] = doubled & kLimbMask;
        carry = doubled >> kLimbBits;
    }
    subtract_if_reached(x, carry, n, limbs);
}

/// r = a b / R mod n for a, b < n; r may be a or b.
template <int kMax>
void multiply_mod(Limb* r, const Limb* a, const Limb* b, const ModulusForm<kMax>& mod, int limbs) noexcept {
    Number sum{};
    WipeOnExit wiper(sum);
    Limb* t = sum.limb;
    Limb top = 0;
    for (int i = 0; i < limbs; ++i) {
        const Wide first = Wide{a[i]} * b[0] + t[0];
        const Limb q = (static_cast<Limb>(first) * mod.k) & kLimbMask;
        Wide carry = (first + Wide{q} * mod.n[0]) >> kLimbBits;
        for (int j = 1; j < limbs; ++j) {
            carry += Wide{a[i]} * b[j] + Wide{q} * mod.n[j] + t[j];
            t[j - 1] = static_cast<Limb>(carry) & kLimbMask;
            carry >>= kLimbBits;
        }
        carry += top;
        t[limbs - 1] = static_cast<Limb>(carry) & kLimbMask;
        top = static_cast<Limb>(carry >> kLimbBits);
    }
    subtract_if_reached(t, top, mod.n, limbs);
    std::copy_n(t, limbs, r);
}

/// -1/n mod 2^52 for odd n, by Newton's iteration: 3 n xor 2 is right to 5 bits, each step doubles them.
Limb negative_inverse(Limb n) noexcept {
    Limb inverse = (3 * n) ^ 2;
    for (int bits = 5; bits < kLimbBits; bits *= 2) inverse *= 2 - n * inverse;
    return (Limb{0} - inverse) & kLimbMask;
}

/// (n k + 1) / 2^52.
void shifted_multiple(Limb* m, const Limb* n, Limb k, int limbs) noexcept {
    Wide carry = (Wide{n[0]} * k + 1) >> kLimbBits;
    for (int i = 1; i < limbs; ++i) {
        carry += Wide{n[i]} * k;
        m[i - 1] = static_cast<Limb>(carry) & kLimbMask;
        carry >>= kLimbBits;
    }
    m[limbs - 1] = static_cast<Limb>(carry);
}

/// R mod n: 2^bits - n, where bits is n's exact width, then doubled up to R = 2^(52 limbs).
void montgomery_one(Limb* one, const Limb* n, int limbs, int bits) noexcept {
    Limb borrow = 0;
    for (int i = 0; i < limbs; ++i) {
        const Limb minuend = i == bits / kLimbBits ? Limb{1} << (bits % kLimbBits) : 0;
        const Limb difference = minuend - n[i] - borrow;
        one[i] = difference & kLimbMask;
        borrow = difference >> 63;
    }
    for (int i = bits; i < kLimbBits * limbs; ++i) double_mod(one, n, limbs);
}

/// R^2 mod n from R mod n: doubling adds one to the exponent x of R 2^x, Montgomery squaring doubles it.
template <int kMax>
void montgomery_square_of_r(Limb* rr, const ModulusForm<kMax>& mod, int limbs) noexcept {
    const int target = kLimbBits * limbs;
    int shift = 0;
    while ((target >> shift) > 31) ++shift;
    std::copy_n(mod.one, limbs, rr);
    for (int x = 0; x < target >> shift; ++x) double_mod(rr, mod.n, limbs);
    while (shift-- > 0) {
        multiply_mod(rr, rr, rr, mod, limbs);
        if ((target >> shift) & 1) double_mod(rr, mod.n, limbs);
    }
}

/// Everything but `enter`, which becomes R^2 mod n. `bits` is the exact width of `number`.
template <int kMax>
void prepare_modulus(ModulusForm<kMax>& mod, Bytes number, std::size_t bits) noexcept {
    const int limbs = limbs_for_bits(bits);
    read_number(mod.n, limbs, number);
    mod.k = negative_inverse(mod.n[0]);
    shifted_multiple(mod.m, mod.n, mod.k, limbs);
    montgomery_one(mod.one, mod.n, limbs, static_cast<int>(bits));
    montgomery_square_of_r(mod.enter, mod, limbs);
}

void prepare_public_form(PublicForm& form, const Components& key) noexcept {
    prepare_modulus(form.modulus, key.n, bit_length(key.n));
    form.e = bits_at(key.e, 0, 32);
}

/// The prime's modulus with R^2 in `enter`, and its exponent.
void prepare_half(HalfForm& half, Bytes prime, Bytes exponent, std::size_t bits) noexcept {
    prepare_modulus(half.modulus, prime, bits);
    read_number(half.exponent, limbs_for_bits(bits), exponent);
}

/// R^2 becomes R^3: a half receives its input divided by R.
void cube_enter(HalfForm& half, int limbs) noexcept {
    auto& mod = half.modulus;
    multiply_mod(mod.enter, mod.enter, mod.enter, mod, limbs);
}

bool lane_size(std::size_t bits) noexcept { return bits == 2048 || bits == 3072 || bits == 4096; }

bool is_odd(Bytes number) noexcept { return !number.empty() && (number.back() & 1) != 0; }

}  // namespace

bool takes_public_lanes(const Components& key) noexcept {
    const std::size_t e_bits = bit_length(key.e);
    return lane_size(bit_length(key.n)) && is_odd(key.n) && is_odd(key.e) && e_bits >= 2 && e_bits <= 32;
}

bool takes_private_lanes(const Components& key) noexcept {
    if (!takes_public_lanes(key) || !key.extra.empty()) return false;
    const std::size_t half = bit_length(key.n) / 2;
    const auto fits = [half](Bytes number) {
        const std::size_t bits = bit_length(number);
        return bits != 0 && bits <= half;
    };
    return bit_length(key.p) == half && bit_length(key.q) == half && fits(key.dp) && fits(key.dq) && fits(key.qinv);
}

PublicForm* prepare_public(const Components& key, void* memory) noexcept {
    auto* form = new (memory) PublicForm{};
    prepare_public_form(*form, key);
    return form;
}

PrivateForm* prepare_private(const Components& key, void* memory) noexcept {
    auto* form = new (memory) PrivateForm{};
    prepare_public_form(form->pub, key);
    const std::size_t bits = bit_length(key.n) / 2;
    const int limbs = limbs_for_bits(bits);
    prepare_half(form->p, key.p, key.dp, bits);
    prepare_half(form->q, key.q, key.dq, bits);
    read_number(form->qinv, limbs, key.qinv);
    const auto& p = form->p.modulus;
    multiply_mod(form->qinv, form->qinv, p.enter, p, limbs);
    cube_enter(form->p, limbs);
    cube_enter(form->q, limbs);
    return form;
}

}  // namespace octavo::kernel::rsa
