// chain new-block, chain status, ledger issue|fund|bond|show: the embedded host.

#include "cli/ask_node.hpp"
#include "cli/commands.hpp"
#include "cli/workspace.hpp"

namespace holdfast::cli {
namespace {

constexpr std::uint64_t kMaxNewBlocks = 1'000'000;

Json block_json(const BlockInfo& block) {
    return {{"height", block.height.value},
            {"hash", to_hex(block.hash)},
            {"time_ms", block.time_ms},
            {"final", block.final}};
}

CommandResult new_block(const Globals& globals, const std::string& dir, std::uint64_t count,
                        const std::optional<std::uint64_t>& time_ms) {
    if (count < 1 || count > kMaxNewBlocks) {
        return fail(ErrorCode::kInvalidArgument, "--count must be 1 to 1000000");
    }
    auto opened = open_chain(NodePaths{dir}, LocalChain::Mode::kReadWrite);
    if (!opened) {
        return fail(node::explain_busy(dir, opened.error(),
                                       "it makes the blocks itself, one every block time"));
    }
    const std::unique_ptr<LocalChain> chain = std::move(*opened);
    Progress progress(globals, "blocks", "blocks");
    const StopCheck stop = stop_requested();
    Output out;
    Json blocks = Json::array();
    for (std::uint64_t i = 0; i < count && !stop(); ++i) {
        HOLDFAST_ASSIGN(block, chain->append_block(i == 0 ? time_ms : std::nullopt));
        HOLDFAST_ASSIGN(listed, chain->submissions_at(block.height));
        Json json = block_json(block);
        json["submissions"] = listed.size();
        blocks.push_back(json);
        if (count <= 32) {
            out.line("block " + std::to_string(block.height.value) + "  " + to_hex(block.hash) +
                     "  " + std::to_string(listed.size()) + " submission(s)");
        }
        progress.update(i + 1, count);
    }
    out.json["blocks"] = blocks;
    out.line(std::to_string(blocks.size()) + " block(s) appended");
    if (blocks.size() < count) out.exit_code = kExitInterrupted;
    return out;
}

CommandResult status(const std::string& dir) {
    HOLDFAST_ASSIGN(chain, open_chain(NodePaths{dir}, LocalChain::Mode::kRead));
    HOLDFAST_ASSIGN(tip, chain->current_height());
    HOLDFAST_ASSIGN(block, chain->block_by_height(tip));
    HOLDFAST_ASSIGN(pending, chain->pending_count());
    Output out;
    out.field("network", chain->params().name);
    out.field("network_id", to_hex(chain->network_id()));
    out.field("tip", tip.value);
    out.field("tip_hash", to_hex(block.hash));
    out.field("pending_submissions", pending);
    const Height newest = tip - chain->params().finality_blocks;
    const bool any_final =
        tip.since(chain->params().genesis_height) >= chain->params().finality_blocks;
    out.field("newest_final", any_final ? Json(newest.value) : Json(nullptr));
    return out;
}

CommandResult issue(const std::string& dir, const std::string& account, std::uint64_t amount) {
    HOLDFAST_ASSIGN(key, read_public_key(account, "--key"));
    HOLDFAST_ASSIGN(done,
                    ask_node(dir, "ledger issue", {{"account", to_hex(key)}, {"amount", amount}}));
    Output out;
    out.fields(done);
    return out;
}

CommandResult fund_pool(const std::string& dir, std::uint64_t amount) {
    HOLDFAST_ASSIGN(done, ask_node(dir, "ledger fund", {{"amount", amount}}));
    Output out;
    out.fields(done);
    return out;
}

CommandResult make_bond(const std::string& dir, const std::string& owner, std::uint64_t amount,
                        const std::string& purpose) {
    HOLDFAST_ASSIGN(key, read_public_key(owner, "--owner"));
    Result<Json> done = ask_node(
        dir, "ledger bond", {{"owner", to_hex(key)}, {"amount", amount}, {"purpose", purpose}});
    if (!done && done.error().code == ErrorCode::kUnavailable) {
        return fail(ErrorCode::kUnavailable,
                    done.error().message +
                        "; give the key units first: holdfast ledger issue "
                        "--key " +
                        owner + " --amount " + std::to_string(amount));
    }
    if (!done) return fail(done.error());
    Output out;
    out.fields(*done);
    out.line("the next block lists it");
    return out;
}

CommandResult show_ledger(const std::string& dir, const std::vector<std::string>& accounts,
                          const std::vector<std::string>& bond_words) {
    Json wanted = {{"accounts", Json::array()}, {"bonds", Json::array()}};
    for (const std::string& word : bond_words) {
        HOLDFAST_ASSIGN(id, parse_hex<BondId>(word, "--bond"));
        wanted["bonds"].push_back(to_hex(id));
    }
    for (const std::string& word : accounts) {
        HOLDFAST_ASSIGN(key, read_public_key(word, "--account"));
        wanted["accounts"].push_back(to_hex(key));
    }
    HOLDFAST_ASSIGN(shown, ask_node(dir, "ledger show", wanted));
    Output out;
    for (const char* sum : {"issued", "in_accounts", "in_bonds", "in_pool"}) {
        out.field(sum, shown[sum]);
    }
    out.line("every account and bond was added up: the sums agree");
    if (const auto balances = shown.find("balances"); balances != shown.end()) {
        out.json["balances"] = *balances;
        for (const auto& [key, balance] : balances->items()) {
            out.line("account " + key + ": " + dump(balance));
        }
    }
    if (const auto bonds = shown.find("bonds"); bonds != shown.end()) {
        out.json["bonds"] = *bonds;
        for (const auto& [id, bond] : bonds->items()) {
            out.line("bond " + id + ": holds " + dump(bond["held"]) + " of " +
                     dump(bond["created"]) + ", " + dump(bond["slashed"]) + " slashed");
        }
    }
    return out;
}

}  // namespace

void add_chain_commands(Commands& commands) {
    CLI::App* chain =
        commands.app().add_subcommand("chain", "the local host chain of a node folder");
    chain->require_subcommand(1);
    struct Options {
        std::string dir = "node";
        std::uint64_t count = 1;
        std::optional<std::uint64_t> time_ms;
        std::string key;
        std::string purpose = "storage";
        std::uint64_t amount = 0;
        std::vector<std::string> accounts;
        std::vector<std::string> bonds;
    };
    auto options = std::make_shared<Options>();
    CLI::App* append = chain->add_subcommand("new-block", "append blocks with what was submitted");
    add_dir_option(append, options->dir);
    append->add_option("-n,--count", options->count, "how many")->capture_default_str();
    append->add_option("--time-ms", options->time_ms,
                       "time of the first (default: its parent's + block_ms)");
    commands.run(
        append, "  holdfast chain new-block --dir node --count 10\n", [options, &commands] {
            return new_block(commands.globals(), options->dir, options->count, options->time_ms);
        });
    CLI::App* show = chain->add_subcommand("status", "tip, finality, pending submissions");
    add_dir_option(show, options->dir);
    commands.run(show, "  holdfast chain status --dir node --json\n",
                 [options] { return status(options->dir); });

    CLI::App* ledger =
        commands.app().add_subcommand("ledger", "the local bond ledger of a node folder");
    ledger->require_subcommand(1);
    CLI::App* issue_command = ledger->add_subcommand("issue", "new units into a key's account");
    add_dir_option(issue_command, options->dir);
    issue_command
        ->add_option("--key", options->key, "the owner's key: 64 hexadecimal digits, or a file")
        ->required();
    issue_command->add_option("--amount", options->amount, "units")->required();
    commands.run(issue_command,
                 "  holdfast ledger issue --dir node --key alice.key --amount 1000\n",
                 [options] { return issue(options->dir, options->key, options->amount); });
    CLI::App* fund =
        ledger->add_subcommand("fund", "new units into the pool that rewards are paid from");
    add_dir_option(fund, options->dir);
    fund->add_option("--amount", options->amount, "units")->required();
    commands.run(fund, "  holdfast ledger fund --dir node --amount 1000000\n",
                 [options] { return fund_pool(options->dir, options->amount); });
    CLI::App* bond =
        ledger->add_subcommand("bond", "a bond of a key's units; the next block lists it");
    add_dir_option(bond, options->dir);
    bond->add_option("--owner", options->key, "the owner's key: 64 hexadecimal digits, or a file")
        ->required();
    bond->add_option("--amount", options->amount, "units")->required();
    bond->add_option("--purpose", options->purpose,
                     "storage, challenger, submitter, evaluator or operator")
        ->capture_default_str();
    commands.run(bond,
                 "  holdfast ledger bond --dir node --owner alice.key --amount 1000 --purpose "
                 "storage\n",
                 [options] {
                     return make_bond(options->dir, options->key, options->amount,
                                      options->purpose);
                 });
    CLI::App* totals = ledger->add_subcommand("show", "totals, added up again");
    add_dir_option(totals, options->dir);
    totals->add_option("--account", options->accounts,
                       "a key whose balance to show: 64 hexadecimal digits, or a file (repeat)");
    totals->add_option("--bond", options->bonds, "id of a bond to show (repeat)");
    commands.run(totals, "  holdfast ledger show --dir node\n", [options] {
        return show_ledger(options->dir, options->accounts, options->bonds);
    });
}

}  // namespace holdfast::cli
