#include "instance/answers.hpp"

#include "base/error.hpp"

namespace octavo::instance {

octavo_status check_operation(const request::KeyRef& key, std::uint32_t operation) noexcept {
    if (!key) return fail(OCTAVO_ERR_BAD_HANDLE, "key: the handle was destroyed or never was");
    if (!key->can(operation))
        return fail(OCTAVO_ERR_BAD_ARGUMENT, "operation: %u is none of this key; see octavo_operation", operation);
    return OCTAVO_OK;
}

octavo_status check_request(const request::KeyRef& key, std::uint32_t operation, Bytes input) noexcept {
    if (!key) return fail(OCTAVO_ERR_BAD_HANDLE, "key: the handle was destroyed or never was");
    if (input.data() == nullptr && !input.empty()) return fail(OCTAVO_ERR_NULL_ARGUMENT, "input: null");
    return key->check(operation, input);
}

octavo_status check_output(Bytes input, MutableBytes output, std::size_t needed) noexcept {
    if (output.data() == nullptr && needed > 0) return fail(OCTAVO_ERR_NULL_ARGUMENT, "output: null");
    if (output.size() < needed)
        return fail(OCTAVO_ERR_BAD_LENGTH, "capacity: %zu bytes; the result has %zu", output.size(), needed);
    const auto in = reinterpret_cast<std::uintptr_t>(input.data()),
               out = reinterpret_cast<std::uintptr_t>(output.data());
    if (in != out && in < out + needed && out < in + input.size())
        return fail(OCTAVO_ERR_OVERLAP, "output: overlaps the input without being the same buffer");
    return OCTAVO_OK;
}

bool is_answer(octavo_status status) noexcept {
    return status == OCTAVO_OK || status == OCTAVO_ERR_BAD_SIGNATURE || status == OCTAVO_ERR_BAD_POINT;
}

octavo_status endpoint_is_away() noexcept {
    return fail(OCTAVO_ERR_DEVICE, "the endpoint is restarting or down, and there is no software fallback");
}

octavo_status as_error(octavo_status status) noexcept {
    if (status == OCTAVO_ERR_DEVICE) return fail(status, "the endpoint failed, and there is no software fallback");
    if (status == OCTAVO_ERR_OPERATION_FAILED) return fail(status, "the operation failed on every row");
    if (status == OCTAVO_ERR_NO_MEMORY) return fail(status, "memory ran out");
    if (status == OCTAVO_ERR_BAD_SIGNATURE) return fail(status, "it is not the key's signature of this");
    if (status == OCTAVO_ERR_BAD_POINT) return fail(status, "input: no valid public key of the curve");
    return status;
}

}  // namespace octavo::instance
