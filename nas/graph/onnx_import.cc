#include "twofour/nas/graph/onnx_import.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>
#include <unordered_map>

#include "twofour/isa/file.h"
#include "twofour/nas/graph/onnx_fold.h"
#include "twofour/nas/graph/onnx_rules.h"

namespace twofour::nas {
namespace {

using namespace onnx;

constexpr std::int64_t oldest_opset = 6, newest_opset = 27;

/// Old exporters write 0 or -1 for an open dimension.
bool is_open(const Dim& dim) {
  return dim.size.value_or(0) <= 0;
}

/// What follows from the options for the open dimensions of a file.
class Sizes {
 public:
  Sizes(const Model& model, const OnnxOptions& options) : model_(model), options_(options) {
    if (options.batch < 0 || options.batch > largest_size)
      fail("{}: a batch of {}; from 1 to 2^40 it may be", model.file, options.batch);
    for (const auto& [name, size] : options.dims)
      if (size < 0 || size > largest_size) fail("--dim {}={}: from 0 to 2^40 it may be", name, size);
    const auto batched = std::ranges::find_if(model.inputs, [](const ValueInfo& v) {
      return v.dims && !v.dims->empty() && is_open(v.dims->front());
    });
    if (batched != model.inputs.end()) batch_name_ = batched->dims->front().name;
  }

  std::optional<std::int64_t> size(const std::string& input, std::size_t axis, const Dim& dim) {
    const std::string place = fmt::format("{}:{}", input, axis);
    for (const std::string& key : {place, dim.name})
      if (const auto given = options_.dims.find(key); !key.empty() && given != options_.dims.end()) {
        used_.insert(key);
        replaces_fixed_ |= dim.size.value_or(0) > 0;
        return given->second;
      }
    if (!is_open(dim)) return dim.size;
    if (dim.size && *dim.size < -1)
      fail("{}: input '{}' has a size of {} in dimension {}", model_.file, input, *dim.size, axis);
    if (options_.batch == 0 || !is_batch(axis, dim)) return std::nullopt;
    used_batch_ = true;
    return options_.batch;
  }

  /// Whether --batch has set a size.
  bool used_batch() const { return used_batch_; }

  /// The first open first dimension, those of its name, and first dimensions without a name.
  bool is_batch(std::size_t axis, const Dim& dim) const {
    return dim.name.empty() ? axis == 0 : dim.name == batch_name_;
  }

  bool replaces_fixed() const { return replaces_fixed_; }

  /// An option that names nothing is a slip.
  void check_all_used() const {
    for (const auto& [name, size] : options_.dims)
      if (!used_.contains(name))
        fail("--dim {}={}: {} has no open dimension of that name, and no such INPUT:AXIS", name, size,
             model_.file);
  }

 private:
  const Model& model_;
  const OnnxOptions& options_;
  std::string batch_name_;
  std::set<std::string> used_;
  bool replaces_fixed_ = false, used_batch_ = false;
};

std::string open_dimension(const ValueInfo& input, std::size_t axis, const Dim& dim, bool is_batch) {
  const std::string flag = is_batch           ? "--batch N"
                           : dim.name.empty() ? fmt::format("--dim {}:{}=N", input.name, axis)
                                              : fmt::format("--dim {}=N", dim.name);
  const std::string name = dim.name.empty() ? "" : fmt::format(" ('{}')", dim.name);
  return fmt::format("input '{}', dimension {}{}: {}", input.name, axis, name, flag);
}

class Importer {
 public:
  Importer(const Model& model, const OnnxOptions& options)
      : model_(model), options_(options), sizes_(model, options) {
    for (const ValueInfo& v : model.stated)
      if (v.dims) stated_.emplace(v.name, &v);
  }

  OnnxImport run() {
    check_opset();
    check_rules();
    add_constants();
    add_inputs();
    for (const ModelNode& node : model_.nodes)
      for (const std::string& name : node.outputs)
        if (!name.empty()) made_.insert(name);
    for (const ModelNode& node : model_.nodes) add(node);
    check_workload();
    return std::move(import_);
  }

 private:
  void check_opset() const {
    if (model_.opset == 0) fail("{}: it imports no opset; the file may be cut short", model_.file);
    if (model_.opset < oldest_opset || model_.opset > newest_opset)
      fail(
          "{}: opset {} is not known here ({} to {}); export it for one of these, or convert it with onnx's "
          "version_converter",
          model_.file, model_.opset, oldest_opset, newest_opset);
    if (model_.nodes.empty()) fail("{}: the graph has no nodes", model_.file);
  }

  /// Refuses all nodes without a rule in one message.
  void check_rules() {
    std::vector<std::string> unknown;
    for (const ModelNode& n : model_.nodes)
      if (find_rule(n.domain, n.op) == nullptr)
        unknown.push_back(fmt::format("'{}' ({}{}{})", n.name, n.domain, n.domain.empty() ? "" : ".", n.op));
    if (!unknown.empty() && !options_.skip_unsupported)
      fail(
          "{}: {} nodes have operators that are not known here: {}. --skip-unsupported counts them as "
          "nothing",
          model_.file, unknown.size(), fmt::join(unknown, ", "));
    import_.skipped = std::move(unknown);
  }

  void add_constants() {
    for (const Constant& c : model_.constants) {
      Tensor t{c.dims, true, c.integral, c.data, -1};
      check(t, fmt::format("the constant '{}'", c.name));
      put(c.name, std::move(t));
    }
  }

  void add_inputs() {
    std::vector<std::string> open;
    for (const ValueInfo& v : model_.inputs) {
      if (v.name.empty()) fail("{}: an input of the graph has no name", model_.file);
      // Older files list constants among the inputs too.
      if (const auto at = values_.find(v.name); at != values_.end() && at->second.constant) continue;
      if (!v.tensor || !v.dims)
        fail("{}: input '{}' is no tensor with a stated number of dimensions", model_.file, v.name);
      Tensor t;
      t.integral = v.integral;
      for (std::size_t axis = 0; axis < v.dims->size(); ++axis) {
        const auto size = sizes_.size(v.name, axis, (*v.dims)[axis]);
        if (!size)
          open.push_back(open_dimension(v, axis, (*v.dims)[axis], sizes_.is_batch(axis, (*v.dims)[axis])));
        t.dims.push_back(size.value_or(1));
      }
      check(t, fmt::format("input '{}'", v.name));
      put(v.name, std::move(t));
    }
    if (!open.empty())
      fail("{}: give the sizes that the file leaves open: {}", model_.file, fmt::join(open, "; "));
    sizes_.check_all_used();
    note_batch();
    import_.workload.name = model_.name.empty() ? model_.file : model_.name;
  }

  /// --batch, or else the first size of the first input that has any; then --batch must not differ.
  void note_batch() {
    std::int64_t& batch = import_.workload.batch;
    if (sizes_.used_batch()) batch = options_.batch;
    const auto has_dims = [&](const ValueInfo& v) {
      return v.dims && !v.dims->empty() && !values_.at(v.name).constant;
    };
    const auto first = std::ranges::find_if(model_.inputs, has_dims);
    if (sizes_.used_batch() || first == model_.inputs.end()) return;
    batch = values_.at(first->name).dims[0];
    if (options_.batch > 0 && options_.batch != batch)
      fail(
          "{}: the file fixes the batch of input '{}' at {}; leave out --batch, or replace the size with "
          "--dim {}:0={} if "
          "nothing in the network depends on it",
          model_.file, first->name, batch, first->name, options_.batch);
  }

  void check_workload() const {
    try {
      twofour::nas::check(import_.workload);
    } catch (const Error& e) {
      fail("{}: {}", model_.file, e.what());
    }
  }

  void check(const Tensor& t, const std::string& what) const {
    for (const std::int64_t d : t.dims)
      if (d < 0 || d > largest_size) fail("{}: {} has a size of {}", model_.file, what, d);
    if (t.elements() > largest_size)
      fail("{}: {} is {}: more than 2^40 elements", model_.file, what, text_of(t.dims));
  }

  void put(const std::string& name, Tensor t) {
    if (!name.empty() && !values_.emplace(name, std::move(t)).second)
      fail("{}: '{}' is made twice; every value must have one origin", model_.file, name);
  }

  std::vector<const Tensor*> inputs_of(const ModelNode& node) const {
    std::vector<const Tensor*> out;
    for (const std::string& name : node.inputs) {
      const auto at = values_.find(name);
      if (at == values_.end() && !name.empty())
        fail("{}: node '{}' ({}) reads '{}', which {}", model_.file, node.name, node.op, name,
             made_.contains(name) ? "a later node makes: the graph is not sorted, or has a cycle"
                                  : "nothing in the file makes");
      out.push_back(at == values_.end() ? nullptr : &at->second);
    }
    return out;
  }

  void add(const ModelNode& node) {
    Inference n(model_, node, inputs_of(node));
    const Rule* rule = find_rule(node.domain, node.op);
    if (rule == nullptr) {
      state_results(n);
    } else {
      n.cost().kind = rule->kind;
      rule->infer(n);
    }
    const auto is_constant = [](const Tensor* t) { return t == nullptr || t->constant; };
    const bool constant = rule != nullptr && (std::ranges::all_of(n.inputs(), is_constant) ||
                                              rule->infer == shape_of || rule->infer == size_of);
    for (Tensor& t : n.outputs()) {
      check(t, fmt::format("the result of node '{}' ({})", node.name, node.op));
      t.constant = constant;
    }
    if (constant)
      fold(n);
    else
      add_cost(n);
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      compare_with_stated(n, i);
      put(node.outputs[i], std::move(n.outputs()[i]));
    }
  }

  /// Results of a node without a rule, as the file states them.
  void state_results(Inference& n) {
    n.cost().kind = NodeKind::view;
    for (std::size_t i = 0; i < n.outputs().size(); ++i) {
      const std::string& name = n.node().outputs[i];
      if (name.empty()) continue;
      const auto at = stated_.find(name);
      if (at == stated_.end())
        n.refuse(
            "it cannot be skipped: the file does not state the shape of its result '{}'; run onnx's shape "
            "inference first",
            name);
      for (std::size_t axis = 0; axis < at->second->dims->size(); ++axis) {
        const auto size = sizes_.size(name, axis, (*at->second->dims)[axis]);
        if (!size) n.refuse("it cannot be skipped: dimension {} of its result '{}' is open", axis, name);
        n.outputs()[i].dims.push_back(*size);
      }
    }
  }

  /// What the file states of a result must agree, unless a size that it fixes was replaced.
  void compare_with_stated(Inference& n, std::size_t i) const {
    const auto at = stated_.find(n.node().outputs[i]);
    if (at == stated_.end() || sizes_.replaces_fixed()) return;
    const Shape& dims = n.outputs()[i].dims;
    const std::vector<Dim>& stated = *at->second->dims;
    bool agrees = dims.size() == stated.size();
    for (std::size_t axis = 0; agrees && axis < dims.size(); ++axis)
      agrees = stated[axis].size.value_or(0) <= 0 || stated[axis].size == dims[axis];
    if (!agrees)
      n.refuse(
          "its result '{}' is {}, but the file states another shape; run onnx's shape inference on it again",
          at->first, text_of(dims));
  }

  /// Constants of one element (scales, zero points, bounds) and the parameters of movements and views are
  /// part of the kernel and count as nothing.
  void add_cost(Inference& n) {
    Node cost = std::move(n.cost());
    const bool parameters = cost.kind == NodeKind::view || cost.kind == NodeKind::movement;
    for (const Tensor* t : n.inputs()) {
      if (t == nullptr) continue;
      if (t->constant) {
        if (!parameters && t->elements() > 1) cost.weights += t->elements();
        continue;
      }
      cost.inputs.push_back(t->producer);
      cost.elements_in += t->elements();
    }
    if (n.elements_read) cost.elements_in = *n.elements_read;
    if (n.weights_read) cost.weights = *n.weights_read;
    for (std::size_t i = 0; i < n.outputs().size(); ++i)
      if (!n.node().outputs[i].empty()) cost.elements_out += n.outputs()[i].elements();
    for (Tensor& t : n.outputs()) t.producer = int(import_.workload.nodes.size());
    import_.workload.nodes.push_back(std::move(cost));
  }

  const Model& model_;
  const OnnxOptions& options_;
  Sizes sizes_;
  OnnxImport import_;
  std::unordered_map<std::string, Tensor> values_;
  std::unordered_map<std::string, const ValueInfo*> stated_;
  std::set<std::string> made_;
};

}  // namespace

OnnxImport import_onnx(const onnx::Model& model, const OnnxOptions& options) {
  return Importer(model, options).run();
}

OnnxImport import_onnx(const std::string& path, const OnnxOptions& options) {
  return import_onnx(onnx::parse_model(isa::read_file(path), path), options);
}

}  // namespace twofour::nas
