#pragma once
// Graphs, their nodes and executable graphs by the handles that a program has of them. What is none is
// refused: cudaErrorInvalidValue.
#include "twofour/runtime/api.h"
#include "twofour/runtime/graph.h"

namespace twofour::runtime {

/// Takes it over; its handle.
CudaGraph* own(std::unique_ptr<CudaGraph> graph);
CudaGraphExec* own(std::unique_ptr<CudaGraphExec> executable);
/// Of the program itself.
void forget(cudaGraph_t graph);
void forget(cudaGraphExec_t executable);
bool is_own(cudaGraph_t graph);

/// Of the program, or the child of a node of one.
CudaGraph& graph_of(cudaGraph_t handle);
CudaGraphNode& node_of(cudaGraphNode_t node);
CudaGraphExec& executable_of(cudaGraphExec_t handle);
/// The node of an executable graph that was made from a node of its graph.
CudaGraphNode& node_of(cudaGraphExec_t executable, cudaGraphNode_t node);
/// Nodes of the graph itself.
std::vector<CudaGraphNode*> nodes_of(const CudaGraph& graph, const cudaGraphNode_t* list, std::size_t count);

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

}  // namespace twofour::runtime
