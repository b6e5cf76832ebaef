#include "device/cost.hpp"

#include <algorithm>

#include "device/work.hpp"
#include "kernel/ed25519/ed25519.hpp"
#include "kernel/modexp/modexp.hpp"
#include "kernel/p256/p256.hpp"
#include "kernel/p384/p384.hpp"
#include "kernel/rsa/rsa.hpp"
#include "kernel/x25519/x25519.hpp"

namespace octavo::device {
namespace {

/// On a 2-GHz-class server CPU with AVX512-IFMA.
struct Reference {
    request::Class where;
    const char* name;
    Cost cost;
};
constexpr Reference kReference[] = {
    {request::Class::rsa2048_private, "rsa2048-private", {300'000, 320'000, 290'000}},
    {request::Class::rsa2048_public, "rsa2048-public", {16'000, 28'000, 28'000}},
    {request::Class::rsa3072_private, "rsa3072-private", {1'680'000, 1'100'000, 1'050'000}},
    {request::Class::rsa3072_public, "rsa3072-public", {35'000, 60'000, 60'000}},
    {request::Class::rsa4096_private, "rsa4096-private", {3'850'000, 2'550'000, 2'450'000}},
    {request::Class::rsa4096_public, "rsa4096-public", {61'000, 100'000, 100'000}},
    {request::Class::modexp2048, "modexp2048", {470'000, 650'000, 650'000}},
    {request::Class::modexp3072, "modexp3072", {1'200'000, 1'600'000, 1'600'000}},
    {request::Class::modexp4096, "modexp4096", {2'400'000, 3'300'000, 3'300'000}},
    {request::Class::p256_sign, "p256-sign", {24'000, 28'000, 24'000}},
    {request::Class::p256_verify, "p256-verify", {75'000, 105'000, 98'000}},
    {request::Class::p256_derive, "p256-derive", {65'000, 90'000, 84'000}},
    {request::Class::p256_generate, "p256-keygen", {18'000, 21'000, 17'000}},
    {request::Class::p384_sign, "p384-sign", {750'000, 85'000, 65'000}},
    {request::Class::p384_verify, "p384-verify", {670'000, 360'000, 350'000}},
    {request::Class::p384_derive, "p384-derive", {730'000, 300'000, 295'000}},
    {request::Class::p384_generate, "p384-keygen", {730'000, 70'000, 60'000}},
    {request::Class::x25519_derive, "x25519-derive", {42'000, 49'000, 49'000}},
    {request::Class::x25519_generate, "x25519-keygen", {50'000, 14'000, 14'000}},
    {request::Class::ed25519_sign, "ed25519-sign", {40'000, 18'000, 18'000}},
    {request::Class::ed25519_verify, "ed25519-verify", {105'000, 70'000, 70'000}},
    {request::Class::ed25519_generate, "ed25519-keygen", {45'000, 14'000, 14'000}},
};

/// How many operations a pass holds, and a batch.
struct Shape {
    std::size_t group, max_batch;
};
template <typename Row>
Shape shape_of(const Row* row) noexcept {
    return row == nullptr ? Shape{0, 0} : Shape{row->group, row->max_batch};
}
Shape shape_of(request::Class c) noexcept {
    using request::Class;
    if (c >= Class::ed25519_sign) return shape_of(kernel::ed25519::lane_row());
    if (c >= Class::x25519_derive) return shape_of(kernel::x25519::lane_row());
    if (c >= Class::p384_sign) return shape_of(kernel::p384::lane_row());
    if (c >= Class::p256_sign) return shape_of(kernel::p256::lane_row());
    if (c >= Class::modexp2048) return shape_of(kernel::modexp::lane_row());
    const auto* row = kernel::rsa::lane_row();
    if (row == nullptr) return {0, 0};
    const bool is_private = c == Class::rsa2048_private || c == Class::rsa3072_private || c == Class::rsa4096_private;
    return {is_private ? row->group_private : row->group_public, row->max_batch};
}

}  // namespace

const char* name(request::Class c) noexcept {
    for (const auto& reference : kReference)
        if (reference.where == c) return reference.name;
    return "";
}

CostTable::CostTable(const CostFigures* given) noexcept {
    for (const auto& reference : kReference) {
        const auto shape = shape_of(reference.where);
        if (shape.group == 0) continue;
        const auto index = request::index(reference.where);
        auto& entry = entries_[index];
        entry.group = shape.group;
        entry.max_batch = std::min({shape.max_batch, shape.group * kMaxSteps, kMaxBatch});
        const auto cost = given == nullptr ? reference.cost : (*given)[index].value_or(reference.cost);
        entry.portable.reference_ns = cost.portable;
        for (std::size_t i = 0; i < kMaxSteps; ++i)
            entry.lanes[i].reference_ns = cost.first_pass + static_cast<double>(i) * cost.next_pass;
    }
}

double CostTable::scale(const Entry& entry) noexcept {
    if (entry.portable.seen) return entry.portable.ns / entry.portable.reference_ns;
    for (const auto& which : entry.lanes)
        if (which.seen) return which.ns / which.reference_ns;
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

std::uint64_t CostTable::pass_ns(request::Class c) const noexcept {
    const auto& entry = entries_[request::index(c)];
    return static_cast<std::uint64_t>(lanes_ns(entry, entry.group));
}

bool CostTable::fills_a_pass(request::Class c, std::size_t waiting) const noexcept {
    return c == request::Class::portable || waiting >= entries_[request::index(c)].group;
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
