#include "twofour/emu/ptx/decode.h"

#include <algorithm>
#include <bit>

#include "twofour/emu/ptx/cta.h"
#include "twofour/emu/ptx/flow.h"
#include "twofour/emu/ptx/observe.h"

namespace twofour::emu::ptx {
namespace {

constexpr std::uint64_t max_frame_bytes = 512 * 1024;  // of a lane

void complement(Warp& warp, const Op& op, std::uint32_t lanes) {
  warp.uncount();
  *warp.reg<std::uint32_t>(op.d[0]) = ~*warp.reg<std::uint32_t>(op.s[0]) & lanes;
}

void frame_address(Warp& warp, const Op& op, std::uint32_t lanes) {
  warp.uncount();
  const std::uint64_t address = local_window + warp.frame().local_base + std::uint64_t(op.immediate);
  if (op.detail == 8)
    for_lanes(lanes, [&, d = warp.reg<std::uint64_t>(op.d[0])](int l) { d[l] = address; });
  else
    for_lanes(lanes, [&, d = warp.reg<std::uint32_t>(op.d[0])](int l) { d[l] = std::uint32_t(address); });
}

void prepare_special(Warp& warp, const Op& op, std::uint32_t lanes) {
  warp.uncount();
  read_special(warp, op, lanes);
}

/// An instruction that changes nothing here: it counts all the same.
void nothing(Warp&, const Op&, std::uint32_t) {}

struct Unsupported {
  std::string why;
};
void fail_here(Warp& warp, const Op& op, std::uint32_t lanes) {
  warp.fail(std::countr_zero(lanes), "{}", *static_cast<const std::string*>(op.data));
}

constexpr int polls = 32;  // of the same word in a row: the warp waits for it
enum : std::int32_t { polls_shared = 1, polls_by_load = 2 };

/// After an instruction that may poll what other warps write. `immediate`: bytes of the register s[0] with
/// what it read. All blocks of a cooperative grid wait for each other as a rule, by loads.
void poll(Warp& warp, const Op& op, std::uint32_t lanes) {
  warp.uncount();
  std::uint64_t word = 0;
  std::memcpy(&word, warp.reg<std::byte>(op.s[0]) + std::countr_zero(lanes) * op.immediate,
              std::min(sizeof word, std::size_t(op.immediate)));
  const bool grid_waits = warp.cta().grid().cooperative && op.detail == polls_by_load;
  if (warp.repeats(op, word) < polls && !grid_waits) return;
  warp.yield();
  if ((op.detail & polls_shared) == 0) warp.cta().give_way();
}

template <std::size_t results, std::size_t sources>
void run_alu(Warp& warp, const Op& op, std::uint32_t lanes) {
  AluCall call;
  call.active = lanes;
  for (std::size_t k = 0; k < results; ++k) call.d[k] = warp.pointer(op.d[k]);
  for (std::size_t k = 0; k < sources; ++k) call.s[k] = warp.pointer(op.s[k]);
  call.carry = warp.carry();
  op.alu(call);
}
/// What most instructions are has code of its own.
Handler alu_handler(std::size_t results, std::size_t sources) {
  if (results == 1) switch (sources) {
      case 1: return run_alu<1, 1>;
      case 2: return run_alu<1, 2>;
      case 3: return run_alu<1, 3>;
      default: break;
    }
  return run_alu<2, 5>;
}

OpcodeDecoder find_decoder(std::string_view opcode) {
  for (const auto find : {find_move, find_memory, find_control, find_barrier, find_lanes, find_atomic,
                          find_copy, find_matrix, find_texture})
    if (const OpcodeDecoder d = find(opcode)) return d;
  return decode_alu;
}

}  // namespace

void meet(Warp& warp, const Op& op, std::uint32_t) {
  warp.meet(op);
}
void end_of_code(Warp& warp, const Op&, std::uint32_t lanes) {
  warp.uncount();
  warp.leave(lanes);
}

FunctionDecoder::FunctionDecoder(Kernel& kernel, const Function& function)
    : kernel_(kernel), function_(function) {}

void FunctionDecoder::refuse(std::string_view why) const {
  const Location at = instruction_ != nullptr ? instruction_->at : function_.at;
  twofour::fail("{}:{}:{}: {}: {}", kernel_.module->file, at.line, at.column, why,
                instruction_ != nullptr ? instruction_->text : function_.name);
}

void FunctionDecoder::unsupported(std::string_view why) const {
  throw Unsupported{std::string(why)};
}

int FunctionDecoder::width(int reg) const {
  return bytes_of(declared(reg));
}

void FunctionDecoder::lay_out_registers() {
  // Predicates first; rows of lanes start at 64-byte lines.
  offsets_.resize(function_.registers.size());
  std::uintptr_t at = 64;
  for (std::size_t i = 0; i < offsets_.size(); ++i)
    if (function_.registers[i].type == Type::pred) {
      offsets_[i] = Ref::in_frame(at);
      at += 4;
    }
  at = (at + 63) / 64 * 64;
  for (std::size_t i = 0; i < offsets_.size(); ++i)
    if (const Type t = function_.registers[i].type; t != Type::pred) {
      offsets_[i] = Ref::in_frame(at);
      at += (std::uintptr_t(lanes_of_warp) * unsigned(bytes_of(t)) + 63) / 64 * 64;
    }
  next_offset_ = at;
}

void FunctionDecoder::lay_out_frame() {
  std::uint64_t at = 0;
  const auto place = [&](const Variable& v) {
    const auto align = std::uint64_t(std::max(v.align, 1));
    at = (at + align - 1) / align * align;
    const Slot slot{{}, std::uint32_t(at), std::uint32_t(v.bytes)};
    frame_[v.name] = slot;
    at += std::uint64_t(v.bytes);
    if (at > max_frame_bytes)
      refuse(fmt::format(".local and .param variables of more than {} bytes a thread", max_frame_bytes));
    return slot;
  };
  std::unordered_map<std::string_view, int> registers;
  const auto formal = [&](const Variable& v) {
    if (v.space != Space::reg) return place(v);
    for (int r = int(registers.size()); r < int(function_.registers.size()); ++r)
      registers.emplace(function_.registers[std::size_t(r)].name, r);
    const auto r = registers.find(v.name);
    if (r == registers.end()) refuse("a .reg parameter without a register");
    return Slot{offsets_[std::size_t(r->second)], 0, std::uint32_t(width(r->second))};
  };
  if (!function_.entry) {
    for (const Variable& v : function_.parameters) program_->parameters.push_back(formal(v));
    for (const Variable& v : function_.results) program_->results.push_back(formal(v));
  }
  for (const Variable& v : function_.variables)
    if (v.space == Space::local || v.space == Space::param) place(v);
  program_->local_bytes = std::uint32_t((at + 15) / 16 * 16);
}

void FunctionDecoder::find_joins() {
  const auto branches = branches_of(*this);
  const int count = int(function_.code.size());
  join_of_.assign(std::size_t(count) + 1, -1);
  meets_.assign(std::size_t(count) + 1, false);
  const auto joins = meeting_points(count, branches);
  for (std::size_t i = 0; i < branches.size(); ++i) {
    join_of_[std::size_t(branches[i].at)] = joins[i];
    if (joins[i] >= 0) meets_[std::size_t(joins[i])] = true;
  }
}

void FunctionDecoder::decode(Program& program) {
  program_ = &program;
  program.function = &function_;
  program.file = &kernel_.module->file;
  lay_out_registers();
  lay_out_frame();
  find_joins();
  const int count = int(function_.code.size());
  for (int i = 0; i < count; ++i) decode_instruction(i);
  instruction_ = nullptr;
  first_op_.push_back(int(program.ops.size()));
  Op& end = program.ops.emplace_back();
  end.run = end_of_code;
  end.source = std::max(0, count - 1);
  resolve_branches();
  fuse_multiplications(program);
  program.register_bytes = (next_offset_ + 63) / 64 * 64;
  if (program.register_bytes > max_register_bytes)
    refuse(fmt::format("registers of {} bytes a warp, the limit is {}", program.register_bytes,
                       max_register_bytes));
}

void FunctionDecoder::decode_instruction(int position) {
  position_ = position;
  instruction_ = &function_.code[std::size_t(position)];
  first_op_.push_back(int(program_->ops.size()));
  if (meets_[std::size_t(position)]) prepare(meet);
  const Site* const site = described();
  if (site != nullptr) prepare(observe_before).data = site;
  const std::size_t ops = program_->ops.size();
  decode_known();
  if (program_->ops.size() == ops) emit(nothing);
  emit_poll();
  if (site != nullptr && goes_on(*instruction_)) prepare(observe_after).data = site;
}

/// Null if nobody looks, and for a matrix instruction that is not known: decode_known says so.
const Site* FunctionDecoder::described() {
  try {
    return kernel_.observed ? describe(*this) : nullptr;
  } catch (const Unsupported&) {
    return nullptr;
  }
}

/// Loops that wait read a word by a load that is not weak, or by an atomic.
void FunctionDecoder::emit_poll() {
  const bool loads = instruction_->opcode == "ld" && (has("acquire") || has("relaxed") || has("volatile"));
  if ((!loads && instruction_->opcode != "atom") || instruction_->operands.empty()) return;
  const Operand& all = instruction_->operands.front();
  const Operand& o = all.parts.empty() ? all : all.parts.front();
  if (o.kind != Operand::Kind::reg) return;
  Op& op = prepare(poll);
  op.s[0] = reg(o.reg);
  op.immediate = width(o.reg);
  op.detail = (has("shared") ? polls_shared : 0) | (loads ? polls_by_load : 0);
}

/// What is not implemented becomes an op that says so.
void FunctionDecoder::decode_known() {
  const std::size_t first = program_->ops.size();
  try {
    find_decoder(instruction_->opcode)(*this);
  } catch (const Unsupported& u) {
    program_->ops.resize(first);
    const std::string* const why = own(u.why);
    emit(fail_here).data = why;
  }
}

void FunctionDecoder::resolve_branches() {
  const auto at = [&](int position) { return program_->ops.data() + first_op_[std::size_t(position)]; };
  for (const Fixup& f : branches_) {
    Op& op = program_->ops[std::size_t(f.op)];
    if (f.target >= 0) op.target = at(f.target);
    if (const int join = join_of_[std::size_t(op.source)]; join >= 0) op.join = at(join);
  }
}

Op& FunctionDecoder::prepare(Handler run) {
  Op& op = program_->ops.emplace_back();
  op.run = run;
  op.source = position_;
  return op;
}

Op& FunctionDecoder::emit(Handler run) {
  Op& op = prepare(run);
  if (instruction_->predicate >= 0) {
    if (declared(instruction_->predicate) != Type::pred) refuse("the guard is no predicate");
    op.guard = std::uint32_t(reg(instruction_->predicate).offset());
    op.flip = instruction_->predicate_negated ? ~0u : 0;
  }
  return op;
}

const Operand& FunctionDecoder::operand(std::size_t index) const {
  if (index >= operand_count()) refuse("operands are missing");
  return instruction_->operands[index];
}

void FunctionDecoder::expect_operands(std::size_t least, std::size_t most) const {
  if (operand_count() < least || operand_count() > most)
    refuse(fmt::format("{} operands, it takes {} to {}", operand_count(), least, most));
}

Type FunctionDecoder::type() const {
  const auto& m = instruction_->modifiers;
  for (auto i = m.rbegin(); i != m.rend(); ++i)
    if (const auto t = type_from(*i)) return *t;
  refuse("a type is missing");
}

Ref FunctionDecoder::destination(const Operand& o, int bytes) const {
  if (o.kind == Operand::Kind::nothing) return {};
  if (o.kind != Operand::Kind::reg) refuse("the result must be a register");
  if (width(o.reg) != bytes) refuse("the result's register has another size than the instruction");
  return reg(o.reg);
}

Ref FunctionDecoder::destination_at_least(const Operand& o, int bytes, int& width_of) const {
  width_of = bytes;
  if (o.kind == Operand::Kind::nothing) return {};
  if (o.kind != Operand::Kind::reg) refuse("the result must be a register");
  width_of = width(o.reg);
  if (width_of < bytes) refuse("the result's register is smaller than the instruction's type");
  return reg(o.reg);
}

Ref FunctionDecoder::constant(int bytes, std::uint64_t low, std::uint64_t high) {
  if (bytes < 8) low &= (std::uint64_t{1} << 8 * bytes) - 1;
  Ref& known = constants_[{bytes, {low, high}}];
  if (known) return known;
  struct alignas(64) Lanes {
    std::byte bytes[16 * lanes_of_warp];
  };
  const auto lanes = std::make_shared<Lanes>();
  const std::uint64_t words[2] = {low, high};
  for (int l = 0; l < lanes_of_warp; ++l) std::memcpy(lanes->bytes + l * bytes, words, std::size_t(bytes));
  program_->owned.push_back(lanes);
  return known = Ref::constant(lanes->bytes);
}

Ref FunctionDecoder::temporary(int bytes) {
  const Ref r = Ref::in_frame(next_offset_);
  next_offset_ += (std::uintptr_t(lanes_of_warp) * unsigned(std::max(bytes, 1)) + 63) / 64 * 64;
  return r;
}

std::uint64_t FunctionDecoder::number_bits(const Operand& o, Type type) const {
  if (o.kind == Operand::Kind::integer) {
    if (type == Type::f32) return std::bit_cast<std::uint32_t>(float(o.integer));
    if (type == Type::f64) return std::bit_cast<std::uint64_t>(double(o.integer));
    return std::uint64_t(o.integer);
  }
  if (o.single) {
    if (type == Type::f64)
      return std::bit_cast<std::uint64_t>(double(std::bit_cast<float>(std::uint32_t(o.bits64))));
    return std::uint32_t(o.bits64);
  }
  if (bits(type) == 64) return o.bits64;
  if (bits(type) == 32) return std::bit_cast<std::uint32_t>(float(std::bit_cast<double>(o.bits64)));
  refuse("a real number needs a 32- or 64-bit type");
}

FunctionDecoder::Named FunctionDecoder::named(const std::string& symbol) const {
  if (const auto f = frame_.find(symbol); f != frame_.end()) return {true, f->second.local, Window::local};
  for (const Function* scope : {&function_, static_cast<const Function*>(nullptr)})
    if (const auto s = kernel_.shared.find({scope, symbol}); s != kernel_.shared.end())
      return {false, s->second, Window::shared};
  if (const auto p = kernel_.parameter_offsets.find(symbol);
      function_.entry && p != kernel_.parameter_offsets.end())
    return {false, param_window + p->second, Window::param};
  if (const auto g = kernel_.symbols->global.find(symbol); g != kernel_.symbols->global.end())
    return {false, g->second, Window::global};
  if (const auto f = kernel_.symbols->functions.find(symbol); f != kernel_.symbols->functions.end())
    return {false, f->second, Window::generic};
  refuse(fmt::format("{} has no definition in this module", symbol));
}

Ref FunctionDecoder::source_at_least(const Operand& o, Type type, int& width_of) {
  const int bytes = bytes_of(type);
  width_of = bytes;
  switch (o.kind) {
    case Operand::Kind::reg:
      if (o.negated) refuse("only a predicate can be negated");
      width_of = width(o.reg);
      if (width_of < bytes) refuse("a source register is smaller than the instruction's type");
      return reg(o.reg);
    case Operand::Kind::integer: {
      const std::uint64_t low = number_bits(o, type);
      return constant(bytes, low, bytes == 16 && o.integer < 0 ? ~std::uint64_t{0} : 0);
    }
    case Operand::Kind::real: return constant(bytes, number_bits(o, type));
    case Operand::Kind::special: {
      const Ref t = temporary(8);
      Op& op = prepare(prepare_special);
      op.d[0] = t;
      op.detail = int(o.special);
      op.immediate = bytes | o.integer << 8;
      return t;
    }
    case Operand::Kind::symbol:
    case Operand::Kind::address: {
      if (o.reg >= 0 || (bytes != 4 && bytes != 8)) refuse("an address needs a 32- or 64-bit type");
      const Named n = o.symbol.empty() ? Named{} : named(o.symbol);
      if (!n.in_frame) return constant(bytes, n.address + std::uint64_t(o.offset));
      const Ref t = temporary(8);
      Op& op = prepare(frame_address);
      op.d[0] = t;
      op.detail = bytes;
      op.immediate = std::int64_t(n.address) + o.offset;
      return t;
    }
    default: refuse("an operand is of the wrong kind");
  }
}

Ref FunctionDecoder::source(const Operand& o, Type type) {
  if (type == Type::pred) return predicate(o);
  int width_of = 0;
  const Ref r = source_at_least(o, type, width_of);
  if (width_of != bytes_of(type)) refuse("a source register has another size than the instruction's type");
  return r;
}

Ref FunctionDecoder::predicate(const Operand& o) {
  if (o.kind == Operand::Kind::integer) {
    return Ref::constant(own(o.integer != 0 ? all_lanes : 0u));
  }
  if (o.kind != Operand::Kind::reg || declared(o.reg) != Type::pred) refuse("an operand must be a predicate");
  if (!o.negated) return reg(o.reg);
  const Ref t = temporary(4);
  Op& op = prepare(complement);
  op.d[0] = t;
  op.s[0] = reg(o.reg);
  return t;
}

Address FunctionDecoder::address(const Operand& o, Window window) {
  if (o.kind != Operand::Kind::address && o.kind != Operand::Kind::symbol) refuse("an address is missing");
  Address a{window, Address::Base::none, {}, o.offset};
  if (o.reg >= 0) {
    const int bytes = width(o.reg);
    if (bytes != 4 && bytes != 8) refuse("the base of an address must be a 32- or 64-bit register");
    a.base = bytes == 4 ? Address::Base::reg32 : Address::Base::reg64;
    a.reg = reg(o.reg);
  } else if (!o.symbol.empty()) {
    const Named n = named(o.symbol);
    a.base = n.in_frame ? Address::Base::frame : Address::Base::none;
    a.offset += std::int64_t(n.address);
  }
  return a;
}

std::int64_t FunctionDecoder::number(const Operand& o) const {
  if (o.kind != Operand::Kind::integer) refuse("an operand must be a number");
  return o.integer;
}

namespace {

/// Refusals of find_alu begin with line and column.
std::optional<Alu> alu_of(FunctionDecoder& d, std::span<const Type> types) {
  std::string problem;
  try {
    return find_alu(d.instruction(), types);
  } catch (const Error& e) {
    problem = e.what();
  }
  fail("{}:{}", d.kernel().module->file, problem);
}

}  // namespace

void decode_alu(FunctionDecoder& d) {
  const Instruction& i = d.instruction();
  // A pair p|q counts as two operands.
  std::vector<const Operand*> operands;
  for (const Operand& o : i.operands) {
    if (o.kind == Operand::Kind::vector && o.pair)
      for (const Operand& part : o.parts) operands.push_back(&part);
    else
      operands.push_back(&o);
  }
  std::vector<Type> types;
  Type own = Type::b32;
  for (auto m = i.modifiers.rbegin(); m != i.modifiers.rend(); ++m)
    if (const auto t = type_from(*m)) {
      own = *t;
      break;
    }
  for (const Operand* o : operands) types.push_back(o->kind == Operand::Kind::reg ? d.declared(o->reg) : own);
  const auto alu = alu_of(d, types);
  if (!alu) d.unsupported("not implemented");
  const auto results = std::size_t(alu->result_count), sources = std::size_t(alu->source_count);
  if (operands.size() != results + sources) d.refuse("another number of operands than the instruction takes");
  std::array<Ref, 2> to = {};
  std::array<Ref, 5> from = {};
  for (std::size_t k = 0; k < results; ++k) to[k] = d.destination(*operands[k], bytes_of(alu->results[k]));
  for (std::size_t k = 0; k < sources; ++k) from[k] = d.source(*operands[results + k], alu->sources[k]);
  Op& op = d.emit(alu_handler(results, sources));
  op.d = to;
  op.s = from;
  op.alu = alu->run;
}

}  // namespace twofour::emu::ptx
