#pragma once
#include <nlohmann/json.hpp>
#include <string>

namespace twofour::cli {

/// Version of the JSON documents that commands print; it changes when a field changes its meaning or goes.
inline constexpr int schema_version = 1;

/// Prints a JSON document on stdout, with "schema_version" and "command" added in front.
void print_json(const std::string& command, nlohmann::ordered_json fields);

}  // namespace twofour::cli
