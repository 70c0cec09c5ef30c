#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace twofour::nas {

/// Images with class labels. A pixel stands for pixel / 255 everywhere: there is no other normalisation,
/// which the first layer's own takes over.
struct Dataset {
  int count = 0, height = 0, width = 0, classes = 10;
  std::vector<std::uint8_t> pixels;  ///< count x height x width x channels
  std::vector<std::uint8_t> labels;  ///< count, each below classes
  int channels = 1;                  ///< 1: grey, 3: red, green, blue

  std::int64_t image_size() const { return std::int64_t(height) * width * channels; }
  const std::uint8_t* image(int i) const { return pixels.data() + i * image_size(); }
};

/// Images [first, first + count).
Dataset slice(const Dataset& data, int first, int count);

/// Each 2x2 block of pixels becomes its mean, rounded half up. Height and width must be even.
Dataset pool_2x2(const Dataset& data);

/// Reads an image file and a label file in the IDX format, each compressed with gzip. Throws Error that names
/// the file and says what is wrong: not there, not gzip, cut short, wrong magic number, wrong count, bytes
/// left over, a label >= classes.
Dataset read_idx(const std::string& image_file, const std::string& label_file, int classes = 10);

inline constexpr const char* fashion_mnist_directory = "/usr/share/datasets/fashion-mnist";

struct FashionMnist {
  Dataset train;  ///< 60,000 images of 28 x 28
  Dataset test;   ///< 10,000
};
/// The four files train-images-idx3-ubyte.gz, train-labels-idx1-ubyte.gz, t10k-... of a directory. Throws
/// Error.
FashionMnist read_fashion_mnist(const std::string& directory);

}  // namespace twofour::nas
