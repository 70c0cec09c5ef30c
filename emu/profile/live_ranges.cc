#include "twofour/emu/profile/live_ranges.h"

#include <algorithm>
#include <cstdint>

#include "twofour/isa/error.h"

namespace twofour::emu::profile {
namespace {

class BitSet {
 public:
  explicit BitSet(std::size_t bits) : words_((bits + 63) / 64) {}
  bool has(int i) const { return (words_[std::size_t(i) / 64] >> (i % 64) & 1) != 0; }
  void add(int i) { words_[std::size_t(i) / 64] |= std::uint64_t{1} << (i % 64); }
  void remove(int i) { words_[std::size_t(i) / 64] &= ~(std::uint64_t{1} << (i % 64)); }
  /// this |= other & ~without; whether it grew.
  bool add(const BitSet& other, const BitSet& without) {
    std::uint64_t grown = 0;
    for (std::size_t w = 0; w < words_.size(); ++w) {
      const std::uint64_t more = other.words_[w] & ~without.words_[w] & ~words_[w];
      words_[w] |= more;
      grown |= more;
    }
    return grown != 0;
  }
  template <class F>
  void for_each(F&& f) const {
    for (std::size_t w = 0; w < words_.size(); ++w)
      for (std::uint64_t rest = words_[w]; rest != 0; rest &= rest - 1)
        f(int(w * 64) + __builtin_ctzll(rest));
  }

 private:
  std::vector<std::uint64_t> words_;
};

class Liveness {
 public:
  Liveness(const ptx::Function& f, const Blocks& blocks, const Values& values, const std::vector<int>& order)
      : f_(f), blocks_(blocks), v_(values), order_(order), ranges_(values.values.size()) {
    const double bits = 3.0 * double(values.values.size()) * double(blocks.count());
    if (bits > 256.0 * 1024 * 1024 * 8)
      fail("{}: function {} is too large for the time model: {} registers in {} blocks", f.at.line, f.name,
           values.values.size(), blocks.count());
    const auto count = std::size_t(blocks.count());
    in_.assign(count, BitSet(values.values.size()));
    out_ = killed_ = in_;
  }

  std::vector<Ranges> find() {
    for (int b = 0; b < blocks_.count(); ++b) local(b);
    spread();
    for (int b = 0; b < blocks_.count(); ++b) ranges(b);
    return std::move(ranges_);
  }

 private:
  int begin(int b) const { return blocks_.first[std::size_t(b)]; }
  int end(int b) const { return blocks_.first[std::size_t(b) + 1]; }
  /// A write that leaves nothing of the old value.
  bool kills(int position, int value) const {
    if (f_.code[std::size_t(position)].predicate >= 0) return false;
    int words = 0;
    for_writes(f_, position, [&](int r, int) {
      const Place& p = v_.of[std::size_t(r)];
      if (p.value == value) words += p.count;
    });
    return words >= v_.values[std::size_t(value)].words;
  }

  void local(int b) {
    BitSet &in = in_[std::size_t(b)], &killed = killed_[std::size_t(b)];
    for (int n = begin(b); n < end(b); ++n) {
      const int p = order_[std::size_t(n)];
      for (const int v : values_read(f_, v_, p))
        if (!killed.has(v)) in.add(v);
      for (const int v : values_written(f_, v_, p))
        if (kills(p, v)) killed.add(v);
    }
  }

  void spread() {
    const BitSet none(v_.values.size());
    for (bool changed = true; changed;) {
      changed = false;
      for (int b = blocks_.count() - 1; b >= 0; --b) {
        bool grown = false;
        for (const int next : blocks_.next[std::size_t(b)])
          grown |= out_[std::size_t(b)].add(in_[std::size_t(next)], none);
        if (grown) changed |= in_[std::size_t(b)].add(out_[std::size_t(b)], killed_[std::size_t(b)]);
      }
    }
  }

  /// Blocks come in ascending order; inside one it goes backwards, so that its ranges are put in turn.
  void ranges(int b) {
    std::vector<std::pair<int, Range>> found;
    std::vector<int>& ends = ends_;
    ends.resize(v_.values.size(), -1);
    out_[std::size_t(b)].for_each([&](int v) { ends[std::size_t(v)] = 2 * end(b); });
    for (int n = end(b) - 1; n >= begin(b); --n) {
      const int p = order_[std::size_t(n)];
      for (const int v : values_written(f_, v_, p)) {
        int& live_to = ends[std::size_t(v)];
        if (live_to < 0) live_to = 2 * n + 2;  // nobody reads it
        if (!kills(p, v)) continue;
        found.push_back({v, {2 * n + 1, live_to}});
        live_to = -1;
      }
      for (const int v : values_read(f_, v_, p))
        if (int& live_to = ends[std::size_t(v)]; live_to < 0) live_to = 2 * n + 1;
    }
    const auto close = [&](int v) {
      if (int& live_to = ends[std::size_t(v)]; live_to >= 0) {
        found.push_back({v, {2 * begin(b), live_to}});
        live_to = -1;
      }
    };
    in_[std::size_t(b)].for_each(close);
    for (int n = begin(b); n < end(b); ++n)
      for (const int v : values_written(f_, v_, order_[std::size_t(n)])) close(v);
    for (auto r = found.rbegin(); r != found.rend(); ++r) {
      Ranges& list = ranges_[std::size_t(r->first)];
      if (!list.empty() && r->second.begin <= list.back().end)
        list.back().end = std::max(list.back().end, r->second.end);
      else
        list.push_back(r->second);
    }
  }

  const ptx::Function& f_;
  const Blocks& blocks_;
  const Values& v_;
  const std::vector<int>& order_;
  std::vector<BitSet> in_, out_, killed_;
  std::vector<Ranges> ranges_;
  std::vector<int> ends_;
};

}  // namespace

bool overlap(const Ranges& a, const Ranges& b) {
  auto x = a.begin();
  auto y = b.begin();
  while (x != a.end() && y != b.end()) {
    if (x->end <= y->begin)
      ++x;
    else if (y->end <= x->begin)
      ++y;
    else
      return true;
  }
  return false;
}

Ranges joined(const Ranges& a, const Ranges& b) {
  Ranges sorted(a.size() + b.size()), out;
  std::merge(a.begin(), a.end(), b.begin(), b.end(), sorted.begin(),
             [](const Range& x, const Range& y) { return x.begin < y.begin; });
  for (const Range& r : sorted) {
    if (!out.empty() && r.begin <= out.back().end)
      out.back().end = std::max(out.back().end, r.end);
    else
      out.push_back(r);
  }
  return out;
}

std::vector<int> values_read(const ptx::Function& function, const Values& values, int position) {
  std::vector<int> read;
  if (values.gone[std::size_t(position)] != 0) return read;
  const int fused = values.fused[std::size_t(position)];
  const auto add = [&](int r, int) {
    if (const int v = values.of[std::size_t(r)].value; v >= 0) read.push_back(v);
  };
  if (fused >= 0) for_reads(function, fused, add);
  int inner = -1;
  if (fused >= 0) for_writes(function, fused, [&](int r, int) { inner = r; });
  for_reads(function, position, [&](int r, int operand) {
    if (r != inner) add(r, operand);
  });
  return read;
}

std::vector<int> values_written(const ptx::Function& function, const Values& values, int position) {
  std::vector<int> written;
  if (values.gone[std::size_t(position)] != 0) return written;
  for_writes(function, position, [&](int r, int) {
    if (const int v = values.of[std::size_t(r)].value; v >= 0) written.push_back(v);
  });
  return written;
}

std::vector<Ranges> live_ranges(const ptx::Function& function, const Blocks& blocks, const Values& values,
                                const std::vector<int>& order) {
  return Liveness(function, blocks, values, order).find();
}

}  // namespace twofour::emu::profile
