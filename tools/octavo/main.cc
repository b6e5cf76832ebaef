#include <fmt/format.h>
#include <octavo/octavo.h>
#include <openssl/crypto.h>

#include <cstdio>
#include <string>
#include <vector>

#include "command.hpp"
#include "installation.hpp"
#include "usage.hpp"

namespace octavo::cli {
namespace {

std::vector<std::string> subcommand_names(const CLI::App& app) {
    std::vector<std::string> names;
    for (const auto* sub : app.get_subcommands(nullptr)) names.push_back(sub->get_name());
    return names;
}

std::vector<std::string> option_names(const CLI::App& app) {
    std::vector<std::string> names;
    for (const auto* option : app.get_options())
        for (const auto& name : option->get_lnames()) names.push_back("--" + name);
    return names;
}

const CLI::App& innermost(const CLI::App& app) {
    const CLI::App* place = &app;
    for (auto used = place->get_subcommands(); !used.empty(); used = place->get_subcommands()) place = used.front();
    return *place;
}

/// "octavo config check"
std::string command_name(const CLI::App& app) {
    const auto* parent = app.get_parent();
    return parent == nullptr ? "octavo" : command_name(*parent) + " " + app.get_name();
}

/// Says what is wrong with the first argument that nothing took.
std::string explain_extra(const CLI::App& app, const std::string& argument) {
    const CLI::App& place = innermost(app);
    const auto command = command_name(place);
    if (argument.starts_with("-")) {
        const auto name = argument.substr(0, argument.find('='));
        return fmt::format("unknown option \"{}\"{} (\"{} --help\" lists them)", name,
                           did_you_mean(name, option_names(place)), command);
    }
    if (const auto names = subcommand_names(place); !names.empty())
        return fmt::format("unknown subcommand \"{}\"{} (\"{} --help\" lists them)", argument,
                           did_you_mean(argument, names), command);
    return fmt::format("\"{}\" takes no argument \"{}\"", command, argument);
}

/// `complaint` is CLI11's, and begins with the option's name and a colon.
std::string explain_mismatch(const CLI::App& app, const std::string& complaint) {
    const CLI::App& place = innermost(app);
    return fmt::format("{} takes one value, once (\"{} --help\" explains it)", complaint.substr(0, complaint.find(':')),
                       command_name(place));
}

int usage(const std::string& message) {
    fmt::print(stderr, "octavo: {}\n", message);
    return kExitUsage;
}

int explain_parse_error(const CLI::App& app, const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    const auto extra = app.remaining(true);
    if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr && !extra.empty())
        return usage(explain_extra(app, extra.front()));
    if (dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr)
        return usage(explain_mismatch(app, error.what()));
    return usage(error.what());
}

int run_chosen(const CLI::App& app, const std::vector<Command>& commands) {
    for (const auto& command : commands)
        if (command.app->parsed()) return command.run();
    return usage(fmt::format("name a subcommand: {}", fmt::join(subcommand_names(app), ", ")));
}

int run(int argc, char** argv) {
    CLI::App app{"Octavo: asynchronous cryptography for OpenSSL, many operations folded into one.", "octavo"};
    app.require_subcommand(0, 1);
    app.set_version_flag("--version", version_line(), "Print the versions of Octavo and OpenSSL");
    app.footer(
        "\"octavo SUBCOMMAND --help\" explains a subcommand; the manual pages octavo(1), octavo-info(1),\n"
        "octavo-speed(1), octavo-load(1), octavo-doctor(1), octavo-config(1),\n"
        "octavo-sections(1) and octavo-fault(1) say more.");
    const std::vector<Command> commands = {add_info(app),   add_speed(app),    add_load(app), add_doctor(app),
                                           add_config(app), add_sections(app), add_fault(app)};
    try {
        app.parse(argc, argv);
        return run_chosen(app, commands);
    } catch (const CLI::ParseError& error) {
        return explain_parse_error(app, error);
    } catch (const UsageError& error) {
        return usage(error.what());
    } catch (const std::exception& error) {
        fmt::print(stderr, "octavo: {}\n", error.what());
        return kExitFailure;
    }
}

}  // namespace
}  // namespace octavo::cli

int main(int argc, char** argv) { return octavo::cli::run(argc, argv); }
