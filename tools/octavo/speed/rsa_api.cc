#include "speed/api_side.hpp"
#include "speed/rsa.hpp"

namespace octavo::cli {
namespace {

octavo::Key register_key(const RsaKey& key) {
    return require(octavo::Key::create_rsa({key.n, key.e, key.d, key.p, key.q, key.dp, key.dq, key.qinv}),
                   "octavo_key_create_rsa");
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
