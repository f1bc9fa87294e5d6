// What `block process` is given to prove: replicas and sets, each independent of the others.
//
// One that cannot be opened is named and counted, and the others work; the command's exit code then
// says so. Replicas that the registry knows of a key and that are neither held nor named end the
// command before the first block: their links would be missed without a word. Nothing is made in a
// folder before it is known to be the set's.
#pragma once

#include <string>
#include <vector>

#include "api/prover_set.hpp"
#include "cli/console.hpp"
#include "node/node_folder.hpp"

namespace holdfast::cli {

struct BlockInputNames {
    std::vector<std::string> replicas;
    std::vector<std::string> keys;
    std::vector<std::string> sets;
    std::vector<std::string> set_keys;
    bool allow_missing = false;  // tell of missing replicas and go on
};

struct BlockInputs {
    std::vector<Prover> provers;
    std::vector<ProverSet> sets;
    std::uint64_t faults = 0;  // named in the output
};

[[nodiscard]] Result<BlockInputs> open_block_inputs(const Globals& globals, node::Node& node,
                                                    const BlockInputNames& names, Output& out);

}  // namespace holdfast::cli
