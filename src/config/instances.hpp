#pragma once

#include <optional>

#include "config/endpoint.hpp"
#include "config/values.hpp"

namespace octavo::config {

/// A key such as `Cy12CoreAffinity`, taken apart.
struct InstanceKey {
    bool is_crypto;  ///< Cy, not Dc
    unsigned number;
    enum class Field { name, is_polled, core_affinity } field;
};
std::optional<InstanceKey> parse_instance_key(std::string_view key);

/// The valid keys that look most like `key`: for suggestions.
std::vector<std::string> instance_keys_like(std::string_view key);

/// The canonical name of a count: "NumCyInstances" for "NumberCyInstances"; others as they are.
std::string canonical_key(const std::string& key);

/// Gathers the instances of a user section, `Cy<n>` and `Dc<n>` each, and compares them with what their counts say.
class InstanceCollector {
public:
    explicit InstanceCollector(ValueReader& reader) : reader_(reader) {}

    void take(const InstanceKey& key, const Entry& entry);
    /// `count` is that of NumCyInstances or NumDcInstances; null where it is not given, which means 0.
    std::vector<GivenInstance> finish(bool is_crypto, const Entry* count_entry, unsigned count);

private:
    struct Pending {
        GivenInstance given;
        Entry first;  ///< the entry that mentioned it first
    };
    using ByNumber = std::map<unsigned, Pending>;

    void check_names(const ByNumber& all);
    bool check_numbering(const ByNumber& all, const char* kind);

    ValueReader& reader_;
    ByNumber cy_, dc_;
};

}  // namespace octavo::config
