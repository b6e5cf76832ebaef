#include "support.hpp"

#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <cstring>
#include <ostream>

void PrintTo(octavo_status status, std::ostream* out) {
    *out << octavo_status_name(status) << " (" << static_cast<int>(status) << "; last error: " << octavo_error_text()
         << ")";
}

void octavo::PrintTo(Status status, std::ostream* out) { ::PrintTo(static_cast<octavo_status>(status), out); }

namespace api_test {

octavo::Key make_key(const RsaParts& parts) {
    octavo_key key{};
    const auto status = octavo_key_create_rsa(RawKey{parts}.get(), &key);
    EXPECT_EQ(status, OCTAVO_OK);
    octavo::Key owner;
    owner.reset(key);
    return owner;
}

octavo::Key curve_key(octavo_curve curve) {
    octavo_ec_key numbers{};
    numbers.size = sizeof numbers;
    numbers.curve = static_cast<std::uint32_t>(curve);
    octavo_key key{};
    EXPECT_EQ(octavo_key_create_ec(&numbers, &key), OCTAVO_OK);
    octavo::Key owner;
    owner.reset(key);
    return owner;
}

octavo::Instance make_instance(octavo::Driver driver, std::uint32_t ring_size) {
    auto instance = octavo::Instance::create({.name = "test", .driver = driver, .ring_size = ring_size});
    EXPECT_EQ(instance.status(), octavo::Status::ok);
    return instance ? std::move(*instance) : octavo::Instance{};
}

bool names(std::string_view text, std::string_view word) {
    const auto same = [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
    };
    const auto is_word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
    for (auto from = text.begin();; ++from) {
        from = std::search(from, text.end(), word.begin(), word.end(), same);
        if (from == text.end()) return false;
        const auto to = from + static_cast<std::ptrdiff_t>(word.size());
        if ((from == text.begin() || !is_word(from[-1])) && (to == text.end() || !is_word(*to))) return true;
    }
}

testing::AssertionResult refused(octavo_status got, std::initializer_list<octavo_status> wanted, const char* field) {
    const std::string_view text = octavo_error_text();
    if (std::find(wanted.begin(), wanted.end(), got) == wanted.end())
        return testing::AssertionFailure() << "answered " << octavo_status_name(got) << " (" << text << "), wanted "
                                           << octavo_status_name(*wanted.begin());
    if (!names(text, field))
        return testing::AssertionFailure() << "the text \"" << text << "\" does not name \"" << field << '"';
    return testing::AssertionSuccess();
}

bool has_lanes() {
    const char* const row = std::getenv("OCTAVO_FORCE_ROW");
    const bool may_run = row == nullptr || std::strcmp(row, "avx512ifma") == 0;
    return may_run && __builtin_cpu_supports("avx512ifma") && std::getenv("OCTAVO_DISABLE_CPU") == nullptr;
}

octavo_statistics statistics_of(octavo_instance instance) {
    octavo_statistics s{};
    s.size = sizeof s;
    EXPECT_EQ(octavo_instance_statistics(instance, &s), OCTAVO_OK);
    return s;
}

testing::AssertionResult adds_up(const octavo_statistics& s) {
    if (s.submitted == s.completed + s.failed + s.cancelled + s.in_flight) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "submitted " << s.submitted << " != completed " << s.completed << " + failed "
                                       << s.failed << " + cancelled " << s.cancelled << " + in flight " << s.in_flight;
}

bool pass_with(const std::string& setting, const std::string& filter) {
    char path[4096] = "";
    if (readlink("/proc/self/exe", path, sizeof path - 1) <= 0) return false;
    const auto command = setting + " '" + path + "' --gtest_brief=1 --gtest_filter='" + filter + "'";
    return std::system(command.c_str()) == 0;
}

octavo_submission plain_submission(const octavo::Key& key, std::uint32_t operation, View input) {
    octavo_submission submission = OCTAVO_SUBMISSION_INIT;
    submission.key = key.handle();
    submission.operation = operation;
    submission.input = input.data();
    submission.input_len = input.size();
    return submission;
}

}  // namespace api_test
