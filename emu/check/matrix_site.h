#pragma once
// Operands of instructions that multiply. Private to emu/check.
#include <vector>

#include "twofour/emu/ptx/observer.h"
#include "twofour/emu/warp/mma.h"

namespace twofour::emu::check {

/// The sparsity selector of an mma.sp.
int selector_of(const ptx::Instruction& instruction);
/// Lanes whose metadata register a sparse instruction reads.
std::uint32_t metadata_lanes(const isa::Instruction& i, int selector);

/// One mma, mma.sp or wmma.mma of the PTX: where its operands lie.
class MatrixSite {
 public:
  explicit MatrixSite(const ptx::Site& site);

  const isa::Instruction& instruction() const { return *instruction_; }
  /// A, B, C, metadata and selector, as the registers hold them now.
  void read(ptx::Warp& warp, MmaOperands& out) const;
  /// D; only where has_result(), for `_` may stand for a register of it.
  void read_result(ptx::Warp& warp, Fragment& out) const;
  bool has_result() const { return has_result_; }

 private:
  /// One register of an operand, or a number.
  struct Part {
    ptx::Ref at;
    std::uint64_t constant = 0;
    int bytes = 4;
  };
  using Parts = std::vector<Part>;
  /// `words`: of 32 bits that the operand has. Clears `whole` if one is `_`.
  static Parts parts_of(const ptx::Site& site, const std::vector<ptx::RegisterUse>& uses, int operand,
                        int words, bool& whole);
  static void read_parts(ptx::Warp& warp, const Parts& parts, Fragment& out);

  const isa::Instruction* instruction_;
  bool has_result_ = true;
  int selector_ = 0;
  Parts a_, b_, c_, d_, metadata_;
};

}  // namespace twofour::emu::check
