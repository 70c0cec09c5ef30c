#include "twofour/emu/check/make_checker.h"

#include <array>

#include "twofour/emu/check/checkers.h"
#include "twofour/isa/error.h"

namespace twofour::emu::check {
namespace {

using Factory = std::unique_ptr<ptx::Observer> (*)(Findings&);

/// In the order of Tool.
constexpr std::array<Factory, tools> factories{
    make_memcheck, make_racecheck, make_synccheck, make_initcheck, make_metacheck, make_bankcheck,
};

}  // namespace

std::unique_ptr<ptx::Observer> make_checker(Tool tool, Findings& findings) {
  const Factory make = factories[std::size_t(tool)];
  if (make == nullptr) fail("--tool {}: not implemented", name(tool));
  return make(findings);
}

}  // namespace twofour::emu::check
