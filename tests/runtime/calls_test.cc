// The route of an unmodified program without its compiler: PTX in a fatbin, registered, launched and read
// back through the exported C functions.
#include <cstring>

#include "calls.h"
#include "twofour/runtime/device_prop.h"

namespace twofour::runtime {
namespace {

const CudaLibrary& cuda() {
  static const CudaLibrary library(TWOFOUR_CUDART_13);
  return library;
}

template <class T>
class DeviceArray {
 public:
  explicit DeviceArray(const std::vector<T>& values) : bytes_(values.size() * sizeof(T)) {
    EXPECT_EQ(cuda().call("cudaMalloc", &pointer_, bytes_), cudaSuccess);
    EXPECT_EQ(cuda().call("cudaMemcpy", pointer_, static_cast<const void*>(values.data()), bytes_,
                          cudaMemcpyHostToDevice),
              cudaSuccess);
  }
  ~DeviceArray() { cuda().call("cudaFree", pointer_); }
  std::vector<T> read() const {
    std::vector<T> values(bytes_ / sizeof(T));
    EXPECT_EQ(cuda().call("cudaMemcpy", static_cast<void*>(values.data()), static_cast<const void*>(pointer_),
                          bytes_, cudaMemcpyDeviceToHost),
              cudaSuccess);
    return values;
  }
  void* argument() { return &pointer_; }

 private:
  void* pointer_ = nullptr;
  std::size_t bytes_;
};

constexpr dim3 one{1, 1, 1};

TEST(Calls, VectorAdd) {
  Program program(cuda(), "vector_add");
  const void* add = program.kernel("_Z3addPKfS0_Pfi");
  std::vector<float> x(300), y(300);
  for (int i = 0; i < 300; ++i) x[i] = float(i), y[i] = 0.5f * float(i);
  DeviceArray<float> a(x), b(y), c(std::vector<float>(300, -1));
  int n = 299;
  EXPECT_EQ(program.launch(add, {3, 1, 1}, {128, 1, 1}, 0, {a.argument(), b.argument(), c.argument(), &n}),
            cudaSuccess);
  const auto got = c.read();
  for (int i = 0; i < n; ++i) EXPECT_EQ(got[i], 1.5f * float(i));
  EXPECT_EQ(got[299], -1);
}

TEST(Calls, ManagedMemoryIsTheHosts) {
  if (!host_shares_memory) GTEST_SKIP() << "no shared memory under the thread sanitizer";
  Program program(cuda(), "vector_add");
  const void* fill = program.kernel("_Z4fillPddi");
  double* values = nullptr;
  ASSERT_EQ(cuda().call("cudaMallocManaged", &values, std::size_t{64 * 8}, 1u), cudaSuccess);
  double value = 2.5;
  int n = 63;
  values[63] = 7;
  EXPECT_EQ(program.launch(fill, one, {32, 1, 1}, 0, {&values, &value, &n}), cudaSuccess);
  EXPECT_EQ(values[0], 2.5);
  EXPECT_EQ(values[62], 2.5);
  EXPECT_EQ(values[63], 7);
  EXPECT_EQ(cuda().call("cudaFree", static_cast<void*>(values)), cudaSuccess);
}

TEST(Calls, ReductionWithDynamicSharedMemory) {
  Program program(cuda(), "reduction");
  const void* sum = program.kernel("_Z3sumIiEvPKT_PS0_i");
  std::vector<int> values(5000);
  int expected = 0;
  for (int i = 0; i < 5000; ++i) expected += values[i] = i % 7;
  DeviceArray<int> in(values), out({0});
  int n = 5000;
  EXPECT_EQ(program.launch(sum, {6, 1, 1}, {128, 1, 1}, 512, {in.argument(), out.argument(), &n}),
            cudaSuccess);
  EXPECT_EQ(out.read()[0], expected);

  int blocks = -1;
  EXPECT_EQ(cuda().call("cudaOccupancyMaxActiveBlocksPerMultiprocessor", &blocks, sum, 128, std::size_t{512}),
            cudaSuccess);
  EXPECT_EQ(blocks, 16);  // 64 warps of an SM, 4 a CTA
  // More than 48 KiB only after it was asked for, and never more than the machine has.
  const std::size_t much = 60 << 10;
  n = 0;
  EXPECT_EQ(program.launch(sum, one, {32, 1, 1}, much, {in.argument(), out.argument(), &n}),
            cudaErrorInvalidValue);
  EXPECT_EQ(cuda().call("cudaFuncSetAttribute", sum, 8, 164 << 10), cudaErrorInvalidValue);
  EXPECT_EQ(cuda().call("cudaFuncSetAttribute", sum, 8, int(much)), cudaSuccess);
  EXPECT_EQ(program.launch(sum, one, {32, 1, 1}, much, {in.argument(), out.argument(), &n}), cudaSuccess);
}

TEST(Calls, Variables) {
  Program program(cuda(), "symbols");
  const void* use = program.kernel("_Z3usePf");
  const void* weights = program.variable("weights", 1);
  const void* counter = program.variable("counter", 0);
  const void* plane = program.variable("plane", 0);
  int** count = reinterpret_cast<int**>(program.managed("shared_count"));
  ASSERT_NE(*count, nullptr);
  EXPECT_EQ(**count, 3);
  std::size_t size = 0;
  EXPECT_EQ(cuda().call("cudaGetSymbolSize", &size, plane), cudaSuccess);
  EXPECT_EQ(size, 256u);
  const std::vector<float> w{0, 1, 2, 3, 4, 5, 6, 7};
  const auto to_symbol = [&](std::size_t bytes, std::size_t offset) {
    return cuda().call("cudaMemcpyToSymbol", weights, static_cast<const void*>(w.data()), bytes, offset,
                       cudaMemcpyHostToDevice);
  };
  EXPECT_EQ(to_symbol(32, 0), cudaSuccess);
  EXPECT_EQ(to_symbol(32, 4), cudaErrorInvalidValue);
  DeviceArray<float> out(std::vector<float>(32));
  EXPECT_EQ(program.launch(use, one, {32, 1, 1}, 0, {out.argument()}), cudaSuccess);
  const int primes[4] = {2, 3, 5, 7};
  const auto got = out.read();
  for (int i = 0; i < 32; ++i) EXPECT_EQ(got[i], w[i % 8] * float(primes[i % 4]));
  int counted = 0;
  EXPECT_EQ(cuda().call("cudaMemcpyFromSymbol", static_cast<void*>(&counted), counter, std::size_t{4},
                        std::size_t{0}, cudaMemcpyDeviceToHost),
            cudaSuccess);
  EXPECT_EQ(counted, 10 + 32);
  EXPECT_EQ(**count, 10);
  EXPECT_EQ(cuda().call("cudaGetSymbolSize", &size, static_cast<const void*>(&size)), cudaErrorInvalidSymbol);
}

TEST(Calls, LaunchesThatCudaRefuses) {
  Program program(cuda(), "device_query");
  const void* nothing = program.kernel("_Z7nothingPi");
  DeviceArray<int> p({0});
  const auto launch = [&](dim3 grid, dim3 block, std::size_t shared = 0) {
    return program.launch(nothing, grid, block, shared, {p.argument()});
  };
  EXPECT_EQ(launch(one, {256, 1, 1}), cudaSuccess);
  EXPECT_EQ(launch(one, {257, 1, 1}), cudaErrorInvalidValue);  // __launch_bounds__(256)
  EXPECT_EQ(launch(one, {1025, 1, 1}), cudaErrorInvalidConfiguration);
  EXPECT_EQ(launch(one, {1, 1, 65}), cudaErrorInvalidConfiguration);
  EXPECT_EQ(launch({0, 1, 1}, {32, 1, 1}), cudaErrorInvalidConfiguration);
  EXPECT_EQ(launch({1, 65536, 1}, {32, 1, 1}), cudaErrorInvalidConfiguration);
  EXPECT_EQ(launch(one, {32, 1, 1}, (48 << 10) - 400), cudaSuccess);
  EXPECT_EQ(launch(one, {32, 1, 1}, (48 << 10) - 399), cudaErrorInvalidValue);
  cudaFuncAttributes a{};
  EXPECT_EQ(cuda().call("cudaFuncGetAttributes", &a, nothing), cudaSuccess);
  EXPECT_EQ(a.sharedSizeBytes, 400u);
  EXPECT_EQ(a.maxThreadsPerBlock, 256);
  EXPECT_EQ(program.launch(program.kernel("no_such_kernel"), one, one, 0, {}),
            cudaErrorInvalidDeviceFunction);
  EXPECT_EQ(cuda().call("cudaGetLastError"), cudaErrorInvalidDeviceFunction);
  EXPECT_EQ(cuda().call("cudaGetLastError"), cudaSuccess);
}

TEST(Calls, CopiesAndFillsOfRows) {
  void* device = nullptr;
  std::size_t pitch = 0;
  ASSERT_EQ(cuda().call("cudaMallocPitch", &device, &pitch, std::size_t{40}, std::size_t{3}), cudaSuccess);
  EXPECT_EQ(pitch, 512u);
  EXPECT_EQ(cuda().call("cudaMemset2D", device, pitch, 9, std::size_t{40}, std::size_t{3}), cudaSuccess);
  std::vector<char> in(3 * 10), out(3 * 40);
  for (int i = 0; i < 30; ++i) in[i] = char(i);
  EXPECT_EQ(cuda().call("cudaMemcpy2D", device, pitch, static_cast<const void*>(in.data()), std::size_t{10},
                        std::size_t{10}, std::size_t{3}, cudaMemcpyHostToDevice),
            cudaSuccess);
  EXPECT_EQ(cuda().call("cudaMemcpy2D", static_cast<void*>(out.data()), std::size_t{40},
                        static_cast<const void*>(device), pitch, std::size_t{40}, std::size_t{3},
                        cudaMemcpyDeviceToHost),
            cudaSuccess);
  for (int row = 0; row < 3; ++row)
    for (int i = 0; i < 40; ++i) EXPECT_EQ(out[row * 40 + i], i < 10 ? row * 10 + i : 9);
  EXPECT_EQ(cuda().call("cudaMemset2D", device, std::size_t{39}, 9, std::size_t{40}, std::size_t{3}),
            cudaErrorInvalidPitchValue);
  EXPECT_EQ(cuda().call("cudaMemset", device, 0, std::size_t{1 << 20}), cudaErrorInvalidValue);
  EXPECT_EQ(cuda().call("cudaFree", static_cast<void*>(in.data())), cudaErrorInvalidValue);
  EXPECT_EQ(cuda().call("cudaFreeHost", device), cudaErrorInvalidValue);
  EXPECT_EQ(cuda().call("cudaFree", device), cudaSuccess);
  EXPECT_EQ(cuda().call("cudaFree", device), cudaErrorInvalidValue);
}

TEST(Calls, StreamsAndEventsAreInOrder) {
  cudaStream_t stream = nullptr;
  cudaEvent_t first = nullptr, second = nullptr;
  ASSERT_EQ(cuda().call("cudaStreamCreateWithFlags", &stream, 1u), cudaSuccess);
  ASSERT_EQ(cuda().call("cudaEventCreate", &first), cudaSuccess);
  ASSERT_EQ(cuda().call("cudaEventCreate", &second), cudaSuccess);
  float ms = -1;
  EXPECT_EQ(cuda().call("cudaEventElapsedTime", &ms, first, second), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cuda().call("cudaEventRecord", first, stream), cudaSuccess);
  EXPECT_EQ(cuda().call("cudaEventRecord_ptsz", second, stream), cudaSuccess);
  EXPECT_EQ(cuda().call("cudaEventElapsedTime", &ms, first, second), cudaSuccess);
  EXPECT_GE(ms, 0);
  EXPECT_EQ(cuda().call("cudaStreamQuery", stream), cudaSuccess);
  EXPECT_EQ(cuda().call("cudaStreamDestroy", stream), cudaSuccess);
  EXPECT_EQ(cuda().call("cudaStreamSynchronize", stream), cudaErrorInvalidResourceHandle);
  for (std::uintptr_t standard = 0; standard < 3; ++standard)
    EXPECT_EQ(cuda().call("cudaStreamSynchronize", reinterpret_cast<cudaStream_t>(standard)), cudaSuccess);
}

TEST(Calls, MemoryOfTheMachineIsAllThereIs) {
  std::size_t free = 0, total = 0;
  ASSERT_EQ(cuda().call("cudaMemGetInfo", &free, &total), cudaSuccess);
  EXPECT_EQ(total, std::size_t{80} << 30);
  void* p = nullptr;
  EXPECT_EQ(cuda().call("cudaMalloc", &p, free + 1), cudaErrorMemoryAllocation);
  EXPECT_EQ(cuda().call("cudaMalloc", &p, ~std::size_t{0}), cudaErrorMemoryAllocation);
}

TEST(Calls, WhatIsNotThereSaysSo) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(cuda().call("cudaIpcGetMemHandle", static_cast<void*>(nullptr), static_cast<void*>(nullptr)),
            cudaErrorNotSupported);
  EXPECT_EQ(cuda().call("cudaIpcGetMemHandle", static_cast<void*>(nullptr), static_cast<void*>(nullptr)),
            cudaErrorNotSupported);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "twofour: not implemented: cudaIpcGetMemHandle\n");
  const auto text = cuda().find<const char*(cudaError_t)>("cudaGetErrorString", "libcudart.so.13");
  EXPECT_STREQ(text(cudaErrorNotSupported), "operation not supported");
  EXPECT_EQ(cuda().call("cudaGetLastError"), cudaErrorNotSupported);
}

// Last in its process: until the reset nothing works.
TEST(CallsSticky, AKernelsErrorStays) {
  Program program(cuda(), "out_of_bounds");
  const void* write = program.kernel("_Z5writePi");
  DeviceArray<int> p(std::vector<int>(16));
  testing::internal::CaptureStderr();
  const cudaError_t error = program.launch(write, one, {32, 1, 1}, 0, {p.argument()});
  EXPECT_NE(testing::internal::GetCapturedStderr().find("_Z5writePi"), std::string::npos);
  EXPECT_EQ(error, cudaErrorIllegalAddress);
  EXPECT_EQ(cuda().call("cudaDeviceSynchronize"), error);
  EXPECT_EQ(cuda().call("cudaGetLastError"), error);
  EXPECT_EQ(cuda().call("cudaGetLastError"), error);
  EXPECT_EQ(cuda().call("cudaDeviceReset"), cudaSuccess);
  EXPECT_EQ(cuda().call("cudaDeviceSynchronize"), cudaSuccess);
}

TEST(Calls, PropertiesInBothLayouts) {
  DeviceProp13 p{};
  EXPECT_EQ(cuda().call("cudaGetDeviceProperties", &p, 0), cudaSuccess);
  EXPECT_STREQ(p.head.name, "NVIDIA A100-SXM4-80GB");
  EXPECT_EQ(cuda().call("cudaGetDeviceProperties", &p, 1), cudaErrorInvalidDevice);
  const CudaLibrary older(TWOFOUR_CUDART_12);
  DeviceProp12 q{};
  EXPECT_EQ(
      older.find<cudaError_t(DeviceProp12*, int)>("cudaGetDeviceProperties_v2", "libcudart.so.12")(&q, 0),
      cudaSuccess);
  EXPECT_EQ(q.sms, p.sms);
  EXPECT_EQ(q.clock_khz, 1410000);

  // CUDA 11's, and nothing behind it.
  DeviceProp12 v1;
  std::memset(&v1, 0x55, sizeof v1);
  EXPECT_EQ(older.find<cudaError_t(DeviceProp12*, int)>("cudaGetDeviceProperties", "libcudart.so.12")(&v1, 0),
            cudaSuccess);
  EXPECT_EQ(v1.sms, p.sms);
  EXPECT_EQ(v1.shared_reserved, q.shared_reserved);
  EXPECT_EQ(v1.host_register, 0x55555555);
}

}  // namespace
}  // namespace twofour::runtime
