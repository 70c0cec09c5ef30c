// PTX instructions that CUDA C++ has no name for: copies to shared memory, ldmatrix.
#pragma once
#include <cstdint>

// Address in the shared window, as cp.async and ldmatrix take it.
__device__ inline uint32_t shared_address(const void* at) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(at));
}

// 16 bytes from global to shared memory, past L1. Complete after a later wait of this thread.
template <int Offset = 0>
__device__ inline void cp_async_16(uint32_t to, const void* from) {
  asm volatile("cp.async.cg.shared.global [%0 + %2], [%1], 16;" ::"r"(to), "l"(from), "n"(Offset) : "memory");
}
// The same, of which only the first `bytes` are read; the rest of the 16 becomes zero.
__device__ inline void cp_async_16(uint32_t to, const void* from, int bytes) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(to), "l"(from), "r"(bytes) : "memory");
}
__device__ inline void cp_async_commit() { asm volatile("cp.async.commit_group;" ::: "memory"); }
// Waits until at most `Pending` of this thread's youngest groups are under way.
template <int Pending>
__device__ inline void cp_async_wait() {
  asm volatile("cp.async.wait_group %0;" ::"n"(Pending) : "memory");
}

// Four 8 x 8 matrices of 16-bit elements. Lane i names row i % 8 (16 bytes) of matrix i / 8; register r of lane
// i receives elements 2 (i % 4) and the next of row i / 4 of matrix r. Wider and narrower elements come along as
// bytes: a row is 4 x 32, 8 x 16, 16 x 8, 32 x 4 or 128 x 1 bits.
template <int Offset = 0>
__device__ inline void ldmatrix_x4(uint32_t (&r)[4], uint32_t row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4 + %5];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(row), "n"(Offset)
               : "memory");
}
// The same, each matrix transposed: lane i receives column i / 4.
__device__ inline void ldmatrix_x4_trans(uint32_t (&r)[4], uint32_t row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(row)
               : "memory");
}

// Byte address of 16-byte unit `unit` of row `row` in a tile of rows of RowBytes. The units of a row are
// exchanged by XOR, so that the same unit of 8 neighbouring rows (what a phase of ldmatrix reads) lies in 32
// different banks. Pairs: two units stay together, so that the same pair of 4 neighbouring rows does.
template <int RowBytes, bool Pairs = false>
__device__ inline uint32_t swizzled(int row, int unit) {
  static_assert(RowBytes == 64 || RowBytes == 128 || RowBytes == 256);
  static_assert(!Pairs || RowBytes == 128);
  const int exchange = Pairs ? (row & 3) << 1 : RowBytes == 64 ? row >> 1 & 3 : row & 7;
  return row * RowBytes + (unit ^ exchange) * 16;
}

// f(0), f(1), ... f(Count - 1), each known to the compiler as `.value`.
template <int Value>
struct Constant {
  static constexpr int value = Value;
};
template <int Count, int First = 0, class F>
__device__ inline void unrolled(const F& f) {
  if constexpr (First < Count) {
    f(Constant<First>{});
    unrolled<Count, First + 1>(f);
  }
}

// Rows of a chunk of k to a swizzled tile in shared memory. A thread copies 16 bytes of every Step-th row, so that
// addresses but for one addition a row are found once.
template <int Rows, int RowBytes, int Threads, bool Pairs = false>
class CopyTile {
  static constexpr int units = RowBytes / 16, step = Threads / units;
  static_assert(Rows % step == 0 && step % 8 == 0);  // every Step-th row exchanges its units alike

 public:
  // `from`: the first byte of row 0; `pitch`: bytes from row to row.
  __device__ CopyTile(const char* from, size_t pitch)
      : from_(from + threadIdx.x / units * pitch + threadIdx.x % units * 16),
        pitch_(step * pitch),
        place_(swizzled<RowBytes, Pairs>(threadIdx.x / units, threadIdx.x % units)) {
    asm("" : "+l"(from_), "+l"(pitch_));  // the compiler shall add to these, not find them again for each row
  }
  __device__ void operator()(uint32_t to, int chunk) const {
    const char* from = from_ + size_t(chunk) * RowBytes;
    unrolled<Rows / step>([&](auto turn) {
      cp_async_16<turn.value * step * RowBytes>(to + place_, from);
      from += pitch_;
      asm("" : "+l"(from));
    });
  }

 private:
  const char* from_;
  size_t pitch_;
  uint32_t place_;
};

// One or two registers to or from memory as one word, which must be aligned.
__device__ inline float2 pair_of(float x, float y) { return make_float2(x, y); }
__device__ inline int2 pair_of(int x, int y) { return make_int2(x, y); }

template <int Count, class Register>
__device__ inline void store_registers(Register* to, const Register* r) {
  static_assert(Count == 1 || Count == 2);
  if constexpr (Count == 1)
    *to = *r;
  else
    *reinterpret_cast<decltype(pair_of(*r, *r))*>(to) = pair_of(r[0], r[1]);
}
template <int Count, class Register>
__device__ inline void load_registers(Register* r, const Register* from) {
  static_assert(Count == 1 || Count == 2);
  if constexpr (Count == 1) {
    *r = *from;
  } else {
    const auto word = *reinterpret_cast<const decltype(pair_of(*r, *r))*>(from);
    r[0] = word.x;
    r[1] = word.y;
  }
}
