#pragma once

#include <unistd.h>

#include "instance/fault_file.hpp"

/// Faults for the endpoints of the test's own process, through the file that `octavo fault` writes to.
namespace api_test {

using octavo::instance::Fault;
using octavo::instance::FaultControl;
using octavo::instance::FaultKind;

/// Before the first instance.
inline void allow_faults() { setenv("OCTAVO_FAULTS", "1", 1); }

/// False where the process has no file, or does not answer.
inline bool inject(const Fault& fault) {
    auto answer = FaultControl::Answer::ok;
    const auto control = FaultControl::open(static_cast<std::uint32_t>(getpid()), answer);
    return control != nullptr && control->add(fault) == FaultControl::Answer::ok;
}
inline bool clear_faults() {
    auto answer = FaultControl::Answer::ok;
    const auto control = FaultControl::open(static_cast<std::uint32_t>(getpid()), answer);
    return control != nullptr && control->remove(control->list()) == FaultControl::Answer::ok;
}

}  // namespace api_test
