// verify, path verify: any proof or object, from public data, over the network, or against a
// registry.

#include <cmath>
#include <cstdio>

#include "analysis/bounds.hpp"
#include "api/verifier.hpp"
#include "cli/commands.hpp"
#include "cli/light_options.hpp"
#include "cli/workspace.hpp"
#include "json/objects.hpp"
#include "proofs/acknowledgement.hpp"

namespace holdfast::cli {
namespace {

struct VerifyArguments {
    std::vector<std::string> files;
    std::string public_folder;
    std::string chain;
    std::optional<std::uint64_t> height;
    std::string path;
    bool check_vdf = false;
    std::string dir;     // of a node, for short proofs
    std::string object;  // that an acknowledgement is of
    std::string host;    // that made it
    LightArguments light;
    std::string out;  // for a proof that was fetched
    bool force = false;
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

/// What a report says, of one object.
Output report_output(const VerifyReport& report, ByteView object) {
    Output out;
    out.field("kind", to_string(report.kind));
    out.field("bytes", object.size() >= 2 ? object.size() - 2 : 0);
    if (report.chain_id) out.field("chain_id", to_hex(*report.chain_id));
    if (report.height) out.field("height", report.height->value);
    out.verdict(report.verdict);
    if (report.verdict && report.window) print_shown(out, *report.window);
    if (report.verdict && report.total) print_total(out, *report.total);
    return out;
}

// --- from a folder of public data ----------------------------------------------------------------

CommandResult verify_public(const Globals& globals, const VerifyArguments& arguments,
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
        one.append(report_output(report, object));
        one.json["microseconds"] = seconds * 1e6;
        out.part(one);
    }
    return out.finish_parts();
}

// --- over the network ----------------------------------------------------------------------------

Output light_output(const LightClient& client, const LightReport& report) {
    Output out = report_output(report.judged, report.object);
    if (report.judged.verdict) print_rests_on(out, report.rests_on);
    print_faults(out, client.faults());
    const LightTraffic traffic = client.traffic();
    out.json["fetched_bytes"] = traffic.bytes_fetched;
    out.json["requests"] = traffic.requests;
    out.line("fetched: " + format_bytes(traffic.bytes_fetched) + " in " +
             std::to_string(traffic.requests) + " answers");
    return out;
}

CommandResult verify_from(const Globals& globals, const VerifyArguments& arguments) {
    HOLDFAST_ASSIGN(hints, hints_of(arguments));
    if (arguments.files.empty() && (!hints.chain_id || !hints.height)) {
        return fail(ErrorCode::kInvalidArgument,
                    "give proofs to verify, or --chain and --height of a link whose proof is "
                    "fetched");
    }
    HOLDFAST_ASSIGN(session, LightSession::open(arguments.light, globals));
    LightClient& client = *session.client;
    Output out;
    if (arguments.files.empty()) {
        HOLDFAST_ASSIGN(report, client.verify_link(*hints.chain_id, *hints.height));
        Output one = light_output(client, report);
        if (!arguments.out.empty()) {
            HOLDFAST_TRY(write_object(arguments.out, report.object, arguments.force));
            one.field("file", arguments.out);
        }
        out.part(one);
        return out.finish_parts();
    }
    VerifyOptions options;
    options.stop = stop_requested();
    for (const std::string& file : arguments.files) {
        HOLDFAST_ASSIGN(object, read_object(file));
        HOLDFAST_ASSIGN(report, client.verify(object, hints, options));
        Output one;
        one.field("file", file);
        one.append(light_output(client, report));
        out.part(one);
    }
    return out.finish_parts();
}

// --- against a registry, beside whoever writes it ------------------------------------------------

template <class T>
Checked<AnyShort> decode_short(ByteView body) {
    Checked<T> proof = T::decode(body);
    if (!proof) return refuse(proof.error());
    return AnyShort(std::move(*proof));
}

/// Spec 7, short proofs: a registry knows what they leave out.
Result<VerifyReport> judge_short(const Registry& registry, Kind kind, ByteView body) {
    const Checked<AnyShort> proof = kind == Kind::kShortCompact ? decode_short<ShortCompact>(body)
                                                                : decode_short<ShortFull>(body);
    VerifyReport report{kind, std::nullopt, std::nullopt, {}};
    if (!proof) {
        report.verdict = proof.error();
        return report;
    }
    report.chain_id = chain_of(*proof);
    report.height = height_of(*proof);
    HOLDFAST_ASSIGN(info, registry.chain(*report.chain_id));
    if (!info) {
        report.verdict = Reason::kUnknownChain;
        return report;
    }
    HOLDFAST_ASSIGN(closed, registry.closed());
    if (!closed || *report.height > *closed) {
        report.verdict = Reason::kTooEarly;
        return report;
    }
    HOLDFAST_ASSIGN(chain, registry.known_chain(*report.chain_id, *report.height));
    HOLDFAST_ASSIGN(known, registry.known_height(*report.height, *report.chain_id));
    HOLDFAST_ASSIGN(leaf, registry.leaf(*report.chain_id, *report.height));
    std::optional<Link> link;
    if (leaf && leaf->link_height == *report.height && leaf->link != Link(*report.chain_id)) {
        link = leaf->link;
    }
    report.verdict =
        verify_short(registry.params(), registry.network_id(), chain, known, link, *proof);
    return report;
}

CommandResult verify_in_registry(const VerifyArguments& arguments) {
    HOLDFAST_ASSIGN(registry, open_registry_for_reading(arguments.dir));
    Output out;
    for (const std::string& file : arguments.files) {
        HOLDFAST_ASSIGN(object, read_object(file));
        const Checked<Kind> kind = peek_kind(object);
        if (kind && *kind != Kind::kShortCompact && *kind != Kind::kShortFull) {
            return fail(ErrorCode::kInvalidArgument,
                        file + ": --dir is for short proofs; a " + std::string(to_string(*kind)) +
                            " is judged from public data (--public) or over the network (--from)");
        }
        VerifyReport report{Kind{}, std::nullopt, std::nullopt, {}};
        if (kind) {
            HOLDFAST_ASSIGN(judged, judge_short(*registry, *kind, ByteView(object).subspan(2)));
            report = std::move(judged);
        } else {
            report.verdict = kind.error();
        }
        Output one;
        one.field("file", file);
        one.append(report_output(report, object));
        out.part(one);
    }
    return out.finish_parts();
}

// --- acknowledgements ----------------------------------------------------------------------------

Result<NetworkId> network_of(const VerifyArguments& arguments) {
    for (const std::string& where :
         {arguments.light.params, arguments.public_folder, arguments.dir}) {
        if (where.empty()) continue;
        HOLDFAST_ASSIGN(params, read_network(where));
        return params.id();
    }
    return fail(ErrorCode::kInvalidArgument,
                "an acknowledgement is judged for a network: --params, --public or --dir");
}

CommandResult verify_acknowledgements(const VerifyArguments& arguments) {
    if (arguments.host.empty() || arguments.object.empty()) {
        return fail(ErrorCode::kInvalidArgument,
                    "an acknowledgement is judged with --object, the file of what it is of, and "
                    "--host, the key of the node that gave it");
    }
    HOLDFAST_ASSIGN(network_id, network_of(arguments));
    HOLDFAST_ASSIGN(host, parse_hex<PublicKey>(arguments.host, "--host"));
    HOLDFAST_ASSIGN(of, read_object(arguments.object));
    Output out;
    for (const std::string& file : arguments.files) {
        HOLDFAST_ASSIGN(object, read_object(file));
        VerifyReport report{Kind::kAcknowledgement, std::nullopt, std::nullopt, {}};
        const Checked<ByteView> body = unwrap_object(Kind::kAcknowledgement, object);
        const Checked<Acknowledgement> said =
            body ? Acknowledgement::decode(*body) : refuse(body.error());
        if (said) {
            report.height = said->height;
            report.verdict = check_acknowledgement(network_id, host, of, *said);
        } else {
            report.verdict = said.error();
        }
        Output one;
        one.field("file", file);
        one.append(report_output(report, object));
        if (report.verdict) {
            one.field("block_hash", to_hex(said->block_hash));
            one.line(
                "height and block are the node's word: it says that the object was on its "
                "device when this was the newest final block");
        }
        out.part(one);
    }
    return out.finish_parts();
}

CommandResult verify(const Globals& globals, const VerifyArguments& arguments,
                     std::optional<Kind> only) {
    if (!arguments.light.from.empty()) return verify_from(globals, arguments);
    if (arguments.files.empty()) {
        return fail(ErrorCode::kInvalidArgument, "give the files of proofs to verify");
    }
    if (!arguments.host.empty() || !arguments.object.empty()) {
        return verify_acknowledgements(arguments);
    }
    if (!arguments.dir.empty()) return verify_in_registry(arguments);
    if (arguments.public_folder.empty()) {
        return fail(ErrorCode::kInvalidArgument,
                    "say what to judge by: --public FOLDER, --from KEY@HOST:PORT with --params, "
                    "or, for short proofs, --dir");
    }
    return verify_public(globals, arguments, only);
}

void add_path_verify(CLI::App* path, Commands& commands) {
    auto v = std::make_shared<VerifyArguments>();
    CLI::App* path_verify = path->add_subcommand("verify", "check a path from public data");
    path_verify->add_option("file", v->files, "the path")->required();
    path_verify->add_option("-p,--public", v->public_folder, "folder of public data")->required();
    path_verify->add_option("--height", v->height, "whose digest it should lead to")->required();
    path_verify->add_option("--chain", v->chain, "the chain that it should show");
    commands.run(path_verify, "  holdfast path verify 12.path --public public --height 12\n",
                 [v, &commands] { return verify(commands.globals(), *v, Kind::kPath); });
}

}  // namespace

void add_verify_commands(CLI::App* path, Commands& commands) {
    add_path_verify(path, commands);
    auto v = std::make_shared<VerifyArguments>();
    CLI::App* command = commands.app().add_subcommand(
        "verify", "judge any proof or object with neither file nor replica");
    command->add_option("files", v->files, "proofs; none: --chain and --height with --from");
    CLI::Option* folder =
        command->add_option("-p,--public", v->public_folder, "judge from a folder of public data");
    v->light.add_to(command);
    command->get_option("--from")->excludes(folder);
    command->add_option("-d,--dir", v->dir, "judge short proofs by the registry of this node");
    command->add_option("--object", v->object, "the object that an acknowledgement is of");
    command->add_option("--host", v->host, "the key of the node that gave an acknowledgement");
    command->add_option("--chain", v->chain,
                        "the chain expected (a receipt does not name its own)");
    command->add_option("--height", v->height,
                        "the height expected (a path does not name its own)");
    command->add_option("--path", v->path,
                        "a path under the digest of a checkpoint: proves its total_chains");
    command->add_flag("--check-vdf", v->check_vdf,
                      "with --public: verify y as well, from the VDF proofs in the folder (fills "
                      "the arena)");
    command->add_option("-o,--out", v->out, "file for a proof that was fetched");
    command->add_flag("--force", v->force, "replace the file");
    commands.run(command,
                 "  holdfast verify proofs/*.compact --public public\n"
                 "  holdfast verify 12.proof --public public --chain CHAIN_ID --check-vdf --json\n"
                 "  holdfast verify --chain CHAIN_ID --height 12 --from KEY@node.example:9000 "
                 "--params network.params\n"
                 "  holdfast verify 12.short --dir node\n"
                 "  holdfast verify bundle.ack --object bundle --host KEY --params "
                 "network.params\n",
                 [v, &commands] { return verify(commands.globals(), *v, std::nullopt); });
}

}  // namespace holdfast::cli
