// The VDF without a node: a network given by its parameters, an input given in hex.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/console.hpp"
#include "core/params.hpp"
#include "vdf/verify.hpp"

namespace holdfast::cli {

/// What the command line says of network, height and input.
struct LooseInput {
    std::string network;                // folder or file; empty: the default parameters
    std::vector<std::string> settings;  // on top of them
    std::string input;                  // 32 bytes of hex; empty: not asked for
    std::string epoch_source;           // y of the epoch's source height, in hex
    std::uint64_t height = 0;
};

/// --network, --set, --input, --epoch-source.
void add_loose_options(CLI::App* command, LooseInput& input);

/// A network with a VDF and what a verifier of one of its heights knows. Pinned: the context refers
/// to the parameters.
struct LooseWorld {
    NetworkParams params;
    VdfContext context;

    explicit LooseWorld(const NetworkParams& p)
        : params(p), context{params, params.id(), params.genesis_height, {}, 0, {}} {}
    LooseWorld(const LooseWorld&) = delete;
    LooseWorld& operator=(const LooseWorld&) = delete;

    /// kInvalidArgument, also for a height beyond epoch 0 without --epoch-source; kRefused.
    static Result<std::unique_ptr<LooseWorld>> from(const LooseInput& input);
};

struct LooseEvaluation {
    LooseInput input;
    std::string key;          // signs the proof; empty: no proof
    std::string checkpoints;  // file; empty: beside `out`, or none
    std::string out;          // of the proof
    bool force = false;
    bool resume = false;
    unsigned threads = 0;
};

/// vdf eval --input: evaluates, verifies in full what it has evaluated, and writes the proof.
CommandResult evaluate_loose(const Globals& globals, const LooseEvaluation& wanted);

}  // namespace holdfast::cli
