#pragma once

#include <octavo/octavo.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "speed/side.hpp"

/// Octavo's side at the layer api, for any operation.
namespace octavo::cli {

/// Throws Failure where `status`, the answer of `call`, is an error.
void require(octavo_status status, const char* call);

/// Destroys the key with its scope.
class ApiKey {
public:
    explicit ApiKey(octavo_key key) noexcept : key_(key) {}
    ApiKey(ApiKey&& other) noexcept : key_(std::exchange(other.key_, {})) {}
    ApiKey& operator=(ApiKey&&) = delete;
    ~ApiKey() {
        if (key_.id != 0) octavo_key_destroy(key_);
    }
    octavo_key get() const noexcept { return key_; }

private:
    octavo_key key_;
};

using ByteLists = std::vector<std::vector<std::uint8_t>>;

/// Requests with one key: as many in flight at a time as there are inputs.
struct ApiWork {
    std::string name;
    ApiKey key;
    octavo_operation operation;
    ByteLists inputs;
    /// Throws Failure where an output is wrong; they are in the order of the inputs.
    std::function<void(const ByteLists& outputs)> check;
};
SidePtr make_api_side(ApiWork work);

}  // namespace octavo::cli
