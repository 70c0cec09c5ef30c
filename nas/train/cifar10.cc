#include <filesystem>

#include "twofour/isa/error.h"
#include "twofour/isa/file.h"
#include "twofour/nas/train/load_data.h"

namespace twofour::nas {
namespace {

constexpr int side = 32, channels = 3, plane = side * side, record = 1 + channels * plane, classes = 10;

/// Appends the records of a file; planes become pixels.
void append_batch(const std::string& path, int images, Dataset& to) {
  if (!std::filesystem::exists(path))
    fail(
        "{}: not found; cifar10:DIR needs the folder of data_batch_1.bin to data_batch_5.bin and "
        "test_batch.bin "
        "(the binary version of CIFAR-10)",
        path);
  const std::string bytes = isa::read_file(path);
  const std::size_t records = bytes.size() / record, rest = bytes.size() % record;
  if (rest != 0)
    fail("{}: record {} is cut short: {} of {} bytes; get the file again", path, records, rest, record);
  if (records != std::size_t(images)) fail("{}: {} records; CIFAR-10 has {}", path, records, images);
  for (std::size_t r = 0; r < records; ++r) {
    const auto* at = reinterpret_cast<const std::uint8_t*>(bytes.data()) + r * record;
    if (*at >= classes) fail("{}: label {} of record {} is above 9", path, *at, r);
    to.labels.push_back(*at++);
    for (int p = 0; p < plane; ++p)
      for (int c = 0; c < channels; ++c) to.pixels.push_back(at[c * plane + p]);
  }
  to.count += images;
}

}  // namespace

LoadedData read_cifar10(const std::string& directory, int images_per_file) {
  const Dataset empty{0, side, side, classes, {}, {}, channels};
  LoadedData data{"CIFAR-10",
                  empty,
                  empty,
                  {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"}};
  for (int i = 1; i <= 5; ++i)
    append_batch(fmt::format("{}/data_batch_{}.bin", directory, i), images_per_file, data.train);
  append_batch(directory + "/test_batch.bin", images_per_file, data.test);
  return data;
}

}  // namespace twofour::nas
