#include "twofour/runtime/graph.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <set>

#include "twofour/runtime/api.h"
#include "twofour/runtime/array.h"

using namespace twofour::runtime;

CudaGraphNode& CudaGraph::add(NodeType type, std::vector<CudaGraphNode*> after) {
  auto node = std::make_unique<CudaGraphNode>();
  node->type = type;
  node->graph = this;
  node->after = std::move(after);
  return *nodes.emplace_back(std::move(node));
}

CudaGraphNode* CudaGraph::copied_from(const CudaGraphNode* origin) const {
  for (const auto& node : nodes)
    if (node->origin == origin) return node.get();
  return nullptr;
}

std::unique_ptr<CudaGraph> CudaGraph::clone() const {
  auto copy = std::make_unique<CudaGraph>();
  copy->values = values;
  std::map<const CudaGraphNode*, CudaGraphNode*> made;
  for (const auto& node : nodes) {
    auto other = std::make_unique<CudaGraphNode>(*node);
    other->graph = copy.get();
    other->origin = node.get();
    if (node->kernel) set_kernel(*other, *node->kernel);
    if (node->child) {
      other->child = node->child->clone();
      other->work = [child = other->child] { run(*child); };
    }
    for (auto& body : other->bodies) body = body->clone();
    if (!other->bodies.empty()) set_condition(*other);
    made[node.get()] = other.get();
    copy->nodes.push_back(std::move(other));
  }
  for (auto& node : copy->nodes)
    for (CudaGraphNode*& before : node->after) before = made.at(before);
  return copy;
}

std::vector<CudaGraphNode*> CudaGraph::in_order() const {
  std::vector<CudaGraphNode*> order;
  std::set<const CudaGraphNode*> done;
  while (order.size() < nodes.size()) {
    const std::size_t before = order.size();
    for (const auto& node : nodes) {
      const auto is_done = [&](const CudaGraphNode* n) { return done.contains(n); };
      if (done.contains(node.get()) || !std::all_of(node->after.begin(), node->after.end(), is_done))
        continue;
      order.push_back(node.get());
      done.insert(node.get());
    }
    require(order.size() != before, cudaErrorInvalidValue);
  }
  return order;
}

namespace twofour::runtime {
namespace {

unsigned read_value(std::uint64_t address) {
  unsigned value = 0;
  std::memcpy(&value, Process::get().view(reinterpret_cast<void*>(address), sizeof value, true),
              sizeof value);
  return value;
}

}  // namespace

void set_kernel(CudaGraphNode& node, KernelWork work) {
  node.kernel = std::move(work);
  const KernelInfo& info = Process::get().info(*node.kernel->kernel);
  node.arguments.clear();
  for (const auto& p : info.parameters) node.arguments.push_back(node.kernel->parameters.data() + p.offset);
  node.work = [&node] { Process::get().launch(*node.kernel); };
}

void set_copy(CudaGraphNode& node, const cudaMemcpy3DParms& copy) {
  node.copy = copy;
  node.work = [copy] { copy_box(copy); };
}

void set_fill(CudaGraphNode& node, const cudaMemsetParams& fill) {
  require(fill.elementSize == 1 || fill.elementSize == 2 || fill.elementSize == 4, cudaErrorInvalidValue);
  node.fill = fill;
  node.work = [fill] { fill_rows(fill); };
}

void set_host(CudaGraphNode& node, cudaHostFn_t function, void* data) {
  require(function != nullptr, cudaErrorInvalidValue);
  node.function = function;
  node.data = data;
  node.work = [function, data] { function(data); };
}

void set_condition(CudaGraphNode& node) {
  node.body_list.clear();
  for (const auto& body : node.bodies) node.body_list.push_back(body.get());
  node.work = [condition = node.condition, address = node.value, bodies = node.bodies] {
    const auto value = [&] { return read_value(address); };
    if (condition == Condition::while_) {
      while (value() != 0) run(*bodies.front());
    } else {
      const std::size_t choice = condition == Condition::switch_ ? value() : value() != 0 ? 0 : 1;
      if (choice < bodies.size()) run(*bodies[choice]);
    }
  };
}

void run(const CudaGraph& graph) {
  for (const auto& [address, value] : graph.values)
    std::memcpy(Process::get().view(reinterpret_cast<void*>(address), sizeof value, true), &value,
                sizeof value);
  for (const CudaGraphNode* node : graph.in_order())
    if (node->enabled && node->work) node->work();
}

CudaGraph* capture_of(cudaStream_t stream) {
  check_stream(stream);
  return reinterpret_cast<std::uintptr_t>(stream) > 2 ? stream->capture : nullptr;
}

CudaGraphNode& captured_node(cudaStream_t stream, NodeType type) {
  CudaGraphNode& node = stream->capture->add(type, stream->last);
  stream->last = {&node};
  return node;
}

void submit(cudaStream_t stream, NodeType type, std::function<void()> work) {
  if (capture_of(stream) == nullptr) return work();
  captured_node(stream, type).work = std::move(work);
}

void submit(cudaStream_t stream, KernelWork work) {
  if (capture_of(stream) == nullptr) return Process::get().launch(work);
  set_kernel(captured_node(stream, NodeType::kernel), std::move(work));
}

}  // namespace twofour::runtime
