#include "chunking/erasure.hpp"

#include <fstream>
#include <numeric>
#include <random>
#include <utility>

#include "chunking/seal.hpp"
#include "chunking/shard_folder.hpp"
#include "chunking/shard_roots.hpp"
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

using Some = std::vector<std::optional<std::filesystem::path>>;

Result<RecoverReport> recover(const Manifest& manifest, const Some& some,
                              const std::filesystem::path& output) {
    HOLDFAST_ASSIGN(set, ShardSet::open(manifest, some));
    HOLDFAST_TRY(recover_file(set, output));
    return set.report();
}

Result<RecoverReport> rebuild(const Manifest& manifest, const Some& some, unsigned shard,
                              const std::filesystem::path& output) {
    HOLDFAST_ASSIGN(set, ShardSet::open(manifest, some));
    HOLDFAST_TRY(recover_shard(set, shard, output));
    return set.report();
}

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
        const auto report = recover(shards.manifest, some, shards.folder / "back");
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
                recover(shards.manifest, shards.without({a, b}), shards.folder / "back");
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
        const auto report = rebuild(shards.manifest, shards.without({lost, (lost + 3) % 6}), lost,
                                    shards.folder / "again");
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
    auto report = recover(shards.manifest, shards.without({}), shards.folder / "back");
    ASSERT_TRUE(report.has_value()) << report.error().message;
    EXPECT_EQ(report->bad, (std::vector<unsigned>{1, 4}));
    EXPECT_TRUE(report->missing.empty());
    EXPECT_EQ(slurp(shards.folder / "back"), data);

    std::filesystem::remove(shards.paths[0]);
    const auto too_few = recover(shards.manifest, shards.without({}), shards.folder / "other");
    ASSERT_FALSE(too_few.has_value());
    EXPECT_EQ(too_few.error().code, ErrorCode::kUnavailable);
    EXPECT_NE(too_few.error().message.find("missing: 0; damaged: 1, 4"), std::string::npos)
        << too_few.error().message;
    EXPECT_FALSE(std::filesystem::exists(shards.folder / "other"));
}

TEST(Erasure, ALyingManifestPublishesNothing) {
    Shards shards(some_bytes(50'000), {2, 2});
    shards.manifest.roots[0].bytes[0] ^= 1;  // shard 0 is refused, and its rebuilt form too
    const auto report = recover(shards.manifest, shards.without({}), shards.folder / "back");
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
        recover(shards.manifest, shards.without({0, 2}), shards.folder / "back").has_value());
    EXPECT_EQ(slurp(shards.folder / "back"), data);
}

TEST(ShardSet, FilesInAnyOrderAreRecognisedByTheirRoots) {
    const Bytes data = some_bytes(700'001);
    const Shards shards(data, {4, 2});
    TempFolder elsewhere;
    // Neither names nor order tell which is which; a second copy does no harm.
    std::vector<std::filesystem::path> files;
    for (const unsigned i : {5U, 0U, 3U, 3U, 1U}) {
        files.push_back(elsewhere / ("f" + std::to_string(files.size())));
        std::filesystem::copy(shards.paths[i], files.back());
    }
    test::spill(elsewhere / "noise", some_bytes(shards.manifest.shard_len, "noise"));
    files.push_back(elsewhere / "noise");
    files.push_back(elsewhere / "absent");
    const auto set = ShardSet::find(shards.manifest, files);
    ASSERT_TRUE(set.has_value()) << set.error().message;
    EXPECT_EQ(set->good(), (std::vector<unsigned>{0, 1, 3, 5}));
    EXPECT_EQ(set->report().missing, (std::vector<unsigned>{2, 4}));
    ASSERT_EQ(set->report().bad_files.size(), 2U);
    EXPECT_EQ(set->report().bad_files[0].path, elsewhere / "noise");
    EXPECT_EQ(set->report().bad_files[1].path, elsewhere / "absent");
    ASSERT_TRUE(recover_file(*set, elsewhere / "back").has_value());
    EXPECT_TRUE(slurp(elsewhere / "back") == data);
    // Any range of any shard, here or computed.
    for (unsigned shard = 0; shard < 6; ++shard) {
        const Bytes whole = slurp(shards.paths[shard]);
        Bytes part(100'000);
        ASSERT_TRUE(set->read(shard, 4'096, part).has_value());
        EXPECT_TRUE(std::equal(part.begin(), part.end(), whole.begin() + 4'096)) << shard;
    }
    files.resize(4);
    const auto too_few = ShardSet::find(shards.manifest, files);
    ASSERT_FALSE(too_few.has_value());
    EXPECT_EQ(too_few.error().code, ErrorCode::kUnavailable);
    EXPECT_NE(too_few.error().message.find("missing: 1, 2, 4"), std::string::npos);
}

TEST(ShardSet, AShardServesARepairAsRawData) {
    const Shards shards(some_bytes(300'000), {4, 2});
    const auto some = shards.without({2, 4});
    auto set = ShardSet::open(shards.manifest, some);
    ASSERT_TRUE(set.has_value());
    EXPECT_FALSE(raw_source_of_shard(*ShardSet::open(shards.manifest, some), 6, 0).has_value());
    EXPECT_FALSE(raw_source_of_shard(*ShardSet::open(shards.manifest, some), 2, 1).has_value());
    const auto source = raw_source_of_shard(std::move(*set), 2, 0);
    ASSERT_TRUE(source.has_value());
    EXPECT_EQ((*source)->length(), 75'000U);
    Bytes chunks(20 * kChunkBytes);
    ASSERT_TRUE((*source)->read_chunks(ChunkIndex(0), chunks).has_value());
    Bytes expected = slurp(shards.paths[2]);
    expected.resize(chunks.size());
    EXPECT_TRUE(chunks == expected);
}

TEST(ShardRoots, SegmentsAndBatchesInAnyOrderEqualTheRootsOfTheirBytes) {
    TempFolder folder;
    constexpr std::uint64_t kSegment = 4 * kBatchBytes;  // stands for 4 GiB
    for (const std::uint64_t length :
         {std::uint64_t{1}, kBatchBytes - 1, std::uint64_t{kBatchBytes}, kSegment, kSegment + 1,
          2 * kSegment - 4'096, 2 * kSegment + kBatchBytes + 70'000}) {
        const Bytes data = some_bytes(length);
        test::spill(folder / "data", data);
        std::vector<std::uint64_t> offsets;
        for (std::uint64_t at = 0; at < length; at += kBatchBytes) offsets.push_back(at);
        std::mt19937 random(static_cast<unsigned>(length));
        std::shuffle(offsets.begin(), offsets.end(), random);
        ShardRoots hasher(length, kSegment);
        for (const std::uint64_t at : offsets) {
            hasher.put(
                at, ByteView(data).subspan(at, std::min<std::uint64_t>(kBatchBytes, length - at)));
        }
        ASSERT_EQ(hasher.roots().size(), (length + kSegment - 1) / kSegment);
        for (std::size_t s = 0; s < hasher.roots().size(); ++s) {
            const std::uint64_t begin = s * kSegment;
            const auto expected =
                raw_root_of_file(folder / "data", begin, std::min(kSegment, length - begin));
            ASSERT_TRUE(expected.has_value());
            EXPECT_EQ(hasher.roots()[s], *expected) << length << " segment " << s;
        }
    }
}

TEST(ManifestOfFile, APlainFileIsItsOwnOnlyShard) {
    TempFolder folder;
    test::spill(folder / "data", some_bytes(600'000));
    const auto manifest = manifest_of_file(folder / "data");
    ASSERT_TRUE(manifest.has_value()) << manifest.error().message;
    EXPECT_EQ(manifest->shape, (CodeShape{1, 0}));
    EXPECT_EQ(manifest->roots, (std::vector<Root>{*raw_root_of_file(folder / "data", 0, 600'000)}));
    const std::vector<std::filesystem::path> one{folder / "copy"};
    const auto copied = shard_file(folder / "data", {1, 0}, one);
    ASSERT_TRUE(copied.has_value());
    EXPECT_EQ(*copied, *manifest);
    EXPECT_TRUE(slurp(folder / "copy") == slurp(folder / "data"));
}

TEST(ShardFolder, IsAsOpenAsTheUmaskSays) {
    TempFolder folder;
    test::spill(folder / "data", some_bytes(100'000));
    const mode_t before = ::umask(027);
    const auto made = shard_to_folder(folder / "data", {2, 1}, folder / "out");
    ::umask(before);
    ASSERT_TRUE(made.has_value()) << made.error().message;
    const auto mode = [](const std::filesystem::path& path) {
        return static_cast<unsigned>(std::filesystem::status(path).permissions());
    };
    EXPECT_EQ(mode(folder / "out"), 0750U);
    EXPECT_EQ(mode(made->shard_paths[2]) & 027U, 0U);
    const auto nowhere = shard_to_folder(folder / "data", {2, 1}, folder / "missing" / "out");
    ASSERT_FALSE(nowhere.has_value());
    EXPECT_EQ(nowhere.error().code, ErrorCode::kNotFound) << nowhere.error().message;
}

TEST(ShardFolder, AppearsWholeOrNotAtAll) {
    TempFolder folder;
    test::spill(folder / "data", some_bytes(100'000));
    const auto made = shard_to_folder(folder / "data", {3, 2}, folder / "out/");
    ASSERT_TRUE(made.has_value()) << made.error().message;
    EXPECT_EQ(made->manifest_path, folder / "out" / "data.manifest");
    EXPECT_EQ(*read_manifest(made->manifest_path), made->manifest);
    ASSERT_EQ(made->shard_paths.size(), 5U);
    EXPECT_EQ(made->shard_paths[4], folder / "out" / "data.shard-004");
    EXPECT_TRUE(ShardSet::find(made->manifest, made->shard_paths).has_value());

    const auto again = shard_to_folder(folder / "data", {3, 2}, folder / "out");
    ASSERT_FALSE(again.has_value());
    EXPECT_EQ(again.error().code, ErrorCode::kAlreadyExists);
    ErasureOptions stopped;
    stopped.stop = [] { return true; };
    const auto none = shard_to_folder(folder / "data", {3, 2}, folder / "other", stopped);
    ASSERT_FALSE(none.has_value());
    EXPECT_EQ(none.error().code, ErrorCode::kInterrupted);
    std::filesystem::create_directory(folder / "empty");
    const auto plain = shard_to_folder(folder / "data", {1, 0}, folder / "empty");
    ASSERT_TRUE(plain.has_value()) << plain.error().message;
    EXPECT_EQ(plain->shard_paths, (std::vector<std::filesystem::path>{folder / "data"}));
    std::vector<std::string> names;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
        names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    EXPECT_EQ(names, (std::vector<std::string>{"data", "empty", "out"}));
}

TEST(ShardFile, ASourceThatChangesIsRefused) {
    TempFolder folder;
    test::spill(folder / "data", some_bytes(4'000'000));
    const std::vector<std::filesystem::path> paths{folder / "a", folder / "b", folder / "c"};
    for (const bool shrinks : {false, true}) {
        ErasureOptions options;
        options.workers = 1;
        bool changed = false;
        options.progress = [&](std::uint64_t, std::uint64_t) {
            if (std::exchange(changed, true)) return;
            if (shrinks) {
                std::filesystem::resize_file(folder / "data", 1'000'000);
            } else {
                std::fstream out(folder / "data", std::ios::in | std::ios::out | std::ios::binary);
                out.seekp(3'900'000);
                out.write("changed", 7);
            }
        };
        const auto made = shard_file(folder / "data", {2, 1}, paths, options);
        ASSERT_FALSE(made.has_value());
        EXPECT_EQ(made.error().code, ErrorCode::kCorrupt) << made.error().message;
        for (const auto& path : paths) EXPECT_FALSE(std::filesystem::exists(path));
    }
}

TEST(ShardFile, TheSameShardsFromOneThreadAndMany) {
    TempFolder folder;
    const Bytes data = some_bytes(5'000'003);
    test::spill(folder / "data", data);
    std::vector<Manifest> manifests;
    for (const unsigned workers : {1U, 16U}) {
        std::vector<std::filesystem::path> paths;
        for (unsigned i = 0; i < 5; ++i) {
            paths.push_back(folder / (std::to_string(workers) + "-" + std::to_string(i)));
        }
        ErasureOptions options;
        options.workers = workers;
        const auto made = shard_file(folder / "data", {3, 2}, paths, options);
        ASSERT_TRUE(made.has_value()) << made.error().message;
        manifests.push_back(*made);
    }
    EXPECT_EQ(manifests[0], manifests[1]);
    for (unsigned i = 0; i < 5; ++i) {
        EXPECT_TRUE(slurp(folder / ("1-" + std::to_string(i))) ==
                    slurp(folder / ("16-" + std::to_string(i))));
    }
}

TEST(ShardFile, TheMostShardsThatThereCanBe) {
    const Bytes data = some_bytes(30'000);
    const Shards shards(data, {200, 55});
    std::vector<unsigned> gone;
    for (unsigned i = 0; i < 55; ++i) gone.push_back(i * 3);
    ASSERT_TRUE(recover(shards.manifest, shards.without(gone), shards.folder / "back").has_value());
    EXPECT_TRUE(slurp(shards.folder / "back") == data);
}

}  // namespace
}  // namespace holdfast
