#pragma once

#include "config/values.hpp"
#include "device/cost.hpp"

/// The value of CostTable: docs/man/octavo.conf.5.
namespace octavo::config {

/// Complains about every item that is none; those are left out.
device::CostFigures read_costs(ValueReader& reader, const Entry& entry);

/// Calls `use(operation's name, cost)` for each that is there.
template <typename Use>
void for_each_cost(const device::CostFigures& costs, Use&& use) {
    for (std::size_t i = 0; i < costs.size(); ++i)
        if (costs[i]) use(device::name(static_cast<request::Class>(i)), *costs[i]);
}

}  // namespace octavo::config
