#include "checks.h"

#include <fmt/format.h>

#include "twofour/emu/matrix/conv.h"
#include "twofour/emu/matrix/gemm.h"

namespace twofour::emu::ptx::kernels {
namespace {

std::string text(const std::byte* bytes, std::size_t count) {
  std::string s = "0x";
  for (std::size_t i = count; i-- > 0;) s += fmt::format("{:02x}", unsigned(bytes[i]));
  return s;
}

PackedMatrix padded_columns(const Buffer& b, std::int64_t k) {
  const PackedMatrix m = matrix(b);
  return padded(m, m.rows(), std::max(k, m.cols()));
}

// D = A B + C by the one instruction, k ascending from C: the order in which these kernels accumulate.
Buffer multiplied(const Case& before) {
  const Check& check = before.kernel->check;
  const auto& i = isa::find_instruction(check.instruction);
  NumericOptions options;
  options.satfinite = check.satfinite;
  const PackedMatrix b = padded_columns(before.buffers.at("b"), check.pad_k);
  PackedMatrix c;
  const bool has_c = before.buffers.contains("c");
  if (has_c) c = matrix(before.buffers.at("c"));
  if (before.sparse.contains("a"))
    return buffer(gemm(i, before.sparse.at("a"), b, has_c ? &c : nullptr, options));
  return buffer(
      gemm(i, padded_columns(before.buffers.at("a"), check.pad_k), b, has_c ? &c : nullptr, options));
}

// 3 x 3, padding 1. The kernel has pixels where conv2d has weights; a product does not care which factor is
// A.
Buffer convolved(const Case& before) {
  const auto size = [&](const char* name) { return before.scalars.at(name); };
  const ConvShape shape{before.kernel->check.batch,
                        size("height"),
                        size("width"),
                        size("channels"),
                        size("out_channels"),
                        3,
                        3,
                        1,
                        1};
  return buffer(conv2d(isa::find_instruction(before.kernel->check.instruction), shape,
                       matrix(before.buffers.at("w")), matrix(before.buffers.at("x"))));
}

}  // namespace

std::string difference(const std::string& name, const Buffer& got, const Buffer& expected) {
  if (got.bytes.size() != expected.bytes.size())
    return fmt::format("{} has {} bytes, expected {}", name, got.bytes.size(), expected.bytes.size());
  const std::size_t element = expected.bytes.size() / std::size_t(expected.rows * expected.cols);
  for (std::size_t i = 0; i < got.bytes.size(); ++i) {
    if (got.bytes[i] == expected.bytes[i]) continue;
    const std::size_t at = i / element;
    return fmt::format("{}[{}][{}] is {}, expected {}", name, at / std::size_t(expected.cols),
                       at % std::size_t(expected.cols), text(&got.bytes[at * element], element),
                       text(&expected.bytes[at * element], element));
  }
  return {};
}

std::string mismatch(const Case& before, const Case& after) {
  const Check& check = before.kernel->check;
  if (check.kind == "matrix") return difference("d", after.buffers.at("d"), multiplied(before));
  if (check.kind == "conv") return difference("y", after.buffers.at("y"), convolved(before));
  return host_mismatch(check.reference, before, after);
}

}  // namespace twofour::emu::ptx::kernels
