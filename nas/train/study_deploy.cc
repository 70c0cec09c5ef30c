#include "twofour/nas/train/study_deploy.h"

#include <algorithm>

#include "twofour/isa/file.h"
#include "twofour/nas/deploy/export_json.h"
#include "twofour/nas/deploy/export_onnx.h"
#include "twofour/nas/deploy/kernel_network.h"
#include "twofour/nas/deploy/latency_check.h"
#include "twofour/nas/timing/network_table.h"
#include "twofour/nas/train/deployment_check.h"
#include "twofour/nas/train/stage_cache.h"

namespace twofour::nas {
namespace {

std::vector<Option> options_of(const DeployedNetwork& network) {
  std::vector<Option> options;
  for (const DeployedLayer& l : network.layers) options.push_back(l.option);
  return options;
}

KernelOutputs run_as_kernels(const DeployedNetwork& network, const Dataset& image, int batch,
                             const isa::Machine& machine) {
  const KernelNetwork kernels = lower(network, batch, machine);
  const KernelCheck check = run_kernels(network, kernels, stream_words(image), image.count);
  return {int(kernels.layers.size()), int(std::ranges::count_if(kernels.layers, &LoweredLayer::lowered)),
          check.compared(), check.differing()};
}

KernelOutputs cached_kernels(const DeployedNetwork& network, const Dataset& image, int batch,
                             const isa::Machine& machine, const std::string& cache, Fingerprint key) {
  key.emplace_back("kernels for", machine.name + ", batch " + std::to_string(batch));
  std::vector<double> n = load_numbers(cache, key);
  if (n.empty()) {
    const KernelOutputs k = run_as_kernels(network, image, batch, machine);
    n = {double(k.layers), double(k.lowered), double(k.compared), double(k.differing)};
    store_numbers(cache, key, n);
  }
  return {int(n.at(0)), int(n.at(1)), std::int64_t(n.at(2)), std::int64_t(n.at(3))};
}

}  // namespace

void check_deployed(NetworkRow& row, const DeployedNetwork& network, const Dataset& images, int batch,
                    const isa::Machine& machine, const std::string& cache, const Fingerprint& fingerprint) {
  row.check = check_deployment(network, images, cache + ".json", fingerprint);
  row.kernels =
      cached_kernels(network, slice(images, 0, 1), batch, machine, cache + "-kernels.json", fingerprint);
  const LatencyCheck whole = check_latency(network.network, options_of(network), batch, machine);
  row.network_us = whole.network_us;
  row.latency_verdict = whole.verdict;
}

void export_deployed(const DeployedNetwork& network, int batch, const isa::Machine& machine,
                     const std::string& prefix) {
  write_deployed(prefix + ".json", network);
  if (can_write_onnx()) write_onnx(prefix + ".onnx", network);
  isa::write_file(prefix + ".csv",
                  network_csv(network_table(network.network, options_of(network), batch, machine)));
}

}  // namespace twofour::nas
