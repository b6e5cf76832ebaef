#pragma once

#include <string>

#include "openssl_handles.hpp"

/// Where Octavo's pieces are, and their versions.
namespace octavo::cli {

/// "0.1.0", of the library that runs.
std::string library_version();
/// "octavo 0.1.0, liboctavo 0.1.0, OpenSSL 3.0.22": this program, the libraries that it runs with.
std::string version_line();
/// "3.0.22", of the libcrypto that runs.
std::string openssl_version();
/// The file that liboctavo was loaded from.
std::string library_path();
/// The file that libcrypto was loaded from.
std::string openssl_path();

/// The provider module: beside the library, in its folder `ossl-modules`; else in OPENSSL_MODULES; else in OpenSSL's own
/// folder of modules.
struct ProviderModule {
    std::string folder;
    std::string path;
    bool exists;
};
ProviderModule provider_module();

/// Null, with errors in OpenSSL's queue, where it cannot be loaded.
Provider load_provider(const ProviderModule& module, OSSL_LIB_CTX* context);

/// What the module says of itself, once loaded into a library context of its own.
struct ProviderIdentity {
    bool loaded;
    std::string name, version;
    std::string error;  ///< OpenSSL's words where it could not be loaded
};
ProviderIdentity identify_provider(const ProviderModule& module);

/// The oldest error in OpenSSL's queue as text, "no reason given" where there is none; empties the queue.
std::string openssl_error();

}  // namespace octavo::cli
