#pragma once
// What names mean in nested scopes: scope 0 is the module, scope 1 a function with its parameters, the others
// are its blocks. An inner declaration hides an outer one of the same name. Every look-up is one of a hash
// table, however many scopes and registers there are.
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "twofour/emu/ptx/module.h"

namespace twofour::emu::ptx::syntax {

/// A declared name.
struct Binding {
  enum class Kind : std::uint8_t { reg, variable, function, special, label };
  Kind kind = Kind::reg;
  Type type = Type::b32;           ///< reg
  int width = 1;                   ///< reg: 2 or 4 of a vector register
  int value = -1;                  ///< reg: its number, -1 before the first mention; special: Special
  std::int64_t detail = 0;         ///< special: Operand::integer
  std::string_view spelling = {};  ///< as the tree names it
  int depth = 0;                   ///< scope
  int name = -1;                   ///< of intern()
  int hidden = -1;                 ///< the binding that this one hides
};

class Names {
 public:
  Names();

  /// A number for a name; the text must stay.
  int intern(std::string_view text);

  void enter();
  void leave();
  int depth() const { return int(scopes_.size()) - 1; }

  /// Null if the scope has the name already. The pointer holds until the next call. Sets what the last four
  /// members of Binding say.
  Binding* declare(std::string_view text, Binding binding);
  /// prefix<count>: prefix0, prefix1, ... False if the scope has this prefix already. A single name that the
  /// scope declared before and that is among these stays what it is.
  bool declare_range(std::string_view prefix, int count, Type type, int width);
  /// Null if it is not declared. The pointer holds until the next call.
  Binding* find(std::string_view text);

  /// The name itself; name#2, name#3, ... for what the function or the module has already.
  std::string_view unique(std::string_view text);
  /// The same text, kept as long as this.
  std::string_view keep(std::string text) { return kept_.emplace_back(std::move(text)); }

 private:
  struct Name {
    std::string_view text;
    std::size_t hash = 0;
    int binding = -1;  ///< innermost
    int range = -1;    ///< innermost range with this prefix
    bool of_module = false;
    int function = -1, copies = 0;  ///< what unique() has given away, and where
  };
  /// prefix<count>
  struct Range {
    int count, depth, hidden, prefix;
    Type type;
    int width;
  };
  struct Scope {
    std::vector<int> bindings, ranges;
    int deepest_range;  ///< of the scopes outside
  };

  int look_up(std::string_view text, std::size_t hash) const;
  void grow();
  Binding& bind(int name, Binding binding);
  const Range* find_range(std::string_view text, int deeper_than) const;

  std::vector<Name> names_;
  std::vector<std::int32_t> slots_;  ///< open addressing; -1: free
  std::vector<Binding> bindings_;
  std::vector<Range> ranges_;
  std::vector<Scope> scopes_;
  int deepest_range_ = -1;  ///< scope that has ranges
  std::deque<std::string> kept_;
  int function_ = 0;
  std::size_t of_module_ = 0;  ///< bindings
};

}  // namespace twofour::emu::ptx::syntax
