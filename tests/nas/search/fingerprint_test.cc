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
  // Sixty characters are quoted: the first ones, or from thirty in front of the first that differs.
  const std::string a59(59, 'a'), a30(30, 'a'), b70(70, 'b');
  EXPECT_EQ(differences({{"f", a59 + b70}}, "left", {{"f", a59 + "c"}}, "right"),
            "\n  f: left: " + a59 + "b...; right: " + a59 + "c");
  EXPECT_EQ(differences({{"f", a59 + "a" + b70}}, "left", {{"f", a59 + "a"}}, "right"),
            "\n  f: left: ..." + a30 + std::string(30, 'b') + "...; right: ..." + a30);
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
