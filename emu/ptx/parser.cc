#include "twofour/emu/ptx/parser.h"

#include "twofour/emu/ptx/constant.h"
#include "twofour/emu/ptx/specials.h"
#include "twofour/isa/error.h"

namespace twofour::emu::ptx {
namespace syntax {
namespace {

/// .version 8.3
void parse_version(Context& c) {
  const Token t = c.lexer.expect(Token::Kind::number, "a version, as in .version 8.0");
  const std::size_t dot = t.text.find('.');
  const auto digits = [&](std::string_view part) {
    const bool good = !part.empty() && part.size() <= 2 && part.find_first_not_of("0123456789") == part.npos;
    if (!good || dot == t.text.npos) c.lexer.fail_at(t, "expected a version, as in .version 8.0");
    return std::stoi(std::string(part));
  };
  c.module.major = digits(t.text.substr(0, dot));
  c.module.minor = digits(t.text.substr(dot == t.text.npos ? 0 : dot + 1));
  const int version = c.module.major * 100 + c.module.minor;
  if (version < 600 || version > 999) c.lexer.fail_at(t, "PTX 6.0 to 9.9 is supported");
}

/// .target sm_80, debug
void parse_target(Context& c) {
  do {
    const Token t = c.lexer.expect(Token::Kind::name, "a target, as in .target sm_80");
    if (!t.text.starts_with("sm_")) continue;  // debug, texmode_independent, ...
    std::string_view number = t.text.substr(3);
    if (number.ends_with('a') || number.ends_with('f')) number.remove_suffix(1);
    if (number.empty() || number.size() > 3 || number.find_first_not_of("0123456789") != number.npos)
      c.lexer.fail_at(t, "expected a target, as in .target sm_80");
    c.module.sm = std::stoi(std::string(number));
  } while (c.lexer.skip(','));
  if (c.module.sm == 0) c.lexer.fail_here("expected sm_ and a number in .target");
}

void parse_address_size(Context& c) {
  const Token t = c.lexer.peek();
  const auto size = parse_number(c.lexer, 32, 64, ".address_size");
  if (size != 32 && size != 64) c.lexer.fail_at(t, ".address_size is 32 or 64");
  c.module.address_bits = int(size);
}

Binding& declared_function(Context& c, const Token& name) {
  Binding* b = c.names.find(name.text);
  if (!b || b->kind != Binding::Kind::function) c.lexer.fail_at(name, "the function is not declared");
  return *b;
}

/// .alias other, function; From here on the name leads to the function.
void parse_alias(Context& c) {
  const Token other = c.lexer.expect(Token::Kind::name, "a function");
  Binding& alias = declared_function(c, other);
  if (!c.module.functions[alias.value].external)
    c.lexer.fail_at(other, "an alias has no body of its own and is declared once");
  c.lexer.expect(',', "between the names of .alias");
  const Token function = c.lexer.expect(Token::Kind::name, "a function");
  const Binding& of = declared_function(c, function);
  if (c.module.functions[of.value].external)
    c.lexer.fail_at(function, "an alias is of a function with a body");
  alias.value = of.value;
  c.module.aliases.emplace_back(other.text, c.module.functions[of.value].name);
  c.lexer.expect(';', "after .alias");
}

Linkage parse_linkage(Context& c) {
  Linkage linkage;
  for (;;) {
    if (c.lexer.skip_directive(".extern"))
      linkage.external = true;
    else if (c.lexer.skip_directive(".visible") || c.lexer.skip_directive(".weak") ||
             c.lexer.skip_directive(".common"))
      linkage.visible = true;
    else
      return linkage;
  }
}

void parse_declaration(Context& c) {
  const Linkage linkage = parse_linkage(c);
  const Token t = c.lexer.expect(Token::Kind::directive, "a directive of a module");
  const bool entry = t.text == ".entry";
  if (entry || t.text == ".func") return parse_function(c, entry, t);
  const auto space = space_from(t.text);
  if (t.text == ".reg" || t.text == ".local" || t.text == ".param")
    c.lexer.fail_at(t, "a module has no variables of this space; declare it in a function");
  if (!space) c.lexer.fail_at(t, "a directive that modules do not have");
  parse_variables(c, *space, linkage, nullptr);
}

void parse_module(Context& c) {
  while (c.lexer.peek().kind != Token::Kind::end) {
    if (c.lexer.skip_directive(".version")) {
      parse_version(c);
    } else if (c.module.major == 0) {
      c.lexer.fail_here("PTX begins with .version");
    } else if (c.lexer.skip_directive(".target")) {
      parse_target(c);
    } else if (c.module.sm == 0) {
      c.lexer.fail_here("expected .target behind .version");
    } else if (c.lexer.skip_directive(".address_size")) {
      parse_address_size(c);
    } else if (c.lexer.skip_directive(".alias")) {
      parse_alias(c);
    } else if (!skip_ignored(c)) {
      parse_declaration(c);
    }
  }
  if (c.module.sm == 0) c.lexer.fail_here("expected .version and .target");
}

void skip_file(Context& c) {
  parse_number(c.lexer, 0, 0x7FFFFFFF, "the number of a file");
  c.lexer.expect(Token::Kind::string, "the name of a file");
  while (c.lexer.skip(',')) c.lexer.expect(Token::Kind::number, "a number");
}

/// .loc 1 20 3, function_name $L__info_string0 + 4, inlined_at 1 7 3
void skip_loc(Context& c) {
  const auto place = [&] {
    for (const char* what : {"the number of a file", "a line", "a column"})
      parse_number(c.lexer, 0, 0x7FFFFFFF, what);
  };
  place();
  while (c.lexer.skip(',')) {
    const Token attribute = c.lexer.expect(Token::Kind::name, "function_name or inlined_at");
    if (attribute.text == "inlined_at") {
      place();
    } else {
      c.lexer.expect(Token::Kind::name, "a label of a debug section");
      parse_offset(c.lexer);
    }
  }
}

void skip_section(Context& c) {
  c.lexer.expect(Token::Kind::directive, "the name of a section");
  const Token brace = c.lexer.peek();
  c.lexer.expect('{', "of a section");
  for (int open = 1; open > 0;) {
    const Token t = c.lexer.take();
    if (t.kind == Token::Kind::end) c.lexer.fail_at(brace, "the section does not end");
    open += t.is('{') ? 1 : t.is('}') ? -1 : 0;
  }
}

void skip_pragma(Context& c) {
  do {
    c.lexer.expect(Token::Kind::string, "a string of .pragma");
  } while (c.lexer.skip(','));
  c.lexer.expect(';', "after .pragma");
}

}  // namespace

bool skip_ignored(Context& c) {
  if (c.lexer.skip_directive(".loc"))
    skip_loc(c);
  else if (c.lexer.skip_directive(".pragma"))
    skip_pragma(c);
  else if (c.lexer.skip_directive(".file"))
    skip_file(c);
  else if (c.lexer.skip_directive(".section"))
    skip_section(c);
  else
    return false;
  return true;
}

void skip_parentheses(Lexer& lexer) {
  const Token first = lexer.peek();
  lexer.expect('(', "after .attribute");
  for (int open = 1; open > 0;) {
    const Token t = lexer.take();
    if (t.kind == Token::Kind::end) lexer.fail_at(first, "the parenthesis does not end");
    open += t.is('(') ? 1 : t.is(')') ? -1 : 0;
  }
}

}  // namespace syntax

Module parse(std::string_view text, const std::string& file) {
  if (std::int64_t(text.size()) > syntax::most_text_bytes)
    fail("{}:1:1: the text has {} bytes; at most 64 MiB are supported", file, text.size());
  const std::string source(text);  // ends with a zero, which the lexer wants
  syntax::Context context(source, file);
  context.module.file = file;
  syntax::declare_specials(context.names);
  syntax::parse_module(context);
  return std::move(context.module);
}

}  // namespace twofour::emu::ptx
