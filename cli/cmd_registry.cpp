// registry stat, backup, restore, export, merge, journal, replay, verify: what a node's registry holds, and copies of it.

#include <unistd.h>

#include <bit>
#include <map>

#include "api/journal_file.hpp"
#include "api/replay.hpp"
#include "cli/commands.hpp"
#include "cli/workspace.hpp"
#include "hierarchy/plain_digests.hpp"
#include "hierarchy/registry_backup.hpp"
#include "json/block_json.hpp"
#include "json/leaves_json.hpp"
#include "json/object_json.hpp"
#include "storage/key_file.hpp"
#include "storage/parallel.hpp"
#include "storage/signed_statements.hpp"

namespace holdfast::cli {
namespace {

// --- stat ----------------------------------------------------------------------------------------

/// Chains by misses, in ranges that double: 0, 1, 2 to 3, 4 to 7, …
void add_misses(const std::map<std::uint64_t, std::uint64_t>& misses, Output& out) {
    std::map<std::uint64_t, std::uint64_t> ranges;
    for (const auto& [count, chains] : misses) {
        ranges[count == 0 ? 0 : std::uint64_t{1} << (std::bit_width(count) - 1)] += chains;
    }
    out.json["misses"] = Json::array();
    for (const auto& [from, chains] : ranges) {
        const std::uint64_t to = from == 0 ? 0 : 2 * from - 1;
        out.json["misses"].push_back({{"from", from}, {"to", to}, {"chains", chains}});
        out.line("misses " + std::to_string(from) +
                 (to == from ? "" : " to " + std::to_string(to)) + ": " + std::to_string(chains) +
                 " chain(s)");
    }
}

CommandResult stat(const std::string& dir) {
    HOLDFAST_ASSIGN(registry, open_registry_for_reading(dir));
    HOLDFAST_ASSIGN(s, registry->statistics());
    HOLDFAST_ASSIGN(misses, registry->misses());
    Output out;
    out.field("network", registry->params().name);
    out.field("network_id", to_hex(registry->network_id()));
    if (s.closed) {
        HOLDFAST_ASSIGN(block, registry->block(*s.closed));
        out.field("global", to_hex(block->global));
    }
    out.fields(json_of(s));
    add_misses(misses, out);
    out.field("misses_late", registry->params().misses_late);
    out.field("misses_expired", registry->params().misses_expired);
    return out;
}

// --- backup and restore --------------------------------------------------------------------------

CommandResult backup(const std::string& dir, const std::string& to) {
    HOLDFAST_ASSIGN(folder, registry_folder(dir));
    HOLDFAST_ASSIGN(copied, backup_registry(folder, to));
    Output out;
    out.field("backup", to);
    out.fields(json_of(copied));
    return out;
}

CommandResult restore(const std::string& from, const std::string& dir, bool force) {
    const NodePaths paths{dir};
    HOLDFAST_ASSIGN(chain, open_chain(paths, LocalChain::Mode::kRead));
    Result<RegistryStatistics> restored =
        restore_registry(from, paths.registry(), chain->params(), force);
    if (!restored && restored.error().code == ErrorCode::kAlreadyExists) {
        return fail(ErrorCode::kAlreadyExists,
                    restored.error().message + " (use --force to replace it)");
    }
    if (!restored) return fail(restored.error());
    Output out;
    out.field("registry", paths.registry().string());
    out.fields(json_of(*restored));
    return out;
}

// --- export --------------------------------------------------------------------------------------

Result<std::string> chains_text(const Globals& globals, const Registry& registry,
                                std::uint64_t total) {
    std::string out;
    std::uint64_t done = 0;
    std::optional<Error> failed;
    Progress progress(globals, "exporting", "chains");
    const auto add = [&](const ChainInfo& info) -> Status {
        HOLDFAST_ASSIGN(updates, registry.updates(info.chain_id));
        Json chain = {{"chain_id", to_hex(info.chain_id)},
                      {"phase", to_string(info.phase)},
                      {"accepted", info.accepted.value},
                      {"sealed_at", json_of(info.sealed_at)},
                      {"slot", info.slot ? Json(*info.slot) : Json(nullptr)},
                      {"status", info.status ? Json(to_string(*info.status)) : Json(nullptr)},
                      {"misses", info.misses},
                      {"removal_at", json_of(info.removal_at)},
                      {"vacant_from", json_of(info.vacant_from)},
                      {"liable_until", json_of(info.liable_until)},
                      {"part_taken", info.part_taken},
                      {"registration", to_json(info.registration)}};
        for (const Update& u : updates) chain["updates"].push_back(to_json(u));
        out += (done == 0 ? "\n  " : ",\n  ") + dump(chain);
        progress.update(++done, total);
        return stop_requested()() ? Status(interrupted()) : Status{};
    };
    HOLDFAST_TRY(registry.for_each_chain([&](const ChainInfo& info) {
        const Status added = add(info);
        if (!added) failed = added.error();
        return added.has_value();
    }));
    if (failed) return fail(*failed);
    return out;
}

Result<std::string> blocks_text(const Registry& registry, const RegistryStatistics& s) {
    std::string out;
    if (!s.tip) return out;
    const Height first = s.oldest_kept.value_or(registry.params().genesis_height);
    for (Height h = first; h <= *s.tip; ++h) {
        HOLDFAST_ASSIGN(block, registry.block(h));
        if (!block) continue;
        Json one = {{"height", h.value},
                    {"block_hash", to_hex(block->hash)},
                    {"y", block->y ? Json(to_hex(*block->y)) : Json(nullptr)},
                    {"closed", block->closed}};
        if (block->closed) {
            one["global"] = to_hex(block->global);
            one["totalChains"] = block->counts.total;
        }
        out += (out.empty() ? "\n  " : ",\n  ") + dump(one);
    }
    return out;
}

CommandResult export_json(const Globals& globals, const std::string& dir, const std::string& file,
                          bool force) {
    HOLDFAST_ASSIGN(registry, open_registry_for_reading(dir));
    HOLDFAST_ASSIGN(s, registry->statistics());
    LeavesDocument document;
    document.network = registry->params();
    HOLDFAST_ASSIGN(slots, registry->slots());
    document.slots = std::move(slots);
    if (document.slots.digest_height) {
        HOLDFAST_ASSIGN(block, registry->block(*document.slots.digest_height));
        document.global = block->global;
    }
    HOLDFAST_ASSIGN(blocks, blocks_text(*registry, s));
    HOLDFAST_ASSIGN(chains, chains_text(globals, *registry, s.registrations));
    const std::string text = begin_leaves_text(document) + ",\n \"blocks\": [" + blocks +
                             "\n ],\n \"chains\": [" + chains + "\n ]\n}\n";
    Output out;
    if (file.empty()) {
        out.text = text;
        if (globals.json) out.json = Json::parse(text);
        return out;
    }
    HOLDFAST_TRY(write_object(file, view(std::string_view(text)), force));
    out.field("file", file);
    out.field("bytes", text.size());
    out.field("height", json_of(document.slots.digest_height));
    out.field("leaves", document.slots.slots.size());
    out.field("chains", s.registrations);
    return out;
}

// --- merge ---------------------------------------------------------------------------------------

Result<LeavesDocument> read_part(const std::string& name) {
    std::error_code ignored;
    if (!std::filesystem::is_directory(name, ignored)) return read_leaves(name);
    HOLDFAST_ASSIGN(registry, open_registry_for_reading(name));
    LeavesDocument out;
    out.network = registry->params();
    HOLDFAST_ASSIGN(slots, registry->slots());
    out.slots = std::move(slots);
    return out;
}

CommandResult merge(const std::vector<std::string>& parts, const std::string& file, bool part,
                    bool force) {
    LeavesDocument merged;
    std::vector<RegistrySlots> all;
    for (const std::string& name : parts) {
        HOLDFAST_ASSIGN(read, read_part(name));
        merged.network = read.network;
        all.push_back(std::move(read.slots));
    }
    const Checked<RegistrySlots> result = merge_registries(all);
    if (!result) return fail_refused(result.error(), "merging");
    merged.slots = *result;
    Output out;
    out.field("network_id", to_hex(merged.slots.network_id));
    out.field("height", json_of(merged.slots.digest_height));
    out.field("leaves", merged.slots.slots.size());
    out.json["previous_differs"] = merged.slots.disagreement.previous;
    if (merged.slots.disagreement.previous) {
        out.line("the registries' digests of the height before differ; the smaller one stands");
    }
    if (const Verdict v = check_merged(merged.slots); !v && !part) {
        out.line("nothing was written; --part writes an unfinished merge for further merging");
        out.verdict(v);
        return out;
    }
    if (merged.slots.digest_height) {
        const auto digests = plain_digests(HierarchyShape::of(merged.network), merged.slots);
        if (!digests) return fail_refused(digests.error(), "merging");
        merged.global = digests->global;
        out.field("global", to_hex(*merged.global));
    }
    const std::string text = begin_leaves_text(merged) + "\n}\n";
    HOLDFAST_TRY(write_object(file, view(std::string_view(text)), force));
    out.field("file", file);
    return out;
}

// --- one history ---------------------------------------------------------------------------------

CommandResult journal(const std::string& dir, const std::string& file) {
    HOLDFAST_ASSIGN(registry, open_registry_for_reading(dir));
    // A head is the operator's signature: with its key here, heads stand in the file.
    const NodePaths paths{dir};
    const Result<KeyPair> key = load_key_pair(paths.operator_key());
    std::optional<SignedStatements> statements;
    if (key && key->public_key() == registry->params().operator_key) {
        HOLDFAST_ASSIGN(opened,
                        SignedStatements::open(
                            paths.statements() / (to_hex(view(key->public_key())) + ".signed"),
                            registry->network_id(), key->public_key()));
        statements.emplace(std::move(opened));
    }
    const HeadSource head = [&](Height h) -> Result<std::optional<JournalHead>> {
        if (!statements) return std::optional<JournalHead>();
        HOLDFAST_ASSIGN(body, registry->head_of(h));
        HOLDFAST_ASSIGN(block, registry->block(h));
        HOLDFAST_ASSIGN(verdict, statements->record(Kind::kHead, h, block->hash, body));
        if (verdict.reason == Reason::kTooLate) return std::optional<JournalHead>();
        if (!verdict) return fail_refused(verdict, "a head of this journal");
        body.resize(kHeadBytes);
        return std::optional(
            sign_head(registry->network_id(), JournalHead::decode(body).value(), *key));
    };
    HOLDFAST_TRY(write_journal(*registry, file, head));
    HOLDFAST_ASSIGN(size, registry->journal());
    Output out;
    out.field("file", file);
    out.field("entries", size.entries);
    out.field("root", to_hex(size.root));
    out.json["heads"] = statements.has_value();
    return out;
}

/// y of networks that have one is verified by a clock of its own, on the same public data.
Result<ReplayReport> replay_into(Registry& registry, LocalChain& chain, const std::string& file,
                                 const std::filesystem::path& vdf) {
    ReplayOptions options;
    const NetworkParams& params = registry.params();
    std::unique_ptr<VdfClock> clock;
    if (params.has_vdf || params.has_beacon) {
        HOLDFAST_ASSIGN(opened, VdfClock::open(params, chain, nullptr, std::nullopt, {vdf, 0}));
        clock = std::make_unique<VdfClock>(std::move(opened));
        clock->set_closed_without_y([&registry](Height height) -> Result<bool> {
            HOLDFAST_ASSIGN(record, registry.block(height));
            return record && record->closed && !record->y;
        });
        options.check_y = [&clock](Height height, const VdfOutput& y) -> Result<Verdict> {
            VdfClockWork work;
            work.stop = stop_requested();
            HOLDFAST_ASSIGN(entropy, clock->at(height, work));
            return Verdict(entropy.y == y ? Reason::kOk : Reason::kWrongOutput);
        };
    }
    return replay_journal(registry, chain, file, options);
}

/// Rebuilds a registry from the two inputs, in the folder `to`, and compares every head.
CommandResult replay(const std::string& chain_dir, const std::string& file, const std::string& to,
                     const std::string& vdf) {
    HOLDFAST_ASSIGN(chain, open_chain(NodePaths{chain_dir}, LocalChain::Mode::kRead));
    HOLDFAST_ASSIGN(registry, Registry::open(to, chain->params()));
    const std::filesystem::path proofs =
        vdf.empty() ? NodePaths{chain_dir}.vdf() : std::filesystem::path(vdf);
    HOLDFAST_ASSIGN(report, replay_into(*registry, *chain, file, proofs));
    HOLDFAST_ASSIGN(size, registry->journal());
    HOLDFAST_ASSIGN(state, registry->export_state());
    HOLDFAST_ASSIGN(s, registry->statistics());
    Output out;
    out.field("registry", to);
    out.field("entries", report.entries);
    out.field("known", report.known);
    out.field("heads", report.heads);
    out.field("root", to_hex(size.root));
    out.field("state", to_hex(state));
    out.fields(json_of(s));
    return out;
}

/// The same into a folder that is thrown away, and against a registry that may be in use.
CommandResult verify(const std::string& dir, const std::string& vdf) {
    HOLDFAST_ASSIGN(theirs, open_registry_for_reading(dir));
    std::string pattern = (std::filesystem::temp_directory_path() / "holdfast-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) return fail_errno(errno, "a temporary folder");
    const std::filesystem::path folder = pattern;
    const auto run = [&]() -> CommandResult {
        const std::string file = (folder / "journal").string();
        HOLDFAST_TRY(write_journal(*theirs, file, {}));
        HOLDFAST_ASSIGN(chain, open_chain(NodePaths{dir}, LocalChain::Mode::kRead));
        HOLDFAST_ASSIGN(own, Registry::open(folder / "registry", chain->params()));
        const std::filesystem::path proofs =
            vdf.empty() ? NodePaths{dir}.vdf() : std::filesystem::path(vdf);
        HOLDFAST_ASSIGN(report, replay_into(*own, *chain, file, proofs));
        HOLDFAST_ASSIGN(closed, own->closed());
        Output out;
        out.field("entries", report.entries);
        std::uint64_t heads = 0;
        for (Height h = own->params().genesis_height; closed && h <= *closed; ++h) {
            HOLDFAST_ASSIGN(mine, own->head_of(h));
            HOLDFAST_ASSIGN(other, theirs->head_of(h));
            if (mine != other) {
                return fail_refused(Reason::kGlobalMismatch,
                                    "the head of height " + std::to_string(h.value));
            }
            ++heads;
        }
        out.field("heads", heads);
        out.line("every digest is that of the chain and the journal");
        return out;
    };
    CommandResult result = run();
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
    return result;
}

struct RegistryArguments {
    std::string dir = "node";
    std::string from;
    std::string out;
    std::string journal;
    std::string vdf;
    std::vector<std::string> parts;
    bool part = false;
    bool force = false;
};

void add_readable_dir(CLI::App* command, std::string& dir) {
    command->add_option("-d,--dir", dir, "folder of a node, a registry or a backup")
        ->capture_default_str();
}

void add_copying(CLI::App* registry, const std::shared_ptr<RegistryArguments>& a,
                 Commands& commands) {
    CLI::App* stat_command = registry->add_subcommand(
        "stat", "chains by status, misses, heights, sizes; also while a node runs");
    add_readable_dir(stat_command, a->dir);
    commands.run(stat_command, "  holdfast registry stat --dir node --json\n",
                 [a] { return stat(a->dir); });

    CLI::App* backup_command = registry->add_subcommand(
        "backup", "a checked, compacted copy in a new folder; also while a node runs");
    add_readable_dir(backup_command, a->dir);
    backup_command->add_option("-o,--out", a->out, "the new folder")->required();
    commands.run(backup_command, "  holdfast registry backup --dir node --out backup\n",
                 [a] { return backup(a->dir, a->out); });

    CLI::App* restore_command =
        registry->add_subcommand("restore", "makes a backup the registry of a node, in one step");
    restore_command->add_option("backup", a->from, "folder of the backup")->required();
    add_dir_option(restore_command, a->dir);
    restore_command->add_flag("--force", a->force, "replace the registry that is there");
    commands.run(restore_command, "  holdfast registry restore backup --dir node --force\n",
                 [a] { return restore(a->from, a->dir, a->force); });
}

void add_history(CLI::App* registry, const std::shared_ptr<RegistryArguments>& a,
                 Commands& commands) {
    constexpr const char* kVdfHelp = "folder of VDF proofs (default: the node's)";
    CLI::App* journal_command = registry->add_subcommand(
        "journal", "writes the journal to a file, with its heads where the operator's key is");
    add_readable_dir(journal_command, a->dir);
    journal_command->add_option("-o,--out", a->out, "the new file")->required();
    commands.run(journal_command, "  holdfast registry journal --dir node --out node.journal\n",
                 [a] { return journal(a->dir, a->out); });

    CLI::App* replay_command = registry->add_subcommand(
        "replay", "makes a registry again from a chain and a journal, and compares every digest");
    replay_command->add_option("--chain", a->dir, "folder of a node with the chain")->required();
    replay_command->add_option("--journal", a->journal, "file of the journal")->required();
    replay_command->add_option("-o,--out", a->out, "folder of the registry; goes on where it ended")
        ->required();
    replay_command->add_option("--vdf", a->vdf, kVdfHelp);
    commands.run(replay_command,
                 "  holdfast registry replay --chain node --journal node.journal --out again\n",
                 [a] { return replay(a->dir, a->journal, a->out, a->vdf); });

    CLI::App* verify_command = registry->add_subcommand(
        "verify", "replays a registry's own journal and compares every digest; while a node runs");
    add_readable_dir(verify_command, a->dir);
    verify_command->add_option("--vdf", a->vdf, kVdfHelp);
    commands.run(verify_command, "  holdfast registry verify --dir node\n",
                 [a] { return verify(a->dir, a->vdf); });
}

}  // namespace

void add_registry_commands(Commands& commands) {
    auto a = std::make_shared<RegistryArguments>();
    CLI::App* registry = commands.app().add_subcommand("registry", "the registry of a node");
    registry->require_subcommand(1);
    add_copying(registry, a, commands);
    add_history(registry, a, commands);

    CLI::App* export_command = registry->add_subcommand(
        "export", "leaves, blocks and chains as one JSON document; also while a node runs");
    add_readable_dir(export_command, a->dir);
    export_command->add_option("-o,--out", a->out, "file (default: standard output)");
    export_command->add_flag("--force", a->force, "replace the file");
    commands.run(
        export_command,
        "  holdfast registry export --dir node --out registry.json\n"
        "  holdfast registry export --dir node --json\n",
        [a, &commands] { return export_json(commands.globals(), a->dir, a->out, a->force); });

    CLI::App* merge_command = registry->add_subcommand(
        "merge",
        "the leaves of several registries of one network at their newest digest, as one document");
    merge_command
        ->add_option("parts", a->parts, "folders of nodes, registries or backups, or leaves")
        ->required()
        ->expected(1, 1'000);
    merge_command->add_option("-o,--out", a->out, "file for the merged leaves")->required();
    merge_command->add_flag("--part", a->part,
                            "more will be merged: leave refusals to the last merge");
    merge_command->add_flag("--force", a->force, "replace the file");
    commands.run(merge_command,
                 "  holdfast registry merge node-a node-b --out merged.json\n"
                 "  holdfast registry merge merged.json backup-c --out all.json --json\n",
                 [a] { return merge(a->parts, a->out, a->part, a->force); });
}

}  // namespace holdfast::cli
