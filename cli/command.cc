#include "twofour/cli/command.h"

#include <gflags/gflags.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>

#include "twofour/isa/error.h"

namespace twofour::cli {
namespace {

std::string underscored(std::string_view name) {
  std::string out(name);
  std::replace(out.begin(), out.end(), '-', '_');
  return out;
}
std::string dashed(std::string_view name) {
  std::string out(name);
  std::replace(out.begin(), out.end(), '_', '-');
  return out;
}

gflags::CommandLineFlagInfo flag_info(std::string_view name) {
  return gflags::GetCommandLineFlagInfoOrDie(underscored(name).c_str());
}

/// An empty text, a zero or -1 stands for "not given".
bool unset(const gflags::CommandLineFlagInfo& info) {
  return info.default_value.empty() || info.default_value == "0" || info.default_value == "-1";
}

/// Short names of flags, where a command has no flag of that name.
constexpr std::array<std::pair<std::string_view, std::string_view>, 2> aliases{
    {{"i", "instruction"}, {"o", "output"}}};

/// gflags prints doubles with all their digits.
std::string default_text(const gflags::CommandLineFlagInfo& info) {
  return info.type == "double" ? fmt::format("{:g}", std::stod(info.default_value)) : info.default_value;
}

void print_program_help(std::string_view program, std::string_view summary,
                        std::span<const Command> commands) {
  fmt::print("{}\n\nUsage: {} COMMAND [flags] [arguments]\n\nCommands:\n", summary, program);
  for (const Command& c : commands) fmt::print("  {:<17} {}\n", c.name, c.summary);
  fmt::print(
      "\n`{} COMMAND --help` tells more. Exit status: 0 done, 1 a check failed, 2 input refused, 4 internal "
      "error.\n",
      program);
}

void print_command_help(std::string_view program, const Command& c) {
  fmt::print("{}\n\nUsage: {} {} [flags]{}{}\n", c.summary, program, c.name, c.positionals.empty() ? "" : " ",
             c.positionals);
  if (!c.flags.empty()) fmt::print("\nFlags:\n");
  for (const auto flag : c.flags) {
    const auto info = flag_info(flag);
    const bool is_switch = info.type == "bool";
    std::string spelled = dashed(flag) + (is_switch ? "" : "=" + info.type);
    for (const auto& [alias, full] : aliases)
      if (flag == full) spelled += fmt::format(", -{}", alias);
    const std::string standard = is_switch || unset(info) ? "" : " (default " + default_text(info) + ")";
    fmt::print("  --{:<24} {}{}\n", spelled, info.description, standard);
  }
  if (!c.details.empty()) fmt::print("\n{}\n", c.details);
}

/// The command whose name is the longest run of words at the front of `words`; null if there is none.
const Command* find_command(std::span<const Command> commands, const std::vector<std::string>& words,
                            std::size_t& used) {
  const Command* best = nullptr;
  for (const Command& c : commands) {
    std::string joined;
    for (std::size_t n = 0; n < words.size() && n < 3; ++n) {
      joined += (n > 0 ? " " : "") + words[n];
      if (joined == c.name && (best == nullptr || n + 1 > used)) best = &c, used = n + 1;
    }
  }
  return best;
}

/// Reads flags into gflags and returns the positionals.
class ArgumentReader {
 public:
  ArgumentReader(std::string_view program, const Command& command, std::span<const std::string> words)
      : program_(program), command_(command), words_(words) {}

  std::vector<std::string> read() {
    std::vector<std::string> positionals;
    bool flags_end = false;
    for (at_ = 0; at_ < words_.size(); ++at_) {
      const std::string& word = words_[at_];
      if (!flags_end && word == "--") {
        flags_end = true;
        if (command_.keeps_separator) positionals.push_back(word);
      } else if (!flags_end && word.size() > 1 && word[0] == '-') {
        read_flag(word);
      } else {
        positionals.push_back(word);
      }
    }
    const auto count = int(positionals.size());
    if (count < command_.min_positionals) fail("missing argument {}; {}", command_.positionals, hint());
    if (count > command_.max_positionals)
      fail("unexpected argument '{}'; {}", positionals[std::size_t(command_.max_positionals)], hint());
    return positionals;
  }

 private:
  std::string hint() const { return fmt::format("see `{} {} --help`", program_, command_.name); }

  bool accepts(const std::string& name) const {
    return std::any_of(command_.flags.begin(), command_.flags.end(),
                       [&](std::string_view flag) { return underscored(flag) == name; });
  }

  bool is_repeated(const std::string& name) const {
    return std::find(command_.repeated.begin(), command_.repeated.end(), name) != command_.repeated.end();
  }

  void read_flag(const std::string& word) {
    const std::size_t start = word.find_first_not_of('-');
    if (start == std::string::npos || start > 2) fail("'{}' is not a flag; {}", word, hint());
    const std::size_t equals = word.find('=');
    std::string name = underscored(word.substr(start, equals == std::string::npos ? equals : equals - start));
    bool has_value = equals != std::string::npos;
    std::string value = has_value ? word.substr(equals + 1) : "";
    for (const auto& [alias, full] : aliases)
      if (name == alias && !accepts(name)) name = full;
    if (!accepts(name) && !has_value && name.starts_with("no") && accepts(name.substr(2)) &&
        flag_info(name.substr(2)).type == "bool") {
      name = name.substr(2);
      has_value = true;
      value = "false";
    }
    if (!accepts(name)) fail("unknown flag --{}; {}", dashed(name), hint());
    const std::string type = flag_info(name).type;
    if (!has_value && type == "bool") {
      value = "true";
    } else if (!has_value) {
      if (at_ + 1 >= words_.size()) fail("flag --{} needs a value ({}); {}", dashed(name), type, hint());
      value = words_[++at_];
    }
    if (!flag_info(name).is_default && is_repeated(name))
      value = flag_info(name).current_value + '\n' + value;
    if (gflags::SetCommandLineOption(name.c_str(), value.c_str()).empty())
      fail("flag --{}: '{}' is not a valid {}; {}", dashed(name), value, type, hint());
  }

  std::string_view program_;
  const Command& command_;
  std::span<const std::string> words_;
  std::size_t at_ = 0;
};

/// What comes after `--` belongs to no flag.
bool asks_help(std::span<const std::string> words) {
  return std::any_of(words.begin(), std::find(words.begin(), words.end(), "--"),
                     [](const std::string& w) { return w == "--help" || w == "-h"; });
}

/// "unknown command 'x'", or which words may follow the first.
std::string unknown_command(std::span<const Command> commands, const std::vector<std::string>& words) {
  std::string next;
  for (const Command& c : commands)
    if (c.name.starts_with(words[0] + " "))
      next += (next.empty() ? "" : ", ") + std::string(c.name.substr(words[0].size() + 1));
  if (next.empty()) return fmt::format("unknown command '{}'", words[0]);
  return fmt::format("unknown command '{}': after '{}' comes one of {}", fmt::join(words, " "), words[0],
                     next);
}

int dispatch(std::string_view program, std::string_view summary, std::span<const Command> commands,
             std::vector<std::string> words) {
  if (!words.empty() && words[0] == "help") {
    words.erase(words.begin());
    if (!words.empty()) words.emplace_back("--help");
  }
  std::size_t used = 0;
  const Command* command = find_command(commands, words, used);
  if (command == nullptr) {
    if (words.empty() || words[0] == "--help" || words[0] == "-h") {
      print_program_help(program, summary, commands);
      return words.empty() ? exit_usage : exit_ok;
    }
    if (words[0] == "--version") {
      fmt::print("{} {}\n", program, TWOFOUR_VERSION);
      return exit_ok;
    }
    fail("{}; `{} help` lists the commands", unknown_command(commands, words), program);
  }
  const std::span<const std::string> rest(words.begin() + std::ptrdiff_t(used), words.end());
  if (asks_help(rest)) {
    print_command_help(program, *command);
    return exit_ok;
  }
  return command->run(ArgumentReader(program, *command, rest).read());
}

}  // namespace

int run_program(std::string_view program, std::string_view summary, std::span<const Command> commands,
                int argc, char** argv) {
  try {
    const int status = dispatch(program, summary, commands, {argv + 1, argv + argc});
    if (std::fflush(stdout) != 0) fail("standard output cannot be written");
    return status;
  } catch (const Error& e) {
    fmt::print(stderr, "{}: {}\n", program, e.what());
    return exit_usage;
  } catch (const std::bad_alloc&) {
    fmt::print(stderr, "{}: not enough memory for this size\n", program);
    return exit_usage;
  } catch (const std::exception& e) {
    fmt::print(stderr, "{}: internal error: {}\n", program, e.what());
    return exit_internal;
  }
}

}  // namespace twofour::cli
