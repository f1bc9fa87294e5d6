// Attack 32: of a file's 4 + 2 shards, each sealed for a prover of its own, keep four sealed and
// rebuild the other two when one of their cells is asked for.
//
// Parity is computed before sealing, so that no sealed shard follows from others: the four kept
// windows must be unsealed with a fill each before anything can be decoded, and the result sealed
// with a fifth. The naive scheme computes parity over the sealed shards: two of six then follow
// from the rest by decoding alone.
#include <gtest/gtest.h>

#include <memory>
#include <set>

#include "chunking/erasure.hpp"
#include "keep/put.hpp"
#include "support/fake_provers.hpp"
#include "support/forged_replica.hpp"
#include "support/registry_world.hpp"
#include "support/temp_folder.hpp"

namespace holdfast::test {
namespace {

constexpr CodeShape kShape{4, 2};
constexpr unsigned kShards = 6;
constexpr std::uint64_t kChunks = 128;  // of a shard: eight windows
constexpr std::size_t kShardBytes = kChunks * kChunkBytes;
const std::vector<unsigned> kKept{0, 1, 2, 3};

NetworkParams shard_network() {
    NetworkParams p;
    p.name = "shards";
    p.seal_presets = {{16, 512}};
    return p;
}

std::vector<ByteView> views(const std::vector<Bytes>& rows, std::size_t count) {
    return {rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(count)};
}

std::vector<Bytes> with_parity(std::vector<Bytes> data) {
    std::vector<Bytes> parity(2, Bytes(data[0].size()));
    const std::vector<MutByteView> out(parity.begin(), parity.end());
    encode_parity(kShape, views(data, 4), out);
    data.insert(data.end(), parity.begin(), parity.end());
    return data;
}

struct SealedShards {
    std::vector<std::unique_ptr<ForgedReplica>> shards;

    static std::vector<Bytes> made_up() {
        std::vector<Bytes> raw;
        for (unsigned i = 0; i < 4; ++i) {
            raw.push_back(raw_chunks_of(kChunks, "shard " + std::to_string(i)));
        }
        return with_parity(std::move(raw));
    }

    SealedShards() : SealedShards(made_up()) {}
    /// All six, as they were before sealing.
    explicit SealedShards(const std::vector<Bytes>& raw) {
        for (unsigned i = 0; i < kShards; ++i) {
            shards.push_back(std::make_unique<ForgedReplica>(
                shard_network(), raw[i], "owner of shard " + std::to_string(i)));
        }
    }
};

/// Holds four sealed shards and nothing raw; counts what it fills.
class Cheater {
  public:
    explicit Cheater(const SealedShards& all) : all_(all) {}

    /// Window `w` of a dropped shard, as it was sealed, into its place in `out`.
    void rebuild(unsigned shard, std::uint64_t w, Bytes& out) {
        const Window window = all_.shards[shard]->windows().window(w);
        std::vector<Bytes> raw;
        for (const unsigned kept : kKept) {
            Bytes copy = all_.shards[kept]->sealed;
            fill_over(kept, window, copy);
            raw.emplace_back(copy.begin() + at(window.first_byte()),
                             copy.begin() + at(window.first_byte() + window.bytes()));
        }
        const MutByteView target = MutByteView(out).subspan(window.first_byte(), window.bytes());
        const unsigned wanted[] = {shard};
        const MutByteView wanted_bytes[] = {target};
        EXPECT_TRUE(recover_shards(kShape, kKept, views(raw, 4), wanted, wanted_bytes));
        fill_over(shard, window, out);
    }
    [[nodiscard]] std::uint64_t fills() const { return fills_; }
    [[nodiscard]] std::uint64_t blocks() const { return blocks_; }

  private:
    static std::ptrdiff_t at(std::uint64_t byte) { return static_cast<std::ptrdiff_t>(byte); }
    void fill_over(unsigned shard, const Window& window, MutByteView bytes) {
        seal_window(all_.shards[shard]->id, window, bytes);
        ++fills_;
        blocks_ += window.blocks() * window.passes;
    }
    const SealedShards& all_;
    std::uint64_t fills_ = 0;
    std::uint64_t blocks_ = 0;
};

std::set<std::uint64_t> windows_of(const ForgedReplica& shard, const KnownHeight& known) {
    std::set<std::uint64_t> windows;
    const Entropy e = chain_entropy(shard.network_id, *known.y, shard.chain_id, {});
    for (const OpenedCell& opened : opened_cells(e, ChunkCount(kChunks))) {
        windows.insert(shard.windows().window_of(opened.chunk));
    }
    return windows;
}

TEST(AttackParityDrop, RebuildingADroppedShardCostsFiveFillsAWindow) {
    const SealedShards all;
    Cheater cheater(all);
    std::uint64_t touched = 0;
    std::uint64_t links = 0;
    for (std::uint64_t h = 1; h <= 3; ++h) {
        const KnownHeight known = made_up_height(h);
        for (const unsigned dropped : {4U, 5U}) {
            const ForgedReplica& shard = *all.shards[dropped];
            Bytes on_demand(kShardBytes);
            for (const std::uint64_t w : windows_of(shard, known)) {
                cheater.rebuild(dropped, w, on_demand);
                ++touched;
            }
            EXPECT_EQ(shard.check(known, shard.full(known, on_demand)), Verdict::ok());
            ++links;
        }
    }
    EXPECT_EQ(cheater.fills(), 5 * touched);
    EXPECT_GE(cheater.blocks(), 5 * touched * shard_network().seal_presets[0].work_blocks);
    std::printf("a third of the storage saved: %.1f fills a link and dropped shard, %.0f blocks\n",
                static_cast<double>(cheater.fills()) / static_cast<double>(links),
                static_cast<double>(cheater.blocks()) / static_cast<double>(links));
}

TEST(AttackParityDrop, DecodingSealedShardsGivesNothing) {
    const SealedShards all;
    std::vector<ByteView> kept;
    for (const unsigned shard : kKept) kept.emplace_back(all.shards[shard]->sealed);
    Bytes rebuilt(kShardBytes);
    const unsigned wanted[] = {5};
    const MutByteView wanted_bytes[] = {rebuilt};
    ASSERT_TRUE(recover_shards(kShape, kKept, kept, wanted, wanted_bytes));
    const ForgedReplica& shard = *all.shards[5];
    for (std::uint64_t h = 1; h <= 20; ++h) {
        const KnownHeight known = made_up_height(h);
        EXPECT_EQ(shard.check(known, shard.full(known, rebuilt)).reason, Reason::kSealedMismatch);
    }
}

/// What lies with six provers after a put: the shards of an encrypted file, by number.
std::vector<Bytes> put_with_six_provers() {
    const TempFolder folder;
    const NetworkId network = shard_network().id();
    const KeyPair owner = KeyPair::from_secret(Bytes(32, 90));
    std::uint64_t bytes = 4 * kShardBytes;  // so many that the shards have their size
    while (StreamShape{bytes, true, kCipherSegmentBytes}.cipher_len() > 4 * kShardBytes) --bytes;
    must(write_file(folder / "file", Bytes(bytes, 42)));
    FakeProvers provers(folder / "provers", network, owner.public_key(), kShards);
    const auto catalogue = must(Catalogue::open(folder / "catalogue", owner.public_key()));
    PutOptions options;
    options.shape = kShape;
    options.wait = false;
    const PutReport put = must(put_file(folder / "file", owner, network, provers.addresses(),
                                        provers.asker(), *catalogue, folder / "puts", options));
    std::vector<Bytes> out;
    for (unsigned shard = 0; shard < kShards; ++shard) {
        for (std::size_t i = 0; i < kShards; ++i) {
            if (provers[i].key() == put.file.at(shard, 0).prover) {
                out.push_back(provers[i].all_data());
            }
        }
    }
    return out;
}

// The same through the door of kept files. There, provers keep the data beside the replica for
// readers (`hot`), and whoever holds these needs no fill to decode: the rebuild then costs the one
// fill of the dropped window, which is what refilling from a raw copy costs (attack 30).
TEST(AttackParityDrop, OfAKeptFileTheSameAndOneFillAWindowFromHotCopies) {
    const std::vector<Bytes> raw = put_with_six_provers();
    ASSERT_EQ(raw.size(), kShards);
    for (const Bytes& shard : raw) ASSERT_EQ(shard.size(), kShardBytes);
    const SealedShards all(raw);
    Cheater cheater(all);
    const KnownHeight known = made_up_height(1);
    const ForgedReplica& dropped = *all.shards[5];
    Bytes on_demand(kShardBytes);
    const std::set<std::uint64_t> touched = windows_of(dropped, known);
    for (const std::uint64_t w : touched) cheater.rebuild(5, w, on_demand);
    EXPECT_EQ(dropped.check(known, dropped.full(known, on_demand)), Verdict::ok());
    EXPECT_EQ(cheater.fills(), 5 * touched.size());
    // Sealed shards of it do not decode to one.
    std::vector<ByteView> kept;
    for (const unsigned shard : kKept) kept.emplace_back(all.shards[shard]->sealed);
    Bytes rebuilt(kShardBytes);
    const unsigned wanted[] = {5};
    const MutByteView wanted_bytes[] = {rebuilt};
    ASSERT_TRUE(recover_shards(kShape, kKept, kept, wanted, wanted_bytes));
    EXPECT_EQ(dropped.check(known, dropped.full(known, rebuilt)).reason, Reason::kSealedMismatch);
    // Raw ones do, to what is not sealed yet.
    ASSERT_TRUE(recover_shards(kShape, kKept, views(raw, 4), wanted, wanted_bytes));
    EXPECT_EQ(rebuilt, raw[5]);
    EXPECT_FALSE(dropped.check(known, dropped.full(known, rebuilt)));
    for (const std::uint64_t w : touched) {
        seal_window(dropped.id, dropped.windows().window(w), rebuilt);
    }
    EXPECT_EQ(dropped.check(known, dropped.full(known, rebuilt)), Verdict::ok());
}

TEST(AttackParityDrop, NaiveSchemeCodesWhatIsSealed) {
    const SealedShards all;
    std::vector<Bytes> sealed;
    for (const unsigned shard : kKept) sealed.push_back(all.shards[shard]->sealed);
    const std::vector<Bytes> stored = with_parity(sealed);  // shards 4 and 5 are stored like this
    Bytes rebuilt(kShardBytes);
    const unsigned wanted[] = {5};
    const MutByteView wanted_bytes[] = {rebuilt};
    ASSERT_TRUE(recover_shards(kShape, kKept, views(stored, 4), wanted, wanted_bytes));
    EXPECT_EQ(rebuilt, stored[5]);  // a third of the storage saved, no fill at all
}

}  // namespace
}  // namespace holdfast::test
