// What a node says provers owe, and how it takes what they hand over: lists of one key in pages,
// nodes that lie, peers that hand over garbage.

#include <gtest/gtest.h>

#include <algorithm>

#include "follow/duty_client.hpp"
#include "follow/service.hpp"
#include "support/follow_world.hpp"

namespace holdfast::test {
namespace {

const PublicKey kHostKey = KeyPair::from_secret(view(tagged_hash("test/host"))).public_key();

/// A registry with chains of two keys, the node that tells of it, and a prover that asks.
class Duties : public testing::Test {
  protected:
    Duties()
        : world_(short_network()),
          node_([this](ByteView message) { return carry(message); }),
          client_(node_, network_id(), kHostKey, {.page_chains = 3}) {
        world_.feed_to(Height(kShortGenesis + 1));
        for (std::uint64_t i = 0; i < 7; ++i) add(mine_, i);
        for (std::uint64_t i = 7; i < 9; ++i) add(theirs_, i);
        (void)world_.registry();
    }
    NetworkId network_id() const { return short_network().id(); }

    void add(const KeyPair& key, std::uint64_t n) {
        Registration r = TestChain(world_.params(), n, Height(kShortGenesis)).registration();
        r.header.prover = key.public_key();
        const Registration made = sign_registration(network_id(), r, key).value();
        world_.list_registration(made);
        chains_[key.public_key()].push_back(made.chain_id(network_id()));
        std::sort(chains_[key.public_key()].begin(), chains_[key.public_key()].end());
    }
    void seal_all() {
        world_.feed_to(world_.tip() + world_.params().seal_delay);
        for (const auto& [key, chains] : chains_) {
            for (const ChainId& id : chains) EXPECT_EQ(world_.answer_duties(id), 1U);
        }
        // Until their slots stand in a digest.
        world_.feed_to(world_.tip() + world_.params().closing_blocks() + 1);
    }
    FollowService& service() {
        (void)world_.registry();  // the block that is held back until somebody looks
        if (!service_) {
            FollowSource source = follow_source(world_.registry(), chain_);
            // What a host chain would say besides is not asked for here.
            source.facts = [](Height h) -> Result<FollowFacts> {
                FollowFacts facts;
                facts.block = {h, test_hash(h), test_hash(h - 1), 0, true};
                return facts;
            };
            source.hand_over = [this](const PublicKey&, ByteView message,
                                      std::span<const ByteView> objects) -> Result<HandedOvers> {
                HandedOvers out;
                for (std::size_t i = 0; i < objects.size(); ++i) {
                    out.objects.push_back({verdict_, {}, {}});
                    if (verdict_ == Reason::kOk) out.objects.back().entry = i;
                }
                if (verdict_ != Reason::kOk) return out;
                out.acknowledgement = make_acknowledgement(network_id(), message, Height(9),
                                                           test_hash(Height(9)), host_)
                                          .value();
                return out;
            };
            service_.emplace(std::move(source), chain_, [this] { return now_ns_; }, options_);
        }
        must(service_->refresh());
        return *service_;
    }
    Result<Bytes> carry(ByteView message) {
        ++asked_;
        Result<Bytes> answer = service().handle(mine_.public_key(), message);
        if (!answer || !falsify_) return answer;
        FollowAnswer said = FollowWorld::must_decode(*answer);
        falsify_(said);
        return encode_answer(said);
    }
    const std::vector<ChainId>& of(const KeyPair& key) { return chains_[key.public_key()]; }
    template <class T>
    static std::vector<ChainId> ids(const std::vector<T>& list) {
        std::vector<ChainId> out;
        for (const T& one : list) out.push_back(one.chain_id);
        return out;
    }

    const KeyPair mine_ = KeyPair::from_secret(view(tagged_hash("test/mine")));
    const KeyPair theirs_ = KeyPair::from_secret(view(tagged_hash("test/theirs")));
    const KeyPair host_ = KeyPair::from_secret(view(tagged_hash("test/host")));
    RegistryWorld world_;
    PickyChain chain_;
    std::map<PublicKey, std::vector<ChainId>> chains_;
    FollowServiceOptions options_;
    std::uint64_t now_ns_ = 1;
    Reason verdict_ = Reason::kOk;
    std::optional<FollowService> service_;
    std::function<void(FollowAnswer&)> falsify_;
    int asked_ = 0;
    FollowClient node_;
    DutyClient client_;
};

TEST_F(Duties, ListsAreOfOneKeyWholeAndComeInPages) {
    asked_ = 0;
    const auto chains = must(client_.chains_of(mine_.public_key()));
    EXPECT_EQ(asked_, 3);  // of 3, 3 and 1
    EXPECT_EQ(ids(chains), of(mine_));
    for (const FollowedChain& c : chains) EXPECT_EQ(c.phase, ChainPhase::kPending);
    EXPECT_EQ(ids(must(client_.chains_of(theirs_.public_key()))), of(theirs_));
    EXPECT_TRUE(must(client_.chains_of(host_.public_key())).empty());
    EXPECT_EQ(ids(must(client_.seal_duties(mine_.public_key()))), of(mine_));

    seal_all();
    EXPECT_TRUE(must(client_.seal_duties(mine_.public_key())).empty());
    const DutyHeights heights = must(client_.heights());
    EXPECT_EQ(heights.tip, world_.tip());
    EXPECT_EQ(heights.closed, world_.closed());
    ASSERT_FALSE(heights.open.empty());
    const DutyHeight open = heights.open.back();
    EXPECT_EQ(open.block_hash, test_hash(open.height));
    EXPECT_EQ(open.anchor, must(world_->anchor(open.height)));
    EXPECT_TRUE(open.has_y);
    EXPECT_EQ(open.last_tip, open.height + world_.params().link_lag);
    const auto links = must(client_.due_links(mine_.public_key(), open.height));
    EXPECT_EQ(ids(links), of(mine_));
    const auto direct = must(world_->due_links(open.height, [&](const ChainId& id) {
        return std::binary_search(of(mine_).begin(), of(mine_).end(), id);
    }));
    EXPECT_EQ(links, direct);

    // Of three of them links stand, and after closing their proofs are due.
    std::vector<BundleEntry> members;
    for (std::size_t i = 1; i < 7; i += 2) {
        members.push_back({of(mine_)[i], Link(tagged_hash("test/link", i))});
    }
    const Bundle bundle =
        make_bundle(network_id(), open.block_hash, open.height, open.anchor, members, mine_)
            .value();
    EXPECT_TRUE(world_.accept(wrap_object(Kind::kBundle, bundle.encode())).entry.has_value());
    EXPECT_EQ(must(client_.due_links(mine_.public_key(), open.height)).size(), 4U);
    EXPECT_EQ(client_.due_proofs(mine_.public_key(), open.height).error().code,
              ErrorCode::kNotFound);
    world_.feed_to(open.height + world_.params().closing_blocks());
    EXPECT_EQ(client_.due_links(mine_.public_key(), open.height).error().code,
              ErrorCode::kNotFound);
    const auto proofs = must(client_.due_proofs(mine_.public_key(), open.height));
    ASSERT_EQ(proofs.size(), 3U);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(proofs[i].chain_id, members[i].chain_id);
        EXPECT_EQ(proofs[i].link, members[i].link);
    }
    const DutyHeights later = must(client_.heights());
    EXPECT_EQ(later.proven.back().height, *later.closed);
    EXPECT_TRUE(must(client_.due_proofs(theirs_.public_key(), open.height)).empty());
}

TEST_F(Duties, WhoseChainsAreWhoseIsKnownAfterARestartAndToldWithTheRegistration) {
    service_.reset();
    world_.open();
    EXPECT_EQ(ids(must(client_.chains_of(mine_.public_key()))), of(mine_));
    const ChainId& id = of(theirs_)[0];
    const auto registration = must(client_.registration(id));
    ASSERT_TRUE(registration.has_value());
    EXPECT_EQ(registration->header.prover, theirs_.public_key());
    EXPECT_FALSE(must(client_.registration(follow_id<ChainId>(5, "nobody"))).has_value());
    falsify_ = [&](FollowAnswer& a) {
        auto& said = std::get<RegistrationFound>(a);
        said.chain_id = of(mine_)[0];
    };
    EXPECT_EQ(client_.registration(id).error().verdict.reason, Reason::kWrongChain);
}

TEST_F(Duties, ANodeThatLiesAboutAListIsRefused) {
    struct ListLie {
        const char* name;
        std::function<void(OwnedChains&)> tell;
        Reason reason;
    };
    const std::vector<ListLie> lies{
        {"another key", [&](OwnedChains& c) { c.key = theirs_.public_key(); },
         Reason::kWrongProver},
        {"chains that were told", [&](OwnedChains& c) { c.page.found[0].chain_id = of(mine_)[0]; },
         Reason::kNotCanonical},
        {"a page that does not go on",
         [&](OwnedChains& c) {
             c.page.found.clear();
             c.page.more = ChainId{};
         },
         Reason::kNotCanonical},
    };
    for (const ListLie& lie : lies) {
        falsify_ = [&, n = 0](FollowAnswer& a) mutable {
            if (++n > 1) lie.tell(std::get<OwnedChains>(a));
        };
        const auto refused = client_.chains_of(mine_.public_key());
        ASSERT_FALSE(refused.has_value()) << lie.name;
        EXPECT_EQ(refused.error().verdict.reason, lie.reason) << lie.name;
    }
    falsify_ = nullptr;
    seal_all();
    const Height open = must(client_.heights()).open.back().height;
    falsify_ = [](FollowAnswer& a) { ++std::get<LinksDue>(a).height; };
    EXPECT_EQ(client_.due_links(mine_.public_key(), open).error().verdict.reason,
              Reason::kWrongHeight);
    falsify_ = [](FollowAnswer& a) {
        std::get<DutyHeights>(a).open.back().block_hash = test_hash(Height(1));
    };
    EXPECT_EQ(client_.heights().error().verdict.reason, Reason::kWrongBlock);
}

TEST_F(Duties, AListWithoutAnEndIsRefused) {
    DutyClient small(node_, network_id(), kHostKey, {.page_chains = 3, .max_chains = 30});
    falsify_ = [n = std::uint8_t{0}](FollowAnswer& a) mutable {
        auto& said = std::get<OwnedChains>(a);
        said.page.found.clear();
        said.page.more = ChainId{};
        said.page.more->bytes[0] = ++n;
    };
    asked_ = 0;
    EXPECT_EQ(small.chains_of(mine_.public_key()).error().verdict.reason, Reason::kTooLarge);
    EXPECT_EQ(asked_, 10);
}

TEST_F(Duties, AQuestionCountsAsWhatTheChainsCostThatItMayLookThrough) {
    options_.questions = {.per_second = 1, .burst = 40};
    service_.reset();
    DutyClient wide(node_, network_id(), kHostKey, {.page_chains = 39 * 128});
    must(wide.chains_of(mine_.public_key()));
    EXPECT_EQ(wide.chains_of(mine_.public_key()).error().code, ErrorCode::kBusy);
    now_ns_ += 40'000'000'000;
    DutyClient narrow(node_, network_id(), kHostKey, {.page_chains = 100});
    for (int i = 0; i < 40; ++i) must(narrow.chains_of(mine_.public_key()));
    EXPECT_EQ(narrow.chains_of(mine_.public_key()).error().code, ErrorCode::kBusy);
}

TEST_F(Duties, WhatStandsIsAcknowledgedAndAFalseAcknowledgementIsRefused) {
    const Bytes object = wrap_object(Kind::kBundle, Bytes(200, 1));
    const std::array<ByteView, 3> objects{object, object, object};
    const HandedBatch batch = must(client_.hand_over(objects));
    EXPECT_EQ(batch.objects.size(), 3U);
    EXPECT_EQ(std::get<HandOver>(decode_question(batch.message).value()).objects.size(), 3U);
    ASSERT_TRUE(batch.acknowledgement.has_value());
    EXPECT_EQ(check_acknowledgement(network_id(), kHostKey, batch.message, *batch.acknowledgement),
              Verdict::ok());
    const HandedBatch alone = must(client_.submit(object));
    EXPECT_EQ(alone.message, object);
    ASSERT_TRUE(alone.acknowledgement.has_value());

    const auto refused = [&](const std::function<void(Acknowledgement&)>& change) {
        falsify_ = [&](FollowAnswer& a) { change(*std::get<HandedOvers>(a).acknowledgement); };
        return client_.submit(object).error().verdict.reason;
    };
    EXPECT_EQ(refused([](Acknowledgement& a) { a.host = follow_key(3); }), Reason::kWrongHost);
    EXPECT_EQ(refused([&](Acknowledgement& a) { a = *batch.acknowledgement; }),
              Reason::kWrongObject);
    EXPECT_EQ(refused([](Acknowledgement& a) { ++a.height; }), Reason::kBadSignature);
    falsify_ = [](FollowAnswer& a) { std::get<HandedOvers>(a).objects.pop_back(); };
    EXPECT_EQ(client_.hand_over(objects).error().verdict.reason, Reason::kBadIndex);
}

TEST_F(Duties, AMessageTakesAsManyObjectsAsTravel) {
    const Bytes large(kMaxBatchBytes / 3, 1);
    const std::array<ByteView, 4> objects{large, large, large, large};
    EXPECT_EQ(must(client_.hand_over(objects)).objects.size(), 2U);
    const std::vector<Bytes> many(kMaxBatchObjects + 1, Bytes(2, 1));
    const std::vector<ByteView> views(many.begin(), many.end());
    options_.submissions.burst = 100'000;
    service_.reset();
    EXPECT_EQ(must(client_.hand_over(views)).objects.size(), kMaxBatchObjects);
    const Bytes too_large(kMaxBatchBytes + 1, 1);
    EXPECT_EQ(client_.submit(too_large).error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(client_.hand_over({}).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(Duties, APeerThatHandsOverGarbageIsSentAwayAndNobodyElse) {
    options_.garbage = {.per_second = 1, .burst = 4};
    service_.reset();
    const Bytes object = wrap_object(Kind::kBundle, Bytes(200, 1));
    const std::array<ByteView, 2> two{object, object};
    verdict_ = Reason::kTooLate;  // no garbage, however often
    for (int i = 0; i < 10; ++i) must(client_.hand_over(two));
    verdict_ = Reason::kBadSignature;
    must(client_.hand_over(two));
    must(client_.hand_over(two));
    EXPECT_EQ(client_.hand_over(two).error().code, ErrorCode::kPermission);
    EXPECT_EQ(client_.submit(object).error().code, ErrorCode::kPermission);
    EXPECT_TRUE(service_->handle(theirs_.public_key(), object).has_value());
    EXPECT_EQ(service_->statistics().dropped, 2U);
    now_ns_ += 2'000'000'000;
    verdict_ = Reason::kOk;
    must(client_.submit(object));
}

}  // namespace
}  // namespace holdfast::test
