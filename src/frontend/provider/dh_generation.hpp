#pragma once

#include <openssl/core_dispatch.h>

#include "frontend/provider/ffc.hpp"
#include "frontend/provider/key.hpp"

namespace octavo::provider {

/// A generation in progress. The default side's is told everything; a pair in a group that OpenSSL knows is made on Octavo in a job.
class DhGeneration {
public:
    /// Takes the default side's.
    DhGeneration(const Provider& provider, KeyKind kind, int selection, void* twin) noexcept
        : provider_(provider), kind_(kind), selection_(selection), twin_(twin) {}
    ~DhGeneration();
    DhGeneration(const DhGeneration&) = delete;
    DhGeneration& operator=(const DhGeneration&) = delete;

    int set_params(const OSSL_PARAM params[]) noexcept;
    int set_template(Key& pattern) noexcept;
    /// Null with an error raised.
    Key* run(OSSL_CALLBACK* progress, void* argument) noexcept;
    void* twin() const noexcept { return twin_; }

private:
    const KeyFunctions& functions() const noexcept { return provider_.standard.keys(kind_); }
    Key* run_on_octavo() const noexcept;

    const Provider& provider_;
    const KeyKind kind_;
    const int selection_;
    void* const twin_;
    Key* pattern_ = nullptr;
    GroupName group_;    ///< as the parameters named it; empty: they did not
    bool plain_ = true;  ///< nothing else was set
};

}  // namespace octavo::provider
