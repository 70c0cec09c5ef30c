#include "twofour/emu/ptx/observe.h"

#include <algorithm>

#include "twofour/emu/ptx/observer.h"
#include "twofour/emu/ptx/qualifiers.h"
#include "twofour/isa/layout.h"

namespace twofour::emu::ptx {
namespace {

/// Whether the first operand is the result.
bool has_result(const Instruction& i) {
  if (i.operands.empty() || i.operands[0].kind == Operand::Kind::address) return false;
  if (i.opcode == "bar" || i.opcode == "barrier") return i.has("red");
  constexpr std::string_view none[] = {"bra",   "brx",      "nanosleep", "pmevent",
                                       "brkpt", "prefetch", "st",        "red"};
  return std::find(std::begin(none), std::end(none), i.opcode) == std::end(none);
}

class Description {
 public:
  explicit Description(FunctionDecoder& d) : d_(d), i_(d.instruction()) {}

  Site make() {
    site_.function = &d_.function();
    site_.file = &d_.kernel().module->file;
    site_.position = d_.position();
    if (i_.predicate >= 0) {
      add(site_.reads, i_.predicate, -1);
      site_.guard = std::uint32_t(d_.reg(i_.predicate).offset());
      site_.flip = i_.predicate_negated ? ~0u : 0;
    }
    const bool result = has_result(i_);
    for (int k = 0; k < int(i_.operands.size()); ++k)
      registers(i_.operands[std::size_t(k)], k, result && k == 0 ? site_.writes : site_.reads);
    if (i_.opcode == "call") call();
    memory();
    return std::move(site_);
  }

 private:
  void add(std::vector<RegisterUse>& list, int reg, int operand) {
    list.push_back({reg, operand, d_.reg(reg), d_.width(reg)});
  }
  void registers(const Operand& o, int operand, std::vector<RegisterUse>& list) {
    if (o.reg >= 0) add(o.kind == Operand::Kind::address ? site_.reads : list, o.reg, operand);
    for (const Operand& part : o.parts) registers(part, operand, list);
  }
  void call() {
    for (const auto& [position, call] : d_.function().calls) {
      if (position != d_.position()) continue;
      for (const Operand& o : call.results) registers(o, 0, site_.writes);
      for (const Operand& o : call.arguments) registers(o, 1, site_.reads);
      if (call.target_register >= 0) add(site_.reads, call.target_register, 2);
    }
  }

  /// The first operand that is an address.
  const Operand* address_operand() const {
    for (const Operand& o : i_.operands)
      if (o.kind == Operand::Kind::address) return &o;
    return nullptr;
  }
  MemoryUse& use(const Operand& o, Window window, std::uint64_t size) {
    MemoryUse& u = site_.memory.emplace_back();
    u.address = d_.address(o, window);
    u.size = u.alignment = size;
    return u;
  }

  void memory() {
    const Operand* const at = address_operand();
    const std::string& op = i_.opcode;
    if (op == "mma" || op == "wmma" || op == "ldmatrix" || op == "movmatrix") return matrix(at);
    if (at == nullptr) return;
    if (op == "ld" || op == "ldu" || op == "st") {
      const std::uint64_t count = d_.has("v2") ? 2 : d_.has("v4") ? 4 : d_.has("v8") ? 8 : 1;
      MemoryUse& u = use(*at, window_of(d_), count * std::uint64_t(bytes_of(d_.type())));
      (op == "st" ? u.writes : u.reads) = true;
    } else if (op == "atom" || op == "red") {
      atomic(use(*at, window_of(d_), std::uint64_t(bytes_of(d_.type()))));
    } else if (op == "mbarrier" || (op == "cp" && d_.has("mbarrier"))) {
      atomic(use(*at, Window::shared, 8));
    } else if (op == "cp" && d_.has("async") && !d_.has("bulk")) {
      copy();
    }
  }
  static void atomic(MemoryUse& u) { u.reads = u.writes = u.atomic = true; }

  void copy() {
    const auto size = std::uint64_t(d_.number(d_.operand(2)));
    MemoryUse& to = use(d_.operand(0), Window::shared, size);
    to.writes = to.asynchronous = true;
    MemoryUse& from = use(d_.operand(1), Window::global, size);
    from.reads = from.asynchronous = true;
    if (i_.operands.size() < 4) return;
    const Operand& o = d_.operand(3);
    if (o.kind == Operand::Kind::reg && d_.declared(o.reg) == Type::pred)
      from.ignored = d_.reg(o.reg), from.ignored_flip = o.negated ? ~0u : 0;
    else if (o.kind == Operand::Kind::integer)
      from.source_size = d_.constant(4, std::uint64_t(o.integer));
    else if (o.kind == Operand::Kind::reg && d_.width(o.reg) == 4)
      from.source_size = d_.reg(o.reg);
  }

  void matrix(const Operand* at) {
    site_.matrix = spelling_of(d_).instruction;
    if (at == nullptr) return;
    MemoryUse& u = use(*at, i_.opcode == "ldmatrix" ? Window::shared : window_of(d_), 16);
    u.writes = site_.matrix->family == isa::Family::wmma_store;
    u.reads = !u.writes;
    if (i_.opcode == "ldmatrix") {
      u.rows = 8 * site_.matrix->movement.matrices;
      return;
    }
    u.elements = site_.matrix;
    u.size = u.alignment = std::uint64_t(isa::bits(site_.matrix->a) + 7) / 8;
    if (i_.operands.size() < 3) return;
    const Operand& stride = i_.operands[2];
    u.stride = stride.kind == Operand::Kind::reg ? d_.reg(stride.reg)
                                                 : d_.constant(4, std::uint64_t(stride.integer));
  }

  FunctionDecoder& d_;
  const Instruction& i_;
  Site site_;
};

}  // namespace

const Site* describe(FunctionDecoder& d) {
  return d.own(Description(d).make());
}

void observe_before(Warp& warp, const Op& op, std::uint32_t lanes) {
  warp.uncount();
  const auto& site = *static_cast<const Site*>(op.data);
  if (site.guard != no_guard) lanes &= *warp.reg<std::uint32_t>(Ref::in_frame(site.guard)) ^ site.flip;
  warp.observed = lanes;
  for (BlockObserver* o : warp.cta().observers()) o->before(warp, site, lanes);
}

void observe_after(Warp& warp, const Op& op, std::uint32_t) {
  warp.uncount();
  const auto& site = *static_cast<const Site*>(op.data);
  for (BlockObserver* o : warp.cta().observers()) o->after(warp, site, warp.observed);
}

bool goes_on(const Instruction& i) {
  constexpr std::string_view others[] = {"bra", "brx", "call", "ret", "exit", "trap", "brkpt"};
  return std::find(std::begin(others), std::end(others), i.opcode) == std::end(others);
}

void addresses_of(Warp& warp, const Address& address, std::uint64_t (&at)[lanes_of_warp]) {
  read_base(warp, address, at);
}

std::uint64_t access_bytes(Warp& warp, const MemoryUse& use, int lane) {
  if (use.ignored && ((*warp.reg<std::uint32_t>(use.ignored) ^ use.ignored_flip) >> lane & 1) != 0) return 0;
  return use.source_size ? warp.reg<std::uint32_t>(use.source_size)[lane] : use.size;
}

int elements_of_lane(const MemoryUse& use) {
  return isa::elements_per_lane(*use.elements, use.elements->moved);
}

std::int64_t element_bit(Warp& warp, const MemoryUse& use, int lane, int index) {
  const isa::Instruction& i = *use.elements;
  const isa::Shape tile = isa::tile(i, i.moved);
  const bool row_major = i.a_major == isa::Major::row;
  const std::int64_t stride = use.stride ? *warp.reg<std::int32_t>(use.stride) : row_major ? tile.n : tile.m;
  const isa::Coordinate at = isa::coordinate(i, i.moved, lane, index);
  return ((row_major ? at.row : at.col) * stride + (row_major ? at.col : at.row)) * isa::bits(i.a);
}

}  // namespace twofour::emu::ptx
