// How PTX and SASS spell a row, and back.
#include <algorithm>
#include <cctype>
#include <functional>
#include <map>
#include <vector>

#include "twofour/isa/error.h"
#include "twofour/isa/instruction.h"
#include "twofour/isa/lowering.h"

namespace twofour::isa {
namespace {

using enum ElementType;

std::string shape_text(const Shape& s) {
  return fmt::format("m{}n{}k{}", s.m, s.n, s.k);
}
std::string_view major_text(Major m) {
  return m == Major::row ? "row" : "col";
}
std::string orders_text(const Instruction& i) {
  return fmt::format("{}.{}", major_text(i.a_major), major_text(i.b_major));
}
std::string types_text(const Instruction& i) {
  if (i.family == Family::wmma_mma && i.a == f16) return fmt::format("{}.{}", name(i.d), name(i.c));
  return fmt::format("{}.{}.{}.{}", name(i.d), name(i.a), name(i.b), name(i.c));
}
std::string_view op_text(BitOp op) {
  switch (op) {
    case BitOp::none: return "";
    case BitOp::and_popc: return ".and";
    case BitOp::xor_popc: return ".xor";
  }
  return "";
}

std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::toupper(c); });
  return out;
}

/// What stands between the family and the operands; `aligned` is ".sync.aligned" or nothing.
std::string spelled(const Instruction& i, std::string_view aligned) {
  switch (i.family) {
    case Family::wmma_load:
    case Family::wmma_store:
      return fmt::format("{}.{}{}.{}.{}.{}", name(i.family), name(i.moved), aligned, major_text(i.a_major),
                         shape_text(i.shape), name(i.a));
    case Family::wmma_mma:
      return fmt::format("wmma.mma{}{}{}.{}.{}.{}", op_text(i.op), i.op == BitOp::none ? "" : ".popc",
                         aligned, orders_text(i), shape_text(i.shape), types_text(i));
    case Family::ldmatrix:
      return fmt::format("ldmatrix{}.m8n8.x{}{}.shared.b16", aligned, i.movement.matrices,
                         i.movement.transposed ? ".trans" : "");
    case Family::movmatrix: return fmt::format("movmatrix{}.m8n8.trans.b16", aligned);
    default: return fmt::format("cp.async.{}", i.movement.copy);
  }
}

std::string tensor_core_sass(const Instruction& i) {
  const auto digits = fmt::format("{}{}{}", i.shape.m, i.shape.n, i.shape.k);
  const std::string_view sp = i.is_sparse() ? ".SP" : "";
  if (i.a == f64) return fmt::format("DMMA.{}", digits);
  if (i.a == b1) return fmt::format("BMMA.{}{}.POPC", digits, upper(op_text(i.op)));
  if (!is_float(i.a)) return fmt::format("IMMA{}.{}.{}.{}", sp, digits, upper(name(i.a)), upper(name(i.b)));
  const std::string input = i.a == f16 ? "" : upper(name(i.a));
  return fmt::format("HMMA{}.{}.{}{}{}", sp, digits, upper(name(i.d)), input.empty() ? "" : ".", input);
}

std::string copy_sass(std::string_view copy) {
  if (copy == "commit_group") return "LDGDEPBAR";
  if (copy == "wait_group N") return "DEPBAR.LE";
  if (copy == "wait_all") return "LDGDEPBAR; DEPBAR.LE";
  if (copy.starts_with("mbarrier")) return "ARRIVES.LDGSTSBAR.64";
  if (copy.ends_with(" 4")) return "LDGSTS.E";
  if (copy.ends_with(" 8")) return "LDGSTS.E.64";
  return copy.starts_with("cg") ? "LDGSTS.E.BYPASS.128" : "LDGSTS.E.128";
}

/// Short names that share the shape of a name that was not found; all families' first rows if none does.
std::string close_names(std::string_view wanted) {
  static const auto rows = [] {
    std::vector<std::pair<std::string, std::string>> shaped;  // shape, name
    for (const auto& row : instructions())
      if (row.family != Family::cp_async && row.shape.k != 0)
        shaped.emplace_back(shape_text(row.shape) + ".", short_name(row));
    return shaped;
  }();
  std::string near;
  int count = 0;
  for (const auto& [shape, name] : rows)
    if (wanted.find(shape) != std::string_view::npos && ++count <= 8) near += fmt::format("\n  {}", name);
  return near.empty() ? "" : "; of that shape there are" + near;
}

}  // namespace

std::string ptx_name(const Instruction& i) {
  if (!i.is_mma()) return spelled(i, ".sync.aligned");
  return fmt::format("{}.sync.aligned.{}.{}.{}{}{}", name(i.family), shape_text(i.shape), orders_text(i),
                     types_text(i), op_text(i.op), i.op == BitOp::none ? "" : ".popc");
}

std::string short_name(const Instruction& i) {
  if (!i.is_mma()) return spelled(i, "");
  const bool usual = i.a_major == Major::row && i.b_major == Major::col;
  const std::string_view sparse = i.family == Family::mma_sp           ? "sp."
                                  : i.family == Family::mma_sp_ordered ? "sp::ordered_metadata."
                                                                       : "";
  return fmt::format("{}{}{}{}.{}{}", sparse, shape_text(i.shape), usual ? "" : ".",
                     usual ? "" : orders_text(i), types_text(i), op_text(i.op));
}

// Source: machine code that ptxas 13.0.88 emits for sm_80, which has no fp8.
std::string sass_name(const Instruction& i) {
  const std::string trans = i.movement.transposed ? "T" : "";
  switch (i.family) {
    case Family::wmma_load:
    case Family::wmma_store: return "";
    case Family::ldmatrix:
      return fmt::format("LDSM.16.M{}88{}", trans,
                         i.movement.matrices == 1 ? "" : fmt::format(".{}", i.movement.matrices));
    case Family::movmatrix: return "MOVM.16.MT88";
    case Family::cp_async: return copy_sass(i.movement.copy);
    case Family::wmma_mma: {
      const Lowering low = lowering(i);
      const int count = low.blocks * low.k_steps;
      return fmt::format("{}{}", count == 1 ? "" : fmt::format("{}x ", count), tensor_core_sass(low.step));
    }
    default: break;
  }
  if (i.a == e4m3 || i.a == e5m2) return "";
  return i.is_quad_pair() ? "FP32 routine (FFMA, FADD)" : tensor_core_sass(i);
}

namespace {

/// Rows by short and PTX name. Made once: a kernel has thousands of matrix instructions.
const std::map<std::string, const Instruction*, std::less<>>& rows_by_name() {
  static const auto rows = [] {
    std::map<std::string, const Instruction*, std::less<>> made;
    for (const auto& row : instructions()) {
      made.emplace(short_name(row), &row);
      made.emplace(ptx_name(row), &row);
    }
    return made;
  }();
  return rows;
}

}  // namespace

const Instruction& find_instruction(std::string_view wanted) {
  const auto at = rows_by_name().find(wanted);
  if (at != rows_by_name().end()) return *at->second;
  fail("unknown instruction '{}'{}; `twofour isa list` lists every one", wanted, close_names(wanted));
}

namespace {

/// Removes ".qualifier" from the name where it stands as a whole part; true if it was there.
bool take_qualifier(std::string& name, const std::string& qualifier) {
  const std::size_t at = name.find(qualifier);
  if (at == std::string::npos) return false;
  const std::size_t end = at + qualifier.size();
  if (end != name.size() && name[end] != '.') return false;
  name.erase(at, qualifier.size());
  return true;
}

}  // namespace

Spelling parse_spelling(std::string_view text) {
  std::string name(text);
  if (!name.starts_with("cp.async")) name = name.substr(0, name.find_first_of(" \t\n{"));
  Spelling spelling{};
  spelling.satfinite = take_qualifier(name, ".satfinite");
  bool rounds = false;
  for (const auto& [qualifier, rounding] :
       {std::pair{".rn", Rounding::nearest_even}, std::pair{".rz", Rounding::toward_zero},
        std::pair{".rm", Rounding::downward}, std::pair{".rp", Rounding::upward}})
    if (take_qualifier(name, qualifier)) {
      if (rounds) fail("'{}' names two rounding modes", text);
      rounds = true;
      spelling.rounding = rounding;
    }
  spelling.instruction = &find_instruction(name);
  if (spelling.satfinite && !spelling.instruction->has_satfinite()) fail("{} has no .satfinite form", name);
  if (rounds && !spelling.instruction->has_rounding()) fail("{} takes no rounding mode", name);
  return spelling;
}

}  // namespace twofour::isa
