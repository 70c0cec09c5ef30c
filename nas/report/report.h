#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace twofour::nas {

/// One layer of a network.
struct LayerRow {
  std::string name;
  std::string shape;                 ///< "3x3 64->128 /2 @28x28", free text
  std::int64_t m = 0, n = 0, k = 0;  ///< GEMM sizes at the report's batch
  std::string option;                ///< name(Option): "int4-4:8"
  double latency_us = 0, low_us = 0, high_us = 0;
  std::string bound;     ///< what limits it: "tensor pipe", "DRAM", "launch"
  std::string fidelity;  ///< of the arithmetic: "hardware", "defined", "inferred"
};

/// A deployed network on emulated Tensor Cores against the independent integer reference.
struct OutputCheck {
  std::int64_t images = 0;
  std::int64_t compared = 0, differing = 0;  ///< words: accumulators and outputs of every layer
  double accuracy = 0;                       ///< 0..1, of the emulated network on those images
};

/// A deployed network's layers as emulated kernels, executed on one image, against the reference.
struct KernelOutputs {
  int layers = 0, lowered = 0;  ///< the rest have no kernel form and ran without one
  std::int64_t compared = 0, differing = 0;
};

/// One network that was trained, compressed and tested.
struct NetworkRow {
  std::uint64_t seed = 0;
  std::string group;   ///< "uniform", "MSPS", "ASPS"
  std::string method;  ///< "int8-2:4" (of uniform), "exact", "random", ...
  double budget = 0;   ///< latency budget over the uniform sparse int8 network's; 0: none
  double latency_us = 0, low_us = 0, high_us = 0;  ///< sum over the layers at the report's batch
  double latency_batch1_us = 0;
  double accuracy = 0;                                            ///< 0..1, on the test images
  double heldout_accuracy = 0;                                    ///< 0..1
  std::optional<double> predicted_cost = {}, measured_loss = {};  ///< by the search, before fine-tuning
  std::vector<LayerRow> layers = {};
  std::optional<OutputCheck> check = {};
  std::optional<KernelOutputs> kernels = {};
  double network_us = 0;  ///< of the whole network, what fuses and stays in L2 counted; 0: not timed
  std::string latency_verdict = {};  ///< how that compares with latency_us, and why
};
/// "MSPS exact 0.65x", "uniform int8".
std::string name(const NetworkRow& row);

/// What a search cost.
struct SearchRow {
  std::uint64_t seed = 0;
  std::string group, method;
  double budget = 0;
  std::int64_t evaluations = 0;
  double seconds = 0;  ///< its own work, and all that its measurements took, in whatever run that was
  std::string note;    ///< "optimal"
};

/// One epoch of a training run.
struct TrainingPoint {
  std::uint64_t seed = 0;
  std::string run;  ///< "fp32", name of a network
  int epoch = 0;    ///< from 1, within the run
  double loss = 0;
  std::optional<double> accuracy;  ///< 0..1, held-out
};

/// What becomes of a choice when the latencies are those of one end of the model's band.
struct UncertaintyRow {
  std::uint64_t seed = 0;
  std::string group;
  double budget = 0;
  std::string end;                 ///< "2:4 at its low end, dense at its high end"
  int changed = 0, decisions = 0;  ///< of the optimum at that end against the choice
  std::optional<double>
      regret;                 ///< predicted cost of the choice above that optimum's; none: it is over budget
  bool meets_budget = false;  ///< the choice at that end
};

/// Everything that a study found; views below.
struct Report {
  std::string network;   ///< "resnet14-w64-s2"
  std::string data_set;  ///< "Fashion-MNIST, 55,000 training, 5,000 held-out, 10,000 test images"
  std::string machine;   ///< "a100-sxm4-80gb"
  int batch = 1;         ///< of the latencies
  std::vector<std::uint64_t> seeds;
  std::vector<NetworkRow> networks;
  std::vector<SearchRow> searches;
  std::vector<TrainingPoint> training;
  std::vector<UncertaintyRow> uncertainty;
  std::string command;                                        ///< arguments that run it again
  std::string finished;                                       ///< ISO 8601
  std::vector<std::pair<std::string, double>> seconds;        ///< wall time of each phase
  std::vector<std::pair<std::string, std::string>> versions;  ///< "twofour" -> "0.1.0"
  std::vector<std::string> notes;  ///< what the reader must know: limits, estimates
};

/// The tables as aligned text, the answer first.
std::string to_text(const Report& report);
/// JSON with schema_version 2: the fields of the structs by name, and what analysis.h makes of them.
std::string to_json(const Report& report);
/// One self-contained HTML page: inline CSS and SVG, no script, nothing loaded from elsewhere.
std::string to_html(const Report& report);

}  // namespace twofour::nas
