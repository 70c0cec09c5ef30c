#include "twofour/nas/train/load_data.h"

#include <charconv>

#include "twofour/isa/error.h"

namespace twofour::nas {
namespace {

LoadedData fashion_mnist(const std::string& directory) {
  FashionMnist set = read_fashion_mnist(directory);
  return {"Fashion-MNIST",
          std::move(set.train),
          std::move(set.test),
          {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag",
           "Ankle boot"}};
}

/// "DIR" or "DIR:SIZE": digits behind the last colon are the size.
LoadedData image_folder(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return read_image_folder(std::string(text));
  int size = 0;
  const auto [end, error] = std::from_chars(text.data() + colon + 1, text.data() + text.size(), size);
  if (error != std::errc() || end != text.data() + text.size())
    fail("folder:{}: '{}' is no number of pixels", text, text.substr(colon + 1));
  return read_image_folder(std::string(text.substr(0, colon)), size);
}

}  // namespace

LoadedData load_data(std::string_view source) {
  const std::size_t colon = source.find(':');
  const std::string_view kind = source.substr(0, colon),
                         rest = colon == std::string_view::npos ? "" : source.substr(colon + 1);
  if (source == "fashion-mnist") return fashion_mnist(fashion_mnist_directory);
  if (!rest.empty()) {
    if (kind == "fashion-mnist") return fashion_mnist(std::string(rest));
    if (kind == "cifar10") return read_cifar10(std::string(rest));
    if (kind == "folder") return image_folder(rest);
  }
  fail(
      "data '{}': not known; use fashion-mnist, fashion-mnist:DIR, cifar10:DIR (the binary version), or "
      "folder:DIR or folder:DIR:SIZE (DIR/train/CLASS/*.png, DIR/test; SIZE in pixels)",
      source);
}

}  // namespace twofour::nas
