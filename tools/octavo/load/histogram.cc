#include "load/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace octavo::cli::load {
namespace {

// Values below 2^(kBits+1) have a bucket each; above, every octave has 2^kBits buckets.
constexpr unsigned kBits = 7;

unsigned shift_of_value(std::uint64_t ns) {
    const auto width = static_cast<unsigned>(std::bit_width(ns));
    return width > kBits + 1 ? width - (kBits + 1) : 0;
}

std::size_t index_of(std::uint64_t ns) {
    const unsigned shift = shift_of_value(ns);
    return (std::size_t{shift} << kBits) + static_cast<std::size_t>(ns >> shift);
}

struct Edges {
    std::uint64_t low, high;
};

Edges edges_of(std::size_t index) {
    const std::size_t octave = index >> kBits;
    const std::size_t shift = octave < 2 ? 0 : octave - 1;
    const std::uint64_t low = std::uint64_t{index - (shift << kBits)} << shift;
    return {low, low + (std::uint64_t{1} << shift) - 1};
}

}  // namespace

void Histogram::record(std::uint64_t ns) {
    ns = std::min(ns, kMax);
    const std::size_t index = index_of(ns);
    if (index >= counts_.size()) counts_.resize(index + 1);
    ++counts_[index];
    ++count_;
    max_ = std::max(max_, ns);
}

void Histogram::add(const Histogram& other) {
    if (other.counts_.size() > counts_.size()) counts_.resize(other.counts_.size());
    for (std::size_t i = 0; i < other.counts_.size(); ++i) counts_[i] += other.counts_[i];
    count_ += other.count_;
    max_ = std::max(max_, other.max_);
}

std::uint64_t Histogram::percentile(double share) const {
    if (count_ == 0) return 0;
    const auto wanted = static_cast<std::uint64_t>(std::ceil(share * static_cast<double>(count_)));
    const std::uint64_t rank = std::clamp<std::uint64_t>(wanted, 1, count_);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        seen += counts_[i];
        if (seen >= rank) return std::min(edges_of(i).high, max_);
    }
    return max_;
}

std::vector<Histogram::Bucket> Histogram::buckets() const {
    std::vector<Bucket> list;
    for (std::size_t i = 0; i < counts_.size(); ++i)
        if (counts_[i] != 0) list.push_back({edges_of(i).low, edges_of(i).high, counts_[i]});
    return list;
}

}  // namespace octavo::cli::load
