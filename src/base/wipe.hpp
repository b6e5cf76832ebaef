#pragma once

#include <string.h>

#include <cstddef>

namespace octavo {

/// Overwrites `len` bytes with zeros; the compiler may not drop it.
inline void wipe(void* data, std::size_t len) noexcept { explicit_bzero(data, len); }

/// Wipes an object's bytes when the scope ends, however it ends.
template <typename T>
class WipeOnExit {
public:
    explicit WipeOnExit(T& object) noexcept : object_(object) {}
    WipeOnExit(const WipeOnExit&) = delete;
    WipeOnExit& operator=(const WipeOnExit&) = delete;
    ~WipeOnExit() { wipe(&object_, sizeof(T)); }

private:
    T& object_;
};

}  // namespace octavo
