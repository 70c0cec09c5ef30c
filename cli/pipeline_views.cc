#include "twofour/cli/pipeline_views.h"

#include <fmt/format.h>

#include "twofour/isa/error.h"

namespace twofour::cli {
namespace {

using emu::Pipe;
using emu::SmReport;
using emu::Stall;

/// Warp-cycles: issuing ones and waiting ones.
double warp_cycles(const SmReport& r) {
  double sum = static_cast<double>(r.totals.instructions);
  for (const auto cycles : r.stall_cycles) sum += static_cast<double>(cycles);
  return sum;
}

void print_pipes(const SmReport& r) {
  fmt::print("pipes, share of the cycles in which they work\n");
  for (int p = 0; p < emu::pipes; ++p) {
    const auto pipe = static_cast<Pipe>(p);
    const double used = r.utilisation(pipe);
    if (used > 0)
      fmt::print("  {:<14} {:>5.1f} %  {}\n", name(pipe), 100 * used,
                 std::string(std::size_t(used * 40 + 0.5), '#'));
  }
}

void print_stalls(const SmReport& r) {
  const double all = warp_cycles(r);
  fmt::print("warps, share of their cycles\n  {:<18} {:>5.1f} %\n", "selected (issues)",
             100 * static_cast<double>(r.totals.instructions) / all);
  for (int s = 0; s < emu::stalls; ++s) {
    const auto cycles = static_cast<double>(r.stall_cycles[static_cast<std::size_t>(s)]);
    if (cycles > 0) fmt::print("  {:<18} {:>5.1f} %\n", name(static_cast<Stall>(s)), 100 * cycles / all);
  }
}

nlohmann::ordered_json row_json(const emu::TimelineRow& row) {
  nlohmann::ordered_json waited = nlohmann::ordered_json::object();
  for (int s = 0; s < emu::stalls; ++s)
    if (const auto cycles = row.waited[static_cast<std::size_t>(s)]; cycles > 0)
      waited[std::string(name(static_cast<Stall>(s)))] = cycles;
  nlohmann::ordered_json json{{"cta", row.warp.cta},        {"warp", row.warp.warp},
                              {"index", row.index},         {"instruction", op_name(row.op)},
                              {"line", row.op.line},        {"issue", row.issue},
                              {"waited", std::move(waited)}};
  if (row.complete >= 0) json["ready"] = row.complete;
  return json;
}

}  // namespace

Views parse_views(const std::string& text) {
  if (text == "all") return {true, true, true, true};
  const Views views{text == "summary", text == "pipes", text == "stalls", text == "timeline"};
  if (!views.summary && !views.pipes && !views.stalls && !views.timeline)
    fail("unknown view '{}'; views: summary, pipes, stalls, timeline, all", text);
  return views;
}

void print_views(const Views& views, const SmReport& report, const emu::Timeline& timeline) {
  if (views.summary)
    fmt::print("SM         {} cycles, {} warp instructions, IPC {:.2f}\n", report.totals.cycles,
               report.totals.instructions, report.ipc());
  if (views.pipes) print_pipes(report);
  if (views.stalls) print_stalls(report);
  if (!views.timeline) return;
  fmt::print("{}", timeline_text(timeline.rows(), 120));
  if (timeline.capped()) fmt::print("the timeline ends here; --trace FILE shows more\n");
}

nlohmann::ordered_json views_json(const Views& views, const SmReport& report, const emu::Timeline& timeline) {
  nlohmann::ordered_json pipe_json, stall_json;
  for (int p = 0; p < emu::pipes; ++p)
    pipe_json[std::string(name(static_cast<Pipe>(p)))] = report.utilisation(static_cast<Pipe>(p));
  stall_json["selected"] = report.totals.instructions;
  for (int s = 0; s < emu::stalls; ++s)
    stall_json[std::string(name(static_cast<Stall>(s)))] = report.stall_cycles[static_cast<std::size_t>(s)];
  nlohmann::ordered_json json{{"sm_cycles", report.totals.cycles},
                              {"warp_instructions", report.totals.instructions},
                              {"ipc", report.ipc()},
                              {"bound", report.bound()},
                              {"pipe_utilisation", pipe_json},
                              {"warp_cycles", stall_json}};
  if (!views.timeline) return json;
  json["timeline"] = nlohmann::ordered_json::array();
  for (const auto& row : timeline.rows()) json["timeline"].push_back(row_json(row));
  json["timeline_capped"] = timeline.capped();
  return json;
}

}  // namespace twofour::cli
