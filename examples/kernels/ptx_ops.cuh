// PTX instructions that CUDA C++ has no name for: copies to shared memory, ldmatrix.
#pragma once
#include <cstdint>

// Address in the shared window, as cp.async and ldmatrix take it.
__device__ inline uint32_t shared_address(const void* at) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(at));
}

// 16 bytes from global to shared memory, past L1. Complete after a later wait of this thread.
__device__ inline void cp_async_16(uint32_t to, const void* from) {
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(to), "l"(from) : "memory");
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
__device__ inline void ldmatrix_x4(uint32_t (&r)[4], uint32_t row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
               : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
               : "r"(row)
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
// different banks.
template <int RowBytes>
__device__ inline uint32_t swizzled(int row, int unit) {
  static_assert(RowBytes == 64 || RowBytes == 128);
  const int exchange = RowBytes == 64 ? row >> 1 & 3 : row & 7;
  return row * RowBytes + (unit ^ exchange) * 16;
}
