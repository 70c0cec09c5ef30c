#pragma once
#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "twofour/isa/error.h"
#include "twofour/nas/graph/onnx_model.h"
#include "twofour/nas/graph/workload.h"

namespace twofour::nas::onnx {

/// No tensor has more elements, and no dimension, stride or padding is larger.
inline constexpr std::int64_t largest_size = std::int64_t{1} << 40;

/// A value of the graph with its shape resolved.
struct Tensor {
  Shape dims;
  bool constant = false;  ///< known before the network runs
  bool integral = false;
  std::optional<std::vector<double>> data;  ///< of small constants, row-major
  int producer = -1;                        ///< node of the workload; -1: an input of the network

  std::int64_t rank() const { return std::int64_t(dims.size()); }
  std::int64_t elements() const;
};

/// The product of sizes from 0 to largest_size, at most largest_size + 1 where it is larger.
std::int64_t elements_of(const Shape& dims);

/// One node while a rule works out its results from its inputs. Every accessor refuses with file and node
/// what the node's file gets wrong.
class Inference {
 public:
  /// inputs: by position, null where left out.
  Inference(const Model& model, const ModelNode& node, std::vector<const Tensor*> inputs);

  const ModelNode& node() const { return node_; }
  std::int64_t opset() const { return model_.opset; }
  const std::vector<const Tensor*>& inputs() const { return inputs_; }
  bool has(std::size_t i) const { return i < inputs_.size() && inputs_[i] != nullptr; }
  const Tensor& input(std::size_t i) const;
  const Shape& shape(std::size_t i) const { return input(i).dims; }
  /// The same for an input that must have so many dimensions.
  const Shape& shape(std::size_t i, std::int64_t rank) const;

  std::int64_t integer(std::string_view attribute, std::int64_t otherwise) const;
  std::string_view text(std::string_view attribute, std::string_view otherwise) const;
  std::optional<std::vector<std::int64_t>> integers(std::string_view attribute) const;
  std::optional<std::vector<double>> numbers(std::string_view attribute) const;
  const Constant* tensor(std::string_view attribute) const;
  /// Elements of a constant input. Integers are kept within +-2^62.
  std::vector<double> values(std::size_t i) const;
  std::vector<std::int64_t> whole_values(std::size_t i) const;
  /// What older opsets have as an attribute and newer ones as an input, within +-2^62 too.
  std::optional<std::vector<std::int64_t>> integers_or_input(std::string_view attribute, std::size_t i) const;
  /// So many integers of an attribute, each from `least` to largest_size; `otherwise` if it is absent.
  std::vector<std::int64_t> sizes(std::string_view attribute, std::size_t count, std::int64_t least,
                                  std::int64_t otherwise) const;
  /// An axis counted from the front; negative ones count from the back.
  std::int64_t axis(std::int64_t value, std::int64_t rank) const;
  std::vector<bool> axes(const std::vector<std::int64_t>& values, std::int64_t rank) const;

  std::vector<Tensor>& outputs() { return outputs_; }
  Tensor& output() { return outputs_[0]; }
  /// What the node costs: sizes of a convolution or GEMM are set by its rule.
  Node& cost() { return cost_; }
  /// Elements that it reads of its activations and constants, where its rule knows better than to count all
  /// (add_cost in onnx_import.cc).
  std::optional<std::int64_t> elements_read, weights_read;

  template <class... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> text, Args&&... args) const {
    fail("{}: node '{}' ({}): {}", model_.file, node_.name, node_.op,
         fmt::format(text, std::forward<Args>(args)...));
  }

 private:
  const Attribute* attribute(std::string_view name) const;

  const Model& model_;
  const ModelNode& node_;
  std::vector<const Tensor*> inputs_;
  std::vector<Tensor> outputs_;
  Node cost_;
};

std::string text_of(const Shape& dims);  ///< "1 x 3 x 224 x 224"; "scalar"
/// The shape that two shapes broadcast to (numpy's rule).
Shape broadcast(const Inference& node, const Shape& a, const Shape& b);

}  // namespace twofour::nas::onnx
