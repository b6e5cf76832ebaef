#include "config/instances.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/text.hpp"

namespace octavo::config {
namespace {

struct FieldName {
    const char* name;
    InstanceKey::Field field;
};
constexpr FieldName kFields[] = {
    {"Name", InstanceKey::Field::name},
    {"IsPolled", InstanceKey::Field::is_polled},
    {"CoreAffinity", InstanceKey::Field::core_affinity},
};

constexpr std::size_t kMaxInstanceName = 63;

/// "7" or "0-59".
std::optional<Cores> parse_cores(std::string_view text) {
    const auto dash = text.find('-');
    const auto first = parse_number(text.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parse_number(text.substr(dash + 1));
    if (!first || !last || *first > *last || *last > kMaxCore) return std::nullopt;
    return Cores{static_cast<unsigned>(*first), static_cast<unsigned>(*last)};
}

std::vector<Cores> read_cores(ValueReader& reader, const Entry& entry) {
    std::vector<Cores> cores;
    bool good = true;
    for_each_item(entry.value, ',', [&](std::string_view item) {
        const auto one = parse_cores(item);
        good = good && one.has_value();
        if (one) cores.push_back(*one);
    });
    if (good && !cores.empty()) return cores;
    reader.complain_value(entry, "cores from 0 to " + std::to_string(kMaxCore) +
                                     ", such as 3, or 0-7, or 0,2,4 for one process after the other");
    return {};
}

void read_field(ValueReader& reader, InstanceKey::Field field, const Entry& entry, GivenInstance& given) {
    switch (field) {
        case InstanceKey::Field::name:
            if (entry.value.size() > kMaxInstanceName)
                reader.complain_key(entry, "a name of over " + std::to_string(kMaxInstanceName) + " bytes");
            given.name = entry.value;
            break;
        case InstanceKey::Field::is_polled:
            given.polled = static_cast<Polled>(reader.number(entry, 0, 2).value_or(1));
            break;
        case InstanceKey::Field::core_affinity:
            given.cores = read_cores(reader, entry);
            break;
    }
}

}  // namespace

std::optional<InstanceKey> parse_instance_key(std::string_view key) {
    const bool is_crypto = key.starts_with("Cy");
    if (!is_crypto && !key.starts_with("Dc")) return std::nullopt;
    key.remove_prefix(2);
    const auto digits = std::min(key.find_first_not_of("0123456789"), key.size());
    const auto number = parse_number(key.substr(0, digits));
    const bool canonical = digits == 1 || (digits > 1 && key.front() != '0');
    if (!number || !canonical || *number >= kMaxInstances) return std::nullopt;
    for (const auto& [name, field] : kFields)
        if (key.substr(digits) == name) return InstanceKey{is_crypto, static_cast<unsigned>(*number), field};
    return std::nullopt;
}

std::vector<std::string> instance_keys_like(std::string_view key) {
    const auto first = std::find_if(key.begin(), key.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
    const auto last = std::find_if(first, key.end(), [](unsigned char c) { return std::isdigit(c) == 0; });
    const auto number = parse_number({first, last}).value_or(0);
    std::vector<std::string> keys;
    for (const char* kind : {"Cy", "Dc"})
        for (const auto& field : kFields)
            keys.push_back(kind + std::to_string(std::min<std::uint64_t>(number, kMaxInstances - 1)) + field.name);
    return keys;
}

std::string canonical_key(const std::string& key) {
    if (key == "NumberCyInstances") return "NumCyInstances";
    return key == "NumberDcInstances" ? "NumDcInstances" : key;
}

void InstanceCollector::take(const InstanceKey& key, const Entry& entry) {
    auto& all = key.is_crypto ? cy_ : dc_;
    auto& pending = all.try_emplace(key.number, Pending{{}, entry}).first->second;
    read_field(reader_, key.field, entry, pending.given);
}

void InstanceCollector::check_names(const ByNumber& all) {
    std::map<std::string, unsigned> seen;
    for (const auto& [number, pending] : all) {
        const auto& name = pending.given.name;
        if (name.empty()) {
            const auto key = pending.first.key.substr(0, 2) + std::to_string(number) + "Name";
            reader_.complain_key(pending.first, "this instance has no name; give it one with " + key);
        } else if (const auto [place, is_new] = seen.emplace(name, number); !is_new) {
            reader_.complain_key(pending.first, "two instances of the name \"" + name + "\", numbers " +
                                                    std::to_string(place->second) + " and " + std::to_string(number));
        }
    }
}

/// False, and a complaint, where a number is left out.
bool InstanceCollector::check_numbering(const ByNumber& all, const char* kind) {
    unsigned expected = 0;
    for (const auto& [number, pending] : all) {
        if (number == expected++) continue;
        reader_.complain_key(pending.first, "numbers go up from 0 without a gap, and " + std::string{kind} +
                                                std::to_string(expected - 1) + " is missing");
        return false;
    }
    return true;
}

std::vector<GivenInstance> InstanceCollector::finish(bool is_crypto, const Entry* count_entry, unsigned count) {
    const auto& all = is_crypto ? cy_ : dc_;
    const char* const kind = is_crypto ? "Cy" : "Dc";
    check_names(all);
    const bool complete = check_numbering(all, kind);
    if (complete && all.size() != count) {
        const auto given = std::to_string(all.size()) + " instance" + (all.size() == 1 ? "" : "s") + " of " + kind +
                           "<n> given in this section";
        const auto key = std::string{"Num"} + kind + "Instances";
        if (count_entry != nullptr)
            reader_.complain_value(*count_entry, given);
        else
            reader_.complain(reader_.section().line, given + ", and no " + key);
    }
    std::vector<GivenInstance> instances;
    for (const auto& [number, pending] : all) instances.push_back(pending.given);
    return instances;
}

}  // namespace octavo::config
