// How near the learning search comes to the best schedule there is, and how near random trials come:
// ResNet-50's distinct layers at batch 1, 8, 32 and 128, f16 and s8, dense and 2:4 (first layer and
// classifier stay dense), on the latency model of an A100. Best over found, so 1 is the optimum; each search
// may time a share of the space.
#include <fmt/format.h>
#include <gflags/gflags.h>

#include <algorithm>
#include <ctime>
#include <set>
#include <tuple>

#include "twofour/emu/tune/learning_search.h"

DEFINE_int32(seeds, 3, "searches of each layer");
DEFINE_int32(stride, 1, "take every so many-th layer only");

namespace {

using namespace twofour;
using emu::ConvProblem;

/// Convolutions of ResNet-50 v1.5 at 224 x 224, of each GEMM size the first; the classifier is the last.
std::vector<ConvProblem> resnet50(std::int64_t batch) {
  std::vector<ConvProblem> layers;
  const auto add = [&](std::int64_t size, std::int64_t in, std::int64_t out, std::int64_t kernel,
                       std::int64_t stride) {
    layers.push_back({.batch = batch,
                      .height = size,
                      .width = size,
                      .channels = in,
                      .filters = out,
                      .kernel_h = kernel,
                      .kernel_w = kernel,
                      .stride = stride,
                      .padding = kernel / 2});
  };
  add(224, 3, 64, 7, 2);
  std::int64_t in = 64, size = 56;
  for (const auto& [width, blocks] : {std::pair(64, 3), {128, 4}, {256, 6}, {512, 3}})
    for (int block = 0; block < blocks; ++block) {
      const std::int64_t stride = block == 0 && width > 64 ? 2 : 1;
      add(size, in, width, 1, 1);
      add(size, width, width, 3, stride);
      if (block == 0) add(size, in, 4 * width, 1, stride);
      size /= stride;
      add(size, width, 4 * width, 1, 1);
      in = 4 * width;
    }
  add(1, 2048, 1000, 1, 1);
  std::set<std::tuple<std::int64_t, std::int64_t, std::int64_t>> seen;
  std::erase_if(layers, [&](const ConvProblem& layer) {
    const auto gemm = emu::implicit_gemm(layer).gemm;
    return !seen.emplace(gemm.m, gemm.n, gemm.k).second;
  });
  return layers;
}

std::vector<emu::TuningTask> tasks() {
  std::vector<emu::TuningTask> all;
  for (const std::int64_t batch : {1, 8, 32, 128})
    for (ConvProblem layer : resnet50(batch))
      for (const auto type : {isa::ElementType::f16, isa::ElementType::s8})
        for (const bool sparse : {false, true}) {
          if (sparse && (layer.channels % 16 != 0 || layer.filters == 1000)) continue;
          layer.type = type;
          layer.sparse = sparse;
          all.push_back(emu::tuning_task(layer));
        }
  return all;
}

/// Of the calling thread.
double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

constexpr double shares[] = {0.1, 0.01};  // of the space, that a search may time
constexpr std::size_t budgets = std::size(shares);

/// Best over found, of the searches of one kind and budget.
struct Quality {
  std::vector<double> ratios;
  double trials = 0, seconds = 0;

  void add(double ratio, std::size_t calls, double cpu) {
    ratios.push_back(ratio);
    trials += static_cast<double>(calls);
    seconds += cpu;
  }
  void print(std::string_view name) {
    std::sort(ratios.begin(), ratios.end());
    double sum = 0, near = 0;
    for (const double ratio : ratios) {
      sum += ratio;
      near += ratio >= 0.99;
    }
    const auto n = static_cast<double>(ratios.size());
    fmt::print(
        "  {:<9} min {:.4f}  1 of 100 below {:.4f}  mean {:.4f}  at least 0.99: {:5.1f} %  trials {:.0f}  "
        "CPU "
        "{:.2f} s\n",
        name, ratios.front(), ratios[ratios.size() / 100], sum / n, 100 * near / n, trials / n, seconds / n);
  }
};

struct Qualities {
  Quality learning[budgets], random[budgets], published;
  double schedules = 0;
};

/// All searches of one layer; adds to the sums, which threads share.
void search(const emu::TuningTask& task, const isa::Machine& machine, Qualities& sums) {
  const emu::ScheduleSpace space(task, machine);
  std::size_t calls = 0;
  const emu::Evaluator counted = [&, model = emu::model_evaluator(task, machine)](const emu::Schedule& s) {
    ++calls;
    return model(s);
  };
  const double best = emu::exhaustive_search(space, counted).best().microseconds;
  const auto run = [&](Quality& quality, const auto& one_search) {
    calls = 0;
    const double start = cpu_seconds();
    const double ratio = best / one_search().best().microseconds;
#pragma omp critical
    quality.add(ratio, calls, cpu_seconds() - start);
  };
  for (std::size_t i = 0; i < budgets; ++i)
    for (int seed = 1; seed <= FLAGS_seeds; ++seed) {
      const emu::SearchLimits limits{
          .trials = static_cast<std::size_t>(shares[i] * static_cast<double>(space.size())),
          .seed = static_cast<std::uint64_t>(seed)};
      run(sums.random[i], [&] { return emu::random_search(space, counted, limits); });
      run(sums.learning[i], [&] { return emu::learning_search(space, task, machine, counted, limits); });
    }
#pragma omp critical
  {
    sums.published.add(best / emu::published_best(task, machine).microseconds, 0, 0);
    sums.schedules += static_cast<double>(space.size());
  }
}

}  // namespace

int main(int argc, char** argv) {
  gflags::ParseCommandLineFlags(&argc, &argv, true);
  const auto machine = isa::load_machine("a100-sxm4-80gb");
  const auto all = tasks();
  Qualities sums;
#pragma omp parallel for schedule(dynamic, 1)
  for (std::size_t t = 0; t < all.size(); t += static_cast<std::size_t>(FLAGS_stride))
    search(all[t], machine, sums);
  const auto count = sums.published.ratios.size();
  fmt::print("{} layers, {} seeds; {:.0f} schedules a layer on average\n", count, FLAGS_seeds,
             sums.schedules / static_cast<double>(count));
  for (std::size_t i = 0; i < budgets; ++i) {
    fmt::print("{} % of the space\n", 100 * shares[i]);
    sums.learning[i].print("learning");
    sums.random[i].print("random");
  }
  fmt::print("best of the published tiles, without a search\n");
  sums.published.print("published");
}
