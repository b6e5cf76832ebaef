#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "speed/operations.hpp"

namespace octavo::cli {

/// What a kernel's instructions are, told by their text in Intel's syntax.
///   multiply_add  vpmadd52, also where it reads memory
///   vector        every other instruction on vector or mask registers
///   load, store   moves between memory and a vector register
///   scalar        the rest: addresses, loops, calls
///   elsewhere     outside of this program: the C library's
enum class Kind { multiply_add, vector, load, store, scalar, elsewhere };
inline constexpr std::size_t kNumKinds = 6;
Kind kind_of(std::string_view mnemonic, std::string_view operands) noexcept;

/// Executed instructions.
struct InstructionCount {
    std::array<std::uint64_t, kNumKinds> by_kind{};
    std::uint64_t memory_operands = 0;  ///< vector instructions that are no moves and read memory
    std::uint64_t of(Kind kind) const noexcept { return by_kind[static_cast<std::size_t>(kind)]; }
};

/// Runs one call of `depth` operations of the lane row in a child process, one instruction at a time: a million take seconds. Failure where
/// there is no lane row, no objdump, or the system does not let a process be traced.
InstructionCount count_instructions(const Operation& operation, std::size_t depth);

/// The table of `octavo speed --count`.
void print_counts(const Operations& chosen, std::size_t depth);

}  // namespace octavo::cli
