#include <algorithm>
#include <filesystem>
#include <random>

#include "twofour/isa/error.h"
#include "twofour/nas/train/image_file.h"
#include "twofour/nas/train/load_data.h"

namespace twofour::nas {
namespace {

namespace fs = std::filesystem;

constexpr int most_classes = 256;  ///< a label is a byte

/// Entries of a folder by name, hidden ones left out.
std::vector<fs::path> entries(const fs::path& folder) {
  std::vector<fs::path> list;
  std::error_code error;
  for (auto at = fs::directory_iterator(folder, error); !error && at != fs::directory_iterator();
       at.increment(error))
    if (at->path().filename().string().front() != '.') list.push_back(at->path());
  if (error) fail("{}: the folder cannot be read ({})", folder.string(), error.message());
  std::ranges::sort(list);
  return list;
}

std::vector<std::string> class_folders(const fs::path& folder) {
  std::vector<std::string> names;
  for (const fs::path& path : entries(folder)) {
    if (!fs::is_directory(path)) fail("{}: not a folder of a class", path.string());
    names.push_back(path.filename().string());
  }
  if (names.size() < 2 || names.size() > most_classes)
    fail("{}: {} folders of classes; use 2 to {}", folder.string(), names.size(), most_classes);
  return names;
}

bool is_image(const fs::path& path) {
  std::string ending = path.extension().string();
  for (char& c : ending) c = char(std::tolower(static_cast<unsigned char>(c)));
  return ending == ".png" || ending == ".jpg" || ending == ".jpeg" || ending == ".ppm";
}

struct LabelledFile {
  std::string path;
  std::uint8_t label;
};

std::vector<LabelledFile> labelled_files(const fs::path& folder, const std::vector<std::string>& classes) {
  std::vector<LabelledFile> files;
  for (const std::string& name : class_folders(folder)) {
    const auto label = std::ranges::find(classes, name) - classes.begin();
    if (label == std::ssize(classes))
      fail("{}: class '{}' has no training images", (folder / name).string(), name);
    const auto paths = entries(folder / name);
    if (paths.empty()) fail("{}: the folder is empty", (folder / name).string());
    for (const fs::path& path : paths) {
      if (!is_image(path)) fail("{}: neither .png, .jpg nor .ppm", path.string());
      files.push_back({path.string(), static_cast<std::uint8_t>(label)});
    }
  }
  return files;
}

/// Fisher and Yates with a fixed seed, the same on every platform.
void shuffle(std::vector<LabelledFile>& files) {
  std::mt19937_64 random(1);
  for (std::size_t i = files.size(); i > 1; --i) std::swap(files[i - 1], files[random() % i]);
}

Dataset decoded(const std::vector<LabelledFile>& files, int size, int classes) {
  Dataset data{int(files.size()), size, size, classes, {}, {}, 3};
  data.pixels.reserve(files.size() * std::size_t(data.image_size()));
  for (const LabelledFile& f : files) {
    const Image image = square_image(read_image(f.path), size);
    data.pixels.insert(data.pixels.end(), image.pixels.begin(), image.pixels.end());
    data.labels.push_back(f.label);
  }
  return data;
}

}  // namespace

LoadedData read_image_folder(const std::string& directory, int size) {
  if (size < 8 || size > 1024) fail("folder:{}: images of {} pixels; use 8 to 1024", directory, size);
  const fs::path root = directory, train = root / "train";
  const fs::path test = fs::is_directory(root / "test") ? root / "test" : root / "val";
  if (!fs::is_directory(train) || !fs::is_directory(test))
    fail("folder:{}: {} is not there; the folder needs train/CLASS/*.png and test/ or val/ alike", directory,
         fs::is_directory(train) ? "neither test/ nor val/" : "train/");
  const std::vector<std::string> classes = class_folders(train);
  auto files = labelled_files(train, classes);
  shuffle(files);
  return {directory, decoded(files, size, int(classes.size())),
          decoded(labelled_files(test, classes), size, int(classes.size())), classes};
}

}  // namespace twofour::nas
