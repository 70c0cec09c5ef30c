#include "twofour/emu/matrix/gemm_float_pack.h"

#include <algorithm>
#include <numeric>

namespace twofour::emu {

PackedRows pack_rows(const PackedMatrix& a, const std::vector<std::int32_t>& columns, std::int64_t chunk) {
  const std::int64_t rows = a.rows(), k = a.cols();
  PackedRows out{rows,
                 k,
                 chunk,
                 std::vector<WindowLine>(std::size_t(rows)),
                 AlignedArray<float>(rows * k),
                 AlignedArray<std::uint32_t>(rows * k),
                 AlignedArray<std::int32_t>(columns.empty() ? k : rows * k)};
  if (columns.empty()) std::iota(out.column.data(), out.column.data() + k, 0);
#pragma omp parallel
  {
    std::vector<float> value(static_cast<std::size_t>(k));
    std::vector<std::uint8_t> drop(static_cast<std::size_t>(k));
#pragma omp for schedule(static)
    for (std::int64_t r = 0; r < rows; ++r) {
      out.line[std::size_t(r)] = window_unpack(a.type(), a.row(r).data(), k, value.data(), drop.data());
      for (std::int64_t k0 = 0; k0 < k; k0 += chunk) {
        const std::int64_t to = out.at(r, k0), count = out.length(k0);
        std::copy_n(value.data() + k0, count, out.value.data() + to);
        std::transform(drop.data() + k0, drop.data() + k0 + count, out.drop.data() + to, window_broadcast);
        if (!columns.empty()) std::copy_n(columns.data() + r * k + k0, count, out.column.data() + to);
      }
    }
  }
  return out;
}

namespace {

/// Lines of one vector of a panel, unpacked: line j at j * k.
struct Lines {
  std::vector<float> value;
  std::vector<std::uint8_t> byte;
};

void unpack_lines(const PackedMatrix& b, std::int64_t column0, Lines& lines, PackedPanels& out) {
  for (std::int64_t j = 0; j < out.lanes; ++j) {
    float* value = lines.value.data() + j * out.k;
    std::uint8_t* byte = lines.byte.data() + j * out.k;
    if (column0 + j >= b.rows()) {
      std::fill_n(value, out.k, 0.0f);
      std::fill_n(byte, out.k, std::uint8_t(0));
      continue;
    }
    out.line[std::size_t(column0 + j)] =
        window_unpack(b.type(), b.row(column0 + j).data(), out.k, value, byte);
    std::transform(byte, byte + out.k, byte, [&](std::uint8_t drop) { return window_byte(b.type(), drop); });
  }
}

/// Writes the lines as vector `v` of a panel.
template <int lanes>
void transpose_lines(const Lines& lines, std::int64_t panel, int v, PackedPanels& out) {
  const std::int64_t row_bytes = out.row_bytes(panel), bytes_at = row_bytes - 4 * lanes + v;
  const float* value = lines.value.data();
  const std::uint8_t* byte = lines.byte.data();
  std::byte* to = out.data.data() + out.offset(panel);
  for (std::int64_t row = 0; row < out.k; ++row, to += row_bytes) {
    auto* floats = reinterpret_cast<float*>(to) + v * lanes;
    for (int j = 0; j < lanes; ++j) floats[j] = value[j * out.k + row];
    for (int j = 0; j < lanes; ++j) to[bytes_at + 4 * j] = std::byte(byte[j * out.k + row]);
  }
}

void pack_vector(const PackedMatrix& b, std::int64_t panel, int v, Lines& lines, PackedPanels& out) {
  if (v >= out.vectors(panel)) return;
  unpack_lines(b, panel * out.full_width() + v * out.lanes, lines, out);
  switch (out.lanes) {
    case 16: transpose_lines<16>(lines, panel, v, out); break;
    case 8: transpose_lines<8>(lines, panel, v, out); break;
    default: transpose_lines<4>(lines, panel, v, out);
  }
}

}  // namespace

PackedPanels pack_panels(const PackedMatrix& b) {
  PackedPanels out{b.cols(), b.rows(), window_lanes(), std::vector<WindowLine>(std::size_t(b.rows())),
                   AlignedArray<std::byte>(0)};
  out.data = AlignedArray<std::byte>(out.offset(out.count()));
#pragma omp parallel
  {
    const auto room = std::size_t(out.lanes * out.k);
    Lines lines{std::vector<float>(room), std::vector<std::uint8_t>(room)};
#pragma omp for collapse(2) schedule(static)
    for (std::int64_t panel = 0; panel < out.count(); ++panel)
      for (int v = 0; v < 4; ++v) pack_vector(b, panel, v, lines, out);
  }
  return out;
}

}  // namespace twofour::emu
