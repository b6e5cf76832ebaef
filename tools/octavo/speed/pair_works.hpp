#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "speed/contexts.hpp"
#include "speed/evp_side.hpp"

namespace octavo::cli {

/// EVP calls at a place with key pairs of one kind, in `depth` slots.
struct PairWork {
    const char* name;  ///< of the operation, for errors
    std::size_t depth;
    EvpPlace place;
    std::function<Pkey()> make_pair;  ///< in the default context
};

/// Signatures (or their verifications) of random messages by one key.
std::unique_ptr<EvpWork> make_signature_work(const PairWork& work, bool signs);
/// Secrets of one key and a peer for each slot.
std::unique_ptr<EvpWork> make_derive_work(const PairWork& work);

/// Key pairs: a context that is set up to generate for each slot; `require_right` throws Failure unless a pair's halves belong together.
std::unique_ptr<EvpWork> make_keygen_work(std::vector<PkeyContext> contexts,
                                          std::function<void(EVP_PKEY* pair)> require_right);

}  // namespace octavo::cli
