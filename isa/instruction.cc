#include "twofour/isa/instruction.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include "twofour/isa/error.h"

namespace twofour::isa {
namespace {

using enum ElementType;

/// The rows of one family: every A x B type of one width, at one shape.
struct Family {
  Shape shape;
  ElementType a, b, accumulator;
  Sparsity sparsity;
  BitOp op;
};

constexpr Family dense(Shape s, ElementType a, ElementType b, ElementType acc, BitOp op = BitOp::none) {
  return {s, a, b, acc, Sparsity::dense, op};
}
constexpr Family sparse(Shape s, ElementType a, ElementType b, ElementType acc) {
  return {s, a, b, acc, sparse_form(a), BitOp::none};
}

// Source of the rows: PTX ISA 9.1, section 9.7.14 (warp-level matrix instructions), the sm_80 set.
constexpr std::array families{
    dense({8, 8, 4}, f64, f64, f64),
    dense({16, 8, 8}, f16, f16, f16),
    dense({16, 8, 8}, f16, f16, f32),
    dense({16, 8, 16}, f16, f16, f16),
    dense({16, 8, 16}, f16, f16, f32),
    dense({16, 8, 8}, bf16, bf16, f32),
    dense({16, 8, 16}, bf16, bf16, f32),
    dense({16, 8, 4}, tf32, tf32, f32),
    dense({16, 8, 8}, tf32, tf32, f32),
    dense({8, 8, 16}, s8, s8, s32),
    dense({8, 8, 16}, s8, u8, s32),
    dense({8, 8, 16}, u8, s8, s32),
    dense({8, 8, 16}, u8, u8, s32),
    dense({16, 8, 16}, s8, s8, s32),
    dense({16, 8, 16}, s8, u8, s32),
    dense({16, 8, 16}, u8, s8, s32),
    dense({16, 8, 16}, u8, u8, s32),
    dense({16, 8, 32}, s8, s8, s32),
    dense({16, 8, 32}, s8, u8, s32),
    dense({16, 8, 32}, u8, s8, s32),
    dense({16, 8, 32}, u8, u8, s32),
    dense({8, 8, 32}, s4, s4, s32),
    dense({8, 8, 32}, s4, u4, s32),
    dense({8, 8, 32}, u4, s4, s32),
    dense({8, 8, 32}, u4, u4, s32),
    dense({16, 8, 32}, s4, s4, s32),
    dense({16, 8, 32}, s4, u4, s32),
    dense({16, 8, 32}, u4, s4, s32),
    dense({16, 8, 32}, u4, u4, s32),
    dense({16, 8, 64}, s4, s4, s32),
    dense({16, 8, 64}, s4, u4, s32),
    dense({16, 8, 64}, u4, s4, s32),
    dense({16, 8, 64}, u4, u4, s32),
    dense({8, 8, 128}, b1, b1, s32, BitOp::and_popc),
    dense({8, 8, 128}, b1, b1, s32, BitOp::xor_popc),
    dense({16, 8, 128}, b1, b1, s32, BitOp::and_popc),
    dense({16, 8, 128}, b1, b1, s32, BitOp::xor_popc),
    dense({16, 8, 256}, b1, b1, s32, BitOp::and_popc),
    dense({16, 8, 256}, b1, b1, s32, BitOp::xor_popc),
    sparse({16, 8, 16}, f16, f16, f16),
    sparse({16, 8, 16}, f16, f16, f32),
    sparse({16, 8, 32}, f16, f16, f16),
    sparse({16, 8, 32}, f16, f16, f32),
    sparse({16, 8, 16}, bf16, bf16, f32),
    sparse({16, 8, 32}, bf16, bf16, f32),
    sparse({16, 8, 8}, tf32, tf32, f32),
    sparse({16, 8, 16}, tf32, tf32, f32),
    sparse({16, 8, 32}, s8, s8, s32),
    sparse({16, 8, 32}, s8, u8, s32),
    sparse({16, 8, 32}, u8, s8, s32),
    sparse({16, 8, 32}, u8, u8, s32),
    sparse({16, 8, 64}, s8, s8, s32),
    sparse({16, 8, 64}, s8, u8, s32),
    sparse({16, 8, 64}, u8, s8, s32),
    sparse({16, 8, 64}, u8, u8, s32),
    sparse({16, 8, 64}, s4, s4, s32),
    sparse({16, 8, 64}, s4, u4, s32),
    sparse({16, 8, 64}, u4, s4, s32),
    sparse({16, 8, 64}, u4, u4, s32),
    sparse({16, 8, 128}, s4, s4, s32),
    sparse({16, 8, 128}, s4, u4, s32),
    sparse({16, 8, 128}, u4, s4, s32),
    sparse({16, 8, 128}, u4, u4, s32),
};

constexpr auto make_table() {
  std::array<Instruction, families.size()> rows{};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Family& f = families[i];
    rows[i] = {f.shape, f.a, f.b, f.accumulator, f.accumulator, f.sparsity, f.op};
  }
  return rows;
}
constexpr auto table = make_table();

constexpr bool rows_unique() {
  for (std::size_t i = 0; i < table.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (table[i] == table[j]) return false;
  return true;
}
constexpr bool registers_whole() {
  return std::all_of(table.begin(), table.end(), [](const Instruction& i) {
    return i.shape.m * i.stored_k() * bits(i.a) % 1024 == 0 &&
           i.shape.n * i.shape.k * bits(i.b) % 1024 == 0 && i.shape.m * i.shape.n * bits(i.c) % 1024 == 0;
  });
}
static_assert(rows_unique(), "two rows of the instruction table are the same instruction");
static_assert(registers_whole(), "an operand does not fill whole 32-bit registers");

std::string_view op_suffix(BitOp op) {
  switch (op) {
    case BitOp::none: return "";
    case BitOp::and_popc: return ".and";
    case BitOp::xor_popc: return ".xor";
  }
  return "";
}

std::string shape_text(const Shape& s) {
  return fmt::format("m{}n{}k{}", s.m, s.n, s.k);
}
std::string types_text(const Instruction& i) {
  return fmt::format("{}.{}.{}.{}", name(i.d), name(i.a), name(i.b), name(i.c));
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::toupper(c); });
  return out;
}

/// Rows whose short name shares the shape, or else the element types, of a name that was not found.
std::string close_names(std::string_view wanted) {
  std::string near;
  int count = 0;
  for (const auto& row : instructions()) {
    if (wanted.find(shape_text(row.shape) + ".") == std::string_view::npos || ++count > 8) continue;
    near += fmt::format("\n  {}", short_name(row));
  }
  return near.empty() ? "" : "; of that shape there are" + near;
}

}  // namespace

std::string_view name(Fidelity f) {
  switch (f) {
    case Fidelity::hardware: return "hardware";
    case Fidelity::defined: return "defined";
    case Fidelity::inferred: return "inferred";
  }
  return "";
}

std::span<const Instruction> instructions() {
  return table;
}

std::string ptx_name(const Instruction& i) {
  return fmt::format("mma{}.sync.aligned.{}.row.col.{}{}{}", i.is_sparse() ? ".sp" : "", shape_text(i.shape),
                     types_text(i), op_suffix(i.op), i.op == BitOp::none ? "" : ".popc");
}

std::string short_name(const Instruction& i) {
  return fmt::format("{}{}.{}{}", i.is_sparse() ? "sp." : "", shape_text(i.shape), types_text(i),
                     op_suffix(i.op));
}

// Source: machine code that ptxas 13.0.88 emits for sm_80.
std::string sass_name(const Instruction& i) {
  const auto digits = fmt::format("{}{}{}", i.shape.m, i.shape.n, i.shape.k);
  const std::string_view sp = i.is_sparse() ? ".SP" : "";
  if (i.a == f64) return fmt::format("DMMA.{}", digits);
  if (i.a == b1) return fmt::format("BMMA.{}{}.POPC", digits, upper(op_suffix(i.op)));
  if (!is_float(i.a)) return fmt::format("IMMA{}.{}.{}.{}", sp, digits, upper(name(i.a)), upper(name(i.b)));
  const std::string input = i.a == f16 ? "" : upper(name(i.a));
  return fmt::format("HMMA{}.{}.{}{}{}", sp, digits, upper(name(i.d)), input.empty() ? "" : ".", input);
}

const Instruction& find_instruction(std::string_view wanted) {
  for (const auto& row : table)
    if (wanted == short_name(row) || wanted == ptx_name(row)) return row;
  fail("unknown instruction '{}'{}; `twofour isa` lists every one", wanted, close_names(wanted));
}

Evidence evidence(const Instruction& i) {
  if (i.a == f64) return {Fidelity::defined, "PTX ISA: IEEE fused multiply-add chain, k ascending"};
  if (!is_float(i.a)) return {Fidelity::defined, "PTX ISA: exact products, 32-bit wrap-around sum"};
  if (i.is_sparse())
    return {Fidelity::inferred, "dense rule on the compressed operand; no Ampere mma.sp words are published"};
  return {Fidelity::hardware, "A100 and A2 words of Khattak and Mikaitis, and directed Ampere vectors"};
}

namespace {

/// Throughput of a type relative to f16 (256 FMA per cycle and sub-core). Source: NVIDIA A100 whitepaper.
double rate_factor(ElementType a) {
  switch (a) {
    case f64: return 1.0 / 16;
    case tf32: return 0.5;
    case u8:
    case s8: return 2;
    case u4:
    case s4: return 4;
    case b1: return 16;
    default: return 1;
  }
}

}  // namespace

// Source: Sun et al., TPDS 2023, tables 3 and 6 (A100): completion latency and saturated throughput of the
// large-k and small-k shapes. m8n8k16 reaches half of its peak. Rows that the paper lacks take the rule of
// their class.
IssueTiming issue_timing(const Instruction& i) {
  const double factor = rate_factor(i.a) * (i.is_sparse() ? 2 : 1);
  double interval = i.fma() / (256 * factor);
  const bool narrow = bits(i.a) <= 4;
  const bool small_m_8bit = i.shape.m == 8 && bits(i.a) == 8;
  if (small_m_8bit) interval *= 2;
  double stretch = narrow ? 1.12 : 1.03;
  const bool small_k_sparse = i.is_sparse() && interval <= 4;
  if (small_k_sparse) stretch = 6.25 / 4;
  const double latency = 10.7 + 1.75 * interval + (narrow && interval >= 8 ? 1.4 : 0);
  const bool in_paper = i.a != f64 && i.shape.m == 16 && i.a != bf16 && !(narrow && i.is_sparse()) &&
                        (interval >= 8 || i.a == f16 || small_k_sparse);
  return {interval, interval * stretch, latency, in_paper};
}

}  // namespace twofour::isa
