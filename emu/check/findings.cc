#include "twofour/emu/check/findings.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "twofour/isa/error.h"

namespace twofour::emu::check {
namespace {

constexpr std::array<std::string_view, tools> names{"memcheck",  "racecheck", "synccheck",
                                                    "initcheck", "metacheck", "bankcheck"};

}  // namespace

std::string_view name(Tool tool) {
  return names[std::size_t(tool)];
}

std::vector<Tool> tools_from(std::string_view list) {
  std::array<bool, tools> wanted{};
  while (!list.empty()) {
    const std::string_view word = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), word.size() + 1));
    bool known = word == "all";
    for (std::size_t t = 0; t < tools; ++t) {
      if (word != "all" && word != names[t]) continue;
      wanted[t] = known = true;
    }
    if (!known) fail("--tool: there is no {}; there are {}, and all", word, fmt::join(names, ", "));
  }
  std::vector<Tool> out;
  for (std::size_t t = 0; t < tools; ++t)
    if (wanted[t]) out.push_back(Tool(t));
  return out;
}

Finding finding_at(Tool tool, ptx::Warp& warp, const ptx::Site& site, std::uint32_t lanes) {
  Finding f;
  f.tool = tool;
  f.kernel = warp.cta().kernel_name();
  f.file = *site.file;
  f.line = site.instruction().at.line;
  f.statement = site.instruction().text;
  f.block = warp.cta().index();
  f.warp = warp.index();
  f.lanes = lanes;
  return f;
}

std::string place(const Finding& f) {
  return fmt::format("{}:{}: {}: kernel {}", f.file, f.line, f.statement, f.kernel);
}

void Findings::add(Finding finding, std::uint64_t linear_block) {
  const std::lock_guard lock(mutex_);
  const auto [at, is_new] = entries_.try_emplace({finding.kernel, finding.line, finding.tool, finding.error},
                                                 Entry{finding, linear_block});
  if (is_new) return;
  Entry& known = at->second;
  finding.count += known.finding.count;
  if (linear_block < known.block)
    known = {std::move(finding), linear_block};
  else
    known.finding.count = finding.count;
}

void Findings::replace(Finding finding, std::uint64_t linear_block) {
  const std::lock_guard lock(mutex_);
  const Key first{finding.kernel, finding.line, finding.tool, ""};
  for (auto at = entries_.lower_bound(first); at != entries_.end();) {
    const Finding& f = at->second.finding;
    if (std::tie(f.kernel, f.line, f.tool) != std::tie(finding.kernel, finding.line, finding.tool)) break;
    at = entries_.erase(at);
  }
  const Key key{finding.kernel, finding.line, finding.tool, finding.error};
  entries_.emplace(key, Entry{std::move(finding), linear_block});
}

std::vector<Finding> Findings::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<Finding> out;
  for (const auto& [key, entry] : entries_) out.push_back(entry.finding);
  return out;
}

bool Findings::empty() const {
  const std::lock_guard lock(mutex_);
  return entries_.empty();
}

bool Findings::explains(const std::string& failure) const {
  const std::lock_guard lock(mutex_);
  return std::any_of(entries_.begin(), entries_.end(), [&](const auto& entry) {
    const Finding& f = entry.second.finding;
    return (f.tool == Tool::memcheck || f.tool == Tool::synccheck) &&
           failure.starts_with(place(f) + ", block ");
  });
}

}  // namespace twofour::emu::check
