#include "twofour/nas/search/fingerprint.h"

#include <gtest/gtest.h>

#include "twofour/isa/error.h"
#include "twofour/nas/search/candidate_text.h"

namespace twofour::nas {
namespace {

TEST(Fingerprint, DifferencesAreNamed) {
  const Fingerprint a{{"x", "1"}, {"y", "one\ntwo\nthree"}, {"z", ""}, {"only", "v"}};
  EXPECT_EQ(differences(a, "left", a, "right"), "");
  EXPECT_EQ(differences(a, "left", {a.rbegin(), a.rend()}, "right"), "");
  const Fingerprint b{{"x", "10"}, {"y", "one\ntwo\nthree\nfour"}, {"z", ""}};
  EXPECT_EQ(differences(a, "left", b, "right"),
            "\n  only: only left has it"
            "\n  x: left: 1; right: 10"
            "\n  y, line 3: left: three; right: three");
  const Fingerprint long_a{{"f", std::string(61, 'a')}}, long_b{{"f", std::string(60, 'a')}};
  EXPECT_EQ(differences(long_a, "left", long_b, "right"),
            "\n  f: left: " + std::string(60, 'a') + "...; right: " + std::string(60, 'a'));
}

TEST(Fingerprint, TextBringsItBack) {
  const Fingerprint f{{"a:1", "3:abc\n"}, {"", std::string("\0\xFF", 2)}, {"last", ""}};
  EXPECT_EQ(from_text(to_text(f)), f);
  EXPECT_EQ(from_text(""), Fingerprint{});
  for (const std::string text :
       {"x", "1:", "1:a", "2:a1:b", "1:a1:bc", "1a", "99999999999999999999:a", "-1:a"})
    EXPECT_THROW(from_text(text), Error) << text;
}

TEST(CandidateText, ThereAndBack) {
  for (const Candidate& c : {Candidate{}, Candidate{0}, Candidate{3, 0, 12}})
    EXPECT_EQ(candidate_from(candidate_text(c)), c);
  EXPECT_EQ(candidate_text({3, 0, 12}), "3,0,12");
  for (const std::string text : {",", "1,", "1,,2", "a", "1 2", "1;2", "99999999999"})
    EXPECT_THROW(candidate_from(text), Error) << text;
}

}  // namespace
}  // namespace twofour::nas
