// Built in place of tuning_cache.cc where SQLite is not installed.
#include "twofour/emu/tune/tuning_cache.h"
#include "twofour/isa/error.h"

namespace twofour::emu {

bool has_tuning_cache() {
  return false;
}

TuningCache::TuningCache(const std::string& path) : path_(path) {
  fail("cache {}: this twofour was built without SQLite; install libsqlite3-dev and build again", path);
}
TuningCache::~TuningCache() = default;

std::optional<TuningRecord> TuningCache::result(const TuningKey&, const std::string&) const {
  return std::nullopt;
}
void TuningCache::put_result(const TuningKey&, const std::string&, const TuningRecord&) {}
std::unordered_map<std::string, double> TuningCache::trials(const TuningKey&) const {
  return {};
}
void TuningCache::put_trials(const TuningKey&, const std::vector<Candidate>&) {}

}  // namespace twofour::emu
