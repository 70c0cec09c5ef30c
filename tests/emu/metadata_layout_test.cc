#include "twofour/emu/matrix/metadata_layout.h"

#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <set>
#include <sstream>

#include "twofour/emu/matrix/sparse_matrix.h"
#include "twofour/isa/error.h"
#include "twofour/isa/metadata_layout.h"
#include "twofour/isa/sparsity.h"

namespace twofour::emu {
namespace {

using isa::ElementType;
using enum MetadataLayout;

MetadataCodes random_codes(std::int64_t rows, std::int64_t groups, unsigned seed) {
  std::mt19937 random(seed);
  MetadataCodes m{rows, groups, std::vector<std::uint8_t>(std::size_t(rows * groups))};
  for (auto& code : m.codes) code = std::uint8_t(random() & 0xF);
  return m;
}

const isa::Instruction& instruction(const char* name) {
  return isa::find_instruction(name);
}

// Every sparse row of the table, every selector, two sizes, all sixteen codes: there and back.
TEST(MetadataLayout, RoundTrips) {
  for (const isa::Instruction& i : isa::instructions()) {
    if (!i.is_sparse()) continue;
    const std::int64_t rows = isa::metadata_row_block(i.a), groups = 2 * isa::codes_per_metadata_element(i.a);
    for (const auto& m : {random_codes(rows, groups, 1), random_codes(3 * rows, 5 * groups, 2)})
      for (int selector = 0; selector < i.selectors(); ++selector)
        for (const MetadataLayout layout : {logical, ptx, cutlass, pytorch}) {
          if (layout == pytorch && isa::bits(i.a) < 16 && i.a != ElementType::s8) continue;
          const MetadataForm form{layout, i, selector};
          const IntegerArray array = encode_metadata(m, form);
          EXPECT_EQ(decode_metadata(array, form, 0, m.groups), m) << isa::short_name(i) << name(layout);
          EXPECT_EQ(array.words.size(), std::size_t(array.rows * array.cols));
        }
  }
}

// Rows that do not fill a tile: legal filler, dropped on the way back.
TEST(MetadataLayout, PtxFillsTheLastTile) {
  const MetadataForm form{ptx, instruction("sp.m16n8k32.f32.f16.f16.f32"), 0};
  const MetadataCodes m = random_codes(17, 16, 3);
  const IntegerArray array = encode_metadata(m, form);
  EXPECT_EQ(array.rows, 2 * 2);
  EXPECT_EQ(decode_metadata(array, form, 17, 16), m);
  const MetadataCodes all = decode_metadata(array, form, 0, 16);
  EXPECT_EQ(all.rows, 32);
  EXPECT_EQ(all.code(17, 0), 0x4);
}

/// What ldmatrix.x4 hands to `lane` in register `matrix` (PTX ISA 9.1, ldmatrix): matrix j has eight rows of
/// 16 bytes, and lane (g, t) gets bytes 4t .. 4t+3 of its row g. `row_bytes` says where row i of matrix j
/// starts.
std::uint32_t loaded(const std::vector<std::uint8_t>& memory, std::size_t row_start, int lane) {
  std::uint32_t word = 0;
  for (std::size_t b = 0; b < 4; ++b)
    word |= std::uint32_t(memory[row_start + std::size_t(4 * (lane % 4)) + b]) << (8 * b);
  return word;
}

/// The 32 registers that one 8 x 16-byte matrix of E gives to a warp: two interleaved columns of E are 2M
/// contiguous elements, and a row of the matrix is 16 bytes of them.
std::array<std::uint32_t, 32> ldmatrix(const IntegerArray& e, int element_bytes, std::int64_t column_pair,
                                       int matrix) {
  std::vector<std::uint8_t> memory;
  for (const std::uint32_t word : e.words)
    for (int b = 0; b < element_bytes; ++b) memory.push_back(std::uint8_t(word >> (8 * b)));
  const std::size_t start = std::size_t(column_pair * e.cols * element_bytes + matrix * 128);
  std::array<std::uint32_t, 32> registers{};
  for (int lane = 0; lane < 32; ++lane)
    registers[std::size_t(lane)] = loaded(memory, start + std::size_t(16 * (lane / 4)), lane);
  return registers;
}

// The independent statement of the CUTLASS layout: a plain ldmatrix of 128 bytes of E gives each lane the
// word that mma.sp reads. 16-bit elements: one matrix serves two row tiles, by selector. 32-bit elements: one
// tile, selector 0.
TEST(MetadataLayout, LdmatrixDeliversCutlassMetadataToTheInstruction) {
  for (const char* name :
       {"sp.m16n8k32.f32.f16.f16.f32", "sp.m16n8k32.f32.bf16.bf16.f32", "sp.m16n8k16.f32.tf32.tf32.f32",
        "sp.m16n8k64.s32.s8.s8.s32", "sp.m16n8k64.s32.u8.u8.s32", "sp.m16n8k128.s32.s4.s4.s32",
        "sp.m16n8k128.s32.u4.u4.s32"}) {
    const isa::Instruction& i = instruction(name);
    const int element_bytes = isa::metadata_element_bits(i.a) / 8, tiles = i.selectors();
    ASSERT_EQ(tiles, element_bytes == 2 ? 2 : 1) << name;
    const MetadataCodes m = random_codes(64, 3 * i.groups(), 4);
    const IntegerArray e = encode_metadata(m, {cutlass, i, 0});
    for (std::int64_t k_tile = 0; k_tile < 3; ++k_tile)
      for (int matrix = 0; matrix < 64 / (16 * tiles); ++matrix) {
        const auto registers = ldmatrix(e, element_bytes, k_tile, matrix);
        for (int selector = 0; selector < tiles; ++selector)
          for (int row = 0; row < 16; ++row)
            for (int group = 0; group < i.groups(); ++group) {
              const auto at = isa::metadata_place(i, row, group, selector);
              ASSERT_EQ(registers[std::size_t(at.lane)] >> at.shift & 0xF,
                        m.code(16 * (matrix * tiles + selector) + row, k_tile * i.groups() + group))
                  << name << " row " << row << " group " << group << " matrix " << matrix;
            }
      }
  }
}

TEST(MetadataLayout, OffsetsArePermutations) {
  for (const auto type : {ElementType::f16, ElementType::s8})
    for (const std::int64_t rows : {32, 96})
      for (const std::int64_t columns : {2, 6}) {
        std::set<std::int64_t> seen;
        for (std::int64_t row = 0; row < rows; ++row)
          for (std::int64_t col = 0; col < columns; ++col)
            seen.insert(isa::reordered_metadata_offset(type, rows, row, col));
        EXPECT_EQ(std::int64_t(seen.size()), rows * columns);
        EXPECT_EQ(*seen.begin(), 0);
        EXPECT_EQ(*seen.rbegin(), rows * columns - 1);
      }
}

struct TorchMatrix {
  ElementType type;
  PackedMatrix dense;
  std::vector<std::uint32_t> meta;
};

PackedMatrix with_nonzeros(ElementType type, const std::vector<std::string>& masks) {
  PackedMatrix dense(type, std::int64_t(masks.size()), 4 * std::int64_t(masks[0].size()));
  for (std::int64_t row = 0; row < dense.rows(); ++row)
    for (std::int64_t col = 0; col < dense.cols(); ++col) {
      const int digit = std::stoi(masks[std::size_t(row)].substr(std::size_t(col / 4), 1), nullptr, 16);
      if (digit >> (col % 4) & 1) dense.set_bits(row, col, 1);
    }
  return dense;
}

std::vector<TorchMatrix> torch_matrices() {
  std::ifstream file(TWOFOUR_SOURCE_DIR "/tests/emu/data/pytorch_metadata.txt");
  std::vector<TorchMatrix> out;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string key, type;
    int rows = 0, columns = 0;
    words >> key >> type >> rows >> columns;
    if (key != "matrix") continue;
    std::vector<std::string> masks(static_cast<std::size_t>(rows));
    std::vector<std::uint32_t> meta;
    for (auto& mask : masks) {
      std::getline(file, line);
      std::istringstream row(line);
      row >> mask;
      for (std::string hex; row >> hex;) meta.push_back(std::uint32_t(std::stoul(hex, nullptr, 16)));
    }
    const ElementType element = isa::parse_element(type);
    out.push_back({element, with_nonzeros(element, masks), meta});
    EXPECT_EQ(out.back().dense.cols(), columns);
  }
  return out;
}

const isa::Instruction& sparse_row(ElementType type) {
  for (const isa::Instruction& i : isa::instructions())
    if (i.is_sparse() && i.a == type) return i;
  fail("no sparse instruction");
}

TEST(MetadataLayout, AgreesWithPyTorch) {
  const auto matrices = torch_matrices();
  ASSERT_EQ(matrices.size(), 4u);
  for (const TorchMatrix& t : matrices) {
    const SparseMatrix s = compress(t.dense);
    const MetadataCodes m{s.rows(), s.groups(), s.codes};
    const IntegerArray array = encode_metadata(m, {pytorch, sparse_row(t.type), 0});
    EXPECT_EQ(array.words, t.meta) << isa::name(t.type);
    EXPECT_EQ(array.rows, t.dense.rows());
    EXPECT_EQ(array.dtype, t.type == ElementType::s8 ? "<i4" : "<i2");
  }
}

std::string refusal(const IntegerArray& array, const MetadataForm& form, std::int64_t rows,
                    std::int64_t groups) {
  try {
    decode_metadata(array, form, rows, groups);
  } catch (const Error& e) {
    return e.what();
  }
  return "was not refused";
}

TEST(MetadataLayout, RefusalsSayWhy) {
  const auto& f16 = instruction("sp.m16n8k32.f32.f16.f16.f32");
  const auto& s4 = instruction("sp.m16n8k64.s32.s4.s4.s32");
  EXPECT_NE(refusal({"|u1", 1, 2, {4, 16}}, {logical, f16, 0}, 0, 0).find("row 0, group 1: 16 is no"),
            std::string::npos);
  EXPECT_NE(refusal({"<u4", 1, 31, {}}, {ptx, f16, 0}, 0, 8).find("31 columns"), std::string::npos);
  EXPECT_NE(refusal({"<u4", 1, 32, {}}, {ptx, f16, 0}, 0, 0).find("give --k"), std::string::npos);
  EXPECT_NE(refusal({"<u4", 3, 32, {}}, {ptx, f16, 0}, 0, 16).find("3 tiles do not make"), std::string::npos);
  EXPECT_NE(refusal({"<u4", 2, 32, {}}, {ptx, f16, 0}, 40, 8).find("M = 40 needs 3 row tiles"),
            std::string::npos);
  EXPECT_NE(refusal({"<u4", 2, 32, {}}, {ptx, f16, 2}, 0, 8).find("selector 2 is out of range"),
            std::string::npos);
  EXPECT_NE(refusal({"<u4", 32, 2, {}}, {pytorch, f16, 0}, 0, 0).find("'<i2'"), std::string::npos);
  EXPECT_NE(refusal({"<i4", 32, 2, {}}, {pytorch, s4, 0}, 0, 0).find("PyTorch has no"), std::string::npos);
  EXPECT_NE(refusal({"<u2", 1, 48, {}}, {cutlass, f16, 0}, 0, 0).find("M = 24 and K = 32 do not fit"),
            std::string::npos);
  EXPECT_NE(refusal({"|u1", 1, 2, {4, 4}}, {logical, f16, 0}, 1, 3).find("holds K = 8, not 12"),
            std::string::npos);
}

}  // namespace
}  // namespace twofour::emu
