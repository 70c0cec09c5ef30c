#pragma once
#include <filesystem>
#include <string>

#include "twofour/nas/train/dataset.h"

namespace twofour::nas {

/// 8x8 images of four classes: a bright quadrant in noise.
Dataset synthetic_images(int count, unsigned seed, int channels = 1);

/// A folder that is removed at the end.
struct ScratchFolder {
  ScratchFolder();
  ~ScratchFolder();
  std::string file(const std::string& name) const { return (path / name).string(); }
  std::filesystem::path path;
};

}  // namespace twofour::nas
