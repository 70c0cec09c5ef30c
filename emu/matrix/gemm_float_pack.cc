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

constexpr std::int64_t group = 16;  // columns unpacked, then transposed together

/// Columns first .. first + group of a panel.
void pack_group(const PackedMatrix& b, std::int64_t panel, std::int64_t first, float* value,
                std::uint8_t* drop, PackedPanels& out) {
  const std::int64_t k = b.cols(), column0 = panel * out.width + first, lanes = out.width / 4;
  const std::int64_t count = std::min(group, out.width - first);
  for (std::int64_t j = 0; j < count; ++j) {
    if (column0 + j < b.rows()) {
      out.line[std::size_t(column0 + j)] =
          window_unpack(b.type(), b.row(column0 + j).data(), k, value + j * k, drop + j * k);
    } else {
      std::fill_n(value + j * k, k, 0.0f);
      std::fill_n(drop + j * k, k, zero_drop);
    }
  }
  float* to_value = out.value.data() + panel * k * out.width;
  std::uint8_t* to_byte = out.byte.data() + panel * k * out.width;
  for (std::int64_t row = 0; row < k; ++row)
    for (std::int64_t j = 0; j < count; ++j) {
      const std::int64_t column = first + j;
      to_value[row * out.width + column] = value[j * k + row];
      to_byte[row * out.width + column % lanes * 4 + column / lanes] =
          window_byte(b.type(), drop[j * k + row]);
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
    std::vector<std::uint8_t> drop(static_cast<std::size_t>(group * k));
#pragma omp for collapse(2) schedule(static)
    for (std::int64_t panel = 0; panel < count; ++panel)
      for (std::int64_t first = 0; first < width; first += group)
        pack_group(b, panel, first, value.data(), drop.data(), out);
  }
  return out;
}

}  // namespace twofour::emu
