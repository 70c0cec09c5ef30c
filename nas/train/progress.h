#pragma once
#include <chrono>
#include <cstdint>
#include <string>

namespace twofour::nas {

/// Progress of a long step on stderr: a bar on a terminal, else a line every fifteen seconds.
class Progress {
 public:
  Progress(std::string label, std::int64_t total, std::int64_t done = 0);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void update(std::int64_t done, const std::string& note = "");

 private:
  using Clock = std::chrono::steady_clock;
  std::string label_;
  std::int64_t total_, first_;
  bool terminal_, drawn_ = false;
  Clock::time_point start_, last_;
};

}  // namespace twofour::nas
