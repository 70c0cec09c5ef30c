#include "twofour/emu/warp/async_copy.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

/// Bytes that a copy reads.
int source_bytes(const AsyncCopy& c) {
  return c.ignore_source ? 0 : c.source_size.value_or(c.size);
}

void check_form(const AsyncCopy& c) {
  const bool cg = c.cache == AsyncCopy::Cache::cg;
  if (c.size != 16 && (cg || (c.size != 4 && c.size != 8)))
    fail("cp.async.{} copies {} bytes, not {}", cg ? "cg" : "ca", cg ? "16" : "4, 8 or 16", c.size);
  if (c.source_size && (*c.source_size < 0 || *c.source_size > c.size))
    fail("cp.async: a src-size of {} is not 0 to {}, the size of the copy", *c.source_size, c.size);
}

void check_place(std::string_view which, std::uint64_t address, int size, int used, std::size_t bytes) {
  if (address % unsigned(size) != 0)
    fail("cp.async: {} address {} is not a multiple of {}, the size of the copy", which, address, size);
  if (used > 0 && (address > bytes || bytes - address < unsigned(used)))
    fail("cp.async: {} bytes at {} address {} lie outside the {} bytes of memory", used, which, address,
         bytes);
}

}  // namespace

AsyncCopies::AsyncCopies(std::span<const std::byte> global, std::span<std::byte> shared, CopyMoment moment)
    : global_(global), shared_(shared), moment_(moment) {}

void AsyncCopies::copy(const AsyncCopy& c) {
  check_form(c);
  check_place("shared", c.shared, c.size, c.size, shared_.size());
  check_place("global", c.global, c.size, source_bytes(c), global_.size());
  if (moment_ == CopyMoment::earliest)
    apply(c);
  else
    open_.push_back(c);
}

void AsyncCopies::apply(const AsyncCopy& c) {
  const auto to = shared_.subspan(c.shared, std::size_t(c.size));
  const auto read = std::size_t(source_bytes(c));
  std::fill(to.begin(), to.end(), std::byte{0});
  if (read > 0) std::copy_n(global_.begin() + std::ptrdiff_t(c.global), read, to.begin());
}

void AsyncCopies::commit_group() {
  pending_.push_back(std::exchange(open_, {}));
}

void AsyncCopies::wait_group(int newest) {
  if (newest < 0) fail("cp.async.wait_group takes a number of groups, not {}", newest);
  const auto done = std::max<std::ptrdiff_t>(std::ssize(pending_) - newest, 0);
  for (auto group = pending_.begin(); group != pending_.begin() + done; ++group)
    for (auto c = group->rbegin(); c != group->rend(); ++c) apply(*c);
  pending_.erase(pending_.begin(), pending_.begin() + done);
}

void AsyncCopies::wait_all() {
  commit_group();
  wait_group(0);
}

}  // namespace twofour::emu
