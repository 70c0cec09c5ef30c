#include "twofour/emu/profile/statistics.h"

#include <numeric>

#include "twofour/isa/evidence.h"

namespace twofour::emu::profile {
namespace {

using nlohmann::ordered_json;
using ptx::Space;

ordered_json memory_json(const Statistics& s) {
  ordered_json out;
  for (const Space space : {Space::global, Space::shared, Space::local, Space::constant, Space::param}) {
    const Traffic& t = s.traffic[std::size_t(space)];
    out[std::string(ptx::name(space))] = {{"bytes_loaded", t.loaded}, {"bytes_stored", t.stored}};
  }
  out["global"]["sectors"] = s.global_sectors;
  out["shared"]["wavefronts"] = s.shared_wavefronts;
  return out;
}

ordered_json matrix_json(const Statistics& s, isa::Architecture architecture) {
  std::map<std::string, std::pair<const isa::Instruction*, std::uint64_t>> by_name;
  for (const auto& [row, executed] : s.matrix) by_name[isa::ptx_name(*row)] = {row, executed};
  ordered_json out = ordered_json::array();
  for (const auto& [name, entry] : by_name) {
    const isa::Evidence e = isa::evidence(*entry.first, architecture);
    out.push_back({{"instruction", name},
                   {"executed", entry.second},
                   {"fidelity", isa::name(e.fidelity)},
                   {"evidence", e.source}});
  }
  return out;
}

}  // namespace

std::string_view name(Class c) {
  constexpr std::array<std::string_view, classes> names{"matrix", "memory", "arithmetic", "control"};
  return names[std::size_t(c)];
}

std::uint64_t Statistics::instructions() const {
  return std::accumulate(by_class.begin(), by_class.end(), std::uint64_t{0});
}

Statistics& Statistics::operator+=(const Statistics& other) {
  for (std::size_t i = 0; i < classes; ++i) by_class[i] += other.by_class[i];
  for (const auto& [opcode, n] : other.by_opcode) by_opcode[opcode] += n;
  for (std::size_t i = 0; i < traffic.size(); ++i) {
    traffic[i].loaded += other.traffic[i].loaded;
    traffic[i].stored += other.traffic[i].stored;
  }
  global_sectors += other.global_sectors;
  shared_wavefronts += other.shared_wavefronts;
  for (const auto& [row, n] : other.matrix) matrix[row] += n;
  return *this;
}

ordered_json json(const Statistics& s, isa::Architecture architecture) {
  ordered_json by_class, by_opcode = ordered_json::object();
  for (std::size_t i = 0; i < classes; ++i) by_class[std::string(name(Class(i)))] = s.by_class[i];
  for (const auto& [opcode, n] : s.by_opcode) by_opcode[opcode] = n;
  return {{"instructions", {{"total", s.instructions()}, {"by_class", by_class}, {"by_opcode", by_opcode}}},
          {"memory", memory_json(s)},
          {"matrix", matrix_json(s, architecture)}};
}

}  // namespace twofour::emu::profile
