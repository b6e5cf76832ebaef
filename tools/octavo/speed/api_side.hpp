#pragma once

#include <cstdint>
#include <functional>
#include <octavo/octavo.hpp>
#include <string>
#include <vector>

#include "speed/side.hpp"

/// Octavo's side at the layer api, for any operation.
namespace octavo::cli {

/// Throws Failure where `status`, the answer of `call`, is an error.
void require(octavo_status status, const char* call);

/// The key that `call` has made, or Failure.
octavo::Key require(octavo::Result<octavo::Key> made, const char* call);

using ByteLists = std::vector<std::vector<std::uint8_t>>;

/// Requests with one key: as many in flight at a time as there are inputs.
struct ApiWork {
    std::string name;
    octavo::Key key;
    octavo_operation operation;
    ByteLists inputs;
    /// Throws Failure where an output is wrong; they are in the order of the inputs.
    std::function<void(const ByteLists& outputs)> check;
};
SidePtr make_api_side(ApiWork work);

}  // namespace octavo::cli
