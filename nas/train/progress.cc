#include "twofour/nas/train/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

namespace twofour::nas {

Progress::Progress(std::string label, std::int64_t total, std::int64_t done)
    : label_(std::move(label)),
      total_(std::max<std::int64_t>(total, 1)),
      first_(done),
      terminal_(isatty(STDERR_FILENO) == 1),
      start_(Clock::now()),
      last_(start_) {}

Progress::~Progress() {
  if (drawn_) fmt::print(stderr, "\r\x1b[K");
}

void Progress::update(std::int64_t done, const std::string& note) {
  const auto now = Clock::now();
  const double since = std::chrono::duration<double>(now - last_).count();
  if (since < (terminal_ ? 0.2 : 15.0)) return;
  last_ = now;
  const double elapsed = std::chrono::duration<double>(now - start_).count();
  const double left = done > first_ ? elapsed / double(done - first_) * double(total_ - done) : 0;
  const std::string text = fmt::format("{:3.0f} %, {:.0f} s left{}{}", 100.0 * double(done) / double(total_),
                                       left, note.empty() ? "" : ", ", note);
  if (!terminal_) {
    fmt::print(stderr, "{}: {}\n", label_, text);
    return;
  }
  constexpr int width = 24;
  const int filled = int(width * std::min(done, total_) / total_);
  fmt::print(stderr, "\r{} [{:#<{}}{:.<{}}] {}\x1b[K", label_, "", filled, "", width - filled, text);
  std::fflush(stderr);
  drawn_ = true;
}

}  // namespace twofour::nas
