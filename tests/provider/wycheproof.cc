#include "wycheproof.hpp"

#include <openssl/err.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace octavo::test {
namespace {

std::filesystem::path folder() {
    const auto* override = std::getenv("OCTAVO_VECTORS");
    return std::filesystem::path(override != nullptr ? override : OCTAVO_SHARED_VECTORS) / "wycheproof";
}

void expect_known(const Json& object, const Fields& known) {
    for (const auto& [name, value] : object.items()) EXPECT_TRUE(known.contains(name)) << "unknown field " << name;
}

}  // namespace

bool has_vectors() { return std::filesystem::exists(folder()); }

std::string no_vectors() { return "no third-party vectors at " + folder().string() + " (set OCTAVO_VECTORS)"; }

Json read_vectors(const std::string& name) {
    auto file = Json::parse(std::ifstream(folder() / name));
    expect_known(file, {"algorithm", "schema", "numberOfTests", "header", "notes", "testGroups"});
    return file;
}

Data unhex(const std::string& text) {
    Data bytes(text.size() / 2);
    for (std::size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<std::uint8_t>(std::stoul(text.substr(2 * i, 2), nullptr, 16));
    return bytes;
}

int run_group(const Json& group, const Fields& group_fields, const Fields& test_fields, const Check& check) {
    expect_known(group, group_fields);
    if (!check) {
        ADD_FAILURE() << "unknown group type " << group.at("type");
        return 0;
    }
    int count = 0;
    for (const auto& test : group.at("tests")) {
        expect_known(test, test_fields);
        const bool right = check(group, test);
        ERR_clear_error();
        ++count;
        if (test.at("result") == "acceptable") continue;
        EXPECT_EQ(right, test.at("result") == "valid") << test.at("tcId") << " " << test.at("comment");
    }
    return count;
}

void run_aead_file(const std::string& name, const Check& check) {
    int count = 0;
    const auto file = read_vectors(name);
    for (const auto& group : file.at("testGroups"))
        count += run_group(group, {"type", "source", "ivSize", "keySize", "tagSize", "tests"},
                           {"tcId", "comment", "flags", "key", "iv", "aad", "msg", "ct", "tag", "result"}, check);
    EXPECT_EQ(count, file.at("numberOfTests"));
}

std::string name_of_file(const testing::TestParamInfo<const char*>& file) {
    return std::string(file.param).substr(0, std::string(file.param).find(".json"));
}

}  // namespace octavo::test
