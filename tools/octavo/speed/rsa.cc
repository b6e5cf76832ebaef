#include "speed/rsa.hpp"

#include <fmt/core.h>
#include <openssl/core_names.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include <map>

#include "installation.hpp"
#include "speed/contexts.hpp"
#include "speed/power_cost.hpp"
#include "speed/rsa_openssl.hpp"
#include "usage.hpp"

namespace octavo::cli {
namespace {

std::map<unsigned, RsaKey>& keys() {
    default_context();  // made first, so that it outlives the keys
    static std::map<unsigned, RsaKey> made;
    return made;
}

std::vector<std::uint8_t> number(const EVP_PKEY* pkey, const char* name) {
    BIGNUM* raw = nullptr;
    if (EVP_PKEY_get_bn_param(pkey, name, &raw) != 1) throw Failure("OpenSSL gives no key value " + std::string(name));
    const Number owner{raw};
    std::vector<std::uint8_t> bytes(static_cast<std::size_t>(BN_num_bytes(raw)));
    BN_bn2bin(raw, bytes.data());
    return bytes;
}

Pkey generate(unsigned bits) {
    const PkeyContext context{EVP_PKEY_CTX_new_from_name(default_context(), "RSA", nullptr)};
    EVP_PKEY* pkey = nullptr;
    if (context == nullptr || EVP_PKEY_keygen_init(context.get()) != 1 ||
        EVP_PKEY_CTX_set_rsa_keygen_bits(context.get(), static_cast<int>(bits)) != 1 ||
        EVP_PKEY_generate(context.get(), &pkey) != 1)
        throw Failure("OpenSSL makes no RSA key: " + openssl_error());
    return Pkey{pkey};
}

RsaKey make_key(unsigned bits) {
    Pkey pkey = generate(bits);
    const auto get = [raw = pkey.get()](const char* name) { return number(raw, name); };
    auto n = get(OSSL_PKEY_PARAM_RSA_N), e = get(OSSL_PKEY_PARAM_RSA_E), d = get(OSSL_PKEY_PARAM_RSA_D);
    auto p = get(OSSL_PKEY_PARAM_RSA_FACTOR1), q = get(OSSL_PKEY_PARAM_RSA_FACTOR2);
    auto dp = get(OSSL_PKEY_PARAM_RSA_EXPONENT1), dq = get(OSSL_PKEY_PARAM_RSA_EXPONENT2);
    auto qinv = get(OSSL_PKEY_PARAM_RSA_COEFFICIENT1);
    return {bits, std::move(pkey), n, e, d, p, q, dp, dq, qinv};
}

std::vector<std::uint8_t> random_below_modulus(std::size_t len) {
    std::vector<std::uint8_t> bytes(len);
    if (RAND_bytes(bytes.data(), static_cast<int>(len)) != 1)
        throw Failure("OpenSSL gives no random bytes: " + openssl_error());
    bytes[0] = 0;  // the modulus has its top bit set
    return bytes;
}

constexpr double kLanes = 8;

/// Two exponentiations of half the length; the two halves' reduction, way into Montgomery's form and out of it, and share of the
/// recombination.
double private_multiply_adds(unsigned bits) {
    const MontgomeryCost cost(bits / 2);
    const double half = power_multiply_adds(cost, bits / 2) + 3 * cost.product + 4 * cost.reduction;
    return 2 * half / kLanes;
}

/// 65537: a multiplication into Montgomery's form, sixteen squarings, and a multiplication that leads out of it.
double public_multiply_adds(unsigned bits) {
    const MontgomeryCost cost(bits);
    return (16 * (cost.square + cost.reduction) + 2 * (cost.product + cost.reduction)) / kLanes;
}

}  // namespace

void RsaOperation::prepare(Progress& progress) const { make_rsa_key(bits_, progress); }

SidePtr RsaOperation::kernel(std::size_t depth, RowChoice choice) const {
    return rsa_kernel_side(*this, depth, choice);
}
SidePtr RsaOperation::api(std::size_t depth) const { return rsa_api_side(*this, depth); }
SidePtr RsaOperation::provider(std::size_t depth, bool jobs) const { return rsa_provider_side(*this, depth, jobs); }

SidePtr RsaOperation::openssl(Counterpart of) const {
    return of == Counterpart::provider ? rsa_openssl_evp_side(*this) : rsa_openssl_raw_side(*this);
}

std::size_t RsaOperation::max_batch() const {
    const auto* lane = kernel::rsa::lane_row();
    return lane == nullptr ? kernel::rsa::ref_row().max_batch : lane->max_batch;
}

double RsaOperation::multiply_adds(std::size_t) const {
    return is_private_ ? private_multiply_adds(bits_) : public_multiply_adds(bits_);
}

Operations rsa_operations() {
    static const RsaOperation list[] = {
        {"rsa2048-private", "RSA-2048 m = c^d mod n, with CRT", 2048, true},
        {"rsa2048-public", "RSA-2048 c = m^65537 mod n", 2048, false},
        {"rsa3072-private", "RSA-3072 m = c^d mod n, with CRT", 3072, true},
        {"rsa3072-public", "RSA-3072 c = m^65537 mod n", 3072, false},
        {"rsa4096-private", "RSA-4096 m = c^d mod n, with CRT", 4096, true},
        {"rsa4096-public", "RSA-4096 c = m^65537 mod n", 4096, false},
    };
    return operations_of(list);
}

void make_rsa_key(unsigned bits, Progress& progress) {
    if (keys().contains(bits)) return;
    progress.begin(fmt::format("making an RSA key of {} bits", bits));
    keys().emplace(bits, make_key(bits));
}

const RsaKey& rsa_key(unsigned bits) {
    Progress progress;
    make_rsa_key(bits, progress);
    return keys().at(bits);
}

RsaData make_rsa_data(const RsaOperation& operation, std::size_t count) {
    const RsaKey& key = rsa_key(operation.bits());
    RsaRaw raw(key, operation.is_private());
    RsaData data;
    for (std::size_t i = 0; i < count; ++i) {
        data.inputs.push_back(random_below_modulus(key.len()));
        data.expected.emplace_back(key.len());
        raw.run(data.inputs.back(), data.expected.back());
    }
    return data;
}

void require_expected(const RsaOperation& operation, const RsaData& data, std::size_t index,
                      const std::vector<std::uint8_t>& output) {
    if (output == data.expected[index]) return;
    throw Failure(fmt::format("{}: result {} of {} differs from OpenSSL's; please report this", operation.name(),
                              index + 1, data.expected.size()));
}

}  // namespace octavo::cli
