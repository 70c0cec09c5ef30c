#include "twofour/nas/train/pipeline.h"

#include <chrono>
#include <cmath>
#include <ctime>
#include <filesystem>

#include "twofour/isa/error.h"
#include "twofour/isa/evidence.h"
#include "twofour/isa/file.h"
#include "twofour/nas/train/deployment_check.h"
#include "twofour/nas/train/interrupt.h"
#include "twofour/nas/train/search_stage.h"

namespace twofour::nas {
namespace {

constexpr int curve_points = 24;

std::string shape_text(const Layer& l) {
  const auto& s = l.shape;
  return fmt::format("{}x{} {}->{} /{} @{}x{}", s.kernel_h, s.kernel_w, s.in_channels, s.out_channels,
                     s.stride, s.height, s.width);
}

std::string now() {
  const std::time_t t = std::time(nullptr);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", std::gmtime(&t));
  return text;
}

/// One network of the comparison.
struct Candidate {
  std::string name, series;
  std::vector<Option> options;
  bool chosen = false;
};

/// The stages in order; each adds what it found to the report.
class Demo {
 public:
  explicit Demo(const DemoSettings& settings)
      : settings_(settings),
        scale_(demo_scale(settings)),
        machine_(isa::load_machine(settings.machine)),
        data_(demo_data(settings, scale_)),
        trainer_(demo_trainer(settings, scale_, data_)),
        network_(resnet_small(scale_.blocks, scale_.width, scale_.stem_stride, data_.train.height)) {}

  DemoReport run() {
    describe();
    timed("training in fp32", [&] { train(); });
    timed("sensitivities", [&] { measure(); });
    timed("search", [&] { search(); });
    timed("fine-tuning", [&] { fine_tune(); });
    timed("deployment and check", [&] { deploy(); });
    finish();
    return std::move(report_);
  }

 private:
  template <class F>
  void timed(const char* phase, const F& stage) {
    fmt::print(stderr, "== {}\n", phase);
    const auto start = std::chrono::steady_clock::now();
    stage();
    report_.seconds.emplace_back(
        phase, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }

  void describe() {
    report_.network = network_.name;
    report_.data_set =
        fmt::format("Fashion-MNIST {}x{}: {} training, {} held-out, {} test images", data_.train.height,
                    data_.train.width, data_.train.count, data_.heldout.count, data_.test.count);
    report_.machine = machine_.name;
    report_.batch = settings_.batch;
    report_.seed = settings_.seed;
    report_.command =
        fmt::format("twofour-nas demo{} --out={} --data={} --machine={} --batch={} --budget={} --seed={}",
                    settings_.quick ? " --quick" : "", settings_.out, settings_.data, settings_.machine,
                    settings_.batch, settings_.budget, settings_.seed);
    report_.versions.emplace_back("twofour", TWOFOUR_VERSION);
  }

  void add_history(const std::string& run, const std::vector<EpochRecord>& history) {
    for (const EpochRecord& e : history)
      report_.training.push_back({run, e.epoch, e.loss, e.heldout_accuracy});
  }

  void train() { add_history("fp32", trainer_.train()); }

  void measure() {
    const auto sensitivity = trainer_.sensitivity(all_legal_options(network_), scale_.sensitivity_images);
    problem_ = make_problem(network_, sensitivity, settings_.batch, machine_);
  }

  void search() {
    const auto sparse = uniform_options(network_, Option::int8_sparse, Option::int8);
    report_.budget_us = settings_.budget * problem_.latency_us(sparse);
    check_budget(problem_.latency_us(sparse));
    const auto solved = [&](double budget_us) {
      return problem_.options_of(solve(problem_.table, budget_us / 1000));
    };
    candidates_ = {{"searched", "exact search", solved(report_.budget_us), true},
                   {"uniform fp16", "uniform", uniform_options(network_, Option::fp16, Option::fp16)},
                   {"uniform int8", "uniform", uniform_options(network_, Option::int8, Option::int8)},
                   {"uniform int8-2:4", "uniform", sparse}};
    for (double factor : scale_.more_budgets)
      candidates_.push_back({fmt::format("searched, {:.2f}x budget", factor), "exact search",
                             solved(factor * report_.budget_us)});
    for (const Solution& s : pareto_curve(problem_.table, curve_points))
      report_.pareto.push_back({"", "exact search", s.latency_ms * 1000, s.cost, std::nullopt, false});
    add_layers();
  }

  void check_budget(double sparse_us) const {
    const double least = latency_range(problem_.table).least_ms * 1000;
    for (double factor : scale_.more_budgets)
      if (factor * report_.budget_us < least) fail_budget(least, sparse_us * factor);
    if (report_.budget_us < least) fail_budget(least, sparse_us);
  }

  [[noreturn]] void fail_budget(double least_us, double per_unit_us) const {
    fail("--budget={} is too small: the fastest network takes {:.1f} us; use {:.2f} or more",
         settings_.budget, least_us, std::ceil(100 * least_us / per_unit_us) / 100);
  }

  void add_layers() {
    const auto& options = candidates_[0].options;
    for (std::size_t i = 0; i < options.size(); ++i) {
      const Layer& l = network_.layers[i];
      const emu::Latency& latency = problem_.latency_of(i, options[i]);
      report_.layers.push_back({l.name, shape_text(l), l.shape.gemm_m(), l.shape.gemm_n() * settings_.batch,
                                l.shape.gemm_k(), std::string(name(options[i])), latency.microseconds,
                                std::string(name(latency.bound)), problem_.cost(i, options[i]),
                                std::string(name(isa::evidence(instruction_of(options[i])).fidelity))});
    }
  }

  void fine_tune() {
    for (const Candidate& c : candidates_) {
      fmt::print(stderr, "-- {}\n", c.name);
      add_history(c.name, trainer_.fine_tune(c.options));
      const double accuracy = trainer_.evaluate(data_.test).accuracy();
      report_.networks.push_back({c.name, accuracy, problem_.latency_us(c.options),
                                  network_latency(network_, c.options, 1, machine_)});
      report_.pareto.push_back({c.name, c.series, report_.networks.back().latency_us,
                                problem_.cost(c.options), accuracy, c.chosen});
      if (c.chosen) {
        deployed_ = trainer_.export_network();
        deployed_fingerprint_ = trainer_.fingerprint();
      }
    }
  }

  void deploy() {
    const std::string cache = settings_.out + "/check-" + short_name(deployed_fingerprint_) + ".json";
    report_.check = check_deployment(deployed_, slice(data_.test, 0, scale_.checked_images), cache,
                                     deployed_fingerprint_);
  }

  void finish() {
    report_.notes = {
        "Latencies are those of the timing model (docs/accuracy.md says how far to trust it), kernels in a "
        "CUDA graph; activations are "
        "stored at the width of the layer's own type; residual adds, pooling and changes of type are taken "
        "as free epilogues.",
        "All networks start from the same fp32 weights and are fine-tuned by the same plan. Accuracies in "
        "the comparison are those of "
        "the fake-quantised networks on all test images; the check says the accuracy of the deployed "
        "integers.",
        "Sensitivities and the training curves use held-out images of the training file; test images chose "
        "nothing."};
    if (settings_.quick)
      report_.notes.emplace_back(
          "--quick: a small network on pooled images. Its accuracies say nothing about the full demo.");
    report_.finished = now();
    isa::write_file(settings_.out + "/result.json", to_json(report_));
    isa::write_file(settings_.out + "/report.html", to_html(report_));
  }

  DemoSettings settings_;
  DemoScale scale_;
  isa::Machine machine_;
  DemoData data_;
  Trainer trainer_;
  Network network_;
  SearchProblem problem_;
  std::vector<Candidate> candidates_;
  DeployedNetwork deployed_;
  Fingerprint deployed_fingerprint_;
  DemoReport report_;
};

void make_directory(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error) fail("{}: the folder cannot be made ({})", path, error.message());
}

}  // namespace

DemoScale demo_scale(const DemoSettings& settings) {
  DemoScale scale{.blocks = 2,
                  .width = 32,
                  .stem_stride = 2,
                  .pooled = false,
                  .train_images = 55000,
                  .heldout_images = 5000,
                  .test_images = 10000,
                  .sensitivity_images = 3000,
                  .checked_images = 10000,
                  .recipe = {},
                  .more_budgets = {1.25, 0.75}};
  scale.recipe.dense = {.epochs = 4, .peak_rate = 0.3, .shift = 0, .seed = settings.seed};
  scale.recipe.fine_tune = {
      .epochs = 1, .images_per_epoch = 30000, .peak_rate = 0.02, .shift = 0, .seed = settings.seed};
  if (settings.quick) {
    scale.blocks = 1, scale.width = 64, scale.stem_stride = 2, scale.pooled = true;
    scale.train_images = 12000, scale.heldout_images = 2000, scale.test_images = 2000;
    scale.sensitivity_images = 1000, scale.checked_images = 2000;
    scale.more_budgets = {};
    scale.recipe.dense.epochs = 3, scale.recipe.dense.peak_rate = 0.1;
    scale.recipe.fine_tune.images_per_epoch = 6000;
  }
  scale.recipe.seed = settings.seed;
  scale.recipe.threads = settings.threads;
  return scale;
}

DemoData demo_data(const DemoSettings& settings, const DemoScale& scale) {
  FashionMnist set = read_fashion_mnist(settings.data);
  DemoData data{slice(set.train, 0, scale.train_images),
                slice(set.train, set.train.count - scale.heldout_images, scale.heldout_images),
                slice(set.test, 0, scale.test_images)};
  if (scale.pooled)
    for (Dataset* d : {&data.train, &data.heldout, &data.test}) *d = pool_2x2(*d);
  return data;
}

Trainer demo_trainer(const DemoSettings& settings, const DemoScale& scale, const DemoData& data) {
  make_directory(settings.out);
  return Trainer(resnet_small(scale.blocks, scale.width, scale.stem_stride, data.train.height), scale.recipe,
                 data.train, data.heldout, settings.out);
}

DemoReport run_demo(const DemoSettings& settings) {
  const InterruptGuard guard;  // a signal between two stages is seen by the next
  return Demo(settings).run();
}

}  // namespace twofour::nas
