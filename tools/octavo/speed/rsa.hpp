#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kernel/rsa/rsa.hpp"
#include "openssl_handles.hpp"
#include "speed/operations.hpp"

/// RSA's side of `octavo speed`.
namespace octavo::cli {

class RsaOperation final : public Operation {
public:
    RsaOperation(const char* name, const char* text, unsigned bits, bool is_private) noexcept
        : Operation(name, text), bits_(bits), is_private_(is_private) {}

    unsigned bits() const noexcept { return bits_; }
    bool is_private() const noexcept { return is_private_; }

    void prepare(Progress& progress) const override;
    SidePtr kernel(std::size_t depth, RowChoice choice) const override;
    SidePtr api(std::size_t depth) const override;
    SidePtr provider(std::size_t depth, bool jobs) const override;
    SidePtr openssl(Counterpart of) const override;
    std::size_t max_batch() const override;
    double multiply_adds(std::size_t depth) const override;

private:
    unsigned bits_;
    bool is_private_;
};
Operations rsa_operations();

/// A key made for this run: in OpenSSL's hands, and as numbers.
struct RsaKey {
    unsigned bits;
    Pkey pkey;
    std::vector<std::uint8_t> n, e, d, p, q, dp, dq, qinv;

    std::size_t len() const noexcept { return bits / 8; }
    kernel::rsa::Components components() const noexcept { return {n, e, d, p, q, dp, dq, qinv, {}}; }
};

/// The run's key of that size; made at the first call.
const RsaKey& rsa_key(unsigned bits);
/// Makes the run's key of that size, telling `progress`, where it is not made yet.
void make_rsa_key(unsigned bits, Progress& progress);

/// Inputs (random, less than n, all different) and what OpenSSL answers for each.
struct RsaData {
    std::vector<std::vector<std::uint8_t>> inputs, expected;
};
RsaData make_rsa_data(const RsaOperation& operation, std::size_t count);

/// Throws Failure unless `output` is data.expected[index].
void require_expected(const RsaOperation& operation, const RsaData& data, std::size_t index,
                      const std::vector<std::uint8_t>& output);

SidePtr rsa_kernel_side(const RsaOperation& operation, std::size_t depth, RowChoice choice);
/// Private or public operations with the run's key; it keeps a reference to `operation`.
struct ApiWork rsa_api_work(const RsaOperation& operation, std::size_t depth);
SidePtr rsa_api_side(const RsaOperation& operation, std::size_t depth);
SidePtr rsa_provider_side(const RsaOperation& operation, std::size_t depth, bool jobs);
SidePtr rsa_openssl_raw_side(const RsaOperation& operation);
SidePtr rsa_openssl_evp_side(const RsaOperation& operation);

}  // namespace octavo::cli
