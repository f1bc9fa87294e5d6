// A light client before honest, lying and disagreeing nodes.

#include "api/light_client.hpp"

#include <set>

#include "api/recorded_link.hpp"
#include "follow/public_source.hpp"
#include "proofs/checkpoint.hpp"
#include "unit/api/node_fixture.hpp"

namespace holdfast::test {
namespace {

class LightClients : public Node {
  protected:
    void SetUp() override {
        params_.checkpoint_blocks = 4;
        Node::SetUp();
        new_blocks(4);
        registration_ = seal_and_register("a", 1, 100'000);
        chain_id_ = registration_.chain_id(params_.id());
        clock_.emplace(clock(key_of(9)));
        node_.emplace(aggregator(*clock_));
        prover_.emplace(value_of(Prover::open(params_, files("a"), registration_, key_of(1))));
        run(36);
        PublicSourceHooks hooks;
        hooks.head = [this](Height h) -> Result<JournalHead> {
            if (!headless_.contains(h)) return node_->head(h);
            return fail(ErrorCode::kNotFound, "no head, for ever");
        };
        hooks.output_proof = [this](Height h) { return clock_->proof(h); };
        hooks.ask_prover = [this](const PublicKey& key, ByteView message) {
            EXPECT_EQ(key, key_of(1).public_key());
            return answer_of_prover(message);
        };
        source_.emplace(node_->registry(), *chain_, std::move(hooks));
    }
    void TearDown() override {
        source_.reset();
        prover_.reset();
        node_.reset();
        clock_.reset();
        Node::TearDown();
    }
    void run(std::uint64_t blocks) {
        Prover* const provers[] = {&*prover_};
        for (std::uint64_t i = 0; i < blocks; ++i) {
            new_blocks(1);
            for (BlockReport& report : advance_all(*node_, provers)) {
                for (const BlockFault& fault : report.faults) ADD_FAILURE() << fault.error.message;
                for (const MadeProof& made : report.proofs) proofs_[made.height] = made.object;
            }
        }
    }
    Result<Bytes> answer_of_prover(ByteView message) {
        const auto question = decode_question(message);
        const auto& q = std::get<RecordedLinkQuestion>(std::get<PublicQuestion>(*question));
        ++proofs_made_;
        Result<AnyProof> proof = prove_recorded(
            *prover_, {q.chain_id,
                       {q.height, q.block_hash, q.y, q.anchor, q.link_before, q.reveal_base},
                       q.y_compact,
                       q.path});
        if (!proof) return encode_answer(FollowRefused{proof.error().verdict.reason});
        return encode_answer(PublicAnswer(PublicLinkProof{std::move(*proof)}));
    }

    /// What the node answers, changed by whoever lies.
    using Lie = std::function<void(FollowAnswer& answer)>;
    LightNode node(const std::string& name, Lie lie = {}) {
        return {name, [this, lie](ByteView message) -> Result<Bytes> {
                    const auto question = decode_question(message);
                    if (!question) return fail_refused(question.error(), "question");
                    Result<FollowAnswer> answer = honest(*question);
                    if (!answer) return fail(answer.error());
                    if (lie) lie(*answer);
                    return encode_answer(*answer);
                }};
    }
    Result<FollowAnswer> honest(const FollowQuestion& question) {
        if (std::holds_alternative<TipQuestion>(question)) {
            const Height tip = *value_of(node_->registry().tip());
            HOLDFAST_ASSIGN(block, chain_->block_by_height(tip));
            return FollowTip{tip, block.hash, block.time_ms};
        }
        if (const auto* q = std::get_if<OutputQuestion>(&question)) {
            HOLDFAST_ASSIGN(block, chain_->block_by_height(q->height));
            HOLDFAST_ASSIGN(proof, clock_->proof(q->height));
            return FollowOutput{block, std::nullopt, wrap_object(Kind::kVdfProof, proof.encode()),
                                std::nullopt};
        }
        return source_->answer(std::get<PublicQuestion>(question));
    }
    std::unique_ptr<LightClient> client(std::vector<LightNode> nodes, LightY how = LightY::kSpot,
                                        const std::filesystem::path& cache = {}) {
        LightOptions options;
        options.outputs.how = how;
        options.outputs.segments = 2;
        options.cache = cache;
        return value_of(LightClient::open(params_, std::move(nodes), options));
    }
    /// A height of which a compact proof counts.
    Height compact_height() const {
        for (const auto& [height, object] : proofs_) {
            if (*peek_kind(object) == Kind::kCompact) return height;
        }
        ADD_FAILURE() << "no compact proof";
        return Height(0);
    }

    /// A liar beside an honest node is named, and the answer is right; alone it gives none.
    void expect_caught(const char* what, const Lie& lie, LightY how = LightY::kSpot) {
        SCOPED_TRACE(what);
        const auto both = client({node("liar", lie), node("honest")}, how);
        const Result<LightReport> report = both->verify_link(chain_id_, compact_height());
        ASSERT_TRUE(report) << report.error().message;
        EXPECT_TRUE(report->judged.verdict) << to_string(report->judged.verdict);
        ASSERT_EQ(both->faults().size(), 1U);
        EXPECT_EQ(both->faults()[0].node, "liar");
        EXPECT_TRUE(both->faults()[0].lied) << both->faults()[0].why;
        for (const std::string& one : report->rests_on) {
            EXPECT_EQ(one.find("liar"), std::string::npos) << one;
        }
        const auto alone = client({node("liar", lie)}, how);
        const Result<LightReport> none = alone->verify_link(chain_id_, compact_height());
        ASSERT_FALSE(none);
        EXPECT_EQ(none.error().code, ErrorCode::kRefused) << none.error().message;
        EXPECT_NE(none.error().message.find("liar lies: "), std::string::npos)
            << none.error().message;
    }
    template <class T>
    static Lie about(const std::function<void(T&)>& change) {
        return [change](FollowAnswer& answer) {
            auto* data = std::get_if<PublicAnswer>(&answer);
            if (auto* said = data ? std::get_if<T>(data) : nullptr) change(*said);
        };
    }
    static Lie about_heights(const std::function<void(PublicHeightFacts&)>& change) {
        return about<PublicHeights>([change](PublicHeights& said) {
            for (PublicHeightFacts& one : said.heights) change(one);
        });
    }

    Registration registration_;
    ChainId chain_id_;
    std::optional<VdfClock> clock_;
    std::optional<Aggregator> node_;
    std::optional<Prover> prover_;
    std::optional<PublicSource> source_;
    std::map<Height, Bytes> proofs_;
    int proofs_made_ = 0;
    std::set<Height> headless_;  // heights for which the node has signed nothing
};

TEST_F(LightClients, AProofIsFetchedAndVerifiedFromParametersAndAnAddressAlone) {
    for (const LightY how : {LightY::kSpot, LightY::kFull, LightY::kNone}) {
        const auto light = client({node("n")}, how);
        const LightReport report = value_of(light->verify_link(chain_id_, compact_height()));
        EXPECT_TRUE(report.judged.verdict) << to_string(report.judged.verdict);
        EXPECT_EQ(report.judged.kind, Kind::kCompact);
        EXPECT_EQ(report.object, proofs_.at(compact_height()));
        EXPECT_TRUE(light->faults().empty());
        EXPECT_LE(light->traffic().bytes_fetched, 64U * 1024);
        const auto says = [&](const char* words) {
            return std::any_of(
                report.rests_on.begin(), report.rests_on.end(),
                [&](const std::string& one) { return one.find(words) != std::string::npos; });
        };
        EXPECT_TRUE(says("the operator's signature"));
        EXPECT_EQ(says("not refuted by 2 of 4 segments"), how == LightY::kSpot);
        EXPECT_EQ(says("not checked"), how == LightY::kNone);
    }
    EXPECT_EQ(proofs_made_, 1) << "the node keeps the newest proofs";
}

TEST_F(LightClients, EveryKindOfObjectIsJudgedWithWhatIsFetchedForIt) {
    const auto light = client({node("a"), node("b")});
    ProofWindow window;
    for (const auto& [height, object] : proofs_) {
        if (window.links.size() == 3) break;
        const ByteView body = ByteView(object).subspan(2);
        if (*peek_kind(object) == Kind::kCompact) {
            window.links.emplace_back(*Compact::decode(body));
        } else {
            window.links.emplace_back(*Full::decode(body));
        }
        EXPECT_TRUE(value_of(light->verify(object)).judged.verdict) << height.value;
    }
    const Height h = compact_height();
    const Receipt receipt = receipt_of(window.links[0]);
    const PathProof path = value_of(node_->registry().path(chain_id_, h));
    const JournalHead head = value_of(node_->head(h));
    const std::pair<Bytes, VerifyHints> objects[] = {
        {wrap_object(Kind::kWindow, window.encode()), {}},
        {wrap_object(Kind::kReceipt, receipt.encode()), {chain_id_, std::nullopt}},
        {wrap_object(Kind::kPath, path.encode()), {std::nullopt, h}},
        {wrap_object(Kind::kRegistration, registration_.encode()), {}},
        {wrap_object(Kind::kHead, head.encode()), {}},
    };
    for (const auto& [object, hints] : objects) {
        const Result<LightReport> report = light->verify(object, hints);
        ASSERT_TRUE(report) << report.error().message;
        EXPECT_TRUE(report->judged.verdict)
            << to_string(report->judged.kind) << ": " << to_string(report->judged.verdict);
        // A flipped bit of the body is refused, and no node is blamed for it.
        Bytes other = object;
        other[other.size() - 3] ^= 4;
        const Result<LightReport> flipped = light->verify(other, hints);
        if (flipped) {
            EXPECT_FALSE(flipped->judged.verdict) << to_string(flipped->judged.kind);
        }
    }
    EXPECT_TRUE(light->faults().empty());
}

TEST_F(LightClients, ANumberOfChainsInACheckpointIsProvenByItsDigest) {
    const Height h(16);
    const BlockRecord block = *value_of(node_->registry().block(h));
    const auto judged = [&](std::uint64_t total) {
        const Checkpoint of = make_checkpoint(params_.id(), h, block.hash, block.global, total,
                                              BondId(tagged_hash("bond")), key_of(7))
                                  .value();
        return value_of(client({node("n")})->verify(wrap_object(Kind::kCheckpoint, of.encode())));
    };
    const LightReport report = judged(block.counts.total);
    ASSERT_TRUE(report.judged.total);
    EXPECT_TRUE(report.judged.verdict);
    EXPECT_TRUE(report.judged.total->proven);
    EXPECT_EQ(judged(block.counts.total + 1).judged.verdict.reason, Reason::kGlobalMismatch);
}

TEST_F(LightClients, ANodeThatLiesIsNamedAndTheOthersAreAsked) {
    const Height h = compact_height();
    const Height draw = compact_draw_height(params_, h);
    expect_caught("y", about_heights([h](PublicHeightFacts& one) {
                      if (one.block.height == h && one.y) one.y->bytes[3] ^= 1;
                  }));
    expect_caught("y that draws", about_heights([draw](PublicHeightFacts& one) {
                      if (one.block.height == draw && one.y) one.y->bytes[3] ^= 1;
                  }));
    expect_caught("a digest", about_heights([h](PublicHeightFacts& one) {
                      if (one.block.height == h && one.global) one.global->bytes[0] ^= 1;
                  }));
    expect_caught("a digest without its parts", about_heights([h](PublicHeightFacts& one) {
                      if (one.block.height == h && one.global) one.global->bytes[0] ^= 1;
                      one.parts.reset();
                  }));
    expect_caught("a block", about_heights([h](PublicHeightFacts& one) {
                      if (one.block.height == h) one.block.hash.bytes[0] ^= 1;
                  }));
    expect_caught("all blocks, each with its parent", about_heights([](PublicHeightFacts& one) {
                      one.block.hash.bytes[0] ^= 1;
                      one.block.parent.bytes[0] ^= 1;
                      one.parts.reset();
                  }));
    expect_caught("a registration", about<PublicChainFacts>([](PublicChainFacts& said) {
                      said.registration.sealed_root.bytes[0] ^= 1;
                  }));
    expect_caught("a reveal", about<PublicChainFacts>([](PublicChainFacts& said) {
                      said.reveals = {{said.registration.genesis_height, {3, Reveal{}}}};
                  }));
    expect_caught("a head",
                  about<PublicHead>([](PublicHead& said) { said.head.signature.bytes[0] ^= 1; }));
    expect_caught("a proof", about<PublicLinkProof>([](PublicLinkProof& said) {
                      std::get<Compact>(said.proof).cell.bytes[0] ^= 1;
                  }));
    expect_caught("a path", about<PublicLinkProof>([](PublicLinkProof& said) {
                      std::get<Compact>(said.proof).status = ChainStatus::kLate;
                  }));
    expect_caught("a segment", about<PublicSegments>([](PublicSegments& said) {
                      for (VdfSegment& one : said.segments) one.d_i1.bytes[0] ^= 1;
                  }));
    expect_caught("another proof of y",
                  about<PublicSegments>([](PublicSegments& said) { said.output.y.bytes[0] ^= 1; }));
}

TEST_F(LightClients, AFullCheckOfYCatchesWhatLedToIt) {
    const auto lie = [](FollowAnswer& answer) {
        auto* said = std::get_if<FollowOutput>(&answer);
        if (said == nullptr) return;
        const VdfProof honest = *VdfProof::decode(ByteView(said->proof).subspan(2));
        std::vector<Digest> checkpoints = honest.checkpoints;
        checkpoints[2].bytes[0] ^= 1;  // signed all the same
        const VdfProof false_proof =
            make_vdf_proof(honest.params, small_network().id(), honest.height, honest.input,
                           std::move(checkpoints), key_of(9))
                .value();
        said->proof = wrap_object(Kind::kVdfProof, false_proof.encode());
    };
    expect_caught("a segment of the whole proof", lie, LightY::kFull);
}

TEST_F(LightClients, WhereTwoNodesDifferOnWhatNobodyCanCheckNothingIsDecided) {
    // y that draws the compact index stands in no closed digest yet.
    const Height tip = *value_of(node_->registry().tip());
    const Height h = tip - (1 + params_.link_lag + params_.finality_blocks);
    const Lie other = about_heights([tip](PublicHeightFacts& one) {
        if (one.block.height == tip && one.y) one.y->bytes[0] ^= 1;
    });
    const auto blind = client({node("a"), node("b", other)}, LightY::kNone);
    const Bytes& object = proofs_.contains(h) ? proofs_.at(h) : proofs_.rbegin()->second;
    ASSERT_EQ(*peek_kind(object), Kind::kCompact);
    const Result<LightReport> report = blind->verify(object);
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, ErrorCode::kUnavailable);
    EXPECT_NE(report.error().message.find("a and b differ: y of height"), std::string::npos)
        << report.error().message;
    // Where y is checked, it is decided, and by name.
    const auto sees = client({node("a"), node("b", other)});
    EXPECT_TRUE(value_of(sees->verify(object)).judged.verdict);
    ASSERT_EQ(sees->faults().size(), 1U);
    EXPECT_EQ(sees->faults()[0].node, "b");
}

/// Every question and answer of a verification, as bytes.
TEST_F(LightClients, NoBitOfAMessageIsLeftToChance) {
    std::vector<Bytes> questions;
    std::vector<Bytes> answers;
    const LightNode plain = node("n");
    const LightNode heard{"n", [&](ByteView message) {
                              Result<Bytes> answer = plain.ask(message);
                              questions.emplace_back(message.begin(), message.end());
                              answers.push_back(value_of(answer));
                              return answer;
                          }};
    const auto light = client({heard});
    value_of(light->verify_link(chain_id_, compact_height()));
    value_of(light->leaf(chain_id_, compact_height()));
    ASSERT_GE(answers.size(), 8U);
    const auto holds = [](const Bytes& bytes, const auto& decode, const auto& encode) {
        ASSERT_TRUE(decode(bytes)) << to_hex(bytes);
        for (std::size_t n = 0; n < bytes.size(); ++n) {
            ASSERT_FALSE(decode(ByteView(bytes).first(n))) << n << " of " << to_hex(bytes);
        }
        for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
            Bytes other = bytes;
            other[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
            if (const auto taken = decode(other)) {
                ASSERT_EQ(encode(*taken), other) << bit;
            }
        }
    };
    for (const Bytes& q : questions) {
        holds(
            q, [](ByteView b) { return decode_question(b); },
            [](const FollowQuestion& v) { return encode_question(v); });
    }
    for (const Bytes& a : answers) {
        holds(
            a, [](ByteView b) { return decode_answer(b); },
            [](const FollowAnswer& v) { return encode_answer(v); });
    }
    // With a bit flipped on the way the proof that is accepted is the same, or there is none.
    std::uint64_t x = 1;
    int accepted = 0;
    for (int round = 0; round < 200; ++round) {
        x = x * 6'364'136'223'846'793'005U + 1'442'695'040'888'963'407U;
        std::size_t left = (x >> 33) % answers.size();
        const std::uint64_t where = x >> 17;
        const LightNode noisy{"n", [&](ByteView message) -> Result<Bytes> {
                                  HOLDFAST_ASSIGN(answer, plain.ask(message));
                                  if (left-- == 0) {
                                      const std::size_t bit = where % (8 * answer.size());
                                      answer[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
                                  }
                                  return answer;
                              }};
        const auto report = client({noisy})->verify_link(chain_id_, compact_height());
        if (!report) continue;
        ++accepted;
        ASSERT_TRUE(report->judged.verdict);
        ASSERT_EQ(report->object, proofs_.at(compact_height())) << round;
    }
    EXPECT_LT(accepted, 150);
}

TEST_F(LightClients, PagesThatNeverEndAreRefused) {
    const Lie empty = about<PublicHeights>([](PublicHeights& said) {
        said.heights.clear();
        said.more = true;
    });
    const Lie again = about<PublicChainFacts>([](PublicChainFacts& said) { said.more = true; });
    for (const Lie& lie : {empty, again}) {
        const auto light = client({node("endless", lie)});
        const Result<LightReport> report = light->verify_link(chain_id_, compact_height());
        ASSERT_FALSE(report);
        EXPECT_EQ(report.error().code, ErrorCode::kRefused) << report.error().message;
        EXPECT_LE(light->traffic().requests, 16U);
    }
}

TEST_F(LightClients, ANodeThatIsAwayIsLeftOutAndNamed) {
    const LightNode away{"away", [](ByteView) -> Result<Bytes> {
                             return fail(ErrorCode::kUnavailable, "not connected: refused");
                         }};
    const auto light = client({away, node("here")});
    EXPECT_TRUE(value_of(light->verify_link(chain_id_, compact_height())).judged.verdict);
    ASSERT_FALSE(light->faults().empty());
    EXPECT_EQ(light->faults()[0].node, "away");
    EXPECT_FALSE(light->faults()[0].lied);
    const Result<FollowTip> none = client({away})->tip();
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, ErrorCode::kUnavailable);
}

TEST_F(LightClients, WhatIsInTheCacheIsNotFetchedAgain) {
    const std::filesystem::path cache = dir_ / "cache";
    const Bytes object = proofs_.at(compact_height());
    const auto first = client({node("n")}, LightY::kSpot, cache);
    EXPECT_TRUE(value_of(first->verify(object)).judged.verdict);
    const auto second = client({node("n")}, LightY::kSpot, cache);
    EXPECT_TRUE(value_of(second->verify(object)).judged.verdict);
    EXPECT_LT(second->traffic().bytes_fetched, first->traffic().bytes_fetched / 2);
    // A node that contradicts it is caught.
    const auto third = client({node("liar", about_heights([](PublicHeightFacts& one) {
                                        one.block.hash.bytes[0] ^= 1;
                                        one.block.parent.bytes[0] ^= 1;
                                        one.parts.reset();
                                    }))},
                              LightY::kSpot, cache);
    const Result<LightReport> other = third->verify(proofs_.rbegin()->second);
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().code, ErrorCode::kRefused);
    // Damage is an error with what to do, and another network's cache is refused.
    Bytes damaged = value_of(read_stored_file(cache / "checked", 1U << 20));
    damaged.resize(damaged.size() - 1);
    succeed(write_file(cache / "checked", damaged, true));
    LightOptions options;
    options.cache = cache;
    const auto broken = LightClient::open(params_, {node("n")}, options);
    ASSERT_FALSE(broken);
    EXPECT_EQ(broken.error().code, ErrorCode::kCorrupt);
    NetworkParams elsewhere = params_;
    elsewhere.name = "elsewhere";
    const auto foreign = LightClient::open(elsewhere, {node("n")}, options);
    ASSERT_FALSE(foreign);
    EXPECT_EQ(foreign.error().verdict.reason, Reason::kWrongNetwork);
}

TEST_F(LightClients, ALeafIsShownWithItsPathAndAChainWithoutOneIsSaidToHaveNone) {
    const auto light = client({node("n")});
    const LightLeaf shown = value_of(light->leaf(chain_id_, compact_height()));
    ASSERT_TRUE(shown.leaf);
    EXPECT_EQ(shown.leaf->link_height, compact_height());
    EXPECT_EQ(shown.leaf->status, ChainStatus::kActive);
    EXPECT_FALSE(value_of(light->leaf(ChainId(tagged_hash("x", 1U)), compact_height())).leaf);
    const auto lied = client({node("liar", about<PublicPath>([](PublicPath& said) {
                                       said.path.leaf.status = ChainStatus::kExpired;
                                   })),
                              node("honest")});
    EXPECT_EQ(value_of(lied->leaf(chain_id_, compact_height())).leaf->status, ChainStatus::kActive);
    ASSERT_EQ(lied->faults().size(), 1U);
    EXPECT_TRUE(lied->faults()[0].lied);
}

TEST_F(LightClients, HeightsThatATakeOverLeftWithoutAHeadAreCoveredByTheNextOne) {
    const Height h = compact_height();
    headless_ = {h - 1, h, h + 1, h + 2};
    const auto light = client({node("n")});
    EXPECT_EQ(value_of(light->leaf(chain_id_, h)).leaf->link_height, h);
    EXPECT_TRUE(value_of(light->verify_link(chain_id_, h)).judged.verdict);
    EXPECT_EQ(value_of(light->leaf(chain_id_, h + 1)).leaf->link_height, h + 1);
    EXPECT_TRUE(light->faults().empty());
    // A false digest on the way is no way.
    const Lie lie = about_heights([&](PublicHeightFacts& said) {
        if (said.block.height == h + 2 && said.global) said.global->bytes[0] ^= 1;
    });
    const auto lied = client({node("liar", lie)});
    EXPECT_FALSE(lied->leaf(chain_id_, h));
    // Where no head has come yet, it is waited for.
    const Height closed = *value_of(node_->registry().closed());
    for (Height at = h; at <= closed; at = at + 1) headless_.insert(at);
    const auto early = client({node("n")})->leaf(chain_id_, h);
    ASSERT_FALSE(early);
    EXPECT_EQ(early.error().code, ErrorCode::kUnavailable) << early.error().message;
}

TEST_F(LightClients, AProverProvesWhatIsOnRecordAndNeverMakesASecondLink) {
    const Height h = compact_height();
    const KnownHeight known = value_of(node_->registry().known_height(h, chain_id_));
    const KnownChain chain = value_of(node_->registry().known_chain(chain_id_, h));
    RecordedLink link{
        chain_id_,
        {h, known.block_hash, *known.y, known.anchor, *known.link_before, chain.reveals->base},
        known.y_compact,
        value_of(node_->registry().path(chain_id_, h))};
    const std::uint64_t before = prover_->records().size();
    const AnyProof proof = value_of(prove_recorded(*prover_, link));
    EXPECT_EQ(wrap_object(kind_of(proof), encode_body(proof)), proofs_.at(h));
    const auto refused = [&](RecordedLink changed, Reason reason) {
        const Result<AnyProof> made = prove_recorded(*prover_, changed);
        ASSERT_FALSE(made);
        EXPECT_EQ(made.error().verdict.reason, reason) << made.error().message;
    };
    RecordedLink other = link;
    other.request.y.bytes[0] ^= 1;
    refused(other, Reason::kBadLink);
    other = link;
    other.request.link_before.bytes[0] ^= 1;
    refused(other, Reason::kBadLink);
    other = link;
    other.request.anchor.bytes[0] ^= 1;
    refused(other, Reason::kTooLate);
    other = link;
    other.request.height = h + 1'000;
    refused(other, Reason::kTooLate);
    other = link;
    other.chain_id.bytes[0] ^= 1;
    refused(other, Reason::kUnknownChain);
    EXPECT_EQ(prover_->records().size(), before);
    // Where the compact index is not drawn yet, all cells are opened.
    other = link;
    other.y_compact.reset();
    EXPECT_EQ(kind_of(value_of(prove_recorded(*prover_, other))), Kind::kFull);
}

TEST_F(LightClients, GarbageOfAProverIsNotTheNodesWord) {
    PublicSourceHooks hooks;
    Bytes reply;
    hooks.ask_prover = [&](const PublicKey&, ByteView) -> Result<Bytes> {
        if (reply.empty()) return fail(ErrorCode::kUnavailable, "not connected");
        return reply;
    };
    PublicSource source(node_->registry(), *chain_, std::move(hooks));
    const auto asked = [&](const ChainId& id, Height h) {
        return value_of(source.answer(LinkProofQuestion{id, h}));
    };
    const Height h = compact_height();
    const auto refused = [](Reason reason) { return FollowAnswer(FollowRefused{reason}); };
    EXPECT_EQ(asked(chain_id_, h), refused(Reason::kBusy));
    reply = Bytes(20, 1);
    EXPECT_EQ(asked(chain_id_, h), refused(Reason::kBadKind));
    Compact compact = *Compact::decode(ByteView(proofs_.at(h)).subspan(2));
    compact.cell.bytes[0] ^= 1;
    reply = encode_answer(PublicAnswer(PublicLinkProof{AnyProof(compact)}));
    EXPECT_EQ(asked(chain_id_, h), refused(Reason::kSealedMismatch));
    EXPECT_EQ(asked(ChainId(tagged_hash("x", 1U)), h), refused(Reason::kUnknownChain));
    EXPECT_EQ(asked(chain_id_, h + 1'000), refused(Reason::kTooEarly));
    EXPECT_EQ(asked(chain_id_, Height(1)), refused(Reason::kNotInDigest));
    compact.cell.bytes[0] ^= 1;
    reply = encode_answer(PublicAnswer(PublicLinkProof{AnyProof(compact)}));
    EXPECT_EQ(asked(chain_id_, h), FollowAnswer(PublicAnswer(PublicLinkProof{AnyProof(compact)})));
    reply.clear();
    EXPECT_EQ(asked(chain_id_, h), FollowAnswer(PublicAnswer(PublicLinkProof{AnyProof(compact)})));
}

}  // namespace
}  // namespace holdfast::test
