#include "twofour/nas/deploy/pool.h"

#include <algorithm>

namespace twofour::nas {
namespace {

using Words = std::vector<std::int32_t>;

Words global_average(const Words& x, const TensorShape& s) {
  const std::int64_t pixels = s.height * s.width, channels = s.channels;
  Words out(std::size_t(s.batch * channels));
#pragma omp parallel for schedule(static)
  for (std::int64_t i = 0; i < s.batch * channels; ++i) {
    std::int64_t sum = pixels / 2;
    for (std::int64_t p = 0; p < pixels; ++p)
      sum += x[std::size_t((i / channels * pixels + p) * channels + i % channels)];
    std::int64_t mean = sum / pixels;
    if (sum % pixels < 0) --mean;  // floor
    out[std::size_t(i)] = static_cast<std::int32_t>(mean);
  }
  return out;
}

/// One side of a window: the pixels [first, last) that lie inside.
struct Range {
  std::int64_t first, last;
};
Range window(std::int64_t out, const Pool& pool, std::int64_t size) {
  const std::int64_t start = out * pool.stride - pool.pad;
  return {std::max<std::int64_t>(start, 0), std::min(start + pool.kernel, size)};
}

Words max_pool(const Words& x, const TensorShape& s, const Pool& pool) {
  const std::int64_t height = (s.height + 2 * pool.pad - pool.kernel) / pool.stride + 1,
                     width = (s.width + 2 * pool.pad - pool.kernel) / pool.stride + 1, channels = s.channels;
  Words out(std::size_t(s.batch * height * width * channels), INT32_MIN);
#pragma omp parallel for schedule(static)
  for (std::int64_t pixel = 0; pixel < s.batch * height * width; ++pixel) {
    const std::int64_t image = pixel / (height * width);
    const Range rows = window(pixel / width % height, pool, s.height),
                cols = window(pixel % width, pool, s.width);
    std::int32_t* to = &out[std::size_t(pixel * channels)];
    for (std::int64_t r = rows.first; r < rows.last; ++r)
      for (std::int64_t c = cols.first; c < cols.last; ++c) {
        const std::int32_t* from = &x[std::size_t(((image * s.height + r) * s.width + c) * channels)];
        for (std::int64_t ch = 0; ch < channels; ++ch) to[ch] = std::max(to[ch], from[ch]);
      }
  }
  return out;
}

}  // namespace

Words pooled(const Words& words, const TensorShape& shape, const Pool& pool) {
  return pool.kind == PoolKind::max ? max_pool(words, shape, pool) : global_average(words, shape);
}

}  // namespace twofour::nas
