#include "base/folder.hpp"

#include <dirent.h>
#include <errno.h>

#include <memory>

namespace octavo {
namespace {

struct Close {
    void operator()(DIR* folder) const noexcept { ::closedir(folder); }
};

}  // namespace

// Not by <filesystem>: it brings the streams and locales into every process that loads the library.
Listing list_folder(const std::string& folder) {
    const std::unique_ptr<DIR, Close> open{::opendir(folder.c_str())};
    if (open == nullptr) return {{}, errno};
    Listing listing;
    for (;;) {
        errno = 0;
        const auto* entry = ::readdir(open.get());
        if (entry == nullptr) return listing.error = errno, listing;
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") listing.names.emplace_back(name);
    }
}

std::string path_in(const std::string& folder, std::string_view name) {
    auto path = folder;
    if (!path.ends_with('/')) path += '/';
    return path.append(name);
}

}  // namespace octavo
