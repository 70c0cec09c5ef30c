#include "twofour/emu/vectors/case_file.h"

#include <algorithm>
#include <charconv>

#include "twofour/isa/evidence.h"

namespace twofour::emu {
namespace {

using isa::Operand;

constexpr std::array<std::string_view, 4> rounding_names{"rz", "rn", "rm", "rp"};  // as isa::Rounding counts

std::optional<int> decimal(std::string_view text) {
  int value = 0;
  const auto end = text.data() + text.size();
  const auto result = std::from_chars(text.data(), end, value);
  if (text.empty() || result.ec != std::errc() || result.ptr != end) return std::nullopt;
  return value;
}

void append_registers(std::string& out, const Fragment& f, int registers, int lane) {
  for (int r = 0; r < registers; ++r)
    out += fmt::format(" {:08x}", f.word[std::size_t(r)][std::size_t(lane)]);
}

void append_lane(std::string& out, const Case& c, int lane) {
  const isa::Instruction& i = c.instruction;
  out += fmt::format("{:02} |", lane);
  append_registers(out, c.operands.a, isa::registers(i, Operand::a), lane);
  out += " |";
  append_registers(out, c.operands.b, isa::registers(i, Operand::b), lane);
  out += " |";
  append_registers(out, c.operands.c, isa::registers(i, Operand::c), lane);
  if (i.is_sparse()) out += fmt::format(" | {:08x}", c.operands.metadata[std::size_t(lane)]);
  if (c.d) {
    out += " |";
    append_registers(out, *c.d, isa::registers(i, Operand::d), lane);
  }
  out += '\n';
}

}  // namespace

bool has_cases(const isa::Instruction& instruction) {
  return instruction.multiplies();
}

bool has_cases(const isa::Instruction& instruction, isa::Architecture architecture) {
  if (!has_cases(instruction) || isa::requirement(instruction).sm > isa::compute_capability(architecture))
    return false;
  try {
    isa::evidence(instruction, architecture);
    return true;
  } catch (const Error&) {  // its arithmetic is not known there
    return false;
  }
}

std::string case_text(const Case& c) {
  std::string out;
  for (std::size_t start = 0; start < c.note.size();) {
    const std::size_t end = std::min(c.note.find('\n', start), c.note.size());
    out += "# " + c.note.substr(start, end - start) + '\n';
    start = end + 1;
  }
  out += "case " + isa::ptx_name(c.instruction);
  if (c.instruction.is_sparse()) out += fmt::format(" selector={}", c.operands.selector);
  if (c.options.satfinite) out += " satfinite";
  if (c.options.rounding != isa::Rounding::nearest_even)
    out += fmt::format(" {}", rounding_names[std::size_t(c.options.rounding)]);
  out += '\n';
  for (int lane = 0; lane < warp_lanes; ++lane) append_lane(out, c, lane);
  return out;
}

std::string answered_text(int compute_capability, std::string_view machine) {
  return fmt::format("answered sm_{} {}\n", compute_capability, machine);
}

CaseReader::CaseReader(Lines& lines) : lines_(lines) {
  std::string_view line;
  while (lines_.next(&line))
    if (!line.empty() && line[0] != '#') {
      if (line == case_file_header) return;
      if (line.starts_with("twofour-cases"))
        lines_.refuse("header",
                      fmt::format("'{}' is a version that this twofour does not read; it reads '{}'", line,
                                  case_file_header));
      lines_.refuse("header", fmt::format("a case file starts with '{}'", case_file_header));
    }
  fail("{}: holds no cases", lines_.name());
}

std::optional<Case> CaseReader::next() {
  std::string_view line;
  std::string note;
  while (lines_.next(&line)) {
    const auto word = line.substr(0, line.find(' '));
    const auto rest = trim(line.substr(word.size()));
    if (line.empty() || line == case_file_header) {
      note.clear();
    } else if (line[0] == '#') {
      note += fmt::format("{}\n", line.substr(line.starts_with("# ") ? 2 : 1));
    } else if (word == "answered") {
      read_answered(rest);
    } else if (word == "case") {
      Case c = read_case(rest);
      c.note = std::move(note);
      return c;
    } else {
      lines_.refuse("line", fmt::format("'case', 'answered' or a # comment is needed, not '{}'", word));
    }
  }
  return std::nullopt;
}

void CaseReader::read_answered(std::string_view rest) {
  const auto sm = rest.substr(0, rest.find(' '));
  const auto capability = sm.starts_with("sm_") ? decimal(sm.substr(3)) : std::nullopt;
  if (!capability || *capability < 1)
    lines_.refuse("answered", fmt::format("'{}' is no compute capability such as sm_80", sm));
  compute_capability_ = *capability;
}

void CaseReader::read_qualifier(std::string_view text, Case& c, bool& has_selector) {
  const isa::Instruction& i = c.instruction;
  const auto rounding = std::find(rounding_names.begin(), rounding_names.end(), text);
  if (text.starts_with("selector=") && i.is_sparse()) {
    const auto selector = decimal(text.substr(9));
    if (!selector || *selector < 0 || *selector >= i.selectors())
      lines_.refuse("selector", fmt::format("'{}' is none of {}, which takes 0 to {}", text.substr(9),
                                            isa::short_name(i), i.selectors() - 1));
    c.operands.selector = *selector;
    has_selector = true;
  } else if (text == "satfinite" && i.has_satfinite()) {
    c.options.satfinite = true;
  } else if (rounding != rounding_names.end() && i.has_rounding()) {
    c.options.rounding = isa::Rounding(rounding - rounding_names.begin());
  } else {
    lines_.refuse("qualifier", fmt::format("{} does not take '{}'", isa::short_name(i), text));
  }
}

Case CaseReader::read_case(std::string_view rest) {
  const auto words = split(rest, ' ');
  if (words.empty()) lines_.refuse("instruction", "the case names none");
  Case c{};
  c.line = lines_.number();
  try {
    c.instruction = isa::find_instruction(words[0]);
  } catch (const Error& e) {
    lines_.refuse("instruction", e.what());
  }
  if (!has_cases(c.instruction))
    lines_.refuse("instruction",
                  fmt::format("{} moves data: it has no cases", words[0]));
  bool has_selector = !c.instruction.is_sparse();
  for (std::size_t w = 1; w < words.size(); ++w) read_qualifier(words[w], c, has_selector);
  if (!has_selector) lines_.refuse("selector", "a sparse instruction needs selector=0, say");
  for (int lane = 0; lane < warp_lanes; ++lane) read_lane(c, lane);
  return c;
}

void CaseReader::read_lane(Case& c, int lane) {
  const isa::Instruction& i = c.instruction;
  std::string_view line;
  const bool any = lines_.next(&line);
  const auto fields = split(any ? line : std::string_view(), '|');
  if (!any || decimal(fields[0]) != lane)
    lines_.refuse("lane", fmt::format("the case of line {} has no line for lane {} of 32 here{}", c.line,
                                      lane, any ? "" : ": the file ends"));
  c.lane_line[std::size_t(lane)] = lines_.number();
  const std::size_t inputs = i.is_sparse() ? 5 : 4;
  if (fields.size() != inputs && fields.size() != inputs + 1)
    lines_.refuse("lane",
                  fmt::format("{} fields between bars; {} takes {} and perhaps D: lane | a | b | c{}",
                              fields.size(), isa::short_name(i), inputs, i.is_sparse() ? " | metadata" : ""));
  const bool has_d = fields.size() == inputs + 1;
  if (lane == 0 && has_d) c.d.emplace();
  if (has_d != c.d.has_value())
    lines_.refuse("d", has_d ? "is here, but lane 0 has none" : "is missing, but lane 0 has it");
  const auto read = [&](Fragment& f, Operand o, std::string_view text) {
    const auto words = split(text, ' ');
    const auto count = std::size_t(isa::registers(i, o));
    if (words.size() != count)
      lines_.refuse(isa::name(o), fmt::format("{} words; {} has {} registers of it a lane", words.size(),
                                              isa::short_name(i), count));
    for (std::size_t r = 0; r < count; ++r)
      f.word[r][std::size_t(lane)] =
          std::uint32_t(hex_word(lines_, isa::name(o), words[r], 32, "a register"));
  };
  read(c.operands.a, Operand::a, fields[1]);
  read(c.operands.b, Operand::b, fields[2]);
  read(c.operands.c, Operand::c, fields[3]);
  if (i.is_sparse())
    c.operands.metadata[std::size_t(lane)] =
        std::uint32_t(hex_word(lines_, "metadata", fields[4], 32, "a register"));
  if (has_d) read(*c.d, Operand::d, fields[inputs]);
}

}  // namespace twofour::emu
