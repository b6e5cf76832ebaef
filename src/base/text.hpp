#pragma once

#include <algorithm>
#include <span>
#include <string_view>

namespace octavo {

/// As much of `text` as there is room for, and a zero after it. Not snprintf(): its pages would be an idle process's only for that.
inline void copy_text(std::span<char> to, std::string_view text) noexcept {
    const auto len = std::min(text.size(), to.size() - 1);
    std::copy_n(text.data(), len, to.data());
    to[len] = '\0';
}

/// Calls `use(item)` for every non-empty item of a separated list; spaces around an item are dropped.
template <typename Use>
void for_each_item(std::string_view list, char separator, Use&& use) {
    while (!list.empty()) {
        const auto end = list.find(separator);
        auto item = list.substr(0, end);
        list = end == std::string_view::npos ? std::string_view{} : list.substr(end + 1);
        while (!item.empty() && item.front() == ' ') item.remove_prefix(1);
        while (!item.empty() && item.back() == ' ') item.remove_suffix(1);
        if (!item.empty()) use(item);
    }
}

}  // namespace octavo
