#include "twofour/runtime/graph_handles.h"

namespace twofour::runtime {
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

}  // namespace

CudaGraph* own(std::unique_ptr<CudaGraph> graph) {
  CudaGraph* const handle = graph.get();
  graphs()[handle] = std::move(graph);
  return handle;
}
CudaGraphExec* own(std::unique_ptr<CudaGraphExec> executable) {
  CudaGraphExec* const handle = executable.get();
  executables()[handle] = std::move(executable);
  return handle;
}
void forget(cudaGraph_t graph) {
  require(graphs().erase(graph) == 1, cudaErrorInvalidValue);
}
bool is_own(cudaGraph_t graph) {
  return graphs().contains(graph);
}
void forget(cudaGraphExec_t executable) {
  require(executables().erase(executable) == 1, cudaErrorInvalidValue);
}

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

}  // namespace twofour::runtime
