#include "twofour/emu/matrix/metadata_survey.h"

#include <gtest/gtest.h>

#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

MetadataCodes all_ordered(std::int64_t rows, std::int64_t groups) {
  return {rows, groups, std::vector<std::uint8_t>(std::size_t(rows * groups), 0x4)};
}

TEST(MetadataSurvey, CountsKindsAndStopsAtTheLimit) {
  const isa::Instruction& i = isa::find_instruction("sp.m16n8k32.f32.f16.f16.f32");
  MetadataCodes m = all_ordered(32, 16);
  m.codes[16 * 19 + 9] = 0x1;   // row 19, group 9: second row of the second tile row, second tile along k
  m.codes[16 * 19 + 10] = 0xF;  // the next
  m.codes[16 * 31 + 15] = 0x0;
  const MetadataSurvey survey = survey_metadata(m, i, 1, 2);
  EXPECT_EQ(survey.count, (std::array<std::int64_t, 4>{509, 1, 2, 0}));
  EXPECT_EQ(survey.undefined(), 2);
  EXPECT_EQ(survey.not_ordered(), 3);
  ASSERT_EQ(survey.findings.size(), 2u);
  // Row 3 of tile (1, 1), group 1: selector 1 reads lane 4 * 3 + 2.
  EXPECT_EQ(finding_text(m, i, survey.findings[0]),
            "row 19 group 9: code 0x1 keeps columns 37 and 36 (descending: not legal for "
            "::ordered_metadata); tile 1,1 lane 14 bits 4-7 of word 0x44444F14");
  EXPECT_EQ(survey.findings[1].group, 10);
}

TEST(MetadataSurvey, NamesTheFirstDifference) {
  const isa::Instruction& i = isa::find_instruction("sp.m16n8k128.s32.s4.s4.s32");
  const MetadataCodes expected = all_ordered(16, 16);
  MetadataCodes got = expected;
  got.codes[16 * 9 + 2] = 0xC;
  got.codes[16 * 9 + 3] = 0x8;
  const MetadataDifference difference = compare_metadata(got, expected, i, 0);
  EXPECT_EQ(difference.count, 2);
  ASSERT_TRUE(difference.first.has_value());
  EXPECT_EQ(difference_text(got, expected, i, *difference.first),
            "row 9 group 2: code 0xC keeps columns 16, 17, 22 and 23, expected 0x4: columns 16, 17, 18 and "
            "19; tile 0,0 lane 5 bits 8-11 of word 0x44448C44; moves stored column 10 from 18 to 22, 11 from "
            "19 to 23");
  EXPECT_EQ(compare_metadata(expected, expected, i, 0).count, 0);
  EXPECT_THROW(compare_metadata(got, all_ordered(16, 32), i, 0), Error);
}

}  // namespace
}  // namespace twofour::emu
