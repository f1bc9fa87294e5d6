// block process, public export, stats: running a node.

#include "cli/commands.hpp"
#include "cli/workspace.hpp"
#include "core/file.hpp"

namespace holdfast::cli {
namespace {

struct ProcessArguments {
    std::string dir = "node";
    std::vector<std::string> replicas;
    std::vector<std::string> keys;
    std::optional<std::uint64_t> limit;
    std::string proofs;
};

Json json_of(const StatusCounts& counts) {
    return {{"totalChains", counts.total},
            {"active", counts.active},
            {"late", counts.late},
            {"removing", counts.removing},
            {"expired", counts.expired}};
}

Json json_of(const ObjectOutcome& outcome) {
    Json out = {{"kind", to_string(outcome.kind)},
                {"accepted", outcome.verdict.accepted()},
                {"reason", describe(outcome.verdict.reason).name}};
    if (outcome.chain_id) out["chain_id"] = to_hex(*outcome.chain_id);
    if (outcome.height) out["height"] = outcome.height->value;
    return out;
}

Json json_of(const BlockReport& report) {
    Json out = {{"height", report.height.value},
                {"seconds", report.seconds},
                {"vdf_seconds", report.vdf_seconds}};
    out["y"] = report.y ? Json(to_hex(*report.y)) : Json(nullptr);
    if (report.closed) {
        out["closed"] = {{"height", report.closed->value},
                         {"global", to_hex(report.global)},
                         {"statistics", json_of(report.counts)}};
    }
    for (const ObjectOutcome& o : report.objects) out["objects"].push_back(json_of(o));
    for (const Effect& e : report.effects) {
        out["effects"].push_back(
            {{"effect", to_string(e.kind)}, {"chain_id", to_hex(e.chain_id)}, {"value", e.value}});
    }
    for (const Receipt& r : report.receipts) {
        out["receipts"].push_back({{"height", r.height.value}, {"link", to_hex(r.link)}});
    }
    for (const MadeProof& p : report.proofs) {
        out["proofs"].push_back({{"chain_id", to_hex(p.chain_id)},
                                 {"height", p.height.value},
                                 {"format", p.full_required ? "full" : "compact"},
                                 {"bytes", p.object.size() - 2}});
    }
    for (const BlockFault& f : report.faults) {
        out["faults"].push_back({{"height", f.height.value},
                                 {"code", to_string(f.error.code)},
                                 {"message", f.error.message}});
        if (f.chain_id) out["faults"].back()["chain_id"] = to_hex(*f.chain_id);
    }
    return out;
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
    for (const BlockFault& f : report.faults) out.line("  FAULT: " + f.error.message);
}

Status save_proofs(const std::string& folder, const BlockReport& report) {
    if (folder.empty()) return {};
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) return fail_errno(error.value(), folder);
    std::vector<MadeProof> proofs = report.repeated_proofs;
    proofs.insert(proofs.end(), report.proofs.begin(), report.proofs.end());
    for (const MadeProof& p : proofs) {
        const std::string name = to_hex(p.chain_id).substr(0, 16) + "-" +
                                 std::to_string(p.height.value) +
                                 (p.full_required ? ".full" : ".compact");
        HOLDFAST_TRY(write_file(std::filesystem::path(folder) / name, p.object, true));
    }
    return {};
}

CommandResult process(const Globals& globals, const ProcessArguments& arguments) {
    if (arguments.keys.size() != arguments.replicas.size()) {
        return fail(ErrorCode::kInvalidArgument,
                    "give one --key for each --replica, in the same order");
    }
    HOLDFAST_ASSIGN(node, Node::open(arguments.dir));
    std::vector<Prover> provers;
    provers.reserve(arguments.replicas.size());
    for (std::size_t i = 0; i < arguments.replicas.size(); ++i) {
        HOLDFAST_ASSIGN(prover,
                        open_prover(node.params(), arguments.replicas[i], arguments.keys[i]));
        provers.push_back(std::move(prover));
    }
    std::vector<Prover*> pointers;
    for (Prover& p : provers) pointers.push_back(&p);

    Output out;
    out.json["blocks"] = Json::array();
    std::uint64_t done = 0;
    bool faults = false;
    while (!arguments.limit || done < *arguments.limit) {
        HOLDFAST_ASSIGN(tip, node.registry().tip());
        const Height next = tip ? *tip + 1 : node.params().genesis_height;
        ClockProgress progress(globals, "block " + std::to_string(next.value) + ": ");
        HOLDFAST_ASSIGN(report, node.aggregator->advance(pointers, progress.work()));
        if (!report) break;
        HOLDFAST_TRY(save_proofs(arguments.proofs, *report));
        out.json["blocks"].push_back(json_of(*report));
        describe_block(*report, out);
        faults = faults || !report->faults.empty();
        ++done;
        if (stop_requested()()) break;
    }
    HOLDFAST_ASSIGN(behind, node.aggregator->behind());
    out.json["behind"] = behind;
    out.line(std::to_string(done) + " block(s) processed, " + std::to_string(behind) +
             " final block(s) to go");
    if (faults) out.exit_code = kExitEnvironment;
    return out;
}

CommandResult export_public(const Globals& globals, const std::string& dir,
                            const std::string& folder, std::uint64_t first, bool with_vdf) {
    HOLDFAST_ASSIGN(node, Node::open(dir));
    HOLDFAST_ASSIGN(record, node.aggregator->public_record(Height(first)));
    HOLDFAST_TRY(record.save(folder));
    std::uint64_t copied = 0;
    if (with_vdf && node.params().has_vdf) {
        const std::filesystem::path to = std::filesystem::path(folder) / PublicRecord::kVdfFolder;
        std::error_code error;
        std::filesystem::create_directories(to, error);
        if (error) return fail_errno(error.value(), to.string());
        Progress progress(globals, "copying VDF proofs", "proofs");
        for (const auto& [height, facts] : record.heights()) {
            if (!facts.y) continue;
            HOLDFAST_ASSIGN(proof, node.clock->proof(height));
            HOLDFAST_TRY(write_file(VdfClock::proof_file(to, height),
                                    wrap_object(Kind::kVdfProof, proof.encode()), true));
            progress.update(++copied, record.heights().size());
        }
    }
    Output out;
    out.field("folder", folder);
    out.field("network_id", to_hex(record.network_id()));
    out.field("heights", record.heights().size());
    out.field("chains", record.chains().size());
    out.field("vdf_proofs", copied);
    return out;
}

CommandResult statistics(const std::string& dir) {
    HOLDFAST_ASSIGN(node, Node::open(dir));
    HOLDFAST_ASSIGN(s, node.registry().statistics());
    HOLDFAST_ASSIGN(behind, node.aggregator->behind());
    Output out;
    out.field("network_id", to_hex(node.network_id()));
    out.field("tip", s.tip ? Json(s.tip->value) : Json(nullptr));
    out.field("closed", s.closed ? Json(s.closed->value) : Json(nullptr));
    out.field("behind", behind);
    const Json counts = json_of(s.counts);
    for (const auto& [key, value] : counts.items()) out.field(key, value);
    out.field("registrations", s.registrations);
    out.field("pending", s.pending);
    out.field("sealed", s.sealed);
    out.field("liable", s.liable);
    out.field("voided", s.voided);
    out.field("ended", s.ended);
    out.field("heights_with_y", s.heights_with_y);
    Json chains = Json::array();
    HOLDFAST_TRY(node.registry().for_each_chain([&](const ChainInfo& info) {
        Json c = {{"chain_id", to_hex(info.chain_id)},
                  {"phase", to_string(info.phase)},
                  {"misses", info.misses},
                  {"accepted", info.accepted.value}};
        if (info.slot) c["slot"] = *info.slot;
        if (info.status) c["status"] = to_string(*info.status);
        chains.push_back(c);
        out.line("chain " + to_hex(info.chain_id) + "  " + std::string(to_string(info.phase)) +
                 ", " + (info.status ? std::string(to_string(*info.status)) : "no slot") + ", " +
                 std::to_string(info.misses) + " miss(es)");
        return chains.size() < 10'000;
    }));
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
    process_command->add_option("-r,--replica", p->replicas, "a replica to prove (repeat)");
    process_command->add_option("-k,--key", p->keys, "its key file (repeat, same order)");
    process_command->add_option("--limit", p->limit, "at most so many blocks (default: all)");
    process_command->add_option("--proofs", p->proofs,
                                "folder for the compact and full proofs made");
    commands.run(process_command,
                 "  holdfast block process --dir node\n"
                 "  holdfast block process --dir node --replica data.bin.replica --key alice.key "
                 "--proofs proofs\n",
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
