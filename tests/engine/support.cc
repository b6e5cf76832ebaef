#include "support.hpp"

namespace octavo::test {

Engine load(const std::string& id) {
    Engine engine(ENGINE_by_id("dynamic"));
    const std::string path = OCTAVO_ENGINES "/" + id + ".so";
    if (engine == nullptr || ENGINE_ctrl_cmd_string(engine.get(), "SO_PATH", path.c_str(), 0) != 1 ||
        ENGINE_ctrl_cmd_string(engine.get(), "ID", id.c_str(), 0) != 1 ||
        ENGINE_ctrl_cmd_string(engine.get(), "LOAD", nullptr, 0) != 1)
        return nullptr;
    return engine;
}

ENGINE* engine() {
    static ENGINE* const once = [] {
        auto loaded = load();
        if (loaded == nullptr || ENGINE_init(loaded.get()) != 1) {
            ERR_print_errors_fp(stderr);
            abort();
        }
        return loaded.release();
    }();
    return once;
}

std::string compare(const std::string& what, const std::function<void(Trace&, ENGINE*)>& run) {
    SCOPED_TRACE(what);
    const EnginePlace places[] = {{"OpenSSL", nullptr, in_no_job},
                                  {"engine", engine(), in_no_job},
                                  {"engine in a job", engine(), in_own_job},
                                  {"engine in an ASYNC_JOB", engine(), in_async_job}};
    std::string first;
    for (const auto& place : places) {
        Trace trace;
        ERR_clear_error();
        place.run([&] { run(trace, place.engine); });
        if (place.engine == nullptr)
            first = trace.text();
        else
            EXPECT_EQ(trace.text(), first) << place.name;
    }
    return first;
}

std::string first_reason() {
    const auto* reason = ERR_reason_error_string(ERR_get_error());
    std::string text = reason == nullptr ? "none" : reason;
    ERR_clear_error();
    return text;
}

}  // namespace octavo::test
