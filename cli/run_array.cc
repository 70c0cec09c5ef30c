#include "twofour/cli/run_array.h"

#include <fmt/ranges.h>

#include <cstring>

#include "twofour/isa/error.h"

namespace twofour::cli {
namespace {

using emu::PackedMatrix;
using isa::ElementType;

/// Columns are the last dimension.
PackedMatrix matrix_of(ElementType type, const std::vector<std::int64_t>& shape) {
  std::int64_t rows = 1;
  for (std::size_t i = 0; i + 1 < shape.size(); ++i) rows *= shape[i];
  return PackedMatrix(type, rows, shape.empty() ? 1 : shape.back());
}

std::uint64_t bytes_of(const PackedMatrix& m) {
  return std::uint64_t(m.rows()) * std::uint64_t(m.row_bytes());
}

/// Calls f(host bytes, bytes of the matrix) for each row.
template <class Matrix, class F>
void for_rows(std::span<std::byte> host, Matrix& m, F&& f) {
  for (std::int64_t r = 0; r < m.rows() && m.row_bytes() != 0; ++r)
    f(host.data() + r * m.row_bytes(), m.row(r));
}

DeviceArray upload(emu::ptx::Device& device, const PackedMatrix& m, std::vector<std::int64_t> shape) {
  DeviceArray array{device.allocate(bytes_of(m)), bytes_of(m), {}, std::move(shape), m.type(), {}};
  for_rows(device.bytes(array.address, array.bytes), m,
           [](std::byte* host, std::span<const std::byte> row) { std::copy(row.begin(), row.end(), host); });
  return array;
}

DeviceArray upload(emu::ptx::Device& device, emu::NpyArray file) {
  DeviceArray array{device.allocate(file.data.size()),
                    file.data.size(),
                    std::move(file.dtype),
                    std::move(file.shape),
                    {},
                    {}};
  const auto host = device.bytes(array.address, array.bytes);
  if (!host.empty()) std::memcpy(host.data(), file.data.data(), host.size());
  return array;
}

DeviceArray zeros(emu::ptx::Device& device, const RunArgument& a) {
  std::uint64_t rows = 1;
  for (std::size_t i = 0; i + 1 < a.shape.size(); ++i) rows *= std::uint64_t(a.shape[i]);
  const std::uint64_t bytes = rows * ((std::uint64_t(a.shape.back()) * std::uint64_t(a.type->bits) + 7) / 8);
  DeviceArray array{device.allocate(bytes), bytes, std::string(a.type->dtype), a.shape, {}, {}};
  if (a.type->packed()) array.element = isa::parse_element(a.type->name);
  return array;
}

}  // namespace

DeviceArray place_array(emu::ptx::Device& device, const RunArgument& a) {
  try {
    DeviceArray array;
    if (a.kind == RunArgument::Kind::out) {
      array = zeros(device, a);
    } else if (a.element) {
      auto [matrix, shape] = emu::read_npy_shaped(a.input, *a.element);
      array = upload(device, matrix, std::move(shape));
    } else {
      array = upload(device, emu::read_npy_array(a.input));
    }
    array.output = a.output;
    return array;
  } catch (const Error& e) {
    fail("{}: {}", a.text(), e.what());
  }
}

void write_array(emu::ptx::Device& device, const DeviceArray& array) {
  const auto host = device.bytes(array.address, array.bytes);
  if (!array.element) return emu::write_npy(array.output, array.dtype, array.shape, host);
  PackedMatrix m = matrix_of(*array.element, array.shape);
  for_rows(host, m, [](const std::byte* from, std::span<std::byte> row) {
    std::copy_n(from, row.size(), row.begin());
  });
  emu::write_npy(array.output, m, array.shape);
}

std::string element_name(const DeviceArray& array) {
  return array.element ? std::string(isa::name(*array.element)) : array.dtype;
}

std::string shape_text(const DeviceArray& array) {
  return fmt::format("{} {}", element_name(array), fmt::join(array.shape, " x "));
}

}  // namespace twofour::cli
