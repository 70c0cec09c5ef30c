#pragma once
// From conflicts to findings: one for each pair of instructions of a block.
#include <map>
#include <tuple>

#include "twofour/emu/check/findings.h"
#include "twofour/emu/check/race_shadow.h"

namespace twofour::emu::check {

/// The finding stands at the read if one of the two is a read, else at the later line, so that it does not
/// hang on the order in which the warps ran; its detail names the other one.
class RaceReport {
 public:
  explicit RaceReport(Findings& findings) : findings_(findings) {}
  ~RaceReport() { flush(); }
  RaceReport(const RaceReport&) = delete;
  RaceReport& operator=(const RaceReport&) = delete;

  void add(ptx::Warp& warp, const Conflict& conflict);
  /// The block is over.
  void flush();

 private:
  struct Entry {
    Finding finding;
    Step last = 0;
  };
  using Key = std::tuple<Conflict::Kind, const ptx::Site*, const ptx::Site*>;
  Findings& findings_;
  std::uint64_t block_ = 0;
  std::map<Key, Entry> entries_;
};

}  // namespace twofour::emu::check
