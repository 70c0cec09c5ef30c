#include "twofour/cli/output.h"

#include <fmt/format.h>

namespace twofour::cli {

void print_json(const std::string& command, nlohmann::ordered_json fields) {
  nlohmann::ordered_json document{{"schema_version", schema_version}, {"command", command}};
  document.update(fields);
  fmt::print("{}\n", document.dump(2));
}

}  // namespace twofour::cli
