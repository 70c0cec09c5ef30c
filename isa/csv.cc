#include "twofour/isa/csv.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include "twofour/isa/error.h"
#include "twofour/isa/file.h"

namespace twofour::isa {
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
      if (const auto quote = field.text.find('"'); quote != std::string::npos)
        fail("{}:{}:{}: a quote in the middle of a field; quote the whole field", file, line, at + quote + 1);
      at = comma;
    }
    fields.push_back(std::move(field));
    if (at >= text.size()) return fields;
    ++at;
  }
}

}  // namespace

CsvTable CsvTable::read(const std::string& path) {
  return parse(path, read_file(path));
}

CsvTable CsvTable::parse(const std::string& file, std::string_view text) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  CsvTable table;
  table.file_ = file;
  for (int line = 1; !text.empty(); ++line) {
    const auto end = std::min(text.find('\n'), text.size());
    std::string raw(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!raw.empty() && raw.back() == '\r') raw.pop_back();
    if (raw.empty()) continue;
    auto fields = split_line(file, line, raw);
    if (table.header_.fields.empty()) {
      std::set<std::string> names;
      for (const auto& field : fields)
        if (!names.insert(field.text).second)
          fail("{}:{}:{}: column '{}' appears twice", file, line, field.column, field.text);
      table.header_ = {line, raw, std::move(fields)};
      continue;
    }
    if (fields.size() != table.header_.fields.size())
      fail("{}:{}:{}: the row has {} fields, the header {}", file, line, fields.back().column, fields.size(),
           table.header_.fields.size());
    table.rows_.push_back({line, std::move(raw), std::move(fields)});
  }
  if (table.header_.fields.empty())
    fail("{}:1:1: the table is empty; the first line must name its columns", file);
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
  if (index == header_.fields.size())
    fail("{}:{}:1: column '{}' is missing from the header", file_, header_.line, column);
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

}  // namespace twofour::isa
