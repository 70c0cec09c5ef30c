#pragma once
// What checkers, statistics and the time model see of a launch: every PTX instruction before it runs and
// after, with its registers and its addresses. Kernels are decoded for it only when the device has observers;
// without them nothing is paid.
#include <memory>
#include <span>
#include <vector>

#include "twofour/emu/ptx/access.h"
#include "twofour/emu/ptx/cta.h"

namespace twofour::emu::ptx {

/// A register that an instruction reads or writes.
struct RegisterUse {
  int reg = -1;     ///< index into Function::registers
  int operand = 0;  ///< index into Instruction::operands; -1: the guard
  Ref at;           ///< Warp::reg(at): 32 lanes of `bytes`; of a predicate a mask of lanes
  int bytes = 0;    ///< of a lane; 0: predicate
};

/// Memory that an instruction touches. Every lane that executes it touches `size` bytes at its address,
/// except: ldmatrix reads 16 bytes at the addresses of the first `rows` lanes; the global side of cp.async
/// reads what its src-size says; wmma.load and wmma.store touch their elements. for_accesses knows all that.
struct MemoryUse {
  Address address;
  std::uint64_t size = 0, alignment = 1;  ///< bytes
  bool reads = false, writes = false;     ///< atomics do both
  bool atomic = false;
  bool asynchronous = false;  ///< done some time before the wait (cp.async, both sides)
  int rows = 32;
  Ref source_size, ignored;                    ///< cp.async's global side; none: `size` bytes, always
  std::uint32_t ignored_flip = 0;              ///< ~0: lanes whose predicate is false are ignored
  const isa::Instruction* elements = nullptr;  ///< wmma.load, wmma.store
  Ref stride;                                  ///< of these, in elements; none: they touch
};

/// One instruction of the PTX.
struct Site {
  const Function* function = nullptr;
  const std::string* file = nullptr;
  int position = 0;  ///< index into Function::code
  std::vector<RegisterUse> reads, writes;
  std::vector<MemoryUse> memory;
  /// Row of the instruction table of mma, wmma, ldmatrix and movmatrix; null for others.
  const isa::Instruction* matrix = nullptr;
  std::uint32_t guard = no_guard, flip = 0;  ///< as in Op

  const Instruction& instruction() const { return function->code[std::size_t(position)]; }
};

/// Sees the blocks of one host thread, one after the other, from their beginning to their end.
class BlockObserver {
 public:
  virtual ~BlockObserver() = default;
  virtual void begin(Cta&) {}
  /// Lanes that execute it; 0 where the guard stops all. What it says of registers and memory still holds
  /// what was there before. If the instruction fails, no call follows for this block, but it is destroyed.
  virtual void before(Warp&, const Site&, std::uint32_t /*lanes*/) {}
  /// The same instruction, done; a warp that waits at a barrier comes here when it goes on. Not for branches,
  /// calls, returns and exits.
  virtual void after(Warp&, const Site&, std::uint32_t /*lanes*/) {}
  /// A barrier of the block is complete and these warps go on.
  virtual void barrier(Cta&, std::uint32_t /*id*/, std::span<Warp* const>) {}
  virtual void end(Cta&) {}
};

/// Belongs to the caller and outlives the device.
class Observer {
 public:
  virtual ~Observer() = default;
  /// It reads GlobalMemory::written() of the devices that it observes.
  virtual bool wants_written() const { return false; }
  /// One a host thread of a launch; called by one thread at a time. Null: it does not want to see any.
  virtual std::unique_ptr<BlockObserver> observe(Grid&) = 0;
  /// The launch is over; `failure`: its message, or empty.
  virtual void launched(const Grid&, const std::string& /*failure*/) {}
};

/// How the instruction table (isa::parse_spelling) spells a matrix instruction.
std::string table_spelling(const Instruction& matrix);

/// Addresses of one access; `at` of lanes that do not execute are the register's.
void addresses_of(Warp& warp, const Address& address, std::uint64_t (&at)[lanes_of_warp]);
/// Bytes that a lane reads or writes by `use`.
std::uint64_t access_bytes(Warp& warp, const MemoryUse& use, int lane);
/// Element `index` of a lane of wmma, as bits from the address of the matrix.
std::int64_t element_bit(Warp& warp, const MemoryUse& use, int lane, int index);
int elements_of_lane(const MemoryUse& use);

/// Calls f(lane, address, bytes) for every access of these lanes, lowest lane first; the elements of wmma as
/// many times as there are. Bits of elements below a byte: the byte that holds them.
template <class F>
void for_accesses(Warp& warp, const MemoryUse& use, std::uint32_t lanes, F&& f) {
  std::uint64_t at[lanes_of_warp];
  addresses_of(warp, use.address, at);
  if (use.rows < lanes_of_warp) lanes &= (1u << use.rows) - 1;
  for_lanes(lanes, [&](int lane) {
    if (use.elements == nullptr) {
      if (const std::uint64_t bytes = access_bytes(warp, use, lane); bytes != 0) f(lane, at[lane], bytes);
      return;
    }
    for (int i = 0; i < elements_of_lane(use); ++i)
      f(lane, at[lane] + std::uint64_t(element_bit(warp, use, lane, i) >> 3), use.size);
  });
}

}  // namespace twofour::emu::ptx
