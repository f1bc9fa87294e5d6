// block process, public export, stats: running a node.

#include <algorithm>
#include <cstdio>

#include "api/registry_reading.hpp"
#include "availability/score.hpp"
#include "cli/ask_node.hpp"
#include "cli/block_inputs.hpp"
#include "cli/commands.hpp"
#include "cli/workspace.hpp"
#include "json/blocks.hpp"
#include "storage/file.hpp"

namespace holdfast::cli {
namespace {

struct ProcessArguments {
    std::string dir = "node";
    BlockInputNames inputs;
    unsigned threads = 0;
    std::string way;
    std::optional<std::uint64_t> limit;
    std::string proofs;
    std::optional<std::uint64_t> map_bytes;
};

constexpr std::size_t kToldFaults = 20;
constexpr const char* kTooFull =
    "that is close to a block's time or over it; links will come too late. Add cores or faster "
    "disks, or move chains to another machine.";

void describe_set(const SetReport& set, Output& out) {
    out.line("  set of " + with_commas(set.members) + ": " + with_commas(set.links) + " of " +
             with_commas(set.links_due) + " links, " + with_commas(set.compact_proofs) +
             " compact and " + with_commas(set.full_proofs) + " full proofs, " +
             with_commas(set.seal_proofs) + " seal proofs in " + format_duration(set.times.all()));
}

void describe_block(const BlockReport& report, Output& out) {
    std::string line = "block " + std::to_string(report.height.value) + ": y " +
                       (report.y ? to_hex(*report.y).substr(0, 16) + "..." : "unknown") + " (" +
                       format_duration(report.vdf_seconds) + ")";
    if (report.closed) {
        line += ", digest of " + std::to_string(report.closed->value) + " closed over " +
                std::to_string(report.counts.total) + " chain(s)";
    }
    if (!report.receipts.empty())
        line += ", " + std::to_string(report.receipts.size()) + " link(s)";
    for (const MadeProof& p : report.proofs) {
        line += std::string(", ") + (p.full_required ? "full" : "compact") + " proof of height " +
                std::to_string(p.height.value) + " (" + std::to_string(p.object.size() - 2) +
                " bytes)";
    }
    out.line(line);
    for (const ObjectOutcome& o : report.objects) {
        out.line("  " + std::string(to_string(o.kind)) +
                 (o.verdict ? " accepted" : " REFUSED: " + to_string(o.verdict)));
    }
    for (const Effect& e : report.effects) {
        out.line("  chain " + to_hex(e.chain_id).substr(0, 16) +
                 "...: " + std::string(to_string(e.kind)));
    }
    for (const SetReport& set : report.sets) describe_set(set, out);
    std::uint64_t faults = report.faults.size();
    for (const SetReport& set : report.sets) faults += set.fault_count - set.faults.size();
    for (std::size_t i = 0; i < std::min(report.faults.size(), kToldFaults); ++i) {
        out.line("  FAULT: " + report.faults[i].error.message);
    }
    if (faults > kToldFaults) {
        out.line("  and " + with_commas(faults - kToldFaults) + " faults more");
    }
    if (report.forecast) {
        out.line("  " + report.forecast->text());
        if (report.forecast->warning) out.line("  WARNING: " + std::string(kTooFull));
    }
}

Status save_proof(const std::string& folder, const MadeProof& p) {
    const Checked<Kind> kind = peek_kind(p.object);
    const std::string name = to_hex(p.chain_id).substr(0, 16) + "-" +
                             std::to_string(p.height.value) + "." +
                             std::string(kind ? to_string(*kind) : "proof");
    return write_file(std::filesystem::path(folder) / name, p.object, true);
}

Status make_proof_folder(const std::string& folder) {
    if (folder.empty()) return {};
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    return error ? Status(fail_errno(error.value(), folder)) : Status{};
}

Status save_proofs(const std::string& folder, const BlockReport& report) {
    if (folder.empty()) return {};
    for (const MadeProof& p : report.proofs) HOLDFAST_TRY(save_proof(folder, p));
    return {};
}

Result<BlockProcessorOptions> set_options(const ProcessArguments& arguments) {
    BlockProcessorOptions options;
    options.threads = arguments.threads;
    if (!arguments.way.empty()) {
        options.way = batch_reader_way(arguments.way);
        if (!options.way) {
            return fail(ErrorCode::kInvalidArgument,
                        "--reader must be advised, mapped, threads or uring");
        }
    }
    if (!arguments.proofs.empty()) {
        options.on_proof = [folder = arguments.proofs](MadeProof&& p) {
            return save_proof(folder, p);
        };
    }
    return options;
}

CommandResult process(const Globals& globals, const ProcessArguments& arguments) {
    const BlockInputNames& names = arguments.inputs;
    if (names.keys.size() != names.replicas.size()) {
        return fail(ErrorCode::kInvalidArgument,
                    "give one --key for each --replica, in the same order");
    }
    if (names.set_keys.size() != names.sets.size()) {
        return fail(ErrorCode::kInvalidArgument,
                    "give one --set-key for each --set, in the same order");
    }
    AggregatorOptions options;
    if (arguments.map_bytes) options.registry_options.map_bytes = *arguments.map_bytes;
    HOLDFAST_ASSIGN(processing, set_options(arguments));
    options.sets = std::move(processing);
    HOLDFAST_ASSIGN(node, open_whole_node(arguments.dir,
                                          "it processes the blocks itself; links are handed to it "
                                          "by holdfast prover",
                                          std::move(options)));
    Output out;
    HOLDFAST_ASSIGN(inputs, open_block_inputs(globals, node, names, out));
    std::vector<Prover*> pointers;
    for (Prover& p : inputs.provers) pointers.push_back(&p);
    std::vector<ProverSet*> set_pointers;
    for (ProverSet& s : inputs.sets) set_pointers.push_back(&s);
    HOLDFAST_TRY(make_proof_folder(arguments.proofs));
    out.json["blocks"] = Json::array();
    std::uint64_t done = 0;
    bool faults = inputs.faults > 0;
    while (!arguments.limit || done < *arguments.limit) {
        HOLDFAST_ASSIGN(tip, node.registry().tip());
        const Height next = tip ? *tip + 1 : node.params().genesis_height;
        ClockProgress progress(globals, "block " + std::to_string(next.value) + ": ");
        HOLDFAST_ASSIGN(report, node.aggregator->advance(pointers, set_pointers, progress.work()));
        if (!report) break;
        HOLDFAST_TRY(save_proofs(arguments.proofs, *report));
        out.json["blocks"].push_back(json_of(*report));
        describe_block(*report, out);
        faults = faults || !report->faults.empty();
        if (report->forecast && report->forecast->warning && !globals.quiet) {
            std::fprintf(stderr, "holdfast: %s: %s\n", report->forecast->text().c_str(), kTooFull);
        }
        ++done;
        if (stop_requested()()) break;
    }
    HOLDFAST_TRY(list_bond_events(*node.chain, *node.ledger));
    HOLDFAST_ASSIGN(behind, node.aggregator->behind());
    out.json["behind"] = behind;
    out.line(std::to_string(done) + " block(s) processed, " + std::to_string(behind) +
             " final block(s) to go");
    if (faults) out.exit_code = kExitEnvironment;
    return out;
}

CommandResult export_public(const Globals& globals, const std::string& dir,
                            const std::string& folder, std::uint64_t first, bool with_vdf) {
    HOLDFAST_ASSIGN(node, open_read_node(dir));
    HOLDFAST_ASSIGN(marked, node.clock());
    PhaseProgress reading(globals, "records");
    HOLDFAST_ASSIGN(record, public_record_of(*node.registry, *node.chain, marked.get(),
                                             Height(first), std::ref(reading)));
    reading.finish();
    HOLDFAST_TRY(record.save(folder));
    std::uint64_t copied = 0;
    std::uint64_t absent = 0;
    if (with_vdf && node.params().has_vdf) {
        const std::filesystem::path to = std::filesystem::path(folder) / PublicRecord::kVdfFolder;
        std::error_code error;
        std::filesystem::create_directories(to, error);
        if (error) return fail_errno(error.value(), to.string());
        // Again: the node that runs may have verified more meanwhile.
        HOLDFAST_ASSIGN(clock, node.clock());
        Progress progress(globals, "copying VDF proofs", "proofs");
        for (const auto& [height, facts] : record.heights()) {
            if (!facts.y) continue;
            const Result<VdfProof> proof = clock->proof(height);
            if (!proof && proof.error().code == ErrorCode::kNotFound) {
                ++absent;  // dropped by the clock's retention; y itself is in the record
                continue;
            }
            if (!proof) return fail(proof.error());
            HOLDFAST_TRY(write_file(VdfClock::proof_file(to, height),
                                    wrap_object(Kind::kVdfProof, proof->encode()), true));
            progress.update(++copied, record.heights().size());
        }
    }
    Output out;
    out.field("folder", folder);
    out.field("network_id", to_hex(record.network_id()));
    out.field("heights", record.heights().size());
    out.field("chains", record.chains().size());
    out.field("vdf_proofs", copied);
    if (absent > 0) out.field("vdf_proofs_not_kept", absent);
    return out;
}

/// The outcomes of the challenges of a chain that still count in the quorum's window.
Json score_json(const AvailabilityScore& score) {
    return {{"served", score.served},         {"late", score.late},
            {"invalid", score.invalid},       {"unreachable", score.unreachable},
            {"per_mille", score.per_mille()}, {"level", to_string(score.level())}};
}

std::string text_of(const AvailabilityScore& score) {
    const std::uint64_t all = score.served + score.late + score.invalid + score.unreachable;
    if (all == 0) return "not challenged lately";
    return "served " + std::to_string(score.served) + " of " + std::to_string(all) +
           " challenges (" + std::string(to_string(score.level())) + ")";
}

CommandResult statistics(const std::string& dir) {
    HOLDFAST_ASSIGN(node, open_read_node(dir));
    HOLDFAST_ASSIGN(s, node.registry->statistics());
    HOLDFAST_ASSIGN(behind, node.behind());
    Output out;
    out.field("network_id", to_hex(node.network_id()));
    out.field("behind", behind);
    out.fields(json_of(s));
    constexpr std::size_t kShown = 10'000;
    std::vector<ChainInfo> shown;
    HOLDFAST_TRY(node.registry->for_each_chain([&](const ChainInfo& info) {
        shown.push_back(info);
        return shown.size() < kShown;
    }));
    Json chains = Json::array();
    for (const ChainInfo& info : shown) {
        HOLDFAST_ASSIGN(outcomes, node.registry->outcomes(info.chain_id));
        const AvailabilityScore score = score_of(outcomes);
        Json c = {{"chain_id", to_hex(info.chain_id)},
                  {"phase", to_string(info.phase)},
                  {"misses", info.misses},
                  {"accepted", info.accepted.value}};
        if (info.slot) c["slot"] = *info.slot;
        if (info.status) c["status"] = to_string(*info.status);
        c["availability"] = score_json(score);
        chains.push_back(c);
        out.line("chain " + to_hex(info.chain_id) + "  " + std::string(to_string(info.phase)) +
                 ", " + (info.status ? std::string(to_string(*info.status)) : "no slot") + ", " +
                 std::to_string(info.misses) + " miss(es), " + text_of(score));
    }
    out.json["chains"] = chains;
    return out;
}

}  // namespace

void add_block_commands(Commands& commands) {
    auto p = std::make_shared<ProcessArguments>();
    CLI::App* block = commands.app().add_subcommand("block", "final blocks");
    block->require_subcommand(1);
    CLI::App* process_command = block->add_subcommand(
        "process", "for each new final block: y, submissions, seal proofs, links, digests, proofs");
    add_dir_option(process_command, p->dir);
    process_command->add_option("-r,--replica", p->inputs.replicas, "a replica to prove (repeat)");
    process_command->add_option("-k,--key", p->inputs.keys, "its key file (repeat, same order)");
    process_command->add_option("--set", p->inputs.sets,
                                "a folder of replicas of one key, up to hundreds of thousands "
                                "(repeat); their link records lie in FOLDER/links");
    process_command->add_option("--set-key", p->inputs.set_keys,
                                "its key file (repeat, same order)");
    process_command->add_flag("--allow-missing", p->inputs.allow_missing,
                              "go on where the registry knows more replicas of a key than are "
                              "given; their links are missed");
    process_command->add_option("--threads", p->threads, "for sets; 0: one for each core")
        ->check(CLI::Range(0U, 256U))
        ->capture_default_str();
    process_command->add_option("--reader", p->way,
                                "how sets are read: advised, mapped, threads or uring (default: "
                                "the best)");
    process_command->add_option("--limit", p->limit, "at most so many blocks (default: all)");
    process_command->add_option("--proofs", p->proofs,
                                "folder for the compact and full proofs made");
    add_map_bytes_option(process_command, p->map_bytes);
    commands.run(process_command,
                 "  holdfast block process --dir node\n"
                 "  holdfast block process --dir node --replica data.bin.replica --key alice.key "
                 "--proofs proofs\n"
                 "  holdfast block process --dir node --set replicas --set-key alice.key\n",
                 [p, &commands] { return process(commands.globals(), *p); });

    struct Options {
        std::string dir = "node";
        std::string folder;
        std::uint64_t first = 0;
        bool no_vdf = false;
    };
    auto o = std::make_shared<Options>();
    CLI::App* public_command = commands.app().add_subcommand("public", "public data for verifiers");
    public_command->require_subcommand(1);
    CLI::App* export_command = public_command->add_subcommand(
        "export", "blocks, y, digests, registrations: all that a verifier needs");
    add_dir_option(export_command, o->dir);
    export_command->add_option("-o,--out", o->folder, "folder to write")->required();
    export_command->add_option("--from", o->first, "first height")->capture_default_str();
    export_command->add_flag("--no-vdf-proofs", o->no_vdf, "without the VDF proofs");
    commands.run(
        export_command, "  holdfast public export --dir node --out public\n", [o, &commands] {
            return export_public(commands.globals(), o->dir, o->folder, o->first, !o->no_vdf);
        });

    CLI::App* stats = commands.app().add_subcommand("stats", "what a node's registry holds");
    add_dir_option(stats, o->dir);
    commands.run(stats, "  holdfast stats --dir node --json\n", [o] { return statistics(o->dir); });
}

}  // namespace holdfast::cli
