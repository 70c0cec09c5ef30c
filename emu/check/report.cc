#include "twofour/emu/check/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

namespace twofour::emu::check {
namespace {

std::string who(const Finding& f) {
  std::string out = fmt::format("block ({}, {}, {}), warp {}, {} {}", f.block.x, f.block.y, f.block.z, f.warp,
                                std::has_single_bit(f.lanes) ? "lane" : "lanes", lanes_text(f.lanes));
  if (f.address) out += fmt::format(", address {:#x}", *f.address);
  if (f.count != 1) out += fmt::format("; {} times in all", f.count);
  return out;
}

}  // namespace

std::string lanes_text(std::uint32_t lanes) {
  std::string out;
  for (int at = 0; at < 32; ++at) {
    const int run = std::countr_one(lanes >> at);
    if (run == 0) continue;
    const char* const gap = out.empty() ? "" : " ";
    out += run == 1 ? fmt::format("{}{}", gap, at) : fmt::format("{}{}-{}", gap, at, at + run - 1);
    at += run;
  }
  return out;
}

std::string text(const Finding& f) {
  std::string out = fmt::format("{}: {}: {}\n", name(f.tool), f.error, f.detail);
  if (f.kernel.empty()) return out;
  return out +
         fmt::format("    kernel {}, {}:{}: {}\n    {}\n", f.kernel, f.file, f.line, f.statement, who(f));
}

std::string report(std::span<const Finding> findings, std::span<const Tool> ran) {
  std::string out, sums;
  for (const Finding& f : findings) out += text(f);
  for (const Tool tool : ran)
    sums +=
        fmt::format("{}{} {}", sums.empty() ? "" : ", ", name(tool),
                    std::count_if(findings.begin(), findings.end(), [&](auto& f) { return f.tool == tool; }));
  return out + fmt::format("{} finding{}: {}\n", findings.size(), findings.size() == 1 ? "" : "s", sums);
}

}  // namespace twofour::emu::check
