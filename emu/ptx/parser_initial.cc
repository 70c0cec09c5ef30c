#include <bit>

#include "twofour/emu/ptx/constant.h"
#include "twofour/emu/ptx/parser.h"

namespace twofour::emu::ptx::syntax {
namespace {

class Initial {
 public:
  Initial(Context& context, const std::vector<std::int64_t>& dimensions, Variable& variable)
      : c_(context), dimensions_(dimensions), variable_(variable), sizes_(dimensions.size() + 1) {
    sizes_.back() = bits(variable.type) / 8;
    for (std::size_t n = dimensions.size(); n-- > 0;)
      sizes_[n] = dimensions[n] < 0 ? most_variable_bytes : sizes_[n + 1] * dimensions[n];
  }

  void parse() {
    if (dimensions_.empty()) return value();
    open();
    while (!begins_.empty()) {
      if (c_.lexer.skip('}'))
        close();
      else
        child();
    }
  }

 private:
  std::size_t depth() const { return begins_.size(); }

  void open() {
    c_.lexer.expect('{', "before the values of an array");
    begins_.push_back(at_);
    comma_ = false;
  }

  void close() {
    const std::int64_t begin = begins_.back();
    begins_.pop_back();
    comma_ = true;
    if (depth() > 0 || dimensions_[0] >= 0)
      at_ = begin + sizes_[depth()];
    else
      variable_.bytes = at_;
  }

  /// A value, or the array inside, of the array whose brace is open.
  void child() {
    if (comma_) c_.lexer.expect(',', "or '}' after an initial value");
    if (at_ + sizes_[depth()] > begins_.back() + sizes_[depth() - 1])
      c_.lexer.fail_here("more initial values than the array has elements");
    if (depth() < dimensions_.size()) return open();
    value();
    at_ += sizes_.back();
    comma_ = true;
  }

  void value() {
    const Token first = c_.lexer.peek();
    if (first.kind == Token::Kind::name) return whole_address(first);
    const Constant number = parse_constant(c_.lexer);
    if (c_.lexer.skip('(')) return masked(first, number);
    store(first, number);
  }

  int element_bytes() const { return int(sizes_.back()); }

  /// 0xFF00(symbol): one byte of an address.
  void masked(const Token& first, const Constant& mask) {
    const int shift = mask.bits ? std::countr_zero(mask.bits) : 0;
    if (mask.real || shift % 8 != 0 || mask.bits >> shift != 0xFF || element_bytes() != 1)
      c_.lexer.fail_at(first, "a masked address is 0xFF, 0xFF00, ... of an array of bytes");
    address(1, shift);
    c_.lexer.expect(')', "after a masked address");
  }

  void whole_address(const Token& first) {
    if (element_bytes() != 4 && element_bytes() != 8)
      c_.lexer.fail_at(first, "an address needs an element of 4 or 8 bytes");
    address(element_bytes(), 0);
  }

  /// symbol + addend, generic(symbol + addend) + addend.
  void address(int bytes, int shift) {
    c_.count_item();
    Relocation r{.offset = at_, .bytes = bytes, .shift = shift};
    Token name = c_.lexer.expect(Token::Kind::name, "a variable or function");
    if (name.text == "generic" && c_.lexer.skip('(')) {
      r.generic = true;
      name = c_.lexer.expect(Token::Kind::name, "a variable or function");
      r.addend = parse_offset(c_.lexer);
      c_.lexer.expect(')', "after generic(");
    }
    r.symbol = symbol(name);
    r.addend = std::int64_t(std::uint64_t(r.addend) + std::uint64_t(parse_offset(c_.lexer)));
    room_for(name);
    variable_.relocations.push_back(std::move(r));
  }

  std::string_view symbol(const Token& name) {
    const Binding* b = c_.names.find(name.text);
    if (!b) c_.lexer.fail_at(name, "the variable or function is not declared");
    if (b->kind != Binding::Kind::variable && b->kind != Binding::Kind::function)
      c_.lexer.fail_at(name, "an initial value is a number or an address of a variable or function");
    return b->spelling;
  }

  /// The bytes of the element that is next.
  std::uint8_t* room_for(const Token& token) {
    auto& initial = variable_.initial;
    const auto need = std::size_t(at_) + sizes_.back();
    if (need > initial.size()) {
      c_.initial_bytes += std::int64_t(need - initial.size());
      if (c_.initial_bytes > most_initial_bytes)
        c_.lexer.fail_at(token, "the initial values of all variables have more than 2^28 bytes");
      initial.resize(need);
    }
    return initial.data() + at_;
  }

  /// Little endian, in the low element_bytes().
  std::uint64_t bits_of(const Token& token, const Constant& v) const {
    if (!v.real && variable_.type == Type::f32) return std::bit_cast<std::uint32_t>(float(value_of(v)));
    if (variable_.type == Type::f64) return std::bit_cast<std::uint64_t>(value_of(v));
    if (!v.real) return v.bits;
    if (element_bytes() == 4) return v.single ? v.bits : std::bit_cast<std::uint32_t>(float(value_of(v)));
    if (element_bytes() == 8 && !v.single) return v.bits;
    c_.lexer.fail_at(token, "the number does not fit the type of the variable; write its bits");
  }

  static double value_of(const Constant& v) {
    if (!v.real) return v.is_unsigned ? double(v.bits) : double(v.integer());
    return v.single ? double(std::bit_cast<float>(std::uint32_t(v.bits))) : std::bit_cast<double>(v.bits);
  }

  void store(const Token& token, const Constant& v) {
    const std::uint64_t word = bits_of(token, v);
    const bool negative = !v.real && !v.is_unsigned && v.integer() < 0;
    std::uint8_t* to = room_for(token);
    for (int n = 0; n < element_bytes(); ++n)
      to[n] = n < 8 ? std::uint8_t(word >> 8 * n) : negative ? 0xFF : 0;
  }

  Context& c_;
  const std::vector<std::int64_t>& dimensions_;
  Variable& variable_;
  std::vector<std::int64_t> sizes_;   ///< bytes of an array of dimensions n and up; last: of an element
  std::vector<std::int64_t> begins_;  ///< offsets of the arrays whose braces are open
  std::int64_t at_ = 0;               ///< offset of what comes next
  bool comma_ = false;                ///< something stands before it in its braces
};

}  // namespace

void parse_initial(Context& context, const std::vector<std::int64_t>& dimensions, Variable& variable) {
  Initial(context, dimensions, variable).parse();
}

}  // namespace twofour::emu::ptx::syntax
