#include <cstdio>
#include <cstring>

#include "twofour/emu/ptx/system_call.h"
#include "twofour/isa/error.h"

namespace twofour::emu::ptx {
namespace {

constexpr int max_width = 4096;  // of one conversion

class Formatter {
 public:
  Formatter(std::string_view format, std::span<const std::byte> buffer,
            const std::function<std::string(std::uint64_t)>& text)
      : format_(format), buffer_(buffer), text_(text) {}

  std::string run() {
    while (at_ < format_.size()) {
      if (format_[at_] != '%') {
        out_ += format_[at_++];
      } else if (at_ + 1 < format_.size() && format_[at_ + 1] == '%') {
        out_ += '%';
        at_ += 2;
      } else {
        convert();
      }
    }
    return std::move(out_);
  }

 private:
  template <class T>
  T argument() {
    used_ = (used_ + sizeof(T) - 1) / sizeof(T) * sizeof(T);
    if (used_ + sizeof(T) > buffer_.size()) fail("printf asks for more arguments than there are");
    T value;
    std::memcpy(&value, buffer_.data() + used_, sizeof value);
    used_ += sizeof value;
    return value;
  }

  /// Digits or `*`.
  std::string number() {
    std::string digits;
    if (at_ < format_.size() && format_[at_] == '*') {
      ++at_;
      digits = std::to_string(argument<std::int32_t>());
    }
    while (at_ < format_.size() && format_[at_] >= '0' && format_[at_] <= '9') digits += format_[at_++];
    if (digits.size() > 5 || std::abs(std::atoi(digits.c_str())) > max_width)
      fail("printf: a width of more than {}", max_width);
    return digits;
  }

  void convert() {
    const std::size_t begin = at_;
    std::string spec = "%";
    ++at_;
    while (at_ < format_.size() && std::strchr("-+ #0", format_[at_]) != nullptr) spec += format_[at_++];
    spec += number();
    if (at_ < format_.size() && format_[at_] == '.') {
      ++at_;
      spec += '.';
      spec += number();
    }
    int longs = 0;
    while (at_ < format_.size() && std::strchr("lhjzt", format_[at_]) != nullptr)
      longs += format_[at_++] == 'h' ? -1 : 1;
    const char kind = at_ < format_.size() ? format_[at_++] : '\0';
    put(spec, kind, longs, format_.substr(begin, at_ - begin));
  }

  void put(const std::string& spec, char kind, int longs, std::string_view written) {
    switch (kind) {
      case 'd':
      case 'i':
        return longs > 0 ? print(spec + "lld", (long long)argument<std::int64_t>()) : print_int(spec, longs);
      case 'u':
      case 'x':
      case 'X':
      case 'o':
        if (longs > 0) return print(spec + "ll" + kind, (unsigned long long)argument<std::uint64_t>());
        return print(spec + half(longs) + kind, argument<std::uint32_t>());
      case 'c': return print(spec + 'c', argument<std::int32_t>());
      case 'p': return print("%#llx", (unsigned long long)argument<std::uint64_t>());
      case 's': return print(spec + 's', text_(argument<std::uint64_t>()).c_str());
      case 'e':
      case 'E':
      case 'f':
      case 'F':
      case 'g':
      case 'G':
      case 'a':
      case 'A': return print(spec + kind, argument<double>());
      default: fail("printf: '{}' is no conversion", written);
    }
  }
  static std::string half(int longs) { return longs == -1 ? "h" : longs <= -2 ? "hh" : ""; }
  void print_int(const std::string& spec, int longs) {
    print(spec + half(longs) + 'd', argument<std::int32_t>());
  }

  template <class T>
  void print(const std::string& spec, T value) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
    const int size = std::snprintf(nullptr, 0, spec.c_str(), value);
    if (size < 0) fail("printf: '{}' cannot be printed", spec);
    std::string text(std::size_t(size) + 1, '\0');
    std::snprintf(text.data(), text.size(), spec.c_str(), value);
#pragma GCC diagnostic pop
    text.pop_back();
    out_ += text;
  }

  std::string_view format_;
  std::span<const std::byte> buffer_;
  const std::function<std::string(std::uint64_t)>& text_;
  std::string out_;
  std::size_t at_ = 0, used_ = 0;
};

}  // namespace

std::string format_printf(std::string_view format, std::span<const std::byte> buffer,
                          const std::function<std::string(std::uint64_t)>& text) {
  return Formatter(format, buffer, text).run();
}

}  // namespace twofour::emu::ptx
