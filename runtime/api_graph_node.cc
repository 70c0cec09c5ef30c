// Nodes of graphs by their kinds.
#include "twofour/runtime/array.h"
#include "twofour/runtime/graph_handles.h"

using namespace twofour::runtime;

namespace {

struct cudaKernelNodeParams {
  void* function;
  dim3 grid, block;
  unsigned shared;
  void** arguments;
  void** extra;
};
struct cudaHostNodeParams {
  cudaHostFn_t function;
  void* data;
};
struct cudaMemAllocNodeParams {
  char pool[88];
  const void* access;
  std::size_t access_count, bytes;
  void* pointer;
};

struct cudaMemcpyNodeParams {
  int flags, reserved[3];
  cudaMemcpy3DParms box;
};
struct cudaConditionalNodeParams {
  std::uint64_t handle;
  int type;
  unsigned size;
  cudaGraph_t* graphs;
};
/// type, then what the type has; the largest member is not here, programs give all of it.
struct cudaGraphNodeParams {
  int type, reserved[3];
  union {
    cudaKernelNodeParams kernel;
    cudaMemcpyNodeParams copy;
    cudaMemsetParams fill;
    cudaHostNodeParams host;
    cudaGraph_t graph;
    cudaMemAllocNodeParams alloc;
    void* pointer;
    cudaConditionalNodeParams conditional;
  };
};

KernelWork kernel_work(const cudaKernelNodeParams* p) {
  const cudaKernelNodeParams& k = required(p);
  require(k.extra == nullptr, cudaErrorNotSupported);
  Process& process = Process::get();
  return process.prepare(process.kernel(k.function), k.grid, k.block, k.arguments, k.shared);
}

/// A linear copy as the box that it is.
cudaMemcpy3DParms box_of(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  cudaMemcpy3DParms c = {};
  c.srcPtr = {const_cast<void*>(from), bytes, bytes, 1};
  c.dstPtr = {to, bytes, bytes, 1};
  c.extent = {bytes, 1, 1};
  c.kind = kind;
  return c;
}

void* symbol_address(const void* symbol, std::size_t bytes, std::size_t offset) {
  const auto found = Process::get().symbol(symbol);
  require(offset <= found.bytes && bytes <= found.bytes - offset, cudaErrorInvalidValue);
  return reinterpret_cast<void*>(found.address + offset);
}

}  // namespace

extern "C" {

cudaError_t cudaGraphAddKernelNode(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* after,
                                   std::size_t count, const cudaKernelNodeParams* params) {
  return add(__func__, node, graph, after, count, NodeType::kernel,
             [&](CudaGraphNode& n) { set_kernel(n, kernel_work(params)); });
}

cudaError_t cudaGraphKernelNodeGetParams(cudaGraphNode_t node, cudaKernelNodeParams* params) {
  return api(__func__, [&] {
    CudaGraphNode& n = node_of(node);
    require(n.kernel.has_value(), cudaErrorInvalidValue);
    required(params) = {.function = n.kernel->kernel,
                        .grid = n.kernel->grid,
                        .block = n.kernel->block,
                        .shared = unsigned(n.kernel->shared),
                        .arguments = n.arguments.data(),
                        .extra = nullptr};
  });
}

cudaError_t cudaGraphKernelNodeSetParams(cudaGraphNode_t node, const cudaKernelNodeParams* params) {
  return api(__func__, [&] { set_kernel(node_of(node), kernel_work(params)); });
}

cudaError_t cudaGraphExecKernelNodeSetParams(cudaGraphExec_t executable, cudaGraphNode_t node,
                                             const cudaKernelNodeParams* params) {
  return api(__func__, [&] { set_kernel(node_of(executable, node), kernel_work(params)); });
}

cudaError_t cudaGraphKernelNodeSetAttribute(cudaGraphNode_t node, int, const void*) {
  return api(__func__, [&] { node_of(node); });
}

cudaError_t cudaGraphAddMemcpyNode(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* after,
                                   std::size_t count, const cudaMemcpy3DParms* params) {
  return add(__func__, node, graph, after, count, NodeType::copy,
             [&](CudaGraphNode& n) { set_copy(n, required(params)); });
}

cudaError_t cudaGraphAddMemcpyNode1D(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* after,
                                     std::size_t count, void* to, const void* from, std::size_t bytes,
                                     cudaMemcpyKind kind) {
  return add(__func__, node, graph, after, count, NodeType::copy,
             [&](CudaGraphNode& n) { set_copy(n, box_of(to, from, bytes, kind)); });
}

cudaError_t cudaGraphAddMemcpyNodeToSymbol(cudaGraphNode_t* node, cudaGraph_t graph,
                                           const cudaGraphNode_t* after, std::size_t count,
                                           const void* symbol, const void* from, std::size_t bytes,
                                           std::size_t offset, cudaMemcpyKind kind) {
  return add(__func__, node, graph, after, count, NodeType::copy, [&](CudaGraphNode& n) {
    set_copy(n, box_of(symbol_address(symbol, bytes, offset), from, bytes, kind));
  });
}

cudaError_t cudaGraphAddMemcpyNodeFromSymbol(cudaGraphNode_t* node, cudaGraph_t graph,
                                             const cudaGraphNode_t* after, std::size_t count, void* to,
                                             const void* symbol, std::size_t bytes, std::size_t offset,
                                             cudaMemcpyKind kind) {
  return add(__func__, node, graph, after, count, NodeType::copy, [&](CudaGraphNode& n) {
    set_copy(n, box_of(to, symbol_address(symbol, bytes, offset), bytes, kind));
  });
}

cudaError_t cudaGraphMemcpyNodeGetParams(cudaGraphNode_t node, cudaMemcpy3DParms* params) {
  return api(__func__, [&] {
    const CudaGraphNode& n = node_of(node);
    require(n.copy.has_value(), cudaErrorInvalidValue);
    required(params) = *n.copy;
  });
}

cudaError_t cudaGraphMemcpyNodeSetParams(cudaGraphNode_t node, const cudaMemcpy3DParms* params) {
  return api(__func__, [&] { set_copy(node_of(node), required(params)); });
}

cudaError_t cudaGraphMemcpyNodeSetParams1D(cudaGraphNode_t node, void* to, const void* from,
                                           std::size_t bytes, cudaMemcpyKind kind) {
  return api(__func__, [&] { set_copy(node_of(node), box_of(to, from, bytes, kind)); });
}

cudaError_t cudaGraphExecMemcpyNodeSetParams(cudaGraphExec_t executable, cudaGraphNode_t node,
                                             const cudaMemcpy3DParms* params) {
  return api(__func__, [&] { set_copy(node_of(executable, node), required(params)); });
}

cudaError_t cudaGraphExecMemcpyNodeSetParams1D(cudaGraphExec_t executable, cudaGraphNode_t node, void* to,
                                               const void* from, std::size_t bytes, cudaMemcpyKind kind) {
  return api(__func__, [&] { set_copy(node_of(executable, node), box_of(to, from, bytes, kind)); });
}

cudaError_t cudaGraphAddMemsetNode(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* after,
                                   std::size_t count, const cudaMemsetParams* params) {
  return add(__func__, node, graph, after, count, NodeType::fill,
             [&](CudaGraphNode& n) { set_fill(n, required(params)); });
}

cudaError_t cudaGraphMemsetNodeGetParams(cudaGraphNode_t node, cudaMemsetParams* params) {
  return api(__func__, [&] {
    const CudaGraphNode& n = node_of(node);
    require(n.fill.has_value(), cudaErrorInvalidValue);
    required(params) = *n.fill;
  });
}

cudaError_t cudaGraphMemsetNodeSetParams(cudaGraphNode_t node, const cudaMemsetParams* params) {
  return api(__func__, [&] { set_fill(node_of(node), required(params)); });
}

cudaError_t cudaGraphExecMemsetNodeSetParams(cudaGraphExec_t executable, cudaGraphNode_t node,
                                             const cudaMemsetParams* params) {
  return api(__func__, [&] { set_fill(node_of(executable, node), required(params)); });
}

cudaError_t cudaGraphAddHostNode(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* after,
                                 std::size_t count, const cudaHostNodeParams* params) {
  return add(__func__, node, graph, after, count, NodeType::host,
             [&](CudaGraphNode& n) { set_host(n, required(params).function, params->data); });
}

cudaError_t cudaGraphHostNodeGetParams(cudaGraphNode_t node, cudaHostNodeParams* params) {
  return api(__func__, [&] {
    const CudaGraphNode& n = node_of(node);
    require(n.function != nullptr, cudaErrorInvalidValue);
    required(params) = {n.function, n.data};
  });
}

cudaError_t cudaGraphHostNodeSetParams(cudaGraphNode_t node, const cudaHostNodeParams* params) {
  return api(__func__, [&] { set_host(node_of(node), required(params).function, params->data); });
}

cudaError_t cudaGraphExecHostNodeSetParams(cudaGraphExec_t executable, cudaGraphNode_t node,
                                           const cudaHostNodeParams* params) {
  return api(__func__, [&] { set_host(node_of(executable, node), required(params).function, params->data); });
}

cudaError_t cudaGraphAddChildGraphNode(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* after,
                                       std::size_t count, cudaGraph_t child) {
  return add(__func__, node, graph, after, count, NodeType::graph, [&](CudaGraphNode& n) {
    n.child = graph_of(child).clone();
    n.work = [held = n.child] { run(*held); };
  });
}

cudaError_t cudaGraphChildGraphNodeGetGraph(cudaGraphNode_t node, cudaGraph_t* graph) {
  return api(__func__, [&] {
    const CudaGraphNode& n = node_of(node);
    require(n.child != nullptr, cudaErrorInvalidValue);
    required(graph) = n.child.get();
  });
}

cudaError_t cudaGraphAddEmptyNode(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* after,
                                  std::size_t count) {
  return add(__func__, node, graph, after, count, NodeType::empty, [](CudaGraphNode&) {});
}

cudaError_t cudaGraphAddEventRecordNode(cudaGraphNode_t* node, cudaGraph_t graph,
                                        const cudaGraphNode_t* after, std::size_t count, cudaEvent_t event) {
  return add(__func__, node, graph, after, count, NodeType::event_record, [&](CudaGraphNode& n) {
    require(Process::get().events.contains(event), cudaErrorInvalidResourceHandle);
    n.work = [event] {
      if (!Process::get().events.contains(event)) return;
      event->recorded = true;
      event->at = std::chrono::steady_clock::now();
    };
  });
}

cudaError_t cudaGraphAddEventWaitNode(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* after,
                                      std::size_t count, cudaEvent_t event) {
  return add(__func__, node, graph, after, count, NodeType::wait_event, [&](CudaGraphNode&) {
    require(Process::get().events.contains(event), cudaErrorInvalidResourceHandle);
  });
}

/// The memory is there as long as the process, whatever the graph does with it.
cudaError_t cudaGraphAddMemAllocNode(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* after,
                                     std::size_t count, cudaMemAllocNodeParams* params) {
  return add(__func__, node, graph, after, count, NodeType::mem_alloc, [&](CudaGraphNode& n) {
    Process& process = Process::get();
    require(required(params).bytes > 0, cudaErrorInvalidValue);
    n.data = params->pointer = process.allocate(params->bytes, cudaMemoryTypeDevice);
    process.keep(n.data);
  });
}

cudaError_t cudaGraphAddMemFreeNode(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* after,
                                    std::size_t count, void* pointer) {
  return add(__func__, node, graph, after, count, NodeType::mem_free, [&](CudaGraphNode& n) {
    require(Process::get().find(pointer) != nullptr, cudaErrorInvalidValue);
    n.data = pointer;
  });
}

cudaError_t cudaGraphMemFreeNodeGetParams(cudaGraphNode_t node, void** pointer) {
  return api(__func__, [&] { required(pointer) = node_of(node).data; });
}

cudaError_t cudaDeviceGetGraphMemAttribute(int device, int, std::uint64_t* value) {
  return api(__func__, [&] {
    require(device == 0, cudaErrorInvalidDevice);
    required(value) = 0;
  });
}

cudaError_t cudaDeviceSetGraphMemAttribute(int device, int, std::uint64_t*) {
  return api(__func__, [&] { require(device == 0, cudaErrorInvalidDevice); });
}

cudaError_t cudaDeviceGraphMemTrim(int device) {
  return api(__func__, [&] { require(device == 0, cudaErrorInvalidDevice); });
}

/// The handle is the address of the value.
cudaError_t cudaGraphConditionalHandleCreate(std::uint64_t* handle, cudaGraph_t graph, unsigned value,
                                             unsigned flags) {
  return api(__func__, [&] {
    Process& process = Process::get();
    CudaGraph& g = graph_of(graph);
    void* const made = process.allocate(sizeof value, cudaMemoryTypeDevice);
    process.keep(made);
    required(handle) = reinterpret_cast<std::uint64_t>(made);
    if ((flags & 1) != 0) g.values[*handle] = value;
  });
}

static cudaError_t add_any(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* after,
                           std::size_t count, cudaGraphNodeParams* params) {
  if (params == nullptr) return api("cudaGraphAddNode", [] { refuse(cudaErrorInvalidValue); });
  switch (NodeType(params->type)) {
    case NodeType::kernel: return cudaGraphAddKernelNode(node, graph, after, count, &params->kernel);
    case NodeType::copy: return cudaGraphAddMemcpyNode(node, graph, after, count, &params->copy.box);
    case NodeType::fill: return cudaGraphAddMemsetNode(node, graph, after, count, &params->fill);
    case NodeType::host: return cudaGraphAddHostNode(node, graph, after, count, &params->host);
    case NodeType::graph: return cudaGraphAddChildGraphNode(node, graph, after, count, params->graph);
    case NodeType::empty: return cudaGraphAddEmptyNode(node, graph, after, count);
    case NodeType::mem_alloc: return cudaGraphAddMemAllocNode(node, graph, after, count, &params->alloc);
    case NodeType::mem_free: return cudaGraphAddMemFreeNode(node, graph, after, count, params->pointer);
    case NodeType::conditional:
      return add("cudaGraphAddNode", node, graph, after, count, NodeType::conditional, [&](CudaGraphNode& n) {
        auto& c = params->conditional;
        require(c.type >= 0 && c.type <= 2 && c.size >= 1 && c.size <= 1024, cudaErrorInvalidValue);
        require(Process::get().find(reinterpret_cast<void*>(c.handle)) != nullptr, cudaErrorInvalidValue);
        n.condition = Condition(c.type);
        n.value = c.handle;
        for (unsigned i = 0; i < c.size; ++i) n.bodies.push_back(std::make_shared<CudaGraph>());
        set_condition(n);
        c.graphs = n.body_list.data();
      });
    default: return api("cudaGraphAddNode", [] { refuse(cudaErrorNotSupported); });
  }
}

/// With data of the edges, which is about early starts; cudaGraphAddNode of CUDA 12 has none.
cudaError_t cudaGraphAddNode_v2(cudaGraphNode_t* node, cudaGraph_t graph, const cudaGraphNode_t* after,
                                const void*, std::size_t count, cudaGraphNodeParams* params) {
  return add_any(node, graph, after, count, params);
}

}  // extern "C"
