#include "twofour/cli/run_parameters.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstring>

#include "twofour/isa/error.h"

namespace twofour::cli {
namespace {

using emu::ptx::Function;
using emu::ptx::Type;
using emu::ptx::Variable;
using Kind = RunArgument::Kind;

constexpr std::uint64_t max_parameter_bytes = 65536;

bool is_scalar(const Variable& v) {
  return v.bytes == emu::ptx::bits(v.type) / 8;
}

[[noreturn]] void refuse(const RunArgument& a, const Variable& v, const std::string& why) {
  fail("{}: the parameter is {}: {}", a.text(), parameter_text(v), why);
}

std::vector<std::size_t> positions_by_name(const Function& entry, std::span<const RunArgument> arguments) {
  std::vector<std::size_t> positions;
  for (const RunArgument& a : arguments) {
    const auto at = std::find_if(entry.parameters.begin(), entry.parameters.end(),
                                 [&](const Variable& v) { return v.name == a.name; });
    if (at != entry.parameters.end()) positions.push_back(std::size_t(at - entry.parameters.begin()));
  }
  return positions;
}

void check_kind(const RunArgument& a, const Variable& v) {
  if (a.is_array() && v.bytes != 8 && v.bytes != 4)
    refuse(a, v, fmt::format("an array is passed by its address, 8 bytes, not {}", v.bytes));
  if (a.is_array() && v.bytes == 4) refuse(a, v, "it takes a number, not an array");
  if (a.kind == Kind::number && !is_scalar(v)) refuse(a, v, "give its bytes as hex:BYTES");
  if (a.kind == Kind::bytes && std::int64_t(a.bytes.size()) != v.bytes)
    refuse(a, v, fmt::format("{} bytes are given, it has {}", a.bytes.size(), v.bytes));
}

template <class T>
bool parse_whole(std::string_view text, T& value, int base) {
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return !text.empty() && end.ec == std::errc{} && end.ptr == text.data() + text.size();
}

/// 12, -3, 0xff as low bits of 64; false for what is none of these, or does not fit in `bits` as a signed or
/// an unsigned integer.
bool parse_integer(std::string_view text, int bits, std::uint64_t& value) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  if (hex) text.remove_prefix(2);
  if (!parse_whole(text, value, hex ? 16 : 10)) return false;
  const std::uint64_t most = negative ? std::uint64_t{1} << (bits - 1) : ~std::uint64_t{0} >> (64 - bits);
  if (value > most) return false;
  if (negative) value = -value;
  return true;
}

template <class T>
bool parse_real(std::string_view text, T& value) {
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value);
  // What is beyond the range has a value, too, but charconv does not give it.
  return end.ec == std::errc{} && end.ptr == text.data() + text.size();
}

/// A number as a parameter of this type holds it.
std::uint64_t number_bits(const RunArgument& a, const Variable& v) {
  const int bits = emu::ptx::bits(v.type);
  const bool untyped = v.type == Type::b32 || v.type == Type::b64;
  const bool real_form = a.value.find_first_of(".eEin") != std::string::npos && !a.value.starts_with("0x");
  if (v.type == Type::f32 || v.type == Type::f64 || (untyped && real_form)) {
    float single = 0;
    double real = 0;
    if (bits == 32 && parse_real(a.value, single)) return std::bit_cast<std::uint32_t>(single);
    if (bits == 64 && parse_real(a.value, real)) return std::bit_cast<std::uint64_t>(real);
    refuse(a, v, "that is no number of its type");
  }
  if (bits > 64) refuse(a, v, "give its bytes as hex:BYTES");
  std::uint64_t value = 0;
  if (!parse_integer(a.value, bits, value))
    refuse(a, v, fmt::format("it takes an integer of {} bits, or its bytes as hex:BYTES", bits));
  return value;
}

}  // namespace

std::string parameter_text(const Variable& v) {
  const std::string array = is_scalar(v) ? "" : fmt::format("[{}]", v.bytes * 8 / emu::ptx::bits(v.type));
  return fmt::format(".{} {}{}", name(v.type), v.name, array);
}

std::vector<RunArgument> ordered_arguments(const Function& entry, std::vector<RunArgument> arguments) {
  const auto& parameters = entry.parameters;
  if (arguments.size() != parameters.size()) {
    std::string list;
    for (const Variable& v : parameters)
      if (list.size() < 1000) list += (list.empty() ? ": " : ", ") + parameter_text(v);
    fail("{} --arg are given, kernel {} takes {}{}", arguments.size(), entry.name, parameters.size(), list);
  }
  const auto positions = positions_by_name(entry, arguments);
  if (!positions.empty()) {
    if (positions.size() != arguments.size())
      fail("some --arg name parameters of kernel {} and some do not: name all of them, or none", entry.name);
    std::vector<RunArgument> ordered(arguments.size());
    for (std::size_t i = 0; i < positions.size(); ++i) {
      RunArgument& place = ordered[positions[i]];
      if (!place.name.empty()) fail("--arg {}: is given twice", place.name);
      place = std::move(arguments[i]);
    }
    arguments = std::move(ordered);
  }
  for (std::size_t i = 0; i < arguments.size(); ++i) check_kind(arguments[i], parameters[i]);
  return arguments;
}

std::vector<std::byte> parameter_bytes(const Function& entry, std::span<const RunArgument> arguments,
                                       std::span<const std::uint64_t> addresses) {
  std::vector<std::byte> out;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const Variable& v = entry.parameters[i];
    const RunArgument& a = arguments[i];
    const auto align = std::size_t(std::max(v.align, 1));
    const std::size_t at = (out.size() + align - 1) / align * align;
    if (std::uint64_t(v.bytes) > max_parameter_bytes || at + std::uint64_t(v.bytes) > max_parameter_bytes)
      fail("kernel {} has more than {} bytes of parameters", entry.name, max_parameter_bytes);
    out.resize(at + std::size_t(v.bytes));
    const std::uint64_t word = a.is_array() ? addresses[i] : a.kind == Kind::number ? number_bits(a, v) : 0;
    if (a.kind == Kind::bytes)
      std::memcpy(out.data() + at, a.bytes.data(), a.bytes.size());
    else
      std::memcpy(out.data() + at, &word, std::size_t(v.bytes));
  }
  return out;
}

}  // namespace twofour::cli
