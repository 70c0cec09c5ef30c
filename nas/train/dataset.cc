#include "twofour/nas/train/dataset.h"

#include <zlib.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "twofour/isa/error.h"

namespace twofour::nas {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) fail("{}: cannot be opened", path);
  Bytes bytes{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (in.bad()) fail("{}: cannot be read", path);
  return bytes;
}

/// Ends an inflate stream on every path.
struct Inflater {
  z_stream stream{};
  Inflater() {
    if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) fail("zlib: cannot start to decompress");
  }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
};

/// The one gzip member that the file must consist of.
Bytes gunzip(const std::string& path) {
  Bytes packed = read_file(path), out;
  Inflater inflater;
  z_stream& z = inflater.stream;
  z.next_in = packed.data();
  z.avail_in = static_cast<uInt>(packed.size());
  std::array<std::uint8_t, 1 << 16> chunk;
  int status = Z_OK;
  while (status == Z_OK) {
    z.next_out = chunk.data();
    z.avail_out = static_cast<uInt>(chunk.size());
    status = inflate(&z, Z_NO_FLUSH);
    out.insert(out.end(), chunk.data(), z.next_out);
  }
  if (status == Z_BUF_ERROR)
    fail("{}: the gzip stream is cut short after {} bytes; get the file again", path, packed.size());
  if (status != Z_STREAM_END)
    fail("{}: not a sound gzip file ({}); get the file again", path, z.msg ? z.msg : "no message");
  if (z.avail_in != 0) fail("{}: {} bytes follow the end of the gzip stream", path, z.avail_in);
  return out;
}

std::uint32_t big_endian(const Bytes& b, std::size_t at) {
  return std::uint32_t(b[at]) << 24 | std::uint32_t(b[at + 1]) << 16 | std::uint32_t(b[at + 2]) << 8 |
         b[at + 3];
}

struct Idx {
  std::vector<std::uint32_t> sizes;
  Bytes data;
};

/// An IDX array of unsigned bytes: 00 00 08 dimensions, one big-endian size a dimension, the bytes.
Idx parse_idx(const std::string& path, unsigned dimensions) {
  Bytes bytes = gunzip(path);
  const std::size_t header = 4 + 4 * std::size_t(dimensions);
  if (bytes.size() < header)
    fail("{}: {} bytes, but an IDX header of {} was expected", path, bytes.size(), header);
  const std::uint32_t magic = big_endian(bytes, 0), expected = 0x0800u + dimensions;
  if (magic != expected)
    fail("{}: magic number {:#010x}, expected {:#010x} (IDX, unsigned bytes)", path, magic, expected);
  Idx idx;
  std::uint64_t total = 1;
  for (unsigned d = 0; d < dimensions; ++d) {
    idx.sizes.push_back(big_endian(bytes, 4 + 4 * d));
    if (idx.sizes.back() == 0) fail("{}: size {} of the array is 0", path, d);
    total = total > UINT32_MAX
                ? total
                : total * idx.sizes.back();  // no overflow: beyond 2^32 only "too large" matters
  }
  if (bytes.size() - header != total)
    fail("{}: the header promises {} bytes of data, the file holds {}", path, total, bytes.size() - header);
  idx.data.assign(bytes.begin() + static_cast<std::ptrdiff_t>(header), bytes.end());
  return idx;
}

void require_count(const Dataset& data, int count, const std::string& directory, const char* what) {
  if (data.count != count || data.height != 28 || data.width != 28)
    fail("{}: {} {} images of {}x{}, but Fashion-MNIST has {} of 28x28", directory, data.count, what,
         data.height, data.width, count);
}

}  // namespace

Dataset slice(const Dataset& data, int first, int count) {
  if (first < 0 || count < 0 || first > data.count - count)
    fail("images {} to {} were asked of a set of {}", first, first + count - 1, data.count);
  Dataset part{count, data.height, data.width, data.classes, {}, {}, data.channels};
  part.pixels.assign(data.image(first), data.image(first + count));
  part.labels.assign(data.labels.begin() + first, data.labels.begin() + first + count);
  return part;
}

Dataset pool_2x2(const Dataset& data) {
  if (data.height % 2 != 0 || data.width % 2 != 0)
    fail("2x2 pooling of {}x{} images: sizes must be even", data.height, data.width);
  const int channels = data.channels, row = data.width * channels;
  Dataset out{data.count, data.height / 2, data.width / 2, data.classes, {}, data.labels, channels};
  out.pixels.reserve(data.pixels.size() / 4);
  for (int i = 0; i < data.count; ++i)
    for (int y = 0; y < out.height; ++y)
      for (int x = 0; x < out.width * channels; ++x) {
        const std::uint8_t* p = data.image(i) + 2 * y * row + 2 * (x / channels) * channels + x % channels;
        out.pixels.push_back(
            static_cast<std::uint8_t>((p[0] + p[channels] + p[row] + p[row + channels] + 2) / 4));
      }
  return out;
}

Dataset read_idx(const std::string& image_file, const std::string& label_file, int classes) {
  Idx images = parse_idx(image_file, 3), labels = parse_idx(label_file, 1);
  if (images.sizes[0] != labels.sizes[0])
    fail("{}: {} labels, but {} holds {} images", label_file, labels.sizes[0], image_file, images.sizes[0]);
  for (std::size_t i = 0; i < labels.data.size(); ++i)
    if (labels.data[i] >= classes)
      fail("{}: label {} of image {} is not below {}", label_file, labels.data[i], i, classes);
  return {int(images.sizes[0]),   int(images.sizes[1]),  int(images.sizes[2]), classes,
          std::move(images.data), std::move(labels.data)};
}

FashionMnist read_fashion_mnist(const std::string& directory) {
  const auto file = [&](const char* name) {
    const std::string path = directory + "/" + name;
    if (!std::filesystem::exists(path))
      fail(
          "{}: not found. Fashion-MNIST is expected in {}: install the Debian package dataset-fashion-mnist, "
          "or pass the "
          "folder of the four .gz files with --data",
          path, directory);
    return path;
  };
  FashionMnist set{read_idx(file("train-images-idx3-ubyte.gz"), file("train-labels-idx1-ubyte.gz")),
                   read_idx(file("t10k-images-idx3-ubyte.gz"), file("t10k-labels-idx1-ubyte.gz"))};
  require_count(set.train, 60000, directory, "training");
  require_count(set.test, 10000, directory, "test");
  return set;
}

}  // namespace twofour::nas
