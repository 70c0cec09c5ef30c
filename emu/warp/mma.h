#pragma once
#include <memory>

#include "twofour/emu/numerics/rules.h"
#include "twofour/emu/numerics/window.h"
#include "twofour/emu/warp/fragment.h"
#include "twofour/isa/instruction.h"

namespace twofour::emu {

/// Operands of one warp-wide matrix instruction. metadata and selector are read by sparse instructions only.
struct MmaOperands {
  Fragment a, b, c;
  LaneRegister metadata{};
  int selector = 0;
};

/// Registers of one instruction where they lie, 32 words each. d may be some of the others.
struct MmaRegisters {
  template <class Word>
  using Words = std::array<Word*, max_operand_registers>;
  Words<const std::uint32_t> a, b, c;
  Words<std::uint32_t> d;  ///< null: not wanted
  const std::uint32_t* metadata = nullptr;
};

struct PreparedWmma;
struct PreparedMma;
/// A fast path: A and B are taken apart into bytes (aligned to 64) that several instructions may share.
struct FastMma {
  static constexpr std::size_t max_a_bytes = 7168, max_b_bytes = 2048;
  /// From r.a (and r.metadata) and r.b. Null: `multiply` reads the registers.
  void (*take_a)(const PreparedMma&, const MmaRegisters& r, std::byte* out) = nullptr;
  void (*take_b)(const PreparedMma&, const MmaRegisters& r, std::byte* out) = nullptr;
  /// From r.c to r.d (what takes A and B needs no more of r). Null: there is no fast path. False: these
  /// operands need the definition; r.d is as it was.
  bool (*multiply)(const PreparedMma&, const std::byte* a, const std::byte* b,
                   const MmaRegisters& r) = nullptr;
  std::size_t a_bytes = 0, b_bytes = 0;
};

/// An instruction that multiplies, checked and looked up once. prepare() makes it.
struct PreparedMma {
  const isa::Instruction* instruction = nullptr;
  NumericOptions options = {};
  int selector = 0;
  int a_registers = 0, b_registers = 0, c_registers = 0, d_registers = 0;
  std::shared_ptr<const PreparedWmma> wmma = {};  ///< of a wmma.mma that converts neither C nor D
  WindowRule rule = {};                           ///< of floats
  FastMma fast = {};
  bool wide = false;  ///< its registers are 64 bits a lane (prepare_wide)
};
/// Throws Error as execute() does.
PreparedMma prepare(const isa::Instruction& instruction, const NumericOptions& options, int selector);
/// For registers of 64 bits a lane, where MmaRegisters points to 32 doubles each. No fast path: there is
/// none.
PreparedMma prepare_wide(const isa::Instruction& instruction, const NumericOptions& options);
/// The same as execute(), from and to registers where they lie. All that isa::registers() says must be there.
void run(const PreparedMma& mma, const MmaRegisters& registers);
/// Its two halves. False: there is no fast path, or these operands need the definition; D is as it was.
bool run_fast(const PreparedMma& mma, const MmaRegisters& registers);
void run_by_definition(const PreparedMma& mma, const MmaRegisters& registers);

/// Executes one instruction that multiplies (mma, mma.sp, wmma.mma) on the registers of 32 lanes and returns
/// the D fragment; registers that it does not use come back zero. wmma.mma runs as the Tensor Core
/// instructions it lowers to (isa/lowering.h). Registers that repeat elements of a wmma fragment are not
/// read. Metadata indices select on their own (also duplicate or descending ones, which PTX leaves
/// undefined). satfinite clamps once per Tensor Core instruction.
/// Throws Error that names the instruction if it does not multiply, if the selector is out of range, if it
/// has no satfinite or rounding form and one is asked for, or if the architecture has no rule for its types.
Fragment execute(const isa::Instruction& instruction, const MmaOperands& operands,
                 const NumericOptions& options = {});

/// The same from the scalar definition alone (dot() for each element of D): what execute() must equal.
Fragment execute_by_definition(const isa::Instruction& instruction, const MmaOperands& operands,
                               const NumericOptions& options = {});

}  // namespace twofour::emu
