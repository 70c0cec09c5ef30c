// initcheck: what was never set and comes to where it matters. Registers, shared and local memory carry a bit
// for each lane and byte that says whether it was ever set; moves and arithmetic only hand the bits on. Said
// at: matrix instructions (registers), ldmatrix and wmma.load (shared memory), addresses, guards and indices
// that decide over control flow or memory, and reads of global memory that neither the host nor a kernel
// wrote. What was said once counts as set, so that one mistake is not told at every place that follows.
// Rather silent than wrong: a register that a load fills is unset only if none of the bytes it takes is set,
// and a load of global memory is a mistake only if none of a lane's bytes was written, for vectors
// reach into padding. The carry flag and kernel parameters always count as set.
#include <algorithm>
#include <array>

#include "twofour/emu/check/checkers.h"
#include "twofour/emu/check/init_shadow.h"
#include "twofour/emu/check/matrix_site.h"
#include "twofour/emu/check/report.h"
#include "twofour/emu/ptx/shuffle.h"

namespace twofour::emu::check {
namespace {

using ptx::all_lanes;
using ptx::for_lanes;

constexpr std::uint32_t bit(int lane, bool value) {
  return std::uint32_t(value) << lane;
}

/// One instruction that is about to run.
struct Step {
  ptx::Warp& warp;
  const ptx::Site& site;
  const InitPlan& plan;
  std::vector<std::uint32_t>& set;  ///< registers of the frame
  WarpShadow& shadow;
  std::uint32_t lanes;    ///< that execute it
  std::uint32_t unknown;  ///< of which an unset guard does not say whether they do

  std::uint32_t all_set(const std::vector<int>& registers) const {
    std::uint32_t lanes_set = all_lanes;
    for (const int r : registers) lanes_set &= set[std::size_t(r)];
    return lanes_set;
  }
  void give(int reg, std::uint32_t lanes_set) {
    std::uint32_t& s = set[std::size_t(reg)];
    s = ((s & ~lanes) | (lanes_set & lanes)) & ~unknown;
  }
  void give_all(std::uint32_t lanes_set) {
    for (const int r : plan.results) give(r, lanes_set);
  }
  const std::string& name(int reg) const { return site.function->registers[std::size_t(reg)].name; }

  /// The register that is an operand by itself; null: none is.
  const ptx::RegisterUse* use(int operand) const {
    for (const ptx::RegisterUse& u : site.reads)
      if (u.operand == operand) return &u;
    return nullptr;
  }
  std::uint32_t operand_set(int operand) const {
    const ptx::RegisterUse* const u = use(operand);
    return u == nullptr ? all_lanes : set[std::size_t(u->reg)];
  }
  /// Value of an operand in a lane; predicates are 0 and 1.
  std::uint64_t value(int operand, int lane) const {
    const ptx::Operand& o = site.instruction().operands[std::size_t(operand)];
    const ptx::RegisterUse* const u = use(operand);
    if (u == nullptr) return std::uint64_t(o.integer);
    if (u->bytes == 0) return (*warp.reg<std::uint32_t>(u->at) >> lane & 1) ^ std::uint64_t(o.negated);
    std::uint64_t v = 0;
    std::memcpy(&v, warp.reg<std::byte>(u->at) + lane * u->bytes, std::size_t(std::min(u->bytes, 8)));
    return v;
  }
};

// What results are made of

void select(Step& s) {
  std::uint32_t lanes_set = 0;
  const std::uint32_t chosen[2] = {s.operand_set(2), s.operand_set(1)}, by = s.operand_set(3);
  for_lanes(s.lanes, [&](int l) { lanes_set |= by & chosen[s.value(3, l)] & 1u << l; });
  s.give_all(lanes_set);
}

/// and with a set zero is set, or with set ones.
void logic(Step& s) {
  const ptx::Instruction& i = s.site.instruction();
  const bool pred = i.has("pred");
  const int width = pred ? 1 : i.has("b16") ? 16 : i.has("b32") ? 32 : 64;
  const std::uint64_t ones = ~std::uint64_t{0} >> (64 - width), deciding = i.opcode == "and" ? 0 : ones;
  std::uint32_t lanes_set = s.operand_set(1) & s.operand_set(2);
  for (const int operand : {1, 2})
    for_lanes(s.lanes & s.operand_set(operand),
              [&](int l) { lanes_set |= bit(l, (s.value(operand, l) & ones) == deciding); });
  s.give_all(lanes_set);
}

void compare(Step& s) {
  const ptx::Instruction& i = s.site.instruction();
  std::uint32_t lanes_set = s.all_set(s.plan.sources);
  if (!i.has("xor"))
    for_lanes(s.lanes & s.operand_set(3),
              [&](int l) { lanes_set |= bit(l, s.value(3, l) == (i.has("or") ? 1 : 0)); });
  s.give_all(lanes_set);
}

void shuffle(Step& s) {
  const auto mode = ptx::shuffle_mode(s.site.instruction()).value_or(ptx::Shuffle::idx);
  const std::uint32_t value = s.operand_set(1), by = s.operand_set(2) & s.operand_set(3);
  std::uint32_t lanes_set = 0;
  for_lanes(s.lanes & by, [&](int l) {
    const auto [source, valid] =
        ptx::shuffle_source(mode, l, std::uint32_t(s.value(2, l)), std::uint32_t(s.value(3, l)));
    lanes_set |= bit(l, (value >> (valid ? source : l) & 1) != 0);
  });
  for (std::size_t k = 0; k < s.plan.results.size(); ++k)
    s.give(s.plan.results[k], s.site.writes[k].bytes == 0 ? by : lanes_set);
}

/// Halves e = 0, 1 of lane 4g + t are elements (2t + e, g) of the source, which lane 4 (2t + e) + g / 2
/// holds.
void transpose(Step& s) {
  const std::uint32_t from = s.all_set(s.plan.sources);
  std::uint32_t lanes_set = 0;
  for_lanes(s.lanes, [&](int l) {
    const int g = l / 4, first = 4 * (2 * (l % 4)) + g / 2;
    lanes_set |= bit(l, (from >> first & from >> (first + 4) & 1) != 0);
  });
  s.give_all(lanes_set);
}

class InitBlock : public ptx::BlockObserver {
 public:
  InitBlock(Findings& findings, ptx::Grid& grid) : findings_(findings), written_(grid.memory->written()) {}

  void begin(ptx::Cta& cta) override {
    shared_.start(cta.shared().size());
    warps_.resize(std::size_t(cta.warp_count()));
    for (WarpShadow& w : warps_) w.start();
  }

  void before(ptx::Warp& warp, const ptx::Site& site, std::uint32_t lanes) override {
    WarpShadow& shadow = warps_[std::size_t(warp.index())];
    InitFrame& frame = shadow.frame(warp, site, plans_);
    InitPlan& plan = (*frame.plans)[std::size_t(site.position)];
    if (plan.rule == InitRule::unknown) plan = init_plan(site);
    Step s{warp, site, plan, frame.set, shadow, lanes, 0};
    if (plan.guard >= 0) look_at_guard(s);
    if (lanes == 0) {
      if (s.unknown != 0) s.give_all(0);
      return;
    }
    for (const int r : plan.addresses) must_be_set(s, r, lanes, "uninitialised address");
    const std::uint32_t sources = s.all_set(plan.sources) | ~lanes;
    if (sources == all_lanes && plan.rule <= InitRule::compare) return s.give_all(all_lanes);
    apply(s, sources);
  }

 private:
  void apply(Step& s, std::uint32_t sources) {
    switch (s.plan.rule) {
      case InitRule::collective: return s.give_all(sources == all_lanes ? all_lanes : 0);
      case InitRule::shuffle: return shuffle(s);
      case InitRule::select: return select(s);
      case InitRule::logic: return logic(s);
      case InitRule::compare: return compare(s);
      case InitRule::load: return load(s);
      case InitRule::store: return store(s);
      case InitRule::atomic:
      case InitRule::exchange: return atomic(s, sources);
      case InitRule::barrier_word: return barrier_word(s);
      case InitRule::copy: return copy(s);
      case InitRule::load_matrix:
      case InitRule::load_fragment: return load_fragment(s);
      case InitRule::store_fragment: return store_fragment(s, sources);
      case InitRule::transpose: return transpose(s);
      case InitRule::multiply: return multiply(s);
      case InitRule::jump:
        for (const int r : s.plan.sources) must_be_set(s, r, s.lanes, "uninitialised condition");
        return s.give_all(all_lanes);
      case InitRule::call: s.shadow.call(s.warp.depth()); return s.give_all(all_lanes);
      default: return s.give_all(sources);
    }
  }

  void report(const Step& s, std::string error, std::string detail, std::uint32_t lanes,
              std::optional<std::uint64_t> address = {}) {
    Finding f = finding_at(Tool::initcheck, s.warp, s.site, lanes);
    f.error = std::move(error);
    f.detail = std::move(detail);
    f.address = address;
    findings_.add(std::move(f), s.warp.cta().linear_index());
  }

  void must_be_set(Step& s, int reg, std::uint32_t lanes, const char* error) {
    std::uint32_t& set = s.set[std::size_t(reg)];
    const std::uint32_t missing = lanes & ~set;
    if (missing == 0) return;
    report(s, error, fmt::format("{} was never set in lanes {}", s.name(reg), lanes_text(missing)), missing);
    set |= missing;
  }

  void look_at_guard(Step& s) {
    const std::uint32_t active = s.warp.active();
    if (s.plan.decides) return must_be_set(s, s.plan.guard, active, "uninitialised condition");
    s.unknown = active & ~s.set[std::size_t(s.plan.guard)];
  }

  // Memory

  /// Which of the elements of a lane's access are set; all, and a lane in `unwritten`, where global memory
  /// was never written at all.
  std::uint32_t elements_set(const Step& s, int lane, std::uint64_t address, std::uint64_t bytes,
                             std::uint64_t element, std::uint32_t& unwritten) const {
    const ptx::Window window = ptx::window_at(address);
    const bool global = window == ptx::Window::global;
    if (window == ptx::Window::param || (global && (written_ == nullptr || written_->all(address, bytes))))
      return all_lanes;
    if (global && !written_->any(address, bytes)) {
      // What lies outside allocations is memcheck's.
      unwritten |= bit(lane, s.warp.cta().grid().memory->find(address).end != 0);
      return all_lanes;
    }
    std::uint32_t set = 0;
    int k = 0;
    for (std::uint64_t at = address; at < address + bytes; at += element, ++k)
      set |= bit(k, global                          ? written_->any(at, element)
                    : window == ptx::Window::shared ? shared_.any(at, element)
                                                    : s.shadow.any_local(lane, at, element));
    return set;
  }

  void report_unwritten(Step& s, const ptx::MemoryUse& use, std::uint32_t lanes) {
    if (lanes == 0) return;
    std::optional<std::uint64_t> address;
    std::uint64_t size = 0;
    ptx::for_accesses(s.warp, use, lanes, [&](int, std::uint64_t at, std::uint64_t bytes) {
      if (!address) address = at, size = bytes;
    });
    report(s, "uninitialised global memory",
           fmt::format(
               "reads {} bytes at {:#x}, which {}: neither the host nor a kernel wrote there, in lanes {}",
               size, address.value_or(0), s.warp.cta().grid().memory->describe(address.value_or(0)),
               lanes_text(lanes)),
           lanes, address);
  }

  void load(Step& s) {
    const ptx::MemoryUse& use = s.site.memory.front();
    if (use.address.window == ptx::Window::param) return s.give_all(all_lanes);
    const std::size_t count = std::max<std::size_t>(1, s.plan.elements.size());
    const std::uint64_t element = std::max<std::uint64_t>(1, use.size / count);
    std::uint32_t unwritten = 0;
    std::array<std::uint32_t, 8> set{};
    ptx::for_accesses(s.warp, use, s.lanes, [&](int lane, std::uint64_t at, std::uint64_t bytes) {
      const std::uint32_t elements = elements_set(s, lane, at, bytes, element, unwritten);
      for (std::size_t k = 0; k < std::min(count, set.size()); ++k)
        set[k] |= bit(lane, (elements >> k & 1) != 0);
    });
    report_unwritten(s, use, unwritten);
    for (std::size_t k = 0; k < std::min(s.plan.elements.size(), set.size()); ++k)
      if (s.plan.elements[k] >= 0) s.give(s.plan.elements[k], set[k]);
  }

  void set_bytes(const Step& s, int lane, std::uint64_t address, std::uint64_t bytes, bool set) {
    switch (ptx::window_at(address)) {
      case ptx::Window::shared: return shared_.set(address, bytes, set);
      case ptx::Window::local: return s.shadow.set_local(lane, address, bytes, set);
      case ptx::Window::param: return;
      default:
        if (written_ != nullptr) written_->set(address, bytes);
    }
  }

  void store(Step& s) {
    const ptx::MemoryUse& use = s.site.memory.front();
    const std::uint64_t element = use.size / std::max<std::size_t>(1, s.plan.elements.size());
    const std::uint32_t all = s.all_set(s.plan.sources);
    ptx::for_accesses(s.warp, use, s.lanes, [&](int lane, std::uint64_t at, std::uint64_t bytes) {
      if ((all >> lane & 1) != 0) return set_bytes(s, lane, at, bytes, true);
      for (const int r : s.plan.elements) {
        set_bytes(s, lane, at, element, r < 0 || (s.set[std::size_t(r)] >> lane & 1) != 0);
        at += element;
      }
    });
  }

  void atomic(Step& s, std::uint32_t sources) {
    const ptx::MemoryUse& use = s.site.memory.front();
    const bool exchanges = s.plan.rule == InitRule::exchange;
    std::uint32_t unwritten = 0, results = 0;
    ptx::for_accesses(s.warp, use, s.lanes, [&](int lane, std::uint64_t at, std::uint64_t bytes) {
      const bool was = elements_set(s, lane, at, bytes, bytes, unwritten) != 0,
                 given = (sources >> lane & 1) != 0;
      results |= bit(lane, was);
      set_bytes(s, lane, at, bytes, given && (was || exchanges));
    });
    if (!exchanges) report_unwritten(s, use, unwritten);
    s.give_all(results);
  }

  void barrier_word(Step& s) {
    ptx::for_accesses(
        s.warp, s.site.memory.front(), s.lanes,
        [&](int lane, std::uint64_t at, std::uint64_t bytes) { set_bytes(s, lane, at, bytes, true); });
    s.give_all(all_lanes);
  }

  /// Bytes go over with their bits; zeros that fill up are set.
  void copy(Step& s) {
    const ptx::MemoryUse &to = s.site.memory.at(0), &from = s.site.memory.at(1);
    std::uint64_t target[ptx::lanes_of_warp];
    ptx::addresses_of(s.warp, to.address, target);
    for_lanes(s.lanes, [&](int l) { shared_.set(target[l], to.size, true); });
    std::uint32_t unwritten = 0;
    ptx::for_accesses(s.warp, from, s.lanes, [&](int lane, std::uint64_t at, std::uint64_t bytes) {
      const std::uint32_t set = elements_set(s, lane, at, bytes, 1, unwritten);
      for (std::uint64_t k = 0; set != all_lanes && k < std::min<std::uint64_t>(bytes, 32); ++k)
        shared_.set(target[lane] + k, 1, (set >> k & 1) != 0);
    });
    report_unwritten(s, from, unwritten);
  }

  // Matrices

  /// ldmatrix: lanes are those that give the addresses of rows.
  void load_fragment(Step& s) {
    const ptx::MemoryUse& use = s.site.memory.front();
    const bool whole_rows = s.plan.rule == InitRule::load_matrix;
    std::uint32_t unset = 0, written = 0;
    std::optional<std::uint64_t> address;
    ptx::for_accesses(s.warp, use, s.lanes, [&](int lane, std::uint64_t at, std::uint64_t bytes) {
      bool set = true;
      if (ptx::window_at(at) == ptx::Window::shared)
        set = shared_.all(at, bytes);
      else if (written_ == nullptr || written_->any(at, bytes))
        written |= 1u << lane;
      if (set) return;
      if (unset == 0) address = at;
      unset |= 1u << lane;
    });
    if (unset != 0)
      report(s, "uninitialised shared memory",
             fmt::format("lanes {} {} bytes of shared memory at {:#x}, where nothing was written",
                         lanes_text(unset), whole_rows ? "point to rows with" : "read", *address),
             unset, address);
    if (address_is_global(s, use)) report_unwritten(s, use, s.lanes & ~written);
    s.give_all(all_lanes);
  }
  static bool address_is_global(const Step& s, const ptx::MemoryUse& use) {
    std::uint64_t at[ptx::lanes_of_warp];
    ptx::addresses_of(s.warp, use.address, at);
    return ptx::window_at(at[0]) == ptx::Window::global;
  }

  void store_fragment(Step& s, std::uint32_t sources) {
    ptx::for_accesses(s.warp, s.site.memory.front(), s.lanes,
                      [&](int lane, std::uint64_t at, std::uint64_t bytes) {
                        set_bytes(s, lane, at, bytes, (sources >> lane & 1) != 0);
                      });
  }

  void multiply(Step& s) {
    constexpr std::string_view names[] = {"D", "A", "B", "C", "metadata"};
    std::uint32_t missing = 0;
    std::string detail;
    for (const ptx::RegisterUse& u : s.site.reads) {
      if (u.operand < 1 || u.operand > 4) continue;
      std::uint32_t& set = s.set[std::size_t(u.reg)];
      std::uint32_t unset = ~set;
      if (unset != 0 && u.operand == 4)
        unset &= metadata_lanes(*s.site.matrix, selector_of(s.site.instruction()));
      if (unset == 0) continue;
      missing |= unset;
      detail += fmt::format("{}{} of {} was never set in lanes {}", detail.empty() ? "" : "; ", s.name(u.reg),
                            names[u.operand], lanes_text(unset));
      set |= unset;
    }
    if (missing != 0) report(s, "uninitialised register", std::move(detail), missing);
    s.give_all(all_lanes);
  }

  Findings& findings_;
  ptx::WrittenBytes* written_;
  InitPlans plans_;
  SharedShadow shared_;
  std::vector<WarpShadow> warps_;
};

class InitCheck : public ptx::Observer {
 public:
  explicit InitCheck(Findings& findings) : findings_(findings) {}
  bool wants_written() const override { return true; }
  std::unique_ptr<ptx::BlockObserver> observe(ptx::Grid& grid) override {
    return std::make_unique<InitBlock>(findings_, grid);
  }

 private:
  Findings& findings_;
};

}  // namespace

std::unique_ptr<ptx::Observer> make_initcheck(Findings& findings) {
  return std::make_unique<InitCheck>(findings);
}

}  // namespace twofour::emu::check
