// A registry in which everybody holds a part (a chain over a replica that was really sealed, an
// evaluator, a submitter, the operator), and an offence of each kind as a block may list it.
//
// Two worlds are alike byte by byte, so that one can be restarted where the other goes on.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "availability/exchange.hpp"
#include "hierarchy/checkpoints.hpp"
#include "proofs/evidence.hpp"
#include "proofs/journal.hpp"
#include "support/forged_replica.hpp"
#include "support/registry_world.hpp"
#include "vdf/evaluate.hpp"

namespace holdfast::test {

inline NetworkParams offence_network() {
    NetworkParams p = patient_network();
    p.name = "offences";
    p.has_vdf = true;
    p.vdf = {64, 1, 4, 16, 5};
    p.epoch_blocks = 256;
    p.epoch_lag = 8;
    p.seal_presets = {{16, 512}};
    p.availability_n = p.availability_d = 1;
    p.availability_chunks = 3;
    p.least_submitter_part = 7;
    p.least_evaluator_part = 5;
    p.least_operator_part = 9;
    return p;
}

/// Sealed, but for one byte of one cell.
inline constexpr std::uint64_t kUnsealedCell = 37;
inline void spoil_one_cell(const ReplicaId& id, const Window& window, MutByteView all) {
    seal_window(id, window, all);
    all[kUnsealedCell * kCellBytes] ^= 1;
}

struct OffenceWorld {
    NetworkParams params = offence_network();
    NetworkId network_id = params.id();
    RegistryWorld world{params};
    ForgedReplica chain{params,
                        raw_chunks_of(kMinChunks, "offender"),
                        "offender",
                        spoil_one_cell,
                        0,
                        Height(101),
                        test_hash(Height(101))};
    KeyPair evaluator = KeyPair::from_secret(view(tagged_hash("test/evaluator")));
    KeyPair submitter = KeyPair::from_secret(view(tagged_hash("test/submitter")));
    KeyPair accuser = KeyPair::from_secret(view(tagged_hash("test/accuser")));
    BondId submitter_bond{tagged_hash("test/submitter's bond")};
    Height height{110};  // closed, with y, a checkpoint's; the chain holds a slot there

    OffenceWorld() {
        world.feed_to(Height(102));
        created("test/evaluator's bond", evaluator, 5, BondPurpose::kEvaluator);
        created("test/operator's bond", test_operator(), 9, BondPurpose::kOperator);
        world.list(BondEvent::created(submitter_bond, submitter.public_key(), 7,
                                      BondPurpose::kCheckpoint));
        EXPECT_EQ(world.judge_registration(chain.registration), Verdict::ok());
        const Height q = world.tip() + params.seal_delay;
        world.feed_to(q);
        EXPECT_EQ(
            must(world->accept(ByteView(seal_object(chain.chain_id, q)), seal_passes())).verdict,
            Verdict::ok());
        world.feed_to(height + 2);
        EXPECT_EQ(world.judge(Kind::kCheckpoint, true_checkpoint()), Verdict::ok());
    }

    [[nodiscard]] KnownHeight known() { return must(world->known_height(height)); }
    [[nodiscard]] Checkpoint true_checkpoint() {
        return must(build_checkpoint(world.registry(), height, submitter_bond, submitter));
    }
    [[nodiscard]] Checkpoint checkpoint(const GlobalDigest& global) {
        return make_checkpoint(network_id, height, test_hash(height), global, 1, submitter_bond,
                               submitter)
            .value();
    }
    [[nodiscard]] JournalHead head(std::string_view story) {
        JournalHead h;
        h.operator_key = test_operator().public_key();
        h.height = height;
        h.block_hash = test_hash(height);
        h.global = *known().global;
        h.size = 20;
        h.root = Root(tagged_hash("test/journal", view(story)));
        return sign_head(network_id, h, test_operator()).value();
    }
    [[nodiscard]] Seed seed() const {
        return make_seed(params, network_id, height, test_hash(height), std::nullopt).value();
    }
    [[nodiscard]] std::vector<Digest> walk() const {
        const auto arena = must(
            VdfArena::fill(params.vdf, 0, epoch_seed(network_id, 0, genesis_output(network_id))));
        return must(evaluate(arena->view(), params.vdf, network_id, VdfJob{height, seed(), {}}));
    }
    [[nodiscard]] VdfProof vdf_proof(std::vector<Digest> d) const {
        return make_vdf_proof(params.vdf, network_id, height, seed(), std::move(d), evaluator)
            .value();
    }
    [[nodiscard]] Challenge2 challenge(const VdfOutput& y) const {
        return make_challenge2(network_id, chain.chain_id, height, test_hash(height), y, Reveal{},
                               accuser)
            .value();
    }
    /// A link over any cells, with what it commits to; in a bundle of its own or as a receipt.
    struct Claimed {
        LinkClaim claim;
        std::array<Digest, kChunksPerLink> openings;
        OpenedCells where;
    };
    [[nodiscard]] Claimed claim(const KnownHeight& at, ByteView cells, bool bundled) const {
        Claimed out;
        const Full f = chain.full(at, cells);
        const Entropy e = chain_entropy(network_id, at.y.value(), chain.chain_id, f.reveal);
        out.where = opened_cells(e, chain.registration.header.chunks);
        for (std::size_t j = 0; j < out.where.size(); ++j) {
            out.openings[j] = opening_hash(e, out.where[j], cell(cells, out.where[j]));
        }
        out.claim = {chain.chain_id,
                     at.block_hash,
                     statement(at, f.receipt, bundled),
                     f.link_before,
                     e,
                     opening_root(out.openings)};
        return out;
    }
    [[nodiscard]] LinkStatement statement(const KnownHeight& at, const Receipt& receipt,
                                          bool bundled) const {
        if (!bundled) return receipt;
        const Bundle bundle = make_bundle(network_id, at.block_hash, at.height, at.anchor,
                                          {{chain.chain_id, receipt.link}}, chain.key)
                                  .value();
        return BundleTree(bundle).member(0).bundled;
    }
    [[nodiscard]] static Cell cell(ByteView bytes, const OpenedCell& at) {
        return cell(bytes, at.index().value);
    }
    [[nodiscard]] static Cell cell(ByteView bytes, std::uint64_t index) {
        Cell out;
        std::copy_n(bytes.begin() + static_cast<std::ptrdiff_t>(index * kCellBytes), kCellBytes,
                    out.bytes.begin());
        return out;
    }
    /// Accuses opening `j` of a link of having opened another cell than the one that is sealed.
    [[nodiscard]] Evidence accuse_opening(const Claimed& link, std::uint8_t j) const {
        const std::uint64_t at = link.where[j].index().value;
        return make_false_opening(link.claim, link.openings, j, cell(chain.sealed, at),
                                  chain.sealed_tree.path(at));
    }
    [[nodiscard]] Evidence accuse_cell(std::uint64_t at) const {
        return make_bad_seal(chain.registration, CellIndex(at), cell(chain.raw, at),
                             chain.raw_tree.path(at), cell(chain.sealed, at),
                             chain.sealed_tree.path(at));
    }
    /// Lists the deposit that kinds 3 and 4 need, with the evidence, and says what came of it.
    Verdict judge(const Evidence& evidence) {
        const Bytes object = wrap_object(Kind::kEvidence, evidence.encode());
        if (needs_fill(evidence)) {
            world.list(BondEvent::created(BondId(tagged_hash("test/deposit", view(sha256(object)))),
                                          accuser.public_key(), params.least_chain_part,
                                          BondPurpose::kAccusation, sha256(object)));
        }
        return world.judge(Kind::kEvidence, evidence);
    }
    [[nodiscard]] bool holds_part(BondPurpose role) {
        return must(world->part(role, holder(role))).has_value();
    }
    [[nodiscard]] Digest holder(BondPurpose role) const {
        switch (role) {
            case BondPurpose::kEvaluator:
                return {evaluator.public_key().bytes};
            case BondPurpose::kCheckpoint:
                return {submitter.public_key().bytes};
            case BondPurpose::kOperator:
                return {test_operator().public_key().bytes};
            default:
                return chain.chain_id;
        }
    }

  private:
    void created(const char* bond, const KeyPair& owner, std::uint64_t amount, BondPurpose role) {
        world.list(BondEvent::created(BondId(tagged_hash(bond)), owner.public_key(), amount, role));
    }
};

struct OffenceOf {
    const char* name;
    EvidenceKind kind;
    BondPurpose role;
    bool costs_the_part;
    std::function<Evidence(OffenceWorld&)> make;
};

/// One of each kind and form.
inline std::vector<OffenceOf> all_offences() {
    using World = OffenceWorld;
    const auto two_links = [](bool bundled) {
        return [bundled](World& w) {
            const KnownHeight at = w.known();
            return make_equivocation(
                w.chain.chain_id, at.block_hash,
                w.statement(at, w.chain.full(at, w.chain.sealed).receipt, false),
                w.statement(at, w.chain.full(at, w.chain.raw).receipt, bundled));
        };
    };
    const auto bad_opening = [](bool bundled) {
        return [bundled](World& w) {
            return w.accuse_opening(w.claim(w.known(), w.chain.raw, bundled), 3);
        };
    };
    const auto false_entropy = [](bool bundled) {
        return [bundled](World& w) {
            KnownHeight at = w.known();
            at.y = VdfOutput(tagged_hash("test/false y"));
            return make_false_entropy(w.claim(at, w.chain.sealed, bundled).claim, Reveal{});
        };
    };
    const auto end = [](VdfEndEvidence::End which) {
        return [which](World& w) {
            std::vector<Digest> d = w.walk();
            if (which == VdfEndEvidence::End::kStart) d.front() = tagged_hash("test/start");
            VdfProof proof = w.vdf_proof(d);
            if (which == VdfEndEvidence::End::kOutput) {
                proof.y = VdfOutput(tagged_hash("test/wished"));
                proof.signature =
                    w.evaluator
                        .sign(view(vdf_signing_digest(w.network_id, proof.height, proof.input,
                                                      checkpoints_root(d), proof.y)))
                        .value();
            }
            return make_false_end(proof, which);
        };
    };
    const auto storage = BondPurpose::kStorage;
    return {
        {"two links", EvidenceKind::kEquivocation, storage, true, two_links(false)},
        {"bad opening", EvidenceKind::kBadOpening, storage, true, bad_opening(false)},
        {"another y under a link", EvidenceKind::kBadOpening, storage, false, false_entropy(false)},
        {"bad seal", EvidenceKind::kBadSeal, storage, true,
         [](World& w) { return w.accuse_cell(kUnsealedCell); }},
        {"bad segment", EvidenceKind::kBadVdfSegment, BondPurpose::kEvaluator, true,
         [](World& w) {
             std::vector<Digest> d = w.walk();
             d[2] = tagged_hash("test/skipped");
             return make_bad_segment(w.vdf_proof(d), 1);
         }},
        {"two checkpoints", EvidenceKind::kBadCheckpoint, BondPurpose::kCheckpoint, true,
         [](World& w) {
             return make_checkpoint_conflict(
                 w.true_checkpoint(), w.checkpoint(GlobalDigest(tagged_hash("test/false digest"))));
         }},
        {"one chain in two slots", EvidenceKind::kBadCheckpoint, BondPurpose::kCheckpoint, true,
         [](World& w) {
             HierarchyTree tree{HierarchyShape::of(w.params)};
             const ChainLeaf leaf{w.chain.chain_id, Link(w.chain.chain_id), Height(101),
                                  ChainStatus::kActive};
             tree.set(0, leaf);
             tree.set(5, leaf);
             (void)tree.rehash();
             GlobalHeader header;
             header.height = w.height;
             header.block_hash = test_hash(w.height);
             header.y = test_y(w.height);
             header.previous = *w.known().previous_global;
             return make_double_slot(w.checkpoint(tree.global(w.network_id, header)), header.y,
                                     header.previous, tree.path(0).value(), tree.path(5).value());
         }},
        {"bad response", EvidenceKind::kBadResponse, storage, true,
         [](World& w) {
             const Challenge2 asked = w.challenge(test_y(w.height));
             return make_bad_response(
                 asked, sign_response(asked.id(w.network_id), Bytes(9, 1), w.chain.key).value());
         }},
        {"another output", EvidenceKind::kFalseVdfOutput, BondPurpose::kEvaluator, true,
         end(VdfEndEvidence::End::kOutput)},
        {"another start", EvidenceKind::kFalseVdfStart, BondPurpose::kEvaluator, true,
         end(VdfEndEvidence::End::kStart)},
        {"two links, one in a bundle", EvidenceKind::kBundledEquivocation, storage, true,
         two_links(true)},
        {"bad opening in a bundle", EvidenceKind::kBundledBadOpening, storage, true,
         bad_opening(true)},
        {"another y in a bundle", EvidenceKind::kBundledBadOpening, storage, false,
         false_entropy(true)},
        {"two heads", EvidenceKind::kHeadConflict, BondPurpose::kOperator, true,
         [](World& w) { return make_head_conflict(w.head("one"), w.head("another")); }},
    };
}

}  // namespace holdfast::test
