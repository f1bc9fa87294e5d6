// The messages about what provers owe: every one comes back, and nothing else is taken for one.

#include <gtest/gtest.h>

#include <algorithm>

#include "support/follow_world.hpp"

namespace holdfast::test {
namespace {

std::vector<ChainId> ids(std::size_t count) {
    std::vector<ChainId> out;
    for (std::size_t i = 0; i < count; ++i) out.push_back(follow_id<ChainId>(i, "owned"));
    std::sort(out.begin(), out.end());
    return out;
}

Acknowledgement acknowledgement() {
    return {follow_key(1), Digest(tagged_hash("object")), Height(9), test_hash(Height(9)),
            Signature{}};
}

Registration registration() {
    return TestChain(short_network(), 1, Height(kShortGenesis)).registration();
}

std::vector<FollowQuestion> questions() {
    const OwnedRange range{follow_key(2), follow_id<ChainId>(1, "after"), kMaxDutyPage};
    return {DutyHeightsQuestion{},
            LinksDueQuestion{range, Height(7)},
            ProofsDueQuestion{range, Height(7)},
            SealDutiesQuestion{range},
            OwnedChainsQuestion{range},
            HandOver{{Bytes(3, 1), Bytes(), Bytes(70, 2)}},
            RegistrationQuestion{follow_id<ChainId>(1, "chain")}};
}

FollowedChain chain(const ChainId& id, bool all) {
    FollowedChain out;
    out.chain_id = id;
    out.replica_id = follow_id<ReplicaId>(1, "replica");
    out.sealed_root = follow_id<Root>(1, "root");
    out.accepted = Height(3);
    if (!all) return out;
    out.phase = ChainPhase::kEnded;
    out.status = ChainStatus::kExpired;
    out.misses = 4;
    out.last_sequence = 5;
    out.update_due = Height(1);
    out.sealed_at = Height(2);
    out.removal_at = Height(3);
    out.vacant_from = Height(4);
    out.liable_until = Height(5);
    out.part_taken = true;
    return out;
}

std::vector<FollowAnswer> answers() {
    const auto key = follow_key(2);
    const std::vector<ChainId> id = ids(3);
    const DutyHeight height{Height(8), test_hash(Height(8)), {}, true, Height(10)};
    const DutyHeight closed{Height(7), test_hash(Height(7)), {}, false, Height(12)};
    const Link link{id[0]};
    return {
        DutyHeights{Height(9), test_hash(Height(9)), Height(7), {height}, {closed}},
        DutyHeights{Height(9), test_hash(Height(9)), std::nullopt, {}, {}},
        LinksDue{key, Height(7), {{{id[0], link, Height(5)}, {id[1], link, {}}}, id[2]}},
        LinksDue{key, Height(7), {{}, std::nullopt}},
        ProofsDue{key, Height(7), {{{id[0], link, link, {}}, {id[1], link, link, Height(1)}}, {}}},
        SealDuties{key,
                   {{{id[0], SealProofKind::kSeal, Height(1), {}, {}, 0},
                     {id[1], SealProofKind::kAudit, Height(1), Height(2), Height(9), 2},
                     {id[1], SealProofKind::kAudit, Height(3), {}, {}, 0}},
                    id[1]}},
        OwnedChains{key, {{chain(id[0], false), chain(id[1], true)}, id[1]}},
        HandedOvers{{{Reason::kOk, 7, {}}, {Reason::kOk, 8, {{1, Reason::kNoSlot}}}},
                    acknowledgement()},
        HandedOvers{{{Reason::kTooLate, {}, {}}, {Reason::kOk, {}, {}}}, {}},
        RegistrationFound{id[0], registration()},
        RegistrationFound{id[0], {}}};
}

/// Whatever is taken is written in one way.
template <class T, class Decode, class Encode>
void expect_canonical(const T& value, const Decode& decode, const Encode& encode) {
    const Bytes bytes = encode(value);
    EXPECT_EQ(decode(bytes).value(), value);
    for (std::size_t n = 0; n < bytes.size(); ++n) {
        EXPECT_FALSE(decode(ByteView(bytes).first(n)).has_value());
    }
    Bytes longer = bytes;
    longer.push_back(0);
    EXPECT_FALSE(decode(longer).has_value());
    for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
        Bytes flipped = bytes;
        flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        const auto taken = decode(flipped);
        if (taken) {
            EXPECT_EQ(encode(*taken), flipped) << "bit " << bit;
        }
    }
}

TEST(DutyMessages, EveryMessageComesBackAndEveryBitFlipIsAnotherMessageOrNone) {
    for (const FollowQuestion& q : questions()) {
        expect_canonical(q, decode_question, encode_question);
    }
    for (const FollowAnswer& a : answers()) expect_canonical(a, decode_answer, encode_answer);
}

Reason refusal(const FollowAnswer& answer) {
    const auto decoded = decode_answer(encode_answer(answer));
    return decoded ? Reason::kOk : decoded.error().reason;
}
Reason refusal(const FollowQuestion& question) {
    const auto decoded = decode_question(encode_question(question));
    return decoded ? Reason::kOk : decoded.error().reason;
}

TEST(DutyMessages, CountsOverTheirCeilingsAreRefusedBeforeAnythingIsAllocated) {
    OwnedRange range{follow_key(2), {}, 0};
    EXPECT_EQ(refusal(FollowQuestion(SealDutiesQuestion{range})), Reason::kBadField);
    range.most = kMaxDutyPage + 1;
    EXPECT_EQ(refusal(FollowQuestion(OwnedChainsQuestion{range})), Reason::kTooLarge);
    EXPECT_EQ(refusal(FollowQuestion(HandOver{})), Reason::kBadField);
    HandOver many;
    many.objects.resize(kMaxBatchObjects);
    EXPECT_EQ(refusal(FollowQuestion(many)), Reason::kOk);
    many.objects.emplace_back();
    EXPECT_EQ(refusal(FollowQuestion(many)), Reason::kTooLarge);
    // 65,536 links are announced, none follows.
    Bytes bytes = encode_answer(LinksDue{follow_key(2), Height(7), {}});
    store_le32(bytes.data() + bytes.size() - 4, kMaxDutyEntries);
    EXPECT_EQ(decode_answer(bytes).error().reason, Reason::kTruncated);
    store_le32(bytes.data() + bytes.size() - 4, UINT32_MAX);
    EXPECT_EQ(decode_answer(bytes).error().reason, Reason::kTooLarge);
}

TEST(DutyMessages, ListsThatDoNotAscendAndWhatContradictsItselfIsRefused) {
    const auto key = follow_key(2);
    const std::vector<ChainId> id = ids(3);
    const Link link{id[0]};
    LinksDue links{key, Height(7), {{{id[1], link, {}}, {id[0], link, {}}}, {}}};
    EXPECT_EQ(refusal(FollowAnswer(links)), Reason::kNotCanonical);
    links.page = {{{id[1], link, {}}, {id[1], link, {}}}, {}};
    EXPECT_EQ(refusal(FollowAnswer(links)), Reason::kNotCanonical);
    links.page = {{{id[1], link, {}}}, id[0]};  // to go on before what was told
    EXPECT_EQ(refusal(FollowAnswer(links)), Reason::kNotCanonical);
    const DutyHeight at9{Height(9), {}, {}, false, Height(10)};
    EXPECT_EQ(refusal(FollowAnswer(DutyHeights{Height(8), {}, {}, {at9}, {}})),
              Reason::kWrongHeight);
    EXPECT_EQ(refusal(FollowAnswer(DutyHeights{Height(9), {}, Height(9), {at9}, {}})),
              Reason::kWrongHeight);
    EXPECT_EQ(refusal(FollowAnswer(DutyHeights{Height(9), {}, {}, {}, {at9}})),
              Reason::kWrongHeight);
    // Acknowledged, though one of them does not stand.
    EXPECT_EQ(refusal(FollowAnswer(
                  HandedOvers{{{Reason::kOk, 7, {}}, {Reason::kOk, {}, {}}}, acknowledgement()})),
              Reason::kNotCanonical);
    EXPECT_EQ(refusal(FollowAnswer(HandedOvers{{{Reason::kTooLate, 7, {}}}, {}})),
              Reason::kNotCanonical);
    EXPECT_EQ(refusal(FollowAnswer(HandedOvers{
                  {{Reason::kOk, 7, {{2, Reason::kNoSlot}, {1, Reason::kNoSlot}}}}, {}})),
              Reason::kNotCanonical);
    EXPECT_EQ(refusal(FollowAnswer(
                  HandedOvers{{{Reason::kOk, 7, {{kBundleMaxMembers, Reason::kNoSlot}}}}, {}})),
              Reason::kBadIndex);
}

}  // namespace
}  // namespace holdfast::test
