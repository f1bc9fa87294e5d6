#include "chunking/erasure.hpp"

#include <numeric>
#include <random>

#include "core/hash.hpp"
#include "support/json.hpp"
#include "support/seal_world.hpp"

namespace holdfast {
namespace {

using test::fixed;
using test::hex;
using test::load_vectors;
using test::slurp;
using test::some_bytes;
using test::TempFolder;

struct Shards {
    TempFolder folder;
    std::vector<std::filesystem::path> paths;
    Manifest manifest;

    Shards(const Bytes& data, CodeShape shape) {
        test::spill(folder / "data", data);
        for (unsigned i = 0; i < shape.shards(); ++i) {
            paths.push_back(folder / ("shard-" + std::to_string(i)));
        }
        auto made = shard_file(folder / "data", shape, paths);
        EXPECT_TRUE(made.has_value()) << made.error().message;
        manifest = *made;
    }
    [[nodiscard]] std::vector<std::optional<std::filesystem::path>> without(
        const std::vector<unsigned>& gone) const {
        std::vector<std::optional<std::filesystem::path>> some(paths.begin(), paths.end());
        for (const unsigned i : gone) some[i].reset();
        return some;
    }
};

TEST(Erasure, Vectors) {
    const auto file = load_vectors("erasure.json");
    for (const auto& c : file["cases"]) {
        const CodeShape shape{c["k"].get<std::uint8_t>(), c["m"].get<std::uint8_t>()};
        Bytes matrix;
        for (const auto& row : c["matrix"]) {
            const Bytes bytes = hex(row);
            matrix.insert(matrix.end(), bytes.begin(), bytes.end());
        }
        EXPECT_EQ(coding_matrix(shape), matrix);

        const Bytes data = hex(c["data"]);
        const Shards shards(data, shape);
        for (unsigned i = 0; i < shape.shards(); ++i) {
            EXPECT_EQ(slurp(shards.paths[i]), hex(c["shards"][i])) << i;
        }
        EXPECT_EQ(shards.manifest.encode(), hex(c["manifest"]));
        EXPECT_EQ(shards.manifest.id(), fixed<Digest>(c["manifest_id"]));
        EXPECT_EQ(*Manifest::decode(hex(c["manifest"])), shards.manifest);

        std::vector<std::optional<std::filesystem::path>> some(shape.shards());
        for (const unsigned i : c["restore_from"]) some[i] = shards.paths[i];
        const auto report = recover_file(shards.manifest, some, shards.folder / "back");
        ASSERT_TRUE(report.has_value()) << report.error().message;
        EXPECT_EQ(slurp(shards.folder / "back"), data);
        EXPECT_TRUE(report->bad.empty());

        ASSERT_FALSE(c["refused"].empty());
        test::expect_refused(c["refused"], hex(c["manifest"]), [](ByteView body) {
            const auto decoded = Manifest::decode(body);
            return decoded ? Verdict::ok() : decoded.error();
        });
    }
}

TEST(Erasure, ManifestFaultsHaveTheirReasons) {
    const Manifest good = Shards(some_bytes(10'000), {4, 2}).manifest;
    const auto reason = [&](auto change) {
        Manifest m = good;
        change(m);
        const auto decoded = Manifest::decode(m.encode());
        return decoded ? Reason::kOk : decoded.error().reason;
    };
    EXPECT_EQ(reason([](Manifest&) {}), Reason::kOk);
    EXPECT_EQ(reason([](Manifest& m) { m.data_len = 0; }), Reason::kBadField);
    EXPECT_EQ(reason([](Manifest& m) { m.shape.data = 0; }), Reason::kBadField);
    EXPECT_EQ(reason([](Manifest& m) { m.shape = {250, 6}; }), Reason::kBadField);
    EXPECT_EQ(reason([](Manifest& m) { ++m.shard_len; }), Reason::kBadGeometry);
    EXPECT_EQ(reason([](Manifest& m) { m.roots.pop_back(); }), Reason::kProofLength);
    EXPECT_EQ(reason([](Manifest& m) { m.roots.push_back({}); }), Reason::kProofLength);
    // The largest claim: 2^64-1 bytes, refused for its missing roots without allocating any.
    EXPECT_EQ(reason([](Manifest& m) {
                  m.data_len = m.shard_len = UINT64_MAX;
                  m.shape = {1, 254};
              }),
              Reason::kProofLength);
}

TEST(Erasure, EveryChoiceOfFourOfSixRestoresTheFile) {
    const Bytes data = some_bytes(70'001);
    const Shards shards(data, {4, 2});
    for (unsigned a = 0; a < 6; ++a) {
        for (unsigned b = a + 1; b < 6; ++b) {
            const auto report =
                recover_file(shards.manifest, shards.without({a, b}), shards.folder / "back");
            ASSERT_TRUE(report.has_value()) << report.error().message;
            EXPECT_EQ(report->missing, (std::vector<unsigned>{a, b}));
            EXPECT_EQ(slurp(shards.folder / "back"), data);
            std::filesystem::remove(shards.folder / "back");
        }
    }
}

TEST(Erasure, EveryShardCanBeRebuilt) {
    const Shards shards(some_bytes(300'007), {4, 2});  // more than one stripe
    for (unsigned lost = 0; lost < 6; ++lost) {
        const auto report = recover_shard(shards.manifest, shards.without({lost, (lost + 3) % 6}),
                                          lost, shards.folder / "again");
        ASSERT_TRUE(report.has_value()) << report.error().message;
        EXPECT_EQ(slurp(shards.folder / "again"), slurp(shards.paths[lost]));
        std::filesystem::remove(shards.folder / "again");
    }
}

TEST(Erasure, LyingShardsAreNamedAndCountAsMissing) {
    const Bytes data = some_bytes(50'000);
    const Shards shards(data, {4, 2});
    Bytes lie = slurp(shards.paths[1]);
    lie[777] ^= 1;
    test::spill(shards.paths[1], lie);
    Bytes short_one = slurp(shards.paths[4]);
    short_one.pop_back();
    test::spill(shards.paths[4], short_one);
    auto report = recover_file(shards.manifest, shards.without({}), shards.folder / "back");
    ASSERT_TRUE(report.has_value()) << report.error().message;
    EXPECT_EQ(report->bad, (std::vector<unsigned>{1, 4}));
    EXPECT_TRUE(report->missing.empty());
    EXPECT_EQ(slurp(shards.folder / "back"), data);

    std::filesystem::remove(shards.paths[0]);
    const auto too_few = recover_file(shards.manifest, shards.without({}), shards.folder / "other");
    ASSERT_FALSE(too_few.has_value());
    EXPECT_EQ(too_few.error().code, ErrorCode::kUnavailable);
    EXPECT_NE(too_few.error().message.find("missing: 0; damaged: 1, 4"), std::string::npos)
        << too_few.error().message;
    EXPECT_FALSE(std::filesystem::exists(shards.folder / "other"));
}

TEST(Erasure, ALyingManifestPublishesNothing) {
    Shards shards(some_bytes(50'000), {2, 2});
    shards.manifest.roots[0].bytes[0] ^= 1;  // shard 0 is refused, and its rebuilt form too
    const auto report = recover_file(shards.manifest, shards.without({}), shards.folder / "back");
    ASSERT_FALSE(report.has_value());
    EXPECT_EQ(report.error().code, ErrorCode::kCorrupt);
    EXPECT_FALSE(std::filesystem::exists(shards.folder / "back"));
}

TEST(Erasure, WideShapes) {
    std::mt19937 random(7);
    for (const CodeShape shape : {CodeShape{200, 55}, CodeShape{1, 254}, CodeShape{128, 127}}) {
        const std::size_t length = 97;
        std::vector<Bytes> rows(shape.shards(), Bytes(length));
        std::vector<ByteView> data;
        std::vector<MutByteView> parity;
        for (unsigned i = 0; i < shape.shards(); ++i) {
            if (i < shape.data) {
                rows[i] = some_bytes(length, std::to_string(i));
                data.push_back(rows[i]);
            } else {
                parity.push_back(rows[i]);
            }
        }
        encode_parity(shape, data, parity);
        std::vector<unsigned> order(shape.shards());
        std::iota(order.begin(), order.end(), 0U);
        std::shuffle(order.begin(), order.end(), random);
        const std::vector<unsigned> have(order.begin(), order.begin() + shape.data);
        const std::vector<unsigned> wanted(order.begin() + shape.data, order.end());
        std::vector<ByteView> have_bytes;
        for (const unsigned i : have) have_bytes.push_back(rows[i]);
        std::vector<Bytes> rebuilt(wanted.size(), Bytes(length));
        const std::vector<MutByteView> rebuilt_views(rebuilt.begin(), rebuilt.end());
        ASSERT_TRUE(recover_shards(shape, have, have_bytes, wanted, rebuilt_views).has_value());
        for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_EQ(rebuilt[i], rows[wanted[i]]);
    }
}

TEST(Erasure, RefusesWhatMakesNoSense) {
    TempFolder folder;
    test::spill(folder / "data", some_bytes(10));
    test::spill(folder / "empty", {});
    const std::vector<std::filesystem::path> three{folder / "a", folder / "b", folder / "c"};
    const auto code = [](const auto& result) {
        return result ? std::optional<ErrorCode>() : result.error().code;
    };
    EXPECT_EQ(code(shard_file(folder / "data", {0, 3}, three)), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code(shard_file(folder / "data", {250, 6}, three)), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code(shard_file(folder / "data", {2, 2}, three)), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code(shard_file(folder / "empty", {2, 1}, three)), ErrorCode::kInvalidArgument);
    EXPECT_EQ(code(shard_file(folder / "absent", {2, 1}, three)), ErrorCode::kNotFound);
    test::spill(folder / "c", some_bytes(1));
    EXPECT_EQ(code(shard_file(folder / "data", {2, 1}, three)), ErrorCode::kAlreadyExists);
    EXPECT_FALSE(std::filesystem::exists(folder / "a"));

    std::vector<Bytes> rows(2, Bytes(4));
    const std::vector<ByteView> have_bytes(rows.begin(), rows.end());
    const std::vector<MutByteView> wanted_bytes{rows[0]};
    const unsigned wanted[] = {2};
    const unsigned same_twice[] = {1, 1};
    const unsigned too_high[] = {0, 3};
    for (const auto& have :
         {std::span<const unsigned>(same_twice), std::span<const unsigned>(too_high)}) {
        EXPECT_FALSE(recover_shards({2, 1}, have, have_bytes, wanted, wanted_bytes).has_value());
    }
}

TEST(Erasure, FewerBytesThanShards) {
    const Bytes data = some_bytes(5);
    const Shards shards(data, {4, 2});
    EXPECT_EQ(shards.manifest.shard_len, 2U);
    EXPECT_EQ(slurp(shards.paths[3]), Bytes(2));  // nothing but padding
    ASSERT_TRUE(
        recover_file(shards.manifest, shards.without({0, 2}), shards.folder / "back").has_value());
    EXPECT_EQ(slurp(shards.folder / "back"), data);
}

}  // namespace
}  // namespace holdfast
