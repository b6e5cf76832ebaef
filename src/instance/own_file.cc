#include "instance/own_file.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace octavo::instance {
namespace {

/// A folder that is ours alone: others must not be able to plant files or links in it.
bool make_directory(const std::string& directory) noexcept {
    if (::mkdir(directory.c_str(), 0700) == 0) return true;
    struct stat info {};
    if (::lstat(directory.c_str(), &info) != 0) return false;
    return S_ISDIR(info.st_mode) && info.st_uid == ::geteuid() && (info.st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

void* map_new_file(const char* path, std::size_t len) noexcept {
    ::unlink(path);
    const int fd = ::open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0) return nullptr;
    void* memory = MAP_FAILED;
    if (::ftruncate(fd, static_cast<off_t>(len)) == 0)
        memory = ::mmap(nullptr, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    ::close(fd);
    if (memory != MAP_FAILED) return memory;
    ::unlink(path);
    return nullptr;
}

}  // namespace

std::string stats_directory() {
    if (const char* set = secure_getenv("OCTAVO_STATS_DIR")) return set;
    return "/dev/shm/octavo-" + std::to_string(::geteuid());
}

void* map_own_file(const char* suffix, std::size_t len, std::string& path) {
    const auto directory = stats_directory();
    if (directory.empty() || !make_directory(directory)) return nullptr;
    path = directory + '/' + std::to_string(::getpid()) + '.' + suffix;
    return map_new_file(path.c_str(), len);
}

}  // namespace octavo::instance
