#include "twofour/cli/run_argument.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "twofour/isa/error.h"

namespace twofour::cli {
namespace {

constexpr std::array<ArrayType, 22> array_types{
    {{"b1", "|u1", 1},   {"u4", "|u1", 4},   {"s4", "|i1", 4},    {"u8", "|u1", 8},    {"s8", "|i1", 8},
     {"u16", "<u2", 16}, {"s16", "<i2", 16}, {"u32", "<u4", 32},  {"s32", "<i4", 32},  {"u64", "<u8", 64},
     {"s64", "<i8", 64}, {"f16", "<f2", 16}, {"bf16", "<u2", 16}, {"tf32", "<f4", 32}, {"f32", "<f4", 32},
     {"f64", "<f8", 64}, {"e4m3", "|u1", 8}, {"e5m2", "|u1", 8},  {"b8", "|u1", 8},    {"b16", "<u2", 16},
     {"b32", "<u4", 32}, {"b64", "<u8", 64}}};

constexpr std::string_view
    npy = ".npy",
    forms =
        "a value is a number, hex:BYTES, FILE.npy, inout:FILE.npy or out:TYPE[SHAPE] (`twofour run --help`)";

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(at);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::vector<std::int64_t> parse_shape(const RunArgument& a, std::string_view text) {
  constexpr double most = 1e15;  // elements
  std::vector<std::int64_t> shape;
  double elements = 1;
  for (const std::string_view size : split(text, ',')) {
    std::int64_t n = 0;
    const auto end = std::from_chars(size.data(), size.data() + size.size(), n);
    if (end.ec != std::errc{} || end.ptr != size.data() + size.size() || n < 0)
      fail("{}: '{}' is not a size; a shape is like [16,8]", a.text(), size);
    shape.push_back(n);
    elements *= double(std::max<std::int64_t>(n, 1));
  }
  if (shape.size() > 32 || elements > most) fail("{}: the shape is too large", a.text());
  return shape;
}

void parse_out(RunArgument& a, std::string_view rest) {
  a.kind = RunArgument::Kind::out;
  const std::size_t open = rest.find('['), close = rest.find(']');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open)
    fail("{}: an output is out:TYPE[SHAPE], for example out:f32[16,8]", a.text());
  a.type = &parse_array_type(rest.substr(0, open));
  a.shape = parse_shape(a, rest.substr(open + 1, close - open - 1));
  const std::string_view file = rest.substr(close + 1);
  if (file.empty()) return;
  if (!file.starts_with(':') || !file.ends_with(npy))
    fail("{}: after out:TYPE[SHAPE] comes :FILE.npy or nothing", a.text());
  a.output = file.substr(1);
}

void parse_in(RunArgument& a, std::string_view rest) {
  const std::size_t end = rest.find(npy) + npy.size();
  a.input = rest.substr(0, end);
  rest.remove_prefix(end);
  if (rest.starts_with(':') && !rest.ends_with(npy)) {
    a.element = isa::parse_element(rest.substr(1));
  } else if (!rest.empty()) {
    const std::size_t type_end = rest.find(':', 1);
    if (!rest.starts_with(':') || a.kind != RunArgument::Kind::inout)
      fail("{}: after FILE.npy comes :TYPE or nothing", a.text());
    if (type_end != std::string_view::npos) a.element = isa::parse_element(rest.substr(1, type_end - 1));
    a.output = rest.substr(type_end == std::string_view::npos ? 1 : type_end + 1);
  }
}

void parse_bytes(RunArgument& a, std::string_view digits) {
  a.kind = RunArgument::Kind::bytes;
  if (digits.size() % 2 != 0) fail("{}: hex: takes two digits a byte", a.text());
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    unsigned byte = 0;
    const auto end = std::from_chars(digits.data() + i, digits.data() + i + 2, byte, 16);
    if (end.ptr != digits.data() + i + 2) fail("{}: '{}' is not a byte", a.text(), digits.substr(i, 2));
    a.bytes += char(byte);
  }
}

}  // namespace

const ArrayType& parse_array_type(std::string_view name) {
  const auto at = std::find_if(array_types.begin(), array_types.end(),
                               [&](const ArrayType& t) { return t.name == name; });
  if (at != array_types.end()) return *at;
  std::string known;
  for (const ArrayType& t : array_types) known += (known.empty() ? "" : ", ") + std::string(t.name);
  fail("unknown element type '{}'; known: {}", name, known);
}

RunArgument parse_run_argument(std::string_view text) {
  RunArgument a;
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0 || equals + 1 == text.size())
    fail("--arg {}: give NAME=VALUE; {}", text, forms);
  a.name = text.substr(0, equals);
  a.value = text.substr(equals + 1);
  const std::string_view value = a.value;
  const bool inout = value.starts_with("inout:");
  if (value.starts_with("out:")) {
    parse_out(a, value.substr(4));
  } else if (value.starts_with("hex:")) {
    parse_bytes(a, value.substr(4));
  } else if (value.find(npy) != std::string_view::npos) {
    a.kind = inout ? RunArgument::Kind::inout : RunArgument::Kind::in;
    parse_in(a, inout ? value.substr(6) : value);
  } else if (value.find_first_of("0123456789") == std::string_view::npos && value != "inf" &&
             value != "-inf" && value != "nan") {
    fail("{}: {}", a.text(), forms);
  }
  const bool writes = a.kind == RunArgument::Kind::inout || a.kind == RunArgument::Kind::out;
  if (writes && a.output.empty()) a.output = a.name + std::string(npy);
  return a;
}

}  // namespace twofour::cli
