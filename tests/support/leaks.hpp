#pragma once

extern "C" {
// There where a sanitizer looks for leaks, else null.
[[gnu::weak]] void __lsan_disable();
[[gnu::weak]] void __lsan_enable();
}

namespace octavo::test {

/// While one lives, what its thread allocates may be lost. Each use says by whose doing it is.
class LossesExpected {
public:
    LossesExpected() {
        if (__lsan_disable != nullptr) __lsan_disable();
    }
    ~LossesExpected() {
        if (__lsan_enable != nullptr) __lsan_enable();
    }
    LossesExpected(const LossesExpected&) = delete;
    LossesExpected& operator=(const LossesExpected&) = delete;
};

}  // namespace octavo::test
