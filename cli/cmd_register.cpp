// register, update, remove, seal-proof make|verify.

#include "api/verifier.hpp"
#include "cli/ask_node.hpp"
#include "cli/commands.hpp"
#include "cli/workspace.hpp"
#include "storage/file.hpp"
#include "storage/key_file.hpp"

namespace holdfast::cli {
namespace {

struct RegisterArguments {
    std::string replica;
    std::string key;
    std::string dir = "node";
    std::string retention = "default";
    std::uint64_t bond = 1'000;
    bool no_commitment = false;
};

/// For the next block of the node's chain.
Status submit_to_chain(const std::string& dir, ByteView object) {
    HOLDFAST_TRY(ask_node(dir, "chain submit", {{"object", to_hex(object)}}));
    return {};
}

/// The same bond when the command is repeated.
Result<BondId> bond_for(const RegisterArguments& arguments, const LocalChain& chain,
                        const KeyPair& key, const ReplicaId& replica) {
    const Digest call = tagged_hash("cli/bond", chain.network_id(), replica);
    Result<Json> made = ask_node(arguments.dir, "ledger bond",
                                 {{"owner", to_hex(key.public_key())},
                                  {"amount", arguments.bond},
                                  {"purpose", to_string(BondPurpose::kStorage)},
                                  {"key", to_hex(call)}});
    if (!made && made.error().code == ErrorCode::kUnavailable) {
        return fail(made.error().code,
                    made.error().message +
                        "; give the key units first: holdfast ledger issue --key " + arguments.key +
                        " --amount " + std::to_string(arguments.bond));
    }
    if (!made) return fail(made.error());
    return parse_hex<BondId>((*made)["bond_id"].get<std::string>(), "the bond's id");
}

CommandResult run_register(const RegisterArguments& arguments) {
    const std::optional<Retention> retention = retention_from_name(arguments.retention);
    if (!retention) {
        return fail(ErrorCode::kInvalidArgument, "--retention is temporary, default or archival");
    }
    HOLDFAST_ASSIGN(chain, open_chain(NodePaths{arguments.dir}, LocalChain::Mode::kRead));
    HOLDFAST_ASSIGN(key, load_key_pair(arguments.key));
    const ProverFiles files = ProverFiles::beside(arguments.replica);
    HOLDFAST_ASSIGN(replica, Replica::open(files.replica, files.tree, chain->params()));
    const std::filesystem::path file = registration_file(files.replica);
    if (std::filesystem::exists(file)) {
        return fail(ErrorCode::kAlreadyExists,
                    file.string() + " exists: this replica is registered already");
    }
    HOLDFAST_ASSIGN(genesis, node::newest_final(*chain));
    HOLDFAST_ASSIGN(bond, bond_for(arguments, *chain, key, replica.id()));
    RegistrationTerms terms;
    terms.genesis_height = genesis.height;
    terms.genesis_block_hash = genesis.hash;
    terms.retention = *retention;
    terms.bond_id = bond;
    terms.with_commitment = !arguments.no_commitment;
    HOLDFAST_ASSIGN(registration, make_registration(chain->params(), replica.header(), terms, key));
    const Bytes object = wrap_object(Kind::kRegistration, registration.encode());
    HOLDFAST_TRY(write_file(file, object));
    HOLDFAST_TRY(submit_to_chain(arguments.dir, object));
    Output out;
    out.field("chain_id", to_hex(registration.chain_id(chain->network_id())));
    out.field("replica_id", to_hex(replica.id()));
    out.field("registration", file.string());
    out.field("genesis_height", genesis.height.value);
    out.field("bond_id", to_hex(bond));
    out.line("submitted; it counts from the final block that lists it");
    return out;
}

struct ChangeArguments {
    std::string replica;
    std::string key;
    std::string dir = "node";
    std::optional<std::uint64_t> effective;
    bool no_commitment = false;
};

CommandResult run_update(const ChangeArguments& arguments, bool removal) {
    HOLDFAST_ASSIGN(node, open_read_node(arguments.dir));
    HOLDFAST_ASSIGN(prover, open_prover(node.params(), arguments.replica, arguments.key));
    HOLDFAST_ASSIGN(info, node.registry->chain(prover.chain_id()));
    if (!info)
        return fail(ErrorCode::kNotFound,
                    "the registry does not know this chain yet; process its block first");
    HOLDFAST_ASSIGN(tip, node.registry->tip());
    const std::uint32_t sequence = info->last_sequence + 1;
    Output out;
    out.field("chain_id", to_hex(prover.chain_id()));
    out.field("sequence", sequence);
    if (removal) {
        HOLDFAST_ASSIGN(object, prover.removal(sequence, *tip));
        HOLDFAST_TRY(submit_to_chain(arguments.dir, wrap_object(Kind::kRemoval, object.encode())));
        out.field("height", object.height.value);
    } else {
        // Acceptance comes with a later block; a margin keeps the update valid when it is slow.
        const Height effective = arguments.effective ? Height(*arguments.effective)
                                                     : *tip + node.params().finality_blocks +
                                                           node.params().seal_delay + 16;
        HOLDFAST_ASSIGN(object, prover.update(sequence, effective, !arguments.no_commitment));
        HOLDFAST_TRY(submit_to_chain(arguments.dir, wrap_object(Kind::kUpdate, object.encode())));
        out.field("effective_height", effective.value);
    }
    out.line("submitted; it counts from the final block that lists it");
    return out;
}

struct SealProofArguments {
    std::string replica;
    std::string key;
    std::string dir = "node";
    std::string out;
    bool submit = false;
    bool force = false;
    unsigned workers = 1;
    std::string file;
    std::string public_folder;
};

CommandResult make_proof(const SealProofArguments& arguments) {
    HOLDFAST_ASSIGN(node, open_read_node(arguments.dir));
    HOLDFAST_ASSIGN(prover, open_prover(node.params(), arguments.replica, arguments.key));
    HOLDFAST_ASSIGN(duties, node.registry->seal_duties(prover.chain_id()));
    for (const SealDuty& duty : duties) {
        if (!duty.y || !duty.y_height) continue;
        RawOptions raw;
        raw.workers = arguments.workers;
        raw.stop = stop_requested();
        const auto start = std::chrono::steady_clock::now();
        HOLDFAST_ASSIGN(proof, prover.seal_proof(*duty.y_height, *duty.y, duty.kind, raw));
        const double seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        const Bytes object = wrap_object(Kind::kSealProof, proof.encode());
        if (!arguments.out.empty())
            HOLDFAST_TRY(write_object(arguments.out, object, arguments.force));
        if (arguments.submit) {
            HOLDFAST_TRY(ask_node(arguments.dir, "submit", {{"object", to_hex(object)}}));
        }
        Output out;
        out.field("chain_id", to_hex(prover.chain_id()));
        out.field("kind", duty.kind == SealProofKind::kAudit ? "audit" : "seal");
        out.field("y_height", duty.y_height->value);
        if (duty.deadline) out.field("deadline", duty.deadline->value);
        out.field("bytes", object.size());
        if (!arguments.out.empty()) out.field("file", arguments.out);
        out.json["submitted"] = arguments.submit;
        out.json["seconds"] = seconds;
        out.line("made in " + format_duration(seconds));
        return out;
    }
    return fail(ErrorCode::kUnavailable,
                duties.empty()
                    ? "no seal proof or audit of this chain is due"
                    : "the challenge is not known yet: it needs y of a later final block");
}

CommandResult verify_proof_file(const SealProofArguments& arguments) {
    HOLDFAST_ASSIGN(record, PublicRecord::load(arguments.public_folder));
    HOLDFAST_ASSIGN(object, read_object(arguments.file));
    const Checked<ByteView> body = unwrap_object(Kind::kSealProof, object);
    if (!body) return fail_refused(body.error(), arguments.file);
    VerifyOptions options;
    options.stop = stop_requested();
    const auto start = std::chrono::steady_clock::now();
    HOLDFAST_ASSIGN(report, Verifier(std::move(record)).verify(object, {}, options));
    Output out;
    if (report.chain_id) out.field("chain_id", to_hex(*report.chain_id));
    if (report.height) out.field("y_height", report.height->value);
    out.verdict(report.verdict);
    out.json["seconds"] =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return out;
}

}  // namespace

void add_register_commands(Commands& commands) {
    auto r = std::make_shared<RegisterArguments>();
    CLI::App* reg =
        commands.app().add_subcommand("register", "register a sealed replica as a chain");
    reg->add_option("replica", r->replica, "X.replica")->required();
    reg->add_option("-k,--key", r->key, "the prover's key file")->required();
    add_dir_option(reg, r->dir);
    reg->add_option("--retention", r->retention,
                    "temporary (30 days), default (365), archival (2,555)")
        ->capture_default_str();
    reg->add_option("--bond", r->bond, "units of the bond")->capture_default_str();
    reg->add_flag("--no-commitment", r->no_commitment, "without the local entropy source");
    commands.run(reg, "  holdfast register data.bin.replica --key alice.key --dir node\n",
                 [r] { return run_register(*r); });

    auto c = std::make_shared<ChangeArguments>();
    CLI::App* update = commands.app().add_subcommand("update", "change a chain's local commitment");
    CLI::App* remove = commands.app().add_subcommand("remove", "ask for the end of a chain");
    for (CLI::App* command : {update, remove}) {
        command->add_option("replica", c->replica, "X.replica")->required();
        command->add_option("-k,--key", c->key, "the prover's key file")->required();
        add_dir_option(command, c->dir);
    }
    update->add_option("--effective", c->effective, "height from which it is in force");
    update->add_flag("--no-commitment", c->no_commitment,
                     "without the local entropy source from then on");
    commands.run(update, "  holdfast update data.bin.replica --key alice.key --dir node\n",
                 [c] { return run_update(*c, false); });
    commands.run(remove, "  holdfast remove data.bin.replica --key alice.key --dir node\n",
                 [c] { return run_update(*c, true); });

    CLI::App* seal_proof =
        commands.app().add_subcommand("seal-proof", "proofs that a replica is sealed");
    seal_proof->require_subcommand(1);
    auto s = std::make_shared<SealProofArguments>();
    CLI::App* make =
        seal_proof->add_subcommand("make", "answer the seal challenge or audit that is due");
    make->add_option("replica", s->replica, "X.replica")->required();
    make->add_option("-k,--key", s->key, "the prover's key file")->required();
    add_dir_option(make, s->dir);
    make->add_option("-o,--out", s->out, "file for the proof");
    make->add_flag("--submit", s->submit, "hand it to the node's journal");
    make->add_flag("--force", s->force, "replace the file");
    make->add_option("--workers", s->workers, "windows refilled at once")->capture_default_str();
    commands.run(make,
                 "  holdfast seal-proof make data.bin.replica --key alice.key --dir node --out "
                 "seal.proof --submit\n",
                 [s] { return make_proof(*s); });
    CLI::App* verify =
        seal_proof->add_subcommand("verify", "check one from public data (costs its fills)");
    verify->add_option("file", s->file, "the proof")->required();
    verify->add_option("-p,--public", s->public_folder, "folder of public data")->required();
    commands.run(verify, "  holdfast seal-proof verify seal.proof --public public\n",
                 [s] { return verify_proof_file(*s); });
}

}  // namespace holdfast::cli
