// Dense mma instructions that read 32 bytes of each row of A and of each column of B. Their registers lie in the
// same place whatever the element type, so that one kernel serves all of them.
#pragma once
#include <cstdint>

// Register: of an accumulator. per_lane: registers of an accumulator tile (16 x 8) in one lane.
#define TWOFOUR_MMA(NAME, SPELLING, REGISTER, CONSTRAINT)                                                    \
  struct NAME {                                                                                              \
    using Register = REGISTER;                                                                               \
    static constexpr int per_lane = 4;                                                                       \
    __device__ static void run(Register (&d)[4], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {         \
      asm volatile(SPELLING " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"               \
                   : "+" CONSTRAINT(d[0]), "+" CONSTRAINT(d[1]), "+" CONSTRAINT(d[2]), "+" CONSTRAINT(d[3])  \
                   : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));                          \
    }                                                                                                        \
  }

TWOFOUR_MMA(MmaF16, "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32", float, "f");
TWOFOUR_MMA(MmaBf16, "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32", float, "f");
TWOFOUR_MMA(MmaTf32, "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32", float, "f");
TWOFOUR_MMA(MmaS8, "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32", int, "r");
TWOFOUR_MMA(MmaS8Clamped, "mma.sync.aligned.m16n8k32.row.col.satfinite.s32.s8.s8.s32", int, "r");
TWOFOUR_MMA(MmaU8, "mma.sync.aligned.m16n8k32.row.col.s32.u8.u8.s32", int, "r");
TWOFOUR_MMA(MmaU8S8, "mma.sync.aligned.m16n8k32.row.col.s32.u8.s8.s32", int, "r");
TWOFOUR_MMA(MmaS4, "mma.sync.aligned.m16n8k64.row.col.s32.s4.s4.s32", int, "r");
TWOFOUR_MMA(MmaB1And, "mma.sync.aligned.m16n8k256.row.col.s32.b1.b1.s32.and.popc", int, "r");
TWOFOUR_MMA(MmaB1Xor, "mma.sync.aligned.m16n8k256.row.col.s32.b1.b1.s32.xor.popc", int, "r");
#undef TWOFOUR_MMA

// f16 accumulators: a register holds two columns.
struct MmaF16F16 {
  using Register = uint32_t;
  static constexpr int per_lane = 2;
  __device__ static void run(Register (&d)[2], const uint32_t (&a)[4], uint32_t b0, uint32_t b1) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f16.f16.f16.f16 {%0, %1}, {%2, %3, %4, %5}, {%6, %7}, {%0, %1};"
        : "+r"(d[0]), "+r"(d[1])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
  }
};
