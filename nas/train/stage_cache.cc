#include "twofour/nas/train/stage_cache.h"

#include <filesystem>
#include <nlohmann/json.hpp>

#include "twofour/isa/error.h"
#include "twofour/isa/file.h"

namespace twofour::nas {

void store_numbers(const std::string& path, const Fingerprint& fingerprint,
                   const std::vector<double>& numbers) {
  const nlohmann::ordered_json json{{"fingerprint", fingerprint}, {"numbers", numbers}};
  isa::write_file(path, json.dump(1) + "\n");
}

std::vector<double> load_numbers(const std::string& path, const Fingerprint& fingerprint) {
  if (!std::filesystem::exists(path)) return {};
  try {
    const auto json = nlohmann::json::parse(isa::read_file(path));
    if (json.at("fingerprint").get<Fingerprint>() == fingerprint)
      return json.at("numbers").get<std::vector<double>>();
  } catch (const nlohmann::json::exception& e) {
    fail("{}: damaged ({}); remove it to measure again", path, e.what());
  }
  fmt::print(stderr, "{} is of another run and is made again\n", path);
  return {};
}

}  // namespace twofour::nas
