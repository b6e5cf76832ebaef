#include <fmt/core.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include <string>

#include "installation.hpp"
#include "speed/finite.hpp"
#include "usage.hpp"

namespace octavo::cli {
namespace {

using Bytes = std::vector<std::uint8_t>;
using NumberContext = std::unique_ptr<BN_CTX, FreeWith<BN_CTX_free>>;
using Montgomery = std::unique_ptr<BN_MONT_CTX, FreeWith<BN_MONT_CTX_free>>;
using ParamBuilder = std::unique_ptr<OSSL_PARAM_BLD, FreeWith<OSSL_PARAM_BLD_free>>;
using Params = std::unique_ptr<OSSL_PARAM, FreeWith<OSSL_PARAM_free>>;

void require_good(bool good, const char* what) {
    if (!good) throw Failure(fmt::format("OpenSSL does not {}: {}", what, openssl_error()));
}

Number number(const EVP_PKEY* key, const char* name) {
    BIGNUM* raw = nullptr;
    require_good(EVP_PKEY_get_bn_param(key, name, &raw) == 1, "give a number of a key");
    return Number{raw};
}

Bytes padded(const BIGNUM* value, std::size_t len) {
    Bytes bytes(len);
    require_good(BN_bn2binpad(value, bytes.data(), static_cast<int>(len)) >= 0, "write a number");
    return bytes;
}

Number parsed(const Bytes& bytes) { return Number{BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr)}; }

/// Null: the group is the template's.
void set_up(EVP_PKEY_CTX* context, const char* group) {
    std::string name = group == nullptr ? "" : group;
    const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, name.data(), 0),
                                 OSSL_PARAM_construct_end()};
    require_good(context != nullptr && EVP_PKEY_keygen_init(context) == 1 &&
                     (group == nullptr || EVP_PKEY_CTX_set_params(context, params) == 1),
                 "make keys in a finite field");
}

Pkey generate(EVP_PKEY_CTX* context, const char* group) {
    EVP_PKEY* key = nullptr;
    set_up(context, group);
    require_good(EVP_PKEY_generate(context, &key) == 1, "make a key in a finite field");
    return Pkey{key};
}

Pkey generate_in(const char* type, const char* group) {
    const PkeyContext context{EVP_PKEY_CTX_new_from_name(default_context(), type, nullptr)};
    return generate(context.get(), group);
}

/// DSA's parameters: those of a group with a short subgroup.
Pkey dsa_parameters(const char* group) {
    const Pkey model = generate_in("DHX", group);
    const ParamBuilder builder{OSSL_PARAM_BLD_new()};
    std::vector<Number> numbers;
    for (const char* name : {OSSL_PKEY_PARAM_FFC_P, OSSL_PKEY_PARAM_FFC_Q, OSSL_PKEY_PARAM_FFC_G}) {
        numbers.push_back(number(model.get(), name));
        require_good(OSSL_PARAM_BLD_push_BN(builder.get(), name, numbers.back().get()) == 1, "take a number");
    }
    const Params params{OSSL_PARAM_BLD_to_param(builder.get())};
    const PkeyContext context{EVP_PKEY_CTX_new_from_name(default_context(), "DSA", nullptr)};
    EVP_PKEY* key = nullptr;
    require_good(context != nullptr && EVP_PKEY_fromdata_init(context.get()) == 1 &&
                     EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_KEY_PARAMETERS, params.get()) == 1,
                 "take a group for DSA");
    return Pkey{key};
}

Number random_below(const BIGNUM* limit) {
    Number value{BN_new()};
    require_good(value != nullptr && BN_priv_rand_range_ex(value.get(), limit, 0, nullptr) == 1,
                 "give a random number");
    return value;
}

/// Powers of one modulus.
class Power {
public:
    explicit Power(const Bytes& modulus)
        : scratch_(BN_CTX_new_ex(default_context())), modulus_(parsed(modulus)), montgomery_(BN_MONT_CTX_new()) {
        require_good(scratch_ && modulus_ && montgomery_ &&
                         BN_MONT_CTX_set(montgomery_.get(), modulus_.get(), scratch_.get()) == 1,
                     "prepare a modulus");
    }
    void raise(BIGNUM* out, const BIGNUM* base, const BIGNUM* exponent) {
        require_good(
            BN_mod_exp_mont_consttime(out, base, exponent, modulus_.get(), scratch_.get(), montgomery_.get()) == 1,
            "raise a number to a power");
    }

private:
    NumberContext scratch_;
    Number modulus_;
    Montgomery montgomery_;
};

class PowerSide final : public Side {
public:
    explicit PowerSide(const FiniteOperation& operation)
        : operation_(operation),
          data_(make_finite_data(operation.group(), 1)),
          power_(data_.modulus),
          base_(parsed(data_.bases[0])),
          exponent_(parsed(data_.exponents[0])),
          out_(BN_new()) {}

    void run(std::size_t calls) override {
        for (std::size_t i = 0; i < calls; ++i) power_.raise(out_.get(), base_.get(), exponent_.get());
    }
    std::size_t ops_per_call() const noexcept override { return 1; }
    void check() const override { require_power(operation_, data_, 0, padded(out_.get(), data_.modulus.size())); }

private:
    const FiniteOperation& operation_;
    FiniteData data_;
    Power power_;
    Number base_, exponent_, out_;
};

}  // namespace

Pkey make_finite_key(const FiniteGroup& group) {
    if (group.action != FiniteAction::sign) return generate_in("DH", group.name);
    const Pkey parameters = dsa_parameters(group.name);
    const PkeyContext context{EVP_PKEY_CTX_new_from_pkey(default_context(), parameters.get(), nullptr)};
    return generate(context.get(), nullptr);
}

PkeyContext finite_keygen_context(const EvpPlace& place, const FiniteGroup& group) {
    PkeyContext context{EVP_PKEY_CTX_new_from_name(place.context, "DH", place.properties)};
    set_up(context.get(), group.name);
    return context;
}

FiniteData make_finite_data(const FiniteGroup& group, std::size_t count) {
    const Pkey key = make_finite_key(group);
    const Number p = number(key.get(), OSSL_PKEY_PARAM_FFC_P), x = number(key.get(), OSSL_PKEY_PARAM_PRIV_KEY),
                 g = number(key.get(), OSSL_PKEY_PARAM_FFC_G), q = number(key.get(), OSSL_PKEY_PARAM_FFC_Q);
    const std::size_t len = group.bits / 8;
    FiniteData data;
    data.modulus = padded(p.get(), len);
    Power power(data.modulus);
    const Number result{BN_new()};
    for (std::size_t i = 0; i < count; ++i) {
        Number base, exponent;
        switch (group.action) {
            case FiniteAction::derive:
                base = random_below(p.get());
                exponent.reset(BN_dup(x.get()));
                break;
            case FiniteAction::sign:
                base.reset(BN_dup(g.get()));
                exponent = random_below(q.get());
                break;
            case FiniteAction::keygen:
                base.reset(BN_dup(g.get()));
                exponent = number(make_finite_key(group).get(), OSSL_PKEY_PARAM_PRIV_KEY);
        }
        power.raise(result.get(), base.get(), exponent.get());
        data.bases.push_back(padded(base.get(), len));
        data.exponents.push_back(padded(exponent.get(), group.exponent_len));
        data.powers.push_back(padded(result.get(), len));
    }
    return data;
}

SidePtr finite_openssl_side(const FiniteOperation& operation) { return std::make_unique<PowerSide>(operation); }

}  // namespace octavo::cli
