#pragma once
// A function as the interpreter runs it: one handler a warp instruction, operands as offsets.
#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "twofour/emu/ptx/alu.h"
#include "twofour/emu/ptx/module.h"

namespace twofour::emu::ptx {

class Warp;
struct Op;
/// Runs one instruction for the lanes that its guard lets through (never none).
using Handler = void (*)(Warp&, const Op&, std::uint32_t lanes);

/// Where an operand lies: an offset in the registers of the frame (even), or the host address of a constant
/// (32 equal values) plus one. Constants and rows of lanes are aligned, so the lowest bit tells them apart.
/// The constant at address 0: no operand (`_`).
class Ref {
 public:
  constexpr Ref() = default;
  static constexpr Ref in_frame(std::uintptr_t offset) { return Ref(offset); }
  static Ref constant(const void* lanes) { return Ref(reinterpret_cast<std::uintptr_t>(lanes) | 1); }

  explicit operator bool() const { return at_ != 1; }
  bool operator==(const Ref&) const = default;
  bool is_constant() const { return (at_ & 1) != 0; }
  std::uintptr_t offset() const { return at_; }  ///< of one in the frame
  /// Null for no operand.
  std::byte* in(std::uintptr_t registers) const {
    return reinterpret_cast<std::byte*>(is_constant() ? at_ - 1 : registers + at_);
  }

 private:
  constexpr explicit Ref(std::uintptr_t at) : at_(at) {}
  std::uintptr_t at_ = 1;
};
inline constexpr std::uintptr_t max_register_bytes = std::uintptr_t{1} << 28;  ///< of a frame

inline constexpr std::uint32_t no_guard = 0;

struct Op {
  Handler run = nullptr;
  std::uint32_t guard = no_guard;  ///< offset of a predicate
  std::uint32_t flip = 0;          ///< ~0: the guard is negated
  std::int32_t source = 0;         ///< index into Function::code
  std::int32_t detail = 0;         ///< the handler's own small number
  std::array<Ref, 2> d = {};
  std::array<Ref, 5> s = {};
  AluFunction alu = nullptr;
  std::int64_t immediate = 0;
  const Op* target = nullptr;  ///< branches
  const Op* join = nullptr;    ///< where the ways of a branch meet; null: nowhere
  const void* data = nullptr;  ///< what else the handler needs; owned by the program
};

/// A parameter or result of a .func: bytes of the frame's local memory, or a register.
struct Slot {
  Ref reg;                  ///< none: in memory
  std::uint32_t local = 0;  ///< offset in the frame's local memory
  std::uint32_t bytes = 0;
};

struct Program {
  const Function* function = nullptr;
  const std::string* file = nullptr;
  std::vector<Op> ops;
  std::size_t register_bytes = 0;  ///< of a frame, all lanes
  std::uint32_t local_bytes = 0;   ///< of a frame, one lane: .local and .param variables
  std::vector<Slot> parameters, results;
  std::deque<std::shared_ptr<const void>> owned;  ///< constants and details of ops
};

/// Addresses that the code of a kernel may name.
struct Symbols {
  std::map<std::string, std::uint64_t, std::less<>> global;     ///< .global and .const of the module
  std::map<std::string, std::uint64_t, std::less<>> functions;  ///< addresses of code
};

/// An entry and all that it may call.
struct Kernel {
  explicit Kernel(const Module& m) : module(&m), functions(m) {}

  const Module* module = nullptr;
  FunctionIndex functions;  ///< of the module
  const Function* entry = nullptr;
  const Symbols* symbols = nullptr;
  bool observed = false;  ///< its ops call observers
  /// Addresses of .shared variables: of the module by name, of functions by function and name.
  std::map<std::pair<const Function*, std::string>, std::uint64_t> shared;
  std::uint64_t static_shared = 0;                                      ///< bytes
  std::map<std::string, std::uint32_t, std::less<>> parameter_offsets;  ///< of the entry
  std::uint32_t parameter_bytes = 0;
  std::map<const Function*, std::unique_ptr<Program>> programs;
  std::map<std::uint64_t, const Program*> by_address;  ///< targets of indirect calls
  const Program* program = nullptr;                    ///< of the entry
  bool uses_heap = false;                              ///< may call malloc, or launch kernels
};

/// Decodes an entry of a module and what it may call. Throws Error "FILE:LINE:COLUMN: ...: the statement" for
/// what is malformed; what is not implemented fails when it runs.
std::unique_ptr<Kernel> decode_kernel(const Module& module, const Function& entry, const Symbols& symbols,
                                      bool observed);

}  // namespace twofour::emu::ptx
