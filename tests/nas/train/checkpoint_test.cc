#include "twofour/nas/train/checkpoint.h"

#include <gtest/gtest.h>

#include <cmath>

#include "synthetic_images.h"
#include "twofour/isa/error.h"

namespace twofour::nas {
namespace {

TEST(Checkpoint, NanIsNotImported) {
  const ScratchFolder folder;
  const std::string path = folder.file("nan.ckpt");
  const auto good = torch::ones({2}), bad = torch::tensor({1.0, std::nan("")});
  save_checkpoint(path, {}, {{"good", good}, {"bad", bad}}, nullptr, {});
  const auto a = torch::zeros({2}), b = torch::zeros({2});
  try {
    import_tensors(path, "net", {{"good", a}, {"bad", b}});
    FAIL() << "accepted";
  } catch (const Error& e) {
    EXPECT_EQ(std::string(e.what()), path +
                                         ": tensor bad holds NaN or infinity; give weights that training "
                                         "ended well with");
  }
  EXPECT_EQ(a.sum().item<double>(), 0);
}

}  // namespace
}  // namespace twofour::nas
