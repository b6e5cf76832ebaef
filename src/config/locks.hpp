#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// Exclusive locks between processes, one file for each internal section. They are POSIX record locks, because the kernel gives
/// those to a process and not to an open file: a forked child does not hold its parent's, and they end with the process, however it ends.
/// Within a process they do not exclude anyone: its threads share what it holds.
namespace octavo::config {

/// Where lock files lie: the folder that OCTAVO_RUN_DIR names (read with secure_getenv), else /run/octavo where the administrator has made
/// it, for all users together, else /dev/shm/octavo-<uid>, for this user.
std::string run_folder();

/// The outcome of a search for a free lock.
struct Allotment {
    enum class Result { taken, all_held, failed } result;
    std::size_t index = 0;  ///< of the name taken
    int fd = -1;            ///< closing it gives the lock back
    std::string error;      ///< for `failed`: what the system refused
};

/// Takes the lock of the first name that nobody holds. Never waits. The caller must hold none of these names.
Allotment take_first_free(const std::string& folder, const std::vector<std::string>& names);

struct Holder {
    pid_t pid;             ///< 0 or below: not a process that this one can see
    std::string command;   ///< "" where /proc does not say
    std::int64_t since_s;  ///< when it took the lock, in seconds since 1970
};

struct HeldLock {
    std::string name;  ///< of the internal section
    unsigned process;  ///< its place in the user section: 3 of "SSL_DEV0_INT_3"
    Holder holder;
};

/// The locks of one folder that somebody holds, by name; numbers in names count as numbers ("SSL_INT_2" before "SSL_INT_10").
struct FolderLocks {
    std::string folder;
    std::vector<HeldLock> held;
    std::string error;  ///< what could not be looked at, and why; "" where everything could
};

/// Looks at every lock in the folder; takes none, and waits for nobody. Not for a process that holds one of these itself: the look would end its
/// lock. A folder that does not exist holds nothing.
FolderLocks look_at_locks(const std::string& folder);

/// The folders in which processes that this user can see may hold locks: the one that OCTAVO_RUN_DIR names, else /run/octavo and all
/// /dev/shm/octavo-<uid> that are there.
std::vector<std::string> run_folders();

}  // namespace octavo::config
