#pragma once

#include <vector>

#include "doctor/verdict.hpp"

namespace octavo::cli {

/// Whether a program started like this one (same OPENSSL_CONF, same environment) would use Octavo for RSA, and with which rows: the
/// provider can be loaded, is active in OpenSSL's default library context, is picked; the fast rows run.
std::vector<Check> check_setup();

}  // namespace octavo::cli
