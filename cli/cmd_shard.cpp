// shard, recover, repair-shard.

#include <algorithm>

#include "chunking/shard_folder.hpp"
#include "cli/commands.hpp"
#include "json/objects.hpp"

namespace holdfast::cli {
namespace {

ErasureOptions with_progress(Progress& progress, unsigned workers) {
    ErasureOptions options;
    options.workers = workers;
    options.stop = stop_requested();
    options.progress = [&progress](std::uint64_t done, std::uint64_t total) {
        progress.update(done, total);
    };
    return options;
}

struct ShardArguments {
    std::string file;
    unsigned data = 4;
    unsigned parity = 2;
    std::string out;
    unsigned workers = 0;
};

CommandResult run_shard(const Globals& globals, const ShardArguments& arguments) {
    if (arguments.data < 1 || arguments.data > 255 || arguments.parity > 254 ||
        arguments.data + arguments.parity > 255) {
        return fail(ErrorCode::kInvalidArgument,
                    "--data is at least 1, and --data and --parity together at most 255");
    }
    const CodeShape shape{static_cast<std::uint8_t>(arguments.data),
                          static_cast<std::uint8_t>(arguments.parity)};
    Progress progress(globals, "coding", "B");
    HOLDFAST_ASSIGN(made, shard_to_folder(arguments.file, shape, arguments.out,
                                          with_progress(progress, arguments.workers)));
    Output out;
    out.field("manifest", made.manifest_path.string());
    out.field("manifest_id", to_hex(made.manifest.id()));
    out.field("data_bytes", made.manifest.data_len);
    out.field("shard_bytes", made.manifest.shard_len);
    out.field("segments_per_shard", made.manifest.segments_per_shard());
    Json shards = Json::array();
    for (const auto& path : made.shard_paths) shards.push_back(path.string());
    out.json["shards"] = shards;
    if (shape == CodeShape{1, 0}) {
        out.line("the file itself is the only shard; nothing was copied");
    } else {
        out.line(std::to_string(shape.shards()) + " shards, any " + std::to_string(shape.data) +
                 " of which restore the file; seal each by its own "
                 "key, on a machine of its own");
    }
    return out;
}

struct RecoverArguments {
    std::string manifest;
    std::vector<std::string> shards;
    std::optional<unsigned> shard;  // repair-shard
    std::string out;
    unsigned workers = 0;
};

struct ShardFiles {
    std::vector<std::filesystem::path> files;        // what may be a shard: its bytes will tell
    std::vector<std::filesystem::path> passed_over;  // in a folder, and neither named nor as long
};

/// One entry of a folder. Files are renamed and copied: their length speaks for them as well as
/// their name. Hidden ones are the work in progress of other commands.
void sort_in(const std::filesystem::directory_entry& entry, const RecoverArguments& arguments,
             std::uint64_t shard_bytes, ShardFiles& out) {
    std::error_code unknown;
    const std::filesystem::path& path = entry.path();
    const std::string name = path.filename().string();
    if (!entry.is_regular_file(unknown) || name.starts_with('.') ||
        std::filesystem::equivalent(path, arguments.manifest, unknown)) {
        return;
    }
    const bool is_candidate =
        name.find(".shard-") != std::string::npos || entry.file_size(unknown) == shard_bytes;
    (is_candidate ? out.files : out.passed_over).push_back(path);
}

/// Files named, and what may be a shard in the folders named.
Result<ShardFiles> shard_files(const RecoverArguments& arguments, std::uint64_t shard_bytes) {
    ShardFiles out;
    for (const std::string& word : arguments.shards) {
        std::error_code failed;
        if (!std::filesystem::is_directory(word, failed)) {
            out.files.emplace_back(word);
            continue;
        }
        std::filesystem::directory_iterator entry(word, failed);
        for (; !failed && entry != std::filesystem::directory_iterator(); entry.increment(failed)) {
            sort_in(*entry, arguments, shard_bytes, out);
        }
        if (failed) return fail_errno(failed.value(), "cannot read folder '" + word + "'");
    }
    std::sort(out.files.begin(), out.files.end());
    std::sort(out.passed_over.begin(), out.passed_over.end());
    return out;
}

/// Too few good shards: what else lay there is part of the answer.
Error with_passed_over(Error why, const std::vector<std::filesystem::path>& passed_over) {
    if (why.code != ErrorCode::kUnavailable) return why;
    for (const std::filesystem::path& path : passed_over) {
        why.message +=
            "; '" + path.string() + "': passed over, neither named nor as long as a shard";
    }
    return why;
}

CommandResult run_recover(const Globals& globals, const RecoverArguments& arguments) {
    HOLDFAST_ASSIGN(manifest, read_manifest(arguments.manifest));
    HOLDFAST_ASSIGN(found, shard_files(arguments, manifest.shard_len));
    Progress checking(globals, "checking shards", "B");
    Result<ShardSet> opened =
        ShardSet::find(manifest, found.files, with_progress(checking, arguments.workers));
    if (!opened) return fail(with_passed_over(opened.error(), found.passed_over));
    const ShardSet& set = *opened;
    Progress restoring(globals, "restoring", "B");
    const ErasureOptions options = with_progress(restoring, arguments.workers);
    if (arguments.shard) {
        HOLDFAST_TRY(recover_shard(set, *arguments.shard, arguments.out, options));
    } else {
        HOLDFAST_TRY(recover_file(set, arguments.out, options));
    }
    Output out;
    out.field("file", arguments.out);
    out.field("bytes", arguments.shard ? manifest.shard_len : manifest.data_len);
    out.field("good_shards", set.good());
    out.field("missing_shards", set.report().missing);
    Json bad = Json::array();
    for (const BadShard& file : set.report().bad_files) {
        bad.push_back({{"file", file.path.string()}, {"why", file.why}});
        out.line("BAD: " + file.path.string() + ": " + file.why);
    }
    out.json["bad_files"] = bad;
    Json passed_over = Json::array();
    for (const std::filesystem::path& path : found.passed_over) {
        passed_over.push_back(path.string());
        out.line("passed over: " + path.string() + ": neither named nor as long as a shard");
    }
    out.json["passed_over"] = passed_over;
    out.line("every byte matches the roots of the manifest");
    return out;
}

void add_recover_options(CLI::App* command, RecoverArguments& arguments) {
    command->add_option("shards", arguments.shards, "raw shards in any order, or their folder")
        ->required();
    command->add_option("-m,--manifest", arguments.manifest, "the manifest")->required();
    command->add_option("-o,--out", arguments.out, "file to make; never replaced")->required();
    command->add_option("--workers", arguments.workers, "threads (default: cores)");
}

}  // namespace

void add_shard_commands(Commands& commands) {
    auto s = std::make_shared<ShardArguments>();
    CLI::App* shard = commands.app().add_subcommand(
        "shard", "cut a file into shards, of which any --data restore it");
    shard->add_option("file", s->file, "the file")->required();
    shard->add_option("--data", s->data, "data shards")->capture_default_str();
    shard->add_option("--parity", s->parity, "parity shards")->capture_default_str();
    shard->add_option("-o,--out", s->out, "folder to make")->required();
    shard->add_option("--workers", s->workers, "threads (default: cores)");
    commands.run(shard,
                 "  holdfast shard data.bin --data 4 --parity 2 --out shards\n"
                 "  holdfast shard big.bin --data 1 --parity 0 --out big   (a manifest alone)\n",
                 [s, &commands] { return run_shard(commands.globals(), *s); });

    auto r = std::make_shared<RecoverArguments>();
    CLI::App* recover =
        commands.app().add_subcommand("recover", "restore a file from any k of its shards");
    add_recover_options(recover, *r);
    commands.run(recover,
                 "  holdfast recover shards --manifest shards/data.bin.manifest -o data.bin\n",
                 [r, &commands] { return run_recover(commands.globals(), *r); });

    auto one = std::make_shared<RecoverArguments>();
    CLI::App* repair =
        commands.app().add_subcommand("repair-shard", "rebuild one shard from k others");
    add_recover_options(repair, *one);
    repair->add_option("--shard", one->shard, "which one, counted from 0")->required();
    commands.run(
        repair,
        "  holdfast repair-shard shards --manifest shards/data.bin.manifest --shard 2 -o again\n",
        [one, &commands] { return run_recover(commands.globals(), *one); });
}

}  // namespace holdfast::cli
