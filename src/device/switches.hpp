#pragma once

/// What can be left out, to measure what it costs: read once, with secure_getenv. Constants of a process.
namespace octavo::device {

/// False where OCTAVO_STATISTICS is "off": nothing is counted.
extern const bool is_counting;
/// False where OCTAVO_HEALTH is "off": nobody watches engine threads, no fault can be put in, and nothing is taken over from an endpoint.
extern const bool has_health;

}  // namespace octavo::device
