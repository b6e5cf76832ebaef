#pragma once

#include <sys/types.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace octavo::test {

/// Thread numbers of this process's engine threads, in order.
inline std::vector<pid_t> engine_threads() {
    std::vector<pid_t> found;
    for (const auto& task : std::filesystem::directory_iterator{"/proc/self/task"}) {
        std::string name;
        std::getline(std::ifstream{task.path() / "comm"}, name);
        if (name == "octavo-engine") found.push_back(std::stoi(task.path().filename()));
    }
    return found;
}

}  // namespace octavo::test
