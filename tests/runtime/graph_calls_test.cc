// Graphs, arrays, textures and registered memory through the exported C functions.
#include <fmt/format.h>

#include <numeric>

#include "calls.h"
#include "fatbin_builder.h"
#include "twofour/isa/file.h"

namespace twofour::runtime {
namespace {

const CudaLibrary& cuda() {
  static const CudaLibrary library(TWOFOUR_CUDART_13);
  return library;
}

constexpr dim3 one{1, 1, 1};

struct KernelNode {
  const void* function;
  dim3 grid, block;
  unsigned shared;
  void** arguments;
  void** extra;
};

/// What `fill` writes: 32 doubles.
class Values {
 public:
  Values() { EXPECT_EQ(cuda().call("cudaMallocManaged", &values_, std::size_t{256}, 1u), cudaSuccess); }
  ~Values() { cuda().call("cudaFree", static_cast<void*>(values_)); }
  double& operator[](int i) { return values_[i]; }
  double** address() { return &values_; }
  void* pointer() { return values_; }

 private:
  double* values_ = nullptr;
};

TEST(GraphCalls, NodesRunInTheOrderOfTheirDependencies) {
  if (!host_shares_memory) GTEST_SKIP() << "no shared memory under the thread sanitizer";
  Program program(cuda(), "vector_add");
  const void* fill = program.kernel("_Z4fillPddi");
  Values v;
  double first = 1, second = 2;
  int many = 32, few = 8;
  void* to_all[] = {v.address(), &first, &many};
  void* to_few[] = {v.address(), &second, &few};
  cudaGraph_t graph = nullptr;
  cudaGraphNode_t a = nullptr, b = nullptr, copy = nullptr;
  ASSERT_EQ(cuda().call("cudaGraphCreate", &graph, 0u), cudaSuccess);
  // Added in the wrong order; the dependency comes afterwards.
  const KernelNode all{fill, one, {32, 1, 1}, 0, to_all, nullptr},
      part{fill, one, {32, 1, 1}, 0, to_few, nullptr};
  const auto add = [&](cudaGraphNode_t* node, const cudaGraphNode_t* after, std::size_t count,
                       const KernelNode& k) {
    return cuda().call("cudaGraphAddKernelNode", node, graph, after, count, static_cast<const void*>(&k));
  };
  ASSERT_EQ(add(&b, nullptr, 0, part), cudaSuccess);
  ASSERT_EQ(add(&a, nullptr, 0, all), cudaSuccess);
  const auto depend = [&](const cudaGraphNode_t& from, const cudaGraphNode_t& to) {
    return cuda().call("cudaGraphAddDependencies", graph, &from, &to, static_cast<const void*>(nullptr),
                       std::size_t{1});
  };
  ASSERT_EQ(depend(a, b), cudaSuccess);
  double out[32] = {};
  ASSERT_EQ(cuda().call("cudaGraphAddMemcpyNode1D", &copy, graph, static_cast<const cudaGraphNode_t*>(&b),
                        std::size_t{1}, static_cast<void*>(out), static_cast<const void*>(v.pointer()),
                        std::size_t{256}, cudaMemcpyDeviceToHost),
            cudaSuccess);
  first = second = -1;  // arguments were copied
  cudaGraphExec_t executable = nullptr;
  ASSERT_EQ(cuda().call("cudaGraphInstantiate", &executable, graph, 0ull), cudaSuccess);
  EXPECT_EQ(v[0], 0);
  ASSERT_EQ(cuda().call("cudaGraphLaunch", executable, cudaStream_t{}), cudaSuccess);
  for (int i = 0; i < 32; ++i) EXPECT_EQ(out[i], i < 8 ? 2 : 1);

  // Other arguments for the executable graph alone.
  second = 5;
  EXPECT_EQ(cuda().call("cudaGraphExecKernelNodeSetParams", executable, b, static_cast<const void*>(&part)),
            cudaSuccess);
  ASSERT_EQ(cuda().call("cudaGraphLaunch", executable, cudaStream_t{}), cudaSuccess);
  EXPECT_EQ(out[0], 5);
  EXPECT_EQ(cuda().call("cudaGraphNodeSetEnabled", executable, b, 0u), cudaSuccess);
  ASSERT_EQ(cuda().call("cudaGraphLaunch", executable, cudaStream_t{}), cudaSuccess);
  EXPECT_EQ(out[0], 1);
  EXPECT_EQ(cuda().call("cudaGraphExecDestroy", executable), cudaSuccess);
  EXPECT_EQ(cuda().call("cudaGraphLaunch", executable, cudaStream_t{}), cudaErrorInvalidValue);
  ASSERT_EQ(depend(copy, a), cudaSuccess);
  EXPECT_EQ(cuda().call("cudaGraphInstantiate", &executable, graph, 0ull),
            cudaErrorInvalidValue);  // a circle
  EXPECT_EQ(cuda().call("cudaGraphDestroy", graph), cudaSuccess);
  EXPECT_EQ(cuda().call("cudaGraphDestroy", graph), cudaErrorInvalidValue);
  EXPECT_EQ(add(&a, nullptr, 0, all), cudaErrorInvalidValue);
}

TEST(GraphCalls, CapturedWorkWaitsForTheLaunch) {
  if (!host_shares_memory) GTEST_SKIP() << "no shared memory under the thread sanitizer";
  Values v;
  cudaStream_t first = nullptr, second = nullptr;
  cudaEvent_t forked = nullptr, joined = nullptr;
  ASSERT_EQ(cuda().call("cudaStreamCreate", &first), cudaSuccess);
  ASSERT_EQ(cuda().call("cudaStreamCreate", &second), cudaSuccess);
  ASSERT_EQ(cuda().call("cudaEventCreate", &forked), cudaSuccess);
  ASSERT_EQ(cuda().call("cudaEventCreate", &joined), cudaSuccess);
  const auto set = [&](int byte, std::size_t bytes, cudaStream_t stream) {
    EXPECT_EQ(cuda().call("cudaMemsetAsync", v.pointer(), byte, bytes, stream), cudaSuccess);
  };
  const auto wait = [&](cudaEvent_t event, cudaStream_t from, cudaStream_t to) {
    EXPECT_EQ(cuda().call("cudaEventRecord", event, from), cudaSuccess);
    EXPECT_EQ(cuda().call("cudaStreamWaitEvent", to, event, 0u), cudaSuccess);
  };
  ASSERT_EQ(cuda().call("cudaStreamBeginCapture", first, 0), cudaSuccess);
  set(1, 256, first);
  wait(forked, first, second);
  set(2, 8, second);
  wait(joined, second, first);
  set(3, 4, first);
  static int calls = 0;
  cudaHostFn_t count = [](void* by) { calls += *static_cast<int*>(by); };
  int by = 10;
  EXPECT_EQ(cuda().call("cudaLaunchHostFunc", first, count, static_cast<void*>(&by)), cudaSuccess);
  int status = 0;
  EXPECT_EQ(cuda().call("cudaStreamIsCapturing", second, &status), cudaSuccess);
  EXPECT_EQ(status, 1);
  cudaGraph_t graph = nullptr;
  ASSERT_EQ(cuda().call("cudaStreamEndCapture", first, &graph), cudaSuccess);
  EXPECT_EQ(cuda().call("cudaStreamEndCapture", first, &graph), cudaErrorStreamCaptureUnmatched);
  std::size_t nodes = 0, roots = 0;
  EXPECT_EQ(cuda().call("cudaGraphGetNodes", graph, static_cast<cudaGraphNode_t*>(nullptr), &nodes),
            cudaSuccess);
  EXPECT_EQ(cuda().call("cudaGraphGetRootNodes", graph, static_cast<cudaGraphNode_t*>(nullptr), &roots),
            cudaSuccess);
  EXPECT_EQ(nodes, 4u);
  EXPECT_EQ(roots, 1u);
  EXPECT_EQ(v[0], 0);
  EXPECT_EQ(calls, 0);
  cudaGraphExec_t executable = nullptr;
  ASSERT_EQ(cuda().call("cudaGraphInstantiate", &executable, graph, 0ull), cudaSuccess);
  EXPECT_EQ(cuda().call("cudaGraphDestroy", graph), cudaSuccess);
  for (int i = 1; i <= 2; ++i) {
    EXPECT_EQ(cuda().call("cudaGraphLaunch", executable, second), cudaSuccess);
    EXPECT_EQ(calls, 10 * i);
  }
  const auto* bytes = static_cast<const char*>(v.pointer());
  EXPECT_EQ(bytes[0], 3);
  EXPECT_EQ(bytes[4], 2);
  EXPECT_EQ(bytes[8], 1);
  EXPECT_EQ(bytes[255], 1);
  set(9, 1, first);
  EXPECT_EQ(bytes[0], 9);
}

TEST(ArrayCalls, BoxesToArraysAndBack) {
  const cudaChannelFormatDesc format{16, 16, 0, 0, 1};
  cudaArray_t array = nullptr;
  ASSERT_EQ(cuda().call("cudaMalloc3DArray", &array, &format, cudaExtent{5, 4, 3}, 1u), cudaSuccess);
  std::vector<std::uint32_t> in(5 * 4 * 3), out(2 * 3 * 2);
  std::iota(in.begin(), in.end(), 0);
  cudaMemcpy3DParms c = {};
  c.srcPtr = {in.data(), 20, 5, 4};
  c.dstArray = array;
  c.extent = {5, 4, 3};
  c.kind = cudaMemcpyHostToDevice;
  EXPECT_EQ(cuda().call("cudaMemcpy3D", static_cast<const cudaMemcpy3DParms*>(&c)), cudaSuccess);
  c = {};
  c.srcArray = array;
  c.srcPos = {3, 1, 1};
  c.dstPtr = {out.data(), 8, 2, 3};
  c.extent = {2, 3, 2};
  c.kind = cudaMemcpyDeviceToHost;
  EXPECT_EQ(cuda().call("cudaMemcpy3D", static_cast<const cudaMemcpy3DParms*>(&c)), cudaSuccess);
  for (std::uint32_t z = 0; z < 2; ++z)
    for (std::uint32_t y = 0; y < 3; ++y)
      for (std::uint32_t x = 0; x < 2; ++x)
        EXPECT_EQ(out[(z * 3 + y) * 2 + x], ((z + 1) * 4 + y + 1) * 5 + x + 3);
  c.srcPos.x = 4;
  EXPECT_EQ(cuda().call("cudaMemcpy3D", static_cast<const cudaMemcpy3DParms*>(&c)), cudaErrorInvalidValue);
  c.srcPos = {0, ~std::size_t{0}, 0};
  EXPECT_EQ(cuda().call("cudaMemcpy3D", static_cast<const cudaMemcpy3DParms*>(&c)), cudaErrorInvalidValue);
  EXPECT_EQ(cuda().call("cudaFreeArray", array), cudaSuccess);
  EXPECT_EQ(cuda().call("cudaFreeArray", array), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cuda().call("cudaMalloc3DArray", &array, &format, cudaExtent{1 << 20, 1 << 20, 1 << 20}, 0u),
            cudaErrorMemoryAllocation);
}

TEST(HostMemoryCalls, KernelsReachRegisteredMemory) {
  if (!host_shares_memory) GTEST_SKIP() << "no shared memory under the thread sanitizer";
  Program program(cuda(), "vector_add");
  const void* fill = program.kernel("_Z4fillPddi");
  std::vector<double> memory(1 << 16);
  auto* p = memory.data();
  double value = 4;
  int n = 100;
  const std::size_t bytes = memory.size() * 8;
  ASSERT_EQ(cuda().call("cudaHostRegister", static_cast<void*>(p), bytes, 2u), cudaSuccess);
  EXPECT_EQ(cuda().call("cudaHostRegister", static_cast<void*>(p + 5), std::size_t{8}, 2u),
            cudaErrorHostMemoryAlreadyRegistered);
  void* device = nullptr;
  EXPECT_EQ(cuda().call("cudaHostGetDevicePointer", &device, static_cast<void*>(p), 0u), cudaSuccess);
  EXPECT_EQ(program.launch(fill, one, {128, 1, 1}, 0, {&device, &value, &n}), cudaSuccess);
  EXPECT_EQ(memory[99], 4);
  EXPECT_EQ(memory[100], 0);
  EXPECT_EQ(cuda().call("cudaFreeHost", static_cast<void*>(p)), cudaErrorInvalidValue);
  EXPECT_EQ(cuda().call("cudaHostUnregister", static_cast<void*>(p)), cudaSuccess);
  EXPECT_EQ(cuda().call("cudaHostGetDevicePointer", &device, static_cast<void*>(p), 0u),
            cudaErrorInvalidValue);
}

// What nvcc -rdc=true makes: a wrapper of version 2 with a list of fatbins.
TEST(LinkedCalls, DeviceCodeOfSeveralFilesIsOne) {
  const auto fatbin = [](const std::string& name) {
    const std::string path = fmt::format("{}/tests/runtime/programs/{}.ptx", TWOFOUR_SOURCE_DIR, name);
    return FatbinBuilder({{.text = isa::read_file(path), .packing = Packing::lz4}}).bytes();
  };
  const std::string empty = FatbinBuilder(std::vector<EntrySpec>{}).bytes(), add = fatbin("vector_add"),
                    sum = fatbin("reduction");
  const void* list[] = {add.data(), sum.data(), nullptr};
  const struct {
    std::uint32_t magic, version;
    const void *data, *list;
  } wrapper{0x466243b1, 2, empty.data(), list};
  void** handle = cuda().find<void**(const void*)>("__cudaRegisterFatBinary", "libcudart.so.13")(&wrapper);
  using Register = void(void**, const char*, char*, const char*, int, void*, void*, void*, void*, int*);
  const auto kernel = [&](const char* name, const char* host) {
    cuda().find<Register>("__cudaRegisterFunction", "libcudart.so.13")(
        handle, host, const_cast<char*>(name), name, -1, nullptr, nullptr, nullptr, nullptr, nullptr);
    cudaFuncAttributes attributes{};
    return cuda().call("cudaFuncGetAttributes", &attributes, static_cast<const void*>(host));
  };
  EXPECT_EQ(kernel("_Z4fillPddi", "a"), cudaSuccess);
  EXPECT_EQ(kernel("_Z3sumIiEvPKT_PS0_i", "b"), cudaSuccess);
  EXPECT_EQ(kernel("_Z4nonePi", "c"), cudaErrorInvalidDeviceFunction);
}

TEST(CooperativeCalls, MoreBlocksThanAreResidentAreRefused) {
  if (!host_shares_memory) GTEST_SKIP() << "no shared memory under the thread sanitizer";
  Program program(cuda(), "vector_add");
  const void* fill = program.kernel("_Z4fillPddi");
  Values v;
  double value = 4;
  int n = 32;
  void* arguments[] = {v.address(), &value, &n};
  const auto launch = [&](unsigned blocks) {
    return cuda().call("cudaLaunchCooperativeKernel", fill, dim3{blocks, 1, 1}, dim3{1024, 1, 1},
                       static_cast<void**>(arguments), std::size_t{0}, cudaStream_t{});
  };
  EXPECT_EQ(launch(2 * 108), cudaSuccess);
  EXPECT_EQ(v[31], 4);
  EXPECT_EQ(launch(2 * 108 + 1), cudaErrorCooperativeLaunchTooLarge);
}

}  // namespace
}  // namespace twofour::runtime
