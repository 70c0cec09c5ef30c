#pragma once
// One operation on the 32 lanes of a warp. An operation is a lambda without captures on the values of a lane:
// its parameters are the sources in order, its value the result; bool stands for a bit of a predicate. The
// loop is compiled for each SIMD level. Private to emu/ptx.
#include <type_traits>
#include <utility>

#include "twofour/emu/numerics/simd_dispatch.h"
#include "twofour/emu/ptx/alu.h"

/// Attribute of a lambda that lanes() takes: its body goes into the loop of every SIMD level.
#define TWOFOUR_LANE __attribute__((always_inline))
/// Before a loop: its turns depend on no others.
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wpass-failed"  // of loops that are not worth it
#define TWOFOUR_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define TWOFOUR_INDEPENDENT _Pragma("GCC ivdep")
#endif

namespace twofour::emu::ptx {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using s8 = std::int8_t;
using s16 = std::int16_t;
using s32 = std::int32_t;
using s64 = std::int64_t;

inline constexpr int lane_count = 32;
inline constexpr u32 all_lanes = ~0u;

template <std::size_t bytes>
using WordOf =
    std::conditional_t<bytes == 1, u8,
                       std::conditional_t<bytes == 2, u16, std::conditional_t<bytes == 4, u32, u64>>>;

/// Lane `i` of a source register.
template <class T>
TWOFOUR_ALWAYS_INLINE T lane_value(const void* source, int i) {
  if constexpr (std::is_same_v<T, bool>)
    return (*static_cast<const u32*>(source) >> i & 1) != 0;
  else
    return __builtin_bit_cast(T, static_cast<const WordOf<sizeof(T)>*>(source)[i]);
}

/// Writes the lanes of `active`, if there is a destination.
template <class Word>
TWOFOUR_ALWAYS_INLINE void store_lanes(const Word* out, void* destination, u32 active) {
  auto* d = static_cast<Word*>(destination);
  if (d == nullptr) return;
  for (int i = 0; i < lane_count; ++i) d[i] = (active >> i & 1) != 0 ? out[i] : d[i];
}
TWOFOUR_ALWAYS_INLINE void store_predicate(u32 bits, void* destination, u32 active) {
  auto* d = static_cast<u32*>(destination);
  if (d != nullptr) *d = (*d & ~active) | (bits & active);
}

template <class Operation>
struct OperationTraits : OperationTraits<decltype(&Operation::operator())> {};
template <class Operation, class R, class... A>
struct OperationTraits<R (Operation::*)(A...) const> {
  using Result = R;

  template <std::size_t... index>
  static TWOFOUR_ALWAYS_INLINE R at(const AluCall& call, int i, std::index_sequence<index...>) {
    return Operation{}(lane_value<A>(call.s[index], i)...);
  }
  /// The result of lane `i`.
  static TWOFOUR_ALWAYS_INLINE R at(const AluCall& call, int i) {
    return at(call, i, std::index_sequence_for<A...>{});
  }
};

/// The operation's bool result of all lanes.
template <class Operation>
TWOFOUR_ALWAYS_INLINE u32 predicate_of(const AluCall& call) {
  u32 bits = 0;
  for (int i = 0; i < lane_count; ++i) bits |= OperationTraits<Operation>::at(call, i) ? 1u << i : 0u;
  return bits;
}

/// What runs an operation: one result.
template <class Operation>
struct Lanes {
  static TWOFOUR_ALWAYS_INLINE void run(const AluCall& call) {
    using Result = typename OperationTraits<Operation>::Result;
    if constexpr (std::is_same_v<Result, bool>) {
      store_predicate(predicate_of<Operation>(call), call.d[0], call.active);
    } else {
      // A register is a source as a whole or not at all, so that lanes do not wait for one another.
      using Word = WordOf<sizeof(Result)>;
      alignas(64) Word some[lane_count];
      const bool all = call.active == all_lanes && call.d[0] != nullptr;
      Word* const out = all ? static_cast<Word*>(call.d[0]) : some;
      TWOFOUR_INDEPENDENT
      for (int i = 0; i < lane_count; ++i)
        out[i] = __builtin_bit_cast(Word, OperationTraits<Operation>::at(call, i));
      if (!all) store_lanes(some, call.d[0], call.active);
    }
  }
};

template <class Body>
TWOFOUR_TARGET_AVX512 void run_avx512(const AluCall& call) {
  Body::run(call);
}
template <class Body>
TWOFOUR_TARGET_AVX2 void run_avx2(const AluCall& call) {
  Body::run(call);
}
template <class Body>
void run_portable(const AluCall& call) {
  Body::run(call);
}

/// Body::run for this processor.
template <class Body>
AluFunction simd() {
  switch (simd_level()) {
    case SimdLevel::avx512: return run_avx512<Body>;
    case SimdLevel::avx2: return run_avx2<Body>;
    default: return run_portable<Body>;
  }
}

/// An operation on all lanes; `rare` ones are compiled for the baseline alone.
template <class Operation>
AluFunction lanes(Operation) {
  return simd<Lanes<Operation>>();
}
template <class Operation>
AluFunction rare(Operation) {
  return run_portable<Lanes<Operation>>;
}

}  // namespace twofour::emu::ptx
