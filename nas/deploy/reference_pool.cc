#include <algorithm>

#include "twofour/nas/deploy/reference_layer.h"

namespace twofour::nas {
namespace {

std::vector<std::int32_t> average(const std::int32_t* x, std::int64_t pixels, std::int64_t channels) {
  std::vector<std::int64_t> sums(std::size_t(channels), pixels / 2);
  for (std::int64_t p = 0; p < pixels; ++p)
    for (std::size_t c = 0; c < sums.size(); ++c) sums[c] += *x++;
  std::vector<std::int32_t> mean;
  for (const std::int64_t sum : sums) {
    const std::int64_t remainder = (sum % pixels + pixels) % pixels;  // of the floor division
    mean.push_back(static_cast<std::int32_t>((sum - remainder) / pixels));
  }
  return mean;
}

/// The first window that holds a position of the padded image.
std::int64_t first(std::int64_t position, const Pool& p) {
  return position < p.kernel ? 0 : (position - p.kernel) / p.stride + 1;
}

/// Every pixel in turn, to each window that holds it.
std::vector<std::int32_t> largest(const std::int32_t* x, std::int64_t height, std::int64_t width,
                                  std::int64_t channels, const Pool& p) {
  const std::int64_t rows = (height + 2 * p.pad - p.kernel) / p.stride + 1,
                     columns = (width + 2 * p.pad - p.kernel) / p.stride + 1;
  std::vector<std::int32_t> out(std::size_t(rows * columns * channels), INT32_MIN);
  for (std::int64_t i = 0; i < height * width * channels; ++i) {
    const std::int64_t y = i / channels / width + p.pad, z = i / channels % width + p.pad;
    for (std::int64_t r = first(y, p); r <= y / p.stride && r < rows; ++r)
      for (std::int64_t c = first(z, p); c <= z / p.stride && c < columns; ++c) {
        std::int32_t& word = out[std::size_t((r * columns + c) * channels + i % channels)];
        if (x[i] > word) word = x[i];
      }
  }
  return out;
}

}  // namespace

std::vector<std::int32_t> reference_pool(const std::int32_t* words, std::int64_t height, std::int64_t width,
                                         std::int64_t channels, const Pool& pool) {
  if (pool.kind == PoolKind::global_average) return average(words, height * width, channels);
  return largest(words, height, width, channels, pool);
}

}  // namespace twofour::nas
