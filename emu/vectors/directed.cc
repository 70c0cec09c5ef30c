#include "twofour/emu/vectors/directed.h"

#include <algorithm>

#include "twofour/emu/numerics/block.h"
#include "twofour/emu/numerics/dot.h"
#include "twofour/isa/sparsity.h"

namespace twofour::emu {
namespace {

/// Logical column of product `kept` of a row.
int logical(Tiles& t, int row, int kept) {
  const isa::Instruction& i = t.instruction;
  if (!i.is_sparse()) return kept;
  const int stored = isa::stored_columns(i.sparsity), group = kept / stored;
  return group * isa::group_columns(i.sparsity) +
         isa::logical_column(i.sparsity, t.code(row, group), kept % stored);
}

struct Row {
  std::vector<std::uint64_t> a, b;
  std::uint64_t c;
};

Row row_of(Tiles& t, int row) {
  Row r;
  for (int k = 0; k < t.instruction.stored_k(); ++k) {
    r.a.push_back(t.a.bits(row, k));
    r.b.push_back(t.b.bits(0, logical(t, row, k)));
  }
  r.c = t.c.bits(row, 0);
  return r;
}

template <class Compute>
std::string outcomes(Tiles t, int rows, const Compute& compute) {
  std::string out;
  for (int row = 0; row < rows; ++row)
    out +=
        fmt::format("{}{:0{}x}", row > 0 ? " " : "", compute(row_of(t, row)), isa::bits(t.instruction.d) / 4);
  return out;
}

}  // namespace

Directed::Directed(std::string_view instruction, isa::Architecture architecture)
    : tiles_(isa::find_instruction(instruction)), architecture_(architecture) {}

void Directed::product(int row, int kept, std::uint64_t a, std::uint64_t b) {
  tiles_.a.set_bits(row, kept, a);
  tiles_.b.set_bits(0, logical(tiles_, row, kept), b);
}

std::string Directed::outcome(int rows) const {
  NumericOptions options;
  options.architecture = architecture_;
  options.satfinite = satfinite_;
  return outcomes(tiles_, rows,
                  [&](const Row& r) { return dot(tiles_.instruction, r.a, r.b, r.c, options); });
}

std::string Directed::outcome(int rows, const isa::BlockRule& rule) const {
  const isa::Instruction& i = tiles_.instruction;
  return outcomes(tiles_, rows, [&](const Row& r) {
    auto sum = std::uint32_t(r.c);
    for (std::size_t at = 0; at < r.a.size(); at += std::size_t(rule.products)) {
      const auto end = std::min(at + std::size_t(rule.products), r.a.size());
      const std::vector<std::uint32_t> a(r.a.begin() + std::ptrdiff_t(at), r.a.begin() + std::ptrdiff_t(end));
      const std::vector<std::uint32_t> b(r.b.begin() + std::ptrdiff_t(at), r.b.begin() + std::ptrdiff_t(end));
      sum = block_dot({i.a, i.b, i.d}, rule, a, b, sum);
    }
    return sum;
  });
}

Case Directed::finish() const {
  Case c = to_case(tiles_, 0);
  c.options.satfinite = satfinite_;
  c.note = note_;
  return c;
}

}  // namespace twofour::emu
