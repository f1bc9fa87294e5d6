// prove, path make: proofs of single heights and windows.

#include "api/registry_reading.hpp"
#include "cli/ask_node.hpp"
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
Result<SignedLink> link_at(const ReadNode& node, Prover& prover, Height height) {
    HOLDFAST_ASSIGN(request, link_request_of(*node.registry, prover.chain_id(), height));
    return prover.link(request);
}

/// Compact where it counts, else full; or the one that was asked for.
Result<AnyProof> proof_at(const ReadNode& node, Prover& prover, Height height,
                          const std::string& format) {
    HOLDFAST_ASSIGN(link, link_at(node, prover, height));
    if (format == "full") return AnyProof(prover.full(link));
    HOLDFAST_ASSIGN(known, node.registry->known_height(height, prover.chain_id()));
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
    HOLDFAST_ASSIGN(path, node.registry->path(prover.chain_id(), height));
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
    HOLDFAST_ASSIGN(node, open_read_node(arguments.dir));
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
    HOLDFAST_ASSIGN(node, open_read_node(arguments.dir));
    HOLDFAST_ASSIGN(path, node.registry->path(chain_id, Height(arguments.height)));
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
    add_verify_commands(path, commands);
}

}  // namespace holdfast::cli
