#pragma once

#include <cstdint>
#include <vector>

#include "speed/contexts.hpp"
#include "speed/operations.hpp"

/// Finite fields' side of `octavo speed`: an exponentiation with a secret exponent is what Diffie-Hellman and DSA cost.
namespace octavo::cli {

enum class FiniteAction { derive, sign, keygen };

/// A group of OpenSSL's, and what is done there. DSA's are made of one of Diffie-Hellman's, for a search for primes takes seconds.
struct FiniteGroup {
    const char* name;
    unsigned bits;
    FiniteAction action;
    std::size_t exponent_len;  ///< bytes of an exponent as the provider gives it to the lanes: of 225, 275 and 256 bits
};

class FiniteOperation final : public Operation {
public:
    FiniteOperation(const char* name, const char* text, const FiniteGroup& group) noexcept
        : Operation(name, text), group_(group) {}

    const FiniteGroup& group() const noexcept { return group_; }

    SidePtr kernel(std::size_t depth, RowChoice choice) const override;
    SidePtr api(std::size_t depth) const override;
    SidePtr provider(std::size_t depth, bool jobs) const override;
    SidePtr openssl(Counterpart of) const override;
    std::size_t max_batch() const override;
    double multiply_adds(std::size_t depth) const override;

private:
    FiniteGroup group_;
};
Operations finite_operations();

/// A key pair in the default context.
Pkey make_finite_key(const FiniteGroup& group);
/// Set up to generate pairs for Diffie-Hellman there.
PkeyContext finite_keygen_context(const EvpPlace& place, const FiniteGroup& group);

/// The exponentiations of `count` operations, numbers big-endian; bases and powers as long as the modulus. A derivation: one exponent, many
/// bases; else one base, many exponents.
struct FiniteData {
    std::vector<std::uint8_t> modulus;
    std::vector<std::vector<std::uint8_t>> bases, exponents, powers;
};
FiniteData make_finite_data(const FiniteGroup& group, std::size_t count);

SidePtr finite_kernel_side(const FiniteOperation& operation, std::size_t depth, RowChoice choice);
/// BN_mod_exp_mont_consttime() with a Montgomery context that is made once.
SidePtr finite_openssl_side(const FiniteOperation& operation);

/// Throws Failure unless `power` is data.powers[index].
void require_power(const FiniteOperation& operation, const FiniteData& data, std::size_t index,
                   const std::vector<std::uint8_t>& power);

}  // namespace octavo::cli
