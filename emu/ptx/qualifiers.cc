#include "twofour/emu/ptx/qualifiers.h"

#include <algorithm>

namespace twofour::emu::ptx {
namespace {

constexpr std::string_view accepted[] = {
    "const",   "global",       "local",       "shared", "shared::cta", "shared::cluster",
    "param",   "param::entry", "param::func", "weak",   "volatile",    "relaxed",
    "acquire", "release",      "acq_rel",     "sc",     "mmio",        "cta",
    "cluster", "gpu",          "sys",         "ca",     "cg",          "cs",
    "lu",      "cv",           "wb",          "wt"};

bool is_cache_hint(std::string_view m) {
  return m.starts_with("L1::") || m.starts_with("L2::");
}

}  // namespace

Window window_of(const FunctionDecoder& d) {
  for (const std::string& m : d.instruction().modifiers) {
    if (m == "global" || m == "const") return Window::global;
    if (m.starts_with("shared")) return Window::shared;
    if (m == "local") return Window::local;
    if (m.starts_with("param")) return Window::param;
  }
  return Window::generic;
}

void check_qualifiers(const FunctionDecoder& d, std::initializer_list<std::string_view> own) {
  for (const std::string& m : d.instruction().modifiers) {
    if (is_cache_hint(m) || type_from(m)) continue;
    if (std::find(std::begin(accepted), std::end(accepted), m) != std::end(accepted)) continue;
    if (std::find(own.begin(), own.end(), m) != own.end()) continue;
    d.unsupported(fmt::format("not implemented: .{}", m));
  }
}

}  // namespace twofour::emu::ptx
