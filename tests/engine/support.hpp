#pragma once

#include <gtest/gtest.h>
#include <openssl/engine.h>
#include <openssl/err.h>

#include <functional>
#include <memory>
#include <string>

#include "provider/places.hpp"

namespace octavo::test {

struct FreeEngine {
    void operator()(ENGINE* engine) const { ENGINE_free(engine); }
};
using Engine = std::unique_ptr<ENGINE, FreeEngine>;

/// A structural reference to the engine of the build tree, bound anew, as openssl.cnf and programs load it. Null with errors in the queue.
Engine load(const std::string& id = "octavo");

/// The engine, initialised once for the life of the process, and the default for nothing.
ENGINE* engine();

/// Where a sequence of calls may run: by OpenSSL's own methods; and by the engine's, in no job, in a job of ours, in an ASYNC_JOB.
/// `engine` is null for the first.
struct EnginePlace {
    const char* name;
    ENGINE* engine;
    void (*run)(const std::function<void()>& work);
};
/// Runs the same in all places and compares with the first. Gives back what they agree in.
std::string compare(const std::string& what, const std::function<void(Trace&, ENGINE*)>& run);

/// The reason of the first error in the queue, which is emptied.
std::string first_reason();

}  // namespace octavo::test
