#include "config/costs.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace octavo::config {
namespace {

constexpr std::uint64_t kMaxNs = 10'000'000'000;

std::vector<std::string> operations() {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < request::kNumLaneClasses; ++i)
        names.emplace_back(device::name(static_cast<request::Class>(i)));
    return names;
}

/// "300000/320000/290000"
std::optional<device::Cost> parse_cost(std::string_view text) {
    std::vector<double> figures;
    bool good = true;
    for_each_item(text, '/', [&](std::string_view item) {
        const auto ns = parse_number(item);
        good = good && ns && *ns >= 1 && *ns <= kMaxNs;
        figures.push_back(static_cast<double>(ns.value_or(0)));
    });
    if (!good || figures.size() != 3) return std::nullopt;
    return device::Cost{figures[0], figures[1], figures[2]};
}

/// What is wrong with an item; "" where it went into `costs`.
std::string read_item(std::string_view item, device::CostFigures& costs) {
    const auto colon = item.find(':');
    const auto operation = item.substr(0, colon);
    const auto names = operations();
    const auto place = std::find(names.begin(), names.end(), operation);
    if (place == names.end()) return "no such operation" + suggest(operation, names);
    const auto cost = colon == std::string_view::npos ? std::nullopt : parse_cost(item.substr(colon + 1));
    if (!cost)
        return "operation:portable/first/next, three whole numbers of nanoseconds from 1 to " + std::to_string(kMaxNs);
    auto& figure = costs[static_cast<std::size_t>(place - names.begin())];
    if (figure) return "this operation was given already";
    figure = cost;
    return {};
}

}  // namespace

device::CostFigures read_costs(ValueReader& reader, const Entry& entry) {
    device::CostFigures costs;
    bool empty = true;
    for_each_item(entry.value, ';', [&](std::string_view item) {
        empty = false;
        if (const auto wrong = read_item(item, costs); !wrong.empty())
            reader.complain_key(entry, "\"" + std::string(item) + "\": " + wrong);
    });
    if (empty) reader.complain_value(entry, "names no operation");
    return costs;
}

}  // namespace octavo::config
