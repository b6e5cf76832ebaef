#include "vectors/wycheproof.hpp"

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace octavo::vectors {
namespace {

[[noreturn]] void fail(const std::string& where, const std::string& what) {
    throw std::runtime_error(where + ": " + what);
}

Verdict verdict_of(const std::string& text, const std::string& where) {
    if (text == "valid") return Verdict::valid;
    if (text == "acceptable") return Verdict::acceptable;
    if (text == "invalid") return Verdict::invalid;
    fail(where, "unknown result " + text);
}

std::uint8_t nibble(char c, const std::string& where) {
    if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
    fail(where, "not hexadecimal");
}

}  // namespace

Object::Object(const Json& json, std::string where) : json_(json), where_(std::move(where)) {
    if (!json.is_object()) fail(where_, "not an object");
    for (const auto& item : json.items()) left_.insert(item.key());
}

const Json* Object::take_if_there(const char* name) {
    const auto found = json_.find(name);
    if (found == json_.end()) return nullptr;
    left_.erase(name);
    return &*found;
}

const Json& Object::take(const char* name) {
    const Json* found = take_if_there(name);
    if (found == nullptr) fail(where_, std::string("no field ") + name);
    return *found;
}

ByteVector Object::bytes(const char* name) { return from_hex(text(name), where_ + ", " + name); }

void Object::expect(const char* name, const Json& value) {
    const Json& found = take(name);
    if (found != value) fail(where_, std::string(name) + " is " + found.dump() + ", not " + value.dump());
}

void Object::skip(std::initializer_list<const char*> names) {
    for (const char* name : names) take_if_there(name);
}

void Object::finish() const {
    if (!left_.empty()) fail(where_, "unknown field " + *left_.begin());
}

Common read_common(Object& test, const std::set<std::string_view>& known_flags) {
    for (const Json& flag : test.take("flags")) {
        const auto name = flag.get<std::string>();
        if (!known_flags.contains(name)) fail(test.where(), "unknown flag " + name);
    }
    return {test.number("tcId"), test.text("comment"), verdict_of(test.text("result"), test.where())};
}

ByteVector from_hex(const std::string& hex, const std::string& where) {
    if (hex.size() % 2 != 0) fail(where, "odd number of digits");
    ByteVector bytes;
    for (std::size_t i = 0; i < hex.size(); i += 2)
        bytes.push_back(static_cast<std::uint8_t>(nibble(hex[i], where) << 4 | nibble(hex[i + 1], where)));
    return bytes;
}

std::int64_t for_each_group(const std::string& path, const std::function<void(Object&, const Json&)>& use) {
    std::ifstream file(path);
    if (!file) fail(path, "cannot be opened");
    const Json json = Json::parse(file);
    Object head(json, std::filesystem::path(path).filename().string());
    head.skip({"algorithm", "schema", "header", "notes"});
    const std::int64_t promised = head.number("numberOfTests");
    std::size_t index = 0;
    for (const Json& item : head.take("testGroups")) {
        Object group(item, head.where() + ", group " + std::to_string(index++));
        group.skip({"source"});
        use(group, group.take("tests"));
        group.finish();
    }
    head.finish();
    return promised;
}

std::optional<std::string> folder() {
    const char* chosen = std::getenv("OCTAVO_VECTORS");
    const std::string path = std::string(chosen == nullptr ? OCTAVO_VECTORS_DEFAULT : chosen) + "/wycheproof";
    if (std::filesystem::is_directory(path)) return path;
    std::fprintf(stderr, "\n*** NOT TESTED: no third-party vectors at %s (set OCTAVO_VECTORS) ***\n\n", path.c_str());
    return std::nullopt;
}

}  // namespace octavo::vectors
