#include "twofour/isa/instruction.h"

#include <algorithm>
#include <array>

#include "twofour/isa/layout.h"

namespace twofour::isa {
namespace {

using enum ElementType;

constexpr Instruction mma(Shape s, ElementType a, ElementType b, ElementType acc, BitOp op = BitOp::none) {
  return {s, a, b, acc, acc, Sparsity::dense, op};
}

// Rows of the Tensor Core's own dense instructions. Source: PTX ISA 9.1, 9.7.14 (warp-level matrix
// instructions), the sm_80 set; the fp8 rows are those of sm_89.
constexpr std::array mma_rows{
    mma({8, 8, 4}, f64, f64, f64),
    mma({16, 8, 8}, f16, f16, f16),
    mma({16, 8, 8}, f16, f16, f32),
    mma({16, 8, 16}, f16, f16, f16),
    mma({16, 8, 16}, f16, f16, f32),
    mma({16, 8, 8}, bf16, bf16, f32),
    mma({16, 8, 16}, bf16, bf16, f32),
    mma({16, 8, 4}, tf32, tf32, f32),
    mma({16, 8, 8}, tf32, tf32, f32),
    mma({8, 8, 16}, s8, s8, s32),
    mma({8, 8, 16}, s8, u8, s32),
    mma({8, 8, 16}, u8, s8, s32),
    mma({8, 8, 16}, u8, u8, s32),
    mma({16, 8, 16}, s8, s8, s32),
    mma({16, 8, 16}, s8, u8, s32),
    mma({16, 8, 16}, u8, s8, s32),
    mma({16, 8, 16}, u8, u8, s32),
    mma({16, 8, 32}, s8, s8, s32),
    mma({16, 8, 32}, s8, u8, s32),
    mma({16, 8, 32}, u8, s8, s32),
    mma({16, 8, 32}, u8, u8, s32),
    mma({8, 8, 32}, s4, s4, s32),
    mma({8, 8, 32}, s4, u4, s32),
    mma({8, 8, 32}, u4, s4, s32),
    mma({8, 8, 32}, u4, u4, s32),
    mma({16, 8, 32}, s4, s4, s32),
    mma({16, 8, 32}, s4, u4, s32),
    mma({16, 8, 32}, u4, s4, s32),
    mma({16, 8, 32}, u4, u4, s32),
    mma({16, 8, 64}, s4, s4, s32),
    mma({16, 8, 64}, s4, u4, s32),
    mma({16, 8, 64}, u4, s4, s32),
    mma({16, 8, 64}, u4, u4, s32),
    mma({8, 8, 128}, b1, b1, s32, BitOp::and_popc),
    mma({8, 8, 128}, b1, b1, s32, BitOp::xor_popc),
    mma({16, 8, 128}, b1, b1, s32, BitOp::and_popc),
    mma({16, 8, 128}, b1, b1, s32, BitOp::xor_popc),
    mma({16, 8, 256}, b1, b1, s32, BitOp::and_popc),
    mma({16, 8, 256}, b1, b1, s32, BitOp::xor_popc),
    mma({16, 8, 16}, e4m3, e4m3, f32),
    mma({16, 8, 16}, e4m3, e5m2, f32),
    mma({16, 8, 16}, e5m2, e4m3, f32),
    mma({16, 8, 16}, e5m2, e5m2, f32),
    mma({16, 8, 32}, e4m3, e4m3, f32),
    mma({16, 8, 32}, e4m3, e5m2, f32),
    mma({16, 8, 32}, e5m2, e4m3, f32),
    mma({16, 8, 32}, e5m2, e5m2, f32),
};

/// The sparse twin of a dense row has twice its k.
constexpr Instruction sparse_twin(Instruction i, Family family) {
  i.shape.k *= 2;
  i.sparsity = sparse_form(i.a);
  i.family = family;
  return i;
}
constexpr bool has_sparse_twin(const Instruction& i) {
  return i.shape.m == 16 && sparse_form(i.a) != Sparsity::dense;
}

struct Order {
  Major a, b;
};
constexpr std::array orders{Order{Major::row, Major::row}, Order{Major::row, Major::col},
                            Order{Major::col, Major::row}, Order{Major::col, Major::col}};
struct Accumulators {
  ElementType c, d;
};

/// The table is filled once, at compile time; `size` counts.
struct Table {
  std::array<Instruction, 340> row{};
  std::size_t size = 0;
  constexpr void add(const Instruction& i) { row[size++] = i; }
};

constexpr void add_quad_pair(Table& t) {
  for (const auto [c, d] : {Accumulators{f16, f16}, Accumulators{f16, f32}, Accumulators{f32, f32}})
    for (const auto order : orders) {
      Instruction i = mma({8, 8, 4}, f16, f16, c);
      i.d = d, i.a_major = order.a, i.b_major = order.b;
      t.add(i);
    }
}

constexpr void add_sparse(Table& t, Family family) {
  for (const auto& i : mma_rows)
    if (has_sparse_twin(i)) t.add(sparse_twin(i, family));
}

/// A shape of wmma with what it multiplies.
struct WmmaShape {
  Shape shape;
  ElementType input;
  BitOp op = BitOp::none;
};
constexpr std::array wmma_16x16{Shape{16, 16, 16}, Shape{8, 32, 16}, Shape{32, 8, 16}};

constexpr auto wmma_any_order() {
  std::array<WmmaShape, 14> all{};
  std::size_t n = 0;
  for (const Shape s : wmma_16x16)
    for (const ElementType input : {f16, bf16, s8, u8}) all[n++] = {s, input};
  all[n++] = {{16, 16, 8}, tf32};
  all[n++] = {{8, 8, 4}, f64};
  return all;
}
constexpr std::array wmma_row_col{WmmaShape{{8, 8, 32}, s4}, WmmaShape{{8, 8, 32}, u4},
                                  WmmaShape{{8, 8, 128}, b1, BitOp::and_popc},
                                  WmmaShape{{8, 8, 128}, b1, BitOp::xor_popc}};

constexpr ElementType wmma_accumulator(ElementType input) {
  if (input == f64) return f64;
  return is_float(input) ? f32 : s32;
}

constexpr void add_wmma_mma(Table& t, const WmmaShape& w, Order order) {
  Instruction i = mma(w.shape, w.input, w.input, wmma_accumulator(w.input), w.op);
  i.family = Family::wmma_mma;
  i.a_major = order.a, i.b_major = order.b;
  if (w.input != f16) {
    t.add(i);
    return;
  }
  for (const auto [c, d] :
       {Accumulators{f16, f16}, Accumulators{f16, f32}, Accumulators{f32, f16}, Accumulators{f32, f32}}) {
    i.c = c, i.d = d;
    t.add(i);
  }
}

constexpr void add_wmma_move(Table& t, Family family, Shape s, ElementType type, Operand moved, Major major) {
  t.add({s, type, type, type, type, Sparsity::dense, BitOp::none, family, major, Major::col, moved});
}

constexpr void add_wmma_accumulators(Table& t, Family family, Operand moved) {
  const auto both = [&](Shape s, ElementType type) {
    for (const Major m : {Major::row, Major::col}) add_wmma_move(t, family, s, type, moved, m);
  };
  for (const Shape s : wmma_16x16)
    for (const ElementType type : {f16, f32, s32}) both(s, type);
  both({16, 16, 8}, f32);
  both({8, 8, 4}, f64);
  both({8, 8, 32}, s32);
  both({8, 8, 128}, s32);
}

constexpr void add_wmma(Table& t) {
  for (const auto& w : wmma_any_order())
    for (const Operand moved : {Operand::a, Operand::b})
      for (const Major m : {Major::row, Major::col})
        add_wmma_move(t, Family::wmma_load, w.shape, w.input, moved, m);
  for (const auto& w : wmma_row_col) {
    if (w.op == BitOp::xor_popc) continue;  // b1 is loaded alike for both operations
    add_wmma_move(t, Family::wmma_load, w.shape, w.input, Operand::a, Major::row);
    add_wmma_move(t, Family::wmma_load, w.shape, w.input, Operand::b, Major::col);
  }
  add_wmma_accumulators(t, Family::wmma_load, Operand::c);
  add_wmma_accumulators(t, Family::wmma_store, Operand::d);
  for (const auto& w : wmma_any_order())
    for (const auto order : orders) add_wmma_mma(t, w, order);
  for (const auto& w : wmma_row_col) add_wmma_mma(t, w, {Major::row, Major::col});
}

constexpr Instruction movement(Family family, Shape s, Movement m) {
  const ElementType type = family == Family::cp_async ? u8 : b16;
  Instruction i = mma(s, type, type, type);
  i.family = family, i.movement = m;
  return i;
}

constexpr std::array<std::string_view, 16> copies{"ca.shared.global 4",
                                                  "ca.shared.global 8",
                                                  "ca.shared.global 16",
                                                  "cg.shared.global 16",
                                                  "ca.shared.global 16, src-size",
                                                  "cg.shared.global 16, src-size",
                                                  "ca.shared.global 16, ignore-src",
                                                  "cg.shared.global.L2::64B 16",
                                                  "cg.shared.global.L2::128B 16",
                                                  "cg.shared.global.L2::256B 16",
                                                  "cg.shared.global.L2::cache_hint 16, cache-policy",
                                                  "commit_group",
                                                  "wait_group N",
                                                  "wait_all",
                                                  "mbarrier.arrive.shared.b64",
                                                  "mbarrier.arrive.noinc.shared.b64"};

constexpr void add_movement(Table& t) {
  for (const int matrices : {1, 2, 4})
    for (const bool transposed : {false, true})
      t.add(movement(Family::ldmatrix, {8, 8, 0}, {matrices, transposed}));
  t.add(movement(Family::movmatrix, {8, 8, 0}, {1, true}));
  for (const auto copy : copies) t.add(movement(Family::cp_async, {0, 0, 0}, {0, false, copy}));
}

constexpr Table make_table() {
  Table t;
  for (const auto& i : mma_rows) t.add(i);
  add_quad_pair(t);
  add_sparse(t, Family::mma_sp);
  add_sparse(t, Family::mma_sp_ordered);
  add_wmma(t);
  add_movement(t);
  return t;
}
constexpr Table table = make_table();

constexpr bool rows_unique() {
  for (std::size_t i = 0; i < table.size; ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (table.row[i] == table.row[j]) return false;
  return true;
}
static_assert(table.size == table.row.size(), "the size of the instruction table is not its count of rows");
static_assert(rows_unique(), "two rows of the instruction table are the same instruction");

constexpr std::array<std::string_view, 9> family_names{"mma",       "mma.sp",     "mma.sp::ordered_metadata",
                                                       "wmma.load", "wmma.store", "wmma.mma",
                                                       "ldmatrix",  "movmatrix",  "cp.async"};

}  // namespace

std::string_view name(Family f) {
  return family_names[static_cast<std::size_t>(f)];
}

std::string_view name(Operand o) {
  return std::array<std::string_view, 4>{"a", "b", "c", "d"}[static_cast<std::size_t>(o)];
}

std::span<const Instruction> instructions() {
  return table.row;
}

int registers(const Instruction& i, Operand o) {
  return has_fragment(i, o) ? elements_per_lane(i, o) * bits(element(i, o)) / 32 : 0;
}

Requirement requirement(const Instruction& i) {
  const bool wmma_16 = i.shape.k == 16;
  switch (i.family) {
    case Family::mma_sp: return {80, 71};
    case Family::mma_sp_ordered: return {80, 85};
    case Family::ldmatrix: return {75, 65};
    case Family::movmatrix: return {75, 78};
    case Family::cp_async:
      if (i.movement.copy.find("L2::") != std::string_view::npos) return {80, 74};
      return {80, i.movement.copy.ends_with("ignore-src") ? 75 : 70};
    case Family::mma:
      if (i.a == e4m3 || i.a == e5m2) return {89, i.shape.k == 32 ? 84 : 87};
      if (i.is_quad_pair()) return {70, 64};
      if (i.op == BitOp::and_popc) return {80, 71};
      if (i.op == BitOp::xor_popc) return {i.shape.m == 8 ? 75 : 80, 70};
      if (i.a == f64 || i.a == bf16 || i.a == tf32) return {80, 70};
      return i.shape.m == 8 || (i.a == f16 && i.shape.k == 8) ? Requirement{75, 65} : Requirement{80, 70};
    default: break;
  }
  if (i.op == BitOp::and_popc && i.family == Family::wmma_mma) return {80, 71};
  if (i.a == bf16 || i.a == tf32 || i.a == f64 || i.shape == Shape{16, 16, 8}) return {80, 70};
  if (!wmma_16) return {75, 63};
  if (!is_float(i.a)) return {72, 63};
  return {70, i.shape.m == 16 ? 60 : 61};
}

}  // namespace twofour::isa
