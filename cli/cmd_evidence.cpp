// evidence make …, verify, settle, cases: from objects that contradict to an offence that is
// settled.

#include <algorithm>

#include "api/prover.hpp"
#include "cli/ask_node.hpp"
#include "cli/commands.hpp"
#include "cli/workspace.hpp"
#include "proofs/bundle.hpp"
#include "proofs/seal_proof_verify.hpp"
#include "settlement/evidence_knowledge.hpp"
#include "settlement/settlement_ledger.hpp"
#include "storage/begun.hpp"
#include "storage/key_file.hpp"
#include "storage/parallel.hpp"

namespace holdfast::cli {
namespace {

struct MakeArguments {
    std::string first;
    std::string second;
    std::string third;
    std::string public_folder;
    std::string chain;
    std::string out;
    bool force = false;
};

/// A signed link of `chain`: a receipt, that of a compact or full proof, a member, or one out of a
/// bundle.
Result<LinkStatement> read_statement(const std::string& file, const ChainId& chain) {
    HOLDFAST_ASSIGN(object, read_object(file));
    const Checked<Kind> kind = peek_kind(object);
    if (!kind) return fail_refused(kind.error(), file);
    if (*kind == Kind::kCompact) {
        HOLDFAST_ASSIGN(proof, read_as<Compact>(*kind, file));
        return LinkStatement(proof.receipt);
    }
    if (*kind == Kind::kFull) {
        HOLDFAST_ASSIGN(proof, read_as<Full>(*kind, file));
        return LinkStatement(proof.receipt);
    }
    if (*kind == Kind::kMember) {
        HOLDFAST_ASSIGN(member, read_as<Member>(*kind, file));
        if (member.chain_id == chain) return LinkStatement(member.bundled);
        return fail_refused(Reason::kWrongChain, file);
    }
    if (*kind == Kind::kBundle) {
        HOLDFAST_ASSIGN(bundle, read_as<Bundle>(*kind, file));
        const auto at = std::ranges::find(bundle.members, chain, &BundleEntry::chain_id);
        if (at == bundle.members.end()) return fail_refused(Reason::kWrongChain, file);
        const auto index = static_cast<std::uint32_t>(at - bundle.members.begin());
        return LinkStatement(BundleTree(bundle).member(index).bundled);
    }
    HOLDFAST_ASSIGN(receipt, read_as<Receipt>(Kind::kReceipt, file));
    return LinkStatement(receipt);
}

Json describe(const Offence& offence, const OffenceId& id) {
    return {{"offence", to_string(offence.kind)},
            {"kind_number", static_cast<int>(offence.kind)},
            {"offender", to_hex(offence.offender)},
            {"height", offence.height.value},
            {"offence_id", to_hex(id)}};
}

void add_fields(Output& out, const Json& fields) {
    for (const auto& [key, value] : fields.items()) out.field(key, value);
}

/// Evidence is written only when it shows an offence as far as that can be told without a fill.
CommandResult write_evidence(const MakeArguments& arguments, const PublicRecord& record,
                             const Evidence& evidence) {
    HOLDFAST_ASSIGN(judgement, judge_evidence_without_fill(
                                   evidence_knowledge(record, {1, stop_requested()}), evidence));
    Output out;
    add_fields(out, describe(judgement.offence, judgement.id));
    out.verdict(judgement.verdict);
    if (!judgement.verdict) return out;
    const Bytes object = wrap_object(Kind::kEvidence, evidence.encode());
    HOLDFAST_TRY(write_object(arguments.out, object, arguments.force));
    out.field("file", arguments.out);
    out.field("bytes", object.size() - 2);
    if (needs_fill(evidence))
        out.line("it takes a fill to tell whether this is an offence: verify it");
    return out;
}

CommandResult make_equivocation_file(const MakeArguments& arguments) {
    HOLDFAST_ASSIGN(chain, parse_hex<ChainId>(arguments.chain, "--chain"));
    HOLDFAST_ASSIGN(a, read_statement(arguments.first, chain));
    HOLDFAST_ASSIGN(b, read_statement(arguments.second, chain));
    HOLDFAST_ASSIGN(record, PublicRecord::load(arguments.public_folder));
    HOLDFAST_ASSIGN(known, record.known_height(height_of(a)));
    return write_evidence(arguments, record, make_equivocation(chain, known.block_hash, a, b));
}

/// A compact or full proof.
Result<AnyProof> read_proof(const std::string& file) {
    HOLDFAST_ASSIGN(object, read_object(file));
    const Checked<Kind> kind = peek_kind(object);
    if (!kind) return fail_refused(kind.error(), file);
    if (*kind == Kind::kCompact) {
        HOLDFAST_ASSIGN(proof, read_as<Compact>(*kind, file));
        return AnyProof(std::move(proof));
    }
    HOLDFAST_ASSIGN(proof, read_as<Full>(Kind::kFull, file));
    return AnyProof(std::move(proof));
}

/// The first opening of the proof that is not that of the cell which was registered; the true cells
/// come from any copy of the replica.
Result<Checked<Evidence>> find_false_opening(const PublicRecord& record, const KnownChain& chain,
                                             const KnownHeight& known, const AnyProof& proof,
                                             const Replica& replica) {
    if (!known.y) return Checked<Evidence>(refuse(Reason::kNoEntropy));
    const Entropy e = chain_entropy(record.network_id(), *known.y, chain.id, reveal_of(proof));
    const OpenedCells where = opened_cells(e, chain.chunks);
    std::vector<std::uint8_t> shown;
    for (std::uint8_t j = 0; j < kChunksPerLink; ++j) shown.push_back(j);
    if (std::holds_alternative<Compact>(proof)) {
        const auto drawn = opening_shown(record.network_id(), chain, known);
        if (!drawn) return Checked<Evidence>(refuse(Reason::kNoEntropy));
        shown = {*drawn};
    }
    Checked<Evidence> found = refuse(Reason::kNoOffence);
    for (const std::uint8_t j : shown) {
        const std::uint64_t cell[] = {where[j].index().value};
        HOLDFAST_ASSIGN(opened, replica.open_cells(cell));
        Cell registered;
        std::ranges::copy(opened.cell(0), registered.bytes.begin());
        found = make_false_opening(record.network_id(), chain, known, proof, j, registered,
                                   std::move(opened.siblings));
        if (found || found.error().reason != Reason::kNoOffence) break;
    }
    return found;
}

CommandResult make_opening_file(const MakeArguments& arguments) {
    HOLDFAST_ASSIGN(proof, read_proof(arguments.first));
    HOLDFAST_ASSIGN(record, PublicRecord::load(arguments.public_folder));
    const ProverFiles files = ProverFiles::beside(arguments.second);
    HOLDFAST_ASSIGN(replica, Replica::open(files.replica, files.tree, record.params()));
    const Height height = receipt_of(proof).height;
    HOLDFAST_ASSIGN(chain, record.known_chain(chain_of(proof), height));
    HOLDFAST_ASSIGN(known, record.known_height(height));
    if (replica.header().sealed_root != chain.sealed_root) {
        return fail_refused(Reason::kSealedMismatch,
                            arguments.second + ", which is not a copy of that chain's replica");
    }
    HOLDFAST_ASSIGN(evidence, find_false_opening(record, chain, known, proof, replica));
    if (evidence) return write_evidence(arguments, record, *evidence);
    Output out;
    out.verdict(evidence.error());
    out.line(evidence.error().reason == Reason::kBadLink
                 ? "what the proof shows is not what its receipt signs: nobody has committed to it"
                 : "no opening of this proof differs from the registered cell");
    return out;
}

CommandResult make_checkpoint_file(const MakeArguments& arguments) {
    HOLDFAST_ASSIGN(a, read_as<Checkpoint>(Kind::kCheckpoint, arguments.first));
    HOLDFAST_ASSIGN(b, read_as<Checkpoint>(Kind::kCheckpoint, arguments.second));
    HOLDFAST_ASSIGN(record, PublicRecord::load(arguments.public_folder));
    return write_evidence(arguments, record, make_checkpoint_conflict(a, b));
}

CommandResult make_slots_file(const MakeArguments& arguments) {
    HOLDFAST_ASSIGN(checkpoint, read_as<Checkpoint>(Kind::kCheckpoint, arguments.first));
    HOLDFAST_ASSIGN(a, read_as<PathProof>(Kind::kPath, arguments.second));
    HOLDFAST_ASSIGN(b, read_as<PathProof>(Kind::kPath, arguments.third));
    HOLDFAST_ASSIGN(record, PublicRecord::load(arguments.public_folder));
    HOLDFAST_ASSIGN(known, record.known_height(checkpoint.height));
    if (!known.previous_global) {
        return fail(ErrorCode::kNotFound, "the public record lacks the digest before height " +
                                              std::to_string(checkpoint.height.value));
    }
    return write_evidence(
        arguments, record,
        make_double_slot(checkpoint, known.y.value_or(VdfOutput{}), *known.previous_global, a, b));
}

CommandResult make_response_file(const MakeArguments& arguments) {
    HOLDFAST_ASSIGN(object, read_object(arguments.first));
    HOLDFAST_ASSIGN(response, read_as<Response>(Kind::kResponse, arguments.second));
    HOLDFAST_ASSIGN(record, PublicRecord::load(arguments.public_folder));
    const Checked<Kind> kind = peek_kind(object);
    if (kind && *kind == Kind::kChallenge2) {
        HOLDFAST_ASSIGN(challenge, read_as<Challenge2>(*kind, arguments.first));
        return write_evidence(arguments, record, make_bad_response(challenge, response));
    }
    HOLDFAST_ASSIGN(challenge, read_as<Challenge>(Kind::kChallenge, arguments.first));
    return write_evidence(arguments, record, make_bad_response(challenge, response));
}

/// Verifies the whole proof and turns what it fails on into evidence of kind 4, 7 or 8.
CommandResult make_vdf_file(const MakeArguments& arguments) {
    HOLDFAST_ASSIGN(proof, read_as<VdfProof>(Kind::kVdfProof, arguments.first));
    HOLDFAST_ASSIGN(record, PublicRecord::load(arguments.public_folder));
    const std::optional<Seed> seed = seed_from(record, proof.height);
    const std::uint64_t epoch = epoch_of(record.params(), proof.height);
    const std::optional<EpochSeed> epoch_seed = epoch_seed_from(record, epoch);
    if (!record.params().has_vdf || !seed || !epoch_seed) {
        return fail(ErrorCode::kNotFound, "the public record lacks what the input of height " +
                                              std::to_string(proof.height.value) + " is made of");
    }
    const VdfContext context{record.params(), record.network_id(), proof.height, *seed,
                             epoch,           *epoch_seed};
    Verdict verdict = verify_vdf_claim(context, proof);
    if (verdict) {
        HOLDFAST_ASSIGN(
            arena, evidence_knowledge(record, {0, stop_requested()}).arena(epoch, *epoch_seed));
        VdfVerifyOptions options;
        options.parallel = pool_parallel();
        options.stop = stop_requested();
        HOLDFAST_ASSIGN(full, verify_vdf_full(context, proof, arena->view(), options));
        verdict = full;
    }
    const Checked<Evidence> evidence = make_vdf_evidence(proof, verdict);
    if (evidence) return write_evidence(arguments, record, *evidence);
    Output out;
    out.verdict(evidence.error());
    out.line("the proof itself: " + to_string(verdict));
    return out;
}

/// Verifies a seal proof and turns the cell that it fails on into evidence of kind 3.
CommandResult make_seal_file(const MakeArguments& arguments) {
    HOLDFAST_ASSIGN(object, read_object(arguments.first));
    const Checked<ByteView> body = unwrap_object(Kind::kSealProof, object);
    if (!body) return fail_refused(body.error(), arguments.first);
    HOLDFAST_ASSIGN(record, PublicRecord::load(arguments.public_folder));
    Reader head(*body);
    const auto chain_id = head.fixed<ChainId>();
    const Height y_height = head.height();
    if (head.failed()) return fail_refused(head.verdict(), arguments.first);
    const auto chain = record.chains().find(chain_id);
    const auto facts = record.heights().find(y_height);
    if (chain == record.chains().end() || facts == record.heights().end() || !facts->second.y) {
        return fail(ErrorCode::kNotFound, "the public record lacks this chain, or y of height " +
                                              std::to_string(y_height.value));
    }
    const Registration& registration = chain->second.registration;
    Output out;
    Verdict verdict;
    for (const SealProofKind kind : {SealProofKind::kSeal, SealProofKind::kAudit}) {
        const SealContext known{y_height, *facts->second.y, kind};
        const auto pending =
            check_seal_proof(record.params(), record.network_id(), registration, known, *body);
        verdict = pending ? Verdict::ok() : pending.error();
        if (!pending) continue;
        FillOptions fill;
        fill.stop = stop_requested();
        HOLDFAST_ASSIGN(filled, verify_seal_proof(record.params(), record.network_id(),
                                                  registration, known, *body, fill));
        verdict = filled;
        if (verdict.reason != Reason::kBadSealing || !verdict.index) break;
        const auto evidence = make_bad_seal(registration, *pending, CellIndex(*verdict.index));
        if (!evidence) return fail_refused(evidence.error(), arguments.first);
        return write_evidence(arguments, record, *evidence);
    }
    out.verdict(Reason::kNoOffence);
    out.line("the proof itself: " + to_string(verdict));
    return out;
}

struct JudgeArguments {
    std::vector<std::string> files;
    std::string public_folder;
    std::string dir = "node";
    std::string key;
    std::string evaluator_bond;
    std::uint64_t deposit = 0;
    bool retry = false;
};

CommandResult verify_files(const JudgeArguments& arguments) {
    HOLDFAST_ASSIGN(record, PublicRecord::load(arguments.public_folder));
    const EvidenceKnowledge knowledge = evidence_knowledge(record, {0, stop_requested()});
    Output out;
    for (const std::string& file : arguments.files) {
        HOLDFAST_ASSIGN(evidence, read_as<Evidence>(Kind::kEvidence, file));
        HOLDFAST_ASSIGN(judgement, judge_evidence(knowledge, evidence));
        Output one;
        one.field("file", file);
        add_fields(one, describe(judgement.offence, judgement.id));
        one.verdict(judgement.verdict);
        out.part(one);
    }
    return out.finish_parts();
}

Json describe(const SettlementCase& c) {
    Json steps = Json::array();
    for (const SettlementStep& s : c.steps) {
        Json step = {{"step", to_string(s.kind)},
                     {"state", to_string(s.state)},
                     {"amount", s.answer},
                     {"asked", s.asked}};
        if (s.kind != StepKind::kReward) step["bond"] = to_hex(s.bond);
        if (s.kind == StepKind::kReward) step["to"] = to_hex(s.party);
        steps.push_back(step);
    }
    return {{"case", to_hex(c.id)},
            {"about", to_string(c.kind)},
            {"settled", c.settled()},
            {"steps", steps}};
}

void add_case(Output& out, const SettlementCase& c) {
    out.json["cases"].push_back(describe(c));
    out.line("case " + to_hex(c.id) + "  " + std::string(to_string(c.kind)) +
             (c.settled() ? ", settled" : ", OPEN"));
    for (const SettlementStep& s : c.steps) {
        out.line("  " + std::string(to_string(s.kind)) + " " + std::string(to_string(s.state)) +
                 ", amount " + std::to_string(s.answer));
    }
}

/// A bond of the accuser for this piece of evidence; the same one when the command is repeated.
Status put_down(const JudgeArguments& arguments, ByteView object) {
    HOLDFAST_ASSIGN(key, load_key_pair(arguments.key));
    HOLDFAST_TRY(ask_node(arguments.dir, "ledger deposit",
                          {{"owner", to_hex(key.public_key())},
                           {"amount", arguments.deposit},
                           {"evidence", to_hex(sha256(object))}}));
    return {};
}

/// Beside whoever works on them.
Status add_cases(const std::string& dir, Output& out) {
    HOLDFAST_ASSIGN(chain, open_chain(NodePaths{dir}, LocalChain::Mode::kRead));
    HOLDFAST_TRY(check_not_vanished(NodePaths{dir}.settlement()));
    out.json["cases"] = Json::array();
    std::error_code ignored;
    if (!std::filesystem::exists(NodePaths{dir}.settlement(), ignored)) return {};
    HOLDFAST_ASSIGN(ledger,
                    SettlementLedger::read(NodePaths{dir}.settlement(), chain->network_id()));
    return ledger->for_each([&](const SettlementCase& c) {
        add_case(out, c);
        return true;
    });
}

/// Hands evidence to the chain, whose final block has every node judge it, and carries out what
/// the node's registry has decided.
CommandResult settle(const JudgeArguments& arguments) {
    if (arguments.deposit > 0 && arguments.key.empty()) {
        return fail(ErrorCode::kInvalidArgument, "a deposit needs --key, the accuser's key file");
    }
    Output out;
    out.json["submitted"] = Json::array();
    for (const std::string& file : arguments.files) {
        HOLDFAST_ASSIGN(evidence, read_as<Evidence>(Kind::kEvidence, file));
        const Bytes object = wrap_object(Kind::kEvidence, evidence.encode());
        if (arguments.deposit > 0) HOLDFAST_TRY(put_down(arguments, object));
        HOLDFAST_TRY(
            ask_node(arguments.dir, "chain submit", {{"object", to_hex(ByteView(object))}}));
        out.json["submitted"].push_back(file);
        out.line(file + ": submitted; every node judges it once a final block lists it");
    }
    HOLDFAST_ASSIGN(report, ask_node(arguments.dir, "settle", {{"retry", arguments.retry}}));
    HOLDFAST_TRY(add_cases(arguments.dir, out));
    out.json["answered"] = report["answered"];
    out.json["open"] = report["open"];
    for (const Json& fault : report["faults"]) out.line("FAULT: " + fault.get<std::string>());
    if (report["open"] != 0) out.exit_code = std::max(out.exit_code, kExitEnvironment);
    return out;
}

CommandResult list_cases(const std::string& dir) {
    Output out;
    HOLDFAST_TRY(add_cases(dir, out));
    out.line(std::to_string(out.json["cases"].size()) + " case(s)");
    return out;
}

/// One kind of evidence to make: a command with its files.
struct Making {
    const char* name;
    const char* what;
    std::vector<std::pair<const char*, const char*>> files;
    bool with_chain;
    CommandResult (*run)(const MakeArguments&);
    const char* example;
};

const std::vector<Making>& makings() {
    static const std::vector<Making> list = {
        {"equivocation",
         "two links of one height (kind 1; kind 9 where a bundle is among them)",
         {{"first", "a receipt, compact or full proof, member or bundle"},
          {"second", "another of the same height"}},
         true,
         make_equivocation_file,
         "  holdfast evidence make equivocation a.receipt b.receipt --chain CHAIN_ID --public "
         "public --out e.evidence\n"
         "  holdfast evidence make equivocation a.bundle b.receipt --chain CHAIN_ID --public "
         "public --out e.evidence\n"},
        {"opening",
         "a wrong cell under a signed link (kind 2), from a compact or full proof that fails",
         {{"proof", "the proof"}, {"replica", "a whole copy of the chain's replica, X.replica"}},
         false,
         make_opening_file,
         "  holdfast evidence make opening bad.compact data.bin.replica --public public --out "
         "e.evidence\n"},
        {"seal",
         "a replica that was not sealed (kind 3), from a seal proof that fails",
         {{"proof", "the seal proof"}},
         false,
         make_seal_file,
         "  holdfast evidence make seal seal.proof --public public --out e.evidence\n"},
        {"vdf",
         "a false VDF segment, output or start (kinds 4, 7, 8), from a proof that fails",
         {{"proof", "the VDF proof"}},
         false,
         make_vdf_file,
         "  holdfast evidence make vdf 12.vdfproof --public public --out e.evidence\n"},
        {"checkpoint",
         "two statements about one block (kind 5)",
         {{"first", "a checkpoint"}, {"second", "another of the same submitter and block"}},
         false,
         make_checkpoint_file,
         "  holdfast evidence make checkpoint a.checkpoint b.checkpoint --public public --out "
         "e.evidence\n"},
        {"slots",
         "one chain in two slots under a signed digest (kind 5)",
         {{"checkpoint", "the checkpoint"}, {"first", "a path"}, {"second", "the other path"}},
         false,
         make_slots_file,
         "  holdfast evidence make slots c.checkpoint a.path b.path --public public --out "
         "e.evidence\n"},
        {"response",
         "a signed response that fails (kind 6)",
         {{"challenge", "the challenge"}, {"response", "the response"}},
         false,
         make_response_file,
         "  holdfast evidence make response c.challenge r.response --public public --out "
         "e.evidence\n"},
    };
    return list;
}

void add_make_commands(Commands& commands, CLI::App* evidence) {
    CLI::App* make = evidence->add_subcommand("make", "evidence from objects that contradict");
    make->require_subcommand(1);
    for (const Making& making : makings()) {
        auto m = std::make_shared<MakeArguments>();
        CLI::App* command = make->add_subcommand(making.name, making.what);
        std::string* const places[] = {&m->first, &m->second, &m->third};
        for (std::size_t i = 0; i < making.files.size(); ++i) {
            command->add_option(making.files[i].first, *places[i], making.files[i].second)
                ->required();
        }
        if (making.with_chain) {
            command->add_option("--chain", m->chain, "the chain that signed them")->required();
        }
        command->add_option("-p,--public", m->public_folder, "folder of public data")->required();
        command->add_option("-o,--out", m->out, "file for the evidence")->required();
        command->add_flag("--force", m->force, "replace the file");
        commands.run(command, making.example, [m, run = making.run] { return run(*m); });
    }
}

}  // namespace

void add_evidence_commands(Commands& commands) {
    CLI::App* evidence = commands.app().add_subcommand("evidence", "offences and their settlement");
    evidence->require_subcommand(1);
    add_make_commands(commands, evidence);

    auto j = std::make_shared<JudgeArguments>();
    CLI::App* verify = evidence->add_subcommand(
        "verify",
        "judge evidence from public data alone; accepted means that the offence is shown");
    verify->add_option("files", j->files, "evidence")->required();
    verify->add_option("-p,--public", j->public_folder, "folder of public data")->required();
    commands.run(verify, "  holdfast evidence verify e.evidence --public public --json\n",
                 [j] { return verify_files(*j); });

    CLI::App* settle_command = evidence->add_subcommand(
        "settle", "hand evidence to the chain, and carry out what the registry has decided");
    settle_command->add_option("files", j->files, "evidence (none: only carry out)");
    add_dir_option(settle_command, j->dir);
    settle_command->add_option("-k,--key", j->key, "the accuser's key file");
    settle_command->add_option("--deposit", j->deposit,
                               "units to deposit for evidence that costs a fill (kinds 3 and 4)");
    settle_command->add_flag("--retry", j->retry, "ask again for what the ledger has refused");
    commands.run(settle_command,
                 "  holdfast evidence settle e.evidence --dir node --key bob.key --deposit 10\n"
                 "  holdfast evidence settle --dir node\n",
                 [j] { return settle(*j); });
    CLI::App* cases = evidence->add_subcommand("cases", "what was decided, and what became of it");
    add_dir_option(cases, j->dir);
    commands.run(cases, "  holdfast evidence cases --dir node --json\n",
                 [j] { return list_cases(j->dir); });
}

}  // namespace holdfast::cli
