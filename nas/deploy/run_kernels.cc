#include <ctime>

#include "twofour/isa/error.h"
#include "twofour/nas/deploy/kernel_network.h"
#include "twofour/nas/deploy/pool.h"
#include "twofour/nas/deploy/stream_ops.h"

namespace twofour::nas {
namespace {

using emu::PackedMatrix;

/// acc = 2 popc(w & q) - popc(q); the last column counts q.
PackedMatrix sums_of_counts(const PackedMatrix& counts) {
  PackedMatrix sums(isa::ElementType::s32, counts.rows(), counts.cols() - 1);
  for (std::int64_t row = 0; row < sums.rows(); ++row)
    for (std::int64_t c = 0; c < sums.cols(); ++c)
      sums.set_integer(row, c, 2 * counts.integer(row, c) - counts.integer(row, sums.cols()));
  return sums;
}

std::vector<std::int32_t> words_of(const PackedMatrix& d) {
  const auto* first = d.row_as<std::int32_t>(0);
  return {first, first + d.rows() * d.cols()};
}

PackedMatrix matrix_of(const std::vector<std::int32_t>& words, std::int64_t columns) {
  PackedMatrix m(isa::ElementType::s32, std::int64_t(words.size()) / columns, columns);
  std::copy(words.begin(), words.end(), m.row_as<std::int32_t>(0));
  return m;
}

class Runner {
 public:
  Runner(const DeployedNetwork& net, const KernelNetwork& kernels, const std::vector<std::int32_t>& images,
         int batch, bool accumulators)
      : net_(net), kernels_(kernels), images_(images), batch_(batch), accumulators_(accumulators) {}

  KernelCheck run() {
    const std::vector<LayerResult> reference = run_reference(net_, images_, batch_);
    std::vector<LayerResult> emulated;
    for (std::size_t i = 0; i < net_.layers.size(); ++i) {
      LayerKernelCheck check;
      check.macs = macs(net_.network.layers[i]);
      if (kernels_.layers[i].lowered()) {
        done_.results.push_back(run_layer(i, check));
      } else {
        if (emulated.empty()) emulated = run_emulated(net_, images_, batch_);
        done_.results.push_back(emulated[i]);
      }
      compare(done_.results[i], reference[i], check);
      done_.layers.push_back(check);
    }
    return std::move(done_);
  }

 private:
  std::int64_t macs(const Layer& layer) const {
    return layer.shape.gemm_m() * layer.shape.gemm_n() * layer.shape.gemm_k() / layer.groups * batch_;
  }

  const std::vector<std::int32_t>& tensor(int index) const {
    return index == 0 ? images_ : done_.results[std::size_t(index - 1)].output;
  }

  /// A tensor after its reader's pool.
  std::vector<std::int32_t> read(int index, const Pool& pool) const {
    if (pool.kind == PoolKind::none) return tensor(index);
    const emu::ConvShape& s = net_.network.layers[std::size_t(index - 1)].shape;  // never the image
    return pooled(tensor(index), {batch_, s.out_height(), s.out_width(), s.out_channels}, pool);
  }

  PackedMatrix execute(const LoweredLayer& layer, const emu::KernelProblem& problem,
                       const emu::KernelOperands& operands, LayerKernelCheck& check) const {
    const std::clock_t start = std::clock();
    emu::KernelRun run = emu::run_kernel(emu::plan_kernel(problem, layer.schedule), operands);
    check.cpu_seconds += double(std::clock() - start) / CLOCKS_PER_SEC;
    for (const std::int64_t n : run.instructions) check.instructions += n;
    return std::move(run.d);
  }

  /// The accumulators alone.
  PackedMatrix sums(const LoweredLayer& layer, const PackedMatrix& b, LayerKernelCheck& check) const {
    emu::KernelProblem problem = layer.kernel.problem_of(batch_);
    problem.epilogue = {.output = problem.instruction->d, .channel_is_row = true, .transposed = true};
    emu::KernelOperands x = layer.kernel.operands(b);
    x.epilogue = {};
    PackedMatrix d = execute(layer, problem, x, check);
    return layer.kernel.form == KernelForm::bit_counts ? sums_of_counts(d) : d;
  }

  LayerResult run_layer(std::size_t i, LayerKernelCheck& check) const {
    const Layer& layer = net_.network.layers[i];
    const DeployedLayer& deployed = net_.layers[i];
    const LoweredLayer& lowered = kernels_.layers[i];
    const LayerKernel& kernel = lowered.kernel;
    PackedMatrix b = quantised(deployed, read(layer.input, layer.pool), layer.shape.in_channels,
                               kernel.channels, info(deployed.option).activation);
    if (kernel.explicit_im2col) {
      emu::ConvShape shape = layer.shape;
      shape.batch = batch_;
      b = emu::im2col(shape, b, kernel.problem.instruction->shape.k);
    }
    std::vector<std::int32_t> residual;
    if (layer.residual >= 0) residual = read(layer.residual, layer.residual_pool);
    const auto* added = layer.residual >= 0 ? &residual : nullptr;
    LayerResult result;
    if (kernel.form != KernelForm::fused) {
      result.accumulators = sums(lowered, b, check);
      result.output = finished(deployed, layer.activation, result.accumulators, added);
      return result;
    }
    emu::KernelOperands x = kernel.operands(b);
    PackedMatrix residual_matrix;
    if (added) residual_matrix = matrix_of(residual, layer.shape.out_channels);
    if (added) x.epilogue.residual = &residual_matrix;
    result.output = words_of(execute(lowered, kernel.problem_of(batch_), x, check));
    if (accumulators_) result.accumulators = sums(lowered, b, check);
    return result;
  }

  static void compare(const LayerResult& got, const LayerResult& want, LayerKernelCheck& check) {
    if (got.output.size() != want.output.size()) fail("run_kernels: a layer's kernel stored another shape");
    check.outputs = std::ssize(got.output);
    for (std::size_t i = 0; i < got.output.size(); ++i) check.differing += got.output[i] != want.output[i];
    const PackedMatrix &a = got.accumulators, &b = want.accumulators;
    check.accumulators = a.rows() * a.cols();
    for (std::int64_t r = 0; r < a.rows(); ++r)
      for (std::int64_t c = 0; c < a.cols(); ++c) check.differing += a.bits(r, c) != b.bits(r, c);
  }

  const DeployedNetwork& net_;
  const KernelNetwork& kernels_;
  const std::vector<std::int32_t>& images_;
  int batch_;
  bool accumulators_;
  KernelCheck done_;
};

}  // namespace

std::int64_t KernelCheck::compared() const {
  std::int64_t sum = 0;
  for (const LayerKernelCheck& l : layers) sum += l.outputs + l.accumulators;
  return sum;
}

std::int64_t KernelCheck::differing() const {
  std::int64_t sum = 0;
  for (const LayerKernelCheck& l : layers) sum += l.differing;
  return sum;
}

KernelCheck run_kernels(const DeployedNetwork& net, const KernelNetwork& kernels,
                        const std::vector<std::int32_t>& images, int batch, bool accumulators) {
  check_network(net);
  check_images(net, images, batch);
  if (kernels.layers.size() != net.layers.size())
    fail("run_kernels: {} lowered layers for a network of {}; lower this network", kernels.layers.size(),
         net.layers.size());
  return Runner(net, kernels, images, batch, accumulators).run();
}

}  // namespace twofour::nas
