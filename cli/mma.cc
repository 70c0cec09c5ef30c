#include <fmt/format.h>
#include <gflags/gflags.h>

#include <bit>
#include <random>

#include "twofour/cli/commands.h"
#include "twofour/cli/flags.h"
#include "twofour/cli/output.h"
#include "twofour/emu/matrix/metadata_layout.h"
#include "twofour/emu/matrix/npy.h"
#include "twofour/emu/matrix/random.h"
#include "twofour/emu/matrix/sparse_matrix.h"
#include "twofour/emu/matrix/warp_gemm.h"
#include "twofour/emu/numerics/half.h"
#include "twofour/isa/error.h"
#include "twofour/isa/evidence.h"
#include "twofour/isa/metadata_check.h"

DECLARE_string(a);
DECLARE_string(b);
DECLARE_string(c);
DECLARE_string(metadata);
DECLARE_int64(selector);
DEFINE_bool(registers, false, "files hold registers: uint32, one row of 32 lanes a register");

namespace twofour::cli {
namespace {

using emu::PackedMatrix;
using isa::Instruction;
using isa::Operand;

std::string_view file_of(Operand o) {
  static const std::string* const files[] = {&FLAGS_a, &FLAGS_b, &FLAGS_c};
  return *files[static_cast<std::size_t>(o)];
}

emu::Fragment read_registers(const Instruction& i, Operand o, const std::string& file) {
  const auto array = emu::read_npy_integers(file);
  const int count = isa::registers(i, o);
  if (array.dtype != "<u4" || array.rows != count || array.cols != emu::warp_lanes)
    fail("{}: {} x {} of '{}', but operand {} of {} takes {} x 32 of '<u4'", file, array.rows, array.cols,
         array.dtype, isa::name(o), isa::short_name(i), count);
  emu::Fragment f;
  for (int r = 0; r < count; ++r)
    for (int lane = 0; lane < emu::warp_lanes; ++lane)
      f.word[std::size_t(r)][std::size_t(lane)] = array.words[std::size_t(r * emu::warp_lanes + lane)];
  return f;
}

void check_tile(const Instruction& i, Operand o, const std::string& file, const PackedMatrix& m) {
  const isa::Shape size = isa::tile(i, o);
  if (m.rows() == size.m && m.cols() == size.n) return;
  const std::string dense =
      o == Operand::a && i.is_sparse()
          ? fmt::format(" (the kept half; or {} x {} without --metadata)", size.m, i.shape.k)
          : "";
  fail("{}: {} x {}, but operand {} of {} is {} x {}{}", file, m.rows(), m.cols(), isa::name(o),
       isa::short_name(i), size.m, size.n, dense);
}

/// The tile as the instruction holds it: B as its transpose.
emu::Fragment fragment_of(const Instruction& i, Operand o, const PackedMatrix& m) {
  return emu::load_fragment(i, o, o == Operand::b ? emu::transposed(m) : m, 0, 0);
}

/// A sparse instruction's A and metadata from a dense tile.
void compress_into(const Instruction& i, const PackedMatrix& dense, emu::MmaOperands& x) {
  const auto sparse = emu::compress(dense);
  x.a = fragment_of(i, Operand::a, sparse.values);
  x.metadata = emu::metadata_registers(sparse, i, 0, 0, x.selector);
}

emu::Fragment read_operand(const Instruction& i, Operand o, std::mt19937_64& random) {
  const std::string file(file_of(o));
  if (FLAGS_registers && !file.empty()) return read_registers(i, o, file);
  const isa::Shape size = isa::tile(i, o);
  const isa::ElementType type = isa::element(i, o);
  if (file.empty() && o == Operand::c) return {};
  const PackedMatrix m =
      file.empty() ? emu::random_matrix(type, size.m, size.n, random) : emu::read_npy(file, type);
  check_tile(i, o, file, m);
  return fragment_of(i, o, m);
}

/// A and its metadata. Without --metadata, A is dense (random if not given) and obeys the sparse form.
void read_sparse_a(const Instruction& i, emu::MmaOperands& x, std::mt19937_64& random) {
  if (FLAGS_metadata.empty()) {
    if (FLAGS_registers) fail("--registers: {} also needs --metadata", isa::short_name(i));
    if (FLAGS_a.empty()) {
      compress_into(i, emu::prune(emu::random_matrix(i.a, i.shape.m, i.shape.k, random)), x);
      return;
    }
    const PackedMatrix dense = emu::read_npy(FLAGS_a, i.a);
    if (dense.rows() != i.shape.m || dense.cols() != i.shape.k)
      fail("{}: {} x {}, but a dense A of {} is {} x {} (or give --metadata with the kept half, {} x {})",
           FLAGS_a, dense.rows(), dense.cols(), isa::short_name(i), i.shape.m, i.shape.k, i.shape.m,
           i.stored_k());
    compress_into(i, dense, x);
    return;
  }
  x.a = read_operand(i, Operand::a, random);
  const auto array = emu::read_npy_integers(FLAGS_metadata);
  const bool registers = array.dtype == "<u4" && array.cols == emu::warp_lanes;
  const auto layout = registers ? emu::MetadataLayout::ptx : emu::MetadataLayout::logical;
  if (registers && array.rows == 1) {
    std::copy(array.words.begin(), array.words.end(), x.metadata.begin());
    return;
  }
  if (registers || array.rows != i.shape.m || array.cols != i.groups())
    fail(
        "{}: {} x {} of '{}', but {} takes the registers of 32 lanes (1 x 32 of '<u4') or codes ({} x {} of "
        "'|u1')",
        FLAGS_metadata, array.rows, array.cols, array.dtype, isa::short_name(i), i.shape.m, i.groups());
  const auto codes = emu::decode_metadata(array, {layout, i, x.selector}, i.shape.m, i.groups());
  const auto words = emu::encode_metadata(codes, {emu::MetadataLayout::ptx, i, x.selector}).words;
  std::copy(words.begin(), words.end(), x.metadata.begin());
}

/// Codes that the spelling leaves undefined or does not allow, in words.
std::vector<std::string> metadata_findings(const Instruction& i, const emu::MmaOperands& x) {
  std::vector<std::string> findings;
  if (!i.is_sparse()) return findings;
  for (const auto& f : isa::check_metadata(i, x.metadata, x.selector))
    if (isa::is_undefined(f.kind) || i.family == isa::Family::mma_sp_ordered)
      findings.push_back(isa::describe(i, f));
  return findings;
}

std::string value_text(isa::ElementType type, const PackedMatrix& m, std::int64_t r, std::int64_t c) {
  switch (type) {
    case isa::ElementType::f16: return fmt::format("{:g}", emu::half_to_float(std::uint32_t(m.bits(r, c))));
    case isa::ElementType::f32: return fmt::format("{:g}", std::bit_cast<float>(std::uint32_t(m.bits(r, c))));
    case isa::ElementType::f64: return fmt::format("{:g}", std::bit_cast<double>(m.bits(r, c)));
    default: return fmt::format("{}", m.integer(r, c));
  }
}

void print_text(const Instruction& i, const PackedMatrix& d, const isa::Evidence& evidence,
                const std::vector<std::string>& findings) {
  fmt::print("{}\n", isa::ptx_name(i));
  for (std::int64_t r = 0; r < d.rows(); ++r) {
    for (std::int64_t c = 0; c < d.cols(); ++c) fmt::print(" {:>12}", value_text(i.d, d, r, c));
    fmt::print("\n");
  }
  for (const auto& f : findings) fmt::print("  metadata  {}\n", f);
  fmt::print("  fidelity  {}: {}\n", isa::name(evidence.fidelity), evidence.source);
}

void print_as_json(const Instruction& i, const PackedMatrix& d, const isa::Evidence& evidence,
                   const std::vector<std::string>& findings) {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (std::int64_t r = 0; r < d.rows(); ++r) {
    nlohmann::ordered_json row = nlohmann::ordered_json::array();
    for (std::int64_t c = 0; c < d.cols(); ++c)
      row.push_back(fmt::format("{:0{}x}", d.bits(r, c), isa::bits(i.d) / 4));
    rows.push_back(row);
  }
  print_json("mma", {{"instruction", isa::ptx_name(i)},
                     {"architecture", FLAGS_arch},
                     {"type", isa::name(i.d)},
                     {"d", rows},
                     {"metadata_findings", findings},
                     {"fidelity", isa::name(evidence.fidelity)},
                     {"evidence", evidence.source},
                     {"output", FLAGS_output}});
}

void write_result(const Instruction& i, const emu::Fragment& f, const PackedMatrix& d) {
  if (FLAGS_output.empty()) return;
  if (!FLAGS_registers) {
    emu::write_npy(FLAGS_output, d);
    return;
  }
  std::vector<std::uint32_t> words;
  const int count = isa::registers(i, Operand::d);
  for (int r = 0; r < count; ++r)
    words.insert(words.end(), f.word[std::size_t(r)].begin(), f.word[std::size_t(r)].end());
  emu::write_npy(FLAGS_output, words, count, emu::warp_lanes);
}

int run(std::span<const std::string> names) {
  const isa::Spelling spelling = isa::parse_spelling(names[0]);
  const Instruction& i = *spelling.instruction;
  if (!i.multiplies()) fail("{} moves data: it has no result to compute", isa::ptx_name(i));
  emu::NumericOptions options;
  options.architecture = isa::parse_architecture(FLAGS_arch);
  options.satfinite = spelling.satfinite;
  options.rounding = spelling.rounding;
  const isa::Evidence evidence = isa::evidence(i, options.architecture);
  if (FLAGS_strict) isa::require_measured(i, options.architecture);
  if (!i.is_sparse() && !FLAGS_metadata.empty())
    fail("{} is dense: it reads no --metadata", isa::short_name(i));
  if (FLAGS_selector < 0 || FLAGS_selector >= std::max(1, i.selectors()))
    fail("--selector {} is out of range: {} takes 0 to {}", FLAGS_selector, isa::short_name(i),
         std::max(0, i.selectors() - 1));

  std::mt19937_64 random{std::uint64_t(FLAGS_seed)};
  emu::MmaOperands x;
  x.selector = int(FLAGS_selector);
  if (i.is_sparse())
    read_sparse_a(i, x, random);
  else
    x.a = read_operand(i, Operand::a, random);
  x.b = read_operand(i, Operand::b, random);
  x.c = read_operand(i, Operand::c, random);
  const auto findings = metadata_findings(i, x);
  if (FLAGS_strict && !findings.empty())
    fail("--strict: {} invalid codes in the metadata; the first: {}", findings.size(), findings[0]);

  const emu::Fragment f = emu::execute(i, x, options);
  const isa::Shape size = isa::tile(i, Operand::d);
  PackedMatrix d(i.d, size.m, size.n);
  emu::store_fragment(i, f, d, 0, 0);
  write_result(i, f, d);
  FLAGS_json ? print_as_json(i, d, evidence, findings) : print_text(i, d, evidence, findings);
  return exit_ok;
}

}  // namespace

Command mma_command() {
  return {
      "mma",
      "'PTX NAME'",
      "execute one matrix instruction on the registers of a warp",
      "The name as PTX spells it, with .satfinite, .rn, .rz, .rm or .rp, or the short name.\n"
      "Files are .npy matrices of one tile: A m x k, B k x n, C m x n (zero if not given; A and B random).\n"
      "A sparse instruction takes A dense (it is compressed), or its kept half with --metadata: the `e`\n"
      "registers of 32 lanes (uint32, 1 x 32) or codes (uint8, m x groups). Each index of a code selects on\n"
      "its own; codes that the ISA does not allow are named, and refused by --strict.\n"
      "Example: twofour mma 'mma.sp.sync.aligned.m16n8k64.row.col.s32.s8.s8.s32' -a a.npy -b b.npy -c c.npy "
      "--metadata e.npy --selector 0",
      {"a", "b", "c", "metadata", "selector", "registers", "arch", "seed", "strict", "output", "json"},
      1,
      1,
      run};
}

}  // namespace twofour::cli
