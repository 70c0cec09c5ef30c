#include "twofour/emu/check/matrix_site.h"

#include <bit>

#include "twofour/isa/sparsity.h"

namespace twofour::emu::check {

using Kind = ptx::Operand::Kind;

namespace {

/// Bits of a number in a register of that many bytes.
std::uint64_t constant_of(const ptx::Operand& o, int bytes) {
  if (o.kind == Kind::integer) return std::uint64_t(o.integer);
  if (o.kind != Kind::real || o.single || bytes == 8) return o.bits64;
  return std::bit_cast<std::uint32_t>(float(std::bit_cast<double>(o.bits64)));
}

}  // namespace

int selector_of(const ptx::Instruction& i) {
  return i.operands.size() > 5 ? int(i.operands[5].integer) : 0;
}

std::uint32_t metadata_lanes(const isa::Instruction& i, int selector) {
  std::uint32_t lanes = 0;
  for (int row = 0; row < i.shape.m; ++row)
    for (int group = 0; group < i.groups(); ++group)
      lanes |= 1u << isa::metadata_place(i, row, group, selector).lane;
  return lanes;
}

MatrixSite::Parts MatrixSite::parts_of(const ptx::Site& site, const std::vector<ptx::RegisterUse>& uses,
                                       int operand, int words, bool& whole) {
  const ptx::Operand& o = site.instruction().operands[std::size_t(operand)];
  const std::vector<ptx::Operand> one{o};
  const std::vector<ptx::Operand>& parts = o.kind == Kind::vector ? o.parts : one;
  Parts out;
  for (const ptx::Operand& part : parts) {
    Part& p = out.emplace_back();
    if (2 * int(parts.size()) == words) p.bytes = 8;
    p.constant = constant_of(part, p.bytes);
    if (part.kind == Kind::nothing) whole = false;
    for (const ptx::RegisterUse& use : uses)
      if (use.operand == operand && use.reg == part.reg && part.kind == Kind::reg)
        p.at = use.at, p.bytes = use.bytes;
  }
  return out;
}

MatrixSite::MatrixSite(const ptx::Site& site) : instruction_(site.matrix) {
  bool whole = true;
  const auto words = [&](isa::Operand o) { return isa::registers(*instruction_, o); };
  d_ = parts_of(site, site.writes, 0, words(isa::Operand::d), has_result_);
  a_ = parts_of(site, site.reads, 1, words(isa::Operand::a), whole);
  b_ = parts_of(site, site.reads, 2, words(isa::Operand::b), whole);
  c_ = parts_of(site, site.reads, 3, words(isa::Operand::c), whole);
  if (!instruction_->is_sparse()) return;
  metadata_ = parts_of(site, site.reads, 4, 1, whole);
  selector_ = selector_of(site.instruction());
}

void MatrixSite::read_parts(ptx::Warp& warp, const Parts& parts, Fragment& out) {
  std::size_t word = 0;
  for (const Part& p : parts) {
    if (word + std::size_t(p.bytes / 4) > out.word.size()) return;
    if (!p.at) {
      for (int b = 0; b < p.bytes; b += 4) out.word[word++].fill(std::uint32_t(p.constant >> 8 * b));
    } else if (p.bytes == 8) {
      const auto* s = warp.reg<std::uint64_t>(p.at);
      for (std::size_t l = 0; l < ptx::lanes_of_warp; ++l) {
        out.word[word][l] = std::uint32_t(s[l]);
        out.word[word + 1][l] = std::uint32_t(s[l] >> 32);
      }
      word += 2;
    } else {
      std::memcpy(out.word[word++].data(), warp.pointer(p.at), sizeof out.word[0]);
    }
  }
}

void MatrixSite::read(ptx::Warp& warp, MmaOperands& out) const {
  read_parts(warp, a_, out.a);
  read_parts(warp, b_, out.b);
  read_parts(warp, c_, out.c);
  out.selector = selector_;
  if (metadata_.empty()) return;
  Fragment f;
  read_parts(warp, metadata_, f);
  out.metadata = f.word[0];
}

void MatrixSite::read_result(ptx::Warp& warp, Fragment& out) const {
  read_parts(warp, d_, out);
}

}  // namespace twofour::emu::check
