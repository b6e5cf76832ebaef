#pragma once

namespace octavo::cli::load {

/// Gives OpenSSL an allocator that keeps what each thread frees in lists by size. A handshake allocates some 700 times, and the C library's
/// allocator would be a seventh of what a client costs. Blocks are the thread's that freed them. False, and nothing has changed, where
/// OpenSSL has allocated something already, and in sanitized builds, which want to see each allocation.
bool use_lean_memory() noexcept;

}  // namespace octavo::cli::load
