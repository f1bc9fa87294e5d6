// fetch: data of a chain from whoever serves them, every byte proved before it is kept.

#include "cli/commands.hpp"
#include "cli/peer_link.hpp"
#include "cli/workspace.hpp"

namespace holdfast::cli {
namespace {

constexpr std::uint32_t kRequestTimeoutMs = 10'000;

struct FetchArguments {
    PeerArguments peer;
    bool raw = false;
    bool sealed = false;
    std::optional<std::uint64_t> offset;
    std::optional<std::uint64_t> length;
    std::optional<std::uint64_t> first;
    std::optional<std::uint64_t> count;
    std::string out;
    bool force = false;
    unsigned at_once = 4;
    double patience = 30;
};

/// Bytes or chunks, whole where nothing is said.
Result<ReadRange> range_of(const FetchArguments& a, const ReadSource& source) {
    ReadRange range;
    range.what = a.sealed ? ReadWhat::kSealed : ReadWhat::kRaw;
    const std::uint64_t bytes = source.bytes(range.what);
    const bool chunks = a.first || a.count;
    if (chunks && (a.offset || a.length)) {
        return fail(ErrorCode::kInvalidArgument,
                    "--offset and --length count bytes, --first and --count chunks: use one pair");
    }
    if (!chunks) {
        range.offset = a.offset.value_or(0);
        range.length = a.length.value_or(bytes - std::min(bytes, range.offset));
        return range;
    }
    const std::uint64_t first = a.first.value_or(0);
    const std::uint64_t there = source.chunks.value - std::min(source.chunks.value, first);
    const std::uint64_t count = a.count.value_or(there);
    if (count == 0 || count > there) {
        return fail(ErrorCode::kInvalidArgument,
                    "the chain has chunks 0 to " + std::to_string(source.chunks.value - 1));
    }
    range.offset = first * kChunkBytes;
    if (range.offset >= bytes) {
        return fail(ErrorCode::kInvalidArgument,
                    "of the raw data there is nothing in these chunks: they are padding");
    }
    range.length = std::min(count * kChunkBytes, bytes - range.offset);
    return range;
}

CommandResult fetch(const Globals& globals, const FetchArguments& arguments) {
    if (!(arguments.patience > 0) || arguments.patience > 86'400 || arguments.at_once < 1 ||
        arguments.at_once > 16) {
        return fail(ErrorCode::kInvalidArgument,
                    "--patience is above 0 and at most 86400 seconds, --at-once 1 to 16");
    }
    HOLDFAST_ASSIGN(chain, AskedChain::find(arguments.peer.chain, arguments.peer.network));
    HOLDFAST_ASSIGN(range, range_of(arguments, chain.source));
    HOLDFAST_TRY(check_range(chain.source, range));
    // Before anything is asked: a file that exists, or a disk without room.
    Result<PendingFile> file = PendingFile::create(arguments.out, arguments.force);
    if (!file && file.error().code == ErrorCode::kAlreadyExists) {
        return fail(ErrorCode::kAlreadyExists,
                    file.error().message + " (use --force to replace it)");
    }
    if (!file) return fail(file.error());
    HOLDFAST_TRY(file->file().reserve(range.length));
    HOLDFAST_ASSIGN(link, PeerLink::connect(arguments.peer, chain));
    RangeReaderOptions options;
    options.at_once = arguments.at_once;
    options.patience_ms = static_cast<std::uint32_t>(arguments.patience * 1'000);
    options.stop = stop_requested();
    Progress progress(globals, "fetching", "B");
    options.progress = [&](std::uint64_t done, std::uint64_t total) {
        progress.update(done, total);
    };
    const auto ask = [&](ByteView request) -> Result<Bytes> {
        HOLDFAST_ASSIGN(reply,
                        link->network().request(link->peer().key, request, kRequestTimeoutMs));
        return std::move(reply.response);
    };
    const auto start = std::chrono::steady_clock::now();
    HOLDFAST_ASSIGN(report, read_range(
                                chain.source, range, ask,
                                [&](std::uint64_t at, ByteView bytes) {
                                    return file->file().write_at(at, bytes);
                                },
                                options));
    HOLDFAST_TRY(file->publish());
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    Output out;
    out.field("chain_id", to_hex(chain.source.chain_id));
    out.field("from", to_hex(link->peer().key) + "@" + link->peer().address);
    out.field("key", link->made_key() ? "made for this run" : arguments.peer.key);
    out.field("what", range.what == ReadWhat::kRaw ? "raw" : "sealed");
    out.field("offset", range.offset);
    out.field("bytes", report.bytes);
    out.field("file", arguments.out);
    out.json["requests"] = report.requests;
    out.json["busy"] = report.busy;
    out.json["retries"] = report.retries;
    out.json["seconds"] = seconds;
    out.line("every byte proved against the registered root, in " + format_duration(seconds));
    return out;
}

}  // namespace

void add_fetch_command(Commands& commands) {
    auto a = std::make_shared<FetchArguments>();
    CLI::App* command = commands.app().add_subcommand(
        "fetch", "take data of a chain from its prover, checked against the registered root");
    a->peer.add_to(command);
    CLI::Option* raw = command->add_flag("--raw", a->raw, "the data as before sealing (default)");
    command->add_flag("--sealed", a->sealed, "the sealed replica")->excludes(raw);
    command->add_option("--offset", a->offset, "first byte");
    command->add_option("--length", a->length, "bytes; without it to the end");
    command->add_option("--first", a->first, "first chunk of 4,096 bytes");
    command->add_option("--count", a->count, "chunks; without it to the end");
    command->add_option("-o,--out", a->out, "file for the data")->required();
    command->add_flag("--force", a->force, "replace the file");
    command->add_option("--at-once", a->at_once, "requests in flight, 1 to 16")
        ->capture_default_str();
    command
        ->add_option("--patience", a->patience,
                     "seconds without any data, busy or silent, after which it is given up")
        ->capture_default_str();
    commands.run(
        command,
        "  holdfast fetch data.bin.registration --public public --from 10.0.0.7:9001 --out "
        "data.bin\n"
        "  holdfast fetch CHAIN_ID --public public --from KEY@10.0.0.7:9001 --offset 4096 "
        "--length 100 --out part\n",
        [&commands, a] { return fetch(commands.globals(), *a); });
}

}  // namespace holdfast::cli
