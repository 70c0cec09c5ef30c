#include "twofour/runtime/observers.h"

#include <cstdlib>
#include <string>

#include "twofour/emu/profile/launches.h"
#include "twofour/isa/file.h"

namespace twofour::runtime {
namespace {

emu::profile::Launches* statistics = nullptr;
std::string statistics_file;

void write_statistics() {
  nlohmann::ordered_json document{{"schema_version", 1}, {"command", "run"}};
  document.update(statistics->json());
  try {
    isa::write_file(statistics_file, document.dump(2) + "\n");
  } catch (const Error& e) {
    fmt::print(stderr, "twofour: {}\n", e.what());
  }
}

std::vector<emu::ptx::Observer*> make_observers() {
  std::vector<emu::ptx::Observer*> list;
  if (const char* file = std::getenv("TWOFOUR_STATISTICS"); file != nullptr && *file != '\0') {
    statistics_file = file;
    list.push_back(statistics = new emu::profile::Launches);  // kernels may run until the very end
    std::atexit(write_statistics);
  }
  return list;
}

}  // namespace

const std::vector<emu::ptx::Observer*>& process_observers() {
  static const auto* const list = new std::vector<emu::ptx::Observer*>(make_observers());
  return *list;
}

}  // namespace twofour::runtime
