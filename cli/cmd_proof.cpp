// prove, path make|verify, verify: proofs of single heights and windows.

#include <cmath>
#include <cstdio>

#include "analysis/bounds.hpp"
#include "api/verifier.hpp"
#include "cli/commands.hpp"
#include "cli/workspace.hpp"
#include "json/objects.hpp"

namespace holdfast::cli {
namespace {

struct ProveArguments {
    std::string replica;
    std::string key;
    std::string dir = "node";
    std::uint64_t height = 0;
    std::uint64_t links = 1;
    std::string format = "auto";
    std::string out;
    bool force = false;
};

/// The link of a height made (again) from public state and stored data.
Result<SignedLink> link_at(Node& node, Prover& prover, Height height) {
    HOLDFAST_ASSIGN(request, node.aggregator->link_request(prover.chain_id(), height));
    return prover.link(request);
}

/// Compact where it counts, else full; or the one that was asked for.
Result<AnyProof> proof_at(Node& node, Prover& prover, Height height, const std::string& format) {
    HOLDFAST_ASSIGN(link, link_at(node, prover, height));
    if (format == "full") return AnyProof(prover.full(link));
    HOLDFAST_ASSIGN(known, node.registry().known_height(height, prover.chain_id()));
    if (!known.y_compact) {
        if (format == "auto") return AnyProof(prover.full(link));
        return fail(ErrorCode::kUnavailable,
                    "the compact index of height " + std::to_string(height.value) +
                        " is drawn from y of height " +
                        std::to_string(compact_draw_height(node.params(), height).value) +
                        ", which is not known yet; process more blocks, or ask for --format full");
    }
    if (full_required(node.network_id(), *known.y_compact, prover.chain_id())) {
        if (format == "auto") return AnyProof(prover.full(link));
        return fail(ErrorCode::kUnavailable, "at height " + std::to_string(height.value) +
                                                 " only a full proof counts; use --format full");
    }
    HOLDFAST_ASSIGN(path, node.registry().path(prover.chain_id(), height));
    HOLDFAST_ASSIGN(compact, prover.compact(link, path, *known.y_compact));
    return AnyProof(compact);
}

CommandResult prove(const ProveArguments& arguments) {
    static constexpr std::string_view kFormats[] = {"auto", "receipt", "compact", "full", "window"};
    if (std::find(std::begin(kFormats), std::end(kFormats), arguments.format) ==
        std::end(kFormats)) {
        return fail(ErrorCode::kInvalidArgument,
                    "--format is auto, receipt, compact, full or window");
    }
    const bool window = arguments.format == "window";
    if (arguments.links < 1 || arguments.links > kWindowMaxLinks ||
        (!window && arguments.links != 1)) {
        return fail(ErrorCode::kInvalidArgument,
                    "--links is 1 to 5, and goes with --format window");
    }
    HOLDFAST_ASSIGN(node, Node::open(arguments.dir));
    HOLDFAST_ASSIGN(prover, open_prover(node.params(), arguments.replica, arguments.key));
    Output out;
    Bytes object;
    if (arguments.format == "receipt") {
        HOLDFAST_ASSIGN(link, link_at(node, prover, Height(arguments.height)));
        object = wrap_object(Kind::kReceipt, link.receipt.encode());
    } else if (window) {
        ProofWindow links;
        for (std::uint64_t i = 0; i < arguments.links; ++i) {
            HOLDFAST_ASSIGN(proof, proof_at(node, prover, Height(arguments.height) + i, "auto"));
            links.links.push_back(std::move(proof));
        }
        object = wrap_object(Kind::kWindow, links.encode());
    } else {
        HOLDFAST_ASSIGN(proof, proof_at(node, prover, Height(arguments.height), arguments.format));
        object = std::holds_alternative<Compact>(proof)
                     ? wrap_object(Kind::kCompact, std::get<Compact>(proof).encode())
                     : wrap_object(Kind::kFull, std::get<Full>(proof).encode());
    }
    HOLDFAST_TRY(write_object(arguments.out, object, arguments.force));
    out.field("chain_id", to_hex(prover.chain_id()));
    out.field("height", arguments.height);
    out.field("format", to_string(*peek_kind(object)));
    out.field("bytes", object.size() - 2);
    out.field("file", arguments.out);
    if (const Checked<Json> fields = describe_object(object)) out.json["proof"] = *fields;
    return out;
}

struct PathArguments {
    std::string dir = "node";
    std::string chain;
    std::uint64_t height = 0;
    std::string out;
    bool force = false;
};

CommandResult make_path(const PathArguments& arguments) {
    HOLDFAST_ASSIGN(chain_id, parse_hex<ChainId>(arguments.chain, "--chain"));
    HOLDFAST_ASSIGN(node, Node::open(arguments.dir));
    HOLDFAST_ASSIGN(path, node.registry().path(chain_id, Height(arguments.height)));
    const Bytes object = wrap_object(Kind::kPath, path.encode());
    HOLDFAST_TRY(write_object(arguments.out, object, arguments.force));
    Output out;
    out.field("chain_id", arguments.chain);
    out.field("height", arguments.height);
    out.field("status", to_string(path.leaf.status));
    out.field("bytes", object.size() - 2);
    out.field("file", arguments.out);
    out.json["path"] = to_json(path);
    return out;
}

struct VerifyArguments {
    std::vector<std::string> files;
    std::string public_folder;
    std::string chain;
    std::optional<std::uint64_t> height;
    std::string path;
    bool check_vdf = false;
};

/// "2^-46.80", "100%" for what may be certain.
std::string chance(double log2_p) {
    char text[32];
    std::snprintf(text, sizeof text, log2_p < -6.7 ? "2^-%.1f" : "%.0f%%",
                  log2_p < -6.7 ? -log2_p : 100.0 * std::exp2(log2_p));
    return text;
}

/// Which heights and kinds a window shows, and how often a prover that lacks a part of its cells
/// could show as much (docs/security.md, 3.1).
void print_shown(Output& out, const WindowShown& w) {
    const std::uint64_t span = w.links + w.left_out;
    out.json["shows"] = {{"first_height", w.first.value},
                         {"last_height", w.last.value},
                         {"links", w.links},
                         {"compact", w.links - w.full},
                         {"full", w.full},
                         {"openings", w.openings()},
                         {"heights_left_out", w.left_out}};
    out.line("shows: " + std::to_string(w.links) + " of the " + std::to_string(span) +
             " heights with y from " + std::to_string(w.first.value) + " to " +
             std::to_string(w.last.value) + ", " + std::to_string(w.links - w.full) +
             " compact and " + std::to_string(w.full) + " full: " + std::to_string(w.openings()) +
             " cells opened");
    out.line("choice: its maker chose the heights, among " + std::to_string(w.heights) +
             " that this record knows of the chain; of other heights it says nothing");
    const WindowChoice chosen{w.links, span, w.heights};
    Json worth = Json::array();
    for (const double missing : {0.5, 1.0 / 3.0, 0.1, 0.01}) {
        const double fixed = log2_window_undetected(missing, w.openings());
        const double free = log2_window_undetected(missing, w.openings(), chosen);
        worth.push_back({{"missing", missing},
                         {"log2_passes_where_you_chose", fixed},
                         {"log2_passes_where_it_chose_at_most", free}});
        char lacking[16];
        std::snprintf(lacking, sizeof lacking, "%.0f%%", 100.0 * missing);
        out.line(std::string("worth: a prover that lacks ") + lacking +
                 " of its cells shows as much in " + chance(fixed) +
                 " of cases at heights that you chose, in at most " + chance(free) +
                 " at heights that it chose");
    }
    out.json["worth"] = worth;
    out.json["not_shown"] = Json::array({"that the proofs came before their deadline"});
    out.line("not shown: that the proofs came before their deadline");
    if (w.full == 0) return;
    out.json["not_shown"].push_back("that the links of full proofs stand in their digests");
    out.line("not shown: that the links of full proofs stand in their digests (a path shows it)");
}

void print_total(Output& out, const ShownTotal& total) {
    out.field("total_chains", total.total_chains);
    out.json["total_chains_proven"] = total.proven;
    out.line(total.proven ? "total chains is proven: the path leads to the same digest with it"
                          : "total chains is unproven: its submitter's word; a path under the same "
                            "digest proves it (--path)");
}

Result<VerifyHints> hints_of(const VerifyArguments& arguments) {
    VerifyHints hints;
    if (!arguments.chain.empty()) {
        HOLDFAST_ASSIGN(chain, parse_hex<ChainId>(arguments.chain, "--chain"));
        hints.chain_id = chain;
    }
    if (arguments.height) hints.height = Height(*arguments.height);
    if (!arguments.path.empty()) {
        HOLDFAST_ASSIGN(path, read_as<PathProof>(Kind::kPath, arguments.path));
        hints.path = std::move(path);
    }
    return hints;
}

CommandResult verify(const Globals& globals, const VerifyArguments& arguments,
                     std::optional<Kind> only) {
    HOLDFAST_ASSIGN(hints, hints_of(arguments));
    HOLDFAST_ASSIGN(record, PublicRecord::load(arguments.public_folder));
    const Verifier verifier(std::move(record));
    VerifyOptions options;
    options.stop = stop_requested();
    Output out;
    for (const std::string& file : arguments.files) {
        HOLDFAST_ASSIGN(object, read_object(file));
        const auto start = std::chrono::steady_clock::now();
        HOLDFAST_ASSIGN(report, verifier.verify(object, hints, options));
        const double seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        if (only && report.verdict && report.kind != *only) report.verdict = Reason::kBadKind;
        if (report.verdict && arguments.check_vdf && report.height) {
            // Every y that the proof rests on.
            const Height heights[] = {
                *report.height, compact_draw_height(verifier.record().params(), *report.height)};
            HOLDFAST_ASSIGN(
                clock, check_clock(verifier.record(), arguments.public_folder, heights, globals));
            report.verdict = clock;
        }
        Output one;
        one.field("file", file);
        one.field("kind", to_string(report.kind));
        one.field("bytes", object.size() >= 2 ? object.size() - 2 : 0);
        if (report.chain_id) one.field("chain_id", to_hex(*report.chain_id));
        if (report.height) one.field("height", report.height->value);
        one.verdict(report.verdict);
        if (report.verdict && report.window) print_shown(one, *report.window);
        if (report.verdict && report.total) print_total(one, *report.total);
        one.json["microseconds"] = seconds * 1e6;
        out.part(one);
    }
    return out.finish_parts();
}

}  // namespace

void add_proof_commands(Commands& commands) {
    auto p = std::make_shared<ProveArguments>();
    CLI::App* prove_command =
        commands.app().add_subcommand("prove", "make a proof of one height's link");
    prove_command->add_option("replica", p->replica, "X.replica")->required();
    prove_command->add_option("-k,--key", p->key, "the prover's key file")->required();
    add_dir_option(prove_command, p->dir);
    prove_command->add_option("--height", p->height, "of the link (a window's first)")->required();
    prove_command
        ->add_option("--format", p->format,
                     "receipt (136 bytes), compact (under 2 KiB), full (under 16 KiB), window, or "
                     "auto: what counts at this height")
        ->capture_default_str();
    prove_command->add_option("--links", p->links, "of a window, 1 to 5")->capture_default_str();
    prove_command->add_option("-o,--out", p->out, "file for the proof")->required();
    prove_command->add_flag("--force", p->force, "replace the file");
    commands.run(prove_command,
                 "  holdfast prove data.bin.replica --key alice.key --dir node --height 12 "
                 "--format compact --out 12.proof\n"
                 "  holdfast prove data.bin.replica --key alice.key --dir node --height 12 "
                 "--format window --links 5 --out w.proof\n",
                 [p] { return prove(*p); });

    auto m = std::make_shared<PathArguments>();
    auto v = std::make_shared<VerifyArguments>();
    CLI::App* path =
        commands.app().add_subcommand("path", "paths from a chain to the global digest");
    path->require_subcommand(1);
    CLI::App* make = path->add_subcommand("make", "the path of a chain under a height's digest");
    add_dir_option(make, m->dir);
    make->add_option("--chain", m->chain, "chain id")->required();
    make->add_option("--height", m->height, "a closed height")->required();
    make->add_option("-o,--out", m->out, "file for the path")->required();
    make->add_flag("--force", m->force, "replace the file");
    commands.run(make,
                 "  holdfast path make --dir node --chain CHAIN_ID --height 12 --out 12.path\n",
                 [m] { return make_path(*m); });
    CLI::App* path_verify = path->add_subcommand("verify", "check a path from public data");
    path_verify->add_option("file", v->files, "the path")->required();
    path_verify->add_option("-p,--public", v->public_folder, "folder of public data")->required();
    path_verify->add_option("--height", v->height, "whose digest it should lead to")->required();
    path_verify->add_option("--chain", v->chain, "the chain that it should show");
    commands.run(path_verify, "  holdfast path verify 12.path --public public --height 12\n",
                 [v, &commands] { return verify(commands.globals(), *v, Kind::kPath); });

    CLI::App* verify_command = commands.app().add_subcommand(
        "verify", "judge any proof or object from public data alone: no file, no replica");
    verify_command->add_option("files", v->files, "proofs")->required();
    verify_command->add_option("-p,--public", v->public_folder, "folder of public data")
        ->required();
    verify_command->add_option("--chain", v->chain,
                               "the chain expected (a receipt does not name its own)");
    verify_command->add_option("--height", v->height,
                               "the height expected (a path does not name its own)");
    verify_command->add_option("--path", v->path,
                               "a path under the digest of a checkpoint: proves its total_chains");
    verify_command->add_flag(
        "--check-vdf", v->check_vdf,
        "verify y as well, from the VDF proofs in the folder (fills the arena)");
    commands.run(verify_command,
                 "  holdfast verify proofs/*.compact --public public\n"
                 "  holdfast verify 12.proof --public public --chain CHAIN_ID --check-vdf --json\n",
                 [v, &commands] { return verify(commands.globals(), *v, std::nullopt); });
}

}  // namespace holdfast::cli
