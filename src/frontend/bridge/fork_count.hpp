#pragma once

namespace octavo::bridge {

/// 0 in the process that loaded this library, one more in each child of it: costs a load, where getpid() costs a system call.
unsigned fork_count() noexcept;

}  // namespace octavo::bridge
