#include "node/read_node.hpp"

#include "api/closed_without_y.hpp"
#include "storage/begun.hpp"
#include "storage/key_file.hpp"

namespace holdfast::node {

Result<ReadNode> ReadNode::open(const std::filesystem::path& dir) {
    ReadNode node;
    node.paths = NodePaths{dir};
    HOLDFAST_ASSIGN(chain, open_chain(node.paths, LocalChain::Mode::kRead));
    node.chain = std::move(chain);
    const NetworkParams& params = node.params();
    HOLDFAST_TRY(check_not_vanished(node.paths.registry()));
    RegistryOptions reading;
    reading.read_only = true;
    Result<std::unique_ptr<Registry>> registry =
        Registry::open(node.paths.registry(), params, reading);
    if (!registry && registry.error().code == ErrorCode::kNotFound) {
        return fail(ErrorCode::kNotFound,
                    dir.string() +
                        " has processed no block yet; run: holdfast block process "
                        "--dir " +
                        dir.string() + ", or holdfast node");
    }
    if (!registry) return fail(registry.error());
    node.registry = std::move(*registry);
    if (params.has_beacon) {
        HOLDFAST_TRY(check_not_vanished(node.paths.beacon()));
        HOLDFAST_ASSIGN(beacon, LocalBeacon::reader(node.paths.beacon(), params));
        node.beacon = std::move(beacon);
    }
    if (params.has_vdf) {
        HOLDFAST_TRY(check_not_vanished(node.paths.vdf()));
    }
    return node;
}

Result<std::unique_ptr<VdfClock>> ReadNode::clock() const {
    VdfClockOptions options;
    options.folder = paths.vdf();
    options.access = ClockFolder::kOwnReadOnly;
    std::optional<KeyPair> key;
    if (params().has_vdf) {
        Result<KeyPair> own = load_key_pair(paths.evaluator_key());
        const bool away = !own && (own.error().code == ErrorCode::kPermission ||
                                   own.error().code == ErrorCode::kNotFound);
        if (!own && !away) return fail(own.error());
        if (own) key = std::move(*own);
        if (away) options.access = ClockFolder::kForeign;
    }
    HOLDFAST_ASSIGN(opened,
                    VdfClock::open(params(), *chain, beacon.get(), std::move(key), options));
    auto out = std::make_unique<VdfClock>(std::move(opened));
    out->set_closed_without_y(closed_without_y(*registry));
    return out;
}

Result<std::uint64_t> ReadNode::behind() const {
    const Result<BlockInfo> newest = newest_final(*chain);
    if (!newest && newest.error().code == ErrorCode::kUnavailable) return std::uint64_t{0};
    if (!newest) return fail(newest.error());
    HOLDFAST_ASSIGN(tip, registry->tip());
    return tip ? newest->height.since(*tip) : newest->height.since(params().genesis_height) + 1;
}

}  // namespace holdfast::node
