#include "speed/api_side.hpp"
#include "speed/rsa.hpp"

namespace octavo::cli {
namespace {

ApiKey register_key(const RsaKey& key) {
    const auto number = [](const std::vector<std::uint8_t>& bytes) {
        return octavo_number{bytes.data(), bytes.size()};
    };
    octavo_rsa_key numbers{};
    numbers.size = sizeof numbers;
    numbers.n = number(key.n);
    numbers.e = number(key.e);
    numbers.d = number(key.d);
    numbers.p = number(key.p);
    numbers.q = number(key.q);
    numbers.dp = number(key.dp);
    numbers.dq = number(key.dq);
    numbers.qinv = number(key.qinv);
    octavo_key handle{};
    require(octavo_key_create_rsa(&numbers, &handle), "octavo_key_create_rsa");
    return ApiKey{handle};
}

}  // namespace

ApiWork rsa_api_work(const RsaOperation& operation, std::size_t depth) {
    RsaData data = make_rsa_data(operation, depth);
    const auto inputs = data.inputs;
    const auto check = [&operation, data = std::move(data)](const ByteLists& outputs) {
        for (std::size_t i = 0; i < outputs.size(); ++i) require_expected(operation, data, i, outputs[i]);
    };
    return {operation.name(), register_key(rsa_key(operation.bits())),
            operation.is_private() ? OCTAVO_RSA_PRIVATE : OCTAVO_RSA_PUBLIC, inputs, check};
}

SidePtr rsa_api_side(const RsaOperation& operation, std::size_t depth) {
    return make_api_side(rsa_api_work(operation, depth));
}

}  // namespace octavo::cli
