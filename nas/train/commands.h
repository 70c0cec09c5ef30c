#pragma once
#include <span>
#include <string>

/// The commands of twofour-nas; flags are gflags of commands.cc.
namespace twofour::nas {

int run_demo_command(std::span<const std::string> positionals);
int run_search_command(std::span<const std::string> positionals);
int run_compare_command(std::span<const std::string> positionals);
int run_compress_command(std::span<const std::string> positionals);
int run_space_command(std::span<const std::string> positionals);
int run_train_command(std::span<const std::string> positionals);

}  // namespace twofour::nas
