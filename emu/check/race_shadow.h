#pragma once
// What every word of a block's shared memory went through, and the pairs of accesses that race.
//
// Kept are all accesses that no later one stands for: an access may go when a later one of the same bytes
// comes after it and races with whatever it races with. So of the first race on a byte one pair is always
// found, in whatever order the warps run. A write that raced takes the place of what it raced with.
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "twofour/emu/check/race_order.h"

namespace twofour::emu::check {

/// Two accesses that nothing orders, one of them a write.
struct Conflict {
  enum class Kind : std::uint8_t {
    warps,      ///< of different warps
    lanes,      ///< of lanes of one warp
    values,     ///< lanes of one warp store different values in one instruction
    not_waited  ///< the earlier one is a copy that nobody waited for
  };
  Kind kind;
  Access earlier, later;
  std::uint64_t offset;  ///< of the word, bytes
};

/// What lanes store; two writes of the same value are no conflict.
class Stored {
 public:
  virtual ~Stored() = default;
  /// Byte `at` of what a lane stores.
  virtual std::byte byte(int lane, std::uint64_t at) const = 0;
};

class RaceShadow {
 public:
  /// `memory`: the shared memory of the block, as it is before each instruction.
  void begin(std::span<const std::byte> memory);

  // Bytes [offset, offset + size) that are inside the memory. `access.bytes` is not read. Conflicts are added
  // to conflicts(), which the caller empties.
  void read(const RaceOrder& order, Access access, std::uint64_t offset, std::uint64_t size);
  /// One lane, except atomics of more lanes on the same bytes. `stored`: null if the values are not known.
  void write(const RaceOrder& order, Access access, std::uint64_t offset, std::uint64_t size,
             const Stored* stored);
  std::vector<Conflict>& conflicts() { return conflicts_; }

 private:
  /// Accesses; the first in place. Empty ones have no bytes.
  struct List {
    Access first;
    std::uint32_t rest = 0;  ///< index into rests_; 0: none
  };
  struct Word {
    List writes, reads;
  };
  struct Store;

  template <class F>
  void visit(List& list, F&& f);
  void add(List& list, const Access& access);
  void read_word(const RaceOrder& order, const Access& access, Word& word);
  void read_slowly(const RaceOrder& order, const Access& access, Word& word);
  void write_word(const RaceOrder& order, const Access& access, Word& word, const Store& store);
  void meet_earlier(const RaceOrder& order, Access& earlier, const Access& access, const Store& store);
  void report(const RaceOrder& order, const Access& earlier, const Access& later, std::uint32_t lanes,
              const Word& word);

  std::span<const std::byte> memory_;
  std::vector<Word> words_;
  std::vector<std::vector<Access>> rests_;
  std::size_t used_rests_ = 1;
  std::vector<Conflict> conflicts_;
};

}  // namespace twofour::emu::check
