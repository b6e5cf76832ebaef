#pragma once

#include <sys/types.h>

#include <algorithm>
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

/// How many there are that were not there then; some of those may still be on their way out.
inline std::size_t num_engine_threads_since(const std::vector<pid_t>& then) {
    const auto now = engine_threads();
    return static_cast<std::size_t>(std::count_if(now.begin(), now.end(), [&](pid_t thread) {
        return std::find(then.begin(), then.end(), thread) == then.end();
    }));
}

}  // namespace octavo::test
