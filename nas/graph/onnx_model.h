#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

// An ONNX file as plain data: what shapes and costs depend on, and the weights for who wants them.
// onnx_model.cc is the only file that knows protobuf; without it (onnx_absent.cc) reading refuses and says
// what to install.
namespace twofour::nas::onnx {

using Shape = std::vector<std::int64_t>;

/// A constant tensor. Its elements are kept, row-major, where they lie in the file itself and are not too
/// many; shapes depend on at most `most_elements`.
struct Constant {
  static constexpr std::int64_t most_elements = 4096, all_elements = std::int64_t{1} << 40;
  std::string name;
  Shape dims;
  bool integral = false;
  std::optional<std::vector<double>> data;  ///< integers beyond 2^53 are rounded: they are sentinels
};

/// An attribute of a node; one of the members is set.
struct Attribute {
  std::string name;
  std::optional<std::int64_t> integer;
  std::optional<double> number;
  std::optional<std::string> text;
  std::optional<std::vector<std::int64_t>> integers;
  std::optional<std::vector<double>> numbers;
  std::optional<Constant> tensor;
};

struct ModelNode {
  std::string name;  ///< its first result's name where the file gives none
  std::string op, domain;
  std::vector<std::string> inputs, outputs;  ///< empty: left out
  std::vector<Attribute> attributes;
};

/// One size of a graph input: a number, or a name, or neither.
struct Dim {
  std::optional<std::int64_t> size;
  std::string name;
};

/// A graph input, or a result whose shape the file states.
struct ValueInfo {
  std::string name;
  bool tensor = true;                    ///< not a sequence, a map or an optional
  bool integral = false;                 ///< of the element type
  std::optional<std::vector<Dim>> dims;  ///< absent: not even the rank is stated
};

struct Model {
  std::string file, name;
  std::int64_t opset = 0;  ///< of the default domain; 0: the file imports none
  std::vector<ModelNode> nodes;
  std::vector<Constant> constants;
  std::vector<ValueInfo> inputs, stated;  ///< stated: results
};

/// Whether this build can read ONNX files.
bool can_read_models();
/// The model of a file's bytes; `file` is the name that errors show. Elements are kept of constants that
/// have at most `most_elements`. Throws Error for bytes that are no ONNX model or are cut short.
Model parse_model(const std::string& bytes, const std::string& file,
                  std::int64_t most_elements = Constant::most_elements);

}  // namespace twofour::nas::onnx
