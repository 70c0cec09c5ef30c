#include "twofour/emu/timing/gemm_table.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "twofour/isa/error.h"
#include "twofour/isa/file.h"

namespace twofour::emu {
namespace {

/// Fields of one line; a quoted field may hold commas and doubled quotes.
std::vector<CsvTable::Field> split_line(const std::string& file, int line, const std::string& text) {
  std::vector<CsvTable::Field> fields;
  std::size_t at = 0;
  while (true) {
    CsvTable::Field field{"", static_cast<int>(at) + 1};
    if (at < text.size() && text[at] == '"') {
      for (++at;; ++at) {
        if (at >= text.size()) fail("{}:{}:{}: the quote is not closed", file, line, field.column);
        if (text[at] == '"' && (++at >= text.size() || text[at] != '"')) break;
        field.text += text[at];
      }
      if (at < text.size() && text[at] != ',')
        fail("{}:{}:{}: expected a comma after the closing quote", file, line, at + 1);
    } else {
      const auto comma = std::min(text.find(',', at), text.size());
      field.text = text.substr(at, comma - at);
      at = comma;
    }
    fields.push_back(std::move(field));
    if (at >= text.size()) return fields;
    ++at;
  }
}

}  // namespace

CsvTable CsvTable::read(const std::string& path) {
  return parse(path, isa::read_file(path));
}

CsvTable CsvTable::parse(const std::string& file, std::string_view text) {
  CsvTable table;
  table.file_ = file;
  int line = 0;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    std::string raw(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    ++line;
    if (!raw.empty() && raw.back() == '\r') raw.pop_back();
    if (raw.empty() && line > 1) continue;
    auto fields = split_line(file, line, raw);
    if (line == 1) {
      std::set<std::string> names;
      for (const auto& field : fields)
        if (!names.insert(field.text).second)
          fail("{}:1:{}: column '{}' appears twice", file, field.column, field.text);
      table.header_ = {line, raw, std::move(fields)};
      continue;
    }
    if (fields.size() != table.header_.fields.size())
      fail("{}:{}:{}: the row has {} fields, the header {}", file, line, fields.back().column, fields.size(),
           table.header_.fields.size());
    table.rows_.push_back({line, std::move(raw), std::move(fields)});
  }
  if (line == 0) fail("{}:1:1: the table is empty; the first line must name its columns", file);
  return table;
}

std::size_t CsvTable::find(std::string_view column) const {
  const auto& fields = header_.fields;
  const auto found =
      std::find_if(fields.begin(), fields.end(), [&](const Field& f) { return f.text == column; });
  return static_cast<std::size_t>(found - fields.begin());
}

bool CsvTable::has(std::string_view column) const {
  return find(column) < header_.fields.size();
}

const CsvTable::Field& CsvTable::field(const Row& row, std::string_view column) const {
  const auto index = find(column);
  if (index == header_.fields.size()) fail("{}:1:1: column '{}' is missing from the header", file_, column);
  return row.fields[index];
}

std::int64_t CsvTable::integer(const Row& row, std::string_view column) const {
  const auto& f = field(row, column);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(f.text.data(), f.text.data() + f.text.size(), value);
  if (error != std::errc() || end != f.text.data() + f.text.size() || f.text.empty())
    refuse(row, f, fmt::format("{} is '{}', not an integer", column, f.text));
  return value;
}

double CsvTable::number(const Row& row, std::string_view column) const {
  const auto& f = field(row, column);
  double value = 0;
  const auto [end, error] = std::from_chars(f.text.data(), f.text.data() + f.text.size(), value);
  if (error != std::errc() || end != f.text.data() + f.text.size() || f.text.empty() || !std::isfinite(value))
    refuse(row, f, fmt::format("{} is '{}', not a number", column, f.text));
  return value;
}

void CsvTable::refuse(const Row& row, const Field& field, std::string_view complaint) const {
  fail("{}:{}:{}: {}", file_, row.line, field.column, complaint);
}

GemmProblem gemm_problem(const CsvTable& table, const CsvTable::Row& row, Launch launch) {
  GemmProblem problem;
  for (const auto& [column, size] : {std::pair("M", &problem.m), {"N", &problem.n}, {"K", &problem.k}}) {
    *size = table.integer(row, column);
    if (*size < 1) table.refuse(row, table.field(row, column), fmt::format("{} must be at least 1", column));
  }
  const auto& dtype = table.field(row, "dtype");
  const auto type = isa::find_element(dtype.text);
  if (!type)
    table.refuse(row, dtype,
                 fmt::format("unknown dtype '{}'; such as f16, bf16, tf32, s8, s4, b1", dtype.text));
  problem.type = *type;
  problem.output_bits = default_output_bits(*type);
  problem.launch = launch;
  if (table.has("sparse")) {
    const auto& field = table.field(row, "sparse");
    problem.sparse = field.text == "1" || field.text == "true";
    if (!problem.sparse && field.text != "0" && field.text != "false")
      table.refuse(row, field, fmt::format("sparse is '{}', not 0, 1, false or true", field.text));
  }
  return problem;
}

std::string predict_gemms(const CsvTable& table, const isa::Machine& machine, Launch launch) {
  constexpr std::string_view column = "predicted_us";
  if (table.has(column))
    fail("{}:1:1: the table has a column '{}' already; remove it first", table.file(), column);
  std::string out = fmt::format("{},{}\n", table.header().raw, column);
  for (const auto& row : table.rows()) {
    const auto problem = gemm_problem(table, row, launch);
    try {
      out += fmt::format("{},{:.4f}\n", row.raw, gemm_latency(problem, machine).microseconds);
    } catch (const Error& error) {
      table.refuse(row, table.field(row, "dtype"), error.what());
    }
  }
  return out;
}

}  // namespace twofour::emu
