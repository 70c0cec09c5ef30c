// How far the latency of a whole network is from measurements: ResNet-50 under TensorRT by precision and
// batch, beside a roofline with a host call fitted on the same rows. Usage: network_accuracy [FOLDER]
// (default: data/timing)
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>

#include "twofour/isa/error.h"
#include "twofour/nas/timing/network_measurements.h"

namespace {

using namespace twofour;
using nas::NetworkLatency;
using nas::NetworkMeasurement;

struct Scored {
  const NetworkMeasurement* row;
  double model_us, roofline_us;

  double peer_us(double roofline_call) const {
    return roofline_us + (row->launch == emu::Launch::as_measured ? roofline_call : 0);
  }
};

/// Every kernel at the longer of its multiply-adds at peak and its bytes at DRAM bandwidth; no launch.
double roofline(const NetworkLatency& network, isa::ElementType type, const isa::Machine& machine) {
  const auto accumulator = isa::is_float(type) ? isa::ElementType::f32 : isa::ElementType::s32;
  const double peak = machine.fma_per_clk(type, accumulator) * machine.sms * machine.boost_mhz;
  double sum = 0;
  for (const auto& k : network.kernels)
    sum += std::max(static_cast<double>(k.macs) / peak, k.bytes / (machine.dram_read_gbs * 1e3));
  return sum;
}

bool is_builtin(const std::string& machine) {
  const auto names = isa::machine_names();
  return std::find(names.begin(), names.end(), machine) != names.end();
}

void print_summary(const char* label, const std::vector<Scored>& scored, double roofline_call) {
  if (scored.empty()) return;
  double model = 0, bias = 0, peer = 0, bare = 0;
  for (const auto& s : scored) {
    const double measured = s.row->microseconds;
    model += std::abs(s.model_us / measured - 1);
    bias += s.model_us / measured - 1;
    peer += std::abs(s.peer_us(roofline_call) / measured - 1);
    bare += std::abs(s.roofline_us / measured - 1);
  }
  const double percent = 100 / static_cast<double>(scored.size());
  std::printf(
      "    %-24s %2zu rows  mean |error| %5.2f %%  bias %+6.2f %%   roofline with host call %5.2f %%, "
      "without %5.2f "
      "%%\n",
      label, scored.size(), model * percent, bias * percent, peer * percent, bare * percent);
}

void print_rows(const std::vector<Scored>& scored, double roofline_call) {
  std::printf("  %-5s %6s %5s %12s %12s %8s %10s\n", "type", "tokens", "batch", "measured us", "predicted",
              "error", "roofline");
  for (const auto& s : scored) {
    const double measured = s.row->microseconds, peer = s.peer_us(roofline_call);
    const std::string tokens = s.row->network == "bert-base" ? std::to_string(s.row->sequence) : "";
    std::printf("  %-5s %6s %5ld %12.1f %12.1f %+7.1f%% %+9.1f%%%s\n", s.row->precision.c_str(),
                tokens.c_str(), long(s.row->batch), measured, s.model_us, 100 * (s.model_us / measured - 1),
                100 * (peer / measured - 1), s.row->fitted ? "  fitted on" : "");
  }
}

/// Prints what the host calls are when they are fitted again; returns the roofline's.
double print_fit(const std::vector<Scored>& scored) {
  std::vector<double> kernels, rooflines, measured;
  for (const auto& s : scored) {
    if (!s.row->fitted) continue;
    kernels.push_back(s.model_us - nas::fitted_network_constants.call_us);
    rooflines.push_back(s.roofline_us);
    measured.push_back(s.row->microseconds);
  }
  const double peer = nas::fitted_call_us(rooflines, measured);
  std::printf("host call fitted on %zu rows: %.0f us (in use: %.0f); of the roofline: %.0f us\n",
              measured.size(), nas::fitted_call_us(kernels, measured), nas::fitted_network_constants.call_us,
              peer);
  return peer;
}

template <class Keep>
std::vector<Scored> part(const std::vector<Scored>& scored, Keep keep) {
  std::vector<Scored> kept;
  std::copy_if(scored.begin(), scored.end(), std::back_inserter(kept),
               [&](const Scored& s) { return keep(*s.row); });
  return kept;
}

void print_set(const std::string& name, const std::vector<Scored>& scored, double roofline_call) {
  std::printf("%s\n", name.c_str());
  print_rows(scored, roofline_call);
  print_summary("fitted on", part(scored, [](const auto& m) { return m.fitted; }), roofline_call);
  for (const char* precision : {"TF32", "FP16", "INT8"})
    print_summary((std::string("held out, ") + precision).c_str(),
                  part(scored, [&](const auto& m) { return !m.fitted && m.precision == precision; }),
                  roofline_call);
}

int report(const std::string& folder) {
  std::vector<NetworkMeasurement> rows;
  for (const char* file :
       {"a100_resnet50_tensorrt.csv", "resnet50_tensorrt_more.csv", "a100_bert_base_tensorrt.csv"}) {
    const auto more = nas::load_network_measurements(folder + file);
    rows.insert(rows.end(), more.begin(), more.end());
  }
  std::map<std::string, std::vector<Scored>> sets;
  for (const auto& row : rows) {
    if (!is_builtin(row.machine)) continue;
    const auto machine = isa::load_machine(row.machine);
    const auto network = nas::predict(row, machine);
    sets[row.network + " on " + row.machine].push_back(
        {&row, network.microseconds, roofline(network, row.type, machine)});
  }
  const double call = print_fit(sets["resnet50 on a100-sxm4-80gb"]);
  for (const auto& [name, scored] : sets) print_set(name, scored, call);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return report(std::string(argc > 1 ? argv[1] : TWOFOUR_TIMING_DATA) + "/");
  } catch (const twofour::Error& error) {
    std::fprintf(stderr, "network_accuracy: %s\n", error.what());
    return 2;
  }
}
