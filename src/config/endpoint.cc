#include "config/endpoint.hpp"

#include <algorithm>
#include <array>

#include "base/nearest.hpp"
#include "base/text.hpp"
#include "config/costs.hpp"
#include "config/instances.hpp"
#include "config/values.hpp"

namespace octavo::config {
namespace {

const std::string kGeneral = "GENERAL";
/// Sections of the QuickAssist driver for what does not exist here: kernel users and virtual functions.
const std::vector<std::string> kNoMeaning = {"KERNEL", "KERNEL_QAT", "SIOV"};

const std::vector<std::string> kDrivers = {"auto", "inline", "threads"};
const std::vector<std::string> kModes = {"auto", "timer", "event", "external", "heuristic", "inline"};

void read_services(ValueReader& reader, const Entry& entry, General& general) {
    const std::vector<std::string> names = {"cy", "sym", "asym", "dc"};
    static constexpr unsigned bits[] = {kAsym | kSym, kSym, kAsym, kDc};
    general.services = 0;
    for_each_item(entry.value, ';', [&](std::string_view item) {
        const auto place = std::find(names.begin(), names.end(), item);
        if (place != names.end())
            general.services |= bits[place - names.begin()];
        else
            reader.complain_value(entry, "services are cy, sym, asym and dc, joined by \";\"" + suggest(item, names));
    });
    if (general.services == 0) reader.complain_value(entry, "names no service");
}

template <auto member, std::uint64_t min, std::uint64_t max>
void read_power(ValueReader& reader, const Entry& entry, General& general) {
    if (const auto value = reader.power_of_two(entry, min, max))
        general.*member = static_cast<std::remove_reference_t<decltype(general.*member)>>(*value);
}

template <auto member, std::uint64_t min, std::uint64_t max>
void read_number(ValueReader& reader, const Entry& entry, General& general) {
    if (const auto value = reader.number(entry, min, max))
        general.*member = static_cast<std::remove_reference_t<decltype(general.*member)>>(*value);
}

template <auto member, const std::vector<std::string>& words>
void read_word(ValueReader& reader, const Entry& entry, General& general) {
    if (const auto value = reader.word(entry, words))
        general.*member = static_cast<std::remove_reference_t<decltype(general.*member)>>(*value);
}

struct GeneralKey {
    const char* name;
    void (*read)(ValueReader&, const Entry&, General&);
};
constexpr GeneralKey kGeneralKeys[] = {
    {"ServicesEnabled", read_services},
    {"CyNumConcurrentAsymRequests", read_power<&General::asym_requests, 64, 65'536>},
    {"CyNumConcurrentSymRequests", read_power<&General::sym_requests, 64, 65'536>},
    {"Driver", read_word<&General::driver, kDrivers>},
    {"RingSize", read_power<&General::ring_size, 2, kMaxRing>},
    {"PollingMode", read_word<&General::polling_mode, kModes>},
    {"PollingIntervalNs", read_number<&General::polling_interval_ns, 1, 10'000'000>},
    {"EventTimeoutMs", read_number<&General::event_timeout_ms, 1, 60'000>},
    {"CostTable",
     [](ValueReader& reader, const Entry& entry, General& general) { general.costs = read_costs(reader, entry); }},
    {"HangTimeoutMs", read_number<&General::hang_timeout_ms, 10, 60'000>},
    {"FaultInjection", read_number<&General::allows_faults, 0, 1>},
};

constexpr char kEngineThreads[] = "EngineThreads";
/// Keys without a meaning here, by name or by how they begin: the QuickAssist driver's, and that one.
const std::vector<std::string> kIgnored = {"AutoResetOnError",
                                           "ConfigVersion",
                                           "DcIntermediateBufferSizeInKB",
                                           "DcNumConcurrentRequests",
                                           kEngineThreads,
                                           "FirmwareAuthEnabled",
                                           "HeartbeatTimer",
                                           "NumCyAccelUnits",
                                           "NumDcAccelUnits",
                                           "NumInlineAccelUnits",
                                           "NumberAdis",
                                           "PkeServiceDisabled",
                                           "ProcDebug",
                                           "SRIOV_Enabled",
                                           "ServicesProfile",
                                           "StorageEnabled",
                                           "WirelessEnabled",
                                           "cyHmacAuthMode",
                                           "drbgPollAndWaitTimeMS"};
constexpr std::string_view kIgnoredBeginnings[] = {"Firmware_", "InterruptCoalescing", "Kpt", "PmIdle", "stats"};

bool is_ignored(const std::string& key) {
    const auto begins = [&](std::string_view beginning) { return key.starts_with(beginning); };
    return std::find(kIgnored.begin(), kIgnored.end(), key) != kIgnored.end() ||
           std::any_of(std::begin(kIgnoredBeginnings), std::end(kIgnoredBeginnings), begins);
}

void read_general(ValueReader& reader, Endpoint& endpoint) {
    std::vector<std::string> known = kIgnored;
    for (const auto& key : kGeneralKeys) known.emplace_back(key.name);
    for (const auto& entry : reader.section().entries) {
        const auto same = [&](const GeneralKey& key) { return entry.key == key.name; };
        const auto* key = std::find_if(std::begin(kGeneralKeys), std::end(kGeneralKeys), same);
        const bool ignored = is_ignored(entry.key);
        if (key == std::end(kGeneralKeys) && !ignored) {
            reader.complain_unknown(entry, known);
        } else if (reader.first_time(entry, entry.key)) {
            if (ignored)
                endpoint.without_effect.push_back({kGeneral, entry.key, entry.value, entry.line});
            else
                key->read(reader, entry, endpoint.general);
        }
    }
}

/// A section for users that do not exist here: its keys must be known, and are listed.
void read_without_meaning(ValueReader& reader, Endpoint& endpoint) {
    for (const auto& entry : reader.section().entries) {
        const auto key = canonical_key(entry.key);
        const bool known = key == "NumCyInstances" || key == "NumDcInstances" || is_ignored(key) ||
                           parse_instance_key(key).has_value();
        if (!known) {
            auto names = instance_keys_like(key);
            names.insert(names.end(), {"NumberCyInstances", "NumberDcInstances", "NumberAdis"});
            reader.complain_unknown(entry, names);
        } else if (reader.first_time(entry, key)) {
            endpoint.without_effect.push_back({reader.section().name, entry.key, entry.value, entry.line});
        }
    }
}

/// The entries of a user section besides those of its instances.
struct UserKeys {
    const Entry *num_cy = nullptr, *num_dc = nullptr;
    unsigned cy = 0, dc = 0;
};

unsigned small_number(ValueReader& reader, const Entry& entry, unsigned max, unsigned otherwise) {
    return static_cast<unsigned>(reader.number(entry, 0, max).value_or(otherwise));
}

/// False for a key that is not one of these.
bool read_user_key(ValueReader& reader, const Entry& entry, const std::string& key, UserSection& user, UserKeys& keys) {
    if (key == "NumProcesses") {
        user.num_processes = small_number(reader, entry, kMaxProcesses, 1);
    } else if (key == "LimitDevAccess") {
        user.limit_dev_access = small_number(reader, entry, 1, 0) == 1;
    } else if (key == "EcdsaCheck") {
        user.checks_ecdsa = small_number(reader, entry, 1, 0) == 1;
    } else if (key == "NumCyInstances") {
        keys.num_cy = &entry;
        keys.cy = small_number(reader, entry, kMaxInstances, 0);
    } else if (key == "NumDcInstances") {
        keys.num_dc = &entry;
        keys.dc = small_number(reader, entry, kMaxInstances, 0);
    } else {
        return false;
    }
    return true;
}

void complain_user_key(ValueReader& reader, const Entry& entry) {
    auto known = instance_keys_like(entry.key);
    known.insert(known.end(), {"NumProcesses", "LimitDevAccess", "EcdsaCheck", "NumCyInstances", "NumDcInstances",
                               "NumberCyInstances", "NumberDcInstances"});
    reader.complain_unknown(entry, known);
}

UserSection read_user(ValueReader& reader) {
    UserSection user;
    user.name = reader.section().name;
    user.line = reader.section().line;
    InstanceCollector instances{reader};
    UserKeys keys;
    for (const auto& entry : reader.section().entries) {
        const auto key = canonical_key(entry.key);
        if (!reader.first_time(entry, key)) continue;
        if (const auto instance = parse_instance_key(key))
            instances.take(*instance, entry);
        else if (!read_user_key(reader, entry, key, user, keys))
            complain_user_key(reader, entry);
    }
    user.cy = instances.finish(true, keys.num_cy, keys.cy);
    user.dc = instances.finish(false, keys.num_dc, keys.dc);
    return user;
}

/// The section that was meant where a name is a slip of the pen away from one that is not the user's; "" where it is the user's.
std::string meant_section(const std::string& name) {
    std::string upper = name;
    std::transform(upper.begin(), upper.end(), upper.begin(), [](unsigned char c) { return std::toupper(c); });
    for (const std::string& ours : {kGeneral, kNoMeaning.front()})
        if (edit_distance(upper, ours) <= 2) return ours;
    return {};
}

/// With threads nobody need poll; with the inline driver somebody must.
void check_driver(const Document& document, const Endpoint& endpoint, Errors& errors) {
    if (endpoint.general.driver != OCTAVO_DRIVER_INLINE) return;
    for (const auto& user : endpoint.sections)
        for (const auto& given : user.cy)
            if (given.polled != Polled::polled)
                errors.push_back({document.file, user.line,
                                  "[" + user.name + "]: \"" + given.name +
                                      "\" is to be told by its descriptor (IsPolled 0 or 2), which Driver = inline has "
                                      "not; take Driver = auto, or IsPolled = 1"});
}

}  // namespace

int endpoint_number(const std::string& path) {
    std::string_view name{path};
    name.remove_prefix(name.rfind('/') + 1);
    const auto at = name.rfind("_dev");
    if (!name.ends_with(".conf") || at == std::string_view::npos || at == 0) return -1;
    const auto digits = name.substr(at + 4, name.size() - at - 4 - 5);
    const auto number = parse_number(digits);
    if (!number || *number >= kMaxEndpoints || std::to_string(*number) != digits) return -1;
    return static_cast<int>(*number);
}

Endpoint read_endpoint(const Document& document, unsigned number, Errors& errors) {
    Endpoint endpoint;
    endpoint.number = number;
    endpoint.file = document.file;
    for (const auto& section : document.sections) {
        ValueReader reader{document, section, errors};
        if (section.name == kGeneral)
            read_general(reader, endpoint);
        else if (std::find(kNoMeaning.begin(), kNoMeaning.end(), section.name) != kNoMeaning.end())
            read_without_meaning(reader, endpoint);
        else if (const auto meant = meant_section(section.name); !meant.empty())
            reader.complain(section.line, "no such section; did you mean [" + meant + "]?");
        else
            endpoint.sections.push_back(read_user(reader));
    }
    check_driver(document, endpoint, errors);
    return endpoint;
}

std::uint32_t ring_size(const General& general) noexcept {
    return general.ring_size != 0 ? general.ring_size : std::min(general.asym_requests, kMaxRing);
}

std::vector<std::string> notes(const Endpoint& endpoint) {
    std::vector<std::string> list;
    const auto& general = endpoint.general;
    const auto any = [&](std::vector<GivenInstance> UserSection::*kind) {
        return std::any_of(endpoint.sections.begin(), endpoint.sections.end(),
                           [&](const UserSection& user) { return !(user.*kind).empty(); });
    };
    if (general.ring_size == 0 && general.asym_requests > kMaxRing)
        list.push_back("CyNumConcurrentAsymRequests is " + std::to_string(general.asym_requests) +
                       ", and a ring holds at most " + std::to_string(kMaxRing));
    if (std::any_of(endpoint.without_effect.begin(), endpoint.without_effect.end(),
                    [](const Ignored& one) { return one.key == kEngineThreads; }))
        list.emplace_back(
            "EngineThreads says nothing here: each instance has one of its own at most, and Cy<n>CoreAffinity places "
            "it");
    if ((general.services & kAsym) == 0 && any(&UserSection::cy))
        list.emplace_back("ServicesEnabled has no asymmetric service: the crypto instances get no operations");
    if (any(&UserSection::dc)) list.emplace_back("compression instances are shown only: there is no such device yet");
    return list;
}

const char* name(PollingMode mode) noexcept { return kModes[static_cast<std::size_t>(mode)].c_str(); }
const char* name(octavo_driver driver) noexcept { return kDrivers[static_cast<std::size_t>(driver)].c_str(); }

std::string service_names(unsigned services) {
    std::string names = (services & (kAsym | kSym)) == (kAsym | kSym) ? "cy"
                        : (services & kSym) != 0                      ? "sym"
                        : (services & kAsym) != 0                     ? "asym"
                                                                      : "";
    if ((services & kDc) != 0) names += names.empty() ? "dc" : ";dc";
    return names;
}

}  // namespace octavo::config
