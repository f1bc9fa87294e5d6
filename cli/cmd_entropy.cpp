// entropy: the record of a height, and that nobody could know it earlier.

#include "cli/commands.hpp"
#include "cli/workspace.hpp"
#include "clock/entropy_record.hpp"

namespace holdfast::cli {
namespace {

struct EntropyArguments {
    std::uint64_t height = 0;
    std::string public_folder;
    std::string chain;
    bool check_vdf = false;
};

void tell_sources(const PublicRecord& record, const EntropyRecord& e, Output& out) {
    out.field("height", e.block.height.value);
    out.field("block_hash", to_hex(e.block.hash));
    out.field("block_time_ms", e.block.time_ms);
    if (e.beacon) {
        out.field("beacon_round", e.beacon->round);
        out.field("beacon_due_s", *e.beacon_due_s);
        out.field("beacon_delay_s", record.params().beacon_delay_s);
        out.field("beacon_randomness", to_hex(e.beacon->randomness));
        out.field("beacon_proof", to_hex(e.beacon->proof));
    }
    out.field("seed", to_hex(e.seed));
    out.field("seed_not_before_s", e.seed_not_before_s);
    out.field("vdf_steps", e.vdf_steps);
    out.field("y", to_hex(e.y));
}

CommandResult show(const Globals& globals, const EntropyArguments& arguments) {
    std::optional<ChainId> chain;
    if (!arguments.chain.empty()) {
        HOLDFAST_ASSIGN(id, parse_hex<ChainId>(arguments.chain, "--chain"));
        chain = id;
    }
    HOLDFAST_ASSIGN(record, PublicRecord::load(arguments.public_folder));
    const Height height(arguments.height);
    Output out;
    const Result<EntropyRecord> e = entropy_record(record, height);
    if (!e) {
        if (e.error().code != ErrorCode::kRefused) return tl::unexpected(e.error());
        out.field("height", height.value);
        out.field("message", e.error().message);
        out.verdict(e.error().verdict);
        return out;
    }
    tell_sources(record, *e, out);
    if (chain) {
        HOLDFAST_ASSIGN(of_chain, chain_entropy_at(record, *e, *chain));
        out.field("chain_id", to_hex(*chain));
        out.field("entropy", to_hex(of_chain));
    }
    Verdict verdict = Verdict::ok();
    if (arguments.check_vdf) {
        const Height heights[] = {height};
        HOLDFAST_ASSIGN(clock, check_clock(record, arguments.public_folder, heights, globals));
        verdict = clock;
    }
    // Without a VDF y is the seed, which was computed here.
    const bool asked = arguments.check_vdf || !record.params().has_vdf;
    out.field("y_verified", asked && verdict.accepted());
    out.verdict(verdict);
    return out;
}

}  // namespace

void add_entropy_command(Commands& commands) {
    auto a = std::make_shared<EntropyArguments>();
    CLI::App* command = commands.app().add_subcommand(
        "entropy",
        "what a height's entropy was made of, and when at the earliest, from public "
        "data");
    command->add_option("height", a->height, "the height")->required();
    command->add_option("-p,--public", a->public_folder, "folder of public data")->required();
    command->add_option("--chain", a->chain, "also E of this chain, once its reveal is public");
    command->add_flag("--check-vdf", a->check_vdf,
                      "verify y as well, from the VDF proof in the folder (fills the arena)");
    commands.run(command,
                 "  holdfast entropy 12 --public public\n"
                 "  holdfast entropy 12 --public public --chain CHAIN_ID --check-vdf --json\n",
                 [a, &commands] { return show(commands.globals(), *a); });
}

}  // namespace holdfast::cli
