// links: chains told height by height, with seeds, digests, anchors and the formats A to D;
// windows.
#include <map>

#include "api/link_prover.hpp"
#include "conformance/replica_case.hpp"
#include "conformance/slots_case.hpp"
#include "conformance/vector_file.hpp"
#include "proofs/entropy.hpp"
#include "proofs/link_verify.hpp"
#include "proofs/reveal.hpp"
#include "storage/link_records.hpp"
#include "vdf/arena.hpp"
#include "vdf/evaluate.hpp"

namespace holdfast::conformance {
namespace {

/// What a link's verifier knows, and our own proofs of it.
struct ProvenLink {
    KnownHeight known;
    std::optional<Compact> compact;  // empty where only a full proof counts
    Full full;
};

/// One chain and its network's heights so far.
struct ChainStory {
    Network network;
    SealedCase sealed;
    LinkRecords records;
    KnownChain known;
    std::optional<RevealChain> reveals;
    std::uint64_t slot = 0;
    Digest leaf_seed;
    ChainLeaf own_leaf;  // as it stands in the newest digest
    std::map<Height, VdfOutput> y;
    std::map<Height, GlobalDigest> global;
    std::map<Height, Link> own_link;  // in the digest of that height
    std::map<Height, ProvenLink> links;
    std::shared_ptr<const VdfArena> arena;

    [[nodiscard]] const ChainId& id() const { return sealed.chain.chain_id; }
};

ChainStory begin_story(Checker& check, const Value& v, const Network& network) {
    SealedCase sealed = check_sealed_chain(check, v, network);
    const Registration& registration = sealed.chain.registration;
    LinkRecords records = check.need(v.where(), LinkRecords::open(check.scratch_path(".chain")));
    ChainStory story{network,
                     std::move(sealed),
                     std::move(records),
                     KnownChain::of(network.id, registration),
                     {},
                     told_slot(v["slot"], v["slot"].u64()),
                     v["leaf_seed"].digest(),
                     {},
                     {},
                     {},
                     {},
                     {},
                     {}};
    const ChainCase& chain = story.sealed.chain;
    if (chain.registration.has_commitment()) {
        story.reveals.emplace(RevealChain::make(network.id, chain.replica_id,
                                                chain.registration.genesis_height, chain.key)
                                  .value());
        check.equal(v["local_commitment"], story.reveals->commitment());
    }
    story.own_leaf = {chain.chain_id, Link(chain.chain_id), chain.registration.genesis_height,
                      ChainStatus::kActive};
    check.equal(v["genesis_digest"], genesis_global(network.id));
    return story;
}

/// y of the epoch's source height, or of the next earlier one that has y.
VdfOutput epoch_source(const ChainStory& story, const Value& v, std::uint64_t epoch) {
    const auto height = epoch_source_height(story.network.params, epoch);
    if (!height) return genesis_output(story.network.id);
    const auto after = story.y.upper_bound(*height);
    if (after == story.y.begin()) v.malformed("needs the y of an earlier height");
    return std::prev(after)->second;
}

VdfOutput evaluate_height(Checker& check, ChainStory& story, const Value& v, Height height,
                          const Seed& seed) {
    const VdfParams& params = story.network.params.vdf;
    const std::uint64_t epoch = epoch_of(story.network.params, height);
    const EpochSeed e = epoch_seed(story.network.id, epoch, epoch_source(story, v, epoch));
    check.equal(v["epoch_seed"], e);
    if (!story.arena || !story.arena->view().serves(params, epoch, e)) {
        FillOptions options;
        options.stop = check.stop();
        story.arena = check.need(v.where(), VdfArena::fill(params, epoch, e, options));
    }
    VdfEvaluateOptions options;
    options.stop = check.stop();
    const auto d = check.need(v.where(), evaluate(story.arena->view(), params, story.network.id,
                                                  VdfJob{height, seed, {}}, options));
    return vdf_output(d.back(), params);
}

/// Seed and y of the height.
void check_height_entropy(Checker& check, ChainStory& story, const Value& v, Height height,
                          const BlockHash& block_hash) {
    const NetworkParams& params = story.network.params;
    std::optional<BeaconRandomness> beacon;
    if (!v["beacon_round"].is_null()) {
        beacon = BeaconRandomness{v["beacon_round"].u64(), v["beacon_randomness"].digest()};
    } else {
        check.holds(v["beacon_randomness"].where(), v["beacon_randomness"].is_null(),
                    "has no beacon round");
    }
    const Seed seed = check.need(v["seed"].where(),
                                 make_seed(params, story.network.id, height, block_hash, beacon));
    check.equal(v["seed"], seed);
    VdfOutput y = seed_as_output(seed);
    if (params.has_vdf) {
        y = evaluate_height(check, story, v, height, seed);
    } else {
        check.holds(v["epoch_seed"].where(), v["epoch_seed"].is_null(), "there is no VDF");
    }
    check.equal(v["block"]["y"], y);
    story.y[height] = y;
}

/// Anchor, link_before, and what else the verifier knows before the height's digest closes.
KnownHeight check_anchor(Checker& check, const ChainStory& story, const Value& v, Height height,
                         const BlockHash& block_hash) {
    KnownHeight known;
    known.height = height;
    known.block_hash = block_hash;
    known.y = story.y.at(height);
    known.y_compact = v["next_y"].id<VdfOutput>();
    known.anchor = genesis_global(story.network.id);
    known.link_before = Link(story.id());
    if (const auto anchor = anchor_height(story.network.params, height)) {
        const auto found = story.global.find(*anchor);
        if (found == story.global.end()) v.malformed("needs the digest of an earlier height");
        known.anchor = found->second;
        const auto link = story.own_link.find(*anchor);
        if (link != story.own_link.end()) known.link_before = link->second;
    }
    check.equal(v["anchor"], known.anchor);
    known.previous_global =
        story.global.empty() ? genesis_global(story.network.id) : story.global.rbegin()->second;
    check.equal(v["previous_global"], *known.previous_global);
    return known;
}

/// The prover's link of this height, with every value on the way to it.
SignedLink check_link(Checker& check, ChainStory& story, const Value& v, const KnownHeight& known) {
    LinkFacts facts{
        story.id(), known.height, known.block_hash, *known.y, known.anchor, *known.link_before, {}};
    check.equal(v["link_before"], facts.link_before);
    if (story.reveals) {
        facts.reveal = check.need(v["reveal"].where(), story.reveals->at_height(known.height));
    }
    check.equal(v["reveal"], facts.reveal);
    SignedLink link = check.need(v.where(), make_link(story.network.id, story.sealed.replica, facts,
                                                      story.sealed.chain.key, story.records));
    const LinkOpening& opening = link.opening;
    check.equal(v["e"], opening.e);
    check.equal(v["e"], chain_entropy(story.network.id, facts.y, facts.chain_id, facts.reveal));
    std::vector<std::uint64_t> chunks;
    std::vector<std::uint64_t> cells;
    for (const OpenedCell& where : opening.where) {
        chunks.push_back(where.chunk.value);
        cells.push_back(where.cell);
    }
    check.equal(v["chunks"], chunks);
    check.equal(v["cells"], cells);
    check.equal(v["openings"], opening.openings);
    check.equal(v["o"], opening_root(opening.openings));
    check.equal(v["link"], opening.link);
    check.equal(v["receipt"], link.receipt.encode());
    check.equal(v["compact_j"],
                std::uint64_t{compact_index(story.network.id, *known.y_compact, story.id())});
    return link;
}

/// The height's digest: no chains at the first, then the told slots and the chain's own.
HierarchyTree check_digest(Checker& check, ChainStory& story, const Value& chain, const Value& v,
                           KnownHeight& known) {
    HierarchyTree tree(HierarchyShape::of(story.network.params));
    if (!story.global.empty()) {
        set_told_slots(tree, chain["other_slots"], story.leaf_seed, known.height);
        tree.set(story.slot, story.own_leaf);
        story.own_link[known.height] = story.own_leaf.link;
    }
    tree.rehash();
    GlobalHeader header;
    header.height = known.height;
    header.block_hash = known.block_hash;
    header.y = *known.y;
    header.previous = *known.previous_global;
    known.global = tree.global(story.network.id, header);
    check.equal(v["global"], *known.global);
    story.global[known.height] = *known.global;
    return tree;
}

void check_receipt_form(Checker& check, const ChainStory& story, const Value& v,
                        const KnownHeight& known) {
    check.refusals_if_any(v, "refused_receipts", v["receipt"].bytes(),
                          [&](ByteView body) -> Verdict {
                              const auto receipt = Receipt::decode(body);
                              if (!receipt) return receipt.error();
                              return verify_receipt(story.network.id, story.known, known, *receipt);
                          });
}

void check_proofs(Checker& check, ChainStory& story, const Value& v, const KnownHeight& known,
                  const SignedLink& link, const HierarchyTree& tree) {
    const Network& network = story.network;
    const PathProof path = check.need(v["path"].where(), tree.path(story.slot));
    check.equal(v["path"], path.encode());
    check.accepted(v["path"].where(), verify_path(network.params, network.id, known, path));
    check_receipt_form(check, story, v, known);

    const Full full = to_full(link);
    check.equal(v["full"], full.encode());
    check.refusals_if_any(v, "refused_full", v["full"].bytes(), [&](ByteView body) -> Verdict {
        const auto proof = Full::decode(body);
        if (!proof) return proof.error();
        return verify_full(network.params, network.id, story.known, known, *proof);
    });
    std::optional<Compact> compact;
    if (v.has("compact") && !v["compact"].is_null()) {
        compact = check.need(v["compact"].where(), to_compact(network.id, story.sealed.replica,
                                                              link, path, *known.y_compact));
        check.equal(v["compact"], compact->encode());
        check.refusals_if_any(
            v, "refused_compact", v["compact"].bytes(), [&](ByteView body) -> Verdict {
                const auto proof = Compact::decode(body);
                if (!proof) return proof.error();
                return verify_compact(network.params, network.id, story.known, known, *proof);
            });
        // One height in sixteen it is right but does not count.
        const bool counts = !full_required(network.id, *known.y_compact, story.id());
        const Verdict verdict =
            verify_proof(network.params, network.id, story.known, known, *compact);
        check.holds(v["compact"].where(),
                    verdict.reason == (counts ? Reason::kOk : Reason::kCompactNotAllowed),
                    std::string(counts ? "counts" : "does not count") + ", the verdict is \"" +
                        to_string(verdict) + "\"");
    }
    story.links[known.height] = {known, std::move(compact), full};
}

void check_one_height(Checker& check, ChainStory& story, const Value& chain, const Value& v) {
    const Height height = v["block"]["height"].height();
    const auto block_hash = v["block"]["block_hash"].id<BlockHash>();
    if (!story.global.empty() && height != story.global.rbegin()->first + 1) {
        v["block"]["height"].malformed("does not follow the height before");
    }
    check_height_entropy(check, story, v, height, block_hash);
    KnownHeight known = check_anchor(check, story, v, height, block_hash);
    if (!v.has("link")) {
        check_digest(check, story, chain, v, known);
        return;
    }
    const SignedLink link = check_link(check, story, v, known);
    story.own_leaf.link = link.opening.link;
    story.own_leaf.link_height = height;
    const HierarchyTree tree = check_digest(check, story, chain, v, known);
    check_proofs(check, story, v, known, link, tree);
    note_reveal(story.known, height, link.opening.facts.reveal);
}

/// The window of one of the chains told: the same links again, and its refusals.
void check_window(Checker& check, const Value& v, std::map<ChainId, ChainStory>& stories) {
    const Bytes body = v["body"].bytes();
    const ProofWindow told = check.need(v["body"].where(), ProofWindow::decode(body));
    const auto found = stories.find(chain_of(told.links.front()));
    if (found == stories.end()) v["body"].malformed("is of a chain that the file does not tell");
    const ChainStory& story = found->second;
    const std::vector<std::uint64_t> heights = v["heights"].u64s();
    ProofWindow own;
    const KnownChain chain = KnownChain::of(story.network.id, story.sealed.chain.registration);
    std::vector<KnownPlace> known;
    for (std::size_t i = 0; i < heights.size(); ++i) {
        const auto link = story.links.find(Height(heights[i]));
        if (link == story.links.end() || i >= told.links.size()) {
            v["heights"][i].malformed("is no height with a link of this window");
        }
        known.push_back({chain, link->second.known});
        const bool compact = std::holds_alternative<Compact>(told.links[i]);
        if (compact && !link->second.compact) v["body"].malformed("holds a compact proof too many");
        own.links.push_back(compact ? AnyProof(*link->second.compact)
                                    : AnyProof(link->second.full));
    }
    if (own.links.size() != told.links.size()) v["heights"].malformed("lacks a height");
    check.equal(v["body"], own.encode());
    check.refusals_if_any(v, "refused", body, [&](ByteView bytes) -> Verdict {
        const auto window = ProofWindow::decode(bytes);
        if (!window) return window.error();
        // The draw comes last, so that its refusal says that all else holds.
        const Verdict verdict =
            verify_window(story.network.params, story.network.id, known, *window);
        return verdict.reason == Reason::kCompactNotAllowed ? Verdict::ok() : verdict;
    });
}

}  // namespace

void check_links(Checker& check, const Network& file_network, const Value& cases) {
    std::map<ChainId, ChainStory> stories;
    for (const Value& v : cases["chains"].items()) {
        check.run_case(v, [&] {
            ChainStory story = begin_story(check, v, check.network_or(v, file_network));
            for (const Value& height : v["heights"].items()) {
                check.poll();
                check_one_height(check, story, v, height);
            }
            const ChainId id = story.id();
            stories.emplace(id, std::move(story));
        });
    }
    const Value window = cases["window"];
    check.run_case(window, [&] { check_window(check, window, stories); });
}

}  // namespace holdfast::conformance
