#include "twofour/emu/matrix/npy.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "oracle.h"
#include "twofour/isa/error.h"
#include "twofour/isa/file.h"

namespace twofour::emu {
namespace {

using isa::ElementType;

/// A file of this process alone (tests of one program run side by side).
std::string temporary(const std::string& name) {
  const auto folder = std::filesystem::path(testing::TempDir());
  return (folder / (std::to_string(::getpid()) + "." + name)).string();
}

/// Removes a file at the end of its scope.
struct TemporaryFile {
  std::string path;
  ~TemporaryFile() { std::filesystem::remove(path); }
};

/// A .npy file as numpy writes it (format 1.0, header padded to 64 bytes).
std::string npy(std::string header, const std::string& data) {
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  return std::string("\x93NUMPY\x01\x00", 8) + char(header.size() & 0xff) + char(header.size() >> 8) +
         header + data;
}

std::string header(const std::string& descr, const std::string& shape, const std::string& order = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': " + shape + ", }";
}

PackedMatrix read(const std::string& bytes, ElementType type) {
  const std::string path = temporary("twofour_test.npy");
  isa::write_file(path, bytes);
  const TemporaryFile removed{path};
  return read_npy(path, type);
}

std::string refusal(const std::string& bytes, ElementType type) {
  try {
    read(bytes, type);
  } catch (const Error& e) {
    return e.what();
  }
  return "was not refused";
}

TEST(Npy, ReadsWhatNumpyWrites) {
  const auto s8 = read(npy(header("|i1", "(1, 3)"), "\x01\xff\x80"), ElementType::s8);
  EXPECT_EQ(s8.integer(0, 1), -1);
  EXPECT_EQ(s8.integer(0, 2), -128);
  const auto s4 = read(npy(header("<i2", "(2, 1)"), std::string("\xf8\xff\x07\x00", 4)), ElementType::s4);
  EXPECT_EQ(s4.integer(0, 0), -8);
  EXPECT_EQ(s4.integer(1, 0), 7);
  const auto bits = read(npy(header("|b1", "(1, 2)"), std::string("\x00\x01", 2)), ElementType::b1);
  EXPECT_EQ(bits.bits(0, 1), 1u);
  const auto rounded = read(npy(header("<f4", "(1, 2)"), std::string("\x00\x10\x80\x3f\x00\x30\x80\x3f", 8)),
                            ElementType::f16);
  EXPECT_EQ(rounded.bits(0, 0), 0x3c00u);  // 1 + 2^-11 is a tie: to even
  EXPECT_EQ(rounded.bits(0, 1), 0x3c02u);  // 1 + 3 * 2^-11 likewise
}

TEST(Npy, WritesWhatItReads) {
  std::mt19937 random(11);
  for (const auto type :
       {ElementType::b1, ElementType::u4, ElementType::s4, ElementType::u8, ElementType::s8, ElementType::f16,
        ElementType::bf16, ElementType::tf32, ElementType::f32, ElementType::s32}) {
    const auto m = oracle::random_matrix(type, 5, 7, random, true);
    const std::string path = temporary("twofour_round_trip.npy");
    write_npy(path, m);
    const TemporaryFile removed{path};
    EXPECT_EQ(read_npy(path, type), m) << isa::name(type);
  }
}

TEST(Npy, BadFilesAreRefusedByNameAndField) {
  const std::string good = npy(header("|i1", "(2, 2)"), "abcd");
  EXPECT_NE(refusal("hello", ElementType::s8).find("twofour_test.npy: not a .npy file"), std::string::npos);
  EXPECT_NE(refusal(good.substr(0, 40), ElementType::s8).find("truncated in the .npy header"),
            std::string::npos);
  EXPECT_NE(refusal(good.substr(0, good.size() - 1), ElementType::s8).find("truncated"), std::string::npos);
  EXPECT_NE(refusal(good + "x", ElementType::s8).find("too long"), std::string::npos);
  EXPECT_NE(refusal(good, ElementType::f16).find("dtype '|i1' cannot be read as f16"), std::string::npos);
  EXPECT_NE(refusal(npy(header("|i1", "(4,)"), "abcd"), ElementType::s8).find("two dimensions"),
            std::string::npos);
  EXPECT_NE(refusal(npy(header("|i1", "(2, 2)", "True"), "abcd"), ElementType::s8).find("fortran_order"),
            std::string::npos);
  EXPECT_NE(refusal(npy(header(">i2", "(1, 2)"), "abcd"), ElementType::s8).find("big-endian"),
            std::string::npos);
  EXPECT_NE(refusal(npy(header("|i1", "(1, 2)"), "\x01\x08"), ElementType::s4)
                .find("row 0, column 1: 8 is outside s4"),
            std::string::npos);
  EXPECT_NE(
      refusal(npy(header("|i1", "(999999999999, 999999999999)"), "a"), ElementType::s8).find("truncated"),
      std::string::npos);
  EXPECT_NE(refusal(npy("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1, 1), }", "abcd"),
                    ElementType::f32)
                .find("plain numeric"),
            std::string::npos);
}

TEST(Npy, RefusalsAreOneLine) {
  for (const auto& [descr, shape] : {std::pair{"|O8", "(2,)"}, std::pair{"<f4", "(-2,)"}}) {
    const std::string message = refusal(npy(header(descr, shape), "abcdefgh"), ElementType::s8);
    EXPECT_NE(message.find(shape), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    EXPECT_EQ(message.find("  "), std::string::npos) << message;
  }
}

TEST(Npy, LongHeadersAreRefused) {
  for (const std::size_t spaces : {9000, 60000}) {
    const std::string text =
        "{'descr'" + std::string(spaces, ' ') + ": '|i1', 'fortran_order': False, 'shape': (1, ";
    EXPECT_NE(refusal(npy(text + "2), }", "ab"), ElementType::s4)
                  .find(spaces > 10000 ? "header has" : "outside s4"),
              std::string::npos);
    EXPECT_NE(refusal(npy(text + std::string(600, '1') + "), }", "a"), ElementType::s8)
                  .find(spaces > 10000 ? "header has" : "too large"),
              std::string::npos);
  }
}

}  // namespace
}  // namespace twofour::emu
