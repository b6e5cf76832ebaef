#pragma once

#include <openssl/types.h>

namespace octavo::engine {

/// Gives an engine its control commands, which octavo-engine(7) describes.
bool add_commands(ENGINE* engine) noexcept;

}  // namespace octavo::engine
