#include "twofour/emu/timing/sm_events.h"

#include <array>

namespace twofour::emu {
namespace {

template <std::size_t N, class Enum>
std::string_view pick(const std::array<std::string_view, N>& names, Enum value) {
  return names[static_cast<std::size_t>(value)];
}

constexpr std::array<std::string_view, stalls> stall_names{
    "wait",         "short_scoreboard", "long_scoreboard",
    "barrier",      "branch_resolving", "math_pipe_throttle",
    "mio_throttle", "lg_throttle",      "not_selected"};
constexpr std::array<std::string_view, pipes> pipe_names{
    "issue", "tensor", "integer", "fp32", "fp64", "special", "shared-memory", "L1", "L2", "DRAM"};
constexpr std::array<std::string_view, 17> kind_names{
    "mma",      "ldmatrix",     "ld.shared",  "st.shared", "ld.global", "st.global",
    "cp.async", "commit_group", "wait_group", "barrier",   "arrive",    "integer",
    "fp32",     "fp64",         "special",    "branch",    "exit"};

}  // namespace

std::string_view name(Stall stall) {
  return pick(stall_names, stall);
}
std::string_view name(Pipe pipe) {
  return pick(pipe_names, pipe);
}
std::string_view name(OpKind kind) {
  return pick(kind_names, kind);
}

}  // namespace twofour::emu
