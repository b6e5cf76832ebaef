#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace octavo::cli::load {

/// Counts of durations in buckets whose width grows with the value: at most 1/128 of it, so that percentiles are right
/// to 0.8 % from nanoseconds to hours in 40 KiB. The greatest value is kept exactly.
class Histogram {
public:
    struct Bucket {
        std::uint64_t low, high, count;  ///< nanoseconds, both ends included
    };

    /// `ns` above kMax counts as kMax.
    void record(std::uint64_t ns);
    void add(const Histogram& other);

    [[nodiscard]] std::uint64_t count() const { return count_; }
    [[nodiscard]] std::uint64_t max() const { return max_; }
    /// The least recorded value that `share` (0..1) of all values do not exceed, rounded up to its bucket's end and at
    /// most max(); 0 when empty.
    [[nodiscard]] std::uint64_t percentile(double share) const;
    /// The buckets that hold something, in rising order.
    [[nodiscard]] std::vector<Bucket> buckets() const;

    static constexpr std::uint64_t kMax = std::uint64_t{1} << 42;  // 73 minutes: longer than any run

private:
    std::vector<std::uint64_t> counts_;  // grows to the greatest bucket in use
    std::uint64_t count_ = 0, max_ = 0;
};

}  // namespace octavo::cli::load
