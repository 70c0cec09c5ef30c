// Matrix instructions: rows of the instruction table (isa/instruction.h), run by emu/warp.
#include <algorithm>
#include <optional>

#include "twofour/emu/numerics/simd_dispatch.h"
#include "twofour/emu/ptx/cta.h"
#include "twofour/emu/ptx/decode.h"
#include "twofour/emu/ptx/matrix_op.h"
#include "twofour/emu/ptx/observer.h"
#include "twofour/emu/ptx/qualifiers.h"
#include "twofour/emu/warp/ldmatrix.h"
#include "twofour/emu/warp/wmma_memory.h"

namespace twofour::emu::ptx {
namespace {

/// All of ldmatrix, with the messages.
void load_matrices_checked(Warp& warp, const MatrixOp& m) {
  with_place(warp, all_lanes, Fault::address, [&] {
    Addresses a;
    read_base(warp, m.address, a.at);
    for (std::uint64_t& address : a.at) address -= shared_window;
    write_fragment(warp, m.d,
                   ldmatrix(*m.spelling.instruction, warp.cta().shared(),
                            std::span<const std::uint64_t, lanes_of_warp>(a.at)));
  });
}

/// ldmatrix without the messages: lane l names the 16 bytes from r[l] + offset in the shared window.
struct Rows {
  const std::uint32_t* r;
  std::uint32_t offset;
  int count;
  std::span<const std::byte> shared;
  std::array<std::uint32_t*, 4> d;  ///< of eight rows each
};
TWOFOUR_ALWAYS_INLINE void load_rows_body(const Rows& rows, bool& loaded) {
  constexpr std::uint32_t row_bytes = 16;
  std::uint32_t at[lanes_of_warp], any = 0, outside = 0;
  const auto room = std::uint32_t(rows.shared.size()) - row_bytes;
  const std::byte* const memory = rows.shared.data();
  for (int l = 0; l < rows.count; ++l) {
    at[l] = rows.r[l] + rows.offset - std::uint32_t(shared_window);
    any |= at[l];
    outside |= at[l] | (room - at[l]);
  }
  loaded = (any & (row_bytes - 1)) == 0 && std::int32_t(outside) >= 0;
  if (!loaded) return;
  for (int first = 0; first < rows.count; first += 8) {
    std::uint32_t* const d = rows.d[std::size_t(first / 8)];
    for (int row = 0; row < 8; ++row) std::memcpy(d + 4 * row, memory + at[first + row], row_bytes);
  }
}
TWOFOUR_SIMD_VARIANTS(load_rows, (const Rows& rows, bool& loaded), load_rows_body(rows, loaded))

void load_matrices(Warp& warp, const Op& op, std::uint32_t lanes) {
  const auto& m = *static_cast<const MatrixOp*>(op.data);
  need_all_lanes(warp, lanes);
  const isa::Movement& movement = m.spelling.instruction->movement;
  const auto shared = warp.cta().shared();
  if (m.address.base != Address::Base::reg32 || shared.size() < 16) return load_matrices_checked(warp, m);
  Rows rows{warp.reg<std::uint32_t>(m.address.reg),
            std::uint32_t(m.address.offset),
            8 * movement.matrices,
            shared,
            {}};
  LaneRegister unused;
  for (std::size_t j = 0; j < std::size_t(movement.matrices); ++j)
    rows.d[j] = m.d.refs[j] ? warp.reg<std::uint32_t>(m.d.refs[j]) : unused.data();
  bool loaded = false;
  load_rows(rows, loaded);
  if (!loaded) return load_matrices_checked(warp, m);
  if (!movement.transposed) return;
  for (std::size_t j = 0; j < std::size_t(movement.matrices); ++j)
    if (m.d.refs[j]) *warp.reg<LaneRegister>(m.d.refs[j]) = movmatrix(*warp.reg<LaneRegister>(m.d.refs[j]));
}

void transpose(Warp& warp, const Op& op, std::uint32_t lanes) {
  const auto& m = *static_cast<const MatrixOp*>(op.data);
  with_place(warp, lanes, Fault::other, [&] {
    Fragment f;
    read_fragment(warp, m.a, f);
    f.word[0] = movmatrix(f.word[0]);
    write_fragment(warp, m.d, f);
  });
}

/// The piece of memory that a wmma access lies in, and the address in it.
std::pair<std::span<std::byte>, MatrixAddress> matrix_address(Warp& warp, const MatrixOp& m) {
  Addresses a;
  gather(warp, m.address, all_lanes, 1, 1, a);
  if (!a.same) fail("the address differs between lanes");
  MatrixAddress at;
  if (m.stride) at.stride = *warp.reg<std::int32_t>(m.stride);
  const std::uint64_t address = a.at[0];
  if (address >= shared_window && address < shared_window_end) {
    at.base = address - shared_window;
    return {warp.cta().shared(), at};
  }
  const GlobalMemory& memory = *warp.cta().grid().memory;
  const GlobalMemory::Range r = memory.find(address);
  if (r.end == 0) fail("address {:#x}, which {}", address, memory.describe(address));
  at.base = address - r.begin;
  return {{reinterpret_cast<std::byte*>(memory.host_bias() + r.begin), r.end - r.begin}, at};
}

void load_fragment(Warp& warp, const Op& op, std::uint32_t lanes) {
  const auto& m = *static_cast<const MatrixOp*>(op.data);
  with_place(warp, lanes, Fault::address, [&] {
    const auto [bytes, at] = matrix_address(warp, m);
    write_fragment(warp, m.d, wmma_load(*m.spelling.instruction, bytes, at));
  });
}

void store_fragment(Warp& warp, const Op& op, std::uint32_t lanes) {
  const auto& m = *static_cast<const MatrixOp*>(op.data);
  with_place(warp, lanes, Fault::address, [&] {
    const auto [bytes, at] = matrix_address(warp, m);
    Fragment f;
    read_fragment(warp, m.d, f);
    wmma_store(*m.spelling.instruction, f, bytes, at);
  });
}

/// Where the table has a modifier of ldmatrix; ptxas takes them in any order.
int ldmatrix_rank(std::string_view modifier) {
  if (modifier == "sync") return 0;
  if (modifier == "aligned") return 1;
  if (modifier == "m8n8") return 2;
  if (modifier.starts_with("x")) return 3;
  return modifier == "trans" ? 4 : 5;
}

Registers registers(FunctionDecoder& d, const Operand& o, int words, bool results) {
  const std::vector<Operand> one{o};
  const std::vector<Operand>& parts = o.kind == Operand::Kind::vector ? o.parts : one;
  Registers r;
  r.count = int(parts.size());
  r.wide = r.count * 2 == words && !parts.empty() && parts[0].kind != Operand::Kind::nothing &&
           (parts[0].kind != Operand::Kind::reg || d.width(parts[0].reg) == 8);
  if (r.count * (r.wide ? 2 : 1) != words)
    d.refuse(fmt::format("an operand has {} registers, the instruction has {} of 32 bits", r.count, words));
  for (std::size_t k = 0; k < parts.size(); ++k)
    r.refs[k] = results ? d.destination(parts[k], r.wide ? 8 : 4)
                        : d.source(parts[k], r.wide ? Type::b64 : Type::b32);
  return r;
}

void emit_matrix(FunctionDecoder& d, Handler handler, MatrixOp m) {
  const MatrixOp* const data = d.own(std::move(m));
  d.emit(handler).data = data;
}

void decode_multiply(FunctionDecoder& d) {
  MatrixOp m;
  m.spelling = spelling_of(d);
  const isa::Instruction& i = *m.spelling.instruction;
  if (!i.multiplies()) d.unsupported("not implemented");
  d.expect_operands(i.is_sparse() ? 6 : 4, i.is_sparse() ? 6 : 4);
  m.d = registers(d, d.operand(0), isa::registers(i, isa::Operand::d), true);
  m.a = registers(d, d.operand(1), isa::registers(i, isa::Operand::a), false);
  m.b = registers(d, d.operand(2), isa::registers(i, isa::Operand::b), false);
  m.c = registers(d, d.operand(3), isa::registers(i, isa::Operand::c), false);
  if (i.is_sparse()) {
    m.metadata = d.source(d.operand(4), Type::b32);
    const std::int64_t selector = d.number(d.operand(5));
    if (selector < 0 || selector >= i.selectors())
      d.refuse(fmt::format("sparsity selector {}, it takes 0 to {}", selector, i.selectors() - 1));
    m.selector = int(selector);
  }
  prepare_multiply(m);
  emit_matrix(d, multiply, m);
}

void decode_ldmatrix(FunctionDecoder& d) {
  d.expect_operands(2, 2);
  MatrixOp m;
  m.spelling = spelling_of(d);
  m.d = registers(d, d.operand(0), m.spelling.instruction->movement.matrices, true);
  m.address = d.address(d.operand(1), Window::shared);
  emit_matrix(d, load_matrices, m);
}

void decode_movmatrix(FunctionDecoder& d) {
  d.expect_operands(2, 2);
  MatrixOp m;
  m.spelling = spelling_of(d);
  m.d = registers(d, d.operand(0), 1, true);
  m.a = registers(d, d.operand(1), 1, false);
  emit_matrix(d, transpose, m);
}

void decode_wmma(FunctionDecoder& d) {
  if (d.has("mma")) return decode_multiply(d);
  MatrixOp m;
  m.spelling = spelling_of(d);
  const isa::Instruction& i = *m.spelling.instruction;
  const bool stores = i.family == isa::Family::wmma_store;
  d.expect_operands(2, 3);
  m.d = registers(d, d.operand(stores ? 1 : 0), isa::registers(i, i.moved), !stores);
  m.address = d.address(d.operand(stores ? 0 : 1), window_of(d));
  if (d.operand_count() == 3) m.stride = d.source(d.operand(2), Type::b32);
  emit_matrix(d, stores ? store_fragment : load_fragment, m);
}

}  // namespace

std::string table_spelling(const Instruction& i) {
  const bool loads = i.opcode == "ldmatrix";
  std::vector<std::string> modifiers = i.modifiers;
  if (loads) std::ranges::stable_sort(modifiers, {}, ldmatrix_rank);
  std::string name = i.opcode;
  for (const std::string& m : modifiers) {
    if (m == "b16" && loads) name += ".shared";
    if (m != "global" && !m.starts_with("shared")) name += "." + m;
  }
  return name;
}

isa::Spelling spelling_of(const FunctionDecoder& d) {
  try {
    return isa::parse_spelling(table_spelling(d.instruction()));
  } catch (const Error& e) {
    d.unsupported(e.what());
  }
}

OpcodeDecoder find_matrix(std::string_view opcode) {
  if (opcode == "mma") return decode_multiply;
  if (opcode == "wmma") return decode_wmma;
  if (opcode == "ldmatrix") return decode_ldmatrix;
  if (opcode == "movmatrix") return decode_movmatrix;
  return nullptr;
}

}  // namespace twofour::emu::ptx
