// Executes the cases of a twofour case file on a GPU and writes the file with the D words appended.
//   nvcc -std=c++17 -O2 -arch=sm_80 tensor_core_run.cu -o tensor_core_run
//   twofour vectors | ./tensor_core_run | twofour replay -
#include <cuda.h>
#include <cuda_runtime.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>

#include "case_stream.h"

namespace {

using hardware::Form;
using hardware::lanes;

// mma.sp::ordered_metadata: PTX ISA 8.5.
#if CUDA_VERSION >= 12050
#define ORDERED_METADATA
#endif

// ---- The kernels: one a form (and selector), one warp a case. An instruction that the compiled architecture
// lacks is left out of its kernel; Gpu::execute refuses to run it.
#define R1(x) "r"(x[0])
#define R2(x) R1(x), "r"(x[1])
#define R4(x) R2(x), "r"(x[2]), "r"(x[3])
#define R8(x) R4(x), "r"(x[4]), "r"(x[5]), "r"(x[6]), "r"(x[7])
#define OUT_R2(x) "=r"(x[0]), "=r"(x[1])
#define OUT_R4(x) OUT_R2(x), "=r"(x[2]), "=r"(x[3])
#define OUT_R8(x) OUT_R4(x), "=r"(x[4]), "=r"(x[5]), "=r"(x[6]), "=r"(x[7])
#define D1(x) "d"(to_double(x, 0))
#define D2(x) D1(x), "d"(to_double(x, 2))
#define OUT_D2(x) "=d"(wide[0]), "=d"(wide[1])
#define SPARSE "r"(e), "n"(selector)

__device__ double to_double(const uint32_t* x, int at) {
  return __hiloint2double(int(x[at + 1]), int(x[at]));
}

template <int count>
__device__ void load(uint32_t (&to)[count], const uint32_t*& from) {
  for (int r = 0; r < count; ++r, from += lanes) to[r] = *from;
}

#ifdef __CUDA_ARCH__
#define COMPILED_SM (__CUDA_ARCH__ / 10)
#else
#define COMPILED_SM 1000
#endif
#define FROM_70(...) __VA_ARGS__
#if COMPILED_SM >= 72
#define FROM_72(...) __VA_ARGS__
#else
#define FROM_72(...)
#endif
#if COMPILED_SM >= 75
#define FROM_75(...) __VA_ARGS__
#else
#define FROM_75(...)
#endif
#if COMPILED_SM >= 80
#define FROM_80(...) __VA_ARGS__
#else
#define FROM_80(...)
#endif
#if COMPILED_SM >= 89
#define FROM_89(...) __VA_ARGS__
#else
#define FROM_89(...)
#endif

// Words (R) are where they belong; the doubles of an f64 form (D) are taken apart.
template <int count>
__device__ void split(const double (&wide)[2], uint32_t (&d)[count]) {
  for (int r = 0; r < count; ++r)
    d[r] = uint32_t(r % 2 == 0 ? __double2loint(wide[r / 2 % 2]) : __double2hiint(wide[r / 2 % 2]));
}
#define START_R
#define START_D double wide[2] = {}
#define FINISH_R
#define FINISH_D split(wide, d)

// clang-format off
#define ROW(id, name, qualifier, sm, na, nb, nc, nd, selectors, kind, text, outputs, ...)       \
  template <int selector>                                                                       \
  __global__ void id(const uint32_t* in, uint32_t* out, int cases) {                            \
    const int at = (blockIdx.x * blockDim.x + threadIdx.x) / lanes, lane = threadIdx.x % lanes; \
    if (at >= cases) return;                                                                    \
    const uint32_t* from = in + size_t(at) * (na + nb + nc + (selectors > 0)) * lanes + lane;   \
    uint32_t a[na], b[nb], c[nc], d[nd] = {}, e = 0;                                            \
    START_##kind;                                                                               \
    load(a, from), load(b, from), load(c, from);                                                \
    if (selectors > 0) e = *from;                                                               \
    FROM_##sm(asm volatile(text : outputs : __VA_ARGS__));                                      \
    FINISH_##kind;                                                                              \
    for (int r = 0; r < nd; ++r) out[(size_t(at) * nd + r) * lanes + lane] = d[r];              \
  }
// clang-format on

#include "mma_rows.inc"
#undef ROW

// ---- The table of forms.
using Kernel = void (*)(const uint32_t*, uint32_t*, int);
struct Entry : Form {
  Kernel kernels[4];  ///< by selector
};
#define KERNELS_0(id) id<0>
#define KERNELS_1(id) id<0>
#define KERNELS_2(id) id<0>, id<1>
#define KERNELS_4(id) id<0>, id<1>, id<2>, id<3>
#define ROW(id, name, qualifier, sm, na, nb, nc, nd, selectors, ...) \
  {{name, qualifier, sm, na, nb, nc, nd, selectors}, {KERNELS_##selectors(id)}},
const Entry entries[] = {
#include "mma_rows.inc"
};
#undef ROW

void check(cudaError_t status, const std::string& what) {
  if (status != cudaSuccess) throw std::runtime_error("CUDA: " + what + ": " + cudaGetErrorString(status));
}

/// Device memory of words.
class DeviceWords {
 public:
  explicit DeviceWords(size_t count) { check(cudaMalloc(&words_, count * sizeof(uint32_t)), "cudaMalloc"); }
  ~DeviceWords() { cudaFree(words_); }
  DeviceWords(const DeviceWords&) = delete;
  uint32_t* get() { return words_; }

 private:
  uint32_t* words_ = nullptr;
};

class Gpu : public hardware::Machine {
 public:
  Gpu() { check(cudaGetDeviceProperties(&properties_, 0), "device 0"); }
  int compute_capability() const override { return 10 * properties_.major + properties_.minor; }
  std::string name() const override { return properties_.name; }

  const Form* find(const std::string& name, const std::string& qualifier) const override {
    for (const Entry& entry : entries)
      if (name == entry.name && qualifier == entry.qualifier) return &entry;
    return nullptr;
  }

  std::vector<uint32_t> execute(const Form& form, int selector, const std::vector<uint32_t>& in,
                                int cases) override {
    const Kernel kernel = static_cast<const Entry&>(form).kernels[selector];
    cudaFuncAttributes attributes;
    check(cudaFuncGetAttributes(&attributes, reinterpret_cast<const void*>(kernel)), form.name);
    if (attributes.ptxVersion < form.sm)
      throw std::runtime_error(std::string(form.name) + ": this program was built for sm_" +
                               std::to_string(attributes.ptxVersion) + "; build it with -arch=sm_" +
                               std::to_string(compute_capability()));
    std::vector<uint32_t> out(size_t(cases) * size_t(form.d) * lanes);
    DeviceWords device_in(in.size()), device_out(out.size());
    constexpr int warps = 4;
    check(cudaMemcpy(device_in.get(), in.data(), in.size() * sizeof(uint32_t), cudaMemcpyHostToDevice),
          "copy");
    kernel<<<(cases + warps - 1) / warps, warps * lanes>>>(device_in.get(), device_out.get(), cases);
    check(cudaGetLastError(), form.name);
    check(cudaMemcpy(out.data(), device_out.get(), out.size() * sizeof(uint32_t), cudaMemcpyDeviceToHost),
          form.name);
    return out;
  }

 private:
  cudaDeviceProp properties_{};
};

}  // namespace

int main(int argc, char** argv) {
  const bool help = argc == 2 && std::strcmp(argv[1], "--help") == 0;
  if (argc > 2 || help) {
    std::fprintf(help ? stdout : stderr,
                 "Usage: tensor_core_run [FILE]\nReads cases of `twofour vectors` from FILE or standard "
                 "input and writes them with this GPU's answers.\n");
    return help ? 0 : 2;
  }
  try {
    std::ifstream file;
    if (argc == 2) file.open(argv[1]);
    if (argc == 2 && !file) throw std::runtime_error(std::string(argv[1]) + ": cannot be read");
    Gpu gpu;
    std::ios::sync_with_stdio(false);
    hardware::Runner(argc == 2 ? argv[1] : "standard input", argc == 2 ? file : std::cin, std::cout, gpu)
        .run();
  } catch (const std::exception& e) {
    std::fprintf(stderr, "tensor_core_run: %s\n", e.what());
    return 2;
  }
}
