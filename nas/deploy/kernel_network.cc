#include "twofour/nas/deploy/kernel_network.h"

#include <algorithm>
#include <cmath>

#include "twofour/emu/kernel/simulate.h"
#include "twofour/isa/error.h"
#include "twofour/nas/timing/layer_latency.h"

namespace twofour::nas {
namespace {

using emu::Schedule;

/// Why a schedule cannot run; empty if it can.
std::string refusal(const emu::KernelProblem& problem, const Schedule& schedule) {
  try {
    emu::plan_kernel(problem, schedule);
    return "";
  } catch (const Error& e) {
    return e.what();
  }
}

/// Distance of two tiles: the sum over their sizes of the binary logarithms' differences.
double distance(const emu::Tile& a, const emu::Tile& b) {
  const auto side = [](int x, int y) { return std::abs(std::log2(double(x) / y)); };
  return side(a.m, b.m) + side(a.n, b.n) + side(a.k_bytes, b.k_bytes) + 0.01 * std::abs(a.stages - b.stages);
}

/// A tile to be near to: the wanted one, or for a kernel without tiles the smallest.
emu::Tile wanted_tile(const Schedule& schedule, std::span<const emu::Tile> tiles) {
  if (schedule.tile.m > 0) return schedule.tile;
  return *std::min_element(tiles.begin(), tiles.end(),
                           [](const emu::Tile& a, const emu::Tile& b) { return a.m * a.n < b.m * b.n; });
}

Schedule nearest_legal(const emu::KernelProblem& problem, Schedule schedule) {
  const auto list = emu::tiles(problem.instruction->is_sparse());
  const emu::Tile wanted = wanted_tile(schedule, list);
  std::vector<emu::Tile> tiles(list.begin(), list.end());
  std::stable_sort(tiles.begin(), tiles.end(), [&](const emu::Tile& a, const emu::Tile& b) {
    return distance(a, wanted) < distance(b, wanted);
  });
  for (const emu::Tile& tile : tiles) {
    schedule.tile = tile;
    if (refusal(problem, schedule).empty()) return schedule;
  }
  fail("no tile of the latency model's list fits: {}", refusal(problem, schedule));
}

void add(std::string& note, std::string_view text) {
  note += note.empty() ? "" : "; ";
  note += text;
}

void set_schedule(LoweredLayer& layer) {
  const emu::KernelProblem problem = layer.kernel.problem_of(1);
  Schedule s = layer.latency.schedule;
  s.alignment = std::min(s.alignment, emu::largest_alignment(problem));
  if (layer.latency.gemv) add(layer.schedule_note, "the model's matrix-vector kernel has no tile");
  if (s.decomposition != emu::Decomposition::data_parallel && isa::is_float(problem.instruction->a)) {
    add(layer.schedule_note, fmt::format("split-k {} would add f32 sums in another order", s.splits));
    s.decomposition = emu::Decomposition::data_parallel;
    s.splits = 1;
  }
  if (std::string why = refusal(problem, s); !why.empty()) {
    if (!layer.latency.gemv) add(layer.schedule_note, why);
    s = nearest_legal(problem, s);
  }
  layer.schedule = s;
}

emu::ConvProblem conv_problem(const Layer& layer, const LoweredLayer& lowered, std::int64_t batch) {
  const OptionInfo& o = info(lowered.option);
  return {.batch = batch,
          .height = layer.shape.height,
          .width = layer.shape.width,
          .channels = lowered.kernel.channels,
          .filters = layer.shape.out_channels,
          .kernel_h = layer.shape.kernel_h,
          .kernel_w = layer.shape.kernel_w,
          .stride = layer.shape.stride,
          .padding = layer.shape.pad,
          .type = o.weight,
          .sparse = o.sparse,
          .output_bits = std::max(8, isa::bits(o.activation))};  // kernels store no narrower words
}

}  // namespace

KernelNetwork lower(const DeployedNetwork& net, std::int64_t batch, const isa::Machine& machine) {
  check_network(net);
  KernelNetwork out{batch, machine.name, {}};
  for (std::size_t i = 0; i < net.layers.size(); ++i) {
    const Layer& layer = net.network.layers[i];
    LoweredLayer lowered;
    lowered.name = layer.name;
    lowered.option = net.layers[i].option;
    lowered.latency = layer_latency(layer, lowered.option, int(batch), machine);
    lowered.kernel = layer_kernel(layer, net.layers[i]);
    if (lowered.lowered()) set_schedule(lowered);
    out.layers.push_back(std::move(lowered));
  }
  return out;
}

void simulate_layers(KernelNetwork& kernels, const DeployedNetwork& net, const isa::Machine& machine) {
  for (std::size_t i = 0; i < kernels.layers.size(); ++i) {
    LoweredLayer& layer = kernels.layers[i];
    layer.simulated_us.reset();
    layer.simulated_note = layer.kernel.reason;
    if (layer.lowered()) try {
        const auto problem = conv_problem(net.network.layers[i], layer, kernels.batch);
        layer.simulated_us = emu::simulate_kernel(problem, layer.schedule, machine).microseconds;
      } catch (const Error& e) {
        layer.simulated_note = e.what();
      }
  }
}

}  // namespace twofour::nas
