#pragma once

#include "load/handles.hpp"

namespace octavo::cli::load {

/// A library context with OpenSSL's default provider in it, less the decoders that no certificate needs.
/// OpenSSL 3.0 builds a chain of all known decoders for every public key that it reads. With those for keys in
/// certificates alone (5 of about 100), reading the server's certificate costs 34 us instead of 126.
/// No configuration file is read, and no other context's locks are met. Throws Failure.
class LeanLibrary {
public:
    LeanLibrary();

    [[nodiscard]] OSSL_LIB_CTX* get() const { return lean_.get(); }

private:
    // The algorithms' own: what they fetch in turn, they find there. It outlives what offers them.
    LibContext whole_;
    Provider default_;
    LibContext lean_;
    Provider selection_;
};

}  // namespace octavo::cli::load
