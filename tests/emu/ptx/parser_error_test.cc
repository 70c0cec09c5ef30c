// What is refused, and where the message points; limits; texts that break off.
#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>

#include "parser_helpers.h"
#include "twofour/isa/error.h"
#include "twofour/isa/file.h"

namespace twofour::emu::ptx {
namespace {

/// What parse says about the text, or "" if it accepts it.
std::string refusal_of(const std::string& text) {
  try {
    parse(text, "t.ptx");
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

struct Row {
  std::string text;  ///< ^ stands before the place that the message names
  std::string message, offending;
};

/// The whole message, with the line and column of ^; the text loses its ^.
std::string expected_of(const Row& row, std::string& text) {
  int line = 1, column = 1;
  auto at = text.begin();
  for (; at != text.end() && *at != '^'; ++at, ++column)
    if (*at == '\n') ++line, column = 0;
  if (at != text.end()) text.erase(at);
  return fmt::format("t.ptx:{}:{}: {}: {}", line, column, row.message, row.offending);
}

void expect_refusals(const std::vector<Row>& rows, const std::string& before, const std::string& behind) {
  for (const Row& row : rows) {
    std::string text = before + row.text + behind;
    const std::string expected = expected_of(row, text);
    EXPECT_EQ(refusal_of(text), expected) << row.text;
  }
}

TEST(PtxErrors, OfTheHead) {
  expect_refusals(
      {
          {"^", "expected .version and .target", "end of the text"},
          {"^hello", "PTX begins with .version", "hello"},
          {".version ^5.0", "PTX 6.0 to 9.9 is supported", "5.0"},
          {".version ^10.0", "PTX 6.0 to 9.9 is supported", "10.0"},
          {".version ^8", "expected a version, as in .version 8.0", "8"},
          {".version ^x", "expected a version, as in .version 8.0", "x"},
          {".version 8.0\n^.address_size 64", "expected .target behind .version", ".address_size"},
          {".version 8.0\n.target ^sm_x0", "expected a target, as in .target sm_80", "sm_x0"},
          {".version 8.0\n.target debug ^", "expected sm_ and a number in .target", "end of the text"},
          {".version 8.0 .target sm_80 .address_size ^48", ".address_size is 32 or 64", "48"},
      },
      "", "");
}

TEST(PtxErrors, OfTheModule) {
  expect_refusals(
      {
          {"^.frobnicate 3", "a directive that modules do not have", ".frobnicate"},
          {"^ret;", "expected a directive of a module", "ret"},
          {"/* one\n two\n */ // three\n  ^ret;", "expected a directive of a module", "ret"},
          {".global .b64 a; .global .b8 b = ^0xFF0(a);",
           "a masked address is 0xFF, 0xFF00, ... of an array of bytes", "0xFF0"},
          {"^.reg .b32 r;", "a module has no variables of this space; declare it in a function", ".reg"},
          {".global .b32 a; .global .b32 ^a;", "the variable is declared already", "a"},
          {".global .b32 a; .func ^a();", "the name is declared already", "a"},
          {".func f() {} .func ^f() {}", "the name is declared already", "f"},
          {".global ^a;", "expected a type", "a"},
          {".global ^.b33 a;", "expected a type", ".b33"},
          {".global .b32 ^.f32 a;", "expected a name", ".f32"},
          {".global .b32 ^;", "expected the name of a variable", ";"},
          {".global .pred ^a;", "a predicate is a register, not a variable", "a"},
          {".global .align ^3 .b32 a;", "an alignment is a power of two", "3"},
          {".global .align ^0 .b32 a;", "an alignment must be an integer from 1 to 65536", "0"},
          {".global .b8 a[^-1];", "the size of an array must be an integer from 0 to 1099511627776", "-"},
          {".global .b8 ^a[1 << 30][1 << 30];", "the variable is larger than 2^40 bytes", "a"},
          {".global .b8 ^a[][1 << 30][1 << 30];", "the variable is larger than 2^40 bytes", "a"},
          {".global .b8 ^a[];", "an array without a size is .extern or has initial values", "a"},
          {".shared .b32 a ^= 1;",
           "only .global and .const variables that are defined here have initial values", "="},
          {".global .b32 a[2] = {1, 2, ^3};", "more initial values than the array has elements", "3"},
          {".global .b32 a[2][2] = {^1};", "expected '{' before the values of an array", "1"},
          {".global .b32 a[2] = {1, ^};", "expected a number", "}"},
          {".global .b32 a[2] = {1 ^2};", "expected ',' or '}' after an initial value", "2"},
          {".global .b32 a = ^{1};", "expected a number", "{"},
          {".global .b64 a = ^b;", "the variable or function is not declared", "b"},
          {".global .b64 a; .global .b16 b = ^a;", "an address needs an element of 4 or 8 bytes", "a"},
          {".global .b64 a; .global .b8 b = ^0x1FF(a);",
           "a masked address is 0xFF, 0xFF00, ... of an array of bytes", "0x1FF"},
          {".global .b16 a = ^0f3F800000;",
           "the number does not fit the type of the variable; write its bits", "0f3F800000"},
          {"^.texref t;", "a directive that modules do not have", ".texref"},
          {".global ^.texref t;", "texture, sampler and surface references are not supported; use objects",
           ".texref"},
          {".alias ^a, b;", "the function is not declared", "a"},
          {".func a(); .alias a, ^a;", "an alias is of a function with a body", "a"},
          {".entry k(^b32 a) {}", "expected .param or .reg", "b32"},
          {".entry k(.param .b32 a, .param .b32 ^a) {}", "the name is declared already in this scope", "a"},
          {".entry k() .maxntid ^0 {}", "a number of threads must be an integer from 1 to 2147483647", "0"},
          {".entry k() ^.fast {}", "a directive that functions do not have", ".fast"},
          {".entry k() ^ret;", "expected '{' or ';' behind the head of a function", "ret"},
          {".section .debug_str ^{ .b8 1", "the section does not end", "{"},
          {".file 1 ^\"a.cu", "the string does not end", "\"a.cu"},
          {"^/* a", "the comment does not end", "/*"},
          {".global .b32 a^\x01;", "a character that PTX does not have here", "?"},
      },
      head, "");
}

TEST(PtxErrors, OfCode) {
  expect_refusals(
      {
          {"mov.b32 ^r, 1;", "the name is not declared", "r"},
          {"mov.b32 %r2, ^%r3;", "the name is not declared", "%r3"},
          {"mov.b32 %r2, ^%r01;", "the name is not declared", "%r01"},
          {"mov.b32 %r1, %tid^;", "expected .x, .y or .z of the special register", ";"},
          {".reg .b32 ^%r2;", "the name is declared already in this scope", "%r2"},
          {".reg .f32 ^%r<9>;", "the name is declared already in this scope", "%r"},
          {"l: ret; ^l: ret;", "the name is declared already in this scope", "l"},
          {"bra ^l;", "the label is not declared in this scope", "l"},
          {"bra ^l; { l: ret; }", "the label is not declared in this scope", "l"},
          {"l: ret; mov.b32 %r0, ^l;", "a label cannot be an operand here", "l"},
          {"t: .branchtargets u; u: bra ^t;", "expected a label of code", "t"},
          {"t: .branchtargets ^u;", "the label is not declared in this scope", "u"},
          {"u: brx.idx %r1, ^u;", "expected a label of .branchtargets", "u"},
          {"bra ^3;", "expected a label", "3"},
          {"@^%r1 ret;", "expected a predicate register behind @", "%r1"},
          {"@^q ret;", "the register is not declared", "q"},
          {"@p ^{ ret; }", "expected an instruction behind the predicate", "{"},
          {"call ^f;", "the function is not declared", "f"},
          {"call (%r1) ^k;", "expected ',' between the results and the function", "k"},
          {"call k, (%r1^;", "expected ')' or ',' after an argument", ";"},
          {"call %r1, (%r0)^;", "a call through a register names its .callprototype or .calltargets", ";"},
          {"call k, (), ^x;", "the label is not declared in this scope", "x"},
          {"mov.b32 %r1 ^%r2;", "expected ',' or ';' after an operand", "%r2"},
          {"mov.b32 %r1, ^;", "expected an operand", ";"},
          {"mov.b32 %r1, -^%r2;", "expected a number", "%r2"},
          {"mov.b32 %r1, ^0x1FFFFFFFFFFFFFFFF;", "the number has more than 64 bits", "0x1FFFFFFFFFFFFFFFF"},
          {"mov.b32 %r1, ^12ab;", "not a number", "12ab"},
          {"mov.b32 %r1, ^08;", "not a number", "08"},
          {"mov.b32 %r1, ^0f3F80;", "0f wants 8 hexadecimal digits", "0f3F80"},
          {"mov.b32 %r1, 1 ^/ 0;", "division by zero in a constant expression", "/"},
          {"mov.b32 %r1, 1 ^<< 64;", "a constant is shifted by 0 to 63 bits", "<<"},
          {"mov.b32 %r1, 1.5 ^+ 2;", "operators of constants take integers", "+"},
          {"ld.b32 %r1, [%r2^;", "expected ']' after an address", ";"},
          {"ld.b32 %r1, [^_];", "the base of an address is a register, a variable or an integer", "_"},
          {"ld.b32 %r1, [%r1+^%r2];", "expected a number", "%r2"},
          {"ld.v2.b32 {%r1, %r2^;", "expected '}' or ',' in a vector", ";"},
          {"setp.eq.s32 p|^;", "expected an operand", ";"},
          {"mov.b32 %r1, !^k;", "only a register has a complement", "k"},
          {"^.maxntid 3;", "a directive that bodies of functions do not have", ".maxntid"},
          {".reg .b32 a<^1048577>;", "a number of registers must be an integer from 0 to 1048576", "1048577"},
          {".reg .b32 a<1048572>, ^b;", "the function declares more than 1048576 registers", "b"},
          {"^;", "expected an instruction, a declaration, '{' or '}'", ";"},
          {".loc 1 2 ^x", "expected a number", "x"},
          {"ret^.;", "expected a name after the dot", "."},
      },
      head + ".entry k() {\n.reg .b32 %r<3>; .reg .pred p;\n ", "\n}");
}

TEST(PtxErrors, BodiesThatDoNotEnd) {
  expect_refusals({{".entry k() { ret; ^", "the body of the function does not end", "end of the text"},
                   {".entry k() { { ret; } ^", "the body of the function does not end", "end of the text"},
                   {".entry k() { ret ^", "expected an operand", "end of the text"}},
                  head, "");
}

std::string repeated(const std::string& text, int count) {
  std::string all;
  for (int n = 0; n < count; ++n) all += text;
  return all;
}

TEST(PtxErrors, DeepNestingIsRefused) {
  const std::string begin = head + ".entry k() { .reg .b32 r; ";
  EXPECT_EQ(refusal_of(begin + repeated("{", 256) + repeated("}", 256) + "}"), "");
  EXPECT_NE(refusal_of(begin + repeated("{", 257)).find("more than 256 scopes"), std::string::npos);
  EXPECT_EQ(refusal_of(begin + "mov.b32 r, " + repeated("(", 60) + "1" + repeated(")", 60) + "; }"), "");
  for (const char* opening : {"(", "-", "!", "1 ? 1 : ", "1 ? "})
    EXPECT_NE(refusal_of(begin + "mov.b32 r, " + repeated(opening, 1000000) + "1").find("nested too deep"),
              std::string::npos)
        << opening;
}

TEST(PtxErrors, LongTextsAreRefused) {
  EXPECT_NE(refusal_of(std::string((64 << 20) + 1, ' ')).find("at most 64 MiB"), std::string::npos);
  EXPECT_NE(refusal_of(head + ".global .b8 a[2][1 << 28] = {{1}, {1}};").find("2^28 bytes"),
            std::string::npos);
  EXPECT_EQ(module_of(".global .b8 a[1 << 40] = {1};").variables.at(0).initial.size(), 1u);
  EXPECT_NE(refusal_of(head + ".entry k() {" + repeated("{a:b:c:d:e:f:g:h:}", 1 << 20)).find("8388608"),
            std::string::npos);
}

TEST(PtxErrors, MessagesAreOneShortLineOfAscii) {
  const std::string said = refusal_of(head + std::string(100000, 'x') + "\xFF\n");
  EXPECT_LT(said.size(), 200u);
  const std::string bytes = refusal_of(head + "\xFF");
  EXPECT_TRUE(std::all_of(bytes.begin(), bytes.end(), [](char c) { return c >= ' ' && c <= '~'; })) << bytes;
}

/// Seconds of this process that parsing takes.
double seconds(const std::string& text) {
  const std::clock_t begin = std::clock();
  refusal_of(text);
  return double(std::clock() - begin) / CLOCKS_PER_SEC;
}

TEST(PtxErrors, TimeGrowsWithTheTextOnly) {
  const int many = 100000;
  std::string labels, names, functions, scopes = head + ".entry k() { .reg .pred p; " + repeated("{", 250);
  for (int n = 0; n < many; ++n) {
    labels += fmt::format("a{}: bra b{};", n, n);
    names += fmt::format("{{ .reg .b32 r<{}>, x; bra e; }}", 1 + n % 8);
    functions += fmt::format(".func f{}() {{ l: bra l; }}", n);
    scopes += "bra e;";
  }
  for (int n = 0; n < many; ++n) labels += fmt::format("b{}:", n);
  const std::string begin = head + ".entry k() { ";
  for (const auto& text : {begin + labels + "}", begin + names + "e: }", head + functions,
                           scopes + repeated("}", 250) + "e: }"}) {
    EXPECT_EQ(refusal_of(text), "");
    EXPECT_LT(seconds(text), 2);  // hours if anything were quadratic; tens of milliseconds here
  }
}

TEST(PtxErrors, TextsThatBreakOffAnywhere) {
  const std::string whole =
      isa::read_file(std::string(TWOFOUR_SOURCE_DIR) + "/tests/emu/ptx/data/constructs.ptx");
  const std::size_t first_body = whole.find("_Z5twicefi(");
  int accepted = 0;
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const std::string said = refusal_of(whole.substr(0, n));
    accepted += said.empty();
    EXPECT_TRUE(said.empty() || said.starts_with("t.ptx:")) << said;
  }
  EXPECT_GT(accepted, 0);
  EXPECT_LT(accepted, int(whole.size()) / 4) << "only between declarations";
  EXPECT_NE(refusal_of(whole.substr(0, first_body + 100)), "");
}

}  // namespace
}  // namespace twofour::emu::ptx
