#include "twofour/nas/train/load_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "error_of.h"
#include "synthetic_images.h"
#include "twofour/nas/train/image_file.h"

namespace twofour::nas {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using Pixels = std::vector<std::uint8_t>;

class Cifar10 : public testing::Test {
 protected:
  ScratchFolder folder_;

  /// A record whose planes hold 10 + label, 20 + pixel % 200, 30.
  static std::string record(int label) {
    std::string r(1, char(label));
    r += std::string(1024, char(10 + label));
    for (int p = 0; p < 1024; ++p) r += char(20 + p % 200);
    return r + std::string(1024, char(30));
  }
  void write(const std::string& name, const std::string& bytes) const {
    std::ofstream(folder_.file(name), std::ios::binary) << bytes;
  }
  void SetUp() override {
    for (int i = 1; i <= 5; ++i) write(fmt::format("data_batch_{}.bin", i), record(i) + record(9));
    write("test_batch.bin", record(0) + record(8));
  }
  std::string error() const {
    return error_of([&] { read_cifar10(folder_.path.string(), 2); });
  }
};

TEST_F(Cifar10, PlanesBecomePixels) {
  const LoadedData data = read_cifar10(folder_.path.string(), 2);
  EXPECT_EQ(data.train.labels, (Pixels{1, 9, 2, 9, 3, 9, 4, 9, 5, 9}));
  EXPECT_EQ(data.test.labels, (Pixels{0, 8}));
  EXPECT_EQ(data.train.count, 10);
  EXPECT_EQ(data.train.channels, 3);
  EXPECT_EQ(data.train.pixels.size(), 10u * 32 * 32 * 3);
  const std::uint8_t* pixel = data.train.image(2) + 3 * (4 * 32 + 7);  // the third image, row 4, column 7
  EXPECT_EQ(Pixels(pixel, pixel + 3), (Pixels{12, 20 + 135, 30}));
  EXPECT_EQ(data.class_names[9], "truck");
  EXPECT_EQ(data.class_names.size(), 10u);
}

TEST_F(Cifar10, FilesAtFaultAreNamed) {
  write("data_batch_3.bin", record(1) + record(2).substr(0, 3000));
  EXPECT_THAT(error(),
              AllOf(HasSubstr("data_batch_3.bin"), HasSubstr("record 1 is cut short: 3000 of 3073")));
  write("data_batch_3.bin", record(1) + record(10));
  EXPECT_THAT(error(), AllOf(HasSubstr("data_batch_3.bin"), HasSubstr("label 10 of record 1")));
  write("data_batch_3.bin", record(1));
  EXPECT_THAT(error(), AllOf(HasSubstr("data_batch_3.bin"), HasSubstr("1 records"), HasSubstr("has 2")));
  std::filesystem::remove(folder_.file("data_batch_3.bin"));
  EXPECT_THAT(error(),
              AllOf(HasSubstr("data_batch_3.bin"), HasSubstr("not found"), HasSubstr("test_batch.bin")));
}

TEST_F(Cifar10, TheRealOneHasTenThousandRecordsAFile) {
  EXPECT_THAT(error_of([&] { load_data("cifar10:" + folder_.path.string()); }), HasSubstr("has 10000"));
}

TEST(LoadData, UnknownSourcesListTheKnownOnes) {
  for (const char* source : {"", "imagenet", "cifar10", "cifar10:", "folder:", "fashion-mnist:", "mnist:x"})
    EXPECT_THAT(error_of([&] { load_data(source); }),
                AllOf(HasSubstr(fmt::format("'{}'", source)), HasSubstr("fashion-mnist:DIR"),
                      HasSubstr("cifar10:DIR"), HasSubstr("folder:DIR:SIZE")))
        << source;
}

TEST(LoadData, FashionMnistOfAFolder) {
  const ScratchFolder folder;
  EXPECT_THAT(error_of([&] { load_data("fashion-mnist:" + folder.path.string()); }),
              HasSubstr(folder.path.string() + "/t"));
}

/// Two grey pixels wide, one high.
Image row(std::uint8_t a, std::uint8_t b) {
  return {1, 2, {a, a, a, b, b, b}};
}

TEST(SquareImage, TakesTheMiddleSquare) {
  Image wide{2, 5, {}};
  for (int i = 0; i < 10; ++i)
    for (int c = 0; c < 3; ++c) wide.pixels.push_back(static_cast<std::uint8_t>(10 * i + c));
  // Columns 1 and 2 of 0 to 4.
  EXPECT_EQ(square_image(wide, 2).pixels, (Pixels{10, 11, 12, 20, 21, 22, 60, 61, 62, 70, 71, 72}));
  EXPECT_EQ(square_image(row(3, 9), 1).pixels, (Pixels{3, 3, 3}));
}

TEST(SquareImage, IsTheMeanOfTheArea) {
  Image image{3, 3, {}};
  for (const int v : {0, 30, 60, 90, 120, 150, 180, 210, 240})
    for (int c = 0; c < 3; ++c) image.pixels.push_back(static_cast<std::uint8_t>(v + c));
  // Each of 2x2 covers 1.5x1.5: weights 1, 1/2 / 1/2, 1/4 over 2.25.
  // (0 + 15 + 45 + 30) / 2.25 = 40; (60 + 15 + 75 + 30) / 2.25 = 80; 160; 200.
  EXPECT_EQ(square_image(image, 2).pixels, (Pixels{40, 41, 42, 80, 81, 82, 160, 161, 162, 200, 201, 202}));
  // To one pixel: the mean, 120. Enlarged by 2: every pixel twice.
  EXPECT_EQ(square_image(image, 1).pixels, (Pixels{120, 121, 122}));
  const Image large = square_image(image, 6);
  EXPECT_EQ(large.pixels[3 * (4 * 6 + 3)], 210);
  EXPECT_EQ(large.pixels[3 * (5 * 6 + 5)], 240);
}

TEST(SquareImage, RoundsHalfUp) {
  Image image{2, 2, {}};
  for (const int v : {0, 1, 1, 0})
    for (int c = 0; c < 3; ++c) image.pixels.push_back(static_cast<std::uint8_t>(v));
  EXPECT_EQ(square_image(image, 1).pixels, (Pixels{1, 1, 1}));
}

}  // namespace
}  // namespace twofour::nas
