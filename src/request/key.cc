#include "request/key.hpp"

namespace octavo::request {

KeyHandles& keys() noexcept {
    static auto* const handles = new KeyHandles;
    return *handles;
}

}  // namespace octavo::request
