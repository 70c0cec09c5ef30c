#include "twofour/emu/profile/tracer.h"

#include <algorithm>
#include <bit>

#include "twofour/emu/ptx/memory.h"
#include "twofour/emu/timing/bank_conflicts.h"
#include "twofour/isa/layout.h"

namespace twofour::emu::profile {
namespace {

using ptx::Instruction;
using ptx::MemoryUse;
using ptx::Site;
using ptx::Warp;
using ptx::Window;

constexpr int rounds = 3;  // of the blocks that an SM holds

std::size_t hash_of(const ptx::Function& f) {
  std::size_t h = std::hash<std::string>{}(f.name);
  for (const Instruction& i : f.code) h = h * 1099511628211u + std::hash<std::string>{}(i.text);
  return h;
}

/// One PTX instruction that a warp executed.
struct Event {
  int position = 0;
  bool off = false;               ///< its guard stopped all lanes
  bool ends = false;              ///< the warp ends here
  OpKind kind = OpKind::integer;  ///< of the access
  int wavefronts = 0, bytes = 0, argument = 0, expected = 0;
};

/// An instruction that no lane executes still takes its issue slot.
TimedOp idle(const TimedOp& op) {
  TimedOp t;
  t.read[0] = op.read[0];
  t.line = op.line;
  return t;
}

/// Streams of one warp in the making. A block of code is put down when the warp leaves it, in the order in
/// which the machine would issue it.
class WarpRecorder {
 public:
  void clear(std::int64_t bound) {
    trace_ = {};
    events_.clear();
    code_ = nullptr;
    bound_ = bound;
  }
  Event& add(const LoweredFunction& code, int position) {
    if (&code != code_ || events_.empty() || position <= events_.back().position ||
        code.block(position) != code.block(events_.back().position))
      put_down();
    code_ = &code;
    return events_.emplace_back(Event{.position = position});
  }
  WarpTrace take() {
    put_down();
    return std::move(trace_);
  }

 private:
  void put_down() {
    std::sort(events_.begin(), events_.end(), [this](const Event& a, const Event& b) {
      return code_->at(a.position).rank < code_->at(b.position).rank;
    });
    for (const Event& e : events_) put_down(e);
    events_.clear();
  }
  void put_down(const Event& e) {
    const Lowered& l = code_->at(e.position);
    const auto ops = code_->ops(l);
    trace_.executed += std::ssize(ops);
    for (int k = 0; k < l.count && std::ssize(trace_.ops) < bound_; ++k) {
      TimedOp op = ops[std::size_t(k)];
      if (l.access >= 0 && k >= l.access && k < l.access + l.accesses) {
        op.kind = e.kind;
        op.wavefronts = (e.wavefronts + l.accesses - 1) / l.accesses;
        op.bytes = e.bytes / l.accesses;
        op.argument = e.argument;
        op.expected = e.expected;
      }
      if (op.kind == OpKind::exit && !e.ends) op.kind = OpKind::branch;
      if (e.off && op.kind != OpKind::branch) op = idle(op);
      trace_.ops.push_back(op);
    }
  }

  const LoweredFunction* code_ = nullptr;
  std::vector<Event> events_;
  WarpTrace trace_;
  std::int64_t bound_ = 0;
};

/// Sectors that lanes touch, each once.
class Sectors {
 public:
  void add(std::uint64_t address, std::uint64_t bytes) {
    for (std::uint64_t s = address / sector_bytes; s <= (address + bytes - 1) / sector_bytes; ++s)
      if (list_.empty() || list_.back() != s) list_.push_back(s);
  }
  const std::vector<std::uint64_t>& unique() {
    if (!std::is_sorted(list_.begin(), list_.end())) std::sort(list_.begin(), list_.end());
    list_.erase(std::unique(list_.begin(), list_.end()), list_.end());
    return list_;
  }
  void clear() { list_.clear(); }

 private:
  std::vector<std::uint64_t> list_;
};

int wavefronts_of(Warp& warp, const MemoryUse& use, std::uint32_t lanes, int matrices) {
  std::array<std::uint32_t, 32> at{};
  std::uint64_t touched = 0;
  bool aligned = true;
  ptx::for_accesses(warp, use, lanes, [&](int lane, std::uint64_t address, std::uint64_t bytes) {
    at[std::size_t(lane)] = std::uint32_t(address - ptx::shared_window);
    aligned &= address % use.size == 0;
    touched += bytes;
  });
  if (use.elements != nullptr) return int((touched + 127) / 128);
  if (!aligned || !std::has_single_bit(use.size) || use.size > 16) return 1;  // the executor refuses it
  return matrices > 0 ? ldmatrix_wavefronts(at, matrices)
                      : std::max(shared_wavefronts(at, int(use.size), lanes), 1);
}

/// Different addresses: the constant cache answers one at a time.
int distinct(Warp& warp, const MemoryUse& use, std::uint32_t lanes) {
  std::vector<std::uint64_t> at;
  ptx::for_accesses(warp, use, lanes,
                    [&](int, std::uint64_t address, std::uint64_t) { at.push_back(address); });
  std::sort(at.begin(), at.end());
  return int(std::unique(at.begin(), at.end()) - at.begin());
}

/// The number of an operand that is an integer, or a register that holds the same in all lanes.
int number_of(Warp& warp, const Site& site, std::size_t operand, std::uint32_t lanes) {
  const ptx::Operand& o = site.instruction().operands[operand];
  if (o.kind == ptx::Operand::Kind::integer) return int(o.integer);
  for (const ptx::RegisterUse& use : site.reads)
    if (use.operand == int(operand) && use.bytes == 4)
      return int(warp.reg<std::uint32_t>(use.at)[std::countr_zero(lanes)]);
  return 0;
}

}  // namespace

std::int64_t BlockTrace::recorded() const {
  std::int64_t sum = 0;
  for (const WarpTrace& w : warps) sum += std::ssize(w.ops);
  return sum;
}

std::int64_t BlockTrace::executed() const {
  std::int64_t sum = 0;
  for (const WarpTrace& w : warps) sum += w.executed;
  return sum;
}

/// The blocks of one host thread.
class Tracer::Block : public ptx::BlockObserver {
 public:
  explicit Block(Tracer& tracer) : tracer_(tracer) {}
  ~Block() override {
    const std::lock_guard lock(tracer_.mutex_);
    tracer_.read_.add(read_);
    tracer_.written_.add(written_);
    GlobalTraffic& t = tracer_.trace_.traffic;
    t.read += traffic_.read;
    t.written += traffic_.written;
  }

  void begin(ptx::Cta& cta) override {
    recorded_ = tracer_.wants(cta.linear_index());
    if (!recorded_) return;
    warps_.resize(std::size_t(cta.warp_count()));
    for (WarpRecorder& w : warps_) w.clear(tracer_.warp_bound_);
    loaded_.clear();
    traffic_.loaded = traffic_.loaded_again = 0;
  }

  void before(Warp& warp, const Site& site, std::uint32_t lanes) override {
    Event unrecorded;
    Event& e =
        recorded_ ? warps_[std::size_t(warp.index())].add(code(*site.function), site.position) : unrecorded;
    e.off = lanes == 0;
    if (lanes == 0) return;
    e.ends =
        warp.depth() == 1 ? lanes == warp.live() : site.instruction().opcode != "ret" && lanes == warp.live();
    if (!site.memory.empty())
      access(warp, site, lanes, e);
    else if (recorded_)
      other(warp, site, lanes, e);
  }

  void end(ptx::Cta& cta) override {
    if (!recorded_) return;
    BlockTrace block{cta.linear_index(), {}};
    for (WarpRecorder& w : warps_) block.warps.push_back(w.take());
    tracer_.add(std::move(block), traffic_, loaded_.bytes());
  }

 private:
  const LoweredFunction& code(const ptx::Function& f) {
    if (&f != last_) {
      auto& known = functions_[&f];
      if (!known) known = tracer_.lowered(f);
      last_ = &f;
      code_ = known.get();
    }
    return *code_;
  }

  void access(Warp& warp, const Site& site, std::uint32_t lanes, Event& e) {
    const Instruction& i = site.instruction();
    for (const MemoryUse& use : site.memory) {
      std::uint64_t at[ptx::lanes_of_warp];
      ptx::addresses_of(warp, use.address, at);
      const Window window = ptx::window_at(at[std::countr_zero(lanes)]);
      if (window == Window::global && !i.has("const")) {
        global(warp, use, lanes, e);
        continue;
      }
      if (!recorded_) continue;
      if (window == Window::local) {
        e.kind = use.writes ? OpKind::store_global : OpKind::load_global;
        e.bytes = int(use.size) * std::popcount(lanes);
        continue;
      }
      const bool matrices = i.opcode == "ldmatrix";
      e.wavefronts = window == Window::shared
                         ? wavefronts_of(warp, use, lanes, matrices ? site.matrix->movement.matrices : 0)
                         : distinct(warp, use, lanes);
      if (use.asynchronous) continue;
      e.kind = matrices ? OpKind::ldmatrix : use.reads ? OpKind::load_shared : OpKind::store_shared;
    }
    if (site.memory.size() > 1) e.kind = OpKind::cp_async;
  }

  void global(Warp& warp, const MemoryUse& use, std::uint32_t lanes, Event& e) {
    sectors_.clear();
    ptx::for_accesses(warp, use, lanes,
                      [&](int, std::uint64_t address, std::uint64_t bytes) { sectors_.add(address, bytes); });
    const auto& list = sectors_.unique();
    const double bytes = double(list.size()) * sector_bytes;
    for (const std::uint64_t s : list) {
      if (use.reads) read_.add(s);
      if (use.writes) written_.add(s);
    }
    traffic_.read += use.reads ? bytes : 0;
    traffic_.written += use.writes ? bytes : 0;
    if (!recorded_) return;
    e.bytes = int(bytes);
    e.kind = use.reads ? OpKind::load_global : OpKind::store_global;
    if (!use.reads || use.atomic || use.asynchronous) return;
    traffic_.loaded += bytes;
    for (const std::uint64_t s : list) traffic_.loaded_again += loaded_.add(s) ? 0 : sector_bytes;
  }

  /// shfl, barriers.
  static void other(Warp& warp, const Site& site, std::uint32_t lanes, Event& e) {
    const Instruction& i = site.instruction();
    e.kind = OpKind::load_shared;
    e.wavefronts = 1;
    if (i.opcode != "bar" && i.opcode != "barrier") return;
    e.kind = i.has("arrive") ? OpKind::arrive : OpKind::barrier;
    const std::size_t first = i.has("red") ? 1 : 0;
    if (i.operands.size() <= first) return;
    e.argument = number_of(warp, site, first, lanes) & 15;
    const bool counts = first == 0 ? i.operands.size() > 1 : i.operands.size() > 3;
    if (counts) e.expected = (number_of(warp, site, first + 1, lanes) + 31) / 32;
  }

  Tracer& tracer_;
  bool recorded_ = false;
  std::vector<WarpRecorder> warps_;
  Footprint read_, written_, loaded_;
  GlobalTraffic traffic_;
  Sectors sectors_;
  std::map<const ptx::Function*, std::shared_ptr<const LoweredFunction>> functions_;
  const ptx::Function* last_ = nullptr;
  const LoweredFunction* code_ = nullptr;
};

std::unique_ptr<ptx::BlockObserver> Tracer::observe(ptx::Grid& grid) {
  if (!started_) start(grid);
  return std::make_unique<Block>(*this);
}

void Tracer::start(const ptx::Grid& grid) {
  const ptx::Kernel& kernel = *grid.kernel;
  functions_.clear();
  trace_ = {};
  read_.clear();
  written_.clear();
  trace_.kernel = kernel.entry->name;
  trace_.grid = grid.grid;
  trace_.block = grid.block;
  trace_.needs = {int(grid.block.x * grid.block.y * grid.block.z), 0,
                  kernel.static_shared + grid.dynamic_shared};
  for (const auto& [function, program] : kernel.programs)
    trace_.needs.registers = std::max(trace_.needs.registers, lowered(*function)->registers());
  trace_.occupancy = occupancy(trace_.needs, machine_);
  const int warps = (trace_.needs.threads + 31) / 32;
  warp_bound_ = std::max<std::int64_t>(bound_ / (std::int64_t{trace_.occupancy.blocks} * warps), 1);
  started_ = true;
}

std::shared_ptr<const LoweredFunction> Tracer::lowered(const ptx::Function& function) {
  const std::lock_guard lock(mutex_);
  auto& known = functions_[&function];
  if (known) return known;
  auto& same = known_[hash_of(function)];
  if (!same) same = std::make_shared<const LoweredFunction>(function, machine_);
  return known = same;
}

bool Tracer::wants(std::uint64_t index) {
  const auto sms = std::uint64_t(machine_.sms);
  if (index % sms != 0) return false;
  const auto place = index / sms, held = std::uint64_t(trace_.occupancy.blocks);
  if (place < held) return true;
  if (place >= rounds * held) return false;
  const std::lock_guard lock(mutex_);
  std::int64_t before = 0;
  for (const BlockTrace& b : trace_.blocks) before += b.index < index ? b.recorded() : 0;
  return before < bound_;
}

void Tracer::add(BlockTrace block, const GlobalTraffic& traffic, std::uint64_t loaded_once) {
  const std::lock_guard lock(mutex_);
  trace_.blocks.push_back(std::move(block));
  trace_.traffic.loaded += traffic.loaded;
  trace_.traffic.loaded_again += traffic.loaded_again;
  trace_.traffic.loaded_once = std::max(trace_.traffic.loaded_once, double(loaded_once));
}

namespace {

/// Blocks up to the bound: which of the later ones were recorded hangs on the order in which threads ran
/// them.
void cut(std::vector<BlockTrace>& blocks, std::size_t held, std::int64_t bound) {
  std::sort(blocks.begin(), blocks.end(),
            [](const BlockTrace& a, const BlockTrace& b) { return a.index < b.index; });
  std::int64_t before = 0;
  for (std::size_t k = 0; k < blocks.size(); ++k) {
    if (k >= held && before >= bound) return blocks.resize(k);
    before += blocks[k].recorded();
  }
}

}  // namespace

void Tracer::launched(const ptx::Grid& grid, const std::string& failure) {
  started_ = false;
  if (!failure.empty()) return;
  trace_.warp_instructions = grid.executed;
  trace_.traffic.read_once = double(read_.bytes());
  trace_.traffic.written_once = double(written_.bytes());
  cut(trace_.blocks, std::size_t(trace_.occupancy.blocks), bound_);
  take_(trace_);
  trace_ = {};
}

}  // namespace twofour::emu::profile
