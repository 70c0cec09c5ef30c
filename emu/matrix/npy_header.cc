#include "twofour/emu/matrix/npy_header.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <regex>

#include "twofour/isa/error.h"

namespace twofour::emu {
namespace {

constexpr std::size_t max_dimensions = 32;  // as numpy's

std::string header_text(const std::string& path, const std::string& file, std::size_t& data_at) {
  if (file.size() < 10 || file.compare(0, 6, "\x93NUMPY") != 0)
    fail("{}: not a .npy file (it does not start with \\x93NUMPY); write it with numpy.save", path);
  const int major = file[6];
  if (major < 1 || major > 3) fail("{}: .npy format version {} is not known (1 to 3 are)", path, major);
  const std::size_t length_bytes = major == 1 ? 2 : 4, start = 8 + length_bytes;
  if (file.size() < start) fail("{}: truncated in the .npy header", path);
  std::size_t length = 0;
  for (std::size_t i = 0; i < length_bytes; ++i)
    length |= std::size_t(static_cast<unsigned char>(file[8 + i])) << (8 * i);
  if (file.size() - start < length) fail("{}: truncated in the .npy header", path);
  constexpr std::size_t longest = 10000;  // what numpy.load takes too; std::regex recurses over the text
  if (length > longest) fail("{}: the .npy header has {} bytes, more than {}", path, length, longest);
  data_at = start + length;
  std::string text = file.substr(start, length);
  text.resize(text.find_last_not_of(" \n") + 1);
  return text;
}

std::int64_t parse_size(const std::string& path, const std::string& digits) {
  if (digits.size() > 12) fail("{}: shape: {} is too large", path, digits);
  return std::stoll(digits);
}

std::vector<std::int64_t> parse_shape(const std::string& path, const std::string& text) {
  std::smatch m;
  if (!std::regex_search(text, m, std::regex(R"('shape'\s*:\s*\(((?:\s*\d+\s*,)*\s*\d*\s*)\))")))
    fail("{}: shape: the header says {}", path, text);
  const std::string sizes = m[1];
  const std::regex digits(R"(\d+)");
  std::vector<std::int64_t> shape;
  for (std::sregex_iterator at(sizes.begin(), sizes.end(), digits), end; at != end; ++at)
    shape.push_back(parse_size(path, at->str()));
  if (shape.size() > max_dimensions)
    fail("{}: shape: {} dimensions, more than {}", path, shape.size(), max_dimensions);
  return shape;
}

/// Sizes are below 10^12, so doubles order what they promise safely.
void check_length(const std::string& path, const NpyHeader& h, std::size_t present) {
  double promised = h.bytes, rows = 1;
  for (const std::int64_t size : h.shape)
    promised *= double(size), rows *= double(std::max<std::int64_t>(size, 1));
  if (double(present) != promised)
    fail("{}: {} bytes of data, but {} elements of '{}' take {:.0f}: the file is {}", path, present,
         h.shape_text(), h.dtype, promised, double(present) < promised ? "truncated" : "too long");
  if (rows > 1e18) fail("{}: shape: {} elements are too many", path, h.shape_text());
}

}  // namespace

std::int64_t NpyHeader::rows() const {
  std::int64_t rows = 1;
  for (std::size_t i = 0; i + 1 < shape.size(); ++i) rows *= shape[i];
  return rows;
}

std::string NpyHeader::shape_text() const {
  return shape.empty() ? "1" : fmt::format("{}", fmt::join(shape, " x "));
}

NpyHeader parse_npy_header(const std::string& path, const std::string& file) {
  NpyHeader h;
  const std::string text = header_text(path, file, h.data_at);
  std::smatch m;
  if (!std::regex_search(text, m, std::regex(R"('descr'\s*:\s*'([<|>=])([a-z])(\d+)')")))
    fail("{}: descr: only plain numeric dtypes are read, the header says {}", path, text);
  h.kind = m[2].str()[0];
  h.bytes = m[3].str().size() > 2 ? 99 : std::stoi(m[3]);
  h.dtype = m[1].str() + m[2].str() + m[3].str();
  if (m[1] == ">" && h.bytes > 1)
    fail("{}: descr: '{}' is big-endian; convert with a.astype('<{}{}')", path, h.dtype, h.kind, h.bytes);
  if (!std::regex_search(text, m, std::regex(R"('fortran_order'\s*:\s*(True|False))")))
    fail("{}: the header lacks fortran_order", path);
  if (m[1] == "True")
    fail("{}: fortran_order: column-major arrays are not read; save numpy.ascontiguousarray(a)", path);
  h.shape = parse_shape(path, text);
  check_length(path, h, file.size() - h.data_at);
  return h;
}

std::string npy_header(const std::string& dtype, std::span<const std::int64_t> shape) {
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}", dtype,
                                   fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
  header.append(63 - (10 + header.size()) % 64, ' ');
  header += '\n';
  std::string file("\x93NUMPY\x01\x00", 8);
  file += char(header.size() & 0xff);
  file += char(header.size() >> 8);
  return file + header;
}

}  // namespace twofour::emu
