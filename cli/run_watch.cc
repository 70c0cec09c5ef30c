#include "twofour/cli/run_watch.h"

#include <fmt/format.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <string_view>

namespace twofour::cli {
namespace {

constexpr int interrupted_status = 130;  // as shells say for SIGINT

void end_program(int) {
  constexpr std::string_view text = "\ntwofour: interrupted; no results are written\n";
  if (::write(STDERR_FILENO, text.data(), text.size()) < 0) ::_exit(interrupted_status);
  ::_exit(interrupted_status);
}

void print_progress(const std::stop_token& stop, const emu::ptx::Progress& progress, std::uint64_t blocks) {
  using namespace std::chrono_literals;
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  bool printed = false;
  for (int second = 1; !wake.wait_for(lock, stop, 1s, [&] { return stop.stop_requested(); }); ++second) {
    if (second <= 2) continue;
    fmt::print(stderr, "\r{} of {} blocks, {:.3g} warp instructions, {} s ", progress.blocks.load(), blocks,
               double(progress.warp_instructions.load()), second);
    printed = true;
  }
  if (printed) fmt::print(stderr, "\r{:70}\r", "");
}

void handle_interrupt(void (*handler)(int), struct sigaction* before) {
  struct sigaction action {};
  action.sa_handler = handler;
  ::sigaction(SIGINT, &action, before);
}

}  // namespace

RunWatch::RunWatch(const emu::ptx::Progress& progress, std::uint64_t blocks) {
  handle_interrupt(end_program, &before_);
  if (::isatty(STDERR_FILENO) == 1)
    printer_ = std::jthread(
        [&progress, blocks](const std::stop_token& stop) { print_progress(stop, progress, blocks); });
}

void RunWatch::finish() {
  if (printer_.joinable()) {
    printer_.request_stop();
    printer_.join();
  }
  handle_interrupt(SIG_IGN, nullptr);
}

RunWatch::~RunWatch() {
  finish();
  ::sigaction(SIGINT, &before_, nullptr);
}

}  // namespace twofour::cli
