// Evidence in a random history: of every kind, most of it true, none of it against those who keep
// to the rules, but for slander.
#include "hierarchy/tree.hpp"
#include "support/random_history.hpp"

namespace holdfast::test {

void RandomHistory::list_evidence() {
    const Height h = tip() - std::min<std::uint64_t>(below(4), tip().since(params_.genesis_height));
    Chain* chain = random_cheat();
    const std::uint64_t what = below(8);
    if (chain != nullptr && what < 5) {
        const KnownHeight known = must(registry().known_height(h, chain->chain->id()));
        if (what < 2) return accuse_links(*chain, known);
        if (what < 4) return accuse_openings(*chain, known);
        return accuse_response(*chain, known);
    }
    if (what == 5) return accuse_vdf();
    if (what == 6) return one_in(2) ? accuse_submitter() : accuse_operator();
    accuse_seal();
}

/// Lists it; behind a deposit for it where one is wanted, and sometimes where none is.
void RandomHistory::accuse(const std::string& name, const Evidence& evidence, bool with_deposit) {
    Bytes object = wrap_object(Kind::kEvidence, evidence.encode());
    if (one_in(10)) object[2 + below(object.size() - 2)] ^= 1;
    if (with_deposit || one_in(4)) {
        const KeyPair accuser =
            KeyPair::from_secret(view(tagged_hash("test/accuser", seed_, ++numbers_)));
        const BondId id(tagged_hash("test/history deposit", seed_, numbers_));
        bond(BondEvent::created(id, accuser.public_key(), kTestPart + below(4),
                                BondPurpose::kAccusation, sha256(object)));
    }
    submit(name, Kind::kEvidence, object);
}

LinkStatement RandomHistory::statement(const Chain& chain, const KnownHeight& known,
                                       const Link& link, bool bundled) const {
    const TestChain& signer = *chain.chain;
    if (!bundled) return signer.sign(known, link);
    const Bundle bundle = make_bundle(network_id_, known.block_hash, known.height, known.anchor,
                                      {{signer.id(), link}}, signer.key())
                              .value();
    return BundleTree(bundle).member(0).bundled;
}

void RandomHistory::accuse_links(Chain& chain, const KnownHeight& known) {
    const bool bundled = one_in(2);
    // Slander: what another has signed, under the honest prover's name.
    const ChainId& accused = one_in(8) ? chains_[0].chain->id() : chain.chain->id();
    const Link one(tagged_hash("test/one link", below(3)));
    const Link two(tagged_hash("test/two links", below(3)));
    accuse(bundled ? "evidence 9" : "evidence 1",
           make_equivocation(accused, known.block_hash, statement(chain, known, one, bundled),
                             statement(chain, known, two, bundled && one_in(2))));
}

void RandomHistory::accuse_openings(Chain& chain, const KnownHeight& known) {
    if (!known.y) return;
    const TestChain& accused = *chain.chain;
    const bool bundled = one_in(2);
    const bool false_e = one_in(3);
    const Reveal reveal = reveal_of(chain, known.height);
    // The right one is no offence where a false one is alleged.
    const Entropy e = false_e && !one_in(4)
                          ? Entropy(tagged_hash("test/false E", below(4)))
                          : chain_entropy(network_id_, *known.y, accused.id(), reveal);
    const OpenedCells where = opened_cells(e, ChunkCount(kMinChunks));
    std::array<Digest, kChunksPerLink> openings;
    for (std::size_t j = 0; j < where.size(); ++j) {
        openings[j] = opening_hash(e, where[j], accused.cell(where[j]));
    }
    const auto j = static_cast<std::uint8_t>(below(kChunksPerLink));
    if (!one_in(5)) openings[j].bytes[0] ^= 1;  // else there is no offence
    LinkClaim claim{accused.id(),          known.block_hash, {}, Link(accused.id()), e,
                    opening_root(openings)};
    const Link link = link_hash(network_id_, {accused.id(), known.height, known.block_hash,
                                              known.anchor, claim.link_before, e, claim.openings});
    claim.statement = statement(chain, known, link, bundled);
    const std::string kind = bundled ? "evidence 10" : "evidence 2";
    if (false_e) return accuse(kind + ", form 2", make_false_entropy(claim, reveal));
    accuse(kind + ", form 1", make_false_opening(claim, openings, j, accused.cell(where[j]),
                                                 accused.tree().path(where[j].index().value)));
}

void RandomHistory::accuse_response(Chain& chain, const KnownHeight& known) {
    // Without y of the height it waits for it.
    const KeyPair asker = KeyPair::from_secret(view(tagged_hash("test/asker", below(3))));
    const BlockHash& hash = known.block_hash;
    VdfOutput y = history_y(params_, known.height, hash);
    if (one_in(5)) y = VdfOutput(tagged_hash("a false y"));
    const Challenge2 challenge =
        make_challenge2(network_id_, chain.chain->id(), known.height, hash, y, Reveal{}, asker)
            .value();
    Bytes payload = chain.chain->payload(
        challenged_chunks(params_, network_id_, y, challenge.chain_id, challenge.challenger,
                          challenge.nonce, ChunkCount(kMinChunks)));
    if (!one_in(5)) payload[below(payload.size())] ^= 1;  // else there is no offence
    const Response response =
        sign_response(challenge.id(network_id_), std::move(payload), chain.chain->key()).value();
    accuse("evidence 6", make_bad_response(challenge, response));
}

/// Needs a fill, and so a deposit; of cell 0, which is sealed, it costs that.
void RandomHistory::accuse_seal() {
    for (Chain& chain : chains_) {
        if (!chain.unsealed || !must(registry().chain(chain.chain->id()))) continue;
        const std::uint64_t cell = one_in(3) ? 0 : 1 + below(200);
        accuse("evidence 3", chain.chain->accuse_cell(cell), !one_in(4));
        return;
    }
}

void RandomHistory::accuse_vdf() {
    if (evaluators_.empty()) return;
    const Height h = must(registry().closed()).value_or(params_.genesis_height);
    const BlockHash hash = must(registry().block(h))->hash;
    std::vector<Digest> checkpoints = history_checkpoints(params_, h, hash);
    const KeyPair& key = evaluators_[below(evaluators_.size())];
    const Seed seed = make_seed(params_, network_id_, h, hash, std::nullopt).value();
    VdfProof proof =
        make_vdf_proof(params_.vdf, network_id_, h, seed, std::move(checkpoints), key).value();
    const std::uint64_t form = below(3);
    const std::uint64_t last = params_.vdf.checkpoints;
    const std::uint64_t spoiled = form == 0 ? 2 : form == 1 ? last : 0;
    if (!one_in(5)) proof.checkpoints[spoiled].bytes[0] ^= 1;  // else there is no offence
    proof.signature =
        key.sign(view(vdf_signing_digest(network_id_, proof.height, proof.input,
                                         checkpoints_root(proof.checkpoints), proof.y)))
            .value();
    if (form == 0) return accuse("evidence 4", make_bad_segment(proof, 1), !one_in(4));
    const auto end = form == 1 ? VdfEndEvidence::End::kOutput : VdfEndEvidence::End::kStart;
    accuse(form == 1 ? "evidence 7" : "evidence 8", make_false_end(proof, end));
}

void RandomHistory::accuse_submitter() {
    const auto closed = must(registry().closed());
    if (submitters_.empty() || !closed) return;
    const Height g(closed->value - closed->value % params_.checkpoint_blocks);
    if (g < params_.genesis_height) return;
    const KeyPair& key = submitters_[below(submitters_.size())];
    const BlockRecord block = must(registry().block(g)).value();
    const auto signed_by = [&](const GlobalDigest& global, std::uint64_t total) {
        return make_checkpoint(network_id_, g, block.hash, global, total, BondId{}, key).value();
    };
    if (one_in(2)) {
        const GlobalDigest one(tagged_hash("test/one digest"));
        const GlobalDigest two(tagged_hash(one_in(5) ? "test/one digest" : "test/two digests"));
        return accuse("evidence 5, form 1",
                      make_checkpoint_conflict(signed_by(one, 1), signed_by(two, 1)));
    }
    // One chain in two slots, under a digest of its own making.
    HierarchyTree tree(HierarchyShape::of(params_));
    const ChainLeaf leaf{ChainId(tagged_hash("twice")), Link(), g, ChainStatus::kActive};
    tree.set(0, leaf);
    tree.set(1, leaf);
    (void)tree.rehash(1);
    GlobalHeader header;
    header.height = g;
    header.block_hash = block.hash;
    const GlobalDigest global = tree.global(network_id_, header);
    const PathProof lower = tree.path(0).value();
    const PathProof higher = one_in(5) ? lower : tree.path(1).value();
    accuse("evidence 5, form 2",
           make_double_slot(signed_by(global, 2), header.y, header.previous, lower, higher));
}

void RandomHistory::accuse_operator() {
    const auto closed = must(registry().closed());
    if (!closed) return;
    const Height h =
        *closed - std::min<std::uint64_t>(below(3), closed->since(params_.genesis_height));
    const KeyPair operator_key = test_operator();
    const auto head = [&](std::string_view global) {
        JournalHead out;
        out.operator_key = params_.operator_key;
        out.height = h;
        out.block_hash = must(registry().block(h))->hash;
        out.global = GlobalDigest(tagged_hash(global));
        return sign_head(network_id_, out, one_in(8) ? chains_[0].chain->key() : operator_key)
            .value();
    };
    accuse("evidence 11", make_head_conflict(head("test/one head"), head("test/two heads")));
}

}  // namespace holdfast::test
