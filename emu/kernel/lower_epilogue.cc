#include <algorithm>

#include "twofour/emu/kernel/epilogue_vectors.h"
#include "twofour/emu/kernel/lowering.h"
#include "twofour/emu/kernel/transfers.h"

namespace twofour::emu {
namespace {

using isa::ElementType;

/// Registers that one pass of the epilogue works in, counted from its first.
struct Temporaries {
  int value = 0, residual, bias, scale, partial, packed, wide, count;

  Temporaries(const Kernel& k, const Work& work) {
    const Epilogue& e = k.problem.epilogue;
    const bool half = isa::bits(e.output) == 16;
    const auto next = [this](bool wanted, int registers) {
      count += wanted ? registers : 0;
      return count - registers;
    };
    count = 8;
    residual = next(e.residual, 8);
    bias = next(e.bias, 8);
    scale = next(e.scale, 8);
    partial = next(work.partials > 0 || (e.residual && half), 8);
    packed = next(isa::bits(e.output) < 32, 4);
    wide = next(e.fixed_point, 2);
  }
};

class EpilogueLowering {
 public:
  EpilogueLowering(WarpOps& ops, const WarpPlace& at)
      : ops_(ops), at_(at), k_(at.kernel), e_(at.kernel.problem.epilogue), t_(k_, at.work) {
    const int free = k_.registers.count - k_.registers.temporaries;
    slots_ = std::clamp(free / t_.count, 1, 8);
  }

  void add() {
    if (!second_kernel()) {
      add_simple(ops_, OpKind::wait_group, 0);
      add_simple(ops_, OpKind::barrier);
    }
    for (int i = 0; i < k_.mma_m; ++i) {
      const Vectors v(at_, i);
      if (!second_kernel()) store_slab(v.slab, i);
      for (int p = 0; p < v.passes(); p += slots_) add_passes(v, p, std::min(p + slots_, v.passes()));
    }
  }

 private:
  bool second_kernel() const { return at_.work.chunk_end == 0; }
  int temporary(int t) const { return k_.registers.temporaries + slot_ * t_.count + t; }
  bool integers() const {
    return k_.problem.instruction->d == ElementType::s32 && e_.output == ElementType::s32;
  }

  void store_slab(const Slab& slab, int i) {
    const KernelRegisters& r = k_.registers;
    for (int j = 0; j < k_.mma_n; ++j) {
      int first = r.accumulators + (i * k_.mma_n + j) * r.c_each;
      slot_ = j % slots_;
      if (k_.problem.instruction->d == ElementType::f16) first = widen_accumulators(first);
      for (int half = 0; half < k_.problem.instruction->shape.m / 8; ++half)
        slab.transposed ? store_transposed(slab, j, half, first) : store_pair(slab, j, half, first);
    }
    slot_ = 0;
    add_bookkeeping(ops_, 1);  // __syncwarp
  }

  int widen_accumulators(int first) {
    const int to = temporary(t_.value);
    for (int e = 0; e < 4; ++e)
      ops_.push_back(arithmetic(OpKind::fp32, e % 2 == 0 ? Action::widen_low : Action::widen_high, to + e,
                                {first + e / 2}));
    return to;
  }

  /// Elements 2 half and 2 half + 1 of every lane: row g + 8 half, columns 2t and 2t + 1.
  void store_pair(const Slab& slab, int j, int half, int first) {
    const int bytes = k_.sum_bytes();
    add_transfers(ops_, OpKind::store_shared, Tensor::none, 2 * bytes, first + half * 2 * bytes / 4,
                  [&](WarpOp& op, int lane, int) {
                    op.shared[std::size_t(lane)] =
                        std::uint32_t(slab.address(lane / 4 + 8 * half, 8 * j + 2 * (lane % 4), bytes));
                    return true;
                  });
  }

  void store_transposed(const Slab& slab, int j, int half, int first) {
    const int bytes = k_.sum_bytes();
    for (int e = 0; e < 2; ++e)
      add_transfers(ops_, OpKind::store_shared, Tensor::none, bytes, first + (2 * half + e) * bytes / 4,
                    [&](WarpOp& op, int lane, int) {
                      op.shared[std::size_t(lane)] =
                          std::uint32_t(slab.address(8 * j + 2 * (lane % 4) + e, lane / 4 + 8 * half, bytes));
                      return true;
                    });
  }

  /// All loads of a few passes, then their arithmetic, then their stores: one latency for all of them.
  void add_passes(const Vectors& v, int first, int last) {
    const auto each = [&](auto step) {
      for (int p = first; p < last; ++p) {
        slot_ = p - first;
        (this->*step)({v, p});
      }
    };
    each(&EpilogueLowering::load);
    each(&EpilogueLowering::calculate);
    each(&EpilogueLowering::store);
    slot_ = 0;
  }

  void load(const Pass& p) {
    second_kernel() ? load_partial(p, at_.work.slot, temporary(t_.value)) : load_slab(p);
    if (at_.work.finish != Finish::store_partial) load_operands(p);
  }

  void calculate(const Pass& p) {
    const Work& w = at_.work;
    if (w.finish == Finish::store_partial) return;
    if (e_.residual && residual_is_half()) widen_residual(p);
    for (int i = second_kernel() ? 1 : 0; i < w.partials; ++i) {
      load_partial(p, w.slot + i, temporary(t_.partial));
      add_partial(p);
    }
    if (e_.fixed_point) return add_fixed_point_arithmetic(p);
    if (k_.sum_bytes() == 4) integers() ? add_integer_arithmetic(p) : add_float_arithmetic(p);
  }

  void store(const Pass& p) { at_.work.finish == Finish::store_partial ? store_partial(p) : store_output(p); }

  void load_slab(const Pass& p) {
    const int bytes = k_.sum_bytes();
    add_transfers(ops_, OpKind::load_shared, Tensor::none, p.v.width * bytes, temporary(t_.value),
                  [&](WarpOp& op, int lane, int byte) {
                    op.shared[std::size_t(lane)] =
                        std::uint32_t(p.v.slab.address(p.line(lane), p.column(lane), bytes) + byte);
                    return p.in_slab(lane);
                  });
  }

  void transfer_partial(const Pass& p, OpKind kind, std::int64_t slot, int registers) {
    add_transfers(ops_, kind, Tensor::workspace, p.v.width * k_.sum_bytes(), registers,
                  [&](WarpOp& op, int lane, int byte) {
                    op.global[std::size_t(lane)] = p.workspace_byte(slot, lane) + byte;
                    return p.in_slab(lane);
                  });
  }
  void load_partial(const Pass& p, std::int64_t slot, int registers) {
    transfer_partial(p, OpKind::load_global, slot, registers);
  }
  void store_partial(const Pass& p) {
    transfer_partial(p, OpKind::store_global, at_.work.slot, temporary(t_.value));
  }

  /// value = value + partial.
  void add_partial(const Pass& p) {
    const ElementType sum = k_.problem.instruction->d;
    const Action add = sum == ElementType::s32   ? Action::add_integer
                       : sum == ElementType::f64 ? Action::add_double
                                                 : Action::add_float;
    const int words = k_.sum_bytes() / 4;
    for (int e = 0; e < p.v.width; ++e) {
      const int x = temporary(t_.value) + e * words, y = temporary(t_.partial) + e * words;
      WarpOp op = arithmetic(add == Action::add_integer ? OpKind::integer : OpKind::fp32, add, x, {x, y});
      op.write.count = op.read[0].count = op.read[1].count = std::uint16_t(words);
      ops_.push_back(op);
    }
  }

  /// Scale or bias, 32 bits each, for every element of the vector or one for all; from channel `first` on.
  void load_channels(const Pass& p, Tensor tensor, int registers, std::int64_t first = 0) {
    const int bytes = 4 * (p.v.channel_along_vector() ? p.v.width : 1);
    add_transfers(ops_, OpKind::load_global, tensor, bytes, registers, [&](WarpOp& op, int lane, int byte) {
      op.global[std::size_t(lane)] = 4 * (first + p.channel(lane)) + byte;
      return p.in_output(lane);
    });
  }
  int channel_register(const Pass& p, int first, int e) const {
    return temporary(first) + (p.v.channel_along_vector() ? e : 0);
  }

  bool residual_is_half() const { return e_.output == ElementType::f16 || e_.output == ElementType::bf16; }

  void load_residual(const Pass& p) {
    const int bits = residual_is_half() ? 16 : 32;
    const int to = temporary(residual_is_half() ? t_.partial : t_.residual);
    add_transfers(ops_, OpKind::load_global, Tensor::residual, p.v.width * bits / 8, to,
                  [&](WarpOp& op, int lane, int byte) {
                    op.global[std::size_t(lane)] = p.output_byte(lane, bits) + byte;
                    return p.in_output(lane);
                  });
  }

  /// The f16 or bf16 words that wait where partial sums will go.
  void widen_residual(const Pass& p) {
    const int from = temporary(t_.partial);
    const bool f16 = e_.output == ElementType::f16;
    for (int e = 0; e < p.v.width; ++e) {
      const Action low = f16 ? Action::widen_low : Action::widen_bf16_low;
      const Action high = f16 ? Action::widen_high : Action::widen_bf16_high;
      ops_.push_back(
          arithmetic(OpKind::fp32, e % 2 == 0 ? low : high, temporary(t_.residual) + e, {from + e / 2}));
    }
  }

  void load_operands(const Pass& p) {
    if (e_.scale) load_channels(p, Tensor::scale, temporary(t_.scale));
    if (e_.fixed_point)
      load_channels(p, Tensor::scale, temporary(t_.scale + 4),
                    e_.channel_is_row ? k_.problem.m : k_.problem.n);
    if (e_.bias) load_channels(p, Tensor::bias, temporary(t_.bias));
    if (e_.residual) load_residual(p);
  }

  void add_integer_arithmetic(const Pass& p) {
    for (int e = 0; e < p.v.width; ++e) {
      const int x = temporary(t_.value) + e;
      const auto add = [&](Action action, std::initializer_list<int> read) {
        ops_.push_back(arithmetic(OpKind::integer, action, x, read));
      };
      if (e_.bias) add(Action::add_integer, {x, channel_register(p, t_.bias, e)});
      if (e_.residual) add(Action::add_integer, {x, temporary(t_.residual) + e});
      if (e_.relu) add(Action::relu_integer, {x});
    }
  }

  /// 64-bit arithmetic in `wide`; each instruction on a pair of registers is two of the machine's.
  void add_fixed_point_arithmetic(const Pass& p) {
    for (int e = 0; e < p.v.width; ++e) {
      const int x = temporary(t_.value) + e, y = temporary(t_.wide), scale = channel_register(p, t_.scale, e);
      add_wide(Action::scale_wide, range(y, 2), {range(x, 1), range(scale, 1), range(scale + 4, 1)});
      if (e_.bias)
        add_wide(Action::add_wide, range(y, 2), {range(y, 2), range(channel_register(p, t_.bias, e), 1)});
      if (e_.residual)
        add_wide(Action::add_wide, range(y, 2), {range(y, 2), range(temporary(t_.residual) + e, 1)});
      if (e_.relu) add_wide(Action::relu_wide, range(y, 2), {range(y, 2)});
      add_wide(Action::saturate_wide, range(x, 1), {range(y, 2)});
    }
  }

  void add_wide(Action action, RegisterRange write, std::initializer_list<RegisterRange> read) {
    WarpOp op;
    op.action = action;
    op.write = write;
    std::copy(read.begin(), read.end(), op.read.begin());
    ops_.push_back(op);
    add_bookkeeping(ops_, 1);
  }

  void add_float_arithmetic(const Pass& p) {
    const bool from_integer = k_.problem.instruction->d == ElementType::s32;
    for (int e = 0; e < p.v.width; ++e) {
      const int x = temporary(t_.value) + e;
      const int s = channel_register(p, t_.scale, e), b = channel_register(p, t_.bias, e);
      const auto add = [&](OpKind kind, Action action, std::initializer_list<int> read) {
        ops_.push_back(arithmetic(kind, action, x, read));
      };
      if (from_integer) add(OpKind::special, Action::to_float, {x});
      if (e_.scale && e_.bias) add(OpKind::fp32, Action::fma, {x, s, b});
      if (e_.scale && !e_.bias) add(OpKind::fp32, Action::multiply, {x, s});
      if (!e_.scale && e_.bias) add(OpKind::fp32, Action::add_float, {x, b});
      if (e_.residual) add(OpKind::fp32, Action::add_float, {x, temporary(t_.residual) + e});
      if (e_.relu) add(OpKind::fp32, Action::relu_float, {x});
    }
    if (e_.output != ElementType::f32) pack(p);
  }

  /// value[] as the output type into packed[].
  void pack(const Pass& p) {
    const int x = temporary(t_.value), to = temporary(t_.packed), width = p.v.width;
    if (residual_is_half()) {
      const Action a = e_.output == ElementType::f16 ? Action::pack_f16 : Action::pack_bf16;
      for (int e = 0; e < width; e += 2)
        ops_.push_back(arithmetic(OpKind::fp32, a, to + e / 2, {x + e, x + std::min(e + 1, width - 1)}));
      return;
    }
    for (int e = 0; e < width; ++e)
      ops_.push_back(arithmetic(OpKind::special, Action::to_integer, x + e, {x + e}));
    e_.output == ElementType::b1 ? pack_bits(width) : pack_integers(width);
  }

  /// Two elements an instruction, the highest first, so that each moves the earlier ones up.
  void pack_integers(int width) {
    const int bits = isa::bits(e_.output), per_word = 32 / bits, x = temporary(t_.value);
    const Action a = e_.output == ElementType::s8   ? Action::pack_s8
                     : e_.output == ElementType::u8 ? Action::pack_u8
                     : e_.output == ElementType::s4 ? Action::pack_s4
                                                    : Action::pack_u4;
    for (int word = 0; word * per_word < width; ++word) {
      const int to = temporary(t_.packed) + word, first = word * per_word;
      ops_.push_back(arithmetic(OpKind::integer, Action::zero, to));
      for (int e = std::min(width, first + per_word) - 1; e >= first; e -= 2) {
        const int low = std::max(e - 1, first);
        ops_.push_back(arithmetic(OpKind::integer, a, to, {x + low, x + e, to}));
      }
    }
  }

  void pack_bits(int width) {
    const int to = temporary(t_.packed);
    ops_.push_back(arithmetic(OpKind::integer, Action::zero, to));
    for (int e = 0; e < width; ++e) {
      add_bookkeeping(ops_, 1);  // ISETP
      ops_.push_back(arithmetic(OpKind::integer, Action::pack_b1, to, {temporary(t_.value) + e, to}));
      ops_.back().argument = e;
    }
  }

  void store_output(const Pass& p) {
    const int bits = p.v.output_bits();
    const int from = temporary(bits >= 32 ? t_.value : t_.packed);
    add_transfers(ops_, OpKind::store_global, Tensor::d, p.v.width * bits / 8, from,
                  [&](WarpOp& op, int lane, int byte) {
                    op.global[std::size_t(lane)] = p.output_byte(lane, bits) + byte;
                    return p.in_output(lane);
                  });
  }

  WarpOps& ops_;
  const WarpPlace& at_;
  const Kernel& k_;
  const Epilogue& e_;
  Temporaries t_;
  int slots_, slot_ = 0;  ///< passes whose registers there is room for; the one of this pass
};

}  // namespace

void add_epilogue(WarpOps& ops, const WarpPlace& at) {
  EpilogueLowering(ops, at).add();
}

}  // namespace twofour::emu
