#pragma once
#include "twofour/cli/command.h"

namespace twofour::cli {

// One function a file; each returns the description of its command or commands.
Command isa_list_command();
Command isa_show_command();
Command mma_command();
Command gemm_command();
Command prune_command();
Command compress_command();
Command metadata_check_command();
Command metadata_convert_command();
Command metadata_explain_command();
Command layout_command();
Command replay_command();
Command vectors_command();
Command vectors_answer_command();
Command time_gemm_command();
Command time_conv_command();
Command machine_list_command();
Command machine_show_command();
Command machine_check_command();
Command time_mma_command();
Command kernel_run_command();
Command kernel_show_command();
Command time_tune_command();
Command time_network_command();
Command time_table_command();
Command search_command();
Command deploy_check_command();
Command deploy_latency_command();
Command deploy_export_command();
Command run_command();

}  // namespace twofour::cli
