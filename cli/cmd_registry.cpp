// registry stat, backup, restore, export, merge: what a node's registry holds, and copies of it.

#include <bit>
#include <map>

#include "cli/commands.hpp"
#include "cli/workspace.hpp"
#include "hierarchy/plain_digests.hpp"
#include "hierarchy/registry_backup.hpp"
#include "json/blocks.hpp"
#include "json/leaves.hpp"
#include "json/objects.hpp"
#include "storage/parallel.hpp"

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
    out.field("journal_entries", s.entries);
    out.field("first_kept_entry", s.first_kept_entry);
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

struct RegistryArguments {
    std::string dir = "node";
    std::string from;
    std::string out;
    std::vector<std::string> parts;
    bool part = false;
    bool force = false;
};

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

}  // namespace

void add_registry_commands(Commands& commands) {
    auto a = std::make_shared<RegistryArguments>();
    CLI::App* registry = commands.app().add_subcommand("registry", "the registry of a node");
    registry->require_subcommand(1);
    add_copying(registry, a, commands);
    add_history_commands(registry, commands);

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
