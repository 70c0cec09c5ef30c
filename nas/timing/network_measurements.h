#pragma once
#include <string>
#include <vector>

#include "twofour/nas/timing/network_latency.h"

namespace twofour::nas {

/// One measured inference of data/timing.
struct NetworkMeasurement {
  std::string network;  ///< built in: resnet50 (v1.5, 224 x 224 images) or bert-base
  std::string machine;  ///< name of the machine file
  std::string precision;
  isa::ElementType type;
  std::int64_t batch;
  std::int64_t sequence;  ///< tokens, of bert-base
  emu::Launch launch;     ///< what was counted: as_measured with a host call, stream without
  double microseconds;
  bool fitted;  ///< call_us was fitted on it: A100, FP16, batches 1, 8 and 64
  int line;
};

/// Rows of ResNet-50: columns device, precision, batch and throughput_img_s (which has more digits than the
/// latency beside it), a host call included. Rows of BERT-base: columns device, precision, sequence, batch
/// and avg_latency_ms, without one. Throws Error with file:line:column for an unknown device or precision and
/// for sizes below 1.
std::vector<NetworkMeasurement> load_network_measurements(const std::string& path);

/// The prediction of that measurement, without advice.
NetworkLatency predict(const NetworkMeasurement& measurement, const isa::Machine& machine,
                       const NetworkConstants& constants = fitted_network_constants);

/// The host call with which the mean absolute relative error of the rows is least, given what their kernels
/// take: a weighted median.
double fitted_call_us(const std::vector<double>& kernel_us, const std::vector<double>& measured_us);

}  // namespace twofour::nas
