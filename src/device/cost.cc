#include "device/cost.hpp"

#include <algorithm>

#include "kernel/rsa/rsa.hpp"

namespace octavo::device {
namespace {

/// Nanoseconds on a 2-GHz-class server CPU with AVX512-IFMA: one operation on the portable row, then lane batches of one and two passes.
struct Reference {
    request::Class where;
    bool is_private;
    double portable, one_pass, two_passes;
};
constexpr Reference kReference[] = {
    {request::Class::rsa2048_private, true, 300'000, 320'000, 610'000},
    {request::Class::rsa2048_public, false, 16'000, 28'000, 28'000},
    {request::Class::rsa3072_private, true, 1'680'000, 1'100'000, 2'150'000},
    {request::Class::rsa3072_public, false, 35'000, 60'000, 60'000},
    {request::Class::rsa4096_private, true, 3'850'000, 2'550'000, 5'000'000},
    {request::Class::rsa4096_public, false, 61'000, 100'000, 100'000},
};

}  // namespace

CostTable::CostTable() noexcept {
    const auto* row = kernel::rsa::lane_row();
    if (row == nullptr) return;
    for (const auto& reference : kReference) {
        auto& entry = entries_[request::index(reference.where)];
        entry.portable.reference_ns = reference.portable;
        entry.lanes[0].reference_ns = reference.one_pass;
        entry.lanes[1].reference_ns = reference.two_passes;
        entry.group = reference.is_private ? row->group_private : row->group_public;
        entry.max_batch = std::min(row->max_batch, entry.group * kMaxSteps);
    }
}

double CostTable::scale(const Entry& entry) noexcept {
    for (const auto* which : {&entry.portable, &entry.lanes[0], &entry.lanes[1]})
        if (which->seen) return which->ns / which->reference_ns;
    return 1.0;
}

double CostTable::estimate(const Entry& entry, const Estimate& which) noexcept {
    return which.seen ? which.ns : which.reference_ns * scale(entry);
}

double CostTable::lanes_ns(const Entry& entry, std::size_t count) noexcept {
    return estimate(entry, entry.lanes[(count - 1) / entry.group]);
}

std::size_t CostTable::plan(request::Class c, std::size_t waiting) const noexcept {
    const auto& entry = entries_[request::index(c)];
    std::size_t best = 0;
    double best_each = estimate(entry, entry.portable);
    // costs rise only where a pass is added: full passes and what is left over are the only candidates
    const std::size_t most = std::min(waiting, entry.max_batch);
    for (std::size_t count = most; count > 0; count = (count - 1) / entry.group * entry.group) {
        const double each = lanes_ns(entry, count) / static_cast<double>(count);
        if (each < best_each) {
            best = count;
            best_each = each;
        }
    }
    return best;
}

void CostTable::observe(request::Class c, std::size_t count, std::uint64_t ns) noexcept {
    auto& entry = entries_[request::index(c)];
    auto& which = count == 0 ? entry.portable : entry.lanes[(count - 1) / entry.group];
    const double took = static_cast<double>(ns);
    if (!which.seen) {
        // the first run also warms caches and builds forms: no more than a few times the expectation is believed
        which.ns = std::min(took, 2 * estimate(entry, which));
        which.seen = true;
    } else if (took < which.ns) {
        which.ns += (took - which.ns) / 4;
    } else {
        which.ns += std::min(took - which.ns, which.ns) / 64;
    }
}

std::uint64_t CostTable::alone_ns(request::Class c) const noexcept {
    if (c == request::Class::portable) return 0;
    const auto& entry = entries_[request::index(c)];
    return static_cast<std::uint64_t>(std::min(estimate(entry, entry.portable), lanes_ns(entry, 1)));
}

}  // namespace octavo::device
