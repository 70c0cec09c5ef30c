#include "twofour/nas/train/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <fstream>

#include "synthetic_images.h"
#include "twofour/isa/error.h"

namespace twofour::nas {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class IdxFile : public testing::Test {
 protected:
  ScratchFolder folder_;
  const std::string images_ = folder_.file("images.gz"), labels_ = folder_.file("labels.gz");
  /// Two images of 2x2 and their labels.
  const std::string image_bytes_{"\0\0\x08\x03\0\0\0\x02\0\0\0\x02\0\0\0\x02\x01\x02\x03\x04\x05\x06\x07\xff",
                                 24};
  const std::string label_bytes_{"\0\0\x08\x01\0\0\0\x02\x09\x00", 10};

  void SetUp() override {
    write_gz(images_, image_bytes_);
    write_gz(labels_, label_bytes_);
  }
  static void write_gz(const std::string& path, const std::string& bytes) {
    gzFile out = gzopen(path.c_str(), "wb");
    ASSERT_EQ(gzwrite(out, bytes.data(), unsigned(bytes.size())), int(bytes.size()));
    ASSERT_EQ(gzclose(out), Z_OK);
  }
  std::string error() const {
    try {
      read_idx(images_, labels_);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  }
};

TEST_F(IdxFile, IsRead) {
  const Dataset data = read_idx(images_, labels_);
  EXPECT_EQ(data.count, 2);
  EXPECT_EQ(data.height, 2);
  EXPECT_EQ(data.width, 2);
  EXPECT_EQ(data.pixels, (std::vector<std::uint8_t>{1, 2, 3, 4, 5, 6, 7, 255}));
  EXPECT_EQ(data.labels, (std::vector<std::uint8_t>{9, 0}));
}

TEST_F(IdxFile, CutShortIsRefused) {
  std::filesystem::resize_file(images_, std::filesystem::file_size(images_) - 5);
  EXPECT_THAT(error(), AllOf(HasSubstr(images_), HasSubstr("cut short")));
}

TEST_F(IdxFile, DamagedIsRefused) {
  std::fstream f(images_, std::ios::in | std::ios::out | std::ios::binary);
  f.seekp(-8, std::ios::end);  // the checksum
  f.put('?');
  f.close();
  EXPECT_THAT(error(), AllOf(HasSubstr(images_), HasSubstr("gzip")));
}

TEST_F(IdxFile, NotGzipIsRefused) {
  std::ofstream(images_, std::ios::binary) << image_bytes_;
  EXPECT_THAT(error(), AllOf(HasSubstr(images_), HasSubstr("gzip")));
}

TEST_F(IdxFile, GarbageAfterTheStreamIsRefused) {
  std::ofstream(images_, std::ios::binary | std::ios::app) << "tail";
  EXPECT_THAT(error(), AllOf(HasSubstr(images_), HasSubstr("4 bytes follow")));
}

TEST_F(IdxFile, WrongMagicIsRefused) {
  write_gz(images_, label_bytes_ + std::string(10, '\0'));
  EXPECT_THAT(error(), AllOf(HasSubstr(images_), HasSubstr("0x00000801"), HasSubstr("0x00000803")));
}

TEST_F(IdxFile, MoreOrFewerBytesThanPromisedAreRefused) {
  write_gz(images_, image_bytes_ + "x");
  EXPECT_THAT(error(), AllOf(HasSubstr(images_), HasSubstr("promises 8"), HasSubstr("holds 9")));
  write_gz(images_, image_bytes_.substr(0, 20));
  EXPECT_THAT(error(), AllOf(HasSubstr("promises 8"), HasSubstr("holds 4")));
}

TEST_F(IdxFile, OtherNumberOfLabelsIsRefused) {
  write_gz(labels_, std::string("\0\0\x08\x01\0\0\0\x01\x09", 9));
  EXPECT_THAT(error(), AllOf(HasSubstr(labels_), HasSubstr("1 labels"), HasSubstr("2 images")));
}

TEST_F(IdxFile, LabelOutOfRangeIsRefused) {
  write_gz(labels_, std::string("\0\0\x08\x01\0\0\0\x02\x09\x0a", 10));
  EXPECT_THAT(error(), AllOf(HasSubstr(labels_), HasSubstr("label 10 of image 1")));
}

TEST(FashionMnist, MissingFilesNameFolderPackageAndFlag) {
  const ScratchFolder folder;
  try {
    read_fashion_mnist(folder.path.string());
    FAIL();
  } catch (const Error& e) {
    EXPECT_THAT(e.what(), AllOf(HasSubstr(folder.path.string()), HasSubstr("dataset-fashion-mnist"),
                                HasSubstr("--data")));
  }
}

TEST(Pool, IsTheRoundedMean) {
  const Dataset data{1, 2, 4, 10, {0, 1, 255, 255, 0, 1, 255, 254}, {0}};
  EXPECT_EQ(pool_2x2(data).pixels, (std::vector<std::uint8_t>{1, 255}));  // 0.5 and 254.75
}

TEST(Pool, OfColoursStaysInTheChannel) {
  const Dataset data{1, 2, 2, 10, {1, 100, 7, 3, 200, 7, 5, 0, 7, 3, 100, 11}, {0}, 3};
  const Dataset half = pool_2x2(data);
  EXPECT_EQ(half.pixels, (std::vector<std::uint8_t>{3, 100, 8}));
  EXPECT_EQ(half.channels, 3);
}

TEST(Slice, KeepsChannels) {
  const Dataset data = synthetic_images(4, 1, 3), part = slice(data, 2, 1);
  EXPECT_EQ(part.channels, 3);
  EXPECT_EQ(part.pixels, std::vector<std::uint8_t>(data.pixels.end() - 2 * 192, data.pixels.end() - 192));
}

TEST(Slice, OutsideTheSetIsRefused) {
  const Dataset data = synthetic_images(10, 1);
  EXPECT_EQ(slice(data, 8, 2).labels[1], data.labels[9]);
  EXPECT_THROW(slice(data, 8, 3), Error);
}

}  // namespace
}  // namespace twofour::nas
