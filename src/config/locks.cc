#include "config/locks.hpp"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

#include "base/folder.hpp"
#include "config/endpoint.hpp"
#include "config/values.hpp"
#include "instance/proc.hpp"

namespace octavo::config {
namespace {

constexpr const char* kSharedFolder = "/run/octavo";
constexpr const char* kMemoryFolder = "/dev/shm";
constexpr std::string_view kSuffix = ".lock", kProcessMark = "_INT_";
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

std::string own_folder() { return std::string{kMemoryFolder} + "/octavo-" + std::to_string(::geteuid()); }

std::string system_error(const std::string& what) { return what + ": " + ::strerror(errno); }

/// What to do about a folder in which a lock cannot be made, by errno.
const char* cure(int error) {
    switch (error) {
        case ENOENT:
            return "make that folder, or name another in OCTAVO_RUN_DIR";
        case EACCES:
        case EPERM:
        case EROFS:
            return "this user must be able to write there; or name another folder in OCTAVO_RUN_DIR";
        case ENOSPC:
        case EDQUOT:
            return "make room there, or name another folder in OCTAVO_RUN_DIR";
        default:
            return "OCTAVO_RUN_DIR can name another folder";
    }
}

Allotment refusal(const std::string& what) {
    const int error = errno;
    return {Allotment::Result::failed, 0, -1, system_error(what) + "; " + cure(error)};
}

/// Why locks in this folder mean nothing; "" where they do. Whoever may rename files there could hand a section out twice.
std::string distrust(const std::string& folder, const struct stat& info) {
    if (info.st_uid != ::geteuid() && info.st_uid != 0)
        return folder + ": belongs to user " + std::to_string(info.st_uid) +
               ", neither to this one nor to root: its locks cannot be trusted; name another folder in OCTAVO_RUN_DIR";
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
    const auto file = name + std::string{kSuffix};
    Descriptor fd{open_lock(folder_fd, file, shared)};
    if (fd.get() < 0) return refusal(folder + "/" + file);
    auto range = whole_file();
    if (::fcntl(fd.get(), F_SETLK, &range) == 0) {
        // what `octavo sections` shows as "since"; nothing is written, so that a full disk does not matter
        [[maybe_unused]] const int dated = ::futimens(fd.get(), nullptr);
        return {Allotment::Result::taken, 0, fd.release(), {}};
    }
    if (errno == EACCES || errno == EAGAIN) return {Allotment::Result::all_held, 0, -1, {}};
    return refusal(folder + "/" + file);
}

/// Tries one name after the other.
Allotment try_each(const std::string& folder, int folder_fd, bool shared, const std::vector<std::string>& names) {
    for (std::size_t i = 0; i < names.size(); ++i) {
        auto tried = try_lock(folder, folder_fd, shared, names[i]);
        if (tried.result == Allotment::Result::all_held) continue;
        tried.index = i;
        return tried;
    }
    return {Allotment::Result::all_held, 0, -1, {}};
}

struct Look {
    std::optional<Holder> holder;
    std::string error;
};

/// Who holds the lock of that file.
Look look_at(const std::string& file) {
    const Descriptor fd{::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)};
    auto range = whole_file();
    struct stat info {};
    if (fd.get() < 0 || ::fcntl(fd.get(), F_GETLK, &range) != 0 || ::fstat(fd.get(), &info) != 0)
        return {std::nullopt, system_error(file)};
    if (range.l_type == F_UNLCK) return {};
    std::string command;
    if (range.l_pid > 0) command = instance::read_process(static_cast<std::uint32_t>(range.l_pid)).command;
    return {Holder{range.l_pid, command, info.st_mtim.tv_sec}, {}};
}

/// The process's number in the name of a lock file, "SSL_DEV0_INT_3.lock"; nothing for other files: in a shared folder others may have made files of
/// any name, which must not speak to a reader's terminal.
std::optional<unsigned> process_of_lock(std::string_view file) {
    if (!file.ends_with(kSuffix)) return std::nullopt;
    file.remove_suffix(kSuffix.size());
    const auto at = file.rfind(kProcessMark);
    if (at == std::string_view::npos || !has_name_characters(file)) return std::nullopt;
    const auto number = parse_number(file.substr(at + kProcessMark.size()));
    if (!number || *number >= kMaxProcesses) return std::nullopt;
    return static_cast<unsigned>(*number);
}

bool has_shared_folder() {
    struct stat info {};
    return ::stat(kSharedFolder, &info) == 0 && S_ISDIR(info.st_mode);
}

/// "" where the environment names none.
std::string named_folder() {
    const char* const set = secure_getenv("OCTAVO_RUN_DIR");
    return set == nullptr ? "" : set;
}

}  // namespace

std::string run_folder() {
    if (auto set = named_folder(); !set.empty()) return set;
    return has_shared_folder() ? kSharedFolder : own_folder();
}

Allotment take_first_free(const std::string& folder, const std::vector<std::string>& names) {
    if (folder == own_folder()) ::mkdir(folder.c_str(), 0700);
    const Descriptor fd{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    struct stat info {};
    if (fd.get() < 0 || ::fstat(fd.get(), &info) != 0) return refusal(folder);
    if (auto reason = distrust(folder, info); !reason.empty())
        return {Allotment::Result::failed, 0, -1, std::move(reason)};
    const bool shared = (info.st_mode & kOthersMayWrite) != 0;
    auto tried = try_each(folder, fd.get(), shared, names);
    // one that was given back behind the first look, while another process took the last before it
    if (tried.result == Allotment::Result::all_held) tried = try_each(folder, fd.get(), shared, names);
    return tried;
}

std::vector<std::string> run_folders() {
    if (const auto set = named_folder(); !set.empty()) return {set};
    std::vector<std::string> folders;
    if (has_shared_folder()) folders.emplace_back(kSharedFolder);
    for (const auto& name : list_folder(kMemoryFolder).names)
        if (name.starts_with("octavo-")) folders.push_back(path_in(kMemoryFolder, name));
    std::sort(folders.begin(), folders.end());
    return folders;
}

FolderLocks look_at_locks(const std::string& folder) {
    FolderLocks locks{folder, {}, {}};
    const auto note = [&](const std::string& text) {
        if (locks.error.empty()) locks.error = text;
    };
    const auto listing = list_folder(folder);
    for (const auto& file : listing.names) {
        const auto process = process_of_lock(file);
        if (!process) continue;
        const auto look = look_at(path_in(folder, file));
        if (look.holder) locks.held.push_back({file.substr(0, file.size() - kSuffix.size()), *process, *look.holder});
        if (!look.error.empty()) note(look.error);
    }
    if (listing.error != 0 && listing.error != ENOENT) note(folder + ": " + ::strerror(listing.error));
    std::sort(locks.held.begin(), locks.held.end(),
              [](const auto& a, const auto& b) { return ::strverscmp(a.name.c_str(), b.name.c_str()) < 0; });
    return locks;
}

}  // namespace octavo::config
