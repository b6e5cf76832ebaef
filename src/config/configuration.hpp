#pragma once

#include <memory>
#include <optional>

#include "config/endpoint.hpp"

/// All endpoints together, and what processes get of them.
namespace octavo::config {

/// Checked as a whole: what a process is given is defined for every section.
struct Configuration {
    std::vector<Endpoint> endpoints;  ///< by number
};

/// An instance as a process gets it.
struct SectionInstance {
    std::string name;
    unsigned endpoint;
    Polled polled;
    std::optional<Cores> cores;
    const General* general;  ///< of its endpoint; lives as long as the configuration
    bool checks_ecdsa;
};

/// What one process gets: "SSL_DEV0_INT_2", or "IPsec_INT_0" of all endpoints.
struct InternalSection {
    struct Part {
        const Endpoint* endpoint;
        const UserSection* section;
    };
    std::string name;
    std::string section;  ///< the user section that it comes from
    unsigned process;     ///< its place among the section's processes on its endpoint, from 0
    std::vector<Part> parts;

    /// By endpoint, then number.
    std::vector<SectionInstance> crypto() const { return instances(&UserSection::cy); }
    std::vector<SectionInstance> compression() const { return instances(&UserSection::dc); }

private:
    std::vector<SectionInstance> instances(std::vector<GivenInstance> UserSection::*kind) const;
};

/// Of one user section, in the order in which processes take them: by endpoint, then process. Point into the configuration.
std::vector<InternalSection> internal_sections(const Configuration& configuration, const std::string& section);
/// Of all user sections, in the order in which they are first named.
std::vector<InternalSection> internal_sections(const Configuration& configuration);
/// The user sections' names, in that order.
std::vector<std::string> section_names(const Configuration& configuration);

/// A configuration, or why there is none. With errors there is none.
struct Loaded {
    std::string where;  ///< the folder it came from, for messages; "" where files were named
    std::shared_ptr<const Configuration> configuration;
    Errors errors;
};

/// Endpoints that were read with these errors, checked against each other.
Loaded combine(std::vector<Endpoint> endpoints, Errors errors);

/// Files by name, whatever their folder: each `<device>_dev<N>.conf` is endpoint N.
Loaded load_files(const std::vector<std::string>& files);

/// The configuration of this process: every `<device>_dev<N>.conf` in the folder that OCTAVO_CONFIG_DIR names (read with secure_getenv;
/// empty: no configuration), else in /etc/octavo. Neither configuration nor errors where there is none.
Loaded load_system();

}  // namespace octavo::config
