// chain new-block, chain status, ledger issue, ledger fund, ledger show: the embedded host.

#include "cli/commands.hpp"
#include "cli/workspace.hpp"
#include "storage/key_file.hpp"
#include "storage/randomness.hpp"

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
    HOLDFAST_ASSIGN(chain, open_chain(NodePaths{dir}, LocalChain::Mode::kReadWrite));
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

Result<std::unique_ptr<BondLedger>> open_ledger(const std::string& dir) {
    HOLDFAST_ASSIGN(chain, open_chain(NodePaths{dir}, LocalChain::Mode::kRead));
    return node::open_ledger(NodePaths{dir}, chain->network_id());
}

CommandResult issue(const std::string& dir, const std::string& key_file, std::uint64_t amount) {
    HOLDFAST_ASSIGN(key, load_key_pair(key_file));
    HOLDFAST_ASSIGN(ledger, open_ledger(dir));
    Digest nonce;
    HOLDFAST_TRY(random_bytes(nonce.bytes));
    HOLDFAST_TRY(ledger->issue(key.public_key(), amount, IdempotencyKey(nonce)));
    HOLDFAST_ASSIGN(balance, ledger->balance(key.public_key()));
    Output out;
    out.field("account", to_hex(key.public_key()));
    out.field("issued", amount);
    out.field("balance", balance);
    return out;
}

CommandResult fund_pool(const std::string& dir, std::uint64_t amount) {
    HOLDFAST_ASSIGN(ledger, open_ledger(dir));
    Digest nonce;
    HOLDFAST_TRY(random_bytes(nonce.bytes));
    HOLDFAST_TRY(ledger->fund_pool(amount, IdempotencyKey(nonce)));
    HOLDFAST_ASSIGN(totals, ledger->totals());
    Output out;
    out.field("funded", amount);
    out.field("in_pool", totals.in_pool);
    return out;
}

Status add_bonds(BondLedger& ledger, const std::vector<BondId>& bonds, Output& out) {
    for (const BondId& id : bonds) {
        HOLDFAST_ASSIGN(bond, ledger.bond_info(id));
        out.json["bonds"][to_hex(id)] = {{"owner", to_hex(bond.owner)},
                                         {"created", bond.created_amount},
                                         {"held", bond.held_amount},
                                         {"slashed", bond.slashed_amount}};
        out.line("bond " + to_hex(id) + ": holds " + std::to_string(bond.held_amount) + " of " +
                 std::to_string(bond.created_amount) + ", " + std::to_string(bond.slashed_amount) +
                 " slashed");
    }
    return {};
}

CommandResult show_ledger(const std::string& dir, const std::vector<std::string>& accounts,
                          const std::vector<std::string>& bond_words) {
    std::vector<BondId> bonds;
    for (const std::string& word : bond_words) {
        HOLDFAST_ASSIGN(id, parse_hex<BondId>(word, "--bond"));
        bonds.push_back(id);
    }
    std::vector<PublicKey> keys;
    for (const std::string& word : accounts) {
        HOLDFAST_ASSIGN(key, parse_hex<PublicKey>(word, "--account"));
        keys.push_back(key);
    }
    HOLDFAST_ASSIGN(ledger, open_ledger(dir));
    HOLDFAST_TRY(ledger->audit());
    HOLDFAST_ASSIGN(totals, ledger->totals());
    Output out;
    out.field("issued", totals.issued);
    out.field("in_accounts", totals.in_accounts);
    out.field("in_bonds", totals.in_bonds);
    out.field("in_pool", totals.in_pool);
    out.line("every account and bond was added up: the sums agree");
    for (const PublicKey& key : keys) {
        HOLDFAST_ASSIGN(balance, ledger->balance(key));
        out.json["balances"][to_hex(key)] = balance;
        out.line("account " + to_hex(key) + ": " + std::to_string(balance));
    }
    HOLDFAST_TRY(add_bonds(*ledger, bonds, out));
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
    issue_command->add_option("--key", options->key, "the owner's key file")->required();
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
    CLI::App* totals = ledger->add_subcommand("show", "totals, added up again");
    add_dir_option(totals, options->dir);
    totals->add_option("--account", options->accounts,
                       "a public key whose balance to show (repeat)");
    totals->add_option("--bond", options->bonds, "id of a bond to show (repeat)");
    commands.run(totals, "  holdfast ledger show --dir node\n", [options] {
        return show_ledger(options->dir, options->accounts, options->bonds);
    });
}

}  // namespace holdfast::cli
