#include "twofour/isa/machine.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "twofour/isa/error.h"
#include "twofour/isa/file.h"

namespace twofour::isa {
namespace {

/// The A100 file with one text replaced, loaded from a file of that content.
class MachineFile : public testing::Test {
 protected:
  MachineFile()
      : path_(std::filesystem::temp_directory_path() / fmt::format("machine-{}.toml", ::getpid())) {}
  ~MachineFile() override { std::filesystem::remove(path_); }

  Machine load(const std::string& from, const std::string& to) const {
    std::string text(machine_text("a100-sxm4-80gb"));
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
    write_file(path_, text);
    return load_machine(path_);
  }

  /// The message of the refusal; empty if the file is accepted.
  std::string refusal(const std::string& from, const std::string& to) const {
    try {
      load(from, to);
      return "";
    } catch (const Error& error) {
      return error.what();
    }
  }

  std::string path_;
};

constexpr auto sms_line = "sms                   = { value = 108,";

TEST_F(MachineFile, BuiltInMachinesLoad) {
  for (const auto& name : machine_names()) EXPECT_EQ(load_machine(name).name, name);
  const auto a100 = load_machine("a100-sxm4-80gb");
  EXPECT_EQ(a100.sms, 108);
  EXPECT_EQ(a100.boost_mhz, 1410);
  // The whitepaper's 312 TFLOP/s of dense f16.
  EXPECT_NEAR(2 * a100.sms * a100.fma_f16 * a100.boost_mhz * 1e-6, 312, 0.5);
}

TEST_F(MachineFile, CopiedAndEditedFileIsUsed) {
  EXPECT_EQ(load(sms_line, "sms = { value = 54,").sms, 54);
}

// Texts on which the parser library alone would stop or misbehave.
TEST_F(MachineFile, RefusesHostileTextWithItsPlace) {
  EXPECT_NE(refusal("\nname =", "\n[[[[g\nname =").find(path_ + ":"), std::string::npos);
  EXPECT_NE(refusal("\nname =", "\nsm\xd2\x86 = 1\nname =").find("plain ASCII"), std::string::npos);
}

TEST_F(MachineFile, RefusesUnknownKeyWithItsLine) {
  const auto message = refusal("\nname =", "\nsmz = 3\nname =");
  EXPECT_NE(message.find(path_ + ":"), std::string::npos) << message;
  EXPECT_NE(message.find("unknown key 'smz'"), std::string::npos) << message;
}

TEST_F(MachineFile, RefusesMissingKey) {
  EXPECT_NE(refusal(sms_line, "# { value = 108,").find("missing key 'sms'"), std::string::npos);
}

TEST_F(MachineFile, RefusesNumberWithoutSource) {
  const std::string entry =
      R"(sub_cores_per_sm      = { value = 4,     unit = "",        source = "NVIDIA A100 whitepaper" })";
  for (const std::string bad : {R"(sub_cores_per_sm = { value = 4, unit = "", source = "" })",
                                R"(sub_cores_per_sm = { value = 4, unit = "" })"}) {
    const auto message = refusal(entry, bad);
    EXPECT_NE(message.find("'sub_cores_per_sm' needs a source"), std::string::npos) << message;
  }
}

TEST_F(MachineFile, RefusesBareNumber) {
  const auto message = refusal(sms_line, "sms = 108\n#");
  EXPECT_NE(message.find("'sms' must be written as"), std::string::npos) << message;
}

TEST_F(MachineFile, RefusesAnotherUnit) {
  EXPECT_NE(
      refusal("value = 1410,  unit = \"MHz\"", "value = 1.41,  unit = \"GHz\"").find("needs unit = \"MHz\""),
      std::string::npos);
}

TEST_F(MachineFile, RefusesUnknownPart) {
  EXPECT_NE(refusal("value = 108,", "value = 108, note = \"x\",").find("unknown part 'note'"),
            std::string::npos);
}

TEST_F(MachineFile, RefusesNumbersOutOfRange) {
  for (const std::string bad : {"nan", "inf", "-108", "0", "\"108\"", "true"}) {
    const auto message = refusal("value = 108,", "value = " + bad + ",");
    EXPECT_NE(message.find("'sms'"), std::string::npos) << bad << ": " << message;
    EXPECT_NE(message.find(path_ + ":"), std::string::npos) << message;
  }
}

TEST_F(MachineFile, RefusesNumbersThatContradict) {
  EXPECT_NE(
      refusal("value = 1227,", "value = 1500,").find("'sustained_mhz' (1500) is above 'boost_mhz' (1410)"),
      std::string::npos);
}

TEST_F(MachineFile, RefusesBrokenTomlWithItsPlace) {
  const auto message = refusal("\nname =", "\nname = = ");
  EXPECT_NE(message.find(path_ + ":3:"), std::string::npos) << message;
}

TEST_F(MachineFile, UnknownNameListsTheMachines) {
  try {
    load_machine("a100");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("a100-sxm4-80gb"), std::string::npos);
  }
}

}  // namespace
}  // namespace twofour::isa
