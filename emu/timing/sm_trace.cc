#include "twofour/emu/timing/sm_trace.h"

#include "twofour/emu/timing/sm_timeline.h"

namespace twofour::emu {
namespace {

enum Process { warps = 1, pipe_tracks = 2, copies = 3 };

std::string slice(int process, int track, std::string_view name, double from, double length,
                  const std::string& arguments) {
  return fmt::format(R"({{"ph":"X","pid":{},"tid":{},"name":"{}","ts":{:.3f},"dur":{:.3f},"args":{{{}}}}})",
                     process, track, name, from, length, arguments);
}

double cycles(Ticks t) {
  return static_cast<double>(t) / static_cast<double>(ticks_per_cycle);
}

}  // namespace

void ChromeTrace::add(const std::string& event) {
  if (events_++ < limit_) text_ += ",\n" + event;
}

void ChromeTrace::name_track(int process, int track, const std::string& name) {
  if (!named_.emplace(process, track).second) return;
  names_ += fmt::format(
      ",\n{{\"ph\":\"M\",\"pid\":{},\"tid\":{},\"name\":\"thread_name\",\"args\":{{\"name\":\"{}\"}}}}",
      process, track, name);
}

void ChromeTrace::on_issue(const IssueEvent& e) {
  name_track(warps, e.warp.slot, fmt::format("slot {} (sub-core {})", e.warp.slot, e.warp.sub_core));
  add(slice(warps, e.warp.slot, op_name(*e.op), static_cast<double>(e.cycle), 1,
            fmt::format(R"("cta":{},"warp":{},"instruction":{},"line":{},"result":{})", e.warp.cta,
                        e.warp.warp, e.index, e.op->line, e.complete)));
}

void ChromeTrace::on_stall(const StallEvent& e) {
  add(slice(warps, e.warp.slot, name(e.reason), static_cast<double>(e.from),
            static_cast<double>(e.to - e.from),
            fmt::format(R"("cta":{},"warp":{},"instruction":{},"before":"{}")", e.warp.cta, e.warp.warp,
                        e.index, op_name(*e.op))));
}

void ChromeTrace::on_copy(const CopyEvent& e) {
  // Copies of a warp overlap: asynchronous events, which the viewer stacks.
  const auto id = fmt::format("{}.{}.{}", e.warp.cta, e.warp.warp, e.index);
  for (const auto& [phase, cycle] : {std::pair('b', e.issued), {'e', e.complete}})
    add(fmt::format(R"({{"ph":"{}","cat":"copy","id":"{}","pid":{},"tid":{},"name":"cp.async","ts":{}}})",
                    phase, id, int(copies), e.warp.slot, cycle));
}

void ChromeTrace::on_pipe(const PipeEvent& e) {
  if (e.pipe == Pipe::issue) return;  // the warps' tracks show it
  const int track = static_cast<int>(e.pipe) * 16 + e.sub_core + 1;
  name_track(pipe_tracks, track,
             e.sub_core < 0 ? std::string(name(e.pipe)) : fmt::format("{} {}", name(e.pipe), e.sub_core));
  add(slice(pipe_tracks, track, name(e.pipe), cycles(e.from), cycles(e.busy), ""));
}

void ChromeTrace::on_cta(const CtaEvent& e) {
  constexpr std::string_view words[] = {"launch", "barrier", "exit"};
  add(fmt::format(R"({{"ph":"i","s":"p","pid":{},"tid":0,"name":"CTA {} {}","ts":{}}})", int(warps), e.cta,
                  words[static_cast<int>(e.kind)], e.cycle));
}

std::string ChromeTrace::json() const {
  std::string head =
      "{\"displayTimeUnit\":\"ns\",\n\"otherData\":{\"unit\":\"1 us of the trace is 1 cycle\",\"events\":";
  head += fmt::format("{},\"left_out\":{}}},\n\"traceEvents\":[\n", std::min(events_, limit_),
                      events_ > limit_ ? events_ - limit_ : 0);
  std::string processes;
  for (const auto& [process, name] :
       {std::pair(int(warps), "warps"), {int(pipe_tracks), "pipes"}, {int(copies), "copies"}})
    processes += fmt::format(
        "{}{{\"ph\":\"M\",\"pid\":{},\"tid\":0,\"name\":\"process_name\",\"args\":{{\"name\":\"{}\"}}}}",
        processes.empty() ? "" : ",\n", process, name);
  return head + processes + names_ + text_ + "\n]}\n";
}

}  // namespace twofour::emu
