// get: a kept file back from any of its provers, every byte checked before it is used.

#include "cli/commands.hpp"
#include "cli/keep_options.hpp"
#include "cli/standard_output.hpp"
#include "keep/get.hpp"

namespace holdfast::cli {
namespace {

struct GetArguments {
    KeepArguments keep;
    std::string file;
    std::string range;
    std::string out;
    std::string evidence;
    double slow = 2;
    double patience = 8;
};

void describe(const KeptFile& file, const ReadShardsReport& report, Output& out) {
    Json shards = Json::array();
    for (std::size_t i = 0; i < report.shards.size(); ++i) {
        const ShardReading& shard = report.shards[i];
        const std::string prover = to_hex(file.at(static_cast<unsigned>(i), 0).prover);
        shards.push_back({{"shard", i},
                          {"prover", prover},
                          {"read_bytes", shard.bytes},
                          {"slow", shard.slow},
                          {"failed", shard.failed},
                          {"lied", shard.lied},
                          {"evidence", shard.evidence.string()}});
        if (shard.lied) {
            out.line(
                "LIED: prover " + prover + ": " + shard.failed +
                (shard.evidence.empty() ? "" : "; its answer is in " + shard.evidence.string()));
        } else if (!shard.failed.empty()) {
            out.line("left out: prover " + prover + ": " + shard.failed);
        }
    }
    out.json["shards"] = shards;
}

CommandResult get(const Globals& globals, const GetArguments& arguments) {
    const bool stream = arguments.out == "-";
    if (stream && globals.json) {
        return fail(ErrorCode::kInvalidArgument, "--json and --out - both want standard output");
    }
    if (!(arguments.slow > 0) || arguments.slow > 3'600 || !(arguments.patience > 0) ||
        arguments.patience > 86'400) {
        return fail(ErrorCode::kInvalidArgument,
                    "--slow is above 0 and at most 3600 seconds, --patience at most 86400");
    }
    HOLDFAST_ASSIGN(owner, load_owner(arguments.keep));
    HOLDFAST_ASSIGN(file, find_kept_file(arguments.file, arguments.keep, owner.public_key()));
    ByteRange range{0, file.plain_len};
    if (!arguments.range.empty()) {
        HOLDFAST_ASSIGN(parsed, parse_byte_range(arguments.range, file.plain_len));
        range = parsed;
    }
    TcpProversOptions tcp;
    tcp.request_ms = 5'000;
    tcp.stop = stop_requested();
    HOLDFAST_ASSIGN(provers, TcpProvers::start(owner, file.network, tcp));
    ReadOptions options;
    options.slow_ms = static_cast<std::uint32_t>(arguments.slow * 1'000);
    options.patience_ms = static_cast<std::uint32_t>(arguments.patience * 1'000);
    options.evidence = arguments.evidence.empty() ? arguments.keep.folder() / "evidence"
                                                  : std::filesystem::path(arguments.evidence);
    options.stop = stop_requested();
    Progress progress(globals, "reading", "B");
    options.progress = [&](std::uint64_t done, std::uint64_t total) {
        progress.update(done, total);
    };
    Output out;
    if (stream) {
        HOLDFAST_ASSIGN(report,
                        stream_file(
                            file, owner, range, provers->asker(),
                            [](ByteView bytes) -> Status {
                                const int failed = write_output(
                                    {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
                                if (failed == 0) return {};
                                return fail_errno(failed, "standard output");
                            },
                            options));
        Output notes;
        describe(file, report, notes);
        std::fputs(notes.text.c_str(), stderr);
        return out;
    }
    HOLDFAST_ASSIGN(report, get_file(file, owner, range, arguments.out, provers->asker(), options));
    out.field("file", arguments.out);
    out.field("id", to_hex(file.id()));
    out.field("offset", range.begin);
    out.field("bytes", range.end - range.begin);
    describe(file, report, out);
    out.line("every byte checked against the manifest's roots" +
             std::string(file.scheme == KeptScheme::kPlain ? "" : ", then decrypted"));
    return out;
}

}  // namespace

void add_get_command(Commands& commands) {
    auto a = std::make_shared<GetArguments>();
    CLI::App* command = commands.app().add_subcommand(
        "get", "take a kept file back from any of its provers, every byte checked");
    command->add_option("file", a->file, "its manifest, or its id or name in the catalogue")
        ->required();
    a->keep.add_to(command);
    command->add_option("-o,--out", a->out, "file to make, never replaced; - for a stream")
        ->required();
    command->add_option("--range", a->range, "A-B: first and last byte; A- to the end");
    command->add_option("--evidence", a->evidence,
                        "folder for false answers (default: evidence in the catalogue)");
    command->add_option("--slow", a->slow, "seconds after which another prover is asked as well")
        ->capture_default_str();
    command
        ->add_option("--patience", a->patience,
                     "seconds without an answer after which a prover is left out")
        ->capture_default_str();
    commands.run(command,
                 "  holdfast get film.mkv.kept --key me.key --out film.mkv\n"
                 "  holdfast get film.mkv --key me.key --range 0-999 --out - | head\n"
                 "  Stopped or killed, the same command goes on where it was.\n",
                 [&commands, a] { return get(commands.globals(), *a); });
}

}  // namespace holdfast::cli
