#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "twofour/nas/train/dataset.h"

namespace twofour::nas {

/// Training and test images of one source; training images are in an order of which every part is a sample of
/// all classes.
struct LoadedData {
  std::string name;  ///< "CIFAR-10"
  Dataset train, test;
  std::vector<std::string> class_names;
};

/// fashion-mnist (where Debian's package puts it), fashion-mnist:DIR, cifar10:DIR, folder:DIR or
/// folder:DIR:SIZE. Throws Error that lists these forms for another source, and as the readers below.
LoadedData load_data(std::string_view source);

/// The binary form of CIFAR-10: data_batch_1.bin to data_batch_5.bin, test_batch.bin, each records of a label
/// byte and 3 planes of 32x32 bytes. Throws Error that names the file, and the record where one is at fault:
/// not there, cut short, another number of records, a label above 9.
LoadedData read_cifar10(const std::string& directory, int images_per_file = 10000);

inline constexpr int folder_image_size = 32;  ///< unless the source says another

/// Images DIR/train/CLASS/*.png, .jpg, .jpeg or .ppm, and DIR/test or DIR/val alike; classes are the folders
/// of DIR/train, sorted by name. An image becomes size x size pixels with 3 channels by square_image.
/// Training images are shuffled, always alike. Throws Error that names the file or folder: a folder that is
/// missing or empty, a class of no training images, files of other kinds (hidden ones are skipped), an image
/// that cannot be decoded.
LoadedData read_image_folder(const std::string& directory, int size = folder_image_size);

}  // namespace twofour::nas
