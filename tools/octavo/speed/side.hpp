#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace octavo::cli {

/// One side of a comparison: Octavo or OpenSSL, one operation at one depth, all set up; keys and inputs are made before.
class Side {
public:
    Side() = default;
    Side(const Side&) = delete;
    Side& operator=(const Side&) = delete;
    virtual ~Side() = default;

    /// Before a turn, untimed: what the side's earlier turn left may have been taken away by others.
    virtual void make_ready() {}
    /// Runs calls * ops_per_call() operations to their end. Throws Failure where an operation fails.
    virtual void run(std::size_t calls) = 0;
    virtual std::size_t ops_per_call() const noexcept = 0;
    /// Compares the results of the last call with OpenSSL's; Failure where one differs.
    virtual void check() const = 0;
    /// Whether threads of its own compute: where they hold the core, that is its own time.
    virtual bool has_threads() const noexcept { return false; }
    /// The kernel row that runs, or "" where that is the library's choice.
    virtual std::string row() const { return {}; }
    /// What a reader of the figures should know, or "".
    virtual std::string note() const { return {}; }
};

using SidePtr = std::unique_ptr<Side>;

}  // namespace octavo::cli
