#pragma once
// Labels of the function that is being read: a label may stand anywhere in its scope, so its uses are settled
// when the scope ends.
#include <vector>

#include "twofour/emu/ptx/lexer.h"
#include "twofour/emu/ptx/names.h"

namespace twofour::emu::ptx::syntax {

/// What a label stands before.
enum class LabelKind : std::uint8_t { code, branch_targets, prototype };

class Labels {
 public:
  Labels(const Lexer& lexer, Names& names) : lexer_(lexer), names_(names) {}

  void enter() { scopes_.push_back({defined_.size(), uses_.size()}); }
  /// value: position in the code, or index of the table.
  void define(const Token& name, LabelKind kind, int value);

  /// The operand of a bra or brx.idx, the entry of a table, the prototype of a call.
  struct Use {
    enum class Place : std::uint8_t { operand, table, call };
    Place place = Place::operand;
    LabelKind wanted = LabelKind::code;
    int first = 0, second = 0;  ///< instruction and operand; table and entry
    Token token = {};
  };
  void use(const Use& use);

  /// Settles the uses of this scope and those inside whose label is of this scope. After the outermost scope
  /// fails for what is left.
  void leave(Function& function);

 private:
  struct Defined {
    int name;
    LabelKind kind;
    int value;
  };
  struct Pending {
    Use use;
    int name, next;
    bool settled;
  };
  struct Scope {
    std::size_t defined, uses;
  };
  void settle(const Defined& label, int first_use, Function& function);
  void fail_for_unsettled() const;

  const Lexer& lexer_;
  Names& names_;
  std::vector<Defined> defined_;
  std::vector<Pending> uses_;
  std::vector<int> last_use_;  ///< of a name: the newest pending one, or -1; all -1 between functions
  std::vector<Scope> scopes_;
};

}  // namespace twofour::emu::ptx::syntax
