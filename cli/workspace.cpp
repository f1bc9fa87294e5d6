#include "cli/workspace.hpp"

#include <ctime>

#include "core/file.hpp"

namespace holdfast::cli {

Result<std::unique_ptr<LocalChain>> open_chain(const NodePaths& paths, LocalChain::Mode mode) {
    auto chain = LocalChain::open(paths.chain(), mode);
    if (!chain && chain.error().code == ErrorCode::kNotFound) {
        return fail(ErrorCode::kNotFound,
                    paths.dir.string() + " holds no node; make one with: holdfast network init " +
                        paths.dir.string());
    }
    return chain;
}

Result<Node> Node::open(const std::filesystem::path& dir, const BlockProcessorOptions& sets) {
    Node node;
    node.paths = NodePaths{dir};
    HOLDFAST_ASSIGN(chain, open_chain(node.paths, LocalChain::Mode::kReadWrite));
    node.chain = std::move(chain);
    const NetworkParams& params = node.chain->params();
    if (params.has_beacon) {
        HOLDFAST_ASSIGN(key, KeyPair::load(node.paths.beacon_key()));
        HOLDFAST_ASSIGN(beacon,
                        LocalBeacon::publisher(node.paths.beacon(), params, std::move(key), [] {
                            return static_cast<std::uint64_t>(std::time(nullptr));
                        }));
        node.beacon = std::move(beacon);
    }
    HOLDFAST_ASSIGN(ledger, BondLedger::open(node.paths.ledger(), node.network_id()));
    node.ledger = std::move(ledger);
    std::optional<KeyPair> evaluator;
    if (params.has_vdf) {
        HOLDFAST_ASSIGN(key, KeyPair::load(node.paths.evaluator_key()));
        evaluator = std::move(key);
    }
    HOLDFAST_ASSIGN(clock, VdfClock::open(params, *node.chain, node.beacon.get(),
                                          std::move(evaluator), {node.paths.vdf(), 0}));
    node.clock = std::make_unique<VdfClock>(std::move(clock));
    AggregatorOptions options;
    options.registry = node.paths.registry();
    options.settlement = node.paths.settlement();
    options.availability = node.paths.availability();
    options.min_bond = 1;
    options.sets = sets;
    HOLDFAST_ASSIGN(aggregator, Aggregator::open(params, *node.chain, *node.clock,
                                                 node.ledger.get(), nullptr, options));
    node.aggregator = std::make_unique<Aggregator>(std::move(aggregator));
    const Registry& registry = node.aggregator->registry();
    node.clock->set_closed_without_y([&registry](Height height) -> Result<bool> {
        HOLDFAST_ASSIGN(record, registry.block(height));
        return record && record->closed && !record->y;
    });
    return node;
}

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

Result<ClockNode> ClockNode::open(const std::filesystem::path& dir, VdfClockOptions options) {
    ClockNode node;
    node.paths = NodePaths{dir};
    HOLDFAST_ASSIGN(chain, open_chain(node.paths, LocalChain::Mode::kRead));
    node.chain = std::move(chain);
    const NetworkParams& params = node.params();
    if (!params.has_vdf) return fail(ErrorCode::kInvalidArgument, "this network has no VDF");
    if (params.has_beacon) {
        HOLDFAST_ASSIGN(beacon, LocalBeacon::reader(node.paths.beacon(), params));
        node.beacon = std::move(beacon);
    }
    HOLDFAST_ASSIGN(key, KeyPair::load(node.paths.evaluator_key()));
    options.folder = node.paths.vdf();
    HOLDFAST_ASSIGN(clock, VdfClock::open(params, *node.chain, node.beacon.get(),
                                          std::optional(std::move(key)), options));
    node.clock = std::make_unique<VdfClock>(std::move(clock));
    return node;
}

Result<std::filesystem::path> registry_folder(const std::filesystem::path& dir) {
    const std::filesystem::path inside = NodePaths{dir}.registry();
    for (const std::filesystem::path& folder : {dir, inside}) {
        const Result<NetworkParams> params = registry_network(folder);
        if (params || params.error().code != ErrorCode::kNotFound) return folder;
    }
    return fail(ErrorCode::kNotFound, dir.string() +
                                          " holds no registry (a node has one once it has "
                                          "processed a block)");
}

Result<std::unique_ptr<Registry>> open_registry_for_reading(const std::filesystem::path& dir) {
    HOLDFAST_ASSIGN(folder, registry_folder(dir));
    HOLDFAST_ASSIGN(params, registry_network(folder));
    RegistryOptions options;
    options.read_only = true;
    return Registry::open(folder, params, options);
}

std::filesystem::path registration_file(const std::filesystem::path& replica) {
    std::filesystem::path out = replica;
    return out.replace_extension(".registration");
}

Result<Registration> read_registration(const std::filesystem::path& file) {
    HOLDFAST_ASSIGN(object, read_object(file));
    const Checked<ByteView> body = unwrap_object(Kind::kRegistration, object);
    if (!body) return fail_refused(body.error(), file.string());
    const Checked<Registration> registration = Registration::decode(*body);
    if (!registration) return fail_refused(registration.error(), file.string());
    return *registration;
}

Result<Prover> open_prover(const NetworkParams& params, const std::filesystem::path& replica,
                           const std::filesystem::path& key_file) {
    Result<Registration> registration = read_registration(registration_file(replica));
    if (!registration && registration.error().code == ErrorCode::kNotFound) {
        return fail(ErrorCode::kNotFound, registration.error().message +
                                              "; register the replica first: holdfast register " +
                                              replica.string());
    }
    if (!registration) return fail(registration.error());
    if (const Verdict v = check_registration(params, params.id(), *registration); !v) {
        return fail_refused(v, registration_file(replica).string());
    }
    HOLDFAST_ASSIGN(key, KeyPair::load(key_file));
    return Prover::open(params, ProverFiles::beside(replica), *registration, std::move(key));
}

Status write_object(const std::filesystem::path& out, ByteView object, bool force) {
    Status written = write_file(out, object, force);
    if (!written && written.error().code == ErrorCode::kAlreadyExists) {
        return fail(ErrorCode::kAlreadyExists,
                    written.error().message + " (use --force to replace it)");
    }
    return written;
}

Result<Bytes> read_object(const std::filesystem::path& file) {
    HOLDFAST_ASSIGN(bytes, read_file(file, kMaxObjectFileBytes));
    if (bytes.empty()) return fail(ErrorCode::kCorrupt, file.string() + ": the file is empty");
    return bytes;
}

Result<NetworkParams> read_network(const std::filesystem::path& where) {
    std::filesystem::path path = where;
    if (std::filesystem::is_directory(path / "chain")) path /= "chain";
    if (std::filesystem::is_directory(path)) path /= LocalChain::kNetworkFile;
    HOLDFAST_ASSIGN(object, read_object(path));
    const Checked<ByteView> body = unwrap_object(Kind::kNetwork, object);
    if (!body) return fail_refused(body.error(), path.string());
    Checked<NetworkParams> decoded = NetworkParams::decode(*body);
    if (!decoded) return fail_refused(decoded.error(), path.string());
    return std::move(*decoded);
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

void add_dir_option(CLI::App* command, std::string& dir) {
    command->add_option("-d,--dir", dir, "folder of the node")->capture_default_str();
}

}  // namespace holdfast::cli
