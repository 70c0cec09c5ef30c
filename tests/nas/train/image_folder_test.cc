// Folders of images; stb writes the files.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stb/stb_image_write.h>

#include <fstream>
#include <map>

#include "synthetic_images.h"
#include "twofour/isa/error.h"
#include "twofour/nas/train/image_file.h"
#include "twofour/nas/train/load_data.h"

namespace twofour::nas {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using Pixels = std::vector<std::uint8_t>;

/// A plain image.
Image plain(int height, int width, std::uint8_t red, std::uint8_t green, std::uint8_t blue) {
  Image image{height, width, {}};
  for (int i = 0; i < height * width; ++i) image.pixels.insert(image.pixels.end(), {red, green, blue});
  return image;
}

void write_ppm(const std::string& path, const Image& i) {
  std::ofstream out(path, std::ios::binary);
  out << fmt::format("P6\n{} {}\n255\n", i.width, i.height);
  out.write(reinterpret_cast<const char*>(i.pixels.data()), std::ssize(i.pixels));
}

class ImageFolder : public testing::Test {
 protected:
  ScratchFolder folder_;

  std::string path(const std::string& name) const {
    std::filesystem::create_directories(std::filesystem::path(folder_.file(name)).parent_path());
    return folder_.file(name);
  }
  void SetUp() override {
    const Image red = plain(10, 12, 200, 0, 0), green = plain(9, 9, 0, 200, 0);
    for (int i = 0; i < 6; ++i) write_ppm(path(fmt::format("train/cat/{}.ppm", i)), red);
    for (int i = 0; i < 6; ++i)
      stbi_write_png(path(fmt::format("train/ant/{}.PNG", i)).c_str(), 9, 9, 3, green.pixels.data(), 27);
    stbi_write_jpg(path("test/cat/one.jpeg").c_str(), 12, 10, 3, red.pixels.data(), 95);
    write_ppm(path("test/ant/one.ppm"), green);
  }
  std::string error(int size = 8) const {
    try {
      read_image_folder(folder_.path.string(), size);
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  }
};

TEST_F(ImageFolder, ClassesAreSortedAndImagesShuffled) {
  std::ofstream(path("train/.hidden")) << "x";
  const LoadedData data = load_data("folder:" + folder_.path.string() + ":8");
  EXPECT_EQ(data.class_names, (std::vector<std::string>{"ant", "cat"}));
  EXPECT_EQ(data.train.classes, 2);
  ASSERT_EQ(data.train.count, 12);
  EXPECT_EQ(data.train.height, 8);
  EXPECT_EQ(data.train.channels, 3);
  std::map<int, int> counts;
  for (int i = 0; i < 12; ++i) {
    const int label = data.train.labels[std::size_t(i)];
    ++counts[label];
    EXPECT_EQ(Pixels(data.train.image(i), data.train.image(i) + 3),
              label == 1 ? (Pixels{200, 0, 0}) : (Pixels{0, 200, 0}));
  }
  EXPECT_EQ(counts, (std::map<int, int>{{0, 6}, {1, 6}}));
  EXPECT_FALSE(std::ranges::is_sorted(data.train.labels));  // no run of one class
  EXPECT_EQ(data.test.labels, (Pixels{0, 1}));
  for (const auto& [at, value] : {std::pair(0, 200), {1, 0}, {2, 0}})  // JPEG is near
    EXPECT_NEAR(data.test.image(1)[at], value, 3);
  EXPECT_EQ(load_data("folder:" + folder_.path.string()).train.height, folder_image_size);
  EXPECT_EQ(load_data("folder:" + folder_.path.string() + ":8").train.labels, data.train.labels);
}

TEST_F(ImageFolder, ValidationImagesServeAsTest) {
  std::filesystem::rename(folder_.path / "test", folder_.path / "val");
  EXPECT_EQ(read_image_folder(folder_.path.string(), 8).test.count, 2);
}

TEST_F(ImageFolder, GreyImagesBecomeColour) {
  const Pixels grey(64, 77);
  stbi_write_png(path("test/ant/one.png").c_str(), 8, 8, 1, grey.data(), 8);
  const Image image = read_image(folder_.file("test/ant/one.png"));
  EXPECT_EQ(image.height, 8);
  EXPECT_EQ(image.pixels, Pixels(192, 77));
}

TEST_F(ImageFolder, WhatCannotBeReadIsNamed) {
  EXPECT_THAT(error(4), HasSubstr("4 pixels"));
  EXPECT_THAT([&] { load_data("folder:" + folder_.path.string() + ":x"); },
              testing::ThrowsMessage<Error>(HasSubstr("'x' is no number")));
  std::ofstream(path("train/ant/bad.png")) << "no image";
  EXPECT_THAT(error(), AllOf(HasSubstr("train/ant/bad.png"), HasSubstr("not an image that can be decoded")));
  std::filesystem::remove(path("train/ant/bad.png"));
  std::ofstream(path("train/ant/notes.txt")) << "no image";
  EXPECT_THAT(error(), AllOf(HasSubstr("train/ant/notes.txt"), HasSubstr("neither .png")));
  std::filesystem::remove(path("train/ant/notes.txt"));
  write_ppm(path("test/dog/one.ppm"), plain(8, 8, 1, 2, 3));
  EXPECT_THAT(error(), AllOf(HasSubstr("test/dog"), HasSubstr("no training images")));
  std::filesystem::remove_all(folder_.path / "test");
  EXPECT_THAT(error(), HasSubstr("neither test/ nor val/"));
  std::filesystem::create_directories(folder_.path / "test");
  EXPECT_THAT(error(), HasSubstr("0 folders of classes"));
  std::filesystem::create_directories(folder_.path / "train" / "bee");
  EXPECT_THAT(error(), AllOf(HasSubstr("train/bee"), HasSubstr("empty")));
  std::filesystem::remove_all(folder_.path / "train");
  EXPECT_THAT(error(), HasSubstr("train/ is not there"));
}

}  // namespace
}  // namespace twofour::nas
