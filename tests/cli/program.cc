#include "program.hpp"

#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

extern char** environ;

namespace octavo::test {
namespace {

Words cleaned_environment() {
    Words kept;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string text = *entry;
        if (!text.starts_with("OCTAVO_") && !text.starts_with("OPENSSL_")) kept.push_back(text);
    }
    return kept;
}

std::vector<char*> pointers(Words& words) {
    std::vector<char*> list;
    std::transform(words.begin(), words.end(), std::back_inserter(list), [](std::string& word) { return word.data(); });
    list.push_back(nullptr);
    return list;
}

int output_file(const char* name) {
    const int fd = memfd_create(name, MFD_CLOEXEC);
    if (fd < 0) throw std::runtime_error("memfd_create");
    return fd;
}

std::string read_all(int fd) {
    std::string text(static_cast<std::size_t>(lseek(fd, 0, SEEK_END)), '\0');
    if (pread(fd, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) throw std::runtime_error("pread");
    return text;
}

}  // namespace

Program::Program(const Words& arguments, const Words& environment)
    : out_(output_file("stdout")), err_(output_file("stderr")), pid_(0) {
    Words argv{OCTAVO_PROGRAM};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    Words env = cleaned_environment();
    env.insert(env.end(), environment.begin(), environment.end());
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out_, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&actions, err_, STDERR_FILENO);
    const int error =
        posix_spawn(&pid_, OCTAVO_PROGRAM, &actions, nullptr, pointers(argv).data(), pointers(env).data());
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) throw std::runtime_error("cannot start " OCTAVO_PROGRAM);
}

Program::~Program() {
    if (!ended_) {
        kill();
        waitpid(pid_, nullptr, 0);
    }
    close(out_);
    close(err_);
}

Outcome Program::wait() {
    int status = 0;
    if (waitpid(pid_, &status, 0) != pid_) throw std::runtime_error("waitpid");
    ended_ = true;
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, read_all(out_), read_all(err_)};
}

void Program::kill() const noexcept { ::kill(pid_, SIGKILL); }

bool is_one_line(const std::string& text) { return !text.empty() && text.find('\n') == text.size() - 1; }

}  // namespace octavo::test
