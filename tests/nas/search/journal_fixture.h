#pragma once
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <functional>

#include "toy_search.h"
#include "twofour/isa/error.h"
#include "twofour/isa/file.h"
#include "twofour/nas/search/journal.h"

namespace twofour::nas {

class JournalTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!isa::has_sqlite()) GTEST_SKIP() << "built without SQLite";
    folder_ = std::filesystem::temp_directory_path() / ("twofour-journal-" + std::to_string(getpid()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    path_ = (folder_ / "search.journal").string();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  /// Why the journal is refused; empty if it is not.
  std::string refusal(const Fingerprint& fingerprint) const {
    try {
      const Journal journal(path_, fingerprint);
      return "";
    } catch (const Error& error) {
      return error.what();
    }
  }
  std::string refusal() const { return refusal(fingerprint_); }

  /// The status of a child that runs it and then exits with 0; 3 after an Error.
  static int status_of_child(const std::function<void()>& run) {
    const pid_t child = fork();
    if (child == 0) {
      try {
        run();
      } catch (const Error&) {
        _exit(3);
      }
      _exit(0);
    }
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return status;
  }

  Fingerprint fingerprint_{{"space", "a\nb\nc\n"}, {"network", "toy"}, {"weights", "12ab"}};
  std::filesystem::path folder_;
  std::string path_;
};

}  // namespace twofour::nas
