#include "twofour/nas/timing/network_measurements.h"

#include <array>
#include <cmath>
#include <limits>

#include "twofour/isa/csv.h"
#include "twofour/nas/graph/workload_builtin.h"

namespace twofour::nas {
namespace {

using isa::ElementType;

struct Named {
  std::string_view text, machine;
};
constexpr std::array<Named, 4> devices{
    {{"A100 80GB", "a100-sxm4-80gb"}, {"A100 (40GB)", "a100-sxm4-40gb"}, {"A30", "a30"}, {"A10 ", "a10"}}};

std::string machine_of(const isa::CsvTable& table, const isa::CsvTable::Row& row) {
  const auto& field = table.field(row, "device");
  for (const auto& d : devices)
    if (field.text.find(d.text) != std::string::npos) return std::string(d.machine);
  table.refuse(row, field, "unknown device; known: A100 80GB, A100 (40GB), A30, A10");
}

ElementType type_of(const isa::CsvTable& table, const isa::CsvTable::Row& row) {
  const auto& field = table.field(row, "precision");
  if (field.text == "TF32") return ElementType::tf32;
  if (field.text == "FP16") return ElementType::f16;
  if (field.text == "INT8") return ElementType::s8;
  table.refuse(row, field, "unknown precision; known: TF32, FP16, INT8");
}

bool is_fitted(const NetworkMeasurement& m) {
  return m.network == "resnet50" && m.machine == "a100-sxm4-80gb" && m.type == ElementType::f16 &&
         (m.batch == 1 || m.batch == 8 || m.batch == 64);
}

}  // namespace

std::vector<NetworkMeasurement> load_network_measurements(const std::string& path) {
  const auto table = isa::CsvTable::read(path);
  const bool tokens = table.has("sequence");
  std::vector<NetworkMeasurement> rows;
  for (const auto& row : table.rows()) {
    NetworkMeasurement m{};
    m.network = tokens ? "bert-base" : "resnet50";
    m.machine = machine_of(table, row);
    m.precision = table.field(row, "precision").text;
    m.type = type_of(table, row);
    m.batch = table.integer(row, "batch");
    m.sequence = tokens ? table.integer(row, "sequence") : 1;
    m.launch = tokens ? emu::Launch::stream : emu::Launch::as_measured;
    const double measured = table.number(row, tokens ? "avg_latency_ms" : "throughput_img_s");
    if (m.batch < 1 || m.sequence < 1 || measured <= 0)
      table.refuse(row, table.field(row, "batch"), "sizes and measurements must be positive");
    m.microseconds = tokens ? measured * 1e3 : static_cast<double>(m.batch) / measured * 1e6;
    m.fitted = is_fitted(m);
    m.line = row.line;
    rows.push_back(std::move(m));
  }
  return rows;
}

NetworkLatency predict(const NetworkMeasurement& m, const isa::Machine& machine,
                       const NetworkConstants& constants) {
  NetworkOptions options;
  options.type = m.type;
  options.launch = m.launch;
  options.advise = false;
  return network_latency(builtin_workload(m.network, {.batch = m.batch, .sequence = m.sequence}), options,
                         machine, constants);
}

double fitted_call_us(const std::vector<double>& kernel_us, const std::vector<double>& measured_us) {
  double best = 0, least = std::numeric_limits<double>::infinity();
  for (std::size_t candidate = 0; candidate < kernel_us.size(); ++candidate) {
    const double call = measured_us[candidate] - kernel_us[candidate];
    double sum = 0;
    for (std::size_t i = 0; i < kernel_us.size(); ++i)
      sum += std::abs((kernel_us[i] + call) / measured_us[i] - 1);
    if (sum < least) {
      least = sum;
      best = call;
    }
  }
  return best;
}

}  // namespace twofour::nas
