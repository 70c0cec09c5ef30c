#pragma once
// CUDA graphs: nodes of work and what each waits for. A launch does the nodes one after the other, each after
// all that it waits for, otherwise in the order in which they were added.
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "twofour/runtime/process.h"

namespace twofour::runtime {

/// cudaGraphNodeType
enum class NodeType : int {
  kernel = 0,
  copy = 1,
  fill = 2,
  host = 3,
  graph = 4,
  empty = 5,
  wait_event = 6,
  event_record = 7,
  mem_alloc = 10,
  mem_free = 11,
  conditional = 13
};

/// What a conditional node asks each time before it runs one of its graphs (cudaGraphConditionalNodeType).
enum class Condition : int { if_, while_, switch_ };

}  // namespace twofour::runtime

struct CudaGraphNode {
  twofour::runtime::NodeType type = twofour::runtime::NodeType::empty;
  CudaGraph* graph = nullptr;
  std::function<void()> work;
  std::vector<CudaGraphNode*> after;      ///< nodes of the same graph
  const CudaGraphNode* origin = nullptr;  ///< of a node of a clone or of an executable graph
  bool enabled = true;
  // What programs may ask for
  std::optional<twofour::runtime::KernelWork> kernel;
  std::vector<void*> arguments;  ///< pointers into kernel->parameters
  std::optional<cudaMemcpy3DParms> copy;
  std::optional<cudaMemsetParams> fill;
  cudaHostFn_t function = nullptr;
  void* data = nullptr;  ///< of a host function; the memory of mem_alloc and mem_free
  std::shared_ptr<CudaGraph> child;
  // conditional: the value lies in device memory, where kernels set it
  twofour::runtime::Condition condition = twofour::runtime::Condition::if_;
  std::uint64_t value = 0;  ///< its address
  std::vector<std::shared_ptr<CudaGraph>> bodies;
  std::vector<CudaGraph*> body_list;  ///< the same, as programs want them
};

struct CudaGraph {
  std::vector<std::unique_ptr<CudaGraphNode>> nodes;
  std::map<std::uint64_t, unsigned> values;  ///< of conditions, by address: what each launch begins with

  CudaGraphNode& add(twofour::runtime::NodeType type, std::vector<CudaGraphNode*> after);
  /// The node here that was copied from `origin`; null: none.
  CudaGraphNode* copied_from(const CudaGraphNode* origin) const;
  std::unique_ptr<CudaGraph> clone() const;
  /// Nodes in the order in which they run. Throws Refusal if they wait for each other in a circle.
  std::vector<CudaGraphNode*> in_order() const;
};

struct CudaGraphExec {
  std::unique_ptr<CudaGraph> graph;
};

namespace twofour::runtime {

// They give a node its work.
void set_kernel(CudaGraphNode& node, KernelWork work);
void set_copy(CudaGraphNode& node, const cudaMemcpy3DParms& copy);
void set_fill(CudaGraphNode& node, const cudaMemsetParams& fill);
void set_host(CudaGraphNode& node, cudaHostFn_t function, void* data);
/// Graphs `bodies`, which it must have.
void set_condition(CudaGraphNode& node);

void run(const CudaGraph& graph);

/// The graph that a stream is captured into; null: none.
CudaGraph* capture_of(cudaStream_t stream);
/// A node behind what the stream captured last.
CudaGraphNode& captured_node(cudaStream_t stream, NodeType type);
/// Does the work, or adds it to the stream's graph. Throws Refusal for an unknown stream.
void submit(cudaStream_t stream, NodeType type, std::function<void()> work);
void submit(cudaStream_t stream, KernelWork work);

}  // namespace twofour::runtime
