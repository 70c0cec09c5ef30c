#pragma once
#include <nlohmann/json.hpp>
#include <string>

namespace twofour::cli {

/// Version of the JSON documents that commands print; it changes when a field changes its meaning or goes.
inline constexpr int schema_version = 1;

/// A JSON document as text, with "schema_version" and "command" added in front. Bytes that are not UTF-8 (of
/// file names, say) become replacement characters.
std::string json_document(const std::string& command, const nlohmann::ordered_json& fields);

/// Prints that document on stdout.
void print_json(const std::string& command, const nlohmann::ordered_json& fields);

}  // namespace twofour::cli
