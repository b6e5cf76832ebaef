#include "frontend/bridge/error_queue.hpp"

#include <openssl/err.h>

#include <cerrno>
#include <new>
#include <string>

namespace octavo::bridge {

struct ThreadErrors::Entry {
    unsigned long code = 0;
    int line = 0;
    std::string file, function, text;
    std::unique_ptr<Entry> next;
};

namespace {

std::string copy(const char* text) { return text == nullptr ? std::string() : std::string(text); }

}  // namespace

ThreadErrors::ThreadErrors() noexcept : errno_(errno) {
    if (ERR_peek_error() == 0) return;
    auto* tail = &first_;
    const char *file = nullptr, *function = nullptr, *text = nullptr;
    int line = 0, flags = 0;
    while (const auto code = ERR_get_error_all(&file, &line, &function, &text, &flags)) {
        try {
            auto entry = std::make_unique<Entry>();
            entry->code = code;
            entry->line = line;
            entry->file = copy(file);
            entry->function = copy(function);
            if ((flags & ERR_TXT_STRING) != 0) entry->text = copy(text);
            *tail = std::move(entry);
            tail = &(*tail)->next;
        } catch (const std::bad_alloc&) {
            continue;  // an error text is not worth the operation
        }
    }
}

ThreadErrors::~ThreadErrors() = default;

void ThreadErrors::restore() noexcept {
    for (auto* entry = first_.get(); entry != nullptr; entry = entry->next.get()) {
        ERR_new();
        ERR_set_debug(entry->file.c_str(), entry->line, entry->function.c_str());
        if (entry->text.empty())
            ERR_set_error(ERR_GET_LIB(entry->code), ERR_GET_REASON(entry->code), nullptr);
        else
            ERR_set_error(ERR_GET_LIB(entry->code), ERR_GET_REASON(entry->code), "%s", entry->text.c_str());
    }
    first_.reset();
    errno = errno_;
}

}  // namespace octavo::bridge
