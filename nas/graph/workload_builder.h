#pragma once
#include <string>

#include "twofour/nas/graph/workload.h"

namespace twofour::nas {

/// A tensor while a network is being built: its node and its NHWC shape. Tokens are rows: height = tokens,
/// width = 1.
struct Value {
  int node = -1;
  std::int64_t batch = 1, height = 1, width = 1, channels = 1;

  std::int64_t elements() const { return batch * height * width * channels; }
};

/// Filters, window and stride of a convolution; padding on each side.
struct ConvSpec {
  std::int64_t filters = 1, kernel = 1, stride = 1, padding = 0, groups = 1;
  bool bias = false;
};

/// Appends nodes to a workload and works out their shapes.
class WorkloadBuilder {
 public:
  WorkloadBuilder(std::string name, std::int64_t batch);

  Value image(std::int64_t size) const;
  Value tokens(std::int64_t sequence, std::int64_t width) const;

  Value convolution(const std::string& name, const Value& in, const ConvSpec& spec);
  Value batch_norm(const std::string& name, const Value& in);
  /// Relu, Clip, Gelu, Tanh, Mul: one result element an input element.
  Value elementwise(const std::string& name, const std::string& op, const Value& in);
  Value add(const std::string& name, const Value& a, const Value& b);
  /// A constant of so many elements is added: position embeddings.
  Value add_constant(const std::string& name, const Value& in, std::int64_t constants);
  Value pool(const std::string& name, const Value& in, std::int64_t kernel, std::int64_t stride,
             std::int64_t padding);
  Value global_pool(const std::string& name, const Value& in);
  /// Fully connected: every row (token, image) times weights[channels x features], and a bias.
  Value linear(const std::string& name, const Value& in, std::int64_t features);
  Value layer_norm(const std::string& name, const Value& in);
  Value softmax(const std::string& name, const Value& in);
  /// Batched product over batch * heads pairs of matrices: [rows x inner] times [inner x columns]. The result
  /// has height = rows and heads * columns channels.
  Value attention_product(const std::string& name, const Value& a, const Value& b, std::int64_t heads,
                          std::int64_t rows, std::int64_t columns, std::int64_t inner);
  Value movement(const std::string& name, const std::string& op, const Value& in, const Value& shape,
                 std::int64_t constants = 0);
  Value view(const std::string& name, const std::string& op, const Value& in, const Value& shape);

  Workload finish();

 private:
  Value append(Node node, std::vector<int> inputs, Value shape);

  Workload workload_;
};

}  // namespace twofour::nas
