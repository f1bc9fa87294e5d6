// One function per file of commands; each adds its commands to the parser.
#pragma once

#include "cli/console.hpp"

namespace holdfast::cli {

void add_network_commands(Commands& commands);  // network init, params, keygen
/// key encrypt|rotate-passphrase|show|backup|restore
void add_key_commands(Commands& commands);
void add_chain_commands(
    Commands& commands);  // chain new-block, chain status, ledger issue|fund|show
void add_seal_commands(Commands& commands);      // seal, unseal
void add_scrub_commands(Commands& commands);     // scrub, repair
void add_shard_commands(Commands& commands);     // shard, recover, repair-shard
void add_register_commands(Commands& commands);  // register, update, remove, seal-proof make|verify
void add_block_commands(Commands& commands);     // block process, public export, stats
void add_registry_commands(Commands& commands);  // registry stat|backup|restore|export|merge
/// registry journal|state|import|replay|verify
void add_history_commands(CLI::App* registry, Commands& commands);
void add_aggregate_commands(Commands& commands);  // aggregate
void add_proof_commands(Commands& commands);      // prove, path make
/// verify; path verify, below the `path` command.
void add_verify_commands(CLI::App* path, Commands& commands);
void add_watch_command(Commands& commands);        // watch
void add_entropy_command(Commands& commands);      // entropy
void add_vdf_commands(Commands& commands);         // vdf eval|verify|status|catch-up
void add_evidence_commands(Commands& commands);    // evidence make …|verify|settle|cases
void add_reason_commands(Commands& commands);      // reasons
void add_simulate_command(Commands& commands);     // simulate
void add_bounds_commands(Commands& commands);      // bounds
void add_cost_command(Commands& commands);         // cost
void add_node_command(Commands& commands);         // node
void add_prover_commands(Commands& commands);      // prover, prover status|list|add|...
void add_monitor_log_command(Commands& commands);  // monitor-log
void add_challenger_commands(Commands& commands);  // challenger, challenger register
void add_keeper_command(Commands& commands);       // keeper
void add_status_command(Commands& commands);       // status
void add_submit_command(Commands& commands);       // submit
void add_tool_commands(Commands& commands);        // select, inspect, vectors check
void add_config_commands(Commands& commands);      // config example|check
void add_fetch_command(Commands& commands);        // fetch
void add_put_command(Commands& commands);          // put
void add_get_command(Commands& commands);          // get
void add_kept_commands(Commands& commands);        // ls, info, rm, catalogue export|merge
void add_latency_command(Commands& commands);      // latency
/// vdf bench|calibrate, below the `vdf` command.
void add_vdf_measure_commands(Commands& commands, CLI::App* vdf);

}  // namespace holdfast::cli
