#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "twofour/emu/timing/gemm_latency.h"

namespace twofour::emu {

/// A comma-separated table with a header line; fields may be quoted, lines end in LF or CRLF.
class CsvTable {
 public:
  struct Field {
    std::string text;
    int column;  ///< of its first character, from 1
  };
  struct Row {
    int line;         ///< from 1; the header is line 1
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

/// The problem of a row: columns M, N, K and dtype, and sparse (0, 1, false, true) where the table has it. M
/// and K are the rows and columns of A, the operand that is 2:4 when sparse. D is 32 bits wide for tf32 and
/// 16 for the rest.
GemmProblem gemm_problem(const CsvTable& table, const CsvTable::Row& row, Launch launch);

/// The same table with a column predicted_us appended: header and rows as they were, one latency each.
std::string predict_gemms(const CsvTable& table, const isa::Machine& machine, Launch launch);

}  // namespace twofour::emu
