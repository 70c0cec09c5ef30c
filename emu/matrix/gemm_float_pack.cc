#include "twofour/emu/matrix/gemm_float_pack.h"

#include <algorithm>

namespace twofour::emu {

PackedRows pack_rows(const PackedMatrix& a) {
  const std::int64_t rows = a.rows(), k = a.cols();
  PackedRows out{k, std::vector<WindowLine>(std::size_t(rows)), AlignedArray<float>(rows * k),
                 AlignedArray<std::uint32_t>(rows * k)};
#pragma omp parallel
  {
    std::vector<std::uint8_t> drop(static_cast<std::size_t>(k));
#pragma omp for schedule(static)
    for (std::int64_t r = 0; r < rows; ++r) {
      out.line[std::size_t(r)] =
          window_unpack(a.type(), a.row(r).data(), k, out.value.data() + r * k, drop.data());
      std::transform(drop.begin(), drop.end(), out.drop.data() + r * k, window_broadcast);
    }
  }
  return out;
}

namespace {

constexpr std::int64_t group = 16;  // columns unpacked, then transposed together; panels hold whole groups

/// Columns first .. first + group of a panel; value and byte: room for group * k elements.
void pack_group(const PackedMatrix& b, std::int64_t panel, std::int64_t first, float* value,
                std::uint8_t* byte, PackedPanels& out) {
  const std::int64_t k = b.cols(), column0 = panel * out.width + first, lanes = out.width / 4;
  std::int64_t place[group];  // of each column's bytes within a row
  for (std::int64_t j = 0; j < group; ++j) {
    place[j] = (first + j) % lanes * 4 + (first + j) / lanes;
    float* v = value + j * k;
    std::uint8_t* e = byte + j * k;
    if (column0 + j < b.rows()) {
      out.line[std::size_t(column0 + j)] = window_unpack(b.type(), b.row(column0 + j).data(), k, v, e);
      std::transform(e, e + k, e, [&](std::uint8_t drop) { return window_byte(b.type(), drop); });
    } else {
      std::fill_n(v, k, 0.0f);
      std::fill_n(e, k, std::uint8_t(0));
    }
  }
  float* to_value = out.value.data() + panel * k * out.width + first;
  std::uint8_t* to_byte = out.byte.data() + panel * k * out.width;
  for (std::int64_t row = 0; row < k; ++row) {
    for (std::int64_t j = 0; j < group; ++j) to_value[row * out.width + j] = value[j * k + row];
    for (std::int64_t j = 0; j < group; ++j) to_byte[row * out.width + place[j]] = byte[j * k + row];
  }
}

}  // namespace

PackedPanels pack_panels(const PackedMatrix& b) {
  const std::int64_t k = b.cols(), width = 4 * window_lanes(), count = (b.rows() + width - 1) / width;
  PackedPanels out{k,
                   width,
                   count,
                   std::vector<WindowLine>(std::size_t(b.rows())),
                   AlignedArray<float>(count * k * width),
                   AlignedArray<std::uint8_t>(count * k * width)};
#pragma omp parallel
  {
    std::vector<float> value(static_cast<std::size_t>(group * k));
    std::vector<std::uint8_t> byte(static_cast<std::size_t>(group * k));
#pragma omp for collapse(2) schedule(static)
    for (std::int64_t panel = 0; panel < count; ++panel)
      for (std::int64_t first = 0; first < width; first += group)
        pack_group(b, panel, first, value.data(), byte.data(), out);
  }
  return out;
}

}  // namespace twofour::emu
