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
    const auto gemm = emu::implicit_gemm(layer);
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

double cpu_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

/// Quality of the searches of one kind: best over found.
struct Quality {
  std::vector<double> ratios;
  double trials = 0;
  void print(std::string_view name) {
    std::sort(ratios.begin(), ratios.end());
    double sum = 0, near = 0;
    for (const double ratio : ratios) {
      sum += ratio;
      near += ratio >= 0.99;
    }
    const auto n = static_cast<double>(ratios.size());
    fmt::print(
        "  {:<9} min {:.4f}  1 of 100 below {:.4f}  mean {:.4f}  at least 0.99: {:5.1f} %  trials {:.0f}\n",
        name, ratios.front(), ratios[ratios.size() / 100], sum / n, 100 * near / n, trials / n);
  }
};

}  // namespace

int main(int argc, char** argv) {
  gflags::ParseCommandLineFlags(&argc, &argv, true);
  const auto machine = isa::load_machine("a100-sxm4-80gb");
  std::vector<emu::TuningTask> all = tasks();
  const auto total = all.size();
  const double shares[] = {0.1, 0.01};
  Quality learning[2], random[2];
  Quality published;
  double learning_s[2] = {}, space_sum = 0;
  std::size_t count = 0;
  for (std::size_t t = 0; t < total; t += static_cast<std::size_t>(FLAGS_stride), ++count) {
    const auto& task = all[t];
    const emu::ScheduleSpace space(task, machine);
    std::size_t calls = 0;
    const auto model = emu::model_evaluator(task, machine);
    const emu::Evaluator counted = [&](const emu::Schedule& s) {
      ++calls;
      return model(s);
    };
    const double best = emu::exhaustive_search(space, counted).best().microseconds;
    space_sum += static_cast<double>(space.size());
    published.ratios.push_back(best / emu::published_best(task, machine).microseconds);
    for (std::size_t i = 0; i < std::size(shares); ++i)
      for (int seed = 1; seed <= FLAGS_seeds; ++seed) {
        emu::SearchLimits limits{
            .trials = static_cast<std::size_t>(shares[i] * static_cast<double>(space.size())),
            .seed = static_cast<std::uint64_t>(seed)};
        const auto add = [&](Quality& quality, const emu::SearchResult& result) {
          quality.ratios.push_back(best / result.best().microseconds);
          quality.trials += static_cast<double>(calls);
          if (calls > limits.trials) fmt::print("{}: {} trials of {}\n", task.key(), calls, limits.trials);
        };
        calls = 0;
        add(random[i], emu::random_search(space, counted, limits));
        calls = 0;
        const double start = cpu_seconds();
        add(learning[i], emu::learning_search(space, task, machine, counted, limits));
        if (learning[i].ratios.back() < 0.95) fmt::print("{} {} seed {}: {:.4f}\n", task.key(), shares[i], seed, learning[i].ratios.back());
        learning_s[i] += cpu_seconds() - start;
      }
  }
  fmt::print("{} layers, {} seeds; {:.0f} schedules a layer on average\n", count, FLAGS_seeds,
             space_sum / static_cast<double>(count));
  for (std::size_t i = 0; i < std::size(shares); ++i) {
    fmt::print("{} % of the space, {:.2f} s of CPU a learning search\n", 100 * shares[i],
               learning_s[i] / static_cast<double>(learning[i].ratios.size()));
    learning[i].print("learning");
    random[i].print("random");
  }
  fmt::print("the published tiles' best (no search)\n");
  published.print("published");
}
