#pragma once
// From a function as parsed to ops. Private to emu/ptx. An instruction becomes one op, after ops that put
// special registers, addresses in the frame and complemented predicates where it reads them.
#include <string_view>
#include <unordered_map>

#include "twofour/emu/ptx/access.h"
#include "twofour/isa/error.h"
#include "twofour/isa/instruction.h"

namespace twofour::emu::ptx {

struct Site;

class FunctionDecoder {
 public:
  FunctionDecoder(Kernel& kernel, const Function& function);
  /// Throws Error at the first instruction that is malformed. `program` keeps its address: calls of
  /// other functions refer to theirs before they are decoded.
  void decode(Program& program);

  // What the decoders of instructions use
  const Instruction& instruction() const { return *instruction_; }
  const Function& function() const { return function_; }
  Kernel& kernel() { return kernel_; }
  Program& program() { return *program_; }
  int position() const { return position_; }

  const Operand& operand(std::size_t index) const;
  std::size_t operand_count() const { return instruction_->operands.size(); }
  void expect_operands(std::size_t least, std::size_t most) const;

  /// The last modifier that is a type.
  Type type() const;
  bool has(std::string_view modifier) const { return instruction_->has(modifier); }

  Type declared(int reg) const { return function_.registers[std::size_t(reg)].type; }
  /// Bytes of a lane; 0 for a predicate.
  int width(int reg) const;
  /// Of a .local or .param variable of the function, or of a formal parameter of a .func.
  std::uint32_t frame_bytes(const std::string& symbol) const { return frame_.at(symbol).bytes; }
  Ref reg(int reg) const { return offsets_[std::size_t(reg)]; }
  /// A register or `_` of exactly that many bytes (0: predicate).
  Ref destination(const Operand& o, int bytes) const;
  /// A register of any width (in `bytes`), or `_`.
  Ref destination_at_least(const Operand& o, int bytes, int& width_of) const;
  /// A register, number, address or special register as `bytes` bytes a lane. `type`: how to read a real
  /// number.
  Ref source(const Operand& o, Type type);
  /// !p is complemented first.
  Ref predicate(const Operand& o);
  /// A register of at least `bytes` (st, cvt): its width in `width_of`. Numbers get `bytes`.
  Ref source_at_least(const Operand& o, Type type, int& width_of);
  Ref constant(int bytes, std::uint64_t low, std::uint64_t high = 0);
  Ref temporary(int bytes);
  /// `window`: of the instruction; generic if it names none.
  Address address(const Operand& o, Window window);
  /// The value of an operand that must be a number.
  std::int64_t number(const Operand& o) const;

  /// An op for the current instruction, with its guard.
  Op& emit(Handler run);
  /// The same for all active lanes: what prepares operands.
  Op& prepare(Handler run);
  template <class T>
  const T* own(T value) {
    auto held = std::make_shared<const T>(std::move(value));
    const T* const p = held.get();
    program_->owned.push_back(std::move(held));
    return p;
  }
  /// Where code position `target` begins; known when the function is done.
  void branch_to(int target) { branches_.push_back({int(program_->ops.size()) - 1, target, -1}); }
  /// The program of another function of the kernel.
  const Program& callee(const Function& f) { return *kernel_.programs.at(&f); }

  /// For what is malformed: the kernel cannot be run.
  [[noreturn]] void refuse(std::string_view why) const;
  /// For what is not implemented: the kernel fails where it executes the instruction.
  [[noreturn]] void unsupported(std::string_view why) const;

 private:
  struct Fixup {
    int op, target, join;
  };
  struct Named {
    bool in_frame = false;
    std::uint64_t address = 0;  ///< or offset in the frame
    Window window = Window::global;
  };
  void lay_out_registers();
  void lay_out_frame();
  void find_joins();
  void decode_instruction(int position);
  const Site* described();
  void decode_known();
  void emit_poll();
  Named named(const std::string& symbol) const;
  std::uint64_t number_bits(const Operand& o, Type type) const;
  void resolve_branches();

  Kernel& kernel_;
  const Function& function_;
  Program* program_ = nullptr;
  const Instruction* instruction_ = nullptr;
  int position_ = 0;
  std::vector<Ref> offsets_;  // of registers
  std::uintptr_t next_offset_ = 64;
  std::unordered_map<std::string_view, Slot> frame_;  // .local and .param variables
  std::vector<int> join_of_;                          // position of each branch -> its meeting point
  std::vector<bool> meets_;                           // positions
  std::vector<int> first_op_;                         // of each position
  std::vector<Fixup> branches_;
  std::map<std::pair<int, std::array<std::uint64_t, 2>>, Ref> constants_;
};

/// Bytes of a type in a register.
inline int bytes_of(Type type) {
  return type == Type::pred ? 0 : bits(type) / 8;
}

/// Decoders by opcode; they emit ops or refuse. Null: no opcode of theirs.
using OpcodeDecoder = void (*)(FunctionDecoder&);
OpcodeDecoder find_memory(std::string_view opcode);   ///< ld st prefetch ...
OpcodeDecoder find_move(std::string_view opcode);     ///< mov cvta isspacep
OpcodeDecoder find_control(std::string_view opcode);  ///< bra brx call ret exit fence ...
OpcodeDecoder find_barrier(std::string_view opcode);  ///< bar barrier
OpcodeDecoder find_lanes(std::string_view opcode);    ///< shfl vote match activemask redux elect
OpcodeDecoder find_atomic(std::string_view opcode);   ///< atom red
OpcodeDecoder find_copy(std::string_view opcode);     ///< cp mbarrier
OpcodeDecoder find_matrix(std::string_view opcode);   ///< mma wmma ldmatrix stmatrix movmatrix
OpcodeDecoder find_texture(std::string_view opcode);  ///< tex suld sust
/// Everything of alu.h. Refuses an unknown opcode.
void decode_alu(FunctionDecoder& d);

/// Puts the special register `detail` into d[0]; `immediate`: bytes of a lane, and the operand's number times
/// 256.
void read_special(Warp& warp, const Op& op, std::uint32_t lanes);

/// Places where lanes may part, for flow.h.
struct Branch;
std::vector<Branch> branches_of(const FunctionDecoder& decoder);

/// A matrix instruction as the instruction table spells it: without its state space, ldmatrix with .shared.
isa::Spelling spelling_of(const FunctionDecoder& d);

/// Lets each run of mma that may share operands be executed by its first op.
void fuse_multiplications(Program& program);

/// A pseudo-op at a meeting point.
void meet(Warp& warp, const Op& op, std::uint32_t lanes);
void end_of_code(Warp& warp, const Op& op, std::uint32_t lanes);

}  // namespace twofour::emu::ptx
