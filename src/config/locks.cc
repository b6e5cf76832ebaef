#include "config/locks.hpp"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "instance/proc.hpp"

namespace octavo::config {
namespace {

constexpr const char* kSharedFolder = "/run/octavo";
constexpr mode_t kOthersMayWrite = S_IWGRP | S_IWOTH;

class Descriptor {
public:
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const noexcept { return fd_; }
    int release() noexcept {
        const int fd = fd_;
        fd_ = -1;
        return fd;
    }

private:
    int fd_;
};

std::string own_folder() { return "/dev/shm/octavo-" + std::to_string(::geteuid()); }

std::string system_error(const std::string& what) { return what + ": " + ::strerror(errno); }

/// Why locks in this folder mean nothing; "" where they do. Whoever may rename files there could hand a section out twice.
std::string distrust(const std::string& folder, const struct stat& info) {
    if (info.st_uid != ::geteuid() && info.st_uid != 0)
        return folder + ": belongs to user " + std::to_string(info.st_uid) +
               ", neither to this one nor to root: its locks cannot be trusted";
    if ((info.st_mode & kOthersMayWrite) != 0 && (info.st_mode & S_ISVTX) == 0)
        return folder + ": others may write to it, and may remove locks: set its sticky bit (chmod +t)";
    return {};
}

/// Opens a lock file; made where there is none. First without O_CREAT: in a shared folder the kernel refuses that for files of others.
int open_lock(int folder, const std::string& file, bool shared) {
    constexpr int kFlags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
    for (;;) {
        if (const int fd = ::openat(folder, file.c_str(), kFlags); fd >= 0 || errno != ENOENT) return fd;
        const int fd = ::openat(folder, file.c_str(), kFlags | O_CREAT | O_EXCL, 0600);
        if (fd >= 0 && shared && ::fchmod(fd, 0666) != 0) return ::close(fd), -1;
        if (fd >= 0 || errno != EEXIST) return fd;
    }
}

struct flock whole_file() {
    struct flock range {};
    range.l_type = F_WRLCK;
    range.l_whence = SEEK_SET;
    return range;
}

/// Tries one name.
Allotment try_lock(const std::string& folder, int folder_fd, bool shared, const std::string& name) {
    const auto file = name + ".lock";
    Descriptor fd{open_lock(folder_fd, file, shared)};
    if (fd.get() < 0) return {Allotment::Result::failed, 0, -1, system_error(folder + "/" + file)};
    auto range = whole_file();
    if (::fcntl(fd.get(), F_SETLK, &range) == 0) {
        // what `octavo sections` shows as "since"; nothing is written, so that a full disk does not matter
        [[maybe_unused]] const int dated = ::futimens(fd.get(), nullptr);
        return {Allotment::Result::taken, 0, fd.release(), {}};
    }
    if (errno == EACCES || errno == EAGAIN) return {Allotment::Result::all_held, 0, -1, {}};
    return {Allotment::Result::failed, 0, -1, system_error(folder + "/" + file)};
}

}  // namespace

std::string run_folder() {
    if (const char* set = secure_getenv("OCTAVO_RUN_DIR"); set != nullptr && *set != '\0') return set;
    struct stat info {};
    if (::stat(kSharedFolder, &info) == 0 && S_ISDIR(info.st_mode)) return kSharedFolder;
    return own_folder();
}

Allotment take_first_free(const std::string& folder, const std::vector<std::string>& names) {
    if (folder == own_folder()) ::mkdir(folder.c_str(), 0700);
    const Descriptor fd{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    struct stat info {};
    if (fd.get() < 0 || ::fstat(fd.get(), &info) != 0) return {Allotment::Result::failed, 0, -1, system_error(folder)};
    if (auto reason = distrust(folder, info); !reason.empty())
        return {Allotment::Result::failed, 0, -1, std::move(reason)};
    for (std::size_t i = 0; i < names.size(); ++i) {
        auto tried = try_lock(folder, fd.get(), (info.st_mode & kOthersMayWrite) != 0, names[i]);
        if (tried.result == Allotment::Result::all_held) continue;
        tried.index = i;
        return tried;
    }
    return {Allotment::Result::all_held, 0, -1, {}};
}

std::optional<Holder> holder_of(const std::string& folder, const std::string& name) {
    const Descriptor fd{
        ::open((folder + "/" + name + ".lock").c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
    auto range = whole_file();
    if (fd.get() < 0 || ::fcntl(fd.get(), F_GETLK, &range) != 0 || range.l_type == F_UNLCK) return std::nullopt;
    struct stat info {};
    if (::fstat(fd.get(), &info) != 0) return std::nullopt;
    const auto command = instance::read_process(static_cast<std::uint32_t>(range.l_pid)).command;
    return Holder{range.l_pid, command, info.st_mtim.tv_sec};
}

}  // namespace octavo::config
