#pragma once

#include <string>
#include <vector>

#include "installation.hpp"

namespace octavo::cli {

/// A cipher or key derivation as one of the front ends has it on this CPU.
struct FrontEndOffer {
    std::string name, front_end;
    std::vector<std::string> needs;  ///< CPU features; empty: any CPU
    bool offered;
    std::string why;
};

/// All that provider and engine may offer. The provider is asked; of the engine it is what it computes where `default_algorithms` names it.
std::vector<FrontEndOffer> front_end_offers(const ProviderModule& module);

}  // namespace octavo::cli
