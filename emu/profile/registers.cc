#include "twofour/emu/profile/registers.h"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>

namespace twofour::emu::profile {
namespace {

using ptx::Instruction;
using ptx::Operand;

constexpr int widest = 16;  // registers that stay together

/// Values with fixed distances from each other.
struct Group {
  std::vector<std::pair<int, int>> members;  // value, its offset
  std::map<int, Ranges> live;                // by offset
  int align = 1, phase = 0;                  // (register of offset 0) % align == phase

  int begin() const { return live.begin()->first; }
  int end() const { return live.rbegin()->first + 1; }
};

class Groups {
 public:
  Groups(const Values& values, const std::vector<Ranges>& ranges) : groups_(values.values.size()) {
    of_.resize(groups_.size());
    std::iota(of_.begin(), of_.end(), 0);
    offset_.resize(groups_.size());
    for (std::size_t v = 0; v < groups_.size(); ++v) {
      Group& g = groups_[v];
      g.members = {{int(v), 0}};
      for (int w = 0; w < values.values[v].words; ++w) g.live[w] = ranges[v];
      g.align = values.values[v].words;
    }
  }

  /// Word b lies `distance` after word a; false where that cannot be.
  bool tie(const Place& a, const Place& b, int distance) {
    if (a.value < 0 || b.value < 0) return false;
    const int x = of_[std::size_t(a.value)], y = of_[std::size_t(b.value)];
    // Offset in x's group of what is offset 0 of y's.
    const int shift =
        offset_[std::size_t(a.value)] + a.offset + distance - (offset_[std::size_t(b.value)] + b.offset);
    if (x == y) return shift == 0;
    if (!fits(groups_[std::size_t(x)], groups_[std::size_t(y)], shift)) return false;
    merge(x, y, shift);
    return true;
  }
  /// The word wants a register that is a multiple of `align`.
  void align(const Place& a, int align) {
    Group& g = groups_[std::size_t(of_[std::size_t(a.value)])];
    if (align <= g.align) return;
    const int phase = ((-offset_[std::size_t(a.value)] - a.offset) % align + align) % align;
    if (phase % g.align == g.phase) g.align = align, g.phase = phase;
  }

  const Group& group(int value) const { return groups_[std::size_t(of_[std::size_t(value)])]; }
  bool leads(int value) const { return of_[std::size_t(value)] == value; }

 private:
  static bool fits(const Group& x, const Group& y, int shift) {
    if (std::max(x.end(), y.end() + shift) - std::min(x.begin(), y.begin() + shift) > widest) return false;
    const int least = std::min(x.align, y.align);
    if (((y.phase - shift - x.phase) % least + least) % least != 0) return false;
    for (const auto& [offset, live] : y.live)
      if (const auto at = x.live.find(offset + shift); at != x.live.end() && overlap(at->second, live))
        return false;
    return true;
  }

  void merge(int x, int y, int shift) {
    if (groups_[std::size_t(x)].members.size() < groups_[std::size_t(y)].members.size()) {
      std::swap(x, y);
      shift = -shift;
    }
    Group &to = groups_[std::size_t(x)], &from = groups_[std::size_t(y)];
    for (const auto& [value, offset] : from.members) {
      to.members.push_back({value, offset + shift});
      of_[std::size_t(value)] = x;
      offset_[std::size_t(value)] = offset + shift;
    }
    for (const auto& [offset, live] : from.live) {
      Ranges& place = to.live[offset + shift];
      place = joined(place, live);
    }
    if (from.align > to.align) {
      to.align = from.align;
      to.phase = ((from.phase - shift) % from.align + from.align) % from.align;
    }
    from = {};
  }

  std::vector<Group> groups_;
  std::vector<int> of_, offset_;  // of each value
};

class Ties {
 public:
  Ties(const ptx::Function& f, const Values& v, Groups& groups) : f_(f), v_(v), groups_(groups) {}

  void make() {
    for_code([&](const Instruction& i) {
      if (writes_first(i)) neighbours(i.operands[0], i.opcode != "mov" && !i.operands[0].pair);
    });
    for_code([&](const Instruction& i) { accumulators(i); });
    for_code([&](const Instruction& i) {
      for (std::size_t k = writes_first(i) ? 1 : 0; k < i.operands.size(); ++k)
        neighbours(i.operands[k], i.opcode != "mov");
      if (i.operands.size() > 0 && i.operands[0].kind == Operand::Kind::address)
        for (const Operand& o : i.operands) neighbours(o, true);
    });
    for_code([&](const Instruction& i) { copies(i); });
  }

 private:
  template <class F>
  void for_code(F&& f) {
    for (std::size_t p = 0; p < f_.code.size(); ++p)
      if (v_.gone[p] == 0) f(f_.code[p]);
  }
  Place place(const Operand& o) const {
    return o.kind == Operand::Kind::reg ? v_.of[std::size_t(o.reg)] : Place{};
  }

  void neighbours(const Operand& o, bool applies) {
    if (!applies || o.kind != Operand::Kind::vector || o.parts.size() < 2) return;
    const Place first = place(o.parts[0]);
    int distance = first.count;
    if (first.value < 0) return;
    int length = 2;
    while (length < int(o.parts.size()) * first.count) length *= 2;
    groups_.align(first, std::min(length, 4));
    for (std::size_t k = 1; k < o.parts.size(); ++k) {
      const Place part = place(o.parts[k]);
      groups_.tie(first, part, distance);
      distance += part.count;
    }
  }

  void accumulators(const Instruction& i) {
    if ((i.opcode != "mma" && i.opcode != "wmma") || i.operands.size() < 4) return;
    const Operand &d = i.operands[0], &c = i.operands[3];
    for (std::size_t k = 0; k < std::min(d.parts.size(), c.parts.size()); ++k)
      groups_.tie(place(d.parts[k]), place(c.parts[k]), 0);
  }

  void copies(const Instruction& i) {
    if (!(i.opcode == "mov" || i.opcode == "cvt" || i.opcode == "cvta") || i.operands.size() < 2) return;
    const Operand &to = i.operands[0], &from = i.operands[1];
    if (to.kind == Operand::Kind::vector)
      for (std::size_t k = 0; k < to.parts.size(); ++k) groups_.tie(place(from), place(to.parts[k]), int(k));
    else if (from.kind == Operand::Kind::vector)
      for (std::size_t k = 0; k < from.parts.size(); ++k)
        groups_.tie(place(to), place(from.parts[k]), int(k));
    else
      groups_.tie(place(to), place(from), 0);
  }

  const ptx::Function& f_;
  const Values& v_;
  Groups& groups_;
};

/// What is taken, by register.
class File {
 public:
  explicit File(int size) : taken_(std::size_t(size)) {}

  /// Puts a group at the lowest place that is free. If there is none, at the lowest.
  int put(const Group& g) {
    int base = find(g);
    full_ |= base < 0;
    if (base < 0) base = ((g.phase - g.begin()) % g.align + g.align) % g.align - g.begin();
    while (base + g.begin() < 0) base += g.align;
    for (const auto& [offset, live] : g.live) {
      Ranges& place = taken_[std::size_t(base + offset) % taken_.size()];
      place = joined(place, live);
      used_ = std::max(used_, std::min(base + offset + 1, int(taken_.size())));
    }
    return base;
  }
  int used() const { return used_; }
  bool full() const { return full_; }

 private:
  int find(const Group& g) const {
    const int last = int(taken_.size()) - g.end();
    for (int base = -g.begin(); base <= last; ++base) {
      if (((base - g.phase) % g.align + g.align) % g.align != 0) continue;
      const bool free = std::none_of(g.live.begin(), g.live.end(), [&](const auto& word) {
        return overlap(taken_[std::size_t(base + word.first)], word.second);
      });
      if (free) return base;
    }
    return -1;
  }

  std::vector<Ranges> taken_;
  int used_ = 0;
  bool full_ = false;
};

int start(const Group& g) {
  int first = -1;
  for (const auto& [offset, live] : g.live)
    if (!live.empty() && (first < 0 || live.front().begin < first)) first = live.front().begin;
  return first;
}

}  // namespace

RegisterRange Registers::range(const Place& place) const {
  if (place.value < 0) return {};
  const int at = first[std::size_t(place.value)] + place.offset;
  return {std::uint16_t(at), std::uint16_t(place.count)};
}

Registers give_registers(const ptx::Function& function, const Values& values,
                         const std::vector<Ranges>& ranges) {
  Groups groups(values, ranges);
  Ties(function, values, groups).make();
  std::vector<int> leaders;
  for (int v = 0; v < int(values.values.size()); ++v)
    if (groups.leads(v) && start(groups.group(v)) >= 0) leaders.push_back(v);
  std::stable_sort(leaders.begin(), leaders.end(),
                   [&](int a, int b) { return start(groups.group(a)) < start(groups.group(b)); });
  File registers(most_registers), flags(predicates);
  Registers out{.first = std::vector<int>(values.values.size())};
  for (const int leader : leaders) {
    const bool flag = values.values[std::size_t(leader)].predicate;
    const Group& g = groups.group(leader);
    const int base = flag ? first_predicate + flags.put(g) : registers.put(g);
    for (const auto& [value, offset] : g.members) out.first[std::size_t(value)] = base + offset;
  }
  out.used = registers.used();
  out.full = registers.full();
  return out;
}

}  // namespace twofour::emu::profile
