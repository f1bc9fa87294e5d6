// aggregate: digests of a height, from a registry or from given leaves and receipts.

#include <map>

#include "cli/commands.hpp"
#include "cli/workspace.hpp"
#include "hierarchy/plain_digests.hpp"
#include "json/leaves.hpp"

namespace holdfast::cli {
namespace {

struct AggregateArguments {
    std::string dir = "node";
    std::string leaves;
    std::string receipts;
    std::optional<std::uint64_t> height;
    bool check = false;
    bool groups = false;
    std::uint32_t threads = 0;
};

/// Leaves of a height, and the digests that are recorded for it.
struct Input {
    LeavesDocument document;
    std::vector<RegionSummary> recorded;  // of a registry
};

Result<Input> from_registry(const AggregateArguments& arguments) {
    HOLDFAST_ASSIGN(registry, open_registry_for_reading(arguments.dir));
    Input in;
    in.document.network = registry->params();
    HOLDFAST_ASSIGN(closed, registry->closed());
    if (!closed) return fail(ErrorCode::kUnavailable, "no digest has closed yet");
    const Height height = arguments.height ? Height(*arguments.height) : *closed;
    HOLDFAST_ASSIGN(slots, registry->slots(height));
    HOLDFAST_ASSIGN(block, registry->block(height));
    HOLDFAST_ASSIGN(regions, registry->regions(height));
    in.document.slots = std::move(slots);
    in.document.global = block->global;
    in.recorded = std::move(regions);
    return in;
}

/// Puts receipts into the leaves of their height, as closing it does.
Status put_receipts(const AggregateArguments& arguments, LeavesDocument& document) {
    HOLDFAST_ASSIGN(receipts, read_receipts(arguments.receipts));
    std::map<ChainId, ChainLeaf*> leaves;
    for (auto& [slot, leaf] : document.slots.slots) leaves.emplace(leaf.chain_id, &leaf);
    for (std::size_t i = 0; i < receipts.size(); ++i) {
        const auto& [chain_id, receipt] = receipts[i];
        const std::string which = arguments.receipts + ": receipt " + std::to_string(i);
        const auto at = leaves.find(chain_id);
        if (at == leaves.end()) return fail_refused(Reason::kNoSlot, which);
        if (receipt.height != document.slots.digest_height) {
            return fail_refused(Reason::kWrongHeight, which);
        }
        ChainLeaf& leaf = *at->second;
        // Of two for one chain the smaller link stands.
        if (leaf.link_height == receipt.height && leaf.link < receipt.link) continue;
        leaf.link = receipt.link;
        leaf.link_height = receipt.height;
    }
    if (!receipts.empty()) document.global.reset();
    return {};
}

Result<Input> from_leaves(const AggregateArguments& arguments) {
    Input in;
    HOLDFAST_ASSIGN(document, read_leaves(arguments.leaves));
    in.document = std::move(document);
    if (!in.document.slots.digest_height) {
        return fail(ErrorCode::kUnavailable, arguments.leaves + ": no digest has closed yet");
    }
    if (!arguments.receipts.empty()) HOLDFAST_TRY(put_receipts(arguments, in.document));
    return in;
}

HierarchyTree tree_of(const LeavesDocument& document, unsigned threads) {
    HierarchyTree tree(HierarchyShape::of(document.network));
    for (const auto& [slot, leaf] : document.slots.slots) tree.set(slot, leaf);
    (void)tree.rehash(threads);
    return tree;
}

GlobalDigest global_of(const RegistrySlots& slots, const HierarchyTree& tree) {
    GlobalHeader header;
    header.height = *slots.digest_height;
    header.block_hash = slots.block_hash;
    header.y = slots.y;
    header.previous = slots.previous;
    return tree.global(slots.network_id, header);
}

/// The tree against the plain rules, node by node; the recorded digests against both.
bool agrees(const Input& in, const HierarchyTree& tree, const PlainDigests& plain) {
    bool same = plain.total_chains == tree.total_chains() &&
                plain.regions.size() == tree.regions() &&
                (in.recorded.empty() || in.recorded.size() == plain.regions.size());
    for (std::uint32_t r = 0; same && r < tree.regions(); ++r) {
        const HierarchyTree::RegionView region = tree.region(r);
        const PlainRegion& expected = plain.regions[r];
        same = region.digest == expected.digest && region.groups == expected.groups.size();
        if (!in.recorded.empty()) {
            same = same && in.recorded[r].digest == expected.digest &&
                   in.recorded[r].active == expected.active &&
                   in.recorded[r].groups.size() == expected.groups.size();
        }
        for (std::uint32_t g = 0; same && g < region.groups; ++g) {
            same = region.group_digests[g] == expected.groups[g].digest &&
                   (in.recorded.empty() || in.recorded[r].groups[g] == expected.groups[g].digest);
        }
    }
    return same;
}

void describe_regions(const HierarchyTree& tree, bool with_groups, Output& out) {
    out.json["regions"] = Json::array();
    for (std::uint32_t r = 0; r < tree.regions(); ++r) {
        const HierarchyTree::RegionView region = tree.region(r);
        Json one = {{"region", r},
                    {"groups", region.groups},
                    {"active", region.active},
                    {"digest", to_hex(region.digest)}};
        out.line("region " + std::to_string(r) + "  " + to_hex(region.digest) + "  " +
                 std::to_string(region.groups) + " group(s), " + std::to_string(region.active) +
                 " active");
        for (std::uint32_t g = 0; with_groups && g < region.groups; ++g) {
            const HierarchyTree::GroupView group = tree.group({r, g});
            one["group_digests"].push_back({{"group", g},
                                            {"slots", group.slots},
                                            {"active", group.active},
                                            {"digest", to_hex(region.group_digests[g])}});
            out.line("  group " + std::to_string(g) + "  " + to_hex(region.group_digests[g]) +
                     "  " + std::to_string(group.slots) + " slot(s), " +
                     std::to_string(group.active) + " active");
        }
        out.json["regions"].push_back(std::move(one));
    }
}

CommandResult aggregate(const AggregateArguments& arguments) {
    if (!arguments.receipts.empty() && arguments.leaves.empty()) {
        return fail(ErrorCode::kInvalidArgument, "--receipts goes with --leaves");
    }
    if (arguments.height && !arguments.leaves.empty()) {
        return fail(ErrorCode::kInvalidArgument, "a document of leaves is of one height");
    }
    HOLDFAST_ASSIGN(in,
                    arguments.leaves.empty() ? from_registry(arguments) : from_leaves(arguments));
    const RegistrySlots& slots = in.document.slots;
    const HierarchyTree tree = tree_of(in.document, arguments.threads);
    const GlobalDigest global = global_of(slots, tree);
    Output out;
    out.field("network_id", to_hex(slots.network_id));
    out.field("height", slots.digest_height->value);
    out.field("block_hash", to_hex(slots.block_hash));
    out.field("y", slots.y.is_zero() ? Json(nullptr) : Json(to_hex(slots.y)));
    out.field("previous_global", to_hex(slots.previous));
    out.field("totalChains", tree.total_chains());
    out.field("active", tree.active());
    describe_regions(tree, arguments.groups, out);
    out.field("global", to_hex(global));
    const bool recorded_differs = in.document.global && *in.document.global != global;
    if (recorded_differs) out.field("recorded", to_hex(*in.document.global));
    if (!arguments.check && !recorded_differs) return out;
    bool same = !recorded_differs;
    if (arguments.check) {
        const auto plain = plain_digests(HierarchyShape::of(in.document.network), slots);
        same = same && plain && plain->global == global && agrees(in, tree, *plain);
        out.json["checked"] = true;
        out.line("every digest was computed again from the leaves, hash by hash");
    }
    out.verdict(same ? Reason::kOk : Reason::kGlobalMismatch);
    return out;
}

}  // namespace

void add_aggregate_commands(Commands& commands) {
    auto a = std::make_shared<AggregateArguments>();
    CLI::App* command = commands.app().add_subcommand(
        "aggregate",
        "the digests of a height: groups, regions, global; of a registry or of leaves");
    command->add_option("-d,--dir", a->dir, "folder of a node, a registry or a backup")
        ->capture_default_str();
    command->add_option("--leaves", a->leaves,
                        "a document of leaves (registry export, registry merge) instead");
    command->add_option("--receipts", a->receipts,
                        "receipts to put into these leaves: [{\"chain_id\", \"receipt\"}], hex; "
                        "their signatures are not looked at");
    command->add_option("--height", a->height,
                        "a closed height that is kept (default: the newest)");
    command->add_flag("--check", a->check,
                      "compute every digest again, hash by hash, and compare all of them");
    command->add_flag("--groups", a->groups, "show the groups' digests too");
    command->add_option("--threads", a->threads, "for hashing (default: all cores)");
    commands.run(command,
                 "  holdfast aggregate --dir node --check --groups\n"
                 "  holdfast aggregate --leaves leaves.json --receipts receipts.json --json\n",
                 [a] { return aggregate(*a); });
}

}  // namespace holdfast::cli
