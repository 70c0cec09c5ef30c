// Graphs: made of nodes (api_graph_node.cc) or captured from streams, instantiated and launched.
#include <algorithm>

#include "twofour/runtime/graph_handles.h"

using namespace twofour::runtime;

namespace {

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
    require(is_own(graph), cudaErrorInvalidValue);
    for (CudaStream* stream : Process::get().streams)
      if (stream->capture == graph) stream->capture = nullptr, stream->last.clear();
    for (CudaEvent* event : Process::get().events)
      if (event->capture == graph) event->capture = nullptr, event->last.clear();
    forget(graph);
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
    required(executable) = own(std::move(made));
  });
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long flags) {
  return cudaGraphInstantiateWithFlags(executable, graph, flags);
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
  return api(__func__, [&] { forget(executable); });
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
