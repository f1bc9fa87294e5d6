// registry journal, state, import, replay, verify: a registry out of a chain and a journal, from
// the beginning or from a state on.

#include "api/closed_without_y.hpp"
#include "api/journal_file.hpp"
#include "api/replay.hpp"
#include "cli/commands.hpp"
#include "cli/workspace.hpp"
#include "hierarchy/registry_state.hpp"
#include "json/blocks.hpp"
#include "storage/file.hpp"
#include "storage/key_file.hpp"
#include "storage/randomness.hpp"
#include "storage/signed_statements.hpp"
#include "storage/temporary_folder.hpp"

namespace holdfast::cli {
namespace {

namespace fs = std::filesystem;

// --- heads ---------------------------------------------------------------------------------------

/// Heads of a node that is its network's operator, signed again where they were signed before. The
/// node may run meanwhile.
class OperatorHeads {
  public:
    static Result<OperatorHeads> open(const std::string& dir, const Registry& registry) {
        OperatorHeads out(registry);
        const NodePaths paths{dir};
        Result<KeyPair> key = load_key_pair(paths.operator_key());
        if (!key || key->public_key() != registry.params().operator_key) return out;
        Result<SignedStatements> statements = SignedStatements::read(
            paths.statements() / (to_hex(view(key->public_key())) + ".signed"),
            registry.network_id(), key->public_key());
        if (!statements && statements.error().code == ErrorCode::kNotFound) return out;
        if (!statements) return fail(statements.error());
        out.key_.emplace(std::move(*key));
        out.statements_.emplace(std::move(*statements));
        return out;
    }
    [[nodiscard]] Result<std::optional<JournalHead>> operator()(Height height) const {
        if (!statements_) return std::optional<JournalHead>();
        HOLDFAST_ASSIGN(body, registry_->head_of(height));
        HOLDFAST_ASSIGN(block, registry_->block(height));
        if (!statements_->recorded(Kind::kHead, height, block->hash, body)) {
            return std::optional<JournalHead>();
        }
        body.resize(kHeadBytes);
        return sign_head(registry_->network_id(), JournalHead::decode(body).value(), *key_);
    }

  private:
    explicit OperatorHeads(const Registry& registry) : registry_(&registry) {}
    const Registry* registry_;
    std::optional<KeyPair> key_;
    std::optional<SignedStatements> statements_;
};

/// The head of a height in a journal file; empty where the file lacks it.
Result<std::optional<JournalHead>> find_head(const fs::path& journal, const NetworkParams& params,
                                             Height height) {
    std::optional<JournalHead> found;
    JournalVisitor visitor;
    visitor.head = [&](const JournalHead& head) {
        if (head.height == height) found = head;
        return Status{};
    };
    HOLDFAST_TRY(read_journal(journal, params, visitor));
    return found;
}

// --- journal and state ---------------------------------------------------------------------------

CommandResult journal(const std::string& dir, const std::string& file,
                      const std::optional<std::uint64_t>& behind) {
    HOLDFAST_ASSIGN(registry, open_registry_for_reading(dir));
    HOLDFAST_ASSIGN(heads, OperatorHeads::open(dir, *registry));
    std::uint64_t written = 0;
    const HeadSource head = [&](Height h) -> Result<std::optional<JournalHead>> {
        HOLDFAST_ASSIGN(its, heads(h));
        written += its ? 1 : 0;
        return its;
    };
    HOLDFAST_ASSIGN(size, registry->journal());
    if (!behind && size.first_kept > 0) {
        return fail(ErrorCode::kNotFound,
                    "this registry keeps its journal from entry " +
                        std::to_string(size.first_kept) +
                        " on: write a state (registry state), and with --behind its height the "
                        "journal that follows it");
    }
    const std::optional<Height> from = behind ? std::optional(Height(*behind)) : std::nullopt;
    HOLDFAST_TRY(write_journal(*registry, file, head, from));
    Output out;
    out.field("file", file);
    if (from) out.field("behind", from->value);
    out.field("entries", size.entries);
    out.field("root", to_hex(size.root));
    out.field("heads", written);
    return out;
}

CommandResult state(const std::string& dir, const std::string& file,
                    const std::optional<std::uint64_t>& wanted) {
    HOLDFAST_ASSIGN(registry, open_registry_for_reading(dir));
    HOLDFAST_ASSIGN(heights, registry->states());
    if (heights.empty()) {
        return fail(ErrorCode::kNotFound,
                    "no state lies here: a registry keeps one when a height divisible by " +
                        std::to_string(registry->params().checkpoint_blocks) + " closes");
    }
    const Height height = wanted ? Height(*wanted) : heights.back();
    HOLDFAST_ASSIGN(heads, OperatorHeads::open(dir, *registry));
    std::optional<Signature> signature;
    if (const auto head = heads(height); head && *head) signature = (*head)->signature;
    Status saved = registry->save_state(height, file, signature);
    if (!saved && saved.error().code == ErrorCode::kNotFound) {
        std::string have;
        for (const Height h : heights) have += " " + std::to_string(h.value);
        return fail(ErrorCode::kNotFound, saved.error().message + "; there is:" + have);
    }
    if (!saved) return fail(saved.error());
    HOLDFAST_ASSIGN(head, read_state_head(file));
    Output out;
    out.field("file", file);
    out.field("height", height.value);
    out.field("entries", head.head.size);
    out.field("state", to_hex(head.head.state));
    const bool is_signed = !head.head.signature.is_zero();
    out.field("signed", is_signed);
    if (!is_signed) {
        out.line(
            "its head is not signed here: who takes it needs the operator's head of this "
            "height, as a journal holds it");
    }
    return out;
}

// --- replaying -----------------------------------------------------------------------------------

struct HistoryArguments {
    std::string dir = "node";
    std::string chain;
    std::string journal;
    std::string state;
    std::string out;
    std::string vdf;
    std::string seed;
    std::string evidence;
    std::optional<std::uint64_t> height;
    std::optional<std::uint64_t> behind;
    double fills = 1;
};

/// y of networks that have one is verified by a clock of its own, on the same public data.
struct ReplayClock {
    std::unique_ptr<LocalBeacon> beacon;
    std::unique_ptr<VdfClock> clock;

    static Result<ReplayClock> open(const Registry& registry, LocalChain& chain,
                                    const NodePaths& paths, const std::string& vdf) {
        ReplayClock out;
        const NetworkParams& params = registry.params();
        if (!params.has_vdf && !params.has_beacon) return out;
        if (params.has_beacon) {
            HOLDFAST_ASSIGN(beacon, LocalBeacon::reader(paths.beacon(), params));
            out.beacon = std::move(beacon);
        }
        const fs::path proofs = vdf.empty() ? paths.vdf() : fs::path(vdf);
        HOLDFAST_ASSIGN(opened, VdfClock::open(params, chain, out.beacon.get(), std::nullopt,
                                               {proofs, 0, ClockFolder::kForeign}));
        out.clock = std::make_unique<VdfClock>(std::move(opened));
        out.clock->set_closed_without_y(closed_without_y(registry));
        return out;
    }
};

Result<FillSample> fill_sample(const HistoryArguments& a) {
    FillSample out;
    out.share = a.fills;
    if (a.seed.empty()) {
        HOLDFAST_TRY(random_bytes(MutByteView(out.seed.bytes)));
        return out;
    }
    HOLDFAST_ASSIGN(seed, parse_hex<Digest>(a.seed, "--seed"));
    out.seed = seed;
    return out;
}

/// A seal proof that the operator took and that is false is kept as evidence.
Status save_evidence(const HistoryArguments& a, const ReplayReport& report, const Status& done) {
    if (!report.evidence) return done;
    const std::string file = a.evidence.empty() ? "false-seal.evidence" : a.evidence;
    const Status written = write_object(file, *report.evidence, false);
    Error error = done.error();
    error.message +=
        ", a false seal proof that the operator took; the evidence against its prover ";
    error.message += written ? "is in " + file : "was not written: " + written.error().message;
    return fail(std::move(error));
}

/// What a replay came to, and how it drew its fills.
struct Replayed {
    ReplayReport report;
    std::optional<FillSample> fills;
};

Result<Replayed> replay_into(const Globals& globals, Registry& registry, LocalChain& chain,
                             const std::string& file, const NodePaths& paths,
                             const HistoryArguments& a) {
    HOLDFAST_ASSIGN(clock, ReplayClock::open(registry, chain, paths, a.vdf));
    ReplayOptions options;
    if (clock.clock) {
        options.check_y = [&clock](Height height, const VdfOutput& y) -> Result<Verdict> {
            VdfClockWork work;
            work.stop = stop_requested();
            HOLDFAST_ASSIGN(entropy, clock.clock->at(height, work));
            return Verdict(entropy.y == y ? Reason::kOk : Reason::kWrongOutput);
        };
    }
    if (a.fills < 1) {
        HOLDFAST_ASSIGN(sample, fill_sample(a));
        options.fills = sample;
    }
    Progress progress(globals, "replaying", "records");
    const StopCheck stop = stop_requested();
    options.step = [&](std::uint64_t done, std::uint64_t records) -> Status {
        progress.update(done, records);
        return stop && stop() ? fail(ErrorCode::kInterrupted, "the replay goes on from here")
                              : Status{};
    };
    ReplayReport report;
    const Status done = replay_journal(registry, chain, file, options, report);
    if (!done) HOLDFAST_TRY(save_evidence(a, report, done));
    return Replayed{std::move(report), options.fills};
}

Json replayed_json(const Replayed& replayed) {
    const ReplayReport& r = replayed.report;

    Json out = {{"entries", r.entries},         {"known", r.known},
                {"passed", r.passed},           {"heads", r.heads},
                {"seal_proofs", r.seal_proofs}, {"fills", r.filled.size()}};
    if (replayed.fills) out["seed"] = to_hex(replayed.fills->seed);
    return out;
}

void describe_replay(const Replayed& replayed, Output& out) {
    out.fields(replayed_json(replayed));
    out.json["filled"] = replayed.report.filled;
    if (!replayed.fills) return;
    std::string entries;
    for (const std::uint64_t e : replayed.report.filled) entries += " " + std::to_string(e);
    out.line("fills made for entries:" + (entries.empty() ? " none" : entries));
}

/// What a registry that was made again says of itself.
Status describe(const Registry& registry, const Replayed& replayed, Output& out) {
    HOLDFAST_ASSIGN(size, registry.journal());
    HOLDFAST_ASSIGN(digest, registry.export_state());
    HOLDFAST_ASSIGN(s, registry.statistics());
    describe_replay(replayed, out);
    out.field("root", to_hex(size.root));
    out.field("state", to_hex(digest));
    out.fields(json::json_of(s));
    return {};
}

/// Rebuilds a registry from the two inputs, and compares every head.
CommandResult replay(const Globals& globals, const HistoryArguments& a) {
    const NodePaths paths{a.chain};
    HOLDFAST_ASSIGN(chain, open_chain(paths, LocalChain::Mode::kRead));
    HOLDFAST_TRY(check_journal(a.journal, chain->params()));
    HOLDFAST_ASSIGN(registry, Registry::open(a.out, chain->params()));
    HOLDFAST_ASSIGN(replayed, replay_into(globals, *registry, *chain, a.journal, paths, a));
    Output out;
    out.field("registry", a.out);
    HOLDFAST_TRY(describe(*registry, replayed, out));
    return out;
}

/// The block that the head speaks of must be the chain's.
Status check_head_block(LocalChain& chain, const JournalHead& head) {
    HOLDFAST_ASSIGN(block, chain.block_by_height(head.height));
    if (block.hash == head.block_hash) return {};
    return fail_refused(Reason::kWrongBlock,
                        "block " + std::to_string(head.height.value) + " of the chain");
}

CommandResult import(const Globals& globals, const HistoryArguments& a) {
    const NodePaths paths{a.chain};
    HOLDFAST_ASSIGN(chain, open_chain(paths, LocalChain::Mode::kRead));
    HOLDFAST_ASSIGN(file, read_state_head(a.state));
    if (file.network_id != chain->params().id())
        return fail_refused(Reason::kWrongNetwork, a.state);
    if (!a.journal.empty()) HOLDFAST_TRY(check_journal(a.journal, chain->params()));
    StateImport how;
    how.stop = stop_requested();
    if (file.head.signature.is_zero() && !a.journal.empty()) {
        HOLDFAST_ASSIGN(head, find_head(a.journal, chain->params(), file.head.height));
        how.head = head;
    }
    HOLDFAST_TRY(check_head_block(*chain, file.head));
    Progress progress(globals, "importing", "B");
    how.progress = [&](std::uint64_t done, std::uint64_t all) { progress.update(done, all); };
    HOLDFAST_ASSIGN(taken, import_state(a.state, a.out, chain->params(), how));
    Output out;
    out.field("registry", a.out);
    out.field("height", file.head.height.value);
    if (a.journal.empty()) {
        out.field("state", to_hex(file.head.state));
        out.fields(json::json_of(taken));
        return out;
    }
    HOLDFAST_ASSIGN(registry, Registry::open(a.out, chain->params()));
    HOLDFAST_ASSIGN(replayed, replay_into(globals, *registry, *chain, a.journal, paths, a));
    HOLDFAST_TRY(describe(*registry, replayed, out));
    return out;
}

// --- verify --------------------------------------------------------------------------------------

/// The lowest height whose state lies there and behind which the whole journal is kept.
Result<Height> state_to_begin_with(const Registry& registry, const JournalSize& size) {
    HOLDFAST_ASSIGN(heights, registry.states());
    for (const Height height : heights) {
        HOLDFAST_ASSIGN(body, registry.head_of(height));
        body.resize(kHeadBytes);
        if (JournalHead::decode(body)->size >= size.first_kept) return height;
    }
    return fail(ErrorCode::kNotFound, "the journal is kept from entry " +
                                          std::to_string(size.first_kept) +
                                          " on, and no state lies here to begin with");
}

struct VerifyStart {
    std::unique_ptr<Registry> registry;
    std::optional<Height> behind;
};

/// An empty registry, or the one of a state that theirs keeps.
Result<VerifyStart> begin_verify(const Registry& theirs, const fs::path& folder) {
    VerifyStart out;
    HOLDFAST_ASSIGN(size, theirs.journal());
    if (size.first_kept > 0) {
        HOLDFAST_ASSIGN(height, state_to_begin_with(theirs, size));
        HOLDFAST_TRY(theirs.save_state(height, folder / "state", std::nullopt));
        HOLDFAST_ASSIGN(file, read_state_head(folder / "state"));
        StateImport how;
        how.head = file.head;
        how.own_head = true;
        HOLDFAST_ASSIGN(taken,
                        import_state(folder / "state", folder / "registry", theirs.params(), how));
        (void)taken;
        out.behind = height;
    }
    HOLDFAST_ASSIGN(own, Registry::open(folder / "registry", theirs.params()));
    out.registry = std::move(own);
    return out;
}

Result<std::uint64_t> compare_heads(const Registry& mine, const Registry& theirs, Height first) {
    HOLDFAST_ASSIGN(closed, mine.closed());
    std::uint64_t heads = 0;
    for (Height h = first; closed && h <= *closed; ++h) {
        HOLDFAST_ASSIGN(own, mine.head_of(h));
        HOLDFAST_ASSIGN(other, theirs.head_of(h));
        if (own != other) {
            return fail_refused(Reason::kGlobalMismatch,
                                "the head of height " + std::to_string(h.value));
        }
        ++heads;
    }
    return heads;
}

/// The same into a folder that is thrown away, and against a registry that may be in use.
CommandResult verify(const Globals& globals, const HistoryArguments& a) {
    HOLDFAST_ASSIGN(theirs, open_registry_for_reading(a.dir));
    HOLDFAST_ASSIGN(folder, TemporaryFolder::make(fs::temp_directory_path(), "holdfast-verify"));
    const NodePaths paths{a.chain.empty() ? a.dir : a.chain};
    HOLDFAST_ASSIGN(chain, open_chain(paths, LocalChain::Mode::kRead));
    HOLDFAST_ASSIGN(start, begin_verify(*theirs, folder.path()));
    const std::string file = (folder.path() / "journal").string();
    HOLDFAST_TRY(write_journal(*theirs, file, {}, start.behind));
    HOLDFAST_ASSIGN(replayed, replay_into(globals, *start.registry, *chain, file, paths, a));
    const Height first = start.behind.value_or(theirs->params().genesis_height);
    HOLDFAST_ASSIGN(heads, compare_heads(*start.registry, *theirs, first));
    replayed.report.heads = heads;
    Output out;
    if (start.behind) out.field("behind", start.behind->value);
    describe_replay(replayed, out);
    out.line(start.behind ? "every digest since then is that of the chain and the journal"
                          : "every digest is that of the chain and the journal");
    return out;
}

// --- options -------------------------------------------------------------------------------------

void add_replay_options(CLI::App* command, const std::shared_ptr<HistoryArguments>& a) {
    command->add_option("--vdf", a->vdf, "folder of VDF proofs (default: the node's)");
    command
        ->add_option("--fills", a->fills,
                     "share of the seal proofs whose fills are made again; the operator made all")
        ->check(CLI::Range(0.0, 1.0))
        ->capture_default_str();
    command->add_option("--seed", a->seed,
                        "32 bytes of hex from which that share is drawn (default: at random)");
    command->add_option("--evidence", a->evidence,
                        "file for evidence where a fill shows a false seal proof "
                        "(default: false-seal.evidence)");
}

void add_writing(CLI::App* registry, const std::shared_ptr<HistoryArguments>& a,
                 Commands& commands) {
    CLI::App* journal_command = registry->add_subcommand(
        "journal",
        "writes the journal to a file, with its heads where the operator's key is; while a node "
        "runs");
    add_readable_dir(journal_command, a->dir);
    journal_command->add_option("-o,--out", a->out, "the new file")->required();
    journal_command->add_option("--behind", a->behind,
                                "only what follows the head of this height, as behind a state");
    commands.run(journal_command,
                 "  holdfast registry journal --dir node --out node.journal\n"
                 "  holdfast registry journal --dir node --behind 690 --out later.journal\n",
                 [a] { return journal(a->dir, a->out, a->behind); });

    CLI::App* state_command = registry->add_subcommand(
        "state",
        "writes the state of a checkpoint height to a file, for who comes late; while a node runs");
    add_readable_dir(state_command, a->dir);
    state_command->add_option("--height", a->height, "of which height (default: the newest kept)");
    state_command->add_option("-o,--out", a->out, "the new file")->required();
    commands.run(state_command, "  holdfast registry state --dir node --out node.state\n",
                 [a] { return state(a->dir, a->out, a->height); });
}

}  // namespace

void add_history_commands(CLI::App* registry, Commands& commands) {
    auto a = std::make_shared<HistoryArguments>();
    add_writing(registry, a, commands);
    constexpr const char* kChainHelp = "folder of a node with the chain";

    CLI::App* import_command = registry->add_subcommand(
        "import", "makes a new registry of a state, and replays the journal from there");
    import_command->add_option("--state", a->state, "file of the state")->required();
    import_command->add_option("--chain", a->chain, kChainHelp)->required();
    import_command->add_option("--journal", a->journal,
                               "file of the journal; also for the head of a state without one");
    import_command->add_option("-o,--out", a->out, "folder of the new registry")->required();
    add_replay_options(import_command, a);
    commands.run(import_command,
                 "  holdfast registry import --state node.state --journal later.journal "
                 "--chain node --out late\n",
                 [a, &commands] { return import(commands.globals(), *a); });

    CLI::App* replay_command = registry->add_subcommand(
        "replay", "makes a registry again from a chain and a journal, and compares every digest");
    replay_command->add_option("--chain", a->chain, kChainHelp)->required();
    replay_command->add_option("--journal", a->journal, "file of the journal")->required();
    replay_command->add_option("-o,--out", a->out, "folder of the registry; goes on where it ended")
        ->required();
    add_replay_options(replay_command, a);
    commands.run(replay_command,
                 "  holdfast registry replay --chain node --journal node.journal --out again\n",
                 [a, &commands] { return replay(commands.globals(), *a); });

    CLI::App* verify_command = registry->add_subcommand(
        "verify", "replays a registry's own journal and compares every digest; while a node runs");
    add_readable_dir(verify_command, a->dir);
    verify_command->add_option("--chain", a->chain,
                               "folder of a node with the chain (default: DIR)");
    add_replay_options(verify_command, a);
    commands.run(verify_command, "  holdfast registry verify --dir node\n",
                 [a, &commands] { return verify(commands.globals(), *a); });
}

}  // namespace holdfast::cli
