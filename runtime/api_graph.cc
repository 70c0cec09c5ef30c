// Graphs: nodes added one by one, or captured from streams.
#include <algorithm>

#include "twofour/runtime/api.h"
#include "twofour/runtime/array.h"
#include "twofour/runtime/graph.h"

using namespace twofour::runtime;

namespace {

template <class T>
using Owned = std::map<T*, std::unique_ptr<T>>;

Owned<CudaGraph>& graphs() {
  static auto* const all = new Owned<CudaGraph>;
  return *all;
}
Owned<CudaGraphExec>& executables() {
  static auto* const all = new Owned<CudaGraphExec>;
  return *all;
}

/// The graphs inside a node.
std::vector<const CudaGraph*> inner(const CudaGraphNode& node) {
  std::vector<const CudaGraph*> all(node.body_list.begin(), node.body_list.end());
  if (node.child) all.push_back(node.child.get());
  return all;
}

bool has_graph(const CudaGraph& graph, const CudaGraph* wanted) {
  for (const auto& node : graph.nodes)
    for (const CudaGraph* g : inner(*node))
      if (g == wanted || has_graph(*g, wanted)) return true;
  return false;
}

bool has(const CudaGraph& graph, const CudaGraphNode* wanted) {
  for (const auto& node : graph.nodes) {
    if (node.get() == wanted) return true;
    for (const CudaGraph* g : inner(*node))
      if (has(*g, wanted)) return true;
  }
  return false;
}

CudaGraph* own(std::unique_ptr<CudaGraph> graph) {
  CudaGraph* const handle = graph.get();
  graphs()[handle] = std::move(graph);
  return handle;
}

/// Of the program, or the child of a node of one.
CudaGraph& graph_of(cudaGraph_t handle) {
  require(handle != nullptr, cudaErrorInvalidValue);
  if (graphs().contains(handle)) return *handle;
  for (const auto& [graph, held] : graphs())
    if (has_graph(*graph, handle)) return *handle;
  refuse(cudaErrorInvalidValue);
}

CudaGraphNode& node_of(cudaGraphNode_t node) {
  for (const auto& [graph, held] : graphs())
    if (has(*graph, node)) return *node;
  refuse(cudaErrorInvalidValue);
}

CudaGraphExec& executable_of(cudaGraphExec_t handle) {
  require(executables().contains(handle), cudaErrorInvalidValue);
  return *handle;
}

/// The node of an executable graph that was made from a node of its graph.
CudaGraphNode& node_of(cudaGraphExec_t executable, cudaGraphNode_t node) {
  CudaGraphNode* const found = executable_of(executable).graph->copied_from(node);
  require(found != nullptr, cudaErrorInvalidValue);
  return *found;
}

std::vector<CudaGraphNode*> nodes_of(const CudaGraph& graph, const cudaGraphNode_t* list, std::size_t count) {
  require(count == 0 || list != nullptr, cudaErrorInvalidValue);
  std::vector<CudaGraphNode*> all(list, list + count);
  for (const CudaGraphNode* node : all)
    require(node != nullptr && has(graph, node) && node->graph == &graph, cudaErrorInvalidValue);
  return all;
}

/// Adds a node and gives it its work; nothing is added if that is refused.
template <class F>
cudaError_t add(const char* function, cudaGraphNode_t* out, cudaGraph_t handle, const cudaGraphNode_t* after,
                std::size_t count, NodeType type, F&& set) {
  return api(function, [&] {
    CudaGraph& graph = graph_of(handle);
    cudaGraphNode_t& made = required(out);
    CudaGraphNode& node = graph.add(type, nodes_of(graph, after, count));
    try {
      set(node);
    } catch (...) {
      graph.nodes.pop_back();
      throw;
    }
    made = &node;
  });
}

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

/// type, then what the type has; the largest member is not here, programs give all of it.
struct cudaGraphNodeParams {
  int type, reserved[3];
  union {
    cudaKernelNodeParams kernel;
    struct {
      int flags, reserved[3];
      cudaMemcpy3DParms box;
    } copy;
    cudaMemsetParams fill;
    cudaHostNodeParams host;
    cudaGraph_t graph;
    cudaMemAllocNodeParams alloc;
    void* pointer;
    struct {
      std::uint64_t handle;
      int type;
      unsigned size;
      cudaGraph_t* graphs;
    } conditional;
  };
};

KernelWork kernel_work(const cudaKernelNodeParams* p) {
  const cudaKernelNodeParams& k = required(p);
  require(k.extra == nullptr, cudaErrorNotSupported);
  Process& process = Process::get();
  return process.prepare(process.kernel(k.function), k.grid, k.block, k.arguments, k.shared);
}

/// Nodes as a list of the program: null asks for their number.
void give(const std::vector<CudaGraphNode*>& nodes, cudaGraphNode_t* list, std::size_t* count) {
  std::size_t& room = required(count);
  if (list != nullptr) {
    std::fill(list, list + room, nullptr);
    std::copy_n(nodes.begin(), std::min(room, nodes.size()), list);
    room = std::min(room, nodes.size());
  } else {
    room = nodes.size();
  }
}

std::vector<CudaGraphNode*> all_nodes(const CudaGraph& graph, bool roots) {
  std::vector<CudaGraphNode*> all;
  for (const auto& node : graph.nodes)
    if (!roots || node->after.empty()) all.push_back(node.get());
  return all;
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

cudaError_t cudaGraphCreate(cudaGraph_t* graph, unsigned flags) {
  return api(__func__, [&] {
    require(flags == 0, cudaErrorInvalidValue);
    required(graph) = own(std::make_unique<CudaGraph>());
  });
}

/// Captures and events may still name its nodes: both forget them.
cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  return api(__func__, [&] {
    require(graphs().contains(graph), cudaErrorInvalidValue);
    for (CudaStream* stream : Process::get().streams)
      if (stream->capture == graph) stream->capture = nullptr, stream->last.clear();
    for (CudaEvent* event : Process::get().events)
      if (event->capture == graph) event->capture = nullptr, event->last.clear();
    graphs().erase(graph);
  });
}

cudaError_t cudaGraphClone(cudaGraph_t* clone, cudaGraph_t graph) {
  return api(__func__, [&] { required(clone) = own(graph_of(graph).clone()); });
}

cudaError_t cudaGraphNodeFindInClone(cudaGraphNode_t* node, cudaGraphNode_t original, cudaGraph_t clone) {
  return api(__func__, [&] {
    required(node) = graph_of(clone).copied_from(original);
    require(*node != nullptr, cudaErrorInvalidValue);
  });
}

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

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, std::size_t* count) {
  return api(__func__, [&] { give(all_nodes(graph_of(graph), false), nodes, count); });
}

cudaError_t cudaGraphGetRootNodes(cudaGraph_t graph, cudaGraphNode_t* nodes, std::size_t* count) {
  return api(__func__, [&] { give(all_nodes(graph_of(graph), true), nodes, count); });
}

cudaError_t cudaGraphNodeGetType(cudaGraphNode_t node, int* type) {
  return api(__func__, [&] { required(type) = int(node_of(node).type); });
}

cudaError_t cudaGraphNodeSetEnabled(cudaGraphExec_t executable, cudaGraphNode_t node, unsigned enabled) {
  return api(__func__, [&] { node_of(executable, node).enabled = enabled != 0; });
}

cudaError_t cudaGraphNodeGetEnabled(cudaGraphExec_t executable, cudaGraphNode_t node, unsigned* enabled) {
  return api(__func__, [&] { required(enabled) = node_of(executable, node).enabled ? 1 : 0; });
}

cudaError_t cudaGraphDestroyNode(cudaGraphNode_t node) {
  return api(__func__, [&] {
    CudaGraph& graph = *node_of(node).graph;
    for (auto& other : graph.nodes) std::erase(other->after, node);
    std::erase_if(graph.nodes, [&](const auto& n) { return n.get() == node; });
  });
}

cudaError_t cudaGraphInstantiateWithFlags(cudaGraphExec_t* executable, cudaGraph_t graph,
                                          unsigned long long) {
  return api(__func__, [&] {
    auto made = std::make_unique<CudaGraphExec>();
    made->graph = graph_of(graph).clone();
    made->graph->in_order();
    required(executable) = made.get();
    executables()[*executable] = std::move(made);
  });
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long flags) {
  return cudaGraphInstantiateWithFlags(executable, graph, flags);
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

cudaError_t cudaGraphAddDependencies_v2(cudaGraph_t graph, const cudaGraphNode_t* from,
                                        const cudaGraphNode_t* to, const void*, std::size_t count) {
  return api(__func__, [&] {
    const CudaGraph& g = graph_of(graph);
    const auto before = nodes_of(g, from, count), after = nodes_of(g, to, count);
    for (std::size_t i = 0; i < count; ++i) after[i]->after.push_back(before[i]);
  });
}

/// Result of an update: 0, or 1 and an error where the graphs are not of the same nodes.
cudaError_t cudaGraphExecUpdate(cudaGraphExec_t executable, cudaGraph_t graph, int* result) {
  return api(__func__, [&] {
    CudaGraph& now = *executable_of(executable).graph;
    const CudaGraph& next = graph_of(graph);
    bool same = now.nodes.size() == next.nodes.size();
    for (std::size_t i = 0; same && i < now.nodes.size(); ++i)
      same = now.nodes[i]->type == next.nodes[i]->type;
    if (result != nullptr) *result = same ? 0 : 1;
    require(same, cudaErrorGraphExecUpdateFailure);
    executable->graph = next.clone();
  });
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  return api(__func__, [&] {
    const CudaGraph& graph = *executable_of(executable).graph;
    if (capture_of(stream) == nullptr) return run(graph);
    CudaGraphNode& node = captured_node(stream, NodeType::graph);
    node.child = graph.clone();
    node.work = [child = node.child] { run(*child); };
  });
}
TWOFOUR_SAME_AS(cudaGraphLaunch, cudaGraphLaunch_ptsz);

cudaError_t cudaGraphUpload(cudaGraphExec_t executable, cudaStream_t) {
  return api(__func__, [&] { executable_of(executable); });
}
TWOFOUR_SAME_AS(cudaGraphUpload, cudaGraphUpload_ptsz);

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  return api(__func__, [&] { require(executables().erase(executable) == 1, cudaErrorInvalidValue); });
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, int) {
  return api(__func__, [&] {
    // The legacy stream cannot be captured, and of the per-thread one nothing is kept.
    require(reinterpret_cast<std::uintptr_t>(stream) > 2, cudaErrorNotSupported);
    require(capture_of(stream) == nullptr, cudaErrorInvalidValue);
    stream->capture = own(std::make_unique<CudaGraph>());
    stream->last.clear();
  });
}
TWOFOUR_SAME_AS(cudaStreamBeginCapture, cudaStreamBeginCapture_ptsz);

/// The graph gets nodes behind those that are named.
cudaError_t cudaStreamBeginCaptureToGraph(cudaStream_t stream, cudaGraph_t graph,
                                          const cudaGraphNode_t* after, const void*, std::size_t count, int) {
  return api(__func__, [&] {
    require(reinterpret_cast<std::uintptr_t>(stream) > 2, cudaErrorNotSupported);
    require(capture_of(stream) == nullptr, cudaErrorInvalidValue);
    CudaGraph& g = graph_of(graph);
    stream->last = nodes_of(g, after, count);
    stream->capture = &g;
  });
}
TWOFOUR_SAME_AS(cudaStreamBeginCaptureToGraph, cudaStreamBeginCaptureToGraph_ptsz);

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  return api(__func__, [&] {
    CudaGraph* const captured = capture_of(stream);
    require(captured != nullptr, cudaErrorStreamCaptureUnmatched);
    if (graph != nullptr) *graph = captured;
    for (CudaStream* s : Process::get().streams)
      if (s->capture == captured) s->capture = nullptr, s->last.clear();
    for (CudaEvent* e : Process::get().events)
      if (e->capture == captured) e->capture = nullptr, e->last.clear();
  });
}
TWOFOUR_SAME_AS(cudaStreamEndCapture, cudaStreamEndCapture_ptsz);

cudaError_t cudaThreadExchangeStreamCaptureMode(int*) {
  return api(__func__, [] {});
}

}  // extern "C"
