#pragma once

#include <cstddef>
#include <string>

namespace octavo::cli {

/// One line on stderr that says what is being measured, overwritten as it goes on; nothing where stderr is no terminal.
class Progress {
public:
    Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;
    ~Progress() { clear(); }

    void begin(std::string what);
    void step(std::size_t done, std::size_t total);
    void clear();

private:
    void show(const std::string& line);

    bool terminal_;
    bool shown_ = false;
    std::string what_;
};

}  // namespace octavo::cli
