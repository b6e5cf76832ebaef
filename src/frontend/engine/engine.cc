#define OPENSSL_SUPPRESS_DEPRECATED  // ENGINE: deprecated in OpenSSL 3, gone in 4
#include <openssl/engine.h>

#include <cstring>

#include "frontend/engine/ciphers.hpp"
#include "frontend/engine/control.hpp"
#include "frontend/engine/errors.hpp"
#include "frontend/engine/life.hpp"
#include "frontend/engine/methods.hpp"
#include "octavo/octavo.h"

namespace octavo::engine {
namespace {

constexpr char kId[] = "octavo";
/// Under which programs and configurations made for accelerator cards ask for their engine.
constexpr char kOtherId[] = "qatengine";
constexpr char kName[] = "Octavo: many operations folded into one";

/// Both libraries are found by the loader, and may not be those that the engine was built for.
bool versions_fit() noexcept {
    if (OPENSSL_version_major() != OPENSSL_VERSION_MAJOR)
        return raise(Reason::version, __func__, "built for OpenSSL %d, this is %s", OPENSSL_VERSION_MAJOR,
                     OpenSSL_version(OPENSSL_VERSION_STRING)) != 0;
    constexpr unsigned kMinor = 100, kMajor = 10000;
    constexpr unsigned kWanted = OCTAVO_VERSION_MAJOR * kMajor + OCTAVO_VERSION_MINOR * kMinor;
    if (octavo_version() / kMinor != kWanted / kMinor)
        return raise(Reason::version, __func__, "built for liboctavo %d.%d, this is %u.%u", OCTAVO_VERSION_MAJOR,
                     OCTAVO_VERSION_MINOR, octavo_version() / kMajor, octavo_version() / kMinor % kMinor) != 0;
    return true;
}

int start(ENGINE*) { return init(); }
int end(ENGINE*) { return finish(); }

int destroy(ENGINE* engine) {
    forget_pkey_methods(engine);
    return 1;
}

int bind(ENGINE* engine, const char* id) {
    if (id != nullptr && std::strcmp(id, kId) != 0 && std::strcmp(id, kOtherId) != 0) return 0;
    if (!load_errors() || !versions_fit() || rsa_method() == nullptr || ec_method() == nullptr ||
        dh_method() == nullptr || dsa_method() == nullptr)
        return 0;
    return ENGINE_set_id(engine, id == nullptr ? kId : id) == 1 && ENGINE_set_name(engine, kName) == 1 &&
                   ENGINE_set_destroy_function(engine, destroy) == 1 && ENGINE_set_init_function(engine, start) == 1 &&
                   ENGINE_set_finish_function(engine, end) == 1 && add_commands(engine) &&
                   ENGINE_set_RSA(engine, rsa_method()) == 1 && ENGINE_set_EC(engine, ec_method()) == 1 &&
                   ENGINE_set_DH(engine, dh_method()) == 1 && ENGINE_set_DSA(engine, dsa_method()) == 1 &&
                   add_pkey_methods(engine) && add_ciphers(engine)
               ? 1
               : 0;
}

}  // namespace
}  // namespace octavo::engine

// What OpenSSL's loader looks for: v_check() and bind_engine().
extern "C" {
#pragma GCC visibility push(default)
IMPLEMENT_DYNAMIC_CHECK_FN()
IMPLEMENT_DYNAMIC_BIND_FN(octavo::engine::bind)
#pragma GCC visibility pop
}
