#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace twofour::isa {

/// A comma-separated table with a header line, the first that is not empty; fields may be quoted, lines end
/// in LF or CRLF, empty ones are skipped.
class CsvTable {
 public:
  struct Field {
    std::string text;
    int column;  ///< of its first character, from 1
  };
  struct Row {
    int line;         ///< from 1
    std::string raw;  ///< as it was written
    std::vector<Field> fields;
  };

  /// Reads a file, or parses a text that came from it. Throws Error with file:line:column for rows with more
  /// or fewer fields than the header, doubled column names and quotes left open.
  static CsvTable read(const std::string& path);
  static CsvTable parse(const std::string& file, std::string_view text);

  const std::string& file() const { return file_; }
  const Row& header() const { return header_; }
  const std::vector<Row>& rows() const { return rows_; }
  bool has(std::string_view column) const;
  /// Throws Error if the table lacks the column.
  const Field& field(const Row& row, std::string_view column) const;
  std::int64_t integer(const Row& row, std::string_view column) const;
  double number(const Row& row, std::string_view column) const;
  /// Throws Error with the file:line:column of a field.
  [[noreturn]] void refuse(const Row& row, const Field& field, std::string_view complaint) const;

 private:
  std::size_t find(std::string_view column) const;

  std::string file_;
  Row header_;
  std::vector<Row> rows_;
};

}  // namespace twofour::isa
