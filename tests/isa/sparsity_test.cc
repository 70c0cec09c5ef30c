#include "twofour/isa/sparsity.h"

#include <gtest/gtest.h>

#include <set>

namespace twofour::isa {
namespace {

TEST(Sparsity, OrderedCodesAreTheSixPatterns) {
  std::set<int> codes;
  for (int code = 0; code < 16; ++code)
    if (is_ordered_code(Sparsity::two_of_four, std::uint8_t(code))) codes.insert(code);
  EXPECT_EQ(codes, (std::set<int>{0x4, 0x8, 0x9, 0xC, 0xD, 0xE}));
  for (const int duplicate : {0x0, 0x5, 0xA, 0xF})
    EXPECT_FALSE(is_legal_code(Sparsity::two_of_four, std::uint8_t(duplicate)));
  for (const int descending : {0x1, 0x2, 0x3, 0x6, 0x7, 0xB})
    EXPECT_TRUE(is_legal_code(Sparsity::two_of_four, std::uint8_t(descending)));
}

TEST(Sparsity, CodesSelectColumns) {
  EXPECT_EQ(logical_column(Sparsity::two_of_four, 0x9, 0), 1);
  EXPECT_EQ(logical_column(Sparsity::two_of_four, 0x9, 1), 2);
  EXPECT_EQ(logical_column(Sparsity::one_of_two, 0x4, 0), 0);
  EXPECT_EQ(logical_column(Sparsity::one_of_two, 0xE, 0), 1);
  const int pairs[] = {2, 3, 6, 7};  // code 0xD: pairs 1 and 3
  for (int s = 0; s < 4; ++s) EXPECT_EQ(logical_column(Sparsity::pairs_of_eight, 0xD, s), pairs[s]);
}

// Each selector reads its own lanes; together the selectors use every nibble of all 32 metadata registers
// once.
TEST(Sparsity, SelectorsPartitionTheMetadataRegisters) {
  for (const auto& i : instructions()) {
    if (!i.is_sparse()) continue;
    std::set<std::pair<int, int>> seen;
    for (int selector = 0; selector < i.selectors(); ++selector)
      for (int row = 0; row < i.shape.m; ++row)
        for (int group = 0; group < i.groups(); ++group) {
          const auto place = metadata_place(i, row, group, selector);
          EXPECT_TRUE(place.lane >= 0 && place.lane < 32 && place.shift % 4 == 0 && place.shift < 32);
          EXPECT_TRUE(seen.insert({place.lane, place.shift}).second) << short_name(i);
        }
    EXPECT_EQ(seen.size(), 32u * 8) << short_name(i);
  }
}

struct Case {
  const char* name;
  int row, group, selector;
  MetadataPlace at;
};
// PTX ISA 7.5, the metadata figures of the sparse mma section.
TEST(Sparsity, MetadataPlacesAgreeWithThePtxFigures) {
  for (const Case& c : {Case{"sp.m16n8k16.f32.f16.f16.f32", 3, 2, 1, {13, 8}},
                        {"sp.m16n8k16.f32.f16.f16.f32", 11, 2, 1, {13, 24}},
                        {"sp.m16n8k32.f32.f16.f16.f32", 0, 5, 1, {3, 4}},
                        {"sp.m16n8k32.f32.f16.f16.f32", 8, 0, 0, {0, 16}},
                        {"sp.m16n8k16.f32.tf32.tf32.f32", 1, 7, 0, {5, 12}},
                        {"sp.m16n8k32.s32.s8.s8.s32", 2, 7, 1, {10, 28}},
                        {"sp.m16n8k32.s32.s8.s8.s32", 10, 0, 1, {11, 0}},
                        {"sp.m16n8k64.s32.s8.s8.s32", 9, 9, 0, {7, 4}},
                        {"sp.m16n8k128.s32.s4.s4.s32", 0, 8, 0, {2, 0}}})
    EXPECT_EQ(metadata_place(find_instruction(c.name), c.row, c.group, c.selector), c.at)
        << c.name << " row " << c.row << " group " << c.group;
}

TEST(Sparsity, SelectorCountsAreThoseOfPtx) {
  EXPECT_EQ(find_instruction("sp.m16n8k16.f16.f16.f16.f16").selectors(), 4);
  EXPECT_EQ(find_instruction("sp.m16n8k32.f16.f16.f16.f16").selectors(), 2);
  EXPECT_EQ(find_instruction("sp.m16n8k8.f32.tf32.tf32.f32").selectors(), 4);
  EXPECT_EQ(find_instruction("sp.m16n8k32.s32.u8.s8.s32").selectors(), 2);
  EXPECT_EQ(find_instruction("sp.m16n8k64.s32.u8.s8.s32").selectors(), 1);
  EXPECT_EQ(find_instruction("sp.m16n8k64.s32.s4.s4.s32").selectors(), 2);
  EXPECT_EQ(find_instruction("m16n8k16.f32.f16.f16.f32").selectors(), 0);
}

}  // namespace
}  // namespace twofour::isa
