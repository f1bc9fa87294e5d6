#include "cli/workspace.hpp"

#include <mutex>

#include "api/closed_without_y.hpp"
#include "cli/waiting.hpp"
#include "storage/begun.hpp"
#include "storage/file.hpp"
#include "storage/key_file.hpp"

namespace holdfast::cli {

Result<Verdict> check_clock(const PublicRecord& record, const std::filesystem::path& folder,
                            std::span<const Height> heights, const Globals& globals) {
    if (!record.params().has_vdf) return Verdict::ok();
    PublicBlockchain chain(record);
    PublicBeacon beacon(record);
    HOLDFAST_ASSIGN(clock,
                    VdfClock::open(record.params(), chain, &beacon, std::nullopt,
                                   {folder / PublicRecord::kVdfFolder, 0, ClockFolder::kForeign}));
    ClockProgress progress(globals, "checking y: ");
    for (const Height h : heights) {
        const auto facts = record.heights().find(h);
        if (facts == record.heights().end() || !facts->second.y) continue;
        HOLDFAST_ASSIGN(entropy, clock.at(h, progress.work()));
        if (entropy.y != *facts->second.y) return Verdict(Reason::kVdfOutputMismatch);
    }
    return Verdict::ok();
}

namespace {

/// What the node's registry says, which another process may write meanwhile. Nothing is decided
/// while there is none: whoever signs proofs does not guess (api/closed_without_y.hpp).
std::function<Result<std::optional<bool>>(Height)> registry_beside(
    const std::filesystem::path& folder) {
    struct Opened {
        std::mutex mutex;
        std::unique_ptr<Registry> registry;
    };
    const auto opened = std::make_shared<Opened>();
    return [folder, opened](Height height) -> Result<std::optional<bool>> {
        const std::lock_guard lock(opened->mutex);
        if (!opened->registry) {
            const Result<NetworkParams> params = registry_network(folder);
            if (!params && params.error().code == ErrorCode::kNotFound) {
                return std::optional<bool>();
            }
            if (!params) return fail(params.error());
            RegistryOptions reading;
            reading.read_only = true;
            reading.check_on_open = false;
            HOLDFAST_ASSIGN(registry, Registry::open(folder, *params, reading));
            opened->registry = std::move(registry);
        }
        return closed_without_y(*opened->registry)(height);
    };
}

}  // namespace

Result<ClockNode> ClockNode::open(const std::filesystem::path& dir, VdfClockOptions options) {
    ClockNode node;
    node.paths = NodePaths{dir};
    HOLDFAST_ASSIGN(chain, open_chain(node.paths, LocalChain::Mode::kRead));
    node.chain = std::move(chain);
    const NetworkParams& params = node.params();
    if (!params.has_vdf) return fail(ErrorCode::kInvalidArgument, "this network has no VDF");
    HOLDFAST_TRY(check_not_vanished(node.paths.vdf()));
    if (params.has_beacon) {
        HOLDFAST_TRY(check_not_vanished(node.paths.beacon()));
        HOLDFAST_ASSIGN(beacon, LocalBeacon::reader(node.paths.beacon(), params));
        node.beacon = std::move(beacon);
    }
    Result<KeyPair> own = load_key_pair(node.paths.evaluator_key());
    std::optional<KeyPair> key;
    if (own) {
        key = std::move(*own);
    } else if (options.access == ClockFolder::kOwnReadOnly &&
               own.error().code == ErrorCode::kPermission) {
        options.access = ClockFolder::kForeign;  // another user's: its marks are not believed
    } else {
        return fail(own.error());
    }
    options.folder = node.paths.vdf();
    options.closed_without_y = registry_beside(node.paths.registry());
    HOLDFAST_ASSIGN(
        clock, VdfClock::open(params, *node.chain, node.beacon.get(), std::move(key), options));
    node.clock = std::make_unique<VdfClock>(std::move(clock));
    return node;
}

Result<Node> open_whole_node(const std::filesystem::path& dir, const std::string& instead,
                             AggregatorOptions options) {
    const Waiting waiting("the stores of " + dir.string() + " to be checked");
    Result<Node> node = Node::open(dir, std::move(options));
    if (!node) return fail(node::explain_busy(dir, node.error(), instead));
    return node;
}

Result<PublicKey> read_public_key(const std::string& word, const std::string& what) {
    PublicKey out;
    if (from_hex(word, MutByteView(out.bytes))) return out;
    constexpr std::uint64_t kMostBytes = 4'096;
    const Result<Bytes> file = read_file(word, kMostBytes);
    if (!file && file.error().code == ErrorCode::kNotFound) {
        return fail(ErrorCode::kInvalidArgument,
                    what +
                        " is a public key of 64 hexadecimal digits, a file that holds them, or "
                        "a key file, and there is no file '" +
                        word + "'");
    }
    if (!file) return fail(file.error());
    std::string text(file->begin(), file->end());
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    if (from_hex(text, MutByteView(out.bytes))) return out;
    HOLDFAST_ASSIGN(key, load_key_pair(word));
    return key.public_key();
}

Result<std::filesystem::path> registry_folder(const std::filesystem::path& dir) {
    const std::filesystem::path inside = NodePaths{dir}.registry();
    for (const std::filesystem::path& folder : {dir, inside}) {
        const Result<NetworkParams> params = registry_network(folder);
        if (params || params.error().code != ErrorCode::kNotFound) return folder;
    }
    HOLDFAST_TRY(check_not_vanished(inside));
    return fail(ErrorCode::kNotFound, dir.string() +
                                          " holds no registry (a node has one once it has "
                                          "processed a block)");
}

Result<std::unique_ptr<Registry>> open_registry_for_reading(const std::filesystem::path& dir) {
    HOLDFAST_ASSIGN(folder, registry_folder(dir));
    HOLDFAST_ASSIGN(params, registry_network(folder));
    RegistryOptions options;
    options.read_only = true;
    const Waiting waiting("the registry " + folder.string() + " to be checked");
    return Registry::open(folder, params, options);
}

Status write_object(const std::filesystem::path& out, ByteView object, bool force) {
    Status written = write_file(out, object, force);
    if (!written && written.error().code == ErrorCode::kAlreadyExists) {
        return fail(ErrorCode::kAlreadyExists,
                    written.error().message + " (use --force to replace it)");
    }
    return written;
}

ClockProgress::ClockProgress(const Globals& globals, std::string prefix)
    : globals_(globals), prefix_(std::move(prefix)) {}

VdfClockWork ClockProgress::work() {
    VdfClockWork work;
    work.stop = stop_requested();
    work.progress = [this](const char* what, std::uint64_t done, std::uint64_t total) {
        const std::lock_guard lock(mutex_);
        if (stage_ != what) {
            stage_ = what;
            const char* unit = stage_ == "evaluating"  ? "steps"
                               : stage_ == "verifying" ? "segments"
                                                       : "blocks";
            progress_ = std::make_unique<Progress>(globals_, prefix_ + what, unit);
        }
        progress_->update(done, total);
    };
    return work;
}

void add_readable_dir(CLI::App* command, std::string& dir) {
    command->add_option("-d,--dir", dir, "folder of a node, a registry or a backup")
        ->capture_default_str();
}

void add_dir_option(CLI::App* command, std::string& dir) {
    command->add_option("-d,--dir", dir, "folder of the node")->capture_default_str();
}

void add_map_bytes_option(CLI::App* command, std::optional<std::uint64_t>& map_bytes) {
    command
        ->add_option("--map-bytes", map_bytes,
                     "largest size of the registry's file, of which the system must allow as much "
                     "address space (default: 64 GiB)")
        ->check(CLI::Range(std::uint64_t{1} << 20, std::uint64_t{1} << 40));
}

}  // namespace holdfast::cli
