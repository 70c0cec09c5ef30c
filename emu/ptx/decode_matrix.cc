// Matrix instructions: rows of the instruction table (isa/instruction.h), run by emu/warp.
#include <algorithm>
#include <optional>

#include "twofour/emu/ptx/cta.h"
#include "twofour/emu/ptx/decode.h"
#include "twofour/emu/ptx/observer.h"
#include "twofour/emu/ptx/qualifiers.h"
#include "twofour/emu/warp/ldmatrix.h"
#include "twofour/emu/warp/mma.h"
#include "twofour/emu/warp/wmma_memory.h"

namespace twofour::emu::ptx {
namespace {

/// Registers of an operand, each 4 bytes a lane, or 8 (f64).
struct Registers {
  std::array<Ref, max_operand_registers> refs = {};
  int count = 0;
  bool wide = false;
};

struct MatrixOp {
  isa::Spelling spelling;
  Registers a, b, c, d;
  Ref metadata, stride;
  int selector = 0;
  /// By architecture; no instruction: the architecture refuses it.
  std::array<PreparedMma, std::size_t(isa::Architecture::blackwell) + 1> prepared = {};
  Address address;
};

void read_fragment(Warp& warp, const Registers& r, Fragment& f) {
  for (std::size_t k = 0; k < std::size_t(r.count); ++k) {
    if (!r.wide) {
      std::memcpy(f.word[k].data(), warp.pointer(r.refs[k]), sizeof f.word[k]);
      continue;
    }
    const auto* s = warp.reg<std::uint64_t>(r.refs[k]);
    for (std::size_t l = 0; l < lanes_of_warp; ++l) {
      f.word[2 * k][l] = std::uint32_t(s[l]);
      f.word[2 * k + 1][l] = std::uint32_t(s[l] >> 32);
    }
  }
}

void write_fragment(Warp& warp, const Registers& r, const Fragment& f) {
  for (std::size_t k = 0; k < std::size_t(r.count); ++k) {
    if (!r.refs[k]) continue;
    if (!r.wide) {
      std::memcpy(warp.pointer(r.refs[k]), f.word[k].data(), sizeof f.word[k]);
      continue;
    }
    auto* d = warp.reg<std::uint64_t>(r.refs[k]);
    for (std::size_t l = 0; l < lanes_of_warp; ++l)
      d[l] = f.word[2 * k][l] | std::uint64_t(f.word[2 * k + 1][l]) << 32;
  }
}

void need_all_lanes(Warp& warp, std::uint32_t lanes) {
  if (const std::uint32_t missing = ~lanes; missing != 0)
    warp.fail(std::countr_zero(missing),
              "a matrix instruction needs all 32 lanes; lanes {:#010x} are not here", missing);
}

/// Runs f and gives its Errors their place and kind.
template <class F>
void with_place(Warp& warp, std::uint32_t lanes, Fault fault, F&& f) {
  need_all_lanes(warp, lanes);
  std::string problem;
  try {
    return f();
  } catch (const Error& e) {
    problem = e.what();
  }
  warp.fail(fault, -1, "{}", problem);
}

NumericOptions numeric_options(isa::Architecture architecture, const MatrixOp& m) {
  return {architecture, m.spelling.satfinite, m.spelling.rounding};
}

/// Registers of 64 bits a lane, and what the architecture refuses.
void multiply_copies(Warp& warp, const MatrixOp& m) {
  with_place(warp, all_lanes, Fault::other, [&] {
    MmaOperands x;
    read_fragment(warp, m.a, x.a);
    read_fragment(warp, m.b, x.b);
    read_fragment(warp, m.c, x.c);
    if (m.metadata) std::memcpy(x.metadata.data(), warp.pointer(m.metadata), sizeof x.metadata);
    x.selector = m.selector;
    const isa::Architecture architecture = warp.cta().grid().machine->architecture;
    write_fragment(warp, m.d, execute(*m.spelling.instruction, x, numeric_options(architecture, m)));
  });
}

template <class Word>
void point_to(Warp& warp, const Registers& r, MmaRegisters::Words<Word>& to) {
  for (std::size_t k = 0; k < std::size_t(r.count); ++k) to[k] = warp.reg<std::uint32_t>(r.refs[k]);
}

void multiply(Warp& warp, const Op& op, std::uint32_t lanes) {
  const auto& m = *static_cast<const MatrixOp*>(op.data);
  const PreparedMma& mma = m.prepared[std::size_t(warp.cta().grid().machine->architecture)];
  need_all_lanes(warp, lanes);
  if (mma.instruction == nullptr) return multiply_copies(warp, m);
  MmaRegisters r;
  point_to(warp, m.a, r.a);
  point_to(warp, m.b, r.b);
  point_to(warp, m.c, r.c);
  point_to(warp, m.d, r.d);
  if (m.metadata) r.metadata = warp.reg<std::uint32_t>(m.metadata);
  run(mma, r);
}

/// All of ldmatrix, with the messages.
void load_matrices_checked(Warp& warp, const MatrixOp& m, Addresses& a) {
  with_place(warp, all_lanes, Fault::address, [&] {
    for (std::uint64_t& address : a.at) address -= shared_window;
    write_fragment(warp, m.d,
                   ldmatrix(*m.spelling.instruction, warp.cta().shared(),
                            std::span<const std::uint64_t, lanes_of_warp>(a.at)));
  });
}

/// A row of 16 bytes for each of the first lanes.
void load_matrices(Warp& warp, const Op& op, std::uint32_t lanes) {
  const auto& m = *static_cast<const MatrixOp*>(op.data);
  need_all_lanes(warp, lanes);
  const isa::Movement& movement = m.spelling.instruction->movement;
  const auto shared = warp.cta().shared();
  Addresses a;
  read_base(warp, m.address, a.at);
  const std::uint64_t room = shared.size() - 16;
  std::uint64_t low = 0, outside = room;  // the top bit: less than a row of memory, or a row not in it
  for (std::size_t l = 0; l < std::size_t(8 * movement.matrices); ++l) {
    const std::uint64_t at = a.at[l] - shared_window;
    low |= at;
    outside |= at | (room - at);
  }
  if ((low & 15) != 0 || std::int64_t(outside) < 0) return load_matrices_checked(warp, m, a);
  for (std::size_t j = 0; j < std::size_t(movement.matrices); ++j) {
    auto* const d = warp.reg<LaneRegister>(m.d.refs[j]);
    if (d == nullptr) continue;
    for (std::size_t row = 0; row < 8; ++row)
      std::memcpy(d->data() + 4 * row, shared.data() + (a.at[8 * j + row] - shared_window), 16);
    if (movement.transposed) *d = movmatrix(*d);
  }
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

/// Once for all launches.
void prepare_all(MatrixOp& m) {
  for (const Registers* r : {&m.a, &m.b, &m.c, &m.d})
    if (r->wide) return;
  for (std::size_t n = 0; n < m.prepared.size(); ++n) {
    try {
      m.prepared[n] = prepare(*m.spelling.instruction, numeric_options(isa::Architecture(n), m), m.selector);
    } catch (const Error&) {  // said where it runs
    }
  }
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
  prepare_all(m);
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
