#include <algorithm>

#include "twofour/nas/train/image_file.h"

namespace twofour::nas {
namespace {

/// What an output pixel covers of a side of n source pixels, in units of 1 / size source pixels.
struct Span {
  std::int64_t first, last;  ///< source pixels [first, last)
  std::int64_t begin, end, size;

  Span(int out, std::int64_t n, int out_size)
      : first(out * n / out_size),
        last(((out + 1) * n + out_size - 1) / out_size),
        begin(out * n),
        end((out + 1) * n),
        size(out_size) {}
  std::int64_t overlap(std::int64_t pixel) const {
    return std::min(end, (pixel + 1) * size) - std::max(begin, pixel * size);
  }
};

}  // namespace

Image square_image(const Image& image, int size) {
  const std::int64_t n = std::min(image.height, image.width), top = (image.height - n) / 2,
                     left = (image.width - n) / 2, area = n * n;
  Image out{size, size, {}};
  out.pixels.reserve(std::size_t(size) * std::size_t(size) * 3);
  for (int y = 0; y < size; ++y)
    for (int x = 0; x < size; ++x) {
      const Span rows(y, n, size), columns(x, n, size);
      std::int64_t sum[3] = {};
      for (std::int64_t r = rows.first; r < rows.last; ++r)
        for (std::int64_t c = columns.first; c < columns.last; ++c) {
          const std::uint8_t* pixel = &image.pixels[std::size_t(((top + r) * image.width + left + c) * 3)];
          for (int channel = 0; channel < 3; ++channel)
            sum[channel] += rows.overlap(r) * columns.overlap(c) * pixel[channel];
        }
      for (const std::int64_t s : sum)
        out.pixels.push_back(static_cast<std::uint8_t>((2 * s + area) / (2 * area)));
    }
  return out;
}

}  // namespace twofour::nas
