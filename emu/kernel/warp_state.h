#pragma once
#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "twofour/emu/kernel/warp_op.h"
#include "twofour/emu/numerics/rules.h"
#include "twofour/emu/warp/async_copy.h"

namespace twofour::emu {

inline constexpr std::size_t tensors = std::size_t(Tensor::d) + 1;

/// The arrays of a kernel as bytes, by Tensor; only workspace and d are written.
struct GlobalMemory {
  std::array<std::span<std::byte>, tensors> of;
  std::span<std::byte> operator[](Tensor t) const { return of[std::size_t(t)]; }
};

/// Registers and pending copies of one warp.
class WarpState {
 public:
  /// The spans must outlive this.
  WarpState(const GlobalMemory& global, std::span<std::byte> shared, CopyMoment moment,
            const NumericOptions& numeric);

  /// Executes an instruction; barrier, branch and exit do nothing here. Throws Error for an address outside
  /// memory or not aligned to the access, and as execute(), ldmatrix() and AsyncCopies do.
  void execute(const WarpOp& op);

 private:
  void multiply(const WarpOp& op);
  void load_matrices(const WarpOp& op);
  void copy(const WarpOp& op);
  void transfer(const WarpOp& op);
  void calculate(const WarpOp& op);
  void calculate_wide(const WarpOp& op);
  std::byte* place(const WarpOp& op, int lane);
  AsyncCopies& copies(Tensor t) { return copies_[std::size_t(t) - std::size_t(Tensor::a)]; }

  std::vector<LaneRegister> registers_;
  GlobalMemory global_;
  std::span<std::byte> shared_;
  NumericOptions numeric_;
  std::array<AsyncCopies, 3> copies_;  ///< of A, metadata and B: one thread's groups span all three
};

}  // namespace twofour::emu
