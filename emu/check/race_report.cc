#include "twofour/emu/check/race_report.h"

#include <fmt/core.h>

#include "twofour/emu/check/report.h"
#include "twofour/emu/ptx/memory.h"

namespace twofour::emu::check {
namespace {

std::string_view verb(const Access& a) {
  return a.copy ? "copies" : a.writes ? "writes" : "reads";
}

int line(const Access& a) {
  return a.site->instruction().at.line;
}

std::string_view error(const Conflict& c) {
  switch (c.kind) {
    case Conflict::Kind::warps: return "race";
    case Conflict::Kind::not_waited:
      return c.later.writes ? "write before cp.async wait" : "read before cp.async wait";
    default: return "warp-level hazard";
  }
}

std::string detail(const Conflict& c, const Access& here, const Access& there) {
  const std::string other = fmt::format("line {} ({})", line(there), there.site->instruction().text);
  switch (c.kind) {
    case Conflict::Kind::warps:
      return fmt::format(
          "{} shared memory that warp {}, lanes {}, {} at {}; no barrier or other order is between them",
          verb(here), there.warp, lanes_text(there.lanes), verb(there), other);
    case Conflict::Kind::lanes:
      return fmt::format(
          "{} shared memory that lanes {} of the warp {} at {}; bar.warp.sync (__syncwarp) is missing "
          "between them",
          verb(here), lanes_text(there.lanes), there.writes ? "write" : "read", other);
    case Conflict::Kind::values:
      return "lanes store different values to the same shared memory in one instruction; which of them stays "
             "is open";
    default:
      return fmt::format(
          "{} shared memory that cp.async of warp {}, lanes {}, fills at {}; that thread did not wait for "
          "its group",
          verb(here), there.warp, lanes_text(there.lanes), other);
  }
}

bool stands_at_earlier(const Conflict& c) {
  if (c.kind == Conflict::Kind::not_waited || c.earlier.site == c.later.site) return false;
  if (c.earlier.writes != c.later.writes) return !c.earlier.writes;
  return line(c.earlier) > line(c.later);
}

}  // namespace

void RaceReport::add(ptx::Warp& warp, const Conflict& c) {
  const bool swap = stands_at_earlier(c);
  const Access& here = swap ? c.earlier : c.later;
  const Access& there = swap ? c.later : c.earlier;
  block_ = warp.cta().linear_index();
  const auto [at, is_new] = entries_.try_emplace({c.kind, here.site, there.site});
  Entry& e = at->second;
  if (is_new) {
    e.finding = finding_at(Tool::racecheck, warp, *here.site, here.lanes);
    e.finding.warp = here.warp;
    e.finding.error = error(c);
    e.finding.detail = detail(c, here, there);
    e.finding.address = ptx::shared_window + c.offset;
  } else if (e.last != c.later.step) {
    ++e.finding.count;
  } else if (e.finding.count == 1 && e.finding.warp == here.warp) {
    e.finding.lanes |= here.lanes;
  }
  e.last = c.later.step;
}

void RaceReport::flush() {
  for (auto& [key, entry] : entries_) findings_.add(std::move(entry.finding), block_);
  entries_.clear();
}

}  // namespace twofour::emu::check
