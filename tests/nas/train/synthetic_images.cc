#include "synthetic_images.h"

#include <unistd.h>

#include <random>

namespace twofour::nas {

Dataset synthetic_images(int count, unsigned seed, int channels) {
  std::mt19937 random(seed);
  Dataset data{count, 8, 8, 10, {}, {}, channels};
  for (int i = 0; i < count; ++i) {
    const unsigned label = random() % 4;
    data.labels.push_back(static_cast<std::uint8_t>(label));
    for (unsigned p = 0; p < 64; ++p) {
      const bool bright = (p / 32) * 2 + (p % 8) / 4 == label;
      for (int c = 0; c < channels; ++c)
        data.pixels.push_back(static_cast<std::uint8_t>(random() % 120 + (bright ? 100 : 0)));
    }
  }
  return data;
}

ScratchFolder::ScratchFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "twofour-train-XXXXXX").string();
  path = mkdtemp(name.data());
}
ScratchFolder::~ScratchFolder() {
  std::filesystem::remove_all(path);
}

}  // namespace twofour::nas
