#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace fuzz {

using Buffer = std::vector<std::uint8_t>;

/// A fuzzer's input, read from the front. At its end everything is zero.
class Reader {
public:
    explicit Reader(std::span<const std::uint8_t> input) : input_(input) {}

    bool empty() const { return input_.empty(); }
    std::uint8_t byte() {
        if (input_.empty()) return 0;
        const auto value = input_.front();
        input_ = input_.subspan(1);
        return value;
    }
    std::uint64_t number(int len) {
        std::uint64_t value = 0;
        while (len-- > 0) value = value << 8 | byte();
        return value;
    }
    /// At most `len` bytes.
    Buffer bytes(std::size_t len) {
        const auto part = input_.first(len < input_.size() ? len : input_.size());
        input_ = input_.subspan(part.size());
        return {part.begin(), part.end()};
    }

private:
    std::span<const std::uint8_t> input_;
};

}  // namespace fuzz
