#include "chunking/file_header.hpp"

#include "chunking/tree_file.hpp"
#include "support/json.hpp"
#include "support/seal_world.hpp"

namespace holdfast {
namespace {

using test::fixed;
using test::hex;
using test::load_vectors;

Verdict judge(Kind kind, ByteView bytes, const NetworkParams& network) {
    const auto header = decode_file_header(kind, bytes);
    return header ? check_file_header(*header, network) : header.error();
}

TEST(FileHeader, Vectors) {
    const auto file = load_vectors("files.json");
    const auto network = *NetworkParams::decode(hex(file["network"]));
    EXPECT_EQ(network.id(), fixed<NetworkId>(file["network_id"]));
    for (const auto& replica : file["cases"]["replicas"]) {
        for (const auto& h : replica["headers"]) {
            const Kind kind = h["kind"] == 17 ? Kind::kReplicaFile : Kind::kTreeFile;
            const Bytes bytes = hex(h["header"]);
            ASSERT_EQ(judge(kind, bytes, network), Verdict::ok());
            const FileHeader header = *decode_file_header(kind, bytes);
            EXPECT_EQ(header.replica.raw_root, fixed<Root>(replica["raw_root"]));
            EXPECT_EQ(header.sealed_root, fixed<Root>(replica["sealed_root"]));
            EXPECT_EQ(header.replica_id, fixed<ReplicaId>(replica["replica_id"]));
            EXPECT_EQ(header.replica.nonce, replica["nonce"].get<std::uint64_t>());
            EXPECT_EQ(encode_file_header(kind, header), bytes);
            EXPECT_EQ(make_file_header(header.replica, header.sealed_root, network.id()), header);
            ASSERT_FALSE(h["refused"].empty());
            test::expect_refused(h["refused"], bytes,
                                 [&](ByteView changed) { return judge(kind, changed, network); });
        }
    }
}

FileHeader tiny_header(const NetworkParams& network) {
    ReplicaHeader replica;
    replica.prover = KeyPair::from_secret(view(sha256(view("prover")))).public_key();
    replica.raw_root = Root(sha256(view("raw")));
    replica.data_len = 100;
    replica.chunks = ChunkCount(16);
    replica.seal = test::kTinySeal;
    return make_file_header(replica, Root(sha256(view("sealed"))), network.id());
}

TEST(FileHeader, EveryBitFlipIsRefused) {
    const NetworkParams network = test::seal_network();
    const Bytes bytes = encode_file_header(Kind::kReplicaFile, tiny_header(network));
    ASSERT_EQ(judge(Kind::kReplicaFile, bytes, network), Verdict::ok());
    for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
        Bytes changed = bytes;
        changed[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
        EXPECT_FALSE(judge(Kind::kReplicaFile, changed, network)) << bit;
    }
}

TEST(FileHeader, EachFaultHasItsReason) {
    const NetworkParams network = test::seal_network();
    const FileHeader good = tiny_header(network);
    const auto judge_header = [&](auto change) {
        FileHeader h = good;
        change(h);
        return judge(Kind::kReplicaFile, encode_file_header(Kind::kReplicaFile, h), network).reason;
    };
    EXPECT_EQ(judge_header([](FileHeader&) {}), Reason::kOk);
    EXPECT_EQ(judge_header([](FileHeader& h) { h.network_id.bytes[0] ^= 1; }),
              Reason::kWrongNetwork);
    EXPECT_EQ(judge_header([](FileHeader& h) { h.replica.seal.work_blocks += 1; }),
              Reason::kSealPolicy);
    EXPECT_EQ(judge_header([](FileHeader& h) { h.replica.seal = kSealStandard; }),
              Reason::kSealPolicy);
    EXPECT_EQ(judge_header([](FileHeader& h) { ++h.replica.chunks; }), Reason::kBadGeometry);
    EXPECT_EQ(judge_header([](FileHeader& h) { h.replica.data_len = 0; }), Reason::kBadGeometry);
    EXPECT_EQ(judge_header([](FileHeader& h) { h.replica.prover.bytes.fill(0xff); }),
              Reason::kBadKey);
    EXPECT_EQ(judge_header([](FileHeader& h) { h.replica.nonce ^= 1; }), Reason::kBadField);
    EXPECT_EQ(judge_header([](FileHeader& h) { h.replica_id.bytes[5] ^= 1; }), Reason::kBadField);

    Bytes bytes = encode_file_header(Kind::kReplicaFile, good);
    EXPECT_EQ(judge(Kind::kTreeFile, bytes, network).reason, Reason::kBadMagic);
    EXPECT_EQ(judge(Kind::kReplicaFile, ByteView(bytes).first(4'095), network).reason,
              Reason::kTruncated);
    EXPECT_EQ(judge(Kind::kReplicaFile, {}, network).reason, Reason::kTruncated);
    bytes.push_back(0);
    EXPECT_EQ(judge(Kind::kReplicaFile, bytes, network).reason, Reason::kTrailingBytes);
    bytes.pop_back();
    bytes.back() ^= 1;
    EXPECT_EQ(judge(Kind::kReplicaFile, bytes, network).reason, Reason::kBadSum);
}

TEST(ReplicaHeader, IdsOfTheSealVectors) {
    const auto file = load_vectors("seal.json");
    const auto network = fixed<NetworkId>(file["network_id"]);
    for (const auto& c : file["cases"]["replicas"]) {
        const Bytes registration = hex(c["registration"]);
        Reader r(ByteView(registration).first(kReplicaHeaderBytes));
        const ReplicaHeader header = ReplicaHeader::decode(r);
        ASSERT_TRUE(r.finish());
        Writer w;
        header.encode(w);
        EXPECT_EQ(w.bytes(), Bytes(registration.begin(), registration.begin() + 101));
        EXPECT_EQ(header.replica_id(network), fixed<ReplicaId>(c["replica_id"]));
        const Digest owned = ownership(header.replica_id(network), fixed<Root>(c["sealed_root"]));
        EXPECT_EQ(owned, fixed<Digest>(c["ownership"]));
        EXPECT_EQ(chain_id(owned, Height(c["genesis_height"].get<std::uint64_t>()),
                           fixed<BlockHash>(c["genesis_block_hash"])),
                  fixed<ChainId>(c["chain_id"]));
    }
}

}  // namespace
}  // namespace holdfast
