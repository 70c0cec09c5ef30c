#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace twofour::nas {

struct Image {
  int height = 0, width = 0;
  std::vector<std::uint8_t> pixels;  ///< height x width x 3: red, green, blue
};

/// The image of a PNG, JPEG or PPM file; grey becomes colour, transparency is left out. Throws Error that
/// names the file, and where this build has no decoder (image_absent.cc).
Image read_image(const std::string& path);

/// The largest square in the middle of the image, resized: each pixel is the mean over the area that it
/// covers, rounded half up.
Image square_image(const Image& image, int size);

}  // namespace twofour::nas
