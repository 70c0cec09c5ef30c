#include <algorithm>
#include <charconv>

#include "twofour/isa/error.h"
#include "twofour/nas/graph/network_sizes.h"

namespace twofour::nas {
namespace {

constexpr int largest_width = 1024;

[[noreturn]] void refuse(std::string_view name, std::string_view why) {
  fail(
      "network '{}': {}; known: resnet8, resnet14, resnet20, resnet18, resnet34, resnet50, vgg11, vgg13, "
      "vgg16, "
      "mobilenetv2, each with '-wN' for another width, '-s1' or '-s2' for the stride of the stem, and vgg "
      "with "
      "'-gap' for a global average pool",
      name, why);
}

/// "resnet18-w32-s1" in its parts.
struct Parts {
  std::string_view base;
  int width = 0, stem_stride = 0;
  bool global_pool = false;
};

int number(std::string_view name, std::string_view text, int most) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 1 || value > most)
    refuse(name, fmt::format("'{}' is no number from 1 to {}", text, most));
  return value;
}

Parts split(std::string_view name) {
  Parts parts;
  std::string_view rest = name;
  for (bool first = true; !rest.empty(); first = false) {
    const std::string_view word = rest.substr(0, rest.find('-'));
    rest.remove_prefix(std::min(rest.size(), word.size() + 1));
    if (first)
      parts.base = word;
    else if (word.starts_with('w'))
      parts.width = number(name, word.substr(1), largest_width);
    else if (word.starts_with('s'))
      parts.stem_stride = number(name, word.substr(1), 2);
    else if (word == "gap" && parts.base.starts_with("vgg"))
      parts.global_pool = true;
    else
      refuse(name, fmt::format("'{}' is not known", word));
  }
  return parts;
}

}  // namespace

NetworkSizes filled(NetworkSizes sizes, int width, int stem_stride) {
  if (sizes.width == 0) sizes.width = width;
  if (sizes.stem_stride == 0) sizes.stem_stride = stem_stride;
  if (sizes.width < 1 || sizes.width > largest_width)
    fail("network: the width is {}; use 1 to {}", sizes.width, largest_width);
  if (sizes.stem_stride < 1 || sizes.stem_stride > 2)
    fail("network: the stride of the stem is {}; use 1 or 2", sizes.stem_stride);
  return sizes;
}

std::string full_name(std::string name, const NetworkSizes& given) {
  if (given.width != 0) name += fmt::format("-w{}", given.width);
  if (given.stem_stride != 0) name += fmt::format("-s{}", given.stem_stride);
  return name;
}

Network network_by_name(std::string_view name, int image, int channels, int classes) {
  const Parts p = split(name);
  const NetworkSizes sizes{image, channels, classes, p.width, p.stem_stride};
  for (const int depth : {8, 14, 20})
    if (p.base == fmt::format("resnet{}", depth)) {
      const NetworkSizes s = filled(sizes, 16, 1);
      return resnet_small((depth - 2) / 6, s.width, s.stem_stride, image, classes, channels);
    }
  for (const int depth : {18, 34, 50})
    if (p.base == fmt::format("resnet{}", depth)) return resnet(depth, sizes);
  for (const int depth : {11, 13, 16})
    if (p.base == fmt::format("vgg{}", depth)) {
      if (p.stem_stride != 0) refuse(name, "vgg has no stem with a stride");
      return vgg(depth, sizes, p.global_pool);
    }
  if (p.base == "mobilenetv2") return mobilenet_v2(sizes);
  refuse(name, "not known");
}

}  // namespace twofour::nas
