#pragma once
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace twofour::cli {

/// Exit statuses of every command.
enum ExitStatus { exit_ok = 0, exit_verdict = 1, exit_usage = 2, exit_internal = 4 };

/// One command. Flags are gflags; a command accepts only those that it lists.
struct Command {
  std::string_view name;         ///< words after the program's name: "gemm", "time gemm"
  std::string_view positionals;  ///< for the usage line: "FILE", "IN.npy"; empty for none
  std::string_view summary;      ///< one line
  std::string_view details;      ///< help text below the flags: examples, exit status; may be empty
  std::vector<std::string_view> flags;
  int min_positionals, max_positionals;
  std::function<int(std::span<const std::string>)> run;  ///< gets the positionals, returns the exit status
  std::vector<std::string_view> repeated = {};  ///< flags that may come again: values are joined by newlines
  bool keeps_separator = false;                 ///< `--` stands among the positionals
};

/// Runs one of the commands by the words of argv: `PROGRAM help`, `PROGRAM CMD --help`, `PROGRAM CMD [flags]
/// [positionals]`. Flags are --name=value, --name value or, for booleans, --name and --noname; dashes in a
/// name stand for underscores, and one leading dash does as well as two; -i is --instruction, -o --output.
/// Errors go to stderr. Returns the exit status.
int run_program(std::string_view program, std::string_view summary, std::span<const Command> commands,
                int argc, char** argv);

}  // namespace twofour::cli
