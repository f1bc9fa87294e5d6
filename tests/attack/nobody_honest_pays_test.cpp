// Attack: make somebody pay who follows the rules. Nodes tell it false y, anchors, blocks and
// digests, its process is killed, its disk flips bits, its registry is lost and made again.
//
// For each offence: everything that honest code signs under such pressure is collected, and every
// accusation that can be made of it is judged. None may hold. The proofs on paper are in
// docs/security.md, section 6; who is accused of what, all_offences().
#include <gtest/gtest.h>

#include <filesystem>

#include "api/closed_without_y.hpp"
#include "availability/exchange.hpp"
#include "storage/link_set_records.hpp"
#include "storage/signed_statements.hpp"
#include "support/clock_world.hpp"
#include "support/court.hpp"
#include "support/offence_world.hpp"
#include "support/sealed_chain.hpp"

namespace holdfast::test {
namespace {

NetworkParams honest_network() {
    NetworkParams p = patient_network();
    p.name = "honest";
    p.availability_chunks = 3;
    return p;
}

// --- kinds 1, 2, 9, 10: links --------------------------------------------------------------------

/// What somebody tells a prover of one height, true or not.
struct Told {
    const char* what;
    std::function<void(KnownHeight&)> change;
};
const std::vector<Told>& tales() {
    static const std::vector<Told> all{
        {"the truth", [](KnownHeight&) {}},
        {"a false y", [](KnownHeight& k) { k.y = VdfOutput(tagged_hash("false y")); }},
        {"another false y", [](KnownHeight& k) { k.y = VdfOutput(tagged_hash("false y 2")); }},
        {"a false anchor", [](KnownHeight& k) { k.anchor = GlobalDigest(tagged_hash("anchor")); }},
        {"a false block", [](KnownHeight& k) { k.block_hash = BlockHash(tagged_hash("block")); }},
        {"a false link before", [](KnownHeight& k) { k.link_before = Link(tagged_hash("link")); }},
    };
    return all;
}

struct HonestProver {
    NetworkParams params = honest_network();
    RegistryWorld world{params};
    SealedChain chain{params, 1, {16, 1, false, Height(110), {}}};
    Court court{world};
    KnownHeight truth;
    std::filesystem::path file = chain.folder() / "x.chain";

    HonestProver() {
        enrol(world, {&chain});
        world.feed();
        truth = known_height(world, chain, world.tip());
    }
    /// Asked once, by a prover that has just been started.
    std::optional<SignedLink> ask(const Told& told) {
        KnownHeight known = truth;
        told.change(known);
        LinkRecords records = must(LinkRecords::open(file));
        auto made =
            make_link(params.id(), chain.replica(), chain.facts(known), chain.key(), records);
        if (!made) {
            EXPECT_EQ(made.error().verdict.reason, Reason::kBadLink);
            return std::nullopt;
        }
        return *made;
    }
    [[nodiscard]] LinkStatement bundled(const SignedLink& link) const {
        const LinkFacts& facts = link.opening.facts;
        const Bundle b = make_bundle(params.id(), facts.block_hash, facts.height, facts.anchor,
                                     {{chain.id(), link.opening.link}}, chain.key())
                             .value();
        return BundleTree(b).member(0).bundled;
    }
};

TEST(NobodyHonestPays, AProverForItsLinksWhateverItIsTold) {
    // Whichever is told first, and with a restart between any two.
    for (std::size_t first = 0; first < tales().size(); ++first) {
        HonestProver p;
        std::vector<SignedLink> signed_links;
        for (std::size_t n = 0; n < 2 * tales().size(); ++n) {
            const auto link = p.ask(tales()[(first + n) % tales().size()]);
            if (link) signed_links.push_back(*link);
        }
        EXPECT_GE(signed_links.size(), 3U) << "the truth or a tale, and a false anchor and block";
        std::size_t accusations = 0;
        for (const SignedLink& a : signed_links) {
            const BlockHash& block = a.opening.facts.block_hash;
            for (const SignedLink& b : signed_links) {
                if (a.opening.link == b.opening.link) continue;
                for (const BlockHash& shown : {block, p.truth.block_hash}) {
                    const LinkStatement forms[] = {b.receipt, p.bundled(b)};
                    for (const LinkStatement& other : forms) {
                        ++accusations;
                        EXPECT_NE(p.court.reason(
                                      make_equivocation(p.chain.id(), shown, a.receipt, other)),
                                  Reason::kOk)
                            << tales()[first].what << " first";
                    }
                }
            }
            // Each opening of it, against the cell that is stored and against others.
            for (std::uint8_t j = 0; j < kChunksPerLink; ++j) {
                const std::uint64_t at = a.opening.where[j].index().value;
                for (const std::uint64_t shown : {at, (at + 1) % (16 * kCellsPerChunk)}) {
                    ++accusations;
                    EXPECT_NE(p.court.reason(make_false_opening(
                                  claim_of(a), a.opening.openings, j,
                                  p.chain.cell({ChunkIndex(shown / kCellsPerChunk),
                                                static_cast<std::uint8_t>(shown % kCellsPerChunk)}),
                                  p.chain.tree().path(shown))),
                              Reason::kOk);
                }
            }
        }
        EXPECT_GT(accusations, 100U);
    }
}

TEST(NobodyHonestPays, AProverThatLinkedByAFalseYLosesTheHeightAndNothingElse) {
    OffenceWorld w;
    for (const bool bundled : {false, true}) {
        KnownHeight at = w.known();
        at.y = VdfOutput(tagged_hash("told", std::uint64_t{bundled}));
        const auto link = w.claim(at, w.chain.sealed, bundled);
        const Verdict v = w.judge(make_false_entropy(link.claim, Reveal{}));
        EXPECT_TRUE(v == Verdict::ok() || v == Verdict(Reason::kAlreadySettled));
        for (std::uint8_t j = 0; j < kChunksPerLink; ++j) {
            EXPECT_NE(w.judge(w.accuse_opening(link, j)), Verdict::ok());
        }
    }
    EXPECT_TRUE(w.holds_part(BondPurpose::kStorage));
}

TEST(NobodyHonestPays, AProverWhoseRecordsAndRegistryAreLostSignsTheSameBytes) {
    HonestProver p;
    const SignedLink before = p.ask(tales()[0]).value();
    std::filesystem::remove(p.file);
    EXPECT_FALSE(LinkRecords::open(p.file)) << "a disk that is not mounted is no empty record";
    std::filesystem::remove(p.file.string() + ".begun");  // as its owner is told
    // Made again from the same final blocks: the facts of a height are those of its entries.
    p.world.open();
    p.truth = known_height(p.world, p.chain, before.opening.facts.height);
    EXPECT_EQ(p.ask(tales()[0]).value().receipt.encode(), before.receipt.encode());
}

TEST(NobodyHonestPays, ASetOfChainsRecordsBeforeItSignsABundle) {
    HonestProver p;
    const auto folder = p.chain.folder() / "set";
    const PublicKey key = p.chain.key().public_key();
    const LinkPlace place{p.truth.height, p.truth.block_hash, p.truth.anchor};
    const auto signs = [&](const char* name) {
        // Opened again each time, as after a kill.
        LinkSetRecords records = must(LinkSetRecords::open(folder, p.params.id(), key));
        const ChainLink link{p.chain.id(), Link(tagged_hash(name))};
        const Verdict v = must(records.record(place, {&link, 1})).at(0);
        EXPECT_EQ(records.sign(place, link, p.chain.key()).has_value(), v.accepted());
        return v;
    };
    EXPECT_EQ(signs("one"), Verdict::ok());
    EXPECT_EQ(signs("one"), Verdict::ok());
    EXPECT_EQ(signs("another"), Verdict(Reason::kBadLink)) << "told another y, it signs nothing";
}

// --- kind 3: sealing -----------------------------------------------------------------------------

TEST(NobodyHonestPays, AProverForWhatItSealed) {
    const NetworkParams params = offence_network();
    OffenceWorld w;
    const ForgedReplica honest(params, raw_chunks_of(kMinChunks, "sealed"), "sealed", seal_window,
                               0, Height(110), test_hash(Height(110)));
    ASSERT_EQ(w.world.judge_registration(honest.registration), Verdict::ok());
    const Digest holder = honest.chain_id;
    std::uint64_t deposits = 0;
    for (const std::uint64_t at : {std::uint64_t{0}, kUnsealedCell, std::uint64_t{255}}) {
        const Evidence evidence =
            make_bad_seal(honest.registration, CellIndex(at), OffenceWorld::cell(honest.raw, at),
                          honest.raw_tree.path(at), OffenceWorld::cell(honest.sealed, at),
                          honest.sealed_tree.path(at));
        EXPECT_EQ(w.judge(evidence), Verdict(Reason::kNoOffence));
        // Of another cell's bytes the path does not hold, and no fill is made.
        const Evidence other = make_bad_seal(
            honest.registration, CellIndex(at), OffenceWorld::cell(honest.raw, at),
            honest.raw_tree.path(at), OffenceWorld::cell(honest.sealed, (at + 1) % 256),
            honest.sealed_tree.path(at));
        EXPECT_NE(w.judge(other), Verdict::ok());
    }
    EXPECT_TRUE(must(w.world->part(BondPurpose::kStorage, holder)).has_value());
    for (const Decision& d : must(w.world->decisions(0, 100))) {
        if (d.kind == CaseKind::kDeposit && d.steps.at(0).kind == DecidedStep::Kind::kSlash) {
            ++deposits;
        }
    }
    EXPECT_EQ(deposits, 3U) << "who accuses falsely pays for the fill";
}

// --- kind 6: responses ---------------------------------------------------------------------------

TEST(NobodyHonestPays, AProverForItsResponsesWhateverYItIsTold) {
    OffenceWorld w;
    const std::vector<VdfOutput> told{test_y(w.height), VdfOutput(tagged_hash("false y"))};
    for (const VdfOutput& y : told) {
        const Challenge2 asked = w.challenge(y);
        auto chunks =
            challenged_chunks(w.params, w.network_id, y, w.chain.chain_id, asked.challenger,
                              asked.nonce, w.chain.registration.header.chunks);
        std::sort(chunks.begin(), chunks.end());
        Writer payload;
        std::vector<std::uint64_t> cells;
        for (const std::uint64_t chunk : chunks) {
            payload.raw({w.chain.sealed.data() + chunk * kChunkBytes, kChunkBytes});
            for (std::uint64_t i = 0; i < kCellsPerChunk; ++i) {
                cells.push_back(chunk * kCellsPerChunk + i);
            }
        }
        payload.digests(w.chain.sealed_tree.multiproof(cells));
        const Response answer =
            sign_response(asked.id(w.network_id), payload.take(), w.chain.key).value();
        for (const VdfOutput& shown : told) {
            EXPECT_NE(w.judge(make_bad_response(w.challenge(shown), answer)), Verdict::ok());
        }
        // Over a challenge that names no y.
        const Challenge old = make_challenge(w.network_id, w.chain.chain_id, w.height,
                                             test_hash(w.height), Reveal{}, w.accuser)
                                  .value();
        EXPECT_NE(w.judge(make_bad_response(
                      old, sign_response(old.id(w.network_id), Bytes(9, 1), w.chain.key).value())),
                  Verdict::ok());
    }
    EXPECT_TRUE(w.holds_part(BondPurpose::kStorage));
}

// --- kinds 4, 7, 8: the evaluator ----------------------------------------------------------------

TEST(NobodyHonestPays, AnEvaluatorForAProofThatItVerified) {
    OffenceWorld w;
    const VdfProof proof = w.vdf_proof(w.walk());
    for (std::uint32_t i = 0; i < w.params.vdf.checkpoints; ++i) {
        EXPECT_EQ(w.judge(make_bad_segment(proof, i)), Verdict(Reason::kNoOffence));
    }
    EXPECT_EQ(w.judge(make_false_end(proof, VdfEndEvidence::End::kOutput)),
              Verdict(Reason::kNoOffence));
    EXPECT_EQ(w.judge(make_false_end(proof, VdfEndEvidence::End::kStart)),
              Verdict(Reason::kNoOffence));
    EXPECT_TRUE(w.holds_part(BondPurpose::kEvaluator));
}

class HonestEvaluator : public ClockWorld {};

TEST_F(HonestEvaluator, DoesNotGuessWhichHeightAnEpochTakesItsSeedFrom) {
    // Height 2 is the source of epoch 1. The operator may leave its y out although the evaluator
    // knows it: a proof under the seed of 2 would then be evidence against whoever signed it.
    chain_.append(7);
    std::optional<bool> without;
    VdfClockOptions with = options();
    with.closed_without_y = [&](Height h) -> Result<std::optional<bool>> {
        return h == Height(2) ? without : std::optional(false);
    };
    VdfClock clock = open(with);
    const VdfClockReport early = must(clock.advance());
    EXPECT_EQ(must(clock.status()).heights_evaluated, 6U) << "0 to 5, the heights of epoch 0";
    ASSERT_FALSE(early.waiting.empty());
    EXPECT_EQ(early.waiting[0].height, Height(6));
    EXPECT_EQ(clock.at(Height(6)).error().code, ErrorCode::kUnavailable);
    EXPECT_FALSE(clock.proof(Height(6)));
    without = true;  // the digest of 2 has closed, and without y
    must(clock.advance());
    const EpochSeed second = epoch_seed(params_.id(), 1, plain_y(Height(1), first_epoch()));
    EXPECT_EQ(must(clock.at(Height(6))).y, plain_y(Height(6), second));
}

TEST(NobodyHonestPays, AnEvaluatorIsToldByTheRegistryWhatClosedWithoutY) {
    RegistryWorld world(patient_network());
    world.feed_to(Height(104));
    world.feed(false);
    world.feed();
    const auto asked = closed_without_y(world.registry());
    EXPECT_EQ(must(asked(Height(104))), std::optional(false));
    EXPECT_EQ(must(asked(Height(105))), std::nullopt) << "its digest has not closed";
    EXPECT_EQ(must(asked(Height(400))), std::nullopt);
    world.feed();
    world.flush();
    EXPECT_EQ(must(asked(Height(105))), std::optional(true));
}

// --- kinds 5 and 11: submitter and operator ------------------------------------------------------

TEST(NobodyHonestPays, ASubmitterAndAnOperatorForHeightsThatTheyAreToldTwoStoriesOf) {
    OffenceWorld w;
    TempFolder folder;
    const auto statement = [&](const KeyPair& key, Kind kind, ByteView bytes) {
        // A process of its own for each, as after a kill.
        SignedStatements file =
            must(SignedStatements::open(folder.path() / std::to_string(static_cast<int>(kind)),
                                        w.network_id, key.public_key()));
        return must(file.record(kind, w.height, test_hash(w.height), bytes)).accepted();
    };
    std::vector<Checkpoint> checkpoints;
    std::vector<JournalHead> heads;
    for (const char* story : {"one", "another", "one", "a third"}) {
        const Checkpoint c = w.checkpoint(GlobalDigest(tagged_hash("story", view(story))));
        Bytes body = c.encode();
        body.resize(body.size() - Signature::kSize);
        if (statement(w.submitter, Kind::kCheckpoint, body)) checkpoints.push_back(c);
        const JournalHead h = w.head(story);
        body = h.encode();
        body.resize(kHeadSignedBytes);
        if (statement(test_operator(), Kind::kHead, body)) heads.push_back(h);
    }
    ASSERT_EQ(checkpoints.size(), 2U) << "the same story twice";
    ASSERT_EQ(heads.size(), 2U);
    EXPECT_NE(w.judge(make_checkpoint_conflict(checkpoints[0], checkpoints[1])), Verdict::ok());
    EXPECT_NE(w.judge(make_head_conflict(heads[0], heads[1])), Verdict::ok());
    EXPECT_TRUE(w.holds_part(BondPurpose::kOperator));
}

TEST(NobodyHonestPays, ASubmitterForTheDigestsOfItsOwnRegistry) {
    // No slot of a registry's digest is another's: each pair of paths is of two chains.
    RegistryWorld world(patient_network());
    world.feed_to(Height(102));
    std::vector<std::unique_ptr<TestChain>> chains;
    for (std::uint64_t n = 0; n < 6; ++n) {
        chains.push_back(std::make_unique<TestChain>(world.params(), n, Height(101)));
        world.add(*chains.back());
    }
    world.flush();
    world.feed_to(world.tip() + world.params().seal_delay);
    for (const auto& c : chains) EXPECT_EQ(world.answer_duties(*c), 1U);
    world.feed_to(Height(112));
    const KeyPair key = KeyPair::from_secret(Bytes(32, 9));
    const Height h(110);
    const Checkpoint mine = must(build_checkpoint(world.registry(), h, BondId(), key));
    const KnownHeight known = must(world->known_height(h));
    const Court court(world);
    for (const auto& a : chains) {
        for (const auto& b : chains) {
            EXPECT_NE(court.reason(make_double_slot(mine, *known.y, *known.previous_global,
                                                    must(world->path(a->id(), h)),
                                                    must(world->path(b->id(), h)))),
                      Reason::kOk);
        }
    }
}

}  // namespace
}  // namespace holdfast::test
