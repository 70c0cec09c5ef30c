#pragma once
// PTX text as a tree: what parse() makes and everything else in emu/ptx reads. Names are resolved (registers
// are numbers, labels are positions); nothing is decoded yet: opcode and modifiers are as they were written.
// Source: PTX ISA 9.0, chapters 4, 5, 10 and 11.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

namespace twofour::emu::ptx {

/// A place in the text; both count from 1, columns in bytes.
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
/// "shared", "const", ...
std::string_view name(Space space);

/// Bytes of an initialised variable that come from the address of another: the low `bytes` bytes of
/// (address + addend) >> shift, little endian.
struct Relocation {
  std::int64_t offset = 0;  ///< in the variable
  int bytes = 8;            ///< 4 or 8; 1 for a masked one, 0xFF00(symbol)
  int shift = 0;            ///< bits; 0, 8, .. 56 for a masked one
  std::string symbol = {};  ///< variable or function
  std::int64_t addend = 0;
  bool generic = false;  ///< generic(symbol): its generic address, else that in its own space
};

/// A variable outside registers, or a parameter.
struct Variable {
  Space space = Space::global;
  std::string name = {};
  Type type = Type::b8;
  int align = 1;  ///< bytes
  /// All elements of all dimensions, vectors counted; 0: the caller gives the size ([] of .extern).
  std::int64_t bytes = 0;
  std::vector<std::uint8_t> initial = {};  ///< the first bytes; the rest is zeros
  std::vector<Relocation> relocations = {};
  bool external = false;  ///< .extern
  bool visible = false;   ///< .visible, .weak or .common
  bool pointer = false;   ///< parameter: .ptr
  Location at = {};
};

/// A register of a function. Only registers that the code mentions are numbered, in the order in which they
/// are first mentioned: %r<1000000> costs nothing.
struct Register {
  std::string name = {};  ///< one in a nested scope that repeats a name of the function: name#2
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
  reserved_smem_offset,  ///< Operand::integer: 0 and 1 for _0 and _1, then 2 begin, 3 end, 4 cap
  envreg,                ///< Operand::integer: its number
  clusterid_x,
  clusterid_y,
  clusterid_z,
  nclusterid_x,
  nclusterid_y,
  nclusterid_z,
  cluster_ctaid_x,
  cluster_ctaid_y,
  cluster_ctaid_z,
  cluster_nctaid_x,
  cluster_nctaid_y,
  cluster_nctaid_z,
  cluster_ctarank,
  cluster_nctarank,
  is_explicit_cluster,
  aggr_smem_size
};

/// One operand, as written.
struct Operand {
  enum class Kind : std::uint8_t {
    reg,      ///< register; `negated` for !p
    special,  ///< special register
    integer,  ///< 12, -1, 0x1F, (1 << 4) + 2; also WARP_SZ
    real,     ///< 0f3F800000, 0d..., 1.5: `bits64` holds a double's bits, `single` says that it was 0f
    symbol,   ///< variable, parameter or function, plus `offset`: its address
    address,  ///< [base + offset]; base: register, symbol or none; `parts`: what follows as in [base, {x, y}]
    vector,   ///< {a, b, c, d}
    label,    ///< position in the code
    nothing   ///< _
  };
  Kind kind = Kind::nothing;
  int reg = -1;  ///< reg; base of an address, or -1
  Special special = Special::tid_x;
  bool negated = false;      ///< !p of setp, selp, vote, ...
  std::int64_t integer = 0;  ///< integer
  std::uint64_t bits64 = 0;  ///< real
  bool single = false;       ///< real: bits of a float in the low half of bits64
  std::string symbol = {};   ///< symbol; base of an address, or empty
  std::int64_t offset = 0;   ///< symbol, address
  /// label: index into Function::code (its size: the end). Second of brx.idx: into Function::branch_targets.
  int target = -1;
  std::vector<Operand> parts = {};  ///< vector; for `p|q` of setp, shfl, match: two parts and `pair`
  bool pair = false;                ///< kind vector
  Location at = {};
};

struct Instruction {
  int predicate = -1;  ///< register, or -1
  bool predicate_negated = false;
  std::string opcode = {};  ///< up to the first dot: "mad", "cp", "mma"
  /// The rest by dots, "::" kept: "sp::ordered_metadata", "lo", "s32".
  std::vector<std::string> modifiers = {};
  std::vector<Operand> operands = {};  ///< in the order written. call: empty, see Call
  std::string text = {};               ///< the statement without ; in one line, for messages
  Location at = {};                    ///< of its first character, the guard's if there is one

  bool has(std::string_view modifier) const;
};

/// Operands of a call stand in three lists.
struct Call {
  std::vector<Operand> results;  ///< .param symbols, registers or nothing
  std::string function;          ///< empty: through a register, and `prototype`
  int target_register = -1;
  std::vector<Operand> arguments;
  std::string prototype;  ///< label of .callprototype or .calltargets, or empty
  bool uniform = false;
};

/// Sizes that a function's directives ask for; 0: not given.
struct LaunchBounds {
  int max_threads[3] = {0, 0, 0}, required_threads[3] = {0, 0, 0};
  int min_blocks = 0, max_registers = 0;
};

struct Function {
  std::string name = {};
  bool entry = false;     ///< .entry; else .func
  bool external = false;  ///< declared only
  /// .param, or .reg: space reg, and the name of a register.
  std::vector<Variable> results = {}, parameters = {};
  std::vector<Register> registers = {};  ///< first those of results and parameters
  /// .local, .shared and .param of the body, in any scope. Each name is unique in the function and differs
  /// from all names of the module: one that repeats is name#2. (.global and .const become the module's.)
  std::vector<Variable> variables = {};
  std::vector<Instruction> code = {};
  std::vector<std::pair<int, Call>> calls = {};          ///< index into code (ascending), its call
  std::vector<std::pair<std::string, int>> labels = {};  ///< name, position in code; scopes may repeat names
  /// .branchtargets: label, positions in code.
  std::vector<std::pair<std::string, std::vector<int>>> branch_targets = {};
  LaunchBounds bounds = {};
  Location at = {};
};

struct Module {
  std::string file;          ///< for messages
  int major = 0, minor = 0;  ///< .version
  int sm = 0;                ///< .target: 80 for sm_80
  int address_bits = 64;
  std::vector<Variable> variables;
  std::vector<Function> functions;  ///< one a name: a definition takes the place of its declaration
  std::vector<std::pair<std::string, std::string>> aliases;  ///< .alias: other name, function

  /// Null if there is none of that name. An alias leads to its function. Linear: keep what it answers.
  const Function* function(std::string_view name) const;
  const Variable* variable(std::string_view name) const;
};

/// Functions of a module by name, for many questions. An alias leads to its function. The module stays as it
/// is.
class FunctionIndex {
 public:
  explicit FunctionIndex(const Module& module);
  /// Null if there is none of that name.
  const Function* find(std::string_view name) const;

 private:
  std::unordered_map<std::string_view, const Function*> functions_;
};

/// Throws Error "FILE:LINE:COLUMN: what is wrong: the offending text" for what is not PTX 6.0 to 9.9, names
/// that are not declared (as PTX wants it: before they are used, labels anywhere in their scope),
/// declarations that repeat, and texts over the limits: 64 MiB, 2^20 registers declared in a function, 2^23
/// instructions, operands and names together, 256 nested scopes, 256 MiB of initial values. Never crashes or
/// recurses deeply, whatever the bytes. Opcodes, modifiers and what operands they want are not looked at.
///
/// Read and left out, for they change no result: .file, .loc, .section, .pragma, @@DWARF, .attribute,
/// .noreturn, .maxnctapersm, .reqnctapercluster, .explicitcluster, .maxclusterrank, .blocksareclusters,
/// .abi_preserve, .abi_preserve_control, what a .callprototype says. Refused: .texref, .samplerref, .surfref.
Module parse(std::string_view text, const std::string& file);

}  // namespace twofour::emu::ptx
