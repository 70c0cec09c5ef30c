// Sparse mma instructions that read 32 stored bytes (64 logical ones) of each row of A and 64 bytes of each column of
// B, and those of half that k. Operand registers lie in the same place whatever the element type.
//
// Metadata. 256 codes (16 rows x 16 groups) fill one register of the 32 lanes, for every type: the instructions
// that share the register differ in the selector, which names the lanes that are read.
//   MmaSp<...>::run(d, a, b, e)   instruction number Selector of those that share e
#pragma once
#include <cstdint>

// The full k: 4 registers of A, 4 of B. 16- and 32-bit types have two selectors, 8- and 4-bit types one.
#define TWOFOUR_MMA_SP(NAME, SPELLING, REGISTER, CONSTRAINT, SELECTORS)                                      \
  struct NAME {                                                                                              \
    using Register = REGISTER;                                                                               \
    static constexpr int per_lane = 4, selectors = SELECTORS;                                                \
    template <int Selector>                                                                                  \
    __device__ static void run(Register (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[4], uint32_t e) { \
      asm volatile(SPELLING " {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9, %10, %11}, {%0, %1, %2, %3}, %12, %13;" \
                   : "+" CONSTRAINT(d[0]), "+" CONSTRAINT(d[1]), "+" CONSTRAINT(d[2]), "+" CONSTRAINT(d[3])  \
                   : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]), "r"(b[2]), "r"(b[3]), \
                     "r"(e), "n"(Selector));                                                                 \
    }                                                                                                        \
  }

TWOFOUR_MMA_SP(MmaSpF16, "mma.sp.sync.aligned.m16n8k32.row.col.f32.f16.f16.f32", float, "f", 2);
TWOFOUR_MMA_SP(MmaSpF16Ordered, "mma.sp::ordered_metadata.sync.aligned.m16n8k32.row.col.f32.f16.f16.f32", float, "f",
               2);
TWOFOUR_MMA_SP(MmaSpBf16, "mma.sp.sync.aligned.m16n8k32.row.col.f32.bf16.bf16.f32", float, "f", 2);
TWOFOUR_MMA_SP(MmaSpTf32, "mma.sp.sync.aligned.m16n8k16.row.col.f32.tf32.tf32.f32", float, "f", 2);
TWOFOUR_MMA_SP(MmaSpS8, "mma.sp.sync.aligned.m16n8k64.row.col.s32.s8.s8.s32", int, "r", 1);
TWOFOUR_MMA_SP(MmaSpS4, "mma.sp.sync.aligned.m16n8k128.row.col.s32.s4.s4.s32", int, "r", 1);
#undef TWOFOUR_MMA_SP

// f16 accumulators: a register holds two columns.
struct MmaSpF16F16 {
  using Register = uint32_t;
  static constexpr int per_lane = 2, selectors = 2;
  template <int Selector>
  __device__ static void run(Register (&d)[2], const uint32_t (&a)[4], const uint32_t (&b)[4], uint32_t e) {
    asm volatile(
        "mma.sp.sync.aligned.m16n8k32.row.col.f16.f16.f16.f16 {%0, %1}, {%2, %3, %4, %5}, {%6, %7, %8, %9}, {%0, %1}, "
        "%10, %11;"
        : "+r"(d[0]), "+r"(d[1])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]), "r"(b[2]), "r"(b[3]), "r"(e),
          "n"(Selector));
  }
};

// Half the k: 2 registers of A, 2 of B, twice the selectors. Two of them do what one of the above does, in the same
// order of k, but the floating-point blocks may differ in hardware.
#define TWOFOUR_MMA_SP_HALF(NAME, SPELLING, REGISTER, CONSTRAINT, SELECTORS)                                 \
  struct NAME {                                                                                              \
    using Register = REGISTER;                                                                               \
    static constexpr int per_lane = 4, selectors = SELECTORS / 2;                                            \
    template <int Selector>                                                                                  \
    __device__ static void run_half(Register (&d)[4], uint32_t a0, uint32_t a1, uint32_t b0, uint32_t b1,    \
                                    uint32_t e) {                                                            \
      asm volatile(SPELLING " {%0, %1, %2, %3}, {%4, %5}, {%6, %7}, {%0, %1, %2, %3}, %8, %9;"               \
                   : "+" CONSTRAINT(d[0]), "+" CONSTRAINT(d[1]), "+" CONSTRAINT(d[2]), "+" CONSTRAINT(d[3])  \
                   : "r"(a0), "r"(a1), "r"(b0), "r"(b1), "r"(e), "n"(Selector));                             \
    }                                                                                                        \
    template <int Selector>                                                                                  \
    __device__ static void run(Register (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[4], uint32_t e) { \
      run_half<2 * Selector>(d, a[0], a[1], b[0], b[1], e);                                                  \
      run_half<2 * Selector + 1>(d, a[2], a[3], b[2], b[3], e);                                              \
    }                                                                                                        \
  }

TWOFOUR_MMA_SP_HALF(MmaSpF16Half, "mma.sp.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32", float, "f", 4);
TWOFOUR_MMA_SP_HALF(MmaSpTf32Half, "mma.sp.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32", float, "f", 4);
TWOFOUR_MMA_SP_HALF(MmaSpS8Half, "mma.sp.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32", int, "r", 2);
TWOFOUR_MMA_SP_HALF(MmaSpS4Half, "mma.sp.sync.aligned.m16n8k64.row.col.s32.s4.s4.s32", int, "r", 2);
#undef TWOFOUR_MMA_SP_HALF
