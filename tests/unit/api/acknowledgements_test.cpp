// What nodes have acknowledged: only what holds is kept, across restarts, for as long as it must.
#include "api/acknowledgements.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "core/hash.hpp"
#include "core/params.hpp"
#include "proofs/bundle.hpp"
#include "support/temp_folder.hpp"

namespace holdfast {
namespace {

class AcknowledgementsTest : public ::testing::Test {
  protected:
    static KeyPair key(std::uint8_t n) { return KeyPair::from_secret(Bytes(32, n)); }

    Bytes bundle(std::uint64_t height) const {
        const ChainId chain(tagged_hash("test/chain", height));
        const auto made = make_bundle(network_, BlockHash{}, Height(height), GlobalDigest{},
                                      {{chain, Link(chain)}}, prover_);
        return wrap_object(Kind::kBundle, made->encode());
    }
    Acknowledgement of(ByteView message) const {
        return make_acknowledgement(network_, message, Height(9), BlockHash{}, host_).value();
    }
    Result<Acknowledgements> open(std::uint32_t kept_heights = 64) const {
        return Acknowledgements::open(folder_ / "acks", network_, prover_.public_key(),
                                      {kept_heights});
    }
    std::vector<KeptAcknowledgement> all() const {
        std::vector<KeptAcknowledgement> out;
        EXPECT_TRUE(Acknowledgements::for_each(folder_ / "acks", network_,
                                               [&](const KeptAcknowledgement& k) -> Status {
                                                   out.push_back(k);
                                                   return {};
                                               }));
        return out;
    }
    Status take(Acknowledgements& store, const Bytes& message, std::uint64_t entry) const {
        const AcknowledgedObject object = AcknowledgedObject::of(message, entry);
        return store.take(host_.public_key(), message, {&object, 1}, of(message));
    }

    NetworkId network_ = NetworkParams::preset(kParamsVersion2).id();
    KeyPair prover_ = key(1);
    KeyPair host_ = key(2);
    test::TempFolder folder_;
};

TEST_F(AcknowledgementsTest, StayAcrossARestartWithWhatTheyAreOf) {
    const Bytes one = bundle(100);
    const Bytes proof = wrap_object(Kind::kShortCompact, Bytes(456, 7));
    const Bytes batch(50, 3);  // what brought both
    {
        auto store = *open();
        ASSERT_TRUE(take(store, one, 7));
        const AcknowledgedObject objects[] = {AcknowledgedObject::of(one, 7),
                                              AcknowledgedObject::of(proof, 8)};
        ASSERT_TRUE(store.take(host_.public_key(), batch, objects, of(batch)));
        EXPECT_EQ(open().error().code, ErrorCode::kBusy);
        EXPECT_EQ(all().size(), 2U);  // read beside who writes
    }
    const auto store = *open();
    EXPECT_EQ(store.kept(), 2U);
    const auto kept = all();
    ASSERT_EQ(kept.size(), 2U);
    EXPECT_EQ(kept[0].acknowledgement, of(one));
    EXPECT_FALSE(kept[0].is_batch());
    EXPECT_EQ(kept[0].objects.at(0).digest, sha256(one));
    EXPECT_EQ(kept[0].objects[0].height, Height(100));
    EXPECT_EQ(kept[0].objects[0].members, 1U);
    EXPECT_EQ(kept[0].objects[0].entry, 7U);
    EXPECT_TRUE(kept[1].is_batch());
    ASSERT_EQ(kept[1].objects.size(), 2U);
    EXPECT_EQ(kept[1].objects[1].digest, sha256(proof));
    EXPECT_EQ(kept[1].objects[1].kind, Kind::kShortCompact);
    EXPECT_TRUE(kept[1].objects[1].chain_id);
}

TEST_F(AcknowledgementsTest, OfAnotherObjectOrHostOrBadlySignedAreRefusedAndNotKept) {
    auto store = *open();
    const Bytes one = bundle(100);
    const Bytes other = bundle(101);
    const AcknowledgedObject object = AcknowledgedObject::of(one);
    const auto refused = [&](const PublicKey& host, const Acknowledgement& a) {
        const Status taken = store.take(host, one, {&object, 1}, a);
        return taken ? Reason::kOk : taken.error().verdict.reason;
    };
    EXPECT_EQ(refused(host_.public_key(), of(other)), Reason::kWrongObject);
    EXPECT_EQ(refused(prover_.public_key(), of(one)), Reason::kWrongHost);
    Acknowledgement forged = of(one);
    forged.height = Height(10);
    EXPECT_EQ(refused(host_.public_key(), forged), Reason::kBadSignature);
    EXPECT_EQ(store.kept(), 0U);
    EXPECT_TRUE(all().empty());
}

TEST_F(AcknowledgementsTest, WhatWasSentIsKnownUntilItIsSettled) {
    {
        auto store = *open();
        for (const std::uint64_t h : {100, 101, 102}) {
            ASSERT_TRUE(store.note_sent({Height(h + 2), bundle(h)}));
        }
        ASSERT_TRUE(store.note_sent({Height(104), bundle(102)}));  // once more: known
        ASSERT_TRUE(take(store, bundle(100), 1));
        ASSERT_TRUE(store.give_up(sha256(bundle(101))));
    }
    const auto store = *open();
    ASSERT_EQ(store.unsettled().size(), 1U);
    EXPECT_EQ(store.unsettled().begin()->second.message, bundle(102));
    EXPECT_EQ(store.unsettled().begin()->second.last_tip, Height(104));
}

TEST_F(AcknowledgementsTest, TheBytesOfWhatIsAcknowledgedStayUntilSomebodyHasLookedForIt) {
    const auto messages = [&] {
        std::size_t out = 0;
        for (const auto& file : std::filesystem::directory_iterator(folder_ / "acks")) {
            const auto suffix = file.path().extension();
            out += suffix == ".sent" || suffix == ".taken" ? 1 : 0;
        }
        return out;
    };
    {
        auto store = *open();
        for (const std::uint64_t h : {100, 101}) {
            ASSERT_TRUE(store.note_sent({Height(h + 2), bundle(h)}));
            ASSERT_TRUE(take(store, bundle(h), h));
        }
        EXPECT_EQ(store.unchecked().size(), 2U);
        ASSERT_TRUE(store.checked(sha256(bundle(100))));
    }
    {
        auto store = *open();
        EXPECT_TRUE(store.unsettled().empty());
        ASSERT_EQ(store.unchecked().size(), 1U);
        EXPECT_EQ(store.unchecked()[0].acknowledgement, of(bundle(101)));
        EXPECT_EQ(*store.message(sha256(bundle(101))), bundle(101));
        EXPECT_EQ(messages(), 1U);
    }
    {  // a crash between the acknowledgement and the other name of its message
        const std::string name = to_hex(view(sha256(bundle(101))));
        std::filesystem::rename(folder_ / "acks" / (name + ".taken"),
                                folder_ / "acks" / (name + ".sent"));
        const auto store = *open();
        EXPECT_TRUE(store.unsettled().empty());
        EXPECT_EQ(store.unchecked().size(), 1U);
    }
    {  // they go with the acknowledgement at the latest
        auto store = *open(4);
        for (std::uint64_t h = 110; h < 130; ++h) ASSERT_TRUE(take(store, bundle(h), h));
        EXPECT_TRUE(store.unchecked().empty());
        EXPECT_EQ(messages(), 0U);
    }
    // A damaged one is named, and what to do.
    std::ofstream(folder_ / "acks" / "00.sent") << "rubbish";
    const auto damaged = open();
    ASSERT_FALSE(damaged);
    EXPECT_EQ(damaged.error().code, ErrorCode::kCorrupt);
    EXPECT_NE(damaged.error().message.find("remove it"), std::string::npos);
}

TEST_F(AcknowledgementsTest, StayForAsManyHeightsAsAreKeptAndThenGo) {
    constexpr std::uint32_t kKept = 4;
    auto store = *open(kKept);
    for (std::uint64_t h = 100; h < 160; ++h) {
        ASSERT_TRUE(take(store, bundle(h), h));
        const auto kept = all();
        EXPECT_EQ(kept.size(), store.kept());
        EXPECT_LE(kept.size(), 2 * kKept);
        for (std::uint64_t back = 0; back < kKept && h >= 100 + back; ++back) {
            EXPECT_TRUE(std::any_of(kept.begin(), kept.end(),
                                    [&](const auto& k) {
                                        return k.acknowledgement.object == sha256(bundle(h - back));
                                    }))
                << h << " " << back;
        }
    }
    // What the node says of heights lets nothing go: only what the objects are of does.
    const std::uint64_t before = store.kept();
    const Bytes proof = wrap_object(Kind::kShortCompact, Bytes(20, 7));
    const AcknowledgedObject object = AcknowledgedObject::of(proof);
    EXPECT_FALSE(object.height);
    const Acknowledgement far =
        make_acknowledgement(network_, proof, Height(1'000'000), BlockHash{}, host_).value();
    ASSERT_TRUE(store.take(host_.public_key(), proof, {&object, 1}, far));
    EXPECT_EQ(store.kept(), before + 1);
}

TEST_F(AcknowledgementsTest, WhatIsOfAnOldHeightLetsNothingGo) {
    constexpr std::uint32_t kKept = 4;
    for (std::uint64_t h = 100; h < 130; ++h) {
        auto store = *open(kKept);  // again and again
        ASSERT_TRUE(take(store, bundle(h - 90), h));
        ASSERT_TRUE(take(store, bundle(h), h));
        const auto kept = all();
        EXPECT_LE(kept.size(), 6 * kKept);
        for (std::uint64_t back = 0; back < kKept && h >= 100 + back; ++back) {
            EXPECT_TRUE(std::any_of(kept.begin(), kept.end(),
                                    [&](const auto& k) {
                                        return k.acknowledgement.object == sha256(bundle(h - back));
                                    }))
                << h << " " << back;
        }
    }
}

TEST_F(AcknowledgementsTest, AnotherKeysFolderIsRefused) {
    {
        ASSERT_TRUE(open());
    }
    const auto other = Acknowledgements::open(folder_ / "acks", network_, host_.public_key());
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().verdict.reason, Reason::kBadKey);
}

}  // namespace
}  // namespace holdfast
