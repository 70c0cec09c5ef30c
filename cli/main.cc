#include "twofour/cli/commands.h"

int main(int argc, char** argv) {
  using namespace twofour::cli;
  const std::vector<Command> commands{isa_list_command(),
                                      isa_show_command(),
                                      mma_command(),
                                      layout_command(),
                                      gemm_command(),
                                      prune_command(),
                                      compress_command(),
                                      metadata_check_command(),
                                      metadata_convert_command(),
                                      metadata_explain_command(),
                                      replay_command(),
                                      vectors_command(),
                                      vectors_answer_command(),
                                      time_gemm_command(),
                                      time_conv_command(),
                                      time_mma_command(),
                                      time_tune_command(),
                                      machine_list_command(),
                                      machine_show_command(),
                                      machine_check_command(),
                                      kernel_run_command(),
                                      kernel_show_command(),
                                      time_network_command(),
                                      time_table_command(),
                                      search_command(),
                                      deploy_check_command(),
                                      deploy_latency_command(),
                                      deploy_export_command(),
                                      run_command()};
  return run_program(
      "twofour", "twofour: what an A100's Sparse Tensor Cores compute, bit for bit, and how long they take",
      commands, argc, argv);
}
