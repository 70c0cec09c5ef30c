#include "twofour/cli/output.h"

#include <fmt/format.h>

namespace twofour::cli {

std::string json_document(const std::string& command, const nlohmann::ordered_json& fields) {
  nlohmann::ordered_json document{{"schema_version", schema_version}, {"command", command}};
  document.update(fields);
  return document.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + '\n';
}

void print_json(const std::string& command, const nlohmann::ordered_json& fields) {
  fmt::print("{}", json_document(command, fields));
}

}  // namespace twofour::cli
