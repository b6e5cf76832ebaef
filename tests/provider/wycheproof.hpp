#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "sides.hpp"

/// Files of third-party vectors (Project Wycheproof) for tests that run them through EVP. A field that is not known fails the test.
namespace octavo::test {

using Json = nlohmann::json;
using Fields = std::set<std::string>;

/// Whether the folder is there, from OCTAVO_VECTORS or beside the sources; and what to say where it is not.
bool has_vectors();
std::string no_vectors();

/// A file of that folder, its head checked.
Json read_vectors(const std::string& name);
Data unhex(const std::string& text);

/// Judges one test of a group.
using Check = std::function<bool(const Json& group, const Json& test)>;

/// Compares a check's verdicts with the file's, but for "acceptable". Fails where there is no check: an unknown type of group.
/// Gives back the number of tests that were run.
int run_group(const Json& group, const Fields& group_fields, const Fields& test_fields, const Check& check);

/// The groups of a file of authenticated encryption, all of its tests.
void run_aead_file(const std::string& name, const Check& check);

/// Of a test whose parameter is a file.
std::string name_of_file(const testing::TestParamInfo<const char*>& file);

}  // namespace octavo::test
