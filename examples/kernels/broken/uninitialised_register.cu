// initcheck: the accumulators were never set. (In C++ they would be the compiler's to invent; in PTX the registers are
// declared and read.)
#include <cstdint>

extern "C" __global__ void uninitialised_register(const uint32_t* a, const uint32_t* b, float* d) {
  float r[4];
  const int lane = threadIdx.x;
  asm volatile(
      "{\n"
      "  .reg .f32 %%acc<4>;\n"
      "  mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9},"
      " {%%acc0, %%acc1, %%acc2, %%acc3};\n"
      "}"
      : "=f"(r[0]), "=f"(r[1]), "=f"(r[2]), "=f"(r[3])
      : "r"(a[lane * 4]), "r"(a[lane * 4 + 1]), "r"(a[lane * 4 + 2]), "r"(a[lane * 4 + 3]), "r"(b[lane * 2]),
        "r"(b[lane * 2 + 1]));
  for (int i = 0; i < 4; ++i) d[lane * 4 + i] = r[i];
}
