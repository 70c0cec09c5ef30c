#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace twofour::isa {

/// Element types of matrix operands, named as PTX names them. b16 is sixteen untyped bits, as ldmatrix moves
/// them.
enum class ElementType : std::uint8_t { b1, u4, s4, u8, s8, f16, bf16, tf32, f32, f64, s32, e4m3, e5m2, b16 };

/// What the element type is: its width in a register, and how to read its bits.
struct ElementInfo {
  std::string_view name;
  int bits;  ///< width in a register; a tf32 element is a 32-bit word of f32 form, of which the top 19 bits
             ///< count
  bool is_signed;
  bool is_float;
};

inline constexpr std::array<ElementInfo, 14> element_table{{{"b1", 1, false, false},
                                                            {"u4", 4, false, false},
                                                            {"s4", 4, true, false},
                                                            {"u8", 8, false, false},
                                                            {"s8", 8, true, false},
                                                            {"f16", 16, true, true},
                                                            {"bf16", 16, true, true},
                                                            {"tf32", 32, true, true},
                                                            {"f32", 32, true, true},
                                                            {"f64", 64, true, true},
                                                            {"s32", 32, true, false},
                                                            {"e4m3", 8, true, true},
                                                            {"e5m2", 8, true, true},
                                                            {"b16", 16, false, false}}};

constexpr const ElementInfo& info(ElementType type) {
  return element_table[static_cast<std::size_t>(type)];
}
constexpr int bits(ElementType type) {
  return info(type).bits;
}
constexpr bool is_float(ElementType type) {
  return info(type).is_float;
}
constexpr bool is_signed(ElementType type) {
  return info(type).is_signed;
}
constexpr std::string_view name(ElementType type) {
  return info(type).name;
}

/// The element type of that PTX name ("s8", "tf32"), if there is one.
std::optional<ElementType> find_element(std::string_view name);

/// As find_element; throws Error that lists the known names.
ElementType parse_element(std::string_view name);

}  // namespace twofour::isa
