#include "twofour/isa/clock.h"

#include <algorithm>
#include <charconv>

#include "twofour/isa/error.h"

namespace twofour::isa {
namespace {

Machine locked(const Machine& machine, double mhz) {
  const double ratio = mhz / machine.boost_mhz;
  Machine out = machine;
  out.boost_mhz = mhz;
  out.sustained_mhz = std::min(machine.sustained_mhz, mhz);
  out.sustained_integer_mhz = std::min(machine.sustained_integer_mhz, mhz);
  out.l2_read_gbs = machine.l2_read_gbs * ratio;
  out.dram_latency = machine.l2_latency + (machine.dram_latency - machine.l2_latency) * ratio;
  return out;
}

}  // namespace

Clock parse_clock(std::string_view text) {
  if (text == "automatic") return {Clock::Kind::automatic};
  if (text == "boost") return {Clock::Kind::boost};
  if (text == "sustained") return {Clock::Kind::sustained};
  Clock clock{Clock::Kind::locked};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), clock.mhz);
  if (error != std::errc{} || end != text.data() + text.size())
    fail("unknown clock '{}'; known: automatic, boost, sustained or a number of MHz", text);
  if (!(clock.mhz >= 100 && clock.mhz <= 3000)) fail("clock: {} MHz must lie between 100 and 3000", text);
  return clock;
}

std::string name(const Clock& clock) {
  switch (clock.kind) {
    case Clock::Kind::automatic: return "automatic";
    case Clock::Kind::boost: return "boost";
    case Clock::Kind::sustained: return "sustained";
    case Clock::Kind::locked: return fmt::format("{}", clock.mhz);
  }
  return "";
}

Machine at_clock(const Machine& machine, const Clock& clock, ElementType type) {
  switch (clock.kind) {
    case Clock::Kind::automatic: return machine;
    case Clock::Kind::sustained:
      return locked(machine, is_float(type) ? machine.sustained_mhz : machine.sustained_integer_mhz);
    case Clock::Kind::locked: return locked(machine, clock.mhz);
    case Clock::Kind::boost: break;
  }
  Machine out = machine;
  out.sustained_mhz = out.sustained_integer_mhz = machine.boost_mhz;
  return out;
}

}  // namespace twofour::isa
