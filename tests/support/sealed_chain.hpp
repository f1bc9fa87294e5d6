// A chain over a replica that was really sealed (preset `dev`), in a network whose registry is fed
// with blocks, and what somebody with its key and any part of its data can make and sign: honest
// links through the engine, and false ones past it.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "api/link_prover.hpp"
#include "api/seal_prover.hpp"
#include "chunking/seal.hpp"
#include "proofs/bundle.hpp"
#include "support/refused.hpp"
#include "support/registry_world.hpp"

namespace holdfast::test {

struct SealedChainOptions {
    std::uint64_t chunks = 256;
    std::uint64_t key = 0;  // chains with equal numbers have one prover
    bool reveals = false;   // commits to a reveal chain
    Height genesis{110};
    std::optional<BondId> bond;  // made up when empty
};

class SealedChain {
  public:
    /// What the cheater puts where the cell should stand.
    using CellOf = std::function<Cell(const OpenedCell&)>;

    SealedChain(const NetworkParams& params, std::uint64_t seed,
                const SealedChainOptions& options = {})
        : params_(params), network_id_(params.id()), key_(prover_key(options.key)) {
        spill(folder_ / "source", expand(view(tagged_hash("test/data", seed)),
                                         static_cast<std::size_t>(options.chunks * kChunkBytes)));
        SealRequest request;
        request.network = params;
        request.prover = key_.public_key();
        request.seal = kSealDev;
        request.source = folder_ / "source";
        request.replica_path = replica_file();
        request.tree_path = folder_ / "x.tree";
        SealOptions one;
        one.workers = 1;
        const SealedReplica sealed = must(holdfast::seal(request, one));
        Registration r;
        r.header = sealed.header.replica;
        r.sealed_root = sealed.header.sealed_root;
        r.genesis_height = options.genesis;
        r.genesis_block_hash = test_hash(options.genesis);
        r.bond_id = options.bond.value_or(BondId(tagged_hash("test/bond", seed)));
        if (options.reveals) {
            reveals_ = std::make_unique<RevealChain>(
                RevealChain::make(network_id_, r.replica_id(network_id_), options.genesis, key_)
                    .value());
            r.local_commitment = reveals_->commitment();
        }
        registration_ = sign_registration(network_id_, r, key_).value();
        id_ = registration_.chain_id(network_id_);
        replica_ = std::make_unique<Replica>(open_replica());
        load_cells();
    }

    static KeyPair prover_key(std::uint64_t number) {
        return KeyPair::from_secret(view(prover_secret(number)));
    }
    static Digest prover_secret(std::uint64_t number) { return tagged_hash("test/prover", number); }

    [[nodiscard]] const ChainId& id() const { return id_; }
    [[nodiscard]] const NetworkId& network_id() const { return network_id_; }
    [[nodiscard]] const KeyPair& key() const { return key_; }
    [[nodiscard]] const Registration& registration() const { return registration_; }
    [[nodiscard]] KnownChain known() const { return KnownChain::of(network_id_, registration_); }
    [[nodiscard]] ChunkCount chunks() const { return registration_.header.chunks; }
    [[nodiscard]] const Replica& replica() const { return *replica_; }
    [[nodiscard]] const std::filesystem::path& folder() const { return folder_.path(); }
    [[nodiscard]] std::filesystem::path replica_file() const { return folder_ / "x.replica"; }
    [[nodiscard]] Replica open_replica() const {
        return must(Replica::open(replica_file(), folder_ / "x.tree", params_));
    }
    /// The cell that was sealed, and the tree over all of them.
    [[nodiscard]] Cell cell(const OpenedCell& at) const { return cells_[at.index().value]; }
    [[nodiscard]] const MerkleTree& tree() const { return *tree_; }
    /// The reveal of a height under the registration's commitment; zeros without one.
    [[nodiscard]] Reveal reveal(Height h) const {
        return reveals_ ? reveals_->at_height(h).value() : Reveal{};
    }

    /// The facts that an honest prover links from.
    [[nodiscard]] LinkFacts facts(const KnownHeight& known) const {
        return {id_,
                known.height,
                known.block_hash,
                known.y.value(),
                known.anchor,
                known.link_before.value(),
                reveal(known.height)};
    }
    /// Which cells the height opens.
    [[nodiscard]] OpenedCells opened(const KnownHeight& known) const {
        return opened_cells(entropy(known), chunks());
    }
    /// A link past the engine: the cells as `cell_of` has them, signed without a record and without
    /// a look at the tree.
    [[nodiscard]] SignedLink forge(const KnownHeight& known, const CellOf& cell_of) const {
        SignedLink out;
        LinkOpening& o = out.opening;
        o.facts = facts(known);
        o.e = entropy(known);
        o.where = opened_cells(o.e, chunks());
        std::vector<std::uint64_t> ascending;
        for (std::size_t j = 0; j < o.where.size(); ++j) {
            o.cells[j] = cell_of(o.where[j]);
            o.openings[j] = opening_hash(o.e, o.where[j], o.cells[j]);
            ascending.push_back(o.where[j].index().value);
        }
        std::sort(ascending.begin(), ascending.end());
        o.siblings = tree_->multiproof(ascending);
        o.link = link_hash(network_id_, {id_, known.height, known.block_hash, known.anchor,
                                         o.facts.link_before, o.e, opening_root(o.openings)});
        out.receipt = sign(known, o.link);
        return out;
    }
    /// What an honest prover makes of the height, byte for byte, without its records.
    [[nodiscard]] SignedLink honest(const KnownHeight& known) const {
        return forge(known, [this](const OpenedCell& at) { return cell(at); });
    }
    /// Any link, signed.
    [[nodiscard]] Receipt sign(const KnownHeight& known, const Link& link) const {
        const Digest d =
            receipt_digest(network_id_, id_, known.height, known.block_hash, known.anchor, link);
        return {link, known.height, known.anchor, key_.sign(view(d)).value()};
    }
    /// The compact proof of a link, false or not, whatever its cells are.
    [[nodiscard]] Compact compact(const SignedLink& link, const PathProof& path,
                                  const VdfOutput& y_compact) const {
        const std::uint8_t j = compact_index(network_id_, y_compact, id_);
        Compact proof;
        proof.receipt = link.receipt;
        proof.chain_id = id_;
        proof.link_before = link.opening.facts.link_before;
        proof.reveal = link.opening.facts.reveal;
        proof.status = path.leaf.status;
        proof.path = path.path;
        proof.cell = link.opening.cells[j];
        proof.cell_path = tree_->path(link.opening.where[j].index().value);
        const std::vector<Digest> up = opening_path(link.opening.openings, j);
        std::copy(up.begin(), up.end(), proof.opening_path.begin());
        return proof;
    }

  private:
    [[nodiscard]] Entropy entropy(const KnownHeight& known) const {
        return chain_entropy(network_id_, known.y.value(), id_, reveal(known.height));
    }
    void load_cells() {
        Bytes sealed(static_cast<std::size_t>(chunks().value * kChunkBytes));
        must(replica_->read_sealed(ChunkIndex(0), sealed));
        cells_.resize(sealed.size() / kCellBytes);
        std::vector<Digest> leaves;
        for (std::size_t i = 0; i < cells_.size(); ++i) {
            std::copy_n(sealed.begin() + static_cast<std::ptrdiff_t>(i * kCellBytes), kCellBytes,
                        cells_[i].bytes.begin());
            leaves.push_back(leaf_hash(view(cells_[i])));
        }
        tree_ = std::make_unique<MerkleTree>(std::move(leaves));
    }

    NetworkParams params_;
    NetworkId network_id_;
    TempFolder folder_;
    KeyPair key_;
    Registration registration_;
    ChainId id_;
    std::unique_ptr<RevealChain> reveals_;
    std::unique_ptr<Replica> replica_;
    std::vector<Cell> cells_;
    std::unique_ptr<MerkleTree> tree_;
};

/// The real seal proof of every duty of the chain that has its y.
inline std::size_t answer_seal_duties(RegistryWorld& world, const SealedChain& chain) {
    std::size_t accepted = 0;
    for (const SealDuty& duty : must(world->seal_duties(chain.id()))) {
        if (!duty.y_height || *duty.deadline < world.tip()) continue;
        const SealProof proof =
            must(make_seal_proof(world.params(), chain.network_id(), chain.registration(),
                                 chain.replica(), *duty.y_height, *duty.y, duty.kind, chain.key()));
        const Verdict verdict = world.accept(wrap_object(Kind::kSealProof, proof.encode())).verdict;
        EXPECT_EQ(verdict, Verdict::ok()) << to_string(verdict);
        accepted += verdict ? 1 : 0;
    }
    return accepted;
}

/// A height that the prover is asked about, without a registry.
inline KnownHeight made_up_height(const SealedChain& chain, Height h) {
    KnownHeight known;
    known.height = h;
    known.block_hash = test_hash(h);
    known.y = test_y(h);
    known.anchor = GlobalDigest(tagged_hash("test/anchor", h));
    known.link_before = Link(chain.id());
    return known;
}

/// The bond that the chain's registration names, as the host chain lists it.
inline BondEvent bond_of(const SealedChain& chain, std::uint64_t amount) {
    return BondEvent::created(chain.registration().bond_id, chain.key().public_key(), amount,
                              BondPurpose::kStorage);
}

/// Registers all chains in one block and proves their sealing. They link from the height after
/// the tip that this ends with. `list_bonds`: who lists their bonds in that block; empty: this.
inline void enrol(RegistryWorld& world, const std::vector<const SealedChain*>& chains,
                  const std::function<void(RegistryWorld&)>& list_bonds = {}) {
    for (const SealedChain* chain : chains) {
        world.feed_to(chain->registration().genesis_height + 1);
    }
    if (list_bonds) list_bonds(world);
    for (const SealedChain* chain : chains) {
        if (!list_bonds) world.list(bond_of(*chain, world.params().least_chain_part));
        world.list(Kind::kRegistration, chain->registration());
    }
    for (const Verdict& v : world.listed()) ASSERT_EQ(v, Verdict::ok());
    world.feed_to(world.tip() + world.params().seal_delay);
    for (const SealedChain* chain : chains) ASSERT_EQ(answer_seal_duties(world, *chain), 1U);
}

inline KnownHeight known_height(RegistryWorld& world, const SealedChain& chain, Height h) {
    return must(world->known_height(h, chain.id()));
}
/// The verdict on a link, as the one member of a bundle that the key signs.
inline Verdict submit(RegistryWorld& world, const ChainId& chain, const KnownHeight& known,
                      const Link& link, const KeyPair& key) {
    const auto bundle = make_bundle(world->network_id(), known.block_hash, known.height,
                                    known.anchor, {{chain, link}}, key);
    const ObjectOutcome out = world.accept(wrap_object(Kind::kBundle, bundle.value().encode()));
    return out.verdict && !out.members.empty() ? out.members[0] : out.verdict;
}
inline Verdict submit(RegistryWorld& world, const SealedChain& chain, const Receipt& receipt) {
    KnownHeight known = known_height(world, chain, receipt.height);
    known.anchor = receipt.anchor;
    return submit(world, chain.id(), known, receipt.link, chain.key());
}

}  // namespace holdfast::test
