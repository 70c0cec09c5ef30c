#include "twofour/emu/check/race_shadow.h"

#include <bit>

namespace twofour::emu::check {
namespace {

/// Calls f(word, bytes of it) for each word of a range.
template <class F>
void for_words(std::uint64_t offset, std::uint64_t size, F&& f) {
  for (const std::uint64_t end = offset + size; offset < end;) {
    const std::uint64_t word = offset / 4, stop = std::min(end, word * 4 + 4);
    f(std::size_t(word), std::uint8_t(((1u << (stop - offset)) - 1) << (offset % 4)));
    offset = stop;
  }
}

/// Strong enough, both of them, that nothing else has to order them.
bool morally_strong(const Access& a, const Access& b) {
  const Strength least = a.warp == b.warp ? Strength::strong : Strength::volatile_;
  return a.strength >= least && b.strength >= least;
}

/// Whatever races with `earlier` later on races with `later`, too, if that comes after it.
bool stands_for(const Access& later, const Access& earlier) {
  return (earlier.bytes & ~later.bytes) == 0 && later.strength <= earlier.strength;
}

}  // namespace

struct RaceShadow::Store {
  const Stored* stored;  // null: unknown
  std::uint64_t offset;  // of the access
  std::uint64_t word;    // number of the word
  std::span<const std::byte> memory;

  /// Calls f(byte of the word, byte of the access), until it is false.
  template <class F>
  bool all(std::uint8_t bytes, F&& f) const {
    for (std::uint64_t i = 0; i < 4; ++i)
      if ((bytes >> i & 1) != 0 && !f(word * 4 + i, word * 4 + i - offset)) return false;
    return stored != nullptr;
  }
  bool as_in_memory(int lane, std::uint8_t bytes) const {
    return stored != nullptr &&
           all(bytes, [&](std::uint64_t at, std::uint64_t k) { return memory[at] == stored->byte(lane, k); });
  }
  bool as_lane(int lane, int other, std::uint8_t bytes) const {
    return stored != nullptr && all(bytes, [&](std::uint64_t, std::uint64_t k) {
             return stored->byte(lane, k) == stored->byte(other, k);
           });
  }
};

void RaceShadow::begin(std::span<const std::byte> memory) {
  memory_ = memory;
  words_.assign((memory.size() + 3) / 4, Word{});
  if (rests_.empty()) rests_.resize(1);
  for (auto& r : rests_) r.clear();
  used_rests_ = 1;
  conflicts_.clear();
}

template <class F>
void RaceShadow::visit(List& list, F&& f) {
  if (list.first.bytes != 0) f(list.first);
  if (list.rest == 0) return;
  auto& rest = rests_[list.rest];
  for (std::size_t i = 0; i < rest.size();) {
    f(rest[i]);
    if (rest[i].bytes != 0) {
      ++i;
      continue;
    }
    rest[i] = rest.back();
    rest.pop_back();
  }
}

void RaceShadow::add(List& list, const Access& access) {
  if (list.first.bytes == 0) {
    list.first = access;
    return;
  }
  if (list.rest == 0) {
    if (used_rests_ == rests_.size()) rests_.emplace_back();
    list.rest = std::uint32_t(used_rests_++);
  }
  rests_[list.rest].push_back(access);
}

void RaceShadow::report(const RaceOrder& order, const Access& earlier, const Access& later,
                        std::uint32_t lanes, const Word& word) {
  const auto kind = earlier.copy && order.pending(earlier) ? Conflict::Kind::not_waited
                    : earlier.step == later.step           ? Conflict::Kind::values
                    : earlier.warp == later.warp           ? Conflict::Kind::lanes
                                                           : Conflict::Kind::warps;
  conflicts_.push_back({kind, earlier, later, std::uint64_t(&word - words_.data()) * 4});
  conflicts_.back().earlier.lanes = lanes;
}

void RaceShadow::read(const RaceOrder& order, Access access, std::uint64_t offset, std::uint64_t size) {
  for_words(offset, size, [&](std::size_t word, std::uint8_t bytes) {
    access.bytes = bytes;
    read_word(order, access, words_[word]);
  });
}

/// The usual cases: one write that comes before, and the reads of one warp.
void RaceShadow::read_word(const RaceOrder& order, const Access& a, Word& word) {
  const Access& w = word.writes.first;
  if (w.bytes != 0 && (w.copy || w.warp == a.warp || !order.before(w, a.warp)) && order.unordered(w, a) != 0)
    return read_slowly(order, a, word);
  if (word.writes.rest != 0 || word.reads.rest != 0) return read_slowly(order, a, word);
  Access& r = word.reads.first;
  if (r.bytes == 0) {
    r = a;
    return;
  }
  if (r.bytes != a.bytes || r.strength != a.strength) return read_slowly(order, a, word);
  if (r.warp != a.warp) {
    if (!order.before(r, a.warp)) return read_slowly(order, a, word);
    r = a;
    return;
  }
  const LaneOrder& lanes = order.lanes(a.warp);
  if (r.step > lanes.last_event()) {
    r.lanes |= a.lanes;
    r.step = a.step;
  } else if (lanes.all_met(r.step)) {
    r = a;
  } else {
    read_slowly(order, a, word);
  }
}

void RaceShadow::read_slowly(const RaceOrder& order, const Access& a, Word& word) {
  visit(word.writes, [&](Access& e) {
    if ((e.bytes & a.bytes) == 0) return;
    if (const std::uint32_t lanes = order.unordered(e, a); lanes != 0 && !morally_strong(e, a))
      report(order, e, a, lanes, word);
  });
  const LaneOrder& lanes = order.lanes(a.warp);
  Access rest = a;
  visit(word.reads, [&](Access& e) {
    if (rest.bytes == 0 || !stands_for(a, e)) return;
    if (e.warp != a.warp) {
      if (order.before(e, a.warp)) e.bytes = 0;
      return;
    }
    if (e.bytes == a.bytes && e.strength == a.strength && e.step > lanes.last_event()) {
      e.lanes |= a.lanes;
      e.step = a.step;
      rest.bytes = 0;
      return;
    }
    e.lanes &= ~lanes.covered(e.step, e.lanes, a.lanes);
    if (e.lanes == 0) e.bytes = 0;
  });
  if (rest.bytes != 0) add(word.reads, rest);
}

void RaceShadow::write(const RaceOrder& order, Access access, std::uint64_t offset, std::uint64_t size,
                       const Stored* stored) {
  access.writes = true;
  for_words(offset, size, [&](std::size_t word, std::uint8_t bytes) {
    access.bytes = bytes;
    write_word(order, access, words_[word], {stored, offset, word, memory_});
  });
}

void RaceShadow::write_word(const RaceOrder& order, const Access& a, Word& word, const Store& store) {
  bool added = false;
  visit(word.writes, [&](Access& e) {
    if ((e.bytes & a.bytes) == 0) return;
    if (e.step != a.step) return meet_earlier(order, e, a, store);
    const bool strong = a.strength == Strength::strong;
    const int lane = std::countr_zero(a.lanes), other = std::countr_zero(e.lanes);
    if (!a.copy && !strong && lane != other && !store.as_lane(lane, other, a.bytes & e.bytes))
      report(order, e, a, e.lanes, word);
    if (a.copy || e.bytes != a.bytes) return;
    e.lanes |= a.lanes;
    added = true;
  });
  visit(word.reads, [&](Access& e) {
    if ((e.bytes & a.bytes) != 0) meet_earlier(order, e, a, store);
  });
  if (!added) add(word.writes, a);
}

/// An earlier access and a write: a conflict, or none; and what remains of the earlier one.
void RaceShadow::meet_earlier(const RaceOrder& order, Access& e, const Access& a, const Store& store) {
  const std::uint32_t lanes = order.unordered(e, a);
  if (lanes == 0) {
    if (a.strength <= e.strength) e.bytes &= std::uint8_t(~a.bytes);
    return;
  }
  const bool same_value = e.writes && !e.copy && !a.copy && e.strength == Strength::weak &&
                          a.strength == Strength::weak &&
                          store.as_in_memory(std::countr_zero(a.lanes), e.bytes & a.bytes);
  if (same_value || morally_strong(e, a)) {
    if (e.warp != a.warp || e.copy || !stands_for(a, e)) return;
    e.lanes &= ~a.lanes;
    if (e.lanes == 0) e.bytes = 0;
    return;
  }
  report(order, e, a, lanes, words_[store.word]);
  e.bytes &= std::uint8_t(~a.bytes);
}

}  // namespace twofour::emu::check
