// evidence make …, verify, settle, cases: from objects that contradict to an offence that is
// settled.

#include <algorithm>

#include "api/accusation.hpp"
#include "cli/ask_node.hpp"
#include "cli/commands.hpp"
#include "cli/workspace.hpp"
#include "json/blocks.hpp"
#include "settlement/evidence_knowledge.hpp"
#include "settlement/settlement_ledger.hpp"
#include "storage/begun.hpp"
#include "storage/key_file.hpp"

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

/// Why an accusation comes to nothing, beside the verdict.
std::string no_evidence_text(AccusationKind what, const MadeEvidence& made) {
    if (made.object) return "the proof itself: " + to_string(*made.object);
    return what == AccusationKind::kOpening && made.evidence.error().reason == Reason::kBadLink
               ? "what the proof shows is not what its receipt signs: nobody has committed to it"
               : "no opening of this proof differs from the registered cell";
}

CommandResult make_file(AccusationKind what, const MakeArguments& arguments) {
    HOLDFAST_ASSIGN(record, PublicRecord::load(arguments.public_folder));
    Accusation accusation{what, {}, {}, {}};
    if (what == AccusationKind::kEquivocation) {
        HOLDFAST_ASSIGN(chain, parse_hex<ChainId>(arguments.chain, "--chain"));
        accusation.chain = chain;
    }
    if (what == AccusationKind::kOpening) accusation.replica = arguments.second;
    const std::string* const files[] = {&arguments.first, &arguments.second, &arguments.third};
    for (std::size_t i = 0; i < objects_of(what); ++i) {
        HOLDFAST_ASSIGN(object, read_object(*files[i]));
        accusation.objects.push_back({*files[i], std::move(object)});
    }
    HOLDFAST_ASSIGN(made, make_evidence(record, accusation, {0, stop_requested()}));
    if (made.evidence) return write_evidence(arguments, record, *made.evidence);
    Output out;
    out.verdict(made.evidence.error());
    out.line(no_evidence_text(what, made));
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

void add_case(Output& out, const SettlementCase& c) {
    out.json["cases"].push_back(json_of(c));
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
    AccusationKind what_is_accused;
    const char* example;
};

const std::vector<Making>& makings() {
    static const std::vector<Making> list = {
        {"equivocation",
         "two links of one height (kind 1; kind 9 where a bundle is among them)",
         {{"first", "a receipt, compact or full proof, member or bundle"},
          {"second", "another of the same height"}},
         true,
         AccusationKind::kEquivocation,
         "  holdfast evidence make equivocation a.receipt b.receipt --chain CHAIN_ID --public "
         "public --out e.evidence\n"
         "  holdfast evidence make equivocation a.bundle b.receipt --chain CHAIN_ID --public "
         "public --out e.evidence\n"},
        {"opening",
         "a wrong cell under a signed link (kind 2), from a compact or full proof that fails",
         {{"proof", "the proof"}, {"replica", "a whole copy of the chain's replica, X.replica"}},
         false,
         AccusationKind::kOpening,
         "  holdfast evidence make opening bad.compact data.bin.replica --public public --out "
         "e.evidence\n"},
        {"seal",
         "a replica that was not sealed (kind 3), from a seal proof that fails",
         {{"proof", "the seal proof"}},
         false,
         AccusationKind::kSeal,
         "  holdfast evidence make seal seal.proof --public public --out e.evidence\n"},
        {"vdf",
         "a false VDF segment, output or start (kinds 4, 7, 8), from a proof that fails",
         {{"proof", "the VDF proof"}},
         false,
         AccusationKind::kVdf,
         "  holdfast evidence make vdf 12.vdfproof --public public --out e.evidence\n"},
        {"checkpoint",
         "two statements about one block (kind 5)",
         {{"first", "a checkpoint"}, {"second", "another of the same submitter and block"}},
         false,
         AccusationKind::kCheckpoint,
         "  holdfast evidence make checkpoint a.checkpoint b.checkpoint --public public --out "
         "e.evidence\n"},
        {"slots",
         "one chain in two slots under a signed digest (kind 5)",
         {{"checkpoint", "the checkpoint"}, {"first", "a path"}, {"second", "the other path"}},
         false,
         AccusationKind::kSlots,
         "  holdfast evidence make slots c.checkpoint a.path b.path --public public --out "
         "e.evidence\n"},
        {"response",
         "a signed response that fails (kind 6)",
         {{"challenge", "the challenge"}, {"response", "the response"}},
         false,
         AccusationKind::kResponse,
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
        commands.run(command, making.example,
                     [m, what = making.what_is_accused] { return make_file(what, *m); });
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
