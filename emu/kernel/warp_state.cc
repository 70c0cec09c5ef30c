#include "twofour/emu/kernel/warp_state.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "twofour/emu/kernel/canonical_nan.h"
#include "twofour/emu/numerics/half.h"
#include "twofour/emu/warp/ldmatrix.h"
#include "twofour/emu/warp/mma.h"
#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

Fragment gather(const std::vector<LaneRegister>& registers, RegisterRange r) {
  Fragment f;
  std::copy_n(registers.begin() + r.first, r.count, f.word.begin());
  return f;
}

void scatter(std::vector<LaneRegister>& registers, RegisterRange r, const Fragment& f) {
  std::copy_n(f.word.begin(), r.count, registers.begin() + r.first);
}

float as_float(std::uint32_t word) {
  return std::bit_cast<float>(word);
}
std::uint32_t as_word(float x) {
  return std::bit_cast<std::uint32_t>(x);
}
std::uint32_t saturated(std::uint32_t word, int low, int high, int bits) {
  return std::uint32_t(std::clamp(std::int32_t(word), low, high)) & ((1u << bits) - 1);
}

std::uint32_t nearest_integer(float x) {
  if (std::isnan(x)) return 0;
  if (x >= 0x1p31f) return INT32_MAX;
  if (x <= -0x1p31f) return std::uint32_t(INT32_MIN);
  return std::uint32_t(std::int32_t(std::nearbyint(x)));
}

std::uint32_t bf16(std::uint32_t word) {
  const float x = as_float(word);
  if (std::isnan(x)) return 0x7fff;
  return (word + 0x7fff + (word >> 16 & 1)) >> 16;
}

/// One lane of an arithmetic instruction on 32-bit registers.
std::uint32_t result(Action action, int argument, std::uint32_t x, std::uint32_t y, std::uint32_t z) {
  switch (action) {
    case Action::widen_low: return canonical_word(half_to_float(x & 0xffff));
    case Action::widen_high: return canonical_word(half_to_float(x >> 16));
    case Action::widen_bf16_low: return x << 16;
    case Action::widen_bf16_high: return x & 0xffff0000;
    case Action::to_float: return as_word(float(std::int32_t(x)));
    case Action::add_float: return canonical_word(as_float(x) + as_float(y));
    case Action::multiply: return canonical_word(as_float(x) * as_float(y));
    case Action::fma: return canonical_word(std::fma(as_float(x), as_float(y), as_float(z)));
    case Action::add_integer: return x + y;
    case Action::relu_float: return as_float(x) > 0 ? x : 0;
    case Action::relu_integer: return std::uint32_t(std::max(std::int32_t(x), 0));
    case Action::to_integer: return nearest_integer(as_float(x));
    case Action::pack_f16:
      return float_to_half(as_float(x)) | std::uint32_t(float_to_half(as_float(y))) << 16;
    case Action::pack_bf16: return bf16(x) | bf16(y) << 16;
    case Action::pack_s8: return z << 16 | saturated(y, -128, 127, 8) << 8 | saturated(x, -128, 127, 8);
    case Action::pack_u8: return z << 16 | saturated(y, 0, 255, 8) << 8 | saturated(x, 0, 255, 8);
    case Action::pack_s4: return z << 8 | saturated(y, -8, 7, 4) << 4 | saturated(x, -8, 7, 4);
    case Action::pack_u4: return z << 8 | saturated(y, 0, 15, 4) << 4 | saturated(x, 0, 15, 4);
    case Action::pack_b1: return y | std::uint32_t(std::int32_t(x) > 0) << argument;
    default: return 0;
  }
}

/// One lane of an instruction on pairs of registers.
std::uint64_t wide_result(Action action, std::uint64_t x, std::uint64_t y, std::uint64_t z) {
  const auto signed_word = [](std::uint64_t word) { return std::int64_t(std::int32_t(word)); };
  switch (action) {
    case Action::add_double:
      return std::bit_cast<std::uint64_t>(std::bit_cast<double>(x) + std::bit_cast<double>(y));
    case Action::scale_wide:
      if (z == 0) return 0;  // of a lane outside D, which loaded no scale
      return std::uint64_t((signed_word(x) * signed_word(y) + (std::int64_t(1) << (z - 1))) >> z);
    case Action::add_wide: return x + std::uint64_t(signed_word(y));
    case Action::relu_wide: return std::int64_t(x) > 0 ? x : 0;
    case Action::saturate_wide:
      return std::uint32_t(std::clamp<std::int64_t>(std::int64_t(x), INT32_MIN, INT32_MAX));
    default: return 0;
  }
}

bool is_wide(Action action) {
  return action == Action::add_double || action == Action::scale_wide || action == Action::add_wide ||
         action == Action::relu_wide || action == Action::saturate_wide;
}

}  // namespace

WarpState::WarpState(const GlobalMemory& global, std::span<std::byte> shared, CopyMoment moment,
                     const NumericOptions& numeric)
    : registers_(256),
      global_(global),
      shared_(shared),
      numeric_(numeric),
      copies_{AsyncCopies(global[Tensor::a], shared, moment),
              AsyncCopies(global[Tensor::metadata], shared, moment),
              AsyncCopies(global[Tensor::b], shared, moment)} {}

void WarpState::execute(const WarpOp& op) {
  switch (op.kind) {
    case OpKind::mma: return multiply(op);
    case OpKind::ldmatrix: return load_matrices(op);
    case OpKind::cp_async: return copy(op);
    case OpKind::load_shared:
    case OpKind::store_shared:
    case OpKind::load_global:
    case OpKind::store_global: return transfer(op);
    case OpKind::commit_group:
      for (AsyncCopies& c : copies_) c.commit_group();
      return;
    case OpKind::wait_group:
      for (AsyncCopies& c : copies_) c.wait_group(op.argument);
      return;
    case OpKind::integer:
    case OpKind::fp32:
    case OpKind::fp64:
    case OpKind::special: return calculate(op);
    case OpKind::barrier:
    case OpKind::arrive:
    case OpKind::branch:
    case OpKind::exit: return;
  }
}

void WarpState::multiply(const WarpOp& op) {
  MmaOperands x;
  x.a = gather(registers_, op.read[0]);
  x.b = gather(registers_, op.read[1]);
  x.c = gather(registers_, op.read[2]);
  if (op.instruction->is_sparse()) x.metadata = registers_[op.read[3].first], x.selector = op.argument;
  scatter(registers_, op.write, emu::execute(*op.instruction, x, numeric_));
}

void WarpState::load_matrices(const WarpOp& op) {
  std::array<std::uint64_t, warp_lanes> addresses;
  std::copy(op.shared.begin(), op.shared.end(), addresses.begin());
  scatter(registers_, op.write, ldmatrix(*op.instruction, shared_, addresses));
}

void WarpState::copy(const WarpOp& op) {
  for (int lane = 0; lane < warp_lanes; ++lane) {
    if (!op.is_active(lane)) continue;
    AsyncCopy c;
    c.size = op.bytes;
    c.cache = op.bytes == 16 ? AsyncCopy::Cache::cg : AsyncCopy::Cache::ca;
    c.shared = op.shared[std::size_t(lane)];
    c.global = std::uint64_t(op.global[std::size_t(lane)]);
    c.source_size = op.reads_global(lane) ? op.bytes : 0;
    copies(op.tensor).copy(c);
  }
}

std::byte* WarpState::place(const WarpOp& op, int lane) {
  const bool shared = op.tensor == Tensor::none;
  const std::span<std::byte> memory = shared ? shared_ : global_[op.tensor];
  const std::int64_t at = shared ? std::int64_t(op.shared[std::size_t(lane)]) : op.global[std::size_t(lane)];
  if (at % op.bytes != 0) fail("lane {}: address {} is not a multiple of {}, the access", lane, at, op.bytes);
  if (at < 0 || at + op.bytes > std::ssize(memory))
    fail("lane {}: {} bytes at {} lie outside the {} bytes of memory", lane, op.bytes, at, memory.size());
  return memory.data() + at;
}

void WarpState::transfer(const WarpOp& op) {
  const bool loads = op.kind == OpKind::load_shared || op.kind == OpKind::load_global;
  const RegisterRange data = loads ? op.write : op.read[0];
  for (int lane = 0; lane < warp_lanes; ++lane) {
    std::array<std::uint32_t, 4> words{};
    if (loads) {
      if (op.is_active(lane)) std::memcpy(words.data(), place(op, lane), std::size_t(op.bytes));
      for (std::size_t r = 0; r < data.count; ++r) registers_[data.first + r][std::size_t(lane)] = words[r];
    } else if (op.is_active(lane)) {
      for (std::size_t r = 0; r < data.count; ++r) words[r] = registers_[data.first + r][std::size_t(lane)];
      std::memcpy(place(op, lane), words.data(), std::size_t(op.bytes));
    }
  }
}

void WarpState::calculate(const WarpOp& op) {
  if (op.action == Action::none) return;
  if (op.action == Action::zero) {
    for (std::size_t r = 0; r < op.write.count; ++r) registers_[op.write.first + r].fill(0);
    return;
  }
  if (is_wide(op.action)) return calculate_wide(op);
  const std::size_t to = op.write.first, x = op.read[0].first, y = op.read[1].first, z = op.read[2].first;
  for (std::size_t lane = 0; lane < warp_lanes; ++lane)
    registers_[to][lane] =
        result(op.action, op.argument, registers_[x][lane], registers_[y][lane], registers_[z][lane]);
}

void WarpState::calculate_wide(const WarpOp& op) {
  for (std::size_t lane = 0; lane < warp_lanes; ++lane) {
    const auto operand = [&](std::size_t i) {
      const RegisterRange r = op.read[i];
      const std::uint64_t high = r.count == 2 ? registers_[r.first + 1u][lane] : 0;
      return registers_[r.first][lane] | high << 32;
    };
    const std::uint64_t y = wide_result(op.action, operand(0), operand(1), operand(2));
    registers_[op.write.first][lane] = std::uint32_t(y);
    if (op.write.count == 2) registers_[op.write.first + 1u][lane] = std::uint32_t(y >> 32);
  }
}

}  // namespace twofour::emu
