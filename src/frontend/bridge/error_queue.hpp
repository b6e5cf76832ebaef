#pragma once

#include <memory>

namespace octavo::bridge {

/// What belongs to a thread, but should stay with the job that left it there: errno and OpenSSL's error queue. Construct before
/// a pause: the queue is empty then, as the job's caller needs it (SSL_get_error() takes a leftover for a failure of its own).
/// Call restore() after it.
class ThreadErrors {
public:
    ThreadErrors() noexcept;
    ~ThreadErrors();
    ThreadErrors(const ThreadErrors&) = delete;
    ThreadErrors& operator=(const ThreadErrors&) = delete;

    void restore() noexcept;

private:
    struct Entry;
    int errno_;
    std::unique_ptr<Entry> first_;
};

}  // namespace octavo::bridge
