#pragma once

#include <cstdint>
#include <string>

#include "instance/progress.hpp"

namespace octavo::instance {

/// What /proc tells of a process.
struct Process {
    bool alive = false;
    std::string command;
    ThreadTime time;
    std::uint64_t start = 0;  ///< clock ticks after boot: tells a process from a later one of the same number
};
Process read_process(std::uint32_t pid);
/// The same from a line of /proc/<pid>/stat; its command is the process's own choice.
Process parse_process(const std::string& line);
/// Of a thread of this process, by its number in the system; that of one that sleeps where nothing can be read.
ThreadTime read_thread(int number) noexcept;

}  // namespace octavo::instance
