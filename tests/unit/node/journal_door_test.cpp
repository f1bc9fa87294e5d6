// The door of a node: what is taken, what each object is told, what is acknowledged, by the bytes
// that a prover sends and gets.
#include "node/journal_door.hpp"

#include <algorithm>
#include <thread>

#include "proofs/bundle.hpp"
#include "support/followed_node.hpp"

namespace holdfast::node {
namespace {

using test::FollowingProver;
using test::ServedNode;
using test::value_of;

class Door : public test::Node {
  protected:
    static constexpr std::uint8_t kKey = 1;
    static constexpr std::uint8_t kOther = 2;

    void SetUp() override {
        Node::SetUp();
        new_blocks(4);
        // Of different lengths: the same data of one key are one replica.
        std::size_t bytes = 65'536;
        for (const char* name : {"a", "b", "c"}) seal_and_register(name, kKey, bytes++);
        seal_and_register("d", kOther, 65'536);
        clock_.emplace(clock(key_of(9)));
        node_ = std::make_unique<ServedNode>(params_, *chain_, *clock_, operator_, host_,
                                             dir_ / "served");
        for (const std::uint8_t key : {kKey, kOther}) drive_until_sealed(key);
        mine_ = chains_of(kKey);
        theirs_ = chains_of(kOther);
        ASSERT_EQ(mine_.size(), 3U);
        ASSERT_EQ(theirs_.size(), 1U);
    }
    /// With a prover that answers its seal duties; it makes no link.
    void drive_until_sealed(std::uint8_t key) {
        const std::filesystem::path dir = dir_ / ("prover" + std::to_string(key));
        std::filesystem::create_directory(dir);
        FollowingProver prover(params_, key_of(key), host_.public_key(), dir,
                               [this, key](ByteView message) { return carry(key, message); });
        for (const char* name : {"a", "b", "c", "d"}) {
            (void)prover.set.add(dir_ / (std::string(name) + ".replica"));
        }
        for (int i = 0; i < 40 && !sealed(key); ++i) {
            advance();
            value_of(prover.work());
        }
        ASSERT_TRUE(sealed(key));
        advance(params_.closing_blocks() + 1);
    }
    void advance(std::uint64_t blocks = 1) {
        for (std::uint64_t i = 0; i < blocks; ++i) {
            new_blocks(1);
            while (node_->advance()) {
            }
        }
    }
    Result<Bytes> carry(std::uint8_t key, ByteView message) {
        return node_->handle(key_of(key).public_key(), message);
    }
    std::vector<ChainId> chains_of(std::uint8_t key) {
        std::vector<ChainId> out;
        const OwnedRange range{key_of(key).public_key(), {}, 100};
        for (const ChainInfo& c : value_of(node_->registry().chains_of(range)).found) {
            out.push_back(c.chain_id);
        }
        return out;
    }
    bool sealed(std::uint8_t key) {
        const OwnedRange range{key_of(key).public_key(), {}, 100};
        const auto chains = value_of(node_->registry().chains_of(range)).found;
        return !chains.empty() && std::all_of(chains.begin(), chains.end(), [](const auto& c) {
            return c.phase == ChainPhase::kSealed;
        });
    }
    Height open() { return value_of(node_->registry().open_heights()).back(); }
    Height closed() { return value_of(node_->registry().closed()).value(); }

    Bundle bundle(std::uint8_t key, const std::vector<ChainId>& chains, Height h,
                  std::uint8_t salt = 0) {
        const KnownHeight known = value_of(node_->registry().known_height(h));
        std::vector<BundleEntry> members;
        for (const ChainId& id : chains) {
            members.push_back({id, Link(tagged_hash("test/link", id, h, std::uint64_t{salt}))});
        }
        return make_bundle(params_.id(), known.block_hash, h, known.anchor, members, key_of(key))
            .value();
    }
    static Bytes wrapped(const Bundle& bundle) {
        return wrap_object(Kind::kBundle, bundle.encode());
    }
    FollowAnswer send(ByteView message, std::uint8_t key = kKey) {
        return decode_answer(value_of(carry(key, message))).value();
    }
    HandedOvers taken(ByteView message, std::uint8_t key = kKey) {
        const FollowAnswer answer = send(message, key);
        const auto* handed = std::get_if<HandedOvers>(&answer);
        EXPECT_NE(handed, nullptr);
        return handed == nullptr ? HandedOvers{} : *handed;
    }
    Reason refused(ByteView message, std::uint8_t key = kKey) {
        const FollowAnswer answer = send(message, key);
        const auto* reason = std::get_if<FollowRefused>(&answer);
        return reason == nullptr ? Reason::kOk : reason->reason;
    }
    void expect_acknowledged(const HandedOvers& handed, ByteView message) {
        ASSERT_TRUE(handed.acknowledgement.has_value());
        EXPECT_EQ(check_acknowledgement(params_.id(), host_.public_key(), message,
                                        *handed.acknowledgement),
                  Verdict::ok());
        EXPECT_EQ(handed.acknowledgement->height, value_of(node_->registry().tip()));
        for (const HandedOver& one : handed.objects) EXPECT_TRUE(one.entry.has_value());
    }
    /// That entry is this object.
    void expect_entry(std::uint64_t number, ByteView object) {
        const Bytes entry = value_of(node_->registry().entries(number, 1)).at(0);
        EXPECT_EQ(entry, encode_entry(ObjectEntry{{object.begin(), object.end()}}));
    }

    const KeyPair host_ = key_of(77);
    std::optional<VdfClock> clock_;
    std::unique_ptr<ServedNode> node_;
    std::vector<ChainId> mine_;
    std::vector<ChainId> theirs_;
};

TEST_F(Door, WhatStandsIsAcknowledgedAndAgainWhenItIsRepeated) {
    const Bytes first = wrapped(bundle(kKey, {mine_[0], mine_[1]}, open()));
    const HandedOvers once = taken(first);
    expect_acknowledged(once, first);
    expect_entry(*once.objects[0].entry, first);
    const HandedOvers again = taken(first);
    expect_acknowledged(again, first);
    EXPECT_EQ(again.objects[0].entry, once.objects[0].entry);
    // Its links stand, it does not.
    const Bytes part = wrapped(bundle(kKey, {mine_[0]}, open()));
    const HandedOvers nothing_new = taken(part);
    EXPECT_EQ(nothing_new.objects[0].reason, Reason::kOk);
    EXPECT_FALSE(nothing_new.objects[0].entry.has_value());
    EXPECT_FALSE(nothing_new.acknowledgement.has_value());

    // A batch is acknowledged as a whole, with what stood before.
    const Bytes rest = wrapped(bundle(kKey, {mine_[2]}, open()));
    const Bytes batch = encode_question(HandOver{{first, rest}});
    const HandedOvers both = taken(batch);
    expect_acknowledged(both, batch);
    expect_entry(*both.objects[1].entry, rest);
    // Not where one of them does not stand.
    const Bytes late = wrapped(bundle(kKey, {mine_[2]}, closed()));
    const HandedOvers one_late = taken(encode_question(HandOver{{first, late}}));
    EXPECT_EQ(one_late.objects[1].reason, Reason::kTooLate);
    EXPECT_TRUE(one_late.objects[0].entry.has_value());
    EXPECT_FALSE(one_late.acknowledgement.has_value());
}

TEST_F(Door, OneBadMemberSpoilsNoOther) {
    ChainId nobodys;
    nobodys.bytes[0] = 7;
    std::vector<ChainId> chains{mine_[0], theirs_[0], nobodys};
    std::sort(chains.begin(), chains.end());
    const Bytes object = wrapped(bundle(kKey, chains, open()));
    const HandedOvers handed = taken(object);
    ASSERT_EQ(handed.objects[0].refused.size(), 2U);
    for (const HandedOver::Member& m : handed.objects[0].refused) {
        EXPECT_EQ(m.reason,
                  chains[m.index] == nobodys ? Reason::kUnknownChain : Reason::kWrongProver);
    }
    expect_acknowledged(handed, object);  // it stands, with the one link that counts
    EXPECT_TRUE(value_of(node_->registry().link(mine_[0], open())).has_value());
    EXPECT_FALSE(value_of(node_->registry().link(theirs_[0], open())).has_value());
}

TEST_F(Door, WhatIsNoBundleIsRefusedByName) {
    Bundle sound = bundle(kKey, mine_, open());
    Bytes flipped = wrapped(sound);
    flipped.back() ^= 1;
    EXPECT_EQ(refused(flipped), Reason::kBadSignature);
    Bundle unordered = sound;
    std::swap(unordered.members[0], unordered.members[1]);
    EXPECT_EQ(refused(wrapped(unordered)), Reason::kMemberOrder);
    Bundle many = sound;
    many.members.assign(kBundleMaxMembers + 1, sound.members[0]);
    EXPECT_EQ(refused(wrapped(many)), Reason::kTooLarge);
    EXPECT_EQ(refused(wrapped(bundle(kKey, mine_, closed()))), Reason::kTooLate);
    EXPECT_EQ(value_of(node_->registry().link(mine_[0], open())), std::nullopt);
    // Kinds that blocks list do not come in by a batch.
    const Bytes removal = wrap_object(Kind::kRemoval, Removal{}.encode());
    const HandedOvers listed = taken(encode_question(HandOver{{removal, wrapped(sound)}}));
    EXPECT_EQ(listed.objects[0].reason, Reason::kBadKind);
    EXPECT_TRUE(listed.objects[1].entry.has_value());
    EXPECT_FALSE(listed.acknowledgement.has_value());
}

TEST_F(Door, AShortProofOfAHeightWithoutALinkIsNotInItsDigest) {
    advance();
    ShortCompact proof;
    proof.chain_id = mine_[0];
    proof.height = closed();
    proof.cell_path.resize(8);
    EXPECT_EQ(refused(wrap_object(Kind::kShortCompact, proof.encode())), Reason::kNotInDigest);
    proof.height = open();
    EXPECT_EQ(refused(wrap_object(Kind::kShortCompact, proof.encode())), Reason::kTooEarly);
}

TEST_F(Door, BehindTooMuchGarbageTheRestOfAMessageIsNotLookedAt) {
    const Bytes sound = wrapped(bundle(kKey, {mine_[0]}, open()));
    Bytes bad = sound;
    bad.back() ^= 1;
    HandOver batch{std::vector<Bytes>(2 * JournalDoor::kMostGarbage, bad)};
    batch.objects.push_back(sound);
    const HandedOvers handed = taken(encode_question(batch));
    EXPECT_EQ(handed.objects.front().reason, Reason::kBadSignature);
    EXPECT_EQ(handed.objects.back().reason, Reason::kBusy);
    EXPECT_FALSE(handed.acknowledgement.has_value());
    EXPECT_FALSE(value_of(node_->registry().link(mine_[0], open())).has_value());
    // The peer's budget is used up: it loses its connection with whatever comes next.
    EXPECT_EQ(carry(kKey, sound).error().code, ErrorCode::kPermission);
    // Another peer may bring it.
    expect_acknowledged(taken(sound, kOther), sound);
}

TEST_F(Door, ManyAtOnceAreAllToldAndAcknowledged) {
    const Height h = open();
    std::vector<Bytes> objects;
    for (const ChainId& id : mine_) objects.push_back(wrapped(bundle(kKey, {id}, h)));
    objects.push_back(wrapped(bundle(kOther, theirs_, h)));
    std::vector<HandedOvers> answers(objects.size());
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < objects.size(); ++i) {
            threads.emplace_back([&, i] { answers[i] = taken(objects[i]); });
        }
    }
    std::set<std::uint64_t> entries;
    for (std::size_t i = 0; i < objects.size(); ++i) {
        expect_acknowledged(answers[i], objects[i]);
        expect_entry(*answers[i].objects[0].entry, objects[i]);
        entries.insert(*answers[i].objects[0].entry);
    }
    EXPECT_EQ(entries.size(), objects.size());
}

TEST_F(Door, WhatWasCheckedBeforeIsCheckedAgainOnlyWhereSomethingHasChanged) {
    // The same verdicts with and without a look beforehand, also of a height that has closed
    // between the two.
    Registry& registry = node_->registry();
    const Bytes good = wrapped(bundle(kKey, {mine_[0]}, open()));
    Bytes bad = wrapped(bundle(kKey, {mine_[1]}, open()));
    bad.back() ^= 1;
    const std::array<ByteView, 2> objects{good, bad};
    const auto judged = value_of(registry.prejudge(objects));
    EXPECT_EQ(judged[0].verdict, Verdict::ok());
    EXPECT_EQ(judged[1].verdict.reason, Reason::kBadSignature);
    advance(params_.closing_blocks() + 1);
    const auto late = value_of(registry.accept(objects, judged));
    EXPECT_EQ(late[0].verdict.reason, Reason::kTooLate);
    EXPECT_EQ(late[1].verdict.reason, Reason::kTooLate);
}

}  // namespace
}  // namespace holdfast::node
