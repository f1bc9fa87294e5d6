// scrub and repair.

#include <algorithm>

#include "chunking/erasure.hpp"
#include "chunking/repair.hpp"
#include "chunking/shard_folder.hpp"
#include "cli/commands.hpp"
#include "cli/workspace.hpp"
#include "node/scrubber.hpp"

namespace holdfast::cli {
namespace {

/// X.replica for every X of which the folder holds a replica, a tree or a registration.
Result<std::vector<std::filesystem::path>> replicas_in(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> found;
    std::error_code failed;
    for (std::filesystem::directory_iterator at(folder, failed), end; !failed && at != end;
         at.increment(failed)) {
        std::filesystem::path path = at->path();
        const auto extension = path.extension();
        if (extension != ".replica" && extension != ".tree" && extension != ".registration") {
            continue;
        }
        found.push_back(path.replace_extension(".replica"));
    }
    if (failed) {
        return fail_errno(failed.value(), "cannot read folder '" + folder.string() + "'");
    }
    if (found.empty()) {
        return fail(ErrorCode::kNotFound, "folder '" + folder.string() + "' holds no replica");
    }
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
}

using Refused = std::vector<std::pair<std::filesystem::path, Error>>;

/// The replicas of all that was named; a folder that has none does not keep the others from it.
std::vector<std::filesystem::path> replicas_of(const std::vector<std::string>& words,
                                               Refused& refused) {
    std::vector<std::filesystem::path> out;
    for (const std::string& word : words) {
        std::error_code ignored;
        if (!std::filesystem::is_directory(word, ignored)) {
            out.emplace_back(word);
            continue;
        }
        const auto found = replicas_in(word);
        if (!found) {
            refused.emplace_back(word, found.error());
            continue;
        }
        out.insert(out.end(), found->begin(), found->end());
    }
    return out;
}

Json ranges_json(const std::vector<IndexRange>& ranges) {
    Json out = Json::array();
    for (const IndexRange& r : ranges) out.push_back({{"first", r.first}, {"count", r.count}});
    return out;
}

std::string ranges_text(const std::vector<IndexRange>& ranges) {
    constexpr std::size_t kShown = 20;
    std::string text;
    for (std::size_t i = 0; i < std::min(ranges.size(), kShown); ++i) {
        text += (i == 0 ? "" : ", ") + std::to_string(ranges[i].first);
        if (ranges[i].count > 1) {
            text += "-" + std::to_string(ranges[i].first + ranges[i].count - 1);
        }
    }
    if (ranges.size() > kShown) {
        text += " and " + std::to_string(ranges.size() - kShown) + " ranges more (--json has all)";
    }
    return text;
}

std::string tree_name(TreeKind tree) { return tree == TreeKind::kRaw ? "raw" : "sealed"; }

Json report_json(const ScrubReport& report) {
    Json nodes = Json::array();
    for (const NodeRange& n : report.bad_nodes) {
        nodes.push_back({{"tree", tree_name(n.tree)},
                         {"level", n.level},
                         {"first", n.nodes.first},
                         {"count", n.nodes.count}});
    }
    return {{"clean", report.clean()},
            {"replica_id", to_hex(report.header.replica_id)},
            {"chunks", report.header.replica.chunks.value},
            {"resumed_at_chunk", report.resumed_at_chunk},
            {"files", report.files},
            {"bad_chunks", ranges_json(report.bad_chunks)},
            {"unreadable_chunks", ranges_json(report.unreadable_chunks)},
            {"unproven_chunks", ranges_json(report.unproven_chunks)},
            {"bad_nodes", nodes}};
}

void report_lines(Output& out, const ScrubReport& report) {
    for (const std::string& file : report.files) out.line("  FILE: " + file);
    const auto chunks = [&](const char* what, const std::vector<IndexRange>& ranges) {
        if (ranges.empty()) return;
        out.line(std::string("  ") + what + ": " + std::to_string(total_count(ranges)) +
                 " chunk(s): " + ranges_text(ranges));
    };
    chunks("BAD", report.bad_chunks);
    chunks("UNREADABLE", report.unreadable_chunks);
    chunks("UNPROVEN (the tree is damaged there too)", report.unproven_chunks);
    for (const TreeKind tree : {TreeKind::kRaw, TreeKind::kSealed}) {
        std::uint64_t nodes = 0;
        for (const NodeRange& n : report.bad_nodes) nodes += n.tree == tree ? n.nodes.count : 0;
        if (nodes == 0) continue;
        out.line("  TREE: " + std::to_string(nodes) + " node(s) of the " + tree_name(tree) +
                 " tree are wrong");
    }
}

struct ScrubArguments {
    std::vector<std::string> paths;
    std::string dir = "node";
    double rate = 0;
    unsigned workers = 0;
    bool afresh = false;
    bool no_log = false;
};

/// Whether what went wrong is that a file could not be written: on a read-only mount, a full disk.
bool is_about(const Error& error, const std::filesystem::path& file) {
    return error.code != ErrorCode::kBusy && !file.empty() &&
           error.message.find(file.string()) != std::string::npos;
}

CommandResult run_scrub(const Globals& globals, const ScrubArguments& arguments) {
    if (!(arguments.rate >= 0)) {
        return fail(ErrorCode::kInvalidArgument, "--rate is 0 or more MiB/s");
    }
    HOLDFAST_ASSIGN(chain, open_chain(NodePaths{arguments.dir}, LocalChain::Mode::kRead));
    Refused refused;
    const std::vector<std::filesystem::path> replicas = replicas_of(arguments.paths, refused);
    if (replicas.empty() && !refused.empty()) return fail(refused.front().second);
    const bool alone = replicas.size() + refused.size() == 1;
    ScrubOptions options;
    options.workers = arguments.workers;
    options.stop = stop_requested();
    options.afresh = arguments.afresh;
    node::RateLimit limit(arguments.rate, options.stop);
    if (arguments.rate > 0) {
        options.pace = [&](std::uint64_t bytes) { limit.take(bytes); };
        // Ten seconds of work are lost at most.
        options.log_bytes = static_cast<std::uint64_t>(
            std::min(arguments.rate * 10 * 1048576.0, static_cast<double>(options.log_bytes)));
    }
    Output out;
    Json list = Json::array();
    std::uint64_t damaged = 0;
    std::uint64_t failed = 0;
    const auto not_examined = [&](const std::filesystem::path& path, const Error& error) {
        ++failed;
        list.push_back({{"replica", path.string()}, {"error", error.message}});
        out.line(path.string() + ": NOT EXAMINED: " + error.message);
    };
    for (const auto& [path, error] : refused) not_examined(path, error);
    for (const std::filesystem::path& path : replicas) {
        std::vector<std::string> notes;
        const auto files = node::files_of_replica(path, chain->params(), !arguments.no_log, notes);
        if (!files) {
            if (alone) return fail(files.error());
            not_examined(path, files.error());
            continue;
        }
        Progress progress(globals, "scrubbing " + path.filename().string(), "B");
        options.progress = [&](std::uint64_t done, std::uint64_t total) {
            progress.update(done, total);
        };
        Result<ScrubReport> report = scrub(*files, chain->params(), options);
        if (!report && is_about(report.error(), files->log)) {
            report.error().message += "; --no-log scrubs without keeping a log beside the replica";
        }
        if (!report) {
            // One replica that cannot be examined does not keep the others from it.
            if (report.error().code == ErrorCode::kInterrupted || alone) {
                return fail(std::move(report).error());
            }
            not_examined(path, report.error());
            continue;
        }
        report->files.insert(report->files.end(), notes.begin(), notes.end());
        if (!report->clean()) ++damaged;
        Json one = {{"replica", path.string()}};
        one.update(report_json(*report));
        list.push_back(one);
        out.line(path.string() + ": " + (report->clean() ? "clean" : "DAMAGED") + ", " +
                 std::to_string(report->header.replica.chunks.value) + " chunks");
        report_lines(out, *report);
    }
    out.json["replicas"] = list;
    out.json["damaged"] = damaged;
    out.json["not_examined"] = failed;
    if (damaged != 0) {
        out.line(
            "repair with: holdfast repair X.replica --source FILE (or --manifest M --shards "
            "SHARD...)");
        out.exit_code = kExitRefused;
    }
    if (failed != 0) out.exit_code = kExitEnvironment;
    return out;
}

struct RepairArguments {
    std::string replica;
    std::string dir = "node";
    std::string source;
    std::optional<std::uint64_t> segment;
    std::string manifest;
    std::vector<std::string> shards;
    unsigned workers = 0;
    bool afresh = false;
};

Result<std::unique_ptr<RawSource>> shards_as_source(const RepairArguments& arguments,
                                                    const Root& raw_root, Output& out) {
    HOLDFAST_ASSIGN(manifest, read_manifest(arguments.manifest));
    const auto found = std::find(manifest.roots.begin(), manifest.roots.end(), raw_root);
    if (found == manifest.roots.end()) {
        return fail(ErrorCode::kInvalidArgument,
                    "'" + arguments.manifest + "' names no shard with this replica's raw root");
    }
    const auto at = static_cast<std::uint64_t>(found - manifest.roots.begin());
    ErasureOptions options;
    options.workers = arguments.workers;
    options.stop = stop_requested();
    const std::vector<std::filesystem::path> paths(arguments.shards.begin(),
                                                   arguments.shards.end());
    HOLDFAST_ASSIGN(set, ShardSet::find(manifest, paths, options));
    for (const BadShard& bad : set.report().bad_files) {
        out.line("not used: " + bad.path.string() + ": " + bad.why);
    }
    return raw_source_of_shard(std::move(set),
                               static_cast<unsigned>(at / manifest.segments_per_shard()),
                               at % manifest.segments_per_shard());
}

/// Raw root and segment of the replica, from whatever still says them.
Result<FileHeader> known_header(const ReplicaFiles& files) {
    if (files.expected) return *files.expected;
    for (const auto& [path, kind] :
         {std::pair(files.replica, Kind::kReplicaFile), std::pair(files.tree, Kind::kTreeFile)}) {
        const Result<File> file = File::open(path, File::Mode::kRead);
        Bytes head(kFileHeaderBytes);
        if (!file || !file->read_at(0, head)) continue;
        const Checked<FileHeader> header = decode_file_header(kind, head);
        if (header) return *header;
    }
    return fail(ErrorCode::kCorrupt, "neither '" + files.replica.string() +
                                         "' nor its tree has a whole header; only the "
                                         "registration can tell what they were");
}

CommandResult run_repair(const Globals& globals, const RepairArguments& arguments) {
    if (!arguments.source.empty() && !arguments.manifest.empty()) {
        return fail(ErrorCode::kInvalidArgument, "give --source or --manifest, not both");
    }
    if (arguments.manifest.empty() != arguments.shards.empty()) {
        return fail(ErrorCode::kInvalidArgument, "--manifest and shards belong together");
    }
    HOLDFAST_ASSIGN(chain, open_chain(NodePaths{arguments.dir}, LocalChain::Mode::kRead));
    Output out;
    std::vector<std::string> notes;
    HOLDFAST_ASSIGN(files, node::files_of_replica(arguments.replica, chain->params(), true, notes));
    for (const std::string& note : notes) out.line("note: " + note);
    std::unique_ptr<RawSource> source;
    if (!arguments.source.empty()) {
        HOLDFAST_ASSIGN(opened, open_raw_file(arguments.source, arguments.segment.value_or(0)));
        source = std::move(opened);
    } else if (!arguments.manifest.empty()) {
        HOLDFAST_ASSIGN(header, known_header(files));
        HOLDFAST_ASSIGN(opened, shards_as_source(arguments, header.replica.raw_root, out));
        source = std::move(opened);
    }
    RepairOptions options;
    options.workers = arguments.workers;
    options.stop = stop_requested();
    options.afresh = arguments.afresh;
    std::optional<Progress> progress;
    std::optional<RepairStage> shown;
    options.progress = [&](RepairStage stage, std::uint64_t done, std::uint64_t total) {
        if (shown != stage) {
            shown = stage;
            progress.emplace(globals, stage == RepairStage::kReading ? "reading" : "sealing", "B");
        }
        progress->update(done, total);
    };
    HOLDFAST_ASSIGN(report, repair(files, chain->params(), source.get(), options));
    progress.reset();
    out.field("replica", files.replica.string());
    out.json["found"] = report_json(report.found);
    out.json["replaced_chunks"] = ranges_json(report.replaced_chunks);
    out.json["unrepaired_chunks"] = ranges_json(report.unrepaired_chunks);
    report_lines(out, report.found);
    out.field("windows_filled", report.windows_filled);
    out.field("nodes_written", report.nodes_written);
    out.json["whole"] = report.whole();
    if (!report.replaced_chunks.empty()) {
        out.line("replaced chunks: " + ranges_text(report.replaced_chunks));
    }
    if (report.whole()) {
        out.line(report.found.clean() ? "nothing was wrong"
                                      : "whole again: both files lead to the registered roots");
    } else {
        out.line("NOT REPAIRED: " + std::to_string(total_count(report.unrepaired_chunks)) +
                 " chunk(s), because the data given differ from the original there: " +
                 ranges_text(report.unrepaired_chunks));
        out.exit_code = kExitRefused;
    }
    return out;
}

}  // namespace

void add_scrub_commands(Commands& commands) {
    auto s = std::make_shared<ScrubArguments>();
    CLI::App* scrub_command =
        commands.app().add_subcommand("scrub", "read whole replicas and name what is damaged");
    scrub_command->add_option("path", s->paths, "X.replica, or folders of replicas")->required();
    add_dir_option(scrub_command, s->dir);
    scrub_command->add_option("--rate", s->rate, "MiB/s at most; 0: as fast as the disk")
        ->capture_default_str();
    scrub_command->add_option("--workers", s->workers, "threads (default: cores)");
    scrub_command->add_flag("--afresh", s->afresh,
                            "start over instead of resuming an earlier scrub");
    scrub_command->add_flag("--no-log", s->no_log,
                            "keep nothing beside the replica (X.scrub); a stop starts again");
    commands.run(scrub_command,
                 "  holdfast scrub data.bin.replica --dir node\n"
                 "  holdfast scrub replicas/ --rate 20 --dir node\n",
                 [s, &commands] { return run_scrub(commands.globals(), *s); });

    auto r = std::make_shared<RepairArguments>();
    CLI::App* repair_command = commands.app().add_subcommand(
        "repair", "make a damaged replica whole again, from its original data or other shards");
    repair_command->add_option("replica", r->replica, "X.replica (X.tree beside it)")->required();
    add_dir_option(repair_command, r->dir);
    repair_command->add_option("--source", r->source, "the file that was sealed");
    repair_command->add_option("--segment", r->segment, "which 4 GiB of it (default 0)");
    repair_command->add_option("--manifest", r->manifest, "manifest of the shards");
    repair_command->add_option("--shards", r->shards, "raw shards, at least k, in any order");
    repair_command->add_option("--workers", r->workers, "windows at once (default: cores)");
    repair_command->add_flag("--afresh", r->afresh,
                             "read everything again instead of taking a scrub's findings");
    commands.run(repair_command,
                 "  holdfast repair data.bin.replica --source data.bin --dir node\n"
                 "  holdfast repair f.shard-002.replica --manifest f.manifest --shards f.shard-* "
                 "--dir node\n"
                 "  holdfast repair data.bin.replica --dir node   (a damaged tree alone)\n",
                 [r, &commands] { return run_repair(commands.globals(), *r); });
}

}  // namespace holdfast::cli
