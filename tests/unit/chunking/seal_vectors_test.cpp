// Sealing against the independent implementation's vectors: roots, windows, keystreams, whole
// files.
#include "chunking/seal.hpp"
#include "chunking/unseal.hpp"
#include "core/keystream.hpp"
#include "support/json.hpp"
#include "support/seal_world.hpp"

namespace holdfast {
namespace {

using test::data_of;
using test::fixed;
using test::hex;
using test::load_vectors;
using test::slurp;
using test::TempFolder;

SealParams seal_params_of(const nlohmann::json& value) {
    const Bytes bytes = hex(value);
    Reader r(bytes);
    const SealParams params = SealParams::decode(r);
    EXPECT_TRUE(r.finish());
    return params;
}

struct VectorSeal {
    TempFolder folder;
    NetworkParams network;
    SealRequest request;
    Bytes data;

    VectorSeal(const nlohmann::json& file, const nlohmann::json& c)
        : network(*NetworkParams::decode(hex(file["network"]))), data(data_of(c["data"])) {
        request.network = network;
        request.prover = KeyPair::from_secret(hex(c["secret_key"])).public_key();
        EXPECT_EQ(request.prover, fixed<PublicKey>(c["prover_pk"]));
        request.seal = seal_params_of(c["seal_params"]);
        request.nonce = c["nonce"].get<std::uint64_t>();
        request.source = folder / "data";
        request.replica_path = folder / "x.replica";
        request.tree_path = folder / "x.tree";
        test::spill(request.source, data);
    }
};

void check_ids(const SealedReplica& sealed, const nlohmann::json& c) {
    EXPECT_EQ(sealed.header.replica.chunks.value, c["chunks"].get<std::uint64_t>());
    EXPECT_EQ(sealed.header.replica.raw_root, fixed<Root>(c["raw_root"]));
    EXPECT_EQ(sealed.header.replica_id, fixed<ReplicaId>(c["replica_id"]));
    EXPECT_EQ(sealed.header.sealed_root, fixed<Root>(c["sealed_root"]));
}

TEST(SealVectors, Replicas) {
    const auto file = load_vectors("seal.json");
    for (const auto& c : file["cases"]["replicas"]) {
        VectorSeal v(file, c);
        for (const unsigned workers : {1U, 3U}) {
            SealOptions options;
            options.workers = workers;
            const auto sealed = seal(v.request, options);
            ASSERT_TRUE(sealed.has_value()) << sealed.error().message;
            check_ids(*sealed, c);
            const Bytes replica = slurp(v.request.replica_path);
            EXPECT_EQ(sha256(ByteView(replica).subspan(kFileHeaderBytes)),
                      fixed<Digest>(c["sealed_sha256"]));
            EXPECT_EQ(replica.size(), sealed->replica_bytes);

            const auto opened =
                Replica::open(v.request.replica_path, v.request.tree_path, v.network);
            ASSERT_TRUE(opened.has_value()) << opened.error().message;
            ASSERT_TRUE(unseal(*opened, v.folder / "back").has_value());
            EXPECT_EQ(slurp(v.folder / "back"), v.data);
            for (const char* name : {"x.replica", "x.tree", "back"}) {
                std::filesystem::remove(v.folder / name);
            }
        }
    }
}

TEST(SealVectors, Keystreams) {
    const auto file = load_vectors("seal.json");
    for (const auto& c : file["cases"]["replicas"]) {
        const WindowPlan plan(ChunkCount(c["chunks"].get<std::uint64_t>()),
                              seal_params_of(c["seal_params"]));
        ASSERT_EQ(plan.count(), c["windows"].size());
        for (std::uint64_t w = 0; w < plan.count(); ++w) {
            const auto& expected = c["windows"][w];
            const Window window = plan.window(w);
            EXPECT_EQ(window.first.value, expected["first_chunk"].get<std::uint64_t>());
            EXPECT_EQ(window.chunks.value, expected["chunks"].get<std::uint64_t>());
            EXPECT_EQ(window.passes, expected["passes"].get<std::uint32_t>());
            auto memory = FillMemory::allocate(window.bytes());
            ASSERT_TRUE(memory.has_value());
            for (const FillKernel& kernel : fill_kernels()) {
                if (!kernel.usable()) continue;
                FillOptions options;
                options.kernel = &kernel;
                ASSERT_TRUE(fill_keystream(fixed<ReplicaId>(c["replica_id"]), window,
                                           {memory->data(), window.bytes()}, options)
                                .has_value());
                EXPECT_EQ(sha256(memory->bytes()), fixed<Digest>(expected["keystream_sha256"]))
                    << kernel.name;
            }
        }
    }
}

TEST(SealVectors, Files) {
    const auto file = load_vectors("files.json");
    for (const auto& c : file["cases"]["replicas"]) {
        VectorSeal v(file, c);
        const auto sealed = seal(v.request);
        ASSERT_TRUE(sealed.has_value()) << sealed.error().message;
        check_ids(*sealed, c);
        const Bytes replica = slurp(v.request.replica_path);
        const Bytes tree = slurp(v.request.tree_path);
        EXPECT_EQ(sha256(replica), fixed<Digest>(c["replica_file_sha256"]));
        EXPECT_EQ(sha256(tree), fixed<Digest>(c["tree_file_sha256"]));
        EXPECT_EQ(Bytes(tree.begin() + kFileHeaderBytes, tree.end()), hex(c["trees"]));
        EXPECT_EQ(tree.size(), sealed->tree_bytes);
    }
}

}  // namespace
}  // namespace holdfast
