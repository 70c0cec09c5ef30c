#include "twofour/emu/profile/launches.h"

#include "twofour/emu/profile/count.h"
#include "twofour/isa/evidence.h"

namespace twofour::emu::profile {
namespace {

nlohmann::ordered_json sizes(const ptx::Dim3& d) {
  return {d.x, d.y, d.z};
}

class StrictBlock final : public ptx::BlockObserver {
 public:
  void before(ptx::Warp& warp, const ptx::Site& site, std::uint32_t) override {
    if (site.matrix == nullptr || site.matrix == last_) return;
    last_ = site.matrix;
    std::string problem;
    try {
      return isa::require_measured(*site.matrix, warp.cta().grid().machine->architecture);
    } catch (const Error& e) {
      problem = e.what();
    }
    warp.fail(-1, "{}", problem);
  }

 private:
  const isa::Instruction* last_ = nullptr;
};

}  // namespace

/// Adds what it counted when its host thread is done.
class Launches::Block final : public ptx::BlockObserver {
 public:
  explicit Block(Launches& owner) : owner_(owner) {}
  ~Block() override {
    const Statistics counted = counter_.statistics();
    const std::lock_guard lock(owner_.mutex_);
    owner_.running_ += counted;
  }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  void before(ptx::Warp& warp, const ptx::Site& site, std::uint32_t lanes) override {
    counter_.add(warp, site, lanes);
  }

 private:
  Launches& owner_;
  Counter counter_;
};

std::unique_ptr<ptx::BlockObserver> Launches::observe(ptx::Grid&) {
  return std::make_unique<Block>(*this);
}

void Launches::launched(const ptx::Grid& grid, const std::string& failure) {
  const std::string& kernel = grid.kernel->entry->name;
  launches_.push_back(
      {kernel, grid.grid, grid.block, grid.dynamic_shared, running_.instructions(), !failure.empty()});
  kernels_[kernel] += running_;
  running_ = {};
  architecture_ = grid.machine->architecture;
}

const Statistics& Launches::of(const std::string& kernel) const {
  static const Statistics none;
  const auto at = kernels_.find(kernel);
  return at == kernels_.end() ? none : at->second;
}

nlohmann::ordered_json Launches::json() const {
  nlohmann::ordered_json launches = nlohmann::ordered_json::array(), kernels = launches;
  std::map<std::string, std::uint64_t> times;
  for (const Launch& l : launches_) {
    ++times[l.kernel];
    launches.push_back({{"kernel", l.kernel},
                        {"grid", sizes(l.grid)},
                        {"block", sizes(l.block)},
                        {"dynamic_shared", l.dynamic_shared},
                        {"instructions", l.instructions},
                        {"failed", l.failed}});
  }
  for (const auto& [kernel, statistics] : kernels_) {
    nlohmann::ordered_json entry{{"kernel", kernel}, {"launches", times.at(kernel)}};
    entry.update(profile::json(statistics, architecture_));
    kernels.push_back(entry);
  }
  return {{"launches", launches}, {"kernels", kernels}};
}

std::unique_ptr<ptx::BlockObserver> Strict::observe(ptx::Grid&) {
  return std::make_unique<StrictBlock>();
}

}  // namespace twofour::emu::profile
