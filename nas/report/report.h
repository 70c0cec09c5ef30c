#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace twofour::nas {

/// One layer of the network that the search chose.
struct LayerRow {
  std::string name;
  std::string shape;                 ///< "3x3 64->128 /2 @28x28", free text
  std::int64_t m = 0, n = 0, k = 0;  ///< GEMM sizes at the report's batch
  std::string option;                ///< name(Option): "int4-4:8"
  double latency_us = 0;
  std::string bound;       ///< what limits it: "tensor pipe", "DRAM", "launch"
  double sensitivity = 0;  ///< cost of the option in the search: loss it was expected to add
  std::string fidelity;    ///< of the arithmetic: "hardware", "defined", "inferred"
};

/// One network that was trained and tested.
struct NetworkRow {
  std::string name;
  double accuracy = 0;    ///< 0..1, on held-out images
  double latency_us = 0;  ///< at the report's batch
  double latency_batch1_us = 0;
};

/// One point of the trade-off. Points of the same series are drawn in the same colour; the predicted costs of
/// the series that holds the chosen network are joined by a line.
struct ParetoPoint {
  std::string label;
  std::string series;  ///< "exact search", "uniform", ...
  double latency_us = 0;
  std::optional<double> predicted_cost;  ///< of the search: sum of sensitivities
  std::optional<double> accuracy;        ///< 0..1, when it was trained and tested
  bool chosen = false;                   ///< the network that the report is about
};

/// One epoch of a training run.
struct TrainingPoint {
  std::string run;  ///< "fp32", "fine-tune"
  int epoch = 0;    ///< from 1, within the run
  double loss = 0;
  std::optional<double> accuracy;  ///< 0..1, on the test set
};

/// Emulated inference against the independent integer reference.
struct OutputCheck {
  std::int64_t images = 0;
  std::int64_t compared = 0, differing = 0;  ///< words: accumulators and outputs of every layer
  double accuracy = 0;                       ///< 0..1, of the emulated network on those images
};

/// Everything that a search run found, in one place; views below.
struct DemoReport {
  std::string network;   ///< "resnet14-w16"
  std::string data_set;  ///< "Fashion-MNIST, 60,000 + 10,000 images"
  std::string machine;   ///< "a100-sxm4-80gb"
  int batch = 1;         ///< of the latencies
  double budget_us = 0;
  std::vector<LayerRow> layers;
  std::vector<NetworkRow> networks;
  std::vector<ParetoPoint> pareto;
  std::vector<TrainingPoint> training;
  std::optional<OutputCheck> check;
  std::uint64_t seed = 0;
  std::string command;                                        ///< arguments that run it again
  std::string finished;                                       ///< ISO 8601
  std::vector<std::pair<std::string, double>> seconds;        ///< wall time of each phase
  std::vector<std::pair<std::string, std::string>> versions;  ///< "twofour" -> "0.1.0"
  std::vector<std::string> notes;  ///< what the reader must know: limits, estimates
};

/// Sum of the layers' latencies.
double total_latency_us(const DemoReport& report);
/// The layer's part of it, 0..1.
double latency_share(const DemoReport& report, const LayerRow& layer);

/// The tables as aligned text, the answer first.
std::string to_text(const DemoReport& report);
/// JSON with schema_version 1 and the fields of the structs by name, plus each layer's share of the latency.
std::string to_json(const DemoReport& report);
/// One self-contained HTML page: inline CSS and SVG, no script, nothing loaded from elsewhere.
std::string to_html(const DemoReport& report);

}  // namespace twofour::nas
