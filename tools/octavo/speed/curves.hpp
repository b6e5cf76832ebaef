#pragma once

#include <octavo/octavo.h>

#include <cstddef>

#include "speed/operations.hpp"

/// The curves' side of `octavo speed`.
namespace octavo::cli {

/// `type` and `group` as EVP_PKEY_CTX_new_from_name and OSSL_PKEY_PARAM_GROUP_NAME take them; no group for X25519 and Ed25519.
struct Curve {
    octavo_curve number;
    const char *type, *group;
    std::size_t len;  ///< bytes of a scalar

    bool is_eddsa() const noexcept { return number == OCTAVO_CURVE_ED25519; }
};

enum class Action { sign, verify, derive, keygen };

class CurveOperation final : public Operation {
public:
    /// `multiply_adds` of one operation, lanes full, inversions not shared.
    CurveOperation(const char* name, const char* text, const Curve& curve, Action action, double multiply_adds) noexcept
        : Operation(name, text), curve_(curve), action_(action), multiply_adds_(multiply_adds) {}

    const Curve& curve() const noexcept { return curve_; }
    Action action() const noexcept { return action_; }

    SidePtr kernel(std::size_t depth, RowChoice choice) const override;
    SidePtr api(std::size_t depth) const override;
    SidePtr provider(std::size_t depth, bool jobs) const override;
    SidePtr openssl(Counterpart of) const override;
    std::size_t max_batch() const override;
    double multiply_adds(std::size_t depth) const override;

private:
    const Curve& curve_;
    Action action_;
    double multiply_adds_;
};
Operations curve_operations();

/// Digests and messages are 32 bytes, random, all different.
inline constexpr std::size_t kMessageLen = 32;

/// A row's batch function on `depth` jobs with keys of their own; null where `lanes` is asked for and no lane row runs.
SidePtr curve_kernel_side(const Curve& curve, Action action, std::size_t depth, bool lanes);
std::size_t curve_max_batch(const Curve& curve);

SidePtr curve_api_side(const CurveOperation& operation, std::size_t depth);
SidePtr curve_provider_side(const CurveOperation& operation, std::size_t depth, bool jobs);
SidePtr curve_openssl_evp_side(const CurveOperation& operation);
/// The public key of a scalar: no random numbers, no key object. For a curve with a group.
SidePtr curve_openssl_scalar_side(const Curve& curve);

}  // namespace octavo::cli
