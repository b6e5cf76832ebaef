#pragma once

#include <cstddef>
#include <string>

namespace octavo::instance {

/// The folder for the files of this user's processes: OCTAVO_STATS_DIR (read with secure_getenv; empty: no files), else
/// /dev/shm/octavo-<uid>.
std::string stats_directory();

/// A new file `<stats_directory()>/<pid>.<suffix>` of this process, of `len` zero bytes, mode 0600, mapped for reading and writing; null where
/// there can be none. `path` is its path. One of an earlier process with our number is removed.
void* map_own_file(const char* suffix, std::size_t len, std::string& path);

}  // namespace octavo::instance
