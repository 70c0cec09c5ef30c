#include "twofour/isa/file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "twofour/isa/error.h"

namespace twofour::isa {
namespace {

TEST(File, WritesWholeAndReadsBack) {
  const auto path = std::filesystem::path(testing::TempDir()) / (std::to_string(::getpid()) + ".bin");
  const std::string bytes("a\0b\n", 4);
  write_file(path, bytes);
  EXPECT_EQ(read_file(path), bytes);
  std::filesystem::remove(path);
}

TEST(File, RefusalsNameTheFileAndLeaveNothing) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "twofour_no_such_folder";
  const auto path = (folder / "x.bin").string();
  for (const auto& act : {std::function<void()>([&] { read_file(path); }),
                          std::function<void()>([&] { write_file(path, "x"); }),
                          std::function<void()>([&] { read_file(testing::TempDir()); })}) {
    try {
      act();
      ADD_FAILURE() << "was not refused";
    } catch (const Error& e) {
      EXPECT_NE(std::string(e.what()).find(testing::TempDir()), std::string::npos) << e.what();
    }
  }
  EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST(File, DevicesThatNeverEndAreRefused) {
  EXPECT_THROW(read_file("/dev/zero"), Error);
}

}  // namespace
}  // namespace twofour::isa
