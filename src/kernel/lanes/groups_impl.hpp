#pragma once

#include "base/wipe.hpp"
#include "kernel/lanes/bytes_impl.hpp"
#include "kernel/lanes/clean_stack.hpp"
#include "kernel/lanes/inverse_impl.hpp"

/// Batches of several groups of eight lanes.
namespace octavo::kernel::lanes {

inline constexpr std::size_t kMaxGroups = 8;
inline constexpr std::size_t kMaxBatch = kMaxGroups * kLaneCount;

/// Where a group's jobs are.
template <typename Job>
struct GroupOf {
    GroupOf(Job* all, std::size_t count, std::size_t group) noexcept
        : jobs(all + group * kLaneCount),
          num(count - group * kLaneCount < kLaneCount ? count - group * kLaneCount : kLaneCount) {}
    Job* jobs;
    std::size_t num;
};
constexpr std::size_t groups_of(std::size_t count) noexcept { return (count + kLaneCount - 1) / kLaneCount; }

/// Inverts numbers of several groups at the price of one inversion: `begin`, then what it leaves in `product` is inverted, then
/// `next` gives the inverses, last group first. Montgomery form; none is zero.
template <typename Element>
class SharedInversion {
public:
    void begin(const Element* values, std::size_t num) noexcept {
        values_ = values, left_ = num;
        products_[0] = values[0];
        for (std::size_t i = 1; i < num; ++i) products_[i] = product_of(products_[i - 1], values[i]);
        product = products_[num - 1];
    }
    /// `product` holds the inverse of what it was.
    Element next() noexcept {
        if (--left_ == 0) return product;
        const Element result = product_of(product, products_[left_ - 1]);
        product = product_of(product, values_[left_]);
        return result;
    }
    Element product;

private:
    Element products_[kMaxGroups];
    const Element* values_;
    std::size_t left_;
};

/// Runs a batch in memory of its own, and wipes that and what lies below it on the stack.
template <typename Work, typename Job>
[[gnu::always_inline]] inline void run_wiped(void (*run)(Work&, Job*, std::size_t) noexcept, Job* jobs,
                                             std::size_t count) {
    {
        Work work;
        const WipeOnExit wiper(work);
        run(work, jobs, count);
    }
    clean_stack();
}

}  // namespace octavo::kernel::lanes
