#include "twofour/emu/matrix/gemm.h"

#include <fmt/format.h>
#include <gflags/gflags.h>

#include <unistd.h>

#include <bit>
#include <chrono>
#include <cmath>
#include <optional>
#include <random>

#include "twofour/cli/bit_flags.h"
#include "twofour/cli/commands.h"
#include "twofour/cli/flags.h"
#include "twofour/cli/gemm_print.h"
#include "twofour/cli/instruction_flags.h"
#include "twofour/emu/matrix/npy.h"
#include "twofour/emu/matrix/random.h"
#include "twofour/emu/matrix/verify.h"
#include "twofour/emu/timing/gemm_latency.h"
#include "twofour/isa/error.h"
#include "twofour/isa/evidence.h"
#include "twofour/isa/file.h"

DEFINE_string(a, "", "A as a .npy file, M x K (random if not given)");
DEFINE_string(b, "", "B as a .npy file, K x N (random if not given)");
DEFINE_string(c, "", "C as a .npy file, M x N, accumulator type (zero if not given)");
DEFINE_bool(prune, false, "prune A to its sparse form first (random operands always are)");
DEFINE_bool(pad, false, "fill M, N and K up to whole instruction tiles with zeros");
DEFINE_bool(satfinite, false, "integers: clamp to s32 instead of wrapping");
DEFINE_bool(check, true, "check the result against warp instructions (and, for integers, 64-bit sums)");

namespace twofour::cli {
namespace {

using isa::ElementType;

const isa::Instruction& instruction_by_flags() {
  return FLAGS_instruction.empty() ? instruction_by_type() : isa::find_instruction(FLAGS_instruction);
}

/// Operands as given: B as its transpose.
struct Operands {
  emu::PackedMatrix a, b;
  std::optional<emu::PackedMatrix> c;
};

std::int64_t agreed(const char* name, std::int64_t flag, std::int64_t from_file, const std::string& file) {
  if (flag != 0 && from_file >= 0 && flag != from_file)
    fail("{}: --{} is {}, but the file has {}", file, name, flag, from_file);
  const std::int64_t size = from_file >= 0 ? from_file : flag;
  if (size < 1) fail("--{} must be at least 1 (or give the operands as .npy files)", name);
  return size;
}

/// Refuses sizes whose operands, their packed copies (four times as large at most) and result the machine
/// cannot hold.
void require_memory(const isa::Instruction& i, std::int64_t m, std::int64_t n, std::int64_t k) {
  const double inputs = double(m) * double(k) + double(n) * double(k), element = isa::bits(i.a) / 2.0;
  const double bytes = inputs * element + 8.0 * double(m) * double(n);
  const double physical = double(sysconf(_SC_PHYS_PAGES)) * double(sysconf(_SC_PAGESIZE));
  if (bytes > physical)
    fail(
        "M x N x K = {} x {} x {} takes about {:.0f} GiB of memory, this machine has {:.0f}: multiply "
        "smaller parts",
        m, n, k, bytes / 0x1p30, physical / 0x1p30);
}

Operands read_operands(const isa::Instruction& i) {
  Operands x;
  std::int64_t m = -1, n = -1, k = -1;
  if (!FLAGS_a.empty()) x.a = emu::read_npy(FLAGS_a, i.a), m = x.a.rows(), k = x.a.cols();
  if (!FLAGS_b.empty()) {
    const auto b = emu::read_npy(FLAGS_b, i.b);
    if (k >= 0 && b.rows() != k)
      fail("{}: B has {} rows, but A ({}) has {} columns", FLAGS_b, b.rows(), FLAGS_a, k);
    x.b = emu::transposed(b), n = b.cols(), k = b.rows();
  }
  if (!FLAGS_c.empty()) {
    x.c = emu::read_npy(FLAGS_c, i.c);
    if ((m >= 0 && x.c->rows() != m) || (n >= 0 && x.c->cols() != n))
      fail("{}: C is {} x {}, but the result is {} x {}", FLAGS_c, x.c->rows(), x.c->cols(), m, n);
    m = x.c->rows(), n = x.c->cols();
  }
  m = agreed("m", FLAGS_m, m, FLAGS_a + FLAGS_c);
  n = agreed("n", FLAGS_n, n, FLAGS_b + FLAGS_c);
  k = agreed("k", FLAGS_k, k, FLAGS_a + FLAGS_b);
  require_memory(i, m, n, k);
  std::mt19937_64 random{std::uint64_t(FLAGS_seed)};
  if (FLAGS_a.empty()) x.a = emu::random_matrix(i.a, m, k, random);
  if (FLAGS_b.empty()) x.b = emu::random_matrix(i.b, n, k, random);
  return x;
}

void fit_tiles(const isa::Instruction& i, Operands& x) {
  const auto up = [](std::int64_t size, int tile) { return (size + tile - 1) / tile * tile; };
  const std::int64_t m = up(x.a.rows(), i.shape.m), n = up(x.b.rows(), i.shape.n),
                     k = up(x.a.cols(), i.shape.k);
  if (!FLAGS_pad && (m != x.a.rows() || n != x.b.rows() || k != x.a.cols()))
    fail(
        "M x N x K = {} x {} x {} does not divide into tiles of {} ({} x {} x {}); give multiples of these, "
        "or --pad to fill up with "
        "zeros to {} x {} x {}",
        x.a.rows(), x.b.rows(), x.a.cols(), isa::short_name(i), i.shape.m, i.shape.n, i.shape.k, m, n, k);
  x.a = emu::padded(x.a, m, k);
  x.b = emu::padded(x.b, n, k);
  if (x.c) x.c = emu::padded(*x.c, m, n);
}

emu::SparseMatrix compressed_a(const Operands& x) {
  const bool prune = FLAGS_prune || FLAGS_a.empty();
  try {
    return emu::compress(prune ? emu::prune(x.a) : x.a);
  } catch (const Error& e) {
    fail("{}: {}{}", FLAGS_a.empty() ? "A" : FLAGS_a, e.what(), prune ? "" : " (--prune does)");
  }
}

void print_text(const GemmRun& r, const isa::Machine& machine) {
  fmt::print("D[{} x {}] = A[{} x {}] B[{} x {}] by {}\n", r.m, r.n, r.m, r.k, r.k, r.n,
             isa::ptx_name(r.instruction));
  print_lines(r, machine, "peak");
}

int run(std::span<const std::string>) {
  if (const auto form = bit_form_by_flags()) return run_bit_gemm(*form);
  const auto& i = instruction_by_flags();
  emu::NumericOptions options;
  options.architecture = isa::parse_architecture(FLAGS_arch);
  if (FLAGS_strict) isa::require_measured(i, options.architecture);
  const isa::Machine machine = isa::load_machine(FLAGS_machine);
  options.satfinite = FLAGS_satfinite;
  Operands x = read_operands(i);
  fit_tiles(i, x);
  const auto* c = x.c ? &*x.c : nullptr;

  std::optional<emu::SparseMatrix> sparse;
  if (i.is_sparse()) sparse = compressed_a(x);
  const auto start = std::chrono::steady_clock::now();
  GemmRun r{i,          sparse ? emu::gemm(i, *sparse, x.b, c, options) : emu::gemm(i, x.a, x.b, c, options),
            {},         {},
            x.a.rows(), x.b.rows(),
            x.a.cols(), 0};
  r.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (FLAGS_check)
    r.verification =
        emu::verify_gemm(i, sparse ? sparse->values : x.a, sparse ? &*sparse : nullptr, x.b, c, r.d, options);
  emu::GemmProblem problem;
  problem.m = r.m, problem.n = r.n, problem.k = r.k;
  problem.type = i.a;
  problem.sparse = i.is_sparse();
  problem.output_bits = isa::bits(i.d);
  r.latency = emu::gemm_latency(problem, machine);
  if (!FLAGS_output.empty()) emu::write_npy(FLAGS_output, r.d);
  FLAGS_json ? print_document(r, machine, nlohmann::ordered_json::object()) : print_text(r, machine);
  return r.verification.differing == 0 ? exit_ok : exit_verdict;
}

}  // namespace

Command gemm_command() {
  return {
      "gemm",
      "",
      "multiply matrices as the A100 does: result, check, latency",
      "D = A B + C with the instruction of the largest k for --dtype, or with --instruction.\n"
      "--dtype w2a3 (w1a1 to w8a8) multiplies 2-bit weights A by 3-bit activations B, plane by plane, with "
      "single-bit\n"
      "mma and any K; --encoding says what the bits stand for, and A and B hold the integers.\n"
      ".npy files: int8/uint8 (also for s4, u4 and 0/1 bits), float16, float32 (rounded to f16 or bf16), "
      "uint16 words of bf16.\n"
      "Example: twofour gemm --m 256 --n 256 --k 512 --dtype s8 --sparse --output d.npy\n"
      "Exit status: 0 done, 1 the check found a difference, 2 input refused.",
      {"m",           "n",    "k",       "dtype",  "encoding", "accumulator", "sparse",    "op",
       "instruction", "a",    "b",       "c",      "prune",    "pad",         "satfinite", "seed",
       "check",       "arch", "machine", "output", "strict",   "json"},
      0,
      0,
      run};
}

}  // namespace twofour::cli
