#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "journal_fixture.h"

namespace twofour::nas {
namespace {

class JournalDamageTest : public JournalTest {
 protected:
  void SetUp() override {
    JournalTest::SetUp();
    if (IsSkipped()) return;
    fingerprint_.emplace_back("long", std::string(30000, 'n'));
    Journal journal(path_, fingerprint_);
    for (int i = 0; i < 60; ++i) journal.finish({i, i + 1, i + 2}, toy_measurement({i}), 1.5);
  }

  /// Refused, the message names the file, and the file is as it was.
  void expect_refused(const std::string& bytes, const std::string& words) {
    isa::write_file(path_, bytes);
    const std::string text = refusal();
    EXPECT_NE(text.find(path_), std::string::npos) << text;
    EXPECT_NE(text.find(words), std::string::npos) << "wanted: " << words << "\ngot: " << text;
    EXPECT_TRUE(isa::read_file(path_) == bytes);
  }
};

TEST_F(JournalDamageTest, NoJournal) {
  expect_refused("these are my notes, not a database", "no SQLite file");
  path_ = folder_.string();
  EXPECT_NE(refusal().find("directory"), std::string::npos) << refusal();
  path_ = (folder_ / "no" / "such" / "place").string();
  EXPECT_NE(refusal().find("cannot be opened"), std::string::npos) << refusal();
}

TEST_F(JournalDamageTest, CutOff) {
  const std::string whole = isa::read_file(path_);
  ASSERT_GT(whole.size(), 20000u);
  for (const std::size_t size : {std::size_t{50}, std::size_t{4096}, whole.size() / 2, whole.size() - 4096})
    expect_refused(whole.substr(0, size), "damaged");
}

TEST_F(JournalDamageTest, AnotherProgramsOrVersionsFile) {
  const std::string whole = isa::read_file(path_);
  std::string changed = whole;
  changed[71] ^= 1;  // last byte of the application id
  expect_refused(changed, "another program's");
  changed[18] = changed[19] = 1;  // without a write-ahead log, and it stays so
  expect_refused(changed, "another program's");
  changed = whole;
  changed[63] = 1;  // last byte of the version
  expect_refused(changed, "it has version 1 and this program reads 2");
}

/// Any byte of a stored row or of a page's structure that changes is noticed, or changes nothing that is
/// read.
TEST_F(JournalDamageTest, ChangedBytes) {
  const std::string whole = isa::read_file(path_);
  int refused = 0, tried = 0;
  for (std::size_t at = 97; at < whole.size(); at += 411) {
    std::string changed = whole;
    changed[at] = char(changed[at] ^ 0x10);
    isa::write_file(path_, changed);
    ++tried;
    try {
      const Journal journal(path_, fingerprint_);
      EXPECT_EQ(journal.size(), 60u) << at;
      for (int i = 0; i < 60; ++i) EXPECT_EQ(journal.find({i, i + 1, i + 2}), toy_measurement({i})) << at;
      for (int i = 0; i < 60; ++i) EXPECT_EQ(journal.seconds({i, i + 1, i + 2}), 1.5) << at;
    } catch (const Error& error) {
      ++refused;
      EXPECT_NE(std::string(error.what()).find(path_), std::string::npos) << error.what();
    }
  }
  EXPECT_GT(refused, tried / 3) << "of " << tried;
}

TEST_F(JournalDamageTest, AChangedMeasurementIsRefused) {
  std::string changed = isa::read_file(path_);
  const std::size_t row = changed.find("15,16,17");
  ASSERT_NE(row, std::string::npos);
  changed[row + 8 + 7] ^= 1;  // the last bit of the loss, which follows the text
  expect_refused(changed, "damaged (checksum of the measurement of 15,16,17)");
}

TEST_F(JournalDamageTest, AnEmptyFileBecomesAJournal) {
  isa::write_file(path_, "");
  Journal(path_, fingerprint_).finish({1}, {1, 1}, 1);
  EXPECT_EQ(Journal(path_, fingerprint_).size(), 1u);
}

/// As a user who is no superuser.
TEST_F(JournalDamageTest, WhatCannotBeWrittenIsRefused) {
  const std::string before = isa::read_file(path_);
  const auto refused = [&] {
    if (getuid() == 0 && setuid(65534) != 0) _exit(4);
    const std::string text = refusal();
    _exit(text.find(path_) != text.npos && text.find("must be writable") != text.npos ? 0 : 1);
  };
  chmod(path_.c_str(), 0444);
  EXPECT_EQ(status_of_child(refused), 0) << "file";
  chmod(path_.c_str(), 0666);
  chmod(folder_.c_str(), 0555);
  EXPECT_EQ(status_of_child(refused), 0) << "folder";
  chmod(folder_.c_str(), 0755);
  EXPECT_TRUE(isa::read_file(path_) == before);
}

/// A limit on the size of files stands for a full disk: the search ends with an Error, what was measured
/// stays.
TEST_F(JournalDamageTest, AFullDiskEndsTheRunAndLosesNothing) {
  constexpr int rounds = 20, batch = 8;
  ToyEvaluator plain([](const Candidate&) {});
  const auto wanted = toy_search(plain, rounds, batch);
  path_ = (folder_ / "full").string();
  int finished[2];
  ASSERT_EQ(pipe(finished), 0);
  const int status = status_of_child([&] {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{200000, 200000};
    setrlimit(RLIMIT_FSIZE, &limit);
    Journal journal(path_, fingerprint_);
    JournalledEvaluator evaluator(journal, plain);
    try {
      toy_search(evaluator, rounds, batch);
    } catch (const Error& error) {
      const int size = int(journal.size());
      const bool told = std::string(error.what()).find("cannot be written") != std::string::npos;
      if (!told || write(finished[1], &size, sizeof size) != ssize_t(sizeof size)) _exit(5);
      throw;
    }
  });
  ASSERT_TRUE(WIFEXITED(status));
  ASSERT_EQ(WEXITSTATUS(status), 3);
  int size = 0;
  ASSERT_EQ(read(finished[0], &size, sizeof size), ssize_t(sizeof size));
  close(finished[0]);
  close(finished[1]);
  Journal journal(path_, fingerprint_);
  EXPECT_GT(size, 5);
  EXPECT_EQ(journal.size(), std::size_t(size));
  JournalledEvaluator evaluator(journal, plain);
  EXPECT_EQ(toy_search(evaluator, rounds, batch), wanted);
}

}  // namespace
}  // namespace twofour::nas
