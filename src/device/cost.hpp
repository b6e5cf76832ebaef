#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "request/operation.hpp"

namespace octavo::device {

/// What operations of a class cost, in nanoseconds: one on the portable row, a lane batch of one pass, and what each further pass adds.
struct Cost {
    double portable, first_pass, next_pass;
};
/// By class; where a class has none, the built-in figures of a reference machine hold.
using CostFigures = std::array<std::optional<Cost>, request::kNumLaneClasses>;

/// The class's name, as `octavo speed` has it: "rsa2048-private". For lane classes.
const char* name(request::Class c) noexcept;

/// What an operation costs on each row, and from that the cheapest plan. Starts with given figures or built-in ones and learns from every batch
/// that runs: an estimate falls quickly towards a faster run and rises slowly, so that pre-emption does not count as cost. Where
/// only one row has been seen, the other's figure is scaled with it. Used by one thread at a time.
class CostTable {
public:
    /// `given` may be null, and is not kept.
    explicit CostTable(const CostFigures* given = nullptr) noexcept;

    /// How many of `waiting` (>= 1) requests of a lane class to run in one lane batch; 0: run one on the portable row.
    [[nodiscard]] std::size_t plan(request::Class c, std::size_t waiting) const noexcept;

    /// The estimate for one lane pass without an idle lane, of a lane class.
    [[nodiscard]] std::uint64_t pass_ns(request::Class c) const noexcept;

    /// How many requests of a lane class a batch has at most.
    [[nodiscard]] std::size_t max_batch(request::Class c) const noexcept {
        return entries_[request::index(c)].max_batch;
    }

    /// Whether `waiting` requests of a class leave no lane idle; on the portable row one does.
    [[nodiscard]] bool fills_a_pass(request::Class c, std::size_t waiting) const noexcept;

    /// Learns that a lane batch of `count`, or one operation on the portable row (count 0), took `ns`.
    void observe(request::Class c, std::size_t count, std::uint64_t ns) noexcept;

    /// The estimate for one operation alone, by the cheapest row; 0 where only the portable row takes the class.
    [[nodiscard]] std::uint64_t alone_ns(request::Class c) const noexcept;

private:
    static constexpr std::size_t kMaxSteps = 4;
    struct Estimate {
        double ns = 0, reference_ns = 0;
        bool seen = false;
    };
    struct Entry {
        Estimate portable;
        std::array<Estimate, kMaxSteps> lanes;  // by number of passes - 1; an RSA private batch of eight is two of four
        std::size_t group = 1, max_batch = 1;
    };

    static double scale(const Entry& entry) noexcept;
    static double estimate(const Entry& entry, const Estimate& which) noexcept;
    static double lanes_ns(const Entry& entry, std::size_t count) noexcept;

    std::array<Entry, request::kNumLaneClasses> entries_;
};

}  // namespace octavo::device
