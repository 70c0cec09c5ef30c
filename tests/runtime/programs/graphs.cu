// Graphs: captured from two streams, with memory of their own, and one that repeats while a kernel wants it.
// nvcc: -rdc=true -lcudadevrt
#include "check.h"

__global__ void add(int* value, int amount) {
  *value += amount;
}
__global__ void count_down(int* value, cudaGraphConditionalHandle handle) {
  cudaGraphSetConditional(handle, --*value > 0);
}

void captured(int* a, int* b) {
  cudaStream_t first, second;
  cudaEvent_t fork, join;
  CHECK(cudaStreamCreate(&first));
  CHECK(cudaStreamCreate(&second));
  CHECK(cudaEventCreate(&fork));
  CHECK(cudaEventCreate(&join));
  CHECK(cudaStreamBeginCapture(first, cudaStreamCaptureModeGlobal));
  add<<<1, 1, 0, first>>>(a, 1);
  CHECK(cudaEventRecord(fork, first));
  CHECK(cudaStreamWaitEvent(second, fork));
  CHECK(cudaMemcpyAsync(b, a, sizeof(int), cudaMemcpyDefault, second));
  CHECK(cudaEventRecord(join, second));
  CHECK(cudaStreamWaitEvent(first, join));
  int* temporary;
  CHECK(cudaMallocAsync(&temporary, sizeof(int), first));
  CHECK(cudaMemcpyAsync(temporary, b, sizeof(int), cudaMemcpyDefault, first));
  add<<<1, 1, 0, first>>>(temporary, 100);
  CHECK(cudaMemcpyAsync(b, temporary, sizeof(int), cudaMemcpyDefault, first));
  CHECK(cudaFreeAsync(temporary, first));
  cudaGraph_t graph;
  CHECK(cudaStreamEndCapture(first, &graph));
  cudaGraphExec_t executable;
  CHECK(cudaGraphInstantiate(&executable, graph, 0));
  EXPECT(*a == 0);
  for (int i = 0; i < 3; ++i) CHECK(cudaGraphLaunch(executable, second));
  CHECK(cudaStreamSynchronize(second));
  EXPECT(*a == 3 && *b == 103);
}

void repeated(int* value, int* rounds) {
  cudaGraph_t graph;
  CHECK(cudaGraphCreate(&graph, 0));
  cudaGraphConditionalHandle handle;
  CHECK(cudaGraphConditionalHandleCreate(&handle, graph, 1, cudaGraphCondAssignDefault));
  cudaGraphNodeParams loop = {cudaGraphNodeTypeConditional};
  loop.conditional.handle = handle;
  loop.conditional.type = cudaGraphCondTypeWhile;
  loop.conditional.size = 1;
  cudaGraphNode_t node, first, second;
  CHECK(cudaGraphAddNode(&node, graph, nullptr, nullptr, 0, &loop));
  cudaGraph_t body = loop.conditional.phGraph_out[0];
  int one = 1;
  void *counted[] = {&value, &handle}, *added[] = {&rounds, &one};
  cudaKernelNodeParams kernel = {};
  kernel.gridDim = kernel.blockDim = dim3(1);
  kernel.func = reinterpret_cast<void*>(add);
  kernel.kernelParams = added;
  CHECK(cudaGraphAddKernelNode(&first, body, nullptr, 0, &kernel));
  kernel.func = reinterpret_cast<void*>(count_down);
  kernel.kernelParams = counted;
  CHECK(cudaGraphAddKernelNode(&second, body, &first, 1, &kernel));
  cudaGraphExec_t executable;
  CHECK(cudaGraphInstantiate(&executable, graph, 0));
  for (int i = 1; i <= 2; ++i) {
    *value = 10;
    CHECK(cudaGraphLaunch(executable, nullptr));
    CHECK(cudaDeviceSynchronize());
    EXPECT(*value == 0 && *rounds == 10 * i);
  }
}

int main() {
  int* values;
  CHECK(cudaMallocManaged(&values, 4 * sizeof(int)));
  captured(values, values + 1);
  repeated(values + 2, values + 3);
  std::puts("passed");
}
