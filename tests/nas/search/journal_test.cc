#include "twofour/nas/search/journal.h"

#include <signal.h>

#include <chrono>
#include <limits>
#include <map>
#include <thread>

#include "journal_fixture.h"

namespace twofour::nas {
namespace {

const auto nothing = [](const Candidate&) {};

TEST_F(JournalTest, WhatWasMeasuredComesBackAsItWas) {
  const double infinity = std::numeric_limits<double>::infinity();
  const std::map<Candidate, Measurement> wanted{{{0, 3, 12}, {1.0 / 3, 0.1}},
                                                {{0, 3}, {2, 1}},
                                                {{}, {0, 0}},
                                                {{1}, {infinity, 5e-324}},
                                                {{2}, {std::nan(""), 0.5}}};
  {
    Journal journal(path_, fingerprint_);
    for (const auto& [candidate, measurement] : wanted) journal.finish(candidate, measurement, 0.25);
  }
  const Journal journal(path_, fingerprint_);
  EXPECT_EQ(journal.size(), wanted.size());
  for (const auto& [candidate, measurement] : wanted) {
    const auto found = journal.find(candidate);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->accuracy, measurement.accuracy);
    if (candidate == Candidate{2})
      EXPECT_TRUE(std::isnan(found->loss));
    else
      EXPECT_EQ(found->loss, measurement.loss);
  }
  EXPECT_FALSE(journal.find({3}));
  EXPECT_EQ(journal.seconds({0, 3}), 0.25);
  EXPECT_EQ(journal.seconds({3}), 0);
}

TEST_F(JournalTest, AnswersAreTheEvaluatorsAndEachCandidateIsMeasuredOnce) {
  ToyEvaluator plain(nothing);
  const auto wanted = toy_search(plain, 12, 8);
  std::map<Candidate, int> calls;
  ToyEvaluator counted([&](const Candidate& c) { ++calls[c]; });
  Journal journal(path_, fingerprint_);
  JournalledEvaluator evaluator(journal, counted);
  EXPECT_EQ(toy_search(evaluator, 12, 8), wanted);
  for (const auto& [candidate, count] : calls) EXPECT_EQ(count, 1);
  EXPECT_LT(calls.size(), wanted.size()) << "the search should ask for some again";
  EXPECT_EQ(evaluator.measured(), std::int64_t(calls.size()));
  EXPECT_EQ(evaluator.recalled(), std::int64_t(wanted.size() - calls.size()));
}

/// A search that finds its answers in the journal still says what they took.
TEST_F(JournalTest, TheTimeOfAMeasurementIsKept) {
  const auto wait = [](const Candidate&) { std::this_thread::sleep_for(std::chrono::milliseconds(20)); };
  ToyEvaluator slow(wait);
  {
    Journal journal(path_, fingerprint_);
    JournalledEvaluator evaluator(journal, slow);
    evaluator.measure({{1}, {2}, {3}});
    EXPECT_EQ(evaluator.recalled_seconds(), 0);
  }
  Journal journal(path_, fingerprint_);
  JournalledEvaluator evaluator(journal, slow);
  evaluator.measure({{1}, {3}});
  EXPECT_GE(evaluator.recalled_seconds(), 0.04);
  EXPECT_LT(evaluator.recalled_seconds(), 0.04 * 50);
}

/// Kill -9 while the nth candidate is measured, for n from the first to the last, and again while the run
/// that followed measures its third: each time the rest is measured and nothing twice.
TEST_F(JournalTest, AKilledSearchGoesOnToTheSameEnd) {
  constexpr int rounds = 5, batch = 4;
  ToyEvaluator plain(nothing);
  const auto wanted = toy_search(plain, rounds, batch);
  std::map<Candidate, int> all;
  for (const auto& [candidate, measurement] : wanted) all[candidate] = 1;
  for (int killed_at = 1; killed_at <= int(all.size()); killed_at += 3) {
    SCOPED_TRACE(killed_at);
    path_ = (folder_ / std::to_string(killed_at)).string();
    int finished = 0;
    for (const int at : {killed_at, 3}) {
      if (finished + at > int(all.size())) break;
      const int status = status_of_child([&] {
        int calls = 0;
        ToyEvaluator dies([&](const Candidate&) {
          if (++calls == at) raise(SIGKILL);
        });
        Journal journal(path_, fingerprint_);
        JournalledEvaluator evaluator(journal, dies);
        toy_search(evaluator, rounds, batch);
      });
      ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
      finished += at - 1;
    }
    Journal journal(path_, fingerprint_);
    EXPECT_EQ(journal.size(), std::size_t(finished));
    ASSERT_EQ(journal.unfinished().size(), 1u);
    EXPECT_FALSE(journal.find(journal.unfinished()[0].candidate));
    EXPECT_NE(
        journal.opening().find("; 1 candidate was under way when the last run ended; it is measured again"),
        std::string::npos)
        << journal.opening();
    std::vector<Candidate> again;
    ToyEvaluator counted([&](const Candidate& c) { again.push_back(c); });
    JournalledEvaluator evaluator(journal, counted);
    EXPECT_EQ(toy_search(evaluator, rounds, batch), wanted);
    EXPECT_EQ(again.size(), all.size() - finished);
    EXPECT_EQ(again[0], journal.unfinished()[0].candidate);
  }
}

TEST_F(JournalTest, SaysWhichRanksHadWhatWasNotFinished) {
  {
    Journal journal(path_, fingerprint_);
    journal.begin({1}, 1);
    journal.begin({2}, 2);
    journal.begin({3}, 1);
    journal.begin({4}, 0);
    journal.begin({4}, 2);  // handed on
    journal.begin({5}, 3);
    journal.finish({5}, {1, 1}, 1);
  }
  {
    const Journal journal(path_, fingerprint_);
    EXPECT_EQ(journal.opening(),
              "1 measurement in " + path_ +
                  "; 4 candidates were under way when the last run ended, on ranks 1 and 2; "
                  "they are measured again");
    EXPECT_EQ(journal.unfinished().size(), 4u);
  }
  const Journal journal(path_, fingerprint_);  // of the last run alone
  EXPECT_EQ(journal.opening(), "1 measurement in " + path_);
}

TEST_F(JournalTest, AnErrorOfTheEvaluatorLosesNothing) {
  int calls = 0;
  ToyEvaluator fails([&](const Candidate&) {
    if (++calls == 3) fail("no more");
  });
  {
    Journal journal(path_, fingerprint_);
    JournalledEvaluator evaluator(journal, fails);
    EXPECT_THROW(evaluator.measure({{1}, {2}, {3}, {4}}), Error);
    EXPECT_EQ(journal.size(), 2u);
  }
  const Journal journal(path_, fingerprint_);
  EXPECT_EQ(journal.size(), 2u);
  EXPECT_EQ(journal.find({2}), toy_measurement({2}));
}

TEST_F(JournalTest, AnotherRunsJournalIsRefusedAndKept) {
  Journal(path_, fingerprint_).finish({1}, {1, 1}, 1);
  const std::string before = isa::read_file(path_);
  Fingerprint other = fingerprint_;
  other[0].second = "a\nB\nc\n";
  other[2].second = "34cd";
  const std::string text = refusal(other);
  EXPECT_NE(text.find(path_), std::string::npos) << text;
  EXPECT_NE(text.find("\n  space, line 2: journal: b; this run: B"), std::string::npos) << text;
  EXPECT_NE(text.find("\n  weights: journal: 12ab; this run: 34cd"), std::string::npos) << text;
  EXPECT_EQ(text.find("network"), std::string::npos) << text;
  EXPECT_EQ(isa::read_file(path_), before);
  EXPECT_EQ(refusal(), "");
}

TEST_F(JournalTest, OneProcessAtATime) {
  {
    Journal journal(path_, fingerprint_);
    EXPECT_NE(refusal().find("another process is using it"), std::string::npos) << refusal();
    EXPECT_EQ(WEXITSTATUS(status_of_child([&] { Journal second(path_, fingerprint_); })), 3);
    journal.finish({1}, {1, 1}, 1);  // the first goes on
  }
  EXPECT_EQ(status_of_child([&] {
              Journal journal(path_, fingerprint_);
              _exit(0);  // not closed: the system lets go
            }),
            0);
  EXPECT_EQ(Journal(path_, fingerprint_).size(), 1u);
}

}  // namespace
}  // namespace twofour::nas
