// Objects that JSON describes: bundles, members, short proofs and acknowledgements, both ways. The
// other formats: tests/cli/from_json_test.cpp.

#include "json/object_reader.hpp"

#include <gtest/gtest.h>

#include "json/objects.hpp"
#include "proofs/acknowledgement.hpp"
#include "property/random_objects.hpp"

namespace holdfast::json {
namespace {

void expect_both_ways(Kind kind, const Bytes& body) {
    const Bytes object = wrap_object(kind, body);
    const Checked<Json> printed = describe_object(object);
    ASSERT_TRUE(printed) << to_string(kind);
    const Result<Bytes> again = object_from_json(Json::parse(dump(*printed)));
    ASSERT_TRUE(again) << to_string(kind) << ": " << again.error().message;
    EXPECT_EQ(*again, object) << to_string(kind);
    for (const auto& [name, value] : printed->items()) {
        Json without = *printed;
        without.erase(name);
        const bool derived = name == "bytes" || (kind == Kind::kBundle && name == "n");
        EXPECT_EQ(object_from_json(without).has_value(), derived) << name;
    }
    Json more = *printed;
    more["remark"] = 1;
    EXPECT_FALSE(object_from_json(more));
}

TEST(ObjectReader, BundlesMembersShortProofsAndAcknowledgementsComeBackByteForByte) {
    property::Random random(7);
    for (int i = 0; i < 20; ++i) {
        property::Random& r = random;
        Bundle bundle = property::bundle(r);
        if (bundle.members.size() > 40) bundle.members.resize(40);
        expect_both_ways(Kind::kBundle, bundle.encode());
        expect_both_ways(Kind::kMember, property::member(r).encode());
        expect_both_ways(Kind::kShortCompact, property::short_compact(r).encode());
        expect_both_ways(Kind::kShortFull, property::short_full(r).encode());
        const KeyPair key = KeyPair::from_secret(Bytes(32, 5));
        const Acknowledgement said =
            make_acknowledgement(r.bytes<NetworkId>(), Bytes(3, 1), Height(r.any()),
                                 r.bytes<BlockHash>(), key)
                .value();
        expect_both_ways(Kind::kAcknowledgement, said.encode());
    }
}

TEST(ObjectReader, ABundleThatIsNoneIsRefused) {
    property::Random random(8);
    Bundle bundle = property::bundle(random);
    bundle.members.resize(std::min<std::size_t>(bundle.members.size(), 3));
    while (bundle.members.size() < 2) {
        bundle.members.push_back({random.bytes<ChainId>(), random.bytes<Link>()});
    }
    std::sort(bundle.members.begin(), bundle.members.end(),
              [](const auto& a, const auto& b) { return a.chain_id < b.chain_id; });
    const Json good = *describe_object(wrap_object(Kind::kBundle, bundle.encode()));
    Json swapped = good;
    std::swap(swapped["members"][0], swapped["members"][1]);
    EXPECT_EQ(object_from_json(swapped).error().verdict.reason, Reason::kMemberOrder);
    Json none = good;
    none["members"] = Json::array();
    EXPECT_FALSE(object_from_json(none));
    Json number = good;
    number["n"] = bundle.members.size() + 1;
    EXPECT_FALSE(object_from_json(number));
    Json text = good;
    text["members"] = "many";
    EXPECT_EQ(object_from_json(text).error().code, ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace holdfast::json
