// Following a node: messages, service and client over a function that carries bytes, with a node
// that is behind, ahead, lying or busy.

#include <gtest/gtest.h>

#include "support/follow_world.hpp"

namespace holdfast::test {
namespace {

PublicKey key(std::uint64_t n) { return follow_key(n); }
std::vector<ChallengedChain> chains(std::uint32_t count) { return follow_chains(count); }

/// What y is made of: as little as there can be, or all of it.
FollowOutput output_of(Height h, bool all) {
    FollowOutput out;
    out.block = {h, test_hash(h), test_hash(h - 1), 52'000 * h.value, true};
    if (!all) return out;
    out.beacon = BeaconRound{12, Digest(tagged_hash("round")), Bytes(64, 3)};
    out.proof = Bytes(300, 9);
    out.cover.emplace();
    out.cover->head.height = h;
    out.cover->head.size = 7;
    out.cover->entry = 6;
    out.cover->path = {Digest(tagged_hash("one")), Digest(tagged_hash("two"))};
    return out;
}

TEST(FollowMessages, EveryMessageComesBackAndNothingElseIsTaken) {
    const std::vector<FollowQuestion> questions{TipQuestion{}, HeightQuestion{Height(7)},
                                                ChainsQuestion{Height(7), 2, kMaxFollowPage},
                                                OutputQuestion{Height(7)}};
    for (const FollowQuestion& q : questions) {
        const Bytes bytes = encode_question(q);
        EXPECT_EQ(decode_question(bytes).value(), q);
        for (std::size_t n = 0; n < bytes.size(); ++n) {
            EXPECT_FALSE(decode_question(ByteView(bytes).first(n)).has_value());
        }
    }
    std::vector<PublicKey> keys{key(1), key(2)};
    std::sort(keys.begin(), keys.end());
    std::vector<ChallengerPart> parts;
    for (const PublicKey& k : keys) parts.push_back({k, parts.size() + 1});
    const auto list = chains(4);
    const std::vector<FollowAnswer> answers{
        FollowTip{Height(9), test_hash(Height(9)), 5},
        FollowHeight{{Height(9), test_hash(Height(9)), test_y(Height(9)), parts},
                     test_hash(Height(8)),
                     5,
                     follow_list_hash(list),
                     4},
        FollowHeight{{Height(9), test_hash(Height(9)), std::nullopt, {}},
                     test_hash(Height(8)),
                     5,
                     follow_list_hash({}),
                     0},
        FollowChains{Height(9), follow_list_hash(list), 6, 2, list},
        FollowTaken{},
        FollowRefused{Reason::kTooLate},
        FollowBusy{20},
        output_of(Height(9), false),
        output_of(Height(9), true)};
    for (const FollowAnswer& a : answers) {
        Bytes bytes = encode_answer(a);
        EXPECT_EQ(decode_answer(bytes).value(), a);
        for (std::size_t n = 0; n < bytes.size(); ++n) {
            EXPECT_FALSE(decode_answer(ByteView(bytes).first(n)).has_value());
        }
        bytes.push_back(0);
        EXPECT_FALSE(decode_answer(bytes).has_value());
    }
}

TEST(FollowMessages, CountsAreBoundedBeforeAnythingIsAllocated) {
    const auto reason = [](const auto& checked) {
        return checked ? Reason::kOk : checked.error().reason;
    };
    EXPECT_EQ(
        reason(decode_question(encode_question(ChainsQuestion{Height(1), 0, kMaxFollowPage + 1}))),
        Reason::kTooLarge);
    EXPECT_EQ(reason(decode_question(encode_question(ChainsQuestion{Height(1), 0, 0}))),
              Reason::kBadField);
    // 65,536 challengers are announced, none follows.
    Bytes bytes = encode_answer(
        FollowHeight{{Height(9), {}, std::nullopt, {}}, {}, 5, follow_list_hash({}), 0});
    store_le32(bytes.data() + bytes.size() - 4, kMaxFollowChallengers);
    EXPECT_EQ(reason(decode_answer(bytes)), Reason::kTruncated);
    store_le32(bytes.data() + bytes.size() - 4, UINT32_MAX);
    EXPECT_EQ(reason(decode_answer(bytes)), Reason::kTooLarge);
    FollowChains page{Height(9), {}, kMaxFollowChains + 1, 0, {}};
    EXPECT_EQ(reason(decode_answer(encode_answer(page))), Reason::kTooLarge);
    page = {Height(9), {}, 2, 1, chains(2)};  // more than there are
    EXPECT_EQ(reason(decode_answer(encode_answer(page))), Reason::kBadIndex);
    page = {Height(9), {}, 2, 0, chains(2)};
    std::swap(page.chains[0], page.chains[1]);
    EXPECT_EQ(reason(decode_answer(encode_answer(page))), Reason::kNotCanonical);
    page.chains[1] = page.chains[0];
    EXPECT_EQ(reason(decode_answer(encode_answer(page))), Reason::kNotCanonical);
    EXPECT_EQ(reason(decode_answer(encode_answer(FollowRefused{Reason::kOk}))), Reason::kBadField);
}

TEST(Follow, ANodeThatIsBehindIsWaitedForAndYMayArriveLate) {
    FollowWorld world;
    EXPECT_EQ(world.client.tip().error().code, ErrorCode::kUnavailable);
    world.tip = Height(120);
    world.without_y = {Height(120)};
    world.challengers = {{key(1), 1}};
    must(world.service.refresh());
    EXPECT_EQ(must(world.client.tip()).height, Height(120));
    EXPECT_EQ(must(world.client.current_height()), Height(120));
    EXPECT_EQ(world.client.at(Height(121)).error().code, ErrorCode::kNotFound);
    EXPECT_EQ(world.client.at(Height(116)).error().code, ErrorCode::kNotFound);
    const FollowHeight at = must(world.client.at(Height(120)));
    EXPECT_FALSE(at.y.has_value());
    EXPECT_EQ(at.challengers, world.challengers);
    EXPECT_FALSE(must(world.client.round(Height(120))).has_value());
    const int lists = world.lists_made;
    world.without_y.clear();
    must(world.service.refresh());
    EXPECT_EQ(world.lists_made, lists);  // y alone was fetched
    const auto round = must(world.client.round(Height(120)));
    ASSERT_TRUE(round.has_value());
    EXPECT_EQ(round->y, test_y(Height(120)));
    EXPECT_EQ(round->block_hash, test_hash(Height(120)));
    EXPECT_EQ(round->chains, world.list);
    EXPECT_EQ(round->challengers, world.challengers);
    const BlockInfo block = must(world.client.block_by_height(Height(119)));
    EXPECT_EQ(block.parent, test_hash(Height(118)));
    EXPECT_TRUE(block.final);
}

TEST(Follow, NothingFromBeforeTheFirstBlockIsAskedFor) {
    FollowWorld world;
    world.tip = Height(101);
    must(world.service.refresh());
    EXPECT_TRUE(world.client.at(Height(100)).has_value());
    EXPECT_EQ(world.client.at(Height(99)).error().code, ErrorCode::kNotFound);
}

TEST(Follow, AHundredThousandChainsComeInPagesAndOnlyWhenTheyHaveChanged) {
    FollowWorld world({}, {.page_chains = 16'384});
    world.list = chains(100'000);
    world.tip = Height(120);
    must(world.service.refresh());
    world.asked = 0;
    ASSERT_EQ(must(world.client.round(Height(120)))->chains.size(), 100'000U);
    EXPECT_EQ(world.asked, 1 + 7);
    world.tip = Height(121);
    must(world.service.refresh());
    world.asked = 0;
    EXPECT_EQ(must(world.client.round(Height(121)))->chains, world.list);
    EXPECT_EQ(world.asked, 1);
    world.list.pop_back();
    world.tip = Height(122);
    must(world.service.refresh());
    EXPECT_EQ(must(world.client.round(Height(122)))->chains, world.list);
    // A follower that wants fewer refuses the list, and asks for nothing of it.
    FollowClient small([&](ByteView message) { return world.carry(message); },
                       {.max_chains = 1'000});
    world.asked = 0;
    EXPECT_EQ(small.round(Height(122)).error().verdict.reason, Reason::kTooLarge);
    EXPECT_EQ(world.asked, 1);
}

struct Lie {
    const char* name;
    std::function<void(FollowAnswer&)> tell;
    Reason reason;
};

TEST(Follow, WhatALyingNodeSaysOtherwiseThanBeforeIsRefused) {
    const auto height = [](const std::function<void(FollowHeight&)>& change) {
        return [change](FollowAnswer& a) {
            if (auto* h = std::get_if<FollowHeight>(&a)) change(*h);
        };
    };
    const auto page = [](const std::function<void(FollowChains&)>& change) {
        return [change](FollowAnswer& a) {
            if (auto* p = std::get_if<FollowChains>(&a)) change(*p);
        };
    };
    const std::vector<Lie> lies{
        {"another height", height([](FollowHeight& h) { h.height = h.height + 1; }),
         Reason::kWrongHeight},
        {"another block", height([](FollowHeight& h) { h.block_hash = test_hash(Height(1)); }),
         Reason::kWrongBlock},
        {"another parent", height([](FollowHeight& h) { h.parent = test_hash(Height(1)); }),
         Reason::kWrongBlock},
        {"another y", height([](FollowHeight& h) { h.y = test_y(Height(1)); }),
         Reason::kVdfOutputMismatch},
        {"too many chains", height([](FollowHeight& h) {
             ++h.chains;
             h.list_hash = Digest{};
         }),
         Reason::kBadIndex},
        {"a page of another height", page([](FollowChains& p) { p.height = p.height + 1; }),
         Reason::kWrongHeight},
        {"a page from elsewhere", page([](FollowChains& p) {
             p.first = 1;
             p.chains.pop_back();
         }),
         Reason::kBadIndex},
        {"a page of nothing", page([](FollowChains& p) { p.chains.clear(); }), Reason::kBadIndex},
        {"another chain", page([](FollowChains& p) { p.chains[1].prover = key(50); }),
         Reason::kRootMismatch},
        {"an answer of another kind", [](FollowAnswer& a) { a = FollowTaken{}; },
         Reason::kBadKind}};
    for (const Lie& lie : lies) {
        FollowWorld world;
        world.tip = Height(120);
        must(world.service.refresh());
        must(world.client.at(Height(119)));
        must(world.client.at(Height(120)));
        world.falsify = lie.tell;
        const auto refused = world.client.round(Height(120));
        ASSERT_FALSE(refused.has_value()) << lie.name;
        EXPECT_EQ(refused.error().code, ErrorCode::kRefused) << lie.name;
        EXPECT_EQ(refused.error().verdict.reason, lie.reason) << lie.name;
        world.falsify = nullptr;
        EXPECT_TRUE(world.client.round(Height(120)).has_value()) << lie.name;
    }
}

TEST(Follow, AChainThatGoesBackOrIsReplacedIsRefused) {
    FollowWorld world;
    world.tip = Height(120);
    must(world.service.refresh());
    must(world.client.tip());
    world.falsify = [](FollowAnswer& a) {
        if (auto* t = std::get_if<FollowTip>(&a)) t->height = Height(118);
    };
    EXPECT_EQ(world.client.tip().error().verdict.reason, Reason::kWrongHeight);
    world.falsify = [](FollowAnswer& a) {
        if (auto* t = std::get_if<FollowTip>(&a)) t->hash = test_hash(Height(1));
    };
    EXPECT_EQ(world.client.tip().error().verdict.reason, Reason::kWrongBlock);
    world.falsify = nullptr;
    EXPECT_TRUE(world.client.tip().has_value());
    world.down = true;
    EXPECT_EQ(world.client.tip().error().code, ErrorCode::kUnavailable);
}

TEST(Follow, SubmissionsReachTheChainOrAreRefusedWithItsReason) {
    FollowWorld world;
    Challenger challenger;
    challenger.key = key(1);
    const Bytes object = wrap_object(Kind::kChallenger, challenger.encode());
    must(world.client.submit(Kind::kChallenger, object));
    ASSERT_EQ(world.chain.taken.size(), 1U);
    EXPECT_EQ(world.chain.taken[0], object);
    Checkpoint checkpoint;
    checkpoint.submitter = key(1);
    const Status refused =
        world.client.submit_checkpoint(wrap_object(Kind::kCheckpoint, checkpoint.encode()));
    EXPECT_EQ(refused.error().verdict.reason, Reason::kNetworkPolicy);
    // Bytes that are no such object, and kinds that no block lists, never reach the chain.
    Bytes cut = object;
    cut.pop_back();
    EXPECT_EQ(world.client.submit(Kind::kChallenger, cut).error().verdict.reason,
              Reason::kTruncated);
    Receipt receipt;
    const Bytes other = wrap_object(Kind::kReceipt, receipt.encode());
    EXPECT_EQ(world.client.submit(Kind::kReceipt, other).error().verdict.reason, Reason::kBadKind);
    EXPECT_EQ(world.client.submit(Kind::kOutcome, object).error().code, ErrorCode::kRefused);
    EXPECT_EQ(world.chain.taken.size(), 1U);
    // What no block lists goes to the journal's door, which judges it.
    const Bytes bundle = wrap_object(Kind::kBundle, Bytes(200, 1));
    must(world.client.submit(Kind::kBundle, bundle));
    EXPECT_EQ(world.journal, std::vector<Bytes>{bundle});
    world.door = Reason::kTooLate;
    EXPECT_EQ(world.client.submit(Kind::kBundle, bundle).error().verdict.reason, Reason::kTooLate);
    EXPECT_EQ(world.journal.size(), 1U);
    // A chain that cannot is no refusal: the object may be handed over again.
    Removal removal;
    const Status failed =
        world.client.submit(Kind::kRemoval, wrap_object(Kind::kRemoval, removal.encode()));
    EXPECT_EQ(failed.error().code, ErrorCode::kOutOfSpace);
    const Bytes large(kMaxEntryObjectBytes - 1, 1);  // one more than travels, wrapped
    Bytes seal = wrap_object(Kind::kSealProof, large);
    EXPECT_EQ(world.client.submit(Kind::kSealProof, seal).error().code,
              ErrorCode::kInvalidArgument);
    const FollowServiceStatistics s = world.service.statistics();
    EXPECT_EQ(s.submissions, 2U);
    EXPECT_EQ(s.failed, 1U);
    EXPECT_EQ(s.refused.at(Reason::kNetworkPolicy), 1U);
}

TEST(Follow, WhatYIsMadeOfIsHandedOverAndALieAboutItsBlockIsRefused) {
    FollowWorld w;
    w.tip = Height(110);
    must(w.service.refresh());
    EXPECT_FALSE(w.client.output(Height(110)));  // this node hands none over
    w.source_output = [](Height h) -> Result<FollowOutput> {
        if (h > Height(110)) return fail(ErrorCode::kNotFound, "above the tip");
        return output_of(h, true);
    };
    EXPECT_EQ(must(w.client.output(Height(110))), output_of(Height(110), true));
    EXPECT_EQ(w.client.output(Height(111)).error().code, ErrorCode::kNotFound);
    w.falsify = [](FollowAnswer& said) {
        std::get<FollowOutput>(said).block.hash = test_hash(Height(1));
    };
    EXPECT_EQ(w.client.output(Height(110)).error().verdict.reason, Reason::kWrongBlock);
    w.falsify = [](FollowAnswer& said) { ++std::get<FollowOutput>(said).block.height; };
    EXPECT_EQ(w.client.output(Height(110)).error().verdict.reason, Reason::kWrongHeight);
}

TEST(Follow, AFloodOfQuestionsAndSubmissionsIsBusyForThatPeerAlone) {
    FollowWorld world(
        {.questions = {.per_second = 1, .burst = 3}, .submissions = {.per_second = 1, .burst = 2}});
    world.tip = Height(120);
    must(world.service.refresh());
    for (int i = 0; i < 3; ++i) must(world.client.tip());
    EXPECT_EQ(world.client.tip().error().code, ErrorCode::kBusy);
    Challenger challenger;
    challenger.key = key(1);
    const Bytes object = wrap_object(Kind::kChallenger, challenger.encode());
    must(world.client.submit(Kind::kChallenger, object));
    must(world.client.submit(Kind::kChallenger, object));
    EXPECT_EQ(world.client.submit(Kind::kChallenger, object).error().code, ErrorCode::kBusy);
    EXPECT_TRUE(world.service.handle(key(5), encode_question(TipQuestion{})).has_value());
    world.now_ns += 1'000'000'000;
    must(world.client.tip());
    must(world.client.submit(Kind::kChallenger, object));
    // Garbage is charged like a question.
    const Bytes garbage{1, kFollowRequestKind, 9};
    EXPECT_EQ(
        std::get<FollowBusy>(FollowWorld::must_decode(must(world.service.handle(key(99), garbage))))
            .retry_ms,
        1'000U);
}

}  // namespace
}  // namespace holdfast::test
