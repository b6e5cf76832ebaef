#include "load/memory.hpp"

#include <openssl/crypto.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>

namespace octavo::cli::load {
namespace {

constexpr std::size_t kStep = 64;
constexpr std::size_t kNumSizes =
    320;  // up to 20 KiB, which a record's buffer needs; what is larger is the C library's

struct alignas(std::max_align_t) Block {
    std::size_t size;  // in steps
    Block* next;       // while it is free
};
// Never freed: threads of a load end with the program, and OpenSSL frees until the last moment.
constinit thread_local std::array<Block*, kNumSizes> free_blocks{};

Block* block_of(void* memory) { return static_cast<Block*>(memory) - 1; }
std::size_t steps(std::size_t num_bytes) { return (num_bytes + kStep - 1) / kStep; }

void* allocate(std::size_t num_bytes, const char*, int) {
    if (num_bytes == 0) return nullptr;
    const auto size = steps(num_bytes);
    if (size < kNumSizes && free_blocks[size] != nullptr) {
        auto* block = free_blocks[size];
        free_blocks[size] = block->next;
        return block + 1;
    }
    auto* block = num_bytes > PTRDIFF_MAX ? nullptr : static_cast<Block*>(std::malloc(sizeof(Block) + size * kStep));
    if (block == nullptr) return nullptr;
    block->size = size;
    return block + 1;
}

void release(void* memory, const char*, int) {
    if (memory == nullptr) return;
    auto* block = block_of(memory);
    if (block->size >= kNumSizes) return std::free(block);
    block->next = free_blocks[block->size];
    free_blocks[block->size] = block;
}

void* reallocate(void* memory, std::size_t num_bytes, const char* file, int line) {
    if (memory == nullptr) return allocate(num_bytes, file, line);
    if (num_bytes == 0) {
        release(memory, file, line);
        return nullptr;
    }
    const auto capacity = block_of(memory)->size * kStep;
    if (num_bytes <= capacity) return memory;
    auto* larger = allocate(num_bytes, file, line);
    if (larger == nullptr) return nullptr;
    std::memcpy(larger, memory, capacity);
    release(memory, file, line);
    return larger;
}

}  // namespace

bool use_lean_memory() noexcept {
    return OCTAVO_LEAN_MEMORY != 0 && CRYPTO_set_mem_functions(allocate, reallocate, release) == 1;
}

}  // namespace octavo::cli::load
