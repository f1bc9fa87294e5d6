// hierarchy and lifecycle: digests and paths of registries, statuses, slots, merging, checkpoints.
#include "conformance/slots_case.hpp"
#include "conformance/vector_file.hpp"
#include "core/keys.hpp"
#include "hierarchy/lifecycle.hpp"
#include "hierarchy/tree.hpp"
#include "proofs/checkpoint.hpp"
#include "proofs/link_verify.hpp"

namespace holdfast::conformance {
namespace {

void check_regions(Checker& check, const Value& v, const HierarchyTree& tree) {
    const std::vector<Value> regions = v["regions"].items();
    const std::vector<Value> groups = v["groups"].items();
    check.holds(v["regions"].where(),
                regions.size() == tree.regions() && groups.size() == tree.regions(),
                "computed " + std::to_string(tree.regions()) + " regions");
    for (std::uint32_t r = 0; r < tree.regions() && r < regions.size() && r < groups.size(); ++r) {
        const HierarchyTree::RegionView region = tree.region(r);
        check.equal(regions[r]["active"], region.active);
        check.equal(regions[r]["digest"], region.digest);
        const std::vector<Value> of_region = groups[r].items();
        check.holds(groups[r].where(), of_region.size() == region.groups,
                    "computed " + std::to_string(region.groups) + " groups");
        for (std::uint32_t g = 0; g < region.groups && g < of_region.size(); ++g) {
            const HierarchyTree::GroupView group = tree.group({r, g});
            check.equal(of_region[g]["slots"], std::uint64_t{group.slots});
            check.equal(of_region[g]["active"], std::uint64_t{group.active});
            check.equal(of_region[g]["digest"], group.digest);
            check.equal(of_region[g]["digest"], region.group_digests[g]);
        }
    }
}

void check_registry(Checker& check, const Value& v, const Network& network) {
    const auto leaf_seed = v["leaf_seed"].digest();
    const Value block = v["block"];
    KnownHeight known;
    known.height = block["height"].height();
    known.block_hash = block["block_hash"].id<BlockHash>();
    known.y = block["y"].id<VdfOutput>();
    known.previous_global = v["previous_global"].id<GlobalDigest>();

    HierarchyTree tree(HierarchyShape::of(network.params));
    set_told_slots(tree, v["slots"], leaf_seed, known.height);
    tree.rehash();
    for (const auto& [slot, leaf] : v["leaves"].members()) {
        const auto held = tree.leaf(told_slot(leaf, v["leaves"].key_u64(slot)));
        check.holds(leaf.where(), held.has_value(), "the slot is vacant");
        if (held) check.equal(leaf, held->encode());
    }
    check_regions(check, v, tree);
    check.equal(v["total_chains"], tree.total_chains());
    GlobalHeader header;
    header.height = known.height;
    header.block_hash = known.block_hash;
    header.y = *known.y;
    header.previous = *known.previous_global;
    known.global = tree.global(network.id, header);
    check.equal(v["global"], *known.global);
    for (const Value& path : v["paths"].items()) {
        const std::uint64_t slot = told_slot(path["slot"], path["slot"].u64());
        const PathProof proof = check.need(path.where(), tree.path(slot));
        check.equal(path["body"], proof.encode());
        check.refusals_if_any(path, "refused", path["body"].bytes(), [&](ByteView body) -> Verdict {
            const auto decoded = PathProof::decode(body);
            if (!decoded) return decoded.error();
            return verify_path(network.params, network.id, known, *decoded);
        });
    }
}

// --- lifecycle -----------------------------------------------------------------------------------

Retention retention_of(const Value& holder, std::uint64_t number) {
    if (number < 1 || number > 3) holder.malformed("names a retention other than 1, 2 or 3");
    return static_cast<Retention>(number);
}

bool retention_matches(const Value& list, const NetworkParams& params) {
    for (const auto& [retention, blocks] : list.members()) {
        const Retention r = retention_of(list, list.key_u64(retention));
        if (retention_blocks(params, r) != blocks.u64()) return false;
    }
    return true;
}

/// The seconds N of retention_blocks_at_N_s; empty for the network's own retention_blocks.
std::optional<std::uint64_t> told_block_s(const Value& list, const std::string& name) {
    const std::string own = "retention_blocks";
    if (name == own) return std::nullopt;
    const std::string before = own + "_at_";
    const std::string after = "_s";
    if (!name.starts_with(before) || !name.ends_with(after) ||
        name.size() <= before.size() + after.size()) {
        list.malformed("should be named retention_blocks_at_N_s");
    }
    const std::uint64_t block_s =
        list.key_u64(name.substr(before.size(), name.size() - before.size() - after.size()));
    if (block_s < 1 || block_s > UINT32_MAX / 1000 - 1) list.malformed("has no such block time");
    return block_s;
}

void check_retention(Checker& check, const Value& list, const std::string& name,
                     NetworkParams params) {
    if (const auto block_s = told_block_s(list, name)) {
        // The name tells whole seconds; the block time of the case has milliseconds.
        const auto first = static_cast<std::uint32_t>(*block_s * 1000);
        params.block_ms = first;
        while (params.block_ms < first + 999 && !retention_matches(list, params)) {
            ++params.block_ms;
        }
    }
    for (const auto& [retention, blocks] : list.members()) {
        const Retention r = retention_of(list, list.key_u64(retention));
        check.equal(blocks, retention_blocks(params, r));
    }
}

void check_status(Checker& check, const Value& v, const NetworkParams& params) {
    StatusFacts facts;
    facts.age = v["age"].u64();
    facts.retention = retention_of(v, v["retention"].u64());
    facts.misses = v["misses"].u64();
    facts.removal_requested = v["removal_requested"].flag();
    facts.suspended = v["suspended"].flag();
    check.equal(v["status"], static_cast<std::uint64_t>(status_in_digest(params, facts)));
}

SlotMap read_slots(const Value& v) {
    SlotMap out;
    for (const auto& [slot, chain] : v.members()) out[v.key_u64(slot)] = chain.id<ChainId>();
    return out;
}

std::vector<ChainId> read_chains(const Value& v) {
    std::vector<ChainId> out;
    for (const Digest& d : v.digests()) out.emplace_back(d);
    return out;
}

void check_placing(Checker& check, const Value& v) {
    const SlotMap after =
        place_chains(read_slots(v["before"]), read_chains(v["ended"]), read_chains(v["new"]));
    check.holds(v["after"].where(), after == read_slots(v["after"]),
                "the chains are placed otherwise");
}

RegistrySlots read_registry(Checker& check, const Value& v, const Network& network) {
    // The vectors tell registries whose digests have one height; which one does not matter.
    RegistrySlots out{network.id, network.params.genesis_height, {}};
    for (const auto& [slot, leaf] : v.members()) {
        out.slots[v.key_u64(slot)] = check.need(leaf.where(), ChainLeaf::decode(leaf.bytes()));
    }
    return out;
}

RegistrySlots merge_two(Checker& check, const Value& v, const RegistrySlots& a,
                        const RegistrySlots& b) {
    const std::array both{a, b};
    return check.need(v.where(), merge_registries(both));
}

/// All at once, and in both directions one after another: order and grouping must not matter.
void check_merging(Checker& check, const Value& v, const Network& network) {
    std::vector<RegistrySlots> registries;
    for (const Value& r : v["registries"].items()) {
        registries.push_back(read_registry(check, r, network));
    }
    if (registries.empty()) v["registries"].malformed("should not be empty");
    const RegistrySlots expected = read_registry(check, v["merged"], network);
    const std::string where = v["merged"].where();
    check.holds(where, check.need(where, merge_registries(registries)) == expected,
                "merging gives other slots");
    check.accepted(where, check_merged(expected));
    RegistrySlots forward = registries.front();
    RegistrySlots backward = registries.back();
    for (std::size_t i = 1; i < registries.size(); ++i) {
        forward = merge_two(check, v, forward, registries[i]);
        backward = merge_two(check, v, registries[registries.size() - 1 - i], backward);
    }
    check.holds(where, forward == expected, "merging one after another gives other slots");
    check.holds(where, backward == expected, "merging from the last gives other slots");
}

void check_one_checkpoint(Checker& check, const Value& v, const Network& network) {
    const KeyPair key = KeyPair::from_secret(view(v["secret_key"].digest()));
    const Checkpoint own =
        make_checkpoint(network.id, v["height"].height(), v["block_hash"].id<BlockHash>(),
                        v["global"].id<GlobalDigest>(), v["total_chains"].u64(),
                        v["bond_id"].id<BondId>(), key)
            .value();
    check.equal(v["submitter_pk"], own.submitter);
    check.equal(v["body"], own.encode());
    check.refusals_if_any(v, "refused", v["body"].bytes(), [&](ByteView body) -> Verdict {
        const auto decoded = Checkpoint::decode(body);
        if (!decoded) return decoded.error();
        const Verdict formed = check_checkpoint(network.params, network.id, *decoded);
        if (!formed.accepted()) return formed;
        // What the verifier's own branch and digest say.
        if (decoded->height != own.height) return Reason::kWrongHeight;
        if (decoded->block_hash != own.block_hash) return Reason::kWrongBlock;
        const bool same =
            decoded->global == own.global && decoded->total_chains == own.total_chains;
        return same ? Reason::kOk : Reason::kGlobalMismatch;
    });
}

}  // namespace

void check_hierarchy(Checker& check, const Network& file_network, const Value& cases) {
    for (const Value& v : cases.items()) {
        check.run_case(v, [&] { check_registry(check, v, check.network_or(v, file_network)); });
    }
}

void check_lifecycle(Checker& check, const Network& network, const Value& cases) {
    for (const auto& [name, list] : cases.members()) {
        if (!name.starts_with("retention_blocks")) continue;
        check.run_case(list, [&, &told_name = name, &told = list] {
            check_retention(check, told, told_name, network.params);
        });
    }
    for (const Value& v : cases["statuses"].items()) {
        check.run_case(v, [&] { check_status(check, v, check.network_or(v, network).params); });
    }
    const Value placing = cases["placing"];
    check.run_case(placing, [&] { check_placing(check, placing); });
    for (const Value& v : cases["merging"].items()) {
        check.run_case(v, [&] { check_merging(check, v, check.network_or(v, network)); });
    }
    for (const Value& v : cases["checkpoints"].items()) {
        check.run_case(v, [&] { check_one_checkpoint(check, v, check.network_or(v, network)); });
    }
}

}  // namespace holdfast::conformance
