#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace octavo::test {

using Words = std::vector<std::string>;

/// What a program left behind.
struct Outcome {
    int exit_code;  ///< or -1: ended by a signal
    std::string out, err;
};

/// `octavo` with these arguments; the environment is this process's without what Octavo and OpenSSL read, and with `environment`
/// ("NAME=value").
class Program {
public:
    explicit Program(const Words& arguments, const Words& environment = {});
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;
    ~Program();

    pid_t pid() const noexcept { return pid_; }
    /// Waits for its end.
    Outcome wait();
    void kill() const noexcept;

private:
    int out_, err_;
    pid_t pid_;
    bool ended_ = false;
};

inline Outcome run(const Words& arguments, const Words& environment = {}) {
    return Program(arguments, environment).wait();
}

/// One line and no more.
bool is_one_line(const std::string& text);

}  // namespace octavo::test
