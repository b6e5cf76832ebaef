#include "request/key.hpp"

namespace octavo::request {

static KeyHandles* const handles = new KeyHandles;  // see base/fork.hpp
KeyHandles& keys() noexcept { return *handles; }

}  // namespace octavo::request
