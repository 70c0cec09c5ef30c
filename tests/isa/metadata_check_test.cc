#include "twofour/isa/metadata_check.h"

#include <gtest/gtest.h>

#include <array>

#include "twofour/isa/error.h"

namespace twofour::isa {
namespace {

using Words = std::array<std::uint32_t, 32>;

Words all_legal() {
  Words words;
  words.fill(0x44444444u);
  return words;
}

TEST(MetadataCheck, KindsOfAllCodes) {
  using enum CodeKind;
  const CodeKind two_of_four[16] = {duplicate, descending, descending, descending,  // 0 1 2 3
                                    ordered,   duplicate,  descending, descending,  // 4 5 6 7
                                    ordered,   ordered,    duplicate,  descending,  // 8 9 A B
                                    ordered,   ordered,    ordered,    duplicate};  // C D E F
  for (int code = 0; code < 16; ++code) {
    EXPECT_EQ(code_kind(Sparsity::two_of_four, std::uint8_t(code)), two_of_four[code]) << code;
    EXPECT_EQ(code_kind(Sparsity::pairs_of_eight, std::uint8_t(code)), two_of_four[code]) << code;
    EXPECT_EQ(code_kind(Sparsity::one_of_two, std::uint8_t(code)),
              code == 0x4 || code == 0xE ? ordered : mixed)
        << code;
  }
}

// PTX ISA 7.5, figure of m16n8k32 f16: row 3, groups 4 to 7 of selector 0 lie in the low half of lane 13, and
// row 11's in its high half.
TEST(MetadataCheck, NamesRowGroupLaneAndBits) {
  const Instruction& i = find_instruction("sp.m16n8k32.f32.f16.f16.f32");
  Words words = all_legal();
  words[13] = 0x44144454u;
  EXPECT_EQ(check_metadata(i, words, 0),
            (std::vector<MetadataFinding>{{3, 5, 13, 4, 0x5, CodeKind::duplicate},
                                          {11, 5, 13, 20, 0x1, CodeKind::descending}}));
  EXPECT_EQ(describe(i, check_metadata(i, words, 0)[0]),
            "row 3 group 5: code 0x5 keeps columns 21 and 21 (duplicate: undefined); lane 13 bits 4-7");
  EXPECT_EQ(describe(i, check_metadata(i, words, 0)[1]),
            "row 11 group 5: code 0x1 keeps columns 21 and 20 (descending: not legal for "
            "::ordered_metadata); lane 13 bits 20-23");
  EXPECT_TRUE(check_metadata(i, words, 1).empty()) << "lanes of another selector are not read";
}

TEST(MetadataCheck, ReadsEveryNibbleOfTheSelectorOnce) {
  for (const Instruction& i : instructions()) {
    if (!i.is_sparse()) continue;
    const Words bad{};  // code 0 is legal for no type
    for (int selector = 0; selector < i.selectors(); ++selector)
      EXPECT_EQ(check_metadata(i, bad, selector).size(), std::size_t(i.shape.m * i.groups()));
    EXPECT_TRUE(check_metadata(i, all_legal(), 0).empty()) << short_name(i);
    EXPECT_THROW(check_metadata(i, bad, i.selectors()), Error);
    EXPECT_THROW(check_metadata(i, bad, -1), Error);
  }
  EXPECT_THROW(check_metadata(find_instruction("m16n8k16.f32.f16.f16.f32"), all_legal(), 0), Error);
}

TEST(MetadataCheck, ColumnsInWords) {
  EXPECT_EQ(kept_columns_text(Sparsity::two_of_four, 0x9, 20), "columns 21 and 22");
  EXPECT_EQ(kept_columns_text(Sparsity::pairs_of_eight, 0x8, 8), "columns 8, 9, 12 and 13");
  EXPECT_EQ(kept_columns_text(Sparsity::one_of_two, 0xE, 4), "column 5");
}

}  // namespace
}  // namespace twofour::isa
