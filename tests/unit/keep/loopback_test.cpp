// Put and get over TLS with provers that really take in, seal and serve.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "keep/get.hpp"
#include "keep/put.hpp"
#include "storage/file.hpp"
#include "support/loopback_provers.hpp"
#include "support/temp_folder.hpp"

namespace holdfast {
namespace {

TEST(PutAndGet, OverTlsWithProversThatSealAndServeWhatTheyTookIn) {
    test::TempFolder folder;
    NetworkParams params = NetworkParams::preset(kParamsVersion2);
    params.seal_presets = {kSealDev};
    const KeyPair owner = KeyPair::from_secret(Bytes(32, 1));
    std::vector<std::unique_ptr<test::LoopbackProver>> provers;
    std::vector<ProverAddress> addresses;
    for (std::uint8_t i = 0; i < 6; ++i) {
        provers.push_back(std::make_unique<test::LoopbackProver>(
            folder / ("prover" + std::to_string(i)), params, owner.public_key(),
            static_cast<std::uint8_t>(100 + i)));
        provers.back()->start_sealing();
        addresses.push_back(provers.back()->address());
    }
    std::mt19937_64 random(21);
    Bytes text(7'654'321);
    for (auto& b : text) b = static_cast<std::uint8_t>(random());
    ASSERT_TRUE(write_file(folder / "file", text));
    const auto catalogue = Catalogue::open(folder / "catalogue", owner.public_key()).value();
    const auto links = TcpProvers::start(owner, params.id()).value();
    PutOptions options;
    options.poll_ms = 20;
    const auto put = put_file(folder / "file", owner, params.id(), addresses, links->asker(),
                              *catalogue, put_journals(folder / "catalogue"), options);
    ASSERT_TRUE(put) << put.error().message;
    EXPECT_EQ(put->proven, 6U);
    for (const KeptShard& shard : put->file.shards) EXPECT_FALSE(shard.chain.is_zero());
    for (std::size_t gone : {0U, 3U}) provers[gone]->leave();
    const auto read = get_file(put->file, owner, {0, text.size()}, folder / "back", links->asker());
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(read_file(folder / "back", UINT64_MAX).value(), text);
}

}  // namespace
}  // namespace holdfast
