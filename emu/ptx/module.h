#pragma once
// PTX text as a tree: what parse() makes and everything else in emu/ptx reads. Names are resolved (registers
// are numbers, labels are positions); nothing is decoded yet: opcode and modifiers are as they were written.
// Source: PTX ISA 9.0, chapters 4, 5, 10 and 11.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace twofour::emu::ptx {

/// A place in the text; both count from 1.
struct Location {
  int line = 0, column = 0;
};

enum class Space : std::uint8_t { reg, constant, global, local, param, shared };

/// Types of registers, variables and instructions.
enum class Type : std::uint8_t {
  b8,
  b16,
  b32,
  b64,
  b128,
  u8,
  u16,
  u32,
  u64,
  s8,
  s16,
  s32,
  s64,
  f16,
  f16x2,
  bf16,
  bf16x2,
  tf32,
  f32,
  f64,
  pred
};
/// ".f16x2" without the dot.
std::string_view name(Type type);
std::optional<Type> type_from(std::string_view name);
/// 8 .. 128; 1 for pred.
int bits(Type type);

/// Bytes of an initialised variable that are the address of another.
struct Relocation {
  std::int64_t offset = 0;  ///< in the variable
  int bytes = 8;            ///< 4 or 8, little endian
  std::string symbol;       ///< variable or function
  std::int64_t addend = 0;
  bool generic = false;  ///< generic(symbol): its generic address, else that in its own space
};

/// A variable outside registers, or a parameter.
struct Variable {
  Space space = Space::global;
  std::string name;
  Type type = Type::b8;
  int align = 1;  ///< bytes
  std::int64_t bytes =
      0;  ///< all elements of all dimensions, vectors counted; 0: the caller gives the size ([] of .extern)
  std::vector<std::uint8_t> initial;  ///< empty: zeros
  std::vector<Relocation> relocations;
  bool external = false;  ///< .extern
  bool visible = false;   ///< .visible, .weak or .common
  bool pointer = false;   ///< parameter: .ptr
  Location at;
};

/// A register of a function. %r<10> declares ten of these.
struct Register {
  std::string name;
  Type type = Type::b32;
};

/// A register that the hardware fills: %tid.x, %laneid, %clock64.
enum class Special : std::uint8_t {
  tid_x,
  tid_y,
  tid_z,
  ntid_x,
  ntid_y,
  ntid_z,
  ctaid_x,
  ctaid_y,
  ctaid_z,
  nctaid_x,
  nctaid_y,
  nctaid_z,
  laneid,
  warpid,
  nwarpid,
  smid,
  nsmid,
  gridid,
  warp_size,
  lanemask_eq,
  lanemask_le,
  lanemask_lt,
  lanemask_ge,
  lanemask_gt,
  clock,
  clock_hi,
  clock64,
  globaltimer,
  globaltimer_lo,
  globaltimer_hi,
  dynamic_smem_size,
  total_smem_size,
  reserved_smem_offset,
  envreg
};

/// One operand, as written.
struct Operand {
  enum class Kind : std::uint8_t {
    reg,      ///< register; `negated` for !p
    special,  ///< special register
    integer,  ///< 12, -1, 0x1F, 'c'; also WARP_SZ
    real,     ///< 0f3F800000, 0d..., 1.5: `bits64` holds a double's bits, `single` says that it was 0f
    symbol,   ///< variable, parameter or function, plus `offset`: its address
    address,  ///< [base + offset]; base: register, symbol or none
    vector,   ///< {a, b, c, d}
    label,    ///< position in the code
    nothing   ///< _
  };
  Kind kind = Kind::nothing;
  int reg = -1;  ///< reg; base of an address, or -1
  Special special = Special::tid_x;
  bool negated = false;        ///< !p of setp, selp, vote, ...
  std::int64_t integer = 0;    ///< integer
  std::uint64_t bits64 = 0;    ///< real
  bool single = false;         ///< real: bits of a float in the low half of bits64
  std::string symbol;          ///< symbol; base of an address, or empty
  std::int64_t offset = 0;     ///< symbol, address
  int target = -1;             ///< label: index into Function::code
  std::vector<Operand> parts;  ///< vector; for `p|q` of setp, shfl, match: two parts and `pair`
  bool pair = false;
  Location at;
};

struct Instruction {
  int predicate = -1;  ///< register, or -1
  bool predicate_negated = false;
  std::string opcode;                  ///< up to the first dot: "mad", "cp", "mma"
  std::vector<std::string> modifiers;  ///< the rest by dots, "::" kept: "sp::ordered_metadata", "lo", "s32"
  std::vector<Operand> operands;       ///< in the order written. call: see Call
  std::string text;                    ///< the statement as written, one line, for messages
  Location at;

  bool has(std::string_view modifier) const;
};

/// Operands of a call stand in three lists.
struct Call {
  std::vector<Operand> results;  ///< .param symbols or registers
  std::string function;          ///< empty: through a register, and `prototype`
  int target_register = -1;
  std::vector<Operand> arguments;
  std::string prototype;  ///< label of .callprototype or .calltargets
  bool uniform = false;
};

/// Sizes that a function's directives ask for; 0: not given.
struct LaunchBounds {
  int max_threads[3] = {0, 0, 0}, required_threads[3] = {0, 0, 0};
  int min_blocks = 0, max_registers = 0;
};

struct Function {
  std::string name;
  bool entry = false;     ///< .entry; else .func
  bool external = false;  ///< declared only
  std::vector<Variable> results,
      parameters;  ///< of .func: .param, or .reg (space reg: the variable's name is a register's)
  std::vector<Register> registers;
  std::vector<Variable> variables;  ///< .local, .shared and .param of the body, in any scope
  std::vector<Instruction> code;
  std::vector<std::pair<int, Call>> calls;                               ///< index into code, its call
  std::vector<std::pair<std::string, int>> labels;                       ///< name, position in code
  std::vector<std::pair<std::string, std::vector<int>>> branch_targets;  ///< .branchtargets label: positions
  LaunchBounds bounds;
  Location at;
};

/// A .loc directive: what of the source an instruction comes from.
struct SourceFile {
  int index = 0;
  std::string path;
};

struct Module {
  std::string file;          ///< for messages
  int major = 0, minor = 0;  ///< .version
  int sm = 0;                ///< .target: 80 for sm_80
  int address_bits = 64;
  std::vector<Variable> variables;
  std::vector<Function> functions;

  /// Null if there is none of that name.
  const Function* function(std::string_view name) const;
  const Variable* variable(std::string_view name) const;
};

/// Throws Error "FILE:LINE:COLUMN: what is wrong: the offending text" for what is not PTX 6.0 to 9.0, names
/// that are not declared, declarations that repeat, and texts over the limits (64 MiB, 2^20 registers a
/// function). Never crashes or recurses deeply, whatever the bytes.
Module parse(std::string_view text, const std::string& file);

}  // namespace twofour::emu::ptx
