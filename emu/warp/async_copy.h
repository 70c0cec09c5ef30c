#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace twofour::emu {

/// cp.async.ca (4, 8 or 16 bytes) or cp.async.cg (16 bytes), global to shared memory. Cache hints and
/// prefetch sizes change no data and have no place here.
struct AsyncCopy {
  enum class Cache : std::uint8_t { ca, cg };
  Cache cache = Cache::ca;
  int size = 16;                 ///< cp-size in bytes
  std::uint64_t shared, global;  ///< byte addresses of destination and source
  /// src-size: bytes that are read; the rest of `size` is written as zeros.
  std::optional<int> source_size = {};
  bool ignore_source = false;  ///< ignore-src: zeros are written, nothing is read
};

/// When a copy happens between its issue and the wait for it, which PTX leaves open. A program is right only
/// if it computes the same under both.
enum class CopyMoment : std::uint8_t {
  earliest,  ///< at its issue
  latest     ///< at the wait that makes it visible; within a group the last issued first
};

/// The asynchronous copies of one thread. Groups complete in the order they were committed; copies within a
/// group have no order. Errors name the address.
/// Source: PTX ISA 9.1, 9.7.9.25. Completion through an mbarrier is not modelled.
class AsyncCopies {
 public:
  /// The spans stand for global and shared memory; their first bytes count as aligned. They must outlive
  /// this.
  AsyncCopies(std::span<const std::byte> global, std::span<std::byte> shared, CopyMoment moment);

  /// Throws Error if the size is not one the form has, if src-size is not 0 to size, if an address is not
  /// aligned to the size, or if bytes lie outside memory.
  void copy(const AsyncCopy& c);
  /// Closes the batch of copies since the last one; it may be empty.
  void commit_group();
  /// Waits until at most `newest` of the committed groups are pending. Throws Error if it is negative.
  void wait_group(int newest);
  /// As commit_group, then wait_group(0).
  void wait_all();

 private:
  void apply(const AsyncCopy& c);

  std::span<const std::byte> global_;
  std::span<std::byte> shared_;
  CopyMoment moment_;
  std::vector<AsyncCopy> open_;
  std::vector<std::vector<AsyncCopy>> pending_;  // committed groups, oldest first
};

}  // namespace twofour::emu
