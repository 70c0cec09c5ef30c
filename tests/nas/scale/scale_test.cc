#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <sstream>

#include "../search/toy_search.h"
#include "twofour/isa/error.h"
#include "twofour/isa/file.h"
#include "twofour/nas/scale/ranks.h"
#include "twofour/nas/search/candidate_text.h"
#include "twofour/nas/search/journal.h"

namespace twofour::nas {
namespace {

struct Outcome {
  int status = 0;
  std::string out, err;
  std::map<std::string, int> measured;  ///< by candidate: how often to its end
  std::map<int, int> by_rank;           ///< how many each measured
  int ended = 0;                        ///< ranks that came to their end
};

class ScaleTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!isa::has_sqlite()) GTEST_SKIP() << "built without SQLite";
    folder_ = std::filesystem::temp_directory_path() / ("twofour-scale-" + std::to_string(getpid()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    // Whoever runs the tests, on however few cores; what libmpi leaves allocated is not for us to free.
    for (const char* name :
         {"OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "OMPI_MCA_rmaps_base_oversubscribe"})
      setenv(name, "1", 1);
    setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string file(const std::string& name) const { return (folder_ / name).string(); }

  /// The program with the journal of that name, under mpirun if more than one rank.
  Outcome run(int ranks, const std::string& journal, const std::string& accidents = "") const {
    std::filesystem::remove(file("calls"));
    isa::write_file(file("calls"), "");
    std::string command = fmt::format("timeout 60 {} {} {} {} >{} 2>{}", SCALE_PROGRAM,
                                      journal == "none" ? journal : file(journal), file("calls"), accidents,
                                      file("out"), file("err"));
    if (ranks > 1) command.replace(11, 0, fmt::format("{} -n {} ", MPIRUN, ranks));
    Outcome outcome;
    outcome.status = WEXITSTATUS(std::system(command.c_str()));
    outcome.out = isa::read_file(file("out"));
    outcome.err = isa::read_file(file("err"));
    std::istringstream calls(isa::read_file(file("calls")));
    for (std::string rank, candidate; calls >> rank;) {
      if (rank == "end") {
        ++outcome.ended;
        continue;
      }
      calls >> candidate;
      ++outcome.measured[candidate];
      ++outcome.by_rank[std::stoi(rank)];
    }
    return outcome;
  }

  /// The result of the search, calculated here.
  static std::string wanted(int batch = 8) {
    ToyEvaluator toy([](const Candidate&) {});
    std::string text;
    for (const auto& [candidate, m] : toy_search(toy, 64 / batch, batch))
      text += fmt::format("{}: {} {}\n", candidate_text(candidate), m.loss, m.accuracy);
    return text;
  }

  static void expect_once(const Outcome& outcome) {
    for (const auto& [candidate, count] : outcome.measured) EXPECT_EQ(count, 1) << candidate;
  }

  /// What an ended run left: none of it is measured by the run that follows, which ends with the same result.
  void expect_resumed(int ranks, const std::string& journal, const Outcome& before) const {
    const Outcome after = run(ranks, journal);
    EXPECT_EQ(after.status, 0) << after.err;
    EXPECT_EQ(after.out, wanted());
    expect_once(after);
    int again = 0;
    for (const auto& [candidate, count] : after.measured) again += int(before.measured.count(candidate));
    EXPECT_LE(again, ranks) << "measured, but not yet in the journal";
    std::set<std::string> all;
    for (const auto& o : {before, after})
      for (const auto& [candidate, count] : o.measured) all.insert(candidate);
    EXPECT_EQ(all.size(), unique_candidates());
    message_ = after.err;
  }

  static std::size_t unique_candidates() {
    std::set<Candidate> all;
    ToyEvaluator toy([&](const Candidate& c) { all.insert(c); });
    toy_search(toy, 8, 8);
    return all.size();
  }

  std::filesystem::path folder_;
  mutable std::string message_;  ///< stderr of expect_resumed
};

#define EXPECT_CONTAINS(text, part) EXPECT_NE((text).find(part), std::string::npos) << (text)

TEST_F(ScaleTest, OneProcessNeedsNoMpi) {
  const Outcome one = run(1, "j");
  EXPECT_EQ(one.status, 0) << one.err;
  EXPECT_EQ(one.out, wanted());
  expect_once(one);
  EXPECT_EQ(one.measured.size(), unique_candidates());
}

TEST_F(ScaleTest, WithoutMpiMpirunIsRefused) {
  if (mpi_available()) GTEST_SKIP() << "built with MPI";
  setenv("OMPI_COMM_WORLD_SIZE", "2", 1);
  const Outcome refused = run(1, "j");
  unsetenv("OMPI_COMM_WORLD_SIZE");
  EXPECT_EQ(refused.status, 2);
  EXPECT_CONTAINS(refused.err, "built without MPI: install libopenmpi-dev");
}

class MpiTest : public ScaleTest {
 protected:
  void SetUp() override {
    ScaleTest::SetUp();
    if (!mpi_available()) GTEST_SKIP() << "built without MPI";
  }
};

/// Jobs that live on when a rank dies, as Open MPI 4 offers.
class RecoveryTest : public MpiTest {
 protected:
  void SetUp() override {
    MpiTest::SetUp();
    if (!IsSkipped() && std::system(MPIRUN " --version | grep -qE '(Open MPI|OpenRTE). 4'") != 0)
      GTEST_SKIP() << "another MPI";
    setenv("OMPI_MCA_orte_enable_recovery", "1", 1);
  }
  void TearDown() override {
    unsetenv("OMPI_MCA_orte_enable_recovery");
    MpiTest::TearDown();
  }
};

TEST_F(MpiTest, ManyRanksGiveTheResultOfOne) {
  for (const int ranks : {2, 3}) {
    const Outcome many = run(ranks, fmt::format("j{}", ranks));
    EXPECT_EQ(many.status, 0) << many.err;
    EXPECT_EQ(many.out, wanted());
    expect_once(many);
    EXPECT_EQ(many.measured.size(), unique_candidates());
    EXPECT_EQ(many.by_rank.size(), std::size_t(ranks));
    EXPECT_EQ(many.ended, ranks);
  }
}

TEST_F(MpiTest, WithoutAJournalAnswersHaveTheOrderOfTheCandidates) {
  const Outcome many = run(2, "none");
  EXPECT_EQ(many.status, 0) << many.err;
  EXPECT_EQ(many.out, wanted());
}

TEST_F(MpiTest, AKilledWorkerEndsTheJobAndTheNextGoesOn) {
  const Outcome killed = run(2, "j", "kill=1:6");
  EXPECT_NE(killed.status, 0);
  EXPECT_LT(killed.measured.size(), unique_candidates());
  expect_resumed(2, "j", killed);
  EXPECT_CONTAINS(message_, "under way when the last run ended, on rank");
  EXPECT_CONTAINS(message_, "1; ");
}

TEST_F(RecoveryTest, TheJobGoesOnWithoutTheKilledWorker) {
  const Outcome killed = run(3, "j", "kill=1:3 silence_ms=1500");
  EXPECT_EQ(killed.status, 0) << killed.err;
  EXPECT_EQ(killed.out, wanted());
  EXPECT_EQ(killed.ended, 2);
  EXPECT_CONTAINS(killed.err, "rank 1 was lost (nothing heard for 1.5 s); its candidate is measured again");
}

TEST_F(RecoveryTest, WorkersEndWhenRank0IsKilled) {
  const Outcome killed = run(2, "j", "kill=0:4 silence_ms=1500");
  EXPECT_EQ(killed.out, "");
  EXPECT_CONTAINS(killed.err,
                  "rank 1: rank 0 was lost (nothing heard for 1.5 s); start the same command again");
  expect_resumed(1, "j", killed);
}

TEST_F(RecoveryTest, AWorkerThatLeavesEarlyIsMissedAtOnce) {
  const Outcome left = run(2, "j", "early=1:0");
  EXPECT_CONTAINS(left.err, "this node has no weights");
  EXPECT_CONTAINS(left.err, "rank 1 has left");
  EXPECT_EQ(left.out, wanted());
}

TEST_F(MpiTest, AWorkerThatWasStoppedComesBack) {
  const Outcome stopped = run(2, "j", "stop=1:2 silence_ms=1000 delay_ms=100");
  EXPECT_EQ(stopped.status, 0) << stopped.err;
  EXPECT_EQ(stopped.out, wanted());
  EXPECT_CONTAINS(stopped.err, "rank 1 was lost");
  EXPECT_EQ(stopped.ended, 2);
  EXPECT_GT(stopped.by_rank.at(1), 4) << "it should get candidates again";
}

TEST_F(MpiTest, AnAnswerThatComesLateCountsOnce) {
  const Outcome stopped = run(2, "j", "stop=1:1 silence_ms=1000 delay_ms=250 batch=64");
  EXPECT_EQ(stopped.status, 0) << stopped.err;
  EXPECT_EQ(stopped.out, wanted(64));
  EXPECT_CONTAINS(stopped.err, "rank 1 was lost");
  int twice = 0;
  for (const auto& [candidate, count] : stopped.measured) twice += count == 2;
  EXPECT_EQ(twice, 1) << "by rank 0 meanwhile, and by rank 1";
}

TEST_F(MpiTest, AnErrorOnAWorkerIsReported) {
  const Outcome failed = run(2, "j", "fail=1:3");
  EXPECT_NE(failed.status, 0);
  EXPECT_CONTAINS(failed.err, "rank 1: no image in /data");
  EXPECT_EQ(failed.ended, 1) << "the worker";
  expect_resumed(1, "j", failed);
  EXPECT_EQ(message_.find("last run ended, on rank 0"), std::string::npos) << "rank 0 had finished its own";
}

TEST_F(MpiTest, AnErrorOnRank0EndsTheWorkers) {
  const Outcome failed = run(2, "j", "fail=0:3");
  EXPECT_NE(failed.status, 0);
  EXPECT_CONTAINS(failed.err, "no image in /data");
  EXPECT_EQ(failed.ended, 1) << "the worker";
}

TEST_F(MpiTest, ASignalFinishesWhatIsUnderWay) {
  const Outcome ended = run(3, "j", "term=0:3 slow=1:0 slow=2:0 delay_ms=30");
  EXPECT_NE(ended.status, 0);
  EXPECT_CONTAINS(ended.err, "interrupted; run it again to go on");
  EXPECT_EQ(ended.ended, 2) << "the workers";
  const Outcome after = run(3, "j");
  EXPECT_EQ(after.err.find("under way"), std::string::npos) << after.err;
  EXPECT_EQ(after.out, wanted());
  for (const auto& [candidate, count] : after.measured) EXPECT_EQ(ended.measured.count(candidate), 0u);
}

TEST_F(MpiTest, RanksThatWouldNotMeasureTheSameAreRefused) {
  const Outcome other = run(3, "j", "other=2:0");
  EXPECT_NE(other.status, 0);
  EXPECT_CONTAINS(other.err,
                  "rank 2 and rank 0 would not measure the same:\n  space, line 2: rank 0: b; rank 2: B");
  EXPECT_TRUE(other.measured.empty());
  EXPECT_FALSE(std::filesystem::exists(file("j")));
}

}  // namespace
}  // namespace twofour::nas
