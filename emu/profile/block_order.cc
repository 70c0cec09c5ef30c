#include "twofour/emu/profile/block_order.h"

#include <algorithm>
#include <array>
#include <map>
#include <unordered_map>

#include "twofour/emu/profile/live_ranges.h"
#include "twofour/isa/issue_timing.h"

namespace twofour::emu::profile {
namespace {

using ptx::Instruction;

constexpr std::size_t window = 32;

enum Resource : int { tensor, integer, fp32, fp64, special, memory, none, resources };

struct Node {
  int position = 0;
  std::vector<std::pair<int, double>> next;  ///< who depends on it, cycles from issue to issue
  int waits_for = 0;
  double latency = 0, busy = 0, height = 0, ready = 0;
  Resource resource = none;
  bool done = false;
};

/// State spaces that an access may touch, as bits.
enum Space : unsigned { shared = 1, global = 2, local = 4, any = 7 };
unsigned spaces(const Instruction& i) {
  if (i.has("shared") || i.has("shared::cta") || i.opcode == "mbarrier") return shared;
  if (i.opcode == "ldmatrix") return shared;
  if (i.opcode == "cp") return shared | global;
  if (i.has("global")) return global;
  if (i.has("local")) return local;
  return i.opcode == "shfl" || i.opcode == "movmatrix" ? 0u : any;
}
unsigned written_spaces(const Instruction& i) {
  if (i.opcode == "cp") return shared;
  const bool writes = i.opcode == "st" || i.opcode == "atom" || i.opcode == "red" || i.opcode == "mbarrier" ||
                      (i.opcode == "wmma" && i.has("store"));
  return writes ? spaces(i) : 0;
}

class BlockScheduler {
 public:
  BlockScheduler(const ptx::Function& f, const Values& v, const isa::Machine& m) : f_(f), v_(v), m_(m) {}

  /// Appends the positions [begin, end).
  void schedule(int begin, int end, std::vector<int>& order) {
    nodes_.clear(), writer_.clear(), readers_.clear();
    control_ = -1;
    accesses_.clear();
    for (int p = begin; p < end; ++p) {
      if (v_.gone[std::size_t(p)] != 0)
        order.push_back(p);
      else
        add(p);
    }
    if (nodes_.empty()) return;
    end_with_last();
    find_heights();
    pick(order);
  }

 private:
  void link(int from, int to, double cycles) {
    nodes_[std::size_t(from)].next.push_back({to, cycles});
    ++nodes_[std::size_t(to)].waits_for;
  }

  void add(int p) {
    const int n = int(nodes_.size());
    Node& node = nodes_.emplace_back();
    node.position = p;
    describe(node);
    for (const int v : values_read(f_, v_, p)) {
      if (const auto w = writer_.find(v); w != writer_.end())
        link(w->second, n, nodes_[std::size_t(w->second)].latency);
      readers_[v].push_back(n);
    }
    for (const int v : values_written(f_, v_, p)) {
      if (const auto w = writer_.find(v); w != writer_.end() && w->second != n) link(w->second, n, 1);
      for (const int r : readers_[v])
        if (r != n) link(r, n, 0);
      readers_[v].clear();
      writer_[v] = n;
    }
    keep_memory_order(n);
  }

  void keep_memory_order(int n) {
    const Instruction& i = f_.code[std::size_t(nodes_[std::size_t(n)].position)];
    const Form form = v_.costs[std::size_t(nodes_[std::size_t(n)].position)].form;
    if (form == Form::control) {
      for (const auto& [other, touched] : accesses_) link(other, n, 0);
      if (control_ >= 0) link(control_, n, 0);
      accesses_.clear();
      control_ = n;
      return;
    }
    if (nodes_[std::size_t(n)].resource != memory) return;
    if (control_ >= 0) link(control_, n, 0);
    const unsigned touches = spaces(i), writes = written_spaces(i);
    for (const auto& [other, touched] : accesses_)
      if ((touched.first & writes) != 0 || (touched.second & touches) != 0) link(other, n, 0);
    accesses_.push_back({n, {touches, writes}});
    if (accesses_.size() <= window) return;
    link(accesses_.front().first, n, 0);  // the list stays short; so far apart they keep their order
    accesses_.erase(accesses_.begin());
  }

  double busy(double lanes) const { return std::max(32 * m_.sub_cores_per_sm / lanes, 1.0); }

  void describe(Node& node) const {
    const Instruction& i = f_.code[std::size_t(node.position)];
    const Cost& cost = v_.costs[std::size_t(node.position)];
    node.latency = m_.alu_latency;
    node.busy = 1;
    switch (cost.form) {
      case Form::memory: return access(node, i);
      case Form::matrix: return matrix(node, i);
      case Form::arithmetic: return arithmetic(node, cost);
      case Form::copy:
      case Form::constant: node.resource = fp32; return;
      default: return;
    }
  }
  void access(Node& node, const Instruction& i) const {
    node.resource = memory;
    const bool near = (spaces(i) & (global | local)) == 0;
    node.latency = near ? m_.smem_latency : m_.l2_latency;
  }
  void matrix(Node& node, const Instruction& i) const {
    const isa::Instruction* row = matrix_row(i);
    if (row == nullptr || !row->multiplies()) return access(node, i);
    node.resource = tensor;
    node.busy = 8;
    if (!isa::has_issue_timing(*row, m_)) return;
    const auto timing = isa::issue_timing(*row, m_);
    node.busy = timing.effective_interval;
    node.latency = timing.latency;
  }
  void arithmetic(Node& node, const Cost& cost) const {
    double total = 0;
    for (const Work& w : cost.work) {
      if (w.count == 0) continue;
      node.resource = w.kind == OpKind::fp32      ? fp32
                      : w.kind == OpKind::fp64    ? fp64
                      : w.kind == OpKind::special ? special
                                                  : integer;
      const double lanes = w.lanes > 0                 ? w.lanes
                           : w.kind == OpKind::special ? 16
                           : w.kind == OpKind::fp64    ? 32
                                                       : 64;
      total += w.count * busy(lanes);
    }
    node.busy = std::max(total, 1.0);
    node.latency = m_.alu_latency + node.busy - std::min(node.busy, 2.0);
  }

  /// The branch comes after all others.
  void end_with_last() {
    const int last = int(nodes_.size()) - 1;
    if (v_.costs[std::size_t(nodes_.back().position)].form != Form::control) return;
    for (int n = 0; n < last; ++n) link(n, last, 0);
  }

  void find_heights() {
    for (auto n = nodes_.rbegin(); n != nodes_.rend(); ++n) {
      n->height = n->latency;
      for (const auto& [to, cycles] : n->next)
        n->height = std::max(n->height, cycles + nodes_[std::size_t(to)].height);
    }
  }

  void pick(std::vector<int>& order) {
    std::array<double, resources> free{};
    double now = 0;
    std::size_t oldest = 0;
    for (std::size_t left = nodes_.size(); left > 0; --left) {
      while (nodes_[oldest].done) ++oldest;
      std::size_t best = nodes_.size();
      double best_at = 0;
      std::size_t seen = 0;
      for (std::size_t n = oldest; n < nodes_.size() && seen < window; ++n) {
        const Node& node = nodes_[n];
        if (node.done) continue;
        ++seen;
        if (node.waits_for > 0) continue;
        const double at = std::max({now, node.ready, free[node.resource]});
        if (best < nodes_.size() && (at > best_at || (at == best_at && node.height <= nodes_[best].height)))
          continue;
        best = n;
        best_at = at;
      }
      Node& chosen = nodes_[best];
      chosen.done = true;
      order.push_back(chosen.position);
      if (chosen.resource != none) free[chosen.resource] = best_at + chosen.busy;
      now = best_at + 1;
      for (const auto& [to, cycles] : chosen.next) {
        Node& next = nodes_[std::size_t(to)];
        --next.waits_for;
        next.ready = std::max(next.ready, best_at + cycles);
      }
    }
  }

  const ptx::Function& f_;
  const Values& v_;
  const isa::Machine& m_;
  std::vector<Node> nodes_;
  std::unordered_map<int, int> writer_;  // of each value
  std::unordered_map<int, std::vector<int>> readers_;
  int control_ = -1;
  std::vector<std::pair<int, std::pair<unsigned, unsigned>>> accesses_;  // since control_: touches, writes
};

}  // namespace

std::vector<int> block_order(const ptx::Function& function, const Blocks& blocks, const Values& values,
                             const isa::Machine& machine) {
  std::vector<int> order;
  BlockScheduler scheduler(function, values, machine);
  for (int b = 0; b < blocks.count(); ++b)
    scheduler.schedule(blocks.first[std::size_t(b)], blocks.first[std::size_t(b) + 1], order);
  return order;
}

}  // namespace twofour::emu::profile
