#include <fmt/format.h>
#include <gflags/gflags.h>

#include <ctime>
#include <optional>
#include <random>

#include "twofour/cli/commands.h"
#include "twofour/cli/flags.h"
#include "twofour/cli/kernel_flags.h"
#include "twofour/cli/output.h"
#include "twofour/emu/kernel/reference_kernel.h"
#include "twofour/emu/matrix/random.h"
#include "twofour/emu/timing/sm_events.h"

namespace twofour::cli {
namespace {

using isa::ElementType;

/// Random operands of a kernel: A is pruned where it is sparse; scales are small, so that integers spread.
struct Operands {
  emu::PackedMatrix a, b, residual;
  std::optional<emu::SparseMatrix> sparse;
  std::vector<std::uint32_t> scale, bias;
  emu::KernelOperands view;

  explicit Operands(const emu::Kernel& k) {
    const emu::KernelProblem& p = k.problem;
    const isa::Instruction& i = *p.instruction;
    std::mt19937_64 random{std::uint64_t(FLAGS_seed)};
    a = emu::random_matrix(i.a, p.m, p.k, random);
    b = p.conv ? emu::random_matrix(i.b, p.conv->batch * p.conv->height * p.conv->width, p.conv->in_channels,
                                    random)
               : emu::random_matrix(i.b, p.n, p.k, random);
    if (i.is_sparse()) sparse = emu::compress(emu::prune(a));
    const bool integer = p.epilogue.output == ElementType::s32;
    const ElementType wide = integer ? ElementType::s32 : ElementType::f32;
    const std::int64_t channels = p.epilogue.channel_is_row ? p.m : p.n;
    if (p.epilogue.scale) scale = words(wide, channels, random);
    if (p.epilogue.bias) bias = words(wide, channels, random);
    if (p.epilogue.residual)
      residual =
          emu::random_matrix(isa::bits(p.epilogue.output) == 16 ? p.epilogue.output : wide,
                             p.epilogue.transposed ? p.n : p.m, p.epilogue.transposed ? p.m : p.n, random);
    view.a = sparse ? &sparse->values : &a;
    view.sparse = sparse ? &*sparse : nullptr;
    view.b_transposed = &b;
    view.epilogue = {scale, bias, p.epilogue.residual ? &residual : nullptr};
  }

 private:
  static std::vector<std::uint32_t> words(ElementType type, std::int64_t count, std::mt19937_64& random) {
    const emu::PackedMatrix m = emu::random_matrix(type, 1, count, random);
    return {m.row_as<std::uint32_t>(0), m.row_as<std::uint32_t>(0) + count};
  }
};

struct Result {
  const emu::Kernel& kernel;
  emu::KernelRun run;
  std::int64_t ctas, outputs, differing;
  double cpu_seconds;  ///< of executing the tile programs, all threads

  std::int64_t instructions() const {
    std::int64_t sum = 0;
    for (const std::int64_t n : run.instructions) sum += n;
    return sum;
  }
};

std::int64_t count_differing(const emu::PackedMatrix& x, const emu::PackedMatrix& y) {
  std::int64_t n = 0;
  for (std::int64_t r = 0; r < x.rows(); ++r)
    for (std::int64_t c = 0; c < x.cols(); ++c) n += x.bits(r, c) != y.bits(r, c);
  return n;
}

void print_text(const Result& r) {
  const emu::KernelProblem& p = r.kernel.problem;
  fmt::print("D[{} x {}] of {} = A[{} x {}] B[{} x {}] by {}\n", p.m, p.n, isa::name(p.epilogue.output), p.m,
             p.k, p.k, p.n, isa::ptx_name(*p.instruction));
  fmt::print("  schedule  {}\n", schedule_text(r.kernel));
  fmt::print("  CTAs      {} of {} warps, {} bytes of shared memory, {} registers a lane\n", r.ctas,
             r.kernel.warps(), r.kernel.shared_bytes, r.kernel.registers.count);
  fmt::print("  result    checksum {:016x}\n", emu::checksum(r.run.d));
  fmt::print("  check     {} outputs, {} differ from the whole-matrix path\n", r.outputs, r.differing);
  fmt::print("  executed  {} warp instructions in {:.2f} s of processor time\n", r.instructions(),
             r.cpu_seconds);
  for (std::size_t kind = 0; kind < emu::op_kinds; ++kind)
    if (r.run.instructions[kind] > 0)
      fmt::print("  {:>12}  {}\n", r.run.instructions[kind], emu::name(emu::OpKind(kind)));
}

void print_as_json(const Result& r) {
  const emu::KernelProblem& p = r.kernel.problem;
  nlohmann::ordered_json kinds;
  for (std::size_t kind = 0; kind < emu::op_kinds; ++kind)
    kinds[std::string(emu::name(emu::OpKind(kind)))] = r.run.instructions[kind];
  print_json("kernel run", {{"m", p.m},
                            {"n", p.n},
                            {"k", p.k},
                            {"instruction", isa::ptx_name(*p.instruction)},
                            {"stored_as", isa::name(p.epilogue.output)},
                            {"schedule", schedule_json(r.kernel)},
                            {"ctas", r.ctas},
                            {"checksum", fmt::format("{:016x}", emu::checksum(r.run.d))},
                            {"outputs", r.outputs},
                            {"differing", r.differing},
                            {"cpu_seconds", r.cpu_seconds},
                            {"instructions", kinds}});
}

int run(std::span<const std::string>) {
  const emu::Kernel kernel = kernel_from_flags();
  const Operands operands(kernel);
  const std::clock_t start = std::clock();
  emu::KernelRun executed = emu::run_kernel(kernel, operands.view);
  const double seconds = double(std::clock() - start) / CLOCKS_PER_SEC;
  const emu::PackedMatrix expected = emu::reference_kernel(kernel, operands.view);
  const std::int64_t differing = count_differing(executed.d, expected);
  const Result r{kernel,
                 std::move(executed),
                 std::ssize(emu::grid(kernel)),
                 kernel.problem.m * kernel.problem.n,
                 differing,
                 seconds};
  FLAGS_json ? print_as_json(r) : print_text(r);
  return differing == 0 ? exit_ok : exit_verdict;
}

}  // namespace

Command kernel_run_command() {
  std::vector<std::string_view> flags = kernel_flags();
  flags.insert(flags.end(), {"seed", "json"});
  return {
      "kernel run",
      "",
      "execute a scheduled GEMM kernel warp instruction by warp instruction, and check it",
      "D = epilogue(A B) of random operands, or a convolution (--conv N,H,W,C,K,R,S,stride,pad; its weights\n"
      "are A), by the tile programs of all CTAs: cp.async into swizzled shared\n"
      "memory, ldmatrix, mma, epilogue. Compared with the whole-matrix path, every output.\n"
      "Example: twofour kernel run --m 512 --n 256 --k 1024 --dtype s8 --sparse --cta-tile 128x128x128\n"
      "         --stages 3 --warp-grid 2x2 --epilogue scale,bias,relu --store s8\n"
      "Exit status: 0 done, 1 outputs differ, 2 the schedule or the problem was refused.",
      flags,
      0,
      0,
      run};
}

}  // namespace twofour::cli
