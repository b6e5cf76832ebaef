#include "config/document.hpp"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

namespace octavo::config {
namespace {

constexpr std::string_view kSpaces = " \t";

std::string_view trim(std::string_view text) {
    const auto first = text.find_first_not_of(kSpaces);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(kSpaces) - first + 1);
}

/// A comment begins with "#" at the start of a word, outside quotes.
std::string_view without_comment(std::string_view line) {
    bool quoted = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == '"') quoted = !quoted;
        if (line[i] == '#' && !quoted && (i == 0 || kSpaces.find(line[i - 1]) != std::string_view::npos))
            return line.substr(0, i);
    }
    return line;
}

bool is_control(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7f;
}

class LineReader {
public:
    LineReader(Document& document, Errors& errors) : document_(document), errors_(errors) {}

    void read(std::string_view line) {
        ++number_;
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (line.size() > kMaxLine) return complain("a line of over " + std::to_string(kMaxLine) + " bytes");
        if (std::any_of(line.begin(), line.end(), is_control)) return complain("a control character in the line");
        line = trim(without_comment(line));
        if (line.empty()) return;
        line.front() == '[' ? begin_section(line) : add_entry(line);
    }

private:
    void complain(const std::string& text) { errors_.push_back({document_.file, number_, text}); }

    void begin_section(std::string_view line) {
        if (line.back() != ']') return complain("a section's line is [NAME] and nothing else");
        const std::string name{trim(line.substr(1, line.size() - 2))};
        in_section_ = true;
        if (!is_section_name(name))
            complain("[" + name + "]: a section's name has 1 to " + std::to_string(kMaxName) +
                     " letters, digits, \"_\" and \"-\"");
        const auto same = [&](const Section& other) { return other.name == name; };
        const auto& all = document_.sections;
        if (const auto first = std::find_if(all.begin(), all.end(), same); first != all.end())
            complain("[" + name + "]: this section began in line " + std::to_string(first->line) +
                     " already; join the two");
        document_.sections.push_back({name, number_, {}});
    }

    void add_entry(std::string_view line) {
        const auto equals = line.find('=');
        if (equals == std::string_view::npos || equals == 0)
            return complain("\"" + std::string{line} + "\": neither a # comment, nor a [SECTION], nor key = value");
        const std::string key{trim(line.substr(0, equals))};
        auto value = trim(line.substr(equals + 1));
        if (!in_section_) return complain(key + ": stands before the first [SECTION]; [GENERAL] comes first");
        if (value.starts_with('"')) {
            if (value.size() < 2 || !value.ends_with('"')) return complain(key + ": a quote that does not end");
            value = trim(value.substr(1, value.size() - 2));
        }
        if (value.empty()) return complain(key + ": has no value");
        document_.sections.back().entries.push_back({key, std::string{value}, number_});
    }

    Document& document_;
    Errors& errors_;
    unsigned number_ = 0;
    bool in_section_ = false;
};

/// An open file's text, or "" with errno set.
std::string read_regular(int fd) {
    struct stat info {};
    if (::fstat(fd, &info) != 0) return {};
    if (!S_ISREG(info.st_mode)) return errno = S_ISDIR(info.st_mode) ? EISDIR : EINVAL, std::string{};
    if (static_cast<std::size_t>(info.st_size) > kMaxFile) return errno = EFBIG, std::string{};
    std::string text(static_cast<std::size_t>(info.st_size), '\0');
    std::size_t got = 0;
    errno = 0;
    while (got < text.size()) {
        const auto count = ::read(fd, text.data() + got, text.size() - got);
        if (count < 0) return {};
        if (count == 0) break;
        got += static_cast<std::size_t>(count);
    }
    text.resize(got);
    return text;
}

}  // namespace

std::string to_string(const Error& error) {
    return error.file + (error.line == 0 ? "" : ":" + std::to_string(error.line)) + ": " + error.text;
}

bool has_name_characters(std::string_view text) {
    // In any locale the same, and the same as bridge/section.cc says, which sees the public interface alone.
    return std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
}

bool is_section_name(std::string_view name) {
    return !name.empty() && name.size() <= kMaxName && has_name_characters(name);
}

Document read_document(std::string file, std::string_view text, Errors& errors) {
    Document document{std::move(file), {}};
    LineReader reader{document, errors};
    while (!text.empty()) {
        const auto end = text.find('\n');
        reader.read(text.substr(0, end));
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    }
    return document;
}

std::string read_text(const std::string& file, Errors& errors) {
    // without O_NONBLOCK a pipe of that name would hold the process up
    const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int error = errno;
    std::string text;
    if (fd >= 0) {
        text = read_regular(fd);
        error = text.empty() ? errno : 0;
        ::close(fd);
        if (error == 0) return text;
    }
    errors.push_back({file, 0, std::string{"cannot be read: "} + ::strerror(error)});
    return {};
}

}  // namespace octavo::config
