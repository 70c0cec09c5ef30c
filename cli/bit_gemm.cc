// `twofour gemm --dtype w2a3`: integers of a few bits by single-bit MMAs.
#include <fmt/format.h>
#include <gflags/gflags.h>

#include <unistd.h>

#include <chrono>
#include <random>

#include "twofour/cli/bit_flags.h"
#include "twofour/cli/command.h"
#include "twofour/cli/flags.h"
#include "twofour/cli/gemm_print.h"
#include "twofour/emu/arbitrary/arbitrary_gemm.h"
#include "twofour/emu/matrix/npy.h"
#include "twofour/emu/matrix/random.h"
#include "twofour/emu/timing/arbitrary_latency.h"
#include "twofour/isa/error.h"

DECLARE_string(a);
DECLARE_string(b);
DECLARE_bool(check);

namespace twofour::cli {
namespace {

isa::ElementType stored_type(const emu::ValueRange& range) {
  return range.high > 127 ? isa::ElementType::u8 : isa::ElementType::s8;
}

emu::PackedMatrix random_values(const emu::ValueRange& range, std::int64_t rows, std::int64_t cols,
                                std::mt19937_64& random) {
  emu::PackedMatrix m(stored_type(range), rows, cols);
  const auto count = static_cast<std::uint64_t>(range.bipolar ? 2 : range.high - range.low + 1);
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < cols; ++c) {
      const auto drawn = static_cast<std::int64_t>(random() % count);
      m.set_integer(r, c, range.low + (range.bipolar ? 2 * drawn : drawn));
    }
  return m;
}

std::int64_t size_of(const char* name, std::int64_t flag, std::int64_t from_file) {
  if (flag != 0 && from_file >= 0 && flag != from_file)
    fail("--{} is {}, but the operand's file has {}", name, flag, from_file);
  const std::int64_t size = from_file >= 0 ? from_file : flag;
  if (size < 1) fail("--{} must be at least 1 (or give the operands as .npy files)", name);
  return size;
}

/// Operands, planes, D, and what the check reads.
void require_memory(double m, double n, double k) {
  const double bytes = 6 * (m + n) * k + 4 * m * n;
  const double physical = double(sysconf(_SC_PHYS_PAGES)) * double(sysconf(_SC_PAGESIZE));
  if (bytes > physical)
    fail(
        "M x N x K = {} x {} x {} takes about {:.0f} GiB of memory, this machine has {:.0f}: multiply "
        "smaller parts",
        m, n, k, bytes / 0x1p30, physical / 0x1p30);
}

emu::PackedMatrix read_values(const std::string& file, const emu::ValueRange& range) {
  emu::PackedMatrix m = emu::read_npy(file, stored_type(range));
  try {
    emu::check_values(m, range);
  } catch (const Error& e) {
    fail("{}: {}", file, e.what());
  }
  return m;
}

/// W, M x K, and X as its transpose, N x K.
struct Operands {
  emu::PackedMatrix w, x;
};

Operands operands(const emu::BitForm& form) {
  const auto of_w = emu::weight_range(form), of_x = emu::activation_range(form);
  Operands o;
  std::int64_t m = -1, n = -1, k = -1;
  if (!FLAGS_a.empty()) o.w = read_values(FLAGS_a, of_w), m = o.w.rows(), k = o.w.cols();
  if (!FLAGS_b.empty()) {
    o.x = emu::transposed(read_values(FLAGS_b, of_x));
    if (k >= 0 && o.x.cols() != k)
      fail("{}: B has {} rows, but A ({}) has {} columns", FLAGS_b, o.x.cols(), FLAGS_a, k);
    n = o.x.rows(), k = o.x.cols();
  }
  m = size_of("m", FLAGS_m, m), n = size_of("n", FLAGS_n, n), k = size_of("k", FLAGS_k, k);
  require_memory(double(m), double(n), double(k));
  std::mt19937_64 random{std::uint64_t(FLAGS_seed)};
  if (FLAGS_a.empty()) o.w = random_values(of_w, m, k, random);
  if (FLAGS_b.empty()) o.x = random_values(of_x, n, k, random);
  return o;
}

void print_text(const GemmRun& r, const emu::BitForm& form, const isa::Machine& machine) {
  fmt::print("D[{} x {}] = A[{} x {}] B[{} x {}], {}, weights {}, activations {}\n", r.m, r.n, r.m, r.k, r.k,
             r.n, FLAGS_dtype, text(emu::weight_range(form)), text(emu::activation_range(form)));
  fmt::print("  planes    {} x {}, a single-bit GEMM of {} x {} x {} by {}\n", form.weight_bits,
             form.activation_bits, form.weight_bits * r.m, form.activation_bits * r.n, r.k,
             isa::ptx_name(r.instruction));
  print_lines(r, machine, "the single-bit peak");
}

}  // namespace

int run_bit_gemm(const emu::BitForm& form) {
  refuse_with_bit_form("gemm",
                       {"sparse", "c", "prune", "pad", "satfinite", "accumulator", "op", "instruction"});
  emu::NumericOptions options;
  options.architecture = isa::parse_architecture(FLAGS_arch);
  const auto& instruction = emu::bit_instruction(form.encoding, options.architecture);
  const isa::Machine machine = isa::load_machine(FLAGS_machine);
  const Operands o = operands(form);
  const auto start = std::chrono::steady_clock::now();
  const auto w = emu::weight_planes(form, o.w), x = emu::activation_planes(form, o.x);
  GemmRun r{
      instruction, emu::arbitrary_gemm(form, w, x, instruction, options), {}, {}, w.rows, x.rows, w.k, 0};
  r.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (FLAGS_check) r.verification = emu::verify_arbitrary(form, o.w, o.x, r.d);
  r.latency =
      emu::arbitrary_gemm_latency({.m = r.m, .n = r.n, .k = r.k},
                                  {form.weight_bits, form.activation_bits, isa::bits(r.d.type())}, machine);
  if (!FLAGS_output.empty()) emu::write_npy(FLAGS_output, r.d);
  if (FLAGS_json)
    print_document(r, machine, {{"dtype", FLAGS_dtype}, {"encoding", name(form.encoding)}});
  else
    print_text(r, form, machine);
  return r.verification.differing == 0 ? exit_ok : exit_verdict;
}

}  // namespace twofour::cli
