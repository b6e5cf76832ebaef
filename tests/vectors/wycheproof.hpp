#pragma once

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

/// Reads Wycheproof's vector files, and trusts no field that it does not know: what is not understood is an error, so that a
/// newer file cannot pass half read. Every error is a std::runtime_error that names the place.
namespace octavo::vectors {

using Json = nlohmann::json;
using ByteVector = std::vector<std::uint8_t>;

/// An object of which each field is taken or skipped by name; `finish` throws if one is left.
class Object {
public:
    Object(const Json& json, std::string where);
    const Json& take(const char* name);
    const Json* take_if_there(const char* name);
    std::string text(const char* name) { return take(name).get<std::string>(); }
    std::int64_t number(const char* name) { return take(name).get<std::int64_t>(); }
    ByteVector bytes(const char* name);
    /// Throws unless the field has this very value.
    void expect(const char* name, const Json& value);
    /// Known and not needed: another writing of what is read elsewhere.
    void skip(std::initializer_list<const char*> names);
    void finish() const;
    const std::string& where() const { return where_; }

private:
    const Json& json_;
    std::string where_;
    std::set<std::string> left_;
};

enum class Verdict { valid, acceptable, invalid };

/// What every test has; its own fields follow in the object, which the reader of the group's type finishes.
struct Common {
    std::int64_t id;
    std::string comment;
    Verdict verdict;
};
/// Throws on a flag that is not among `known`.
Common read_common(Object& test, const std::set<std::string_view>& known_flags);

ByteVector from_hex(const std::string& hex, const std::string& where);

/// Calls `use(group, where, tests)` for each group of a file after its head has been checked; `group` still has all its
/// fields but "tests". Returns the number of tests that the head promises, which the caller compares with what it ran.
std::int64_t for_each_group(const std::string& path, const std::function<void(Object& group, const Json& tests)>& use);

/// The folder with the files, from OCTAVO_VECTORS or as the build was told; nothing if it is not there, which is said aloud.
std::optional<std::string> folder();

}  // namespace octavo::vectors
