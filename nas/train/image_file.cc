#include "twofour/nas/train/image_file.h"

#include <stb/stb_image.h>

#include <memory>

#include "twofour/isa/error.h"
#include "twofour/isa/file.h"

namespace twofour::nas {

Image read_image(const std::string& path) {
  const std::string bytes = isa::read_file(path);
  if (bytes.size() > INT32_MAX) fail("{}: too large for an image", path);
  Image image;
  int channels = 0;
  const std::unique_ptr<stbi_uc, void (*)(void*)> pixels(
      stbi_load_from_memory(reinterpret_cast<const stbi_uc*>(bytes.data()), int(bytes.size()), &image.width,
                            &image.height, &channels, 3),
      stbi_image_free);
  if (!pixels) fail("{}: not an image that can be decoded ({})", path, stbi_failure_reason());
  image.pixels.assign(pixels.get(), pixels.get() + std::ptrdiff_t(image.height) * image.width * 3);
  return image;
}

}  // namespace twofour::nas
