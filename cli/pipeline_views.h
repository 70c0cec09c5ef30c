#pragma once
#include <nlohmann/json.hpp>
#include <string>

#include "twofour/emu/timing/sm_report.h"
#include "twofour/emu/timing/sm_timeline.h"

namespace twofour::cli {

/// What --view asks for.
struct Views {
  bool summary, pipes, stalls, timeline;
};

/// "summary", "pipes", "stalls", "timeline" or "all"; throws Error that lists them.
Views parse_views(const std::string& text);

/// The views of one simulated SM as text, without the first line of the answer.
void print_views(const Views& views, const emu::SmReport& report, const emu::Timeline& timeline);

/// The same as JSON fields; all but the timeline whatever the views.
nlohmann::ordered_json views_json(const Views& views, const emu::SmReport& report,
                                  const emu::Timeline& timeline);

}  // namespace twofour::cli
