#pragma once

#include <memory>

#include "instance/polled.hpp"

/// Who polls the devices of this process: its own threads, in the modes timer and event, or the application.
namespace octavo::instance {

class Poller;

/// Sees to it that the device is polled as its settings say. What is returned is kept as long as the device is open; null in modes without a
/// thread, and where the system gives none: then the application polls, or the waiter itself. May throw std::bad_alloc.
std::shared_ptr<Poller> join_pollers(const std::shared_ptr<Polled>& polled);
/// Before the device is closed.
void leave_pollers(const Polled& polled) noexcept;

/// octavo_polling_poll(): how many have been handed over.
std::size_t poll_devices(std::size_t index);
/// octavo_polling_fd(); -1, and errno, where the system gives none.
int external_fd(std::size_t index);

}  // namespace octavo::instance
