// select, inspect, vectors check.

#include "chunking/file_header.hpp"
#include "cli/commands.hpp"
#include "cli/workspace.hpp"
#include "conformance/check_vectors.hpp"
#include "core/selection.hpp"
#include "json/object_reader.hpp"
#include "json/objects.hpp"
#include "storage/file.hpp"
#include "storage/key_file.hpp"
#include "storage/link_records.hpp"

namespace holdfast::cli {
namespace {

struct SelectArguments {
    std::string entropy;
    std::uint64_t n = 0;
    std::uint64_t count = kChunksPerLink;
    bool legacy = false;
};

constexpr std::uint64_t kMaxSelected = std::uint64_t{1} << 20;

CommandResult run_select(const SelectArguments& arguments) {
    Output out;
    Json selected = Json::array();
    Json cells = Json::array();
    if (arguments.legacy) {
        HOLDFAST_ASSIGN(hash, parse_hex<BlockHash>(arguments.entropy, "--entropy"));
        const auto chosen = select_v1(hash, arguments.n);
        if (!chosen) return fail_refused(chosen.error(), "the range");
        for (const std::uint64_t c : *chosen) selected.push_back(c);
        out.field("version", 1);
        out.line("version 1 is biased and grindable: for checking old chains only");
    } else {
        HOLDFAST_ASSIGN(e, parse_hex<Entropy>(arguments.entropy, "--entropy"));
        if (arguments.count < 1 || arguments.count > kMaxSelected) {
            return fail(ErrorCode::kInvalidArgument, "--count is 1 to 2^20");
        }
        const auto chosen = select_v2(e, arguments.n, arguments.count);
        if (!chosen) return fail_refused(chosen.error(), "the range");
        std::uint32_t j = 0;
        for (const std::uint64_t c : *chosen) {
            selected.push_back(c);
            cells.push_back(cell_in_chunk(e, j++));
        }
        out.field("version", 2);
        out.field("cells", cells);
    }
    out.field("n", arguments.n);
    out.field("selected", selected);
    return out;
}

Json header_json(const FileHeader& header) {
    return {{"prover", to_hex(header.replica.prover)},
            {"raw_root", to_hex(header.replica.raw_root)},
            {"sealed_root", to_hex(header.sealed_root)},
            {"replica_id", to_hex(header.replica_id)},
            {"network_id", to_hex(header.network_id)},
            {"data_len", header.replica.data_len},
            {"chunks", header.replica.chunks.value},
            {"window_chunks", header.replica.seal.window_chunks},
            {"work_blocks", header.replica.seal.work_blocks},
            {"nonce", header.replica.nonce}};
}

Output show(const std::string& what, const Json& fields) {
    Output out;
    out.field("kind", what);
    for (const auto& [key, value] : fields.items()) {
        if (key != "kind") out.field(key, value);
    }
    return out;
}

CommandResult inspect_header(const std::string& path, Kind kind) {
    HOLDFAST_ASSIGN(file, File::open(path, File::Mode::kRead));
    Bytes head(kFileHeaderBytes);
    HOLDFAST_TRY(file.read_at(0, head));
    const Checked<FileHeader> header = decode_file_header(kind, head);
    if (!header) return fail_refused(header.error(), path);
    return show(std::string(to_string(kind)), header_json(*header));
}

CommandResult inspect_chain_file(const std::string& path) {
    HOLDFAST_ASSIGN(records, LinkRecords::read(path));
    Json links = Json::array();
    for (const LinkRecord& r : records) {
        links.push_back({{"height", r.height.value},
                         {"block_hash", to_hex(r.block_hash)},
                         {"anchor", to_hex(r.anchor)},
                         {"link", to_hex(r.link)}});
    }
    return show("chain-file", {{"records", records.size()}, {"links", links}});
}

CommandResult inspect(const std::string& path) {
    HOLDFAST_ASSIGN(file, File::open(path, File::Mode::kRead));
    Bytes start(16);
    HOLDFAST_ASSIGN(got, file.read_some_at(0, start));
    start.resize(got);
    const std::string_view text(reinterpret_cast<const char*>(start.data()), start.size());
    if (text.empty()) return fail(ErrorCode::kCorrupt, path + ": the file is empty");
    if (text.starts_with("HOLDREP1")) return inspect_header(path, Kind::kReplicaFile);
    if (text.starts_with("HOLDTRE1")) return inspect_header(path, Kind::kTreeFile);
    if (text.starts_with("-----BEGIN")) {
        HOLDFAST_ASSIGN(key, load_key_pair(path));
        return show("key-file", {{"public_key", to_hex(key.public_key())}});
    }
    if (std::filesystem::path(path).extension() == ".chain") return inspect_chain_file(path);
    HOLDFAST_ASSIGN(object, read_object(path));
    const Checked<Json> fields = describe_object(object);
    if (!fields) return fail_refused(fields.error(), path);
    return show((*fields)["kind"].get<std::string>(), *fields);
}

struct InspectArguments {
    std::string file;
    bool from_json = false;
    std::string out;
    bool force = false;
};

/// The other direction: what `inspect --json` prints of a proof, as the proof itself.
CommandResult compose(const InspectArguments& arguments) {
    if (arguments.out.empty()) {
        return fail(ErrorCode::kInvalidArgument, "--from-json needs --out, a file for the object");
    }
    HOLDFAST_ASSIGN(text, read_object(arguments.file));
    const Json json = Json::parse(text.begin(), text.end(), nullptr, false);
    if (json.is_discarded()) {
        return fail(ErrorCode::kInvalidArgument, arguments.file + ": not JSON");
    }
    Result<Bytes> object = object_from_json(json);
    if (!object) {
        Error error = object.error();
        error.message = arguments.file + ": " + error.message;
        return tl::unexpected<Error>(std::move(error));
    }
    HOLDFAST_TRY(write_object(arguments.out, *object, arguments.force));
    const Checked<Json> fields = describe_object(*object);
    if (!fields) return fail_refused(fields.error(), arguments.file);
    Output out = show((*fields)["kind"].get<std::string>(), *fields);
    out.field("file", arguments.out);
    return out;
}

CommandResult check(const Globals& globals, const std::string& folder) {
    VectorOptions options;
    options.stop = stop_requested();
    std::uint64_t cases = 0;
    Progress progress(globals, "cases", "cases");
    options.on_progress = [&](const FileReport&) {
        ++cases;
        progress.update(cases, cases);
    };
    HOLDFAST_ASSIGN(reports, check_vectors(folder, options));
    Output out;
    std::uint64_t passed = 0;
    std::uint64_t failed = 0;
    Json files = Json::array();
    for (const FileReport& report : reports) {
        passed += report.passed;
        failed += report.failed;
        files.push_back({{"file", report.file},
                         {"passed", report.passed},
                         {"failed", report.failed},
                         {"skipped", report.skipped},
                         {"failures", report.failures}});
        out.line(report.file + ": " + std::to_string(report.passed) + " passed, " +
                 std::to_string(report.failed) + " failed" +
                 (report.skipped != 0 ? ", " + std::to_string(report.skipped) + " skipped" : ""));
        for (const std::string& failure : report.failures) out.line("  " + failure);
    }
    out.json["files"] = files;
    out.json["passed"] = passed;
    out.json["failed"] = failed;
    out.line("in all: " + std::to_string(passed) + " passed, " + std::to_string(failed) +
             " failed");
    if (failed != 0) out.exit_code = kExitRefused;
    return out;
}

}  // namespace

void add_tool_commands(Commands& commands) {
    auto s = std::make_shared<SelectArguments>();
    CLI::App* select = commands.app().add_subcommand("select", "which chunks an entropy selects");
    select->add_option("--entropy", s->entropy, "32 bytes of hex (a block hash with --legacy)")
        ->required();
    select->add_option("--chunks", s->n, "chunks to select from")->required();
    select->add_option("--count", s->count, "how many")->capture_default_str();
    select->add_flag("--legacy", s->legacy, "version 1: four chunks from the block hash alone");
    commands.run(select, "  holdfast select --entropy $(printf %064d 1) --chunks 1048576\n",
                 [s] { return run_select(*s); });

    auto i = std::make_shared<InspectArguments>();
    CLI::App* inspect_command = commands.app().add_subcommand(
        "inspect", "show any file: replica, tree, key (public part), chain, proof");
    inspect_command->add_option("file", i->file)->required();
    inspect_command->add_flag("--from-json", i->from_json,
                              "the file is what --json prints of a proof: write the proof");
    inspect_command->add_option("-o,--out", i->out, "where to, with --from-json");
    inspect_command->add_flag("--force", i->force, "replace the file");
    commands.run(inspect_command,
                 "  holdfast inspect data.bin.replica\n  holdfast inspect 12.proof --json\n"
                 "  holdfast inspect 12.json --from-json --out 12.proof\n",
                 [i] { return i->from_json ? compose(*i) : inspect(i->file); });

    auto path = std::make_shared<std::string>();
    CLI::App* vectors = commands.app().add_subcommand("vectors", "test vectors");
    vectors->require_subcommand(1);
    CLI::App* check_command =
        vectors->add_subcommand("check", "check this build against a folder of vector files");
    check_command->add_option("folder", *path)->required();
    commands.run(check_command, "  holdfast vectors check tests/vectors\n",
                 [path, &commands] { return check(commands.globals(), *path); });
}

}  // namespace holdfast::cli
