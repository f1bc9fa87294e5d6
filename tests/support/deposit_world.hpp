// A prover's intake of deposits in a folder, its clock and its chain as the test says, and clients
// that ask it without a transport.
#pragma once

#include <mutex>

#include "deposit/client.hpp"
#include "deposit/service.hpp"
#include "support/seal_world.hpp"

namespace holdfast::test {

struct DepositWorld {
    DepositWorld() {
        settings.folder = folder / "deposits";
        settings.clients = {{alice.public_key(), 100 << 20, 10}, {bob.public_key(), 100 << 20, 10}};
        settings.reserve_bytes = 0;
        settings.limit_bytes = std::uint64_t{1} << 30;
        settings.bytes_per_second = std::uint64_t{1} << 30;
        settings.seal_bytes_per_second = 0;
        settings.heights = 500;
        settings.expiring_heights = 50;
    }
    void start() {
        service.reset();
        auto opened = DepositService::open(settings, network, prover, host());
        ASSERT_TRUE(opened) << opened.error().message;
        service = std::move(*opened);
    }
    DepositHost host() {
        DepositHost h;
        h.now_ms = [this] { return now_ms; };
        h.clock = [this] { return now_ms * kNsPerMs; };
        h.tip = [this] { return std::optional(tip); };
        h.chain = [this](const ReplicaId&) { return chain; };
        h.end_chain = [this](const ChainId&) -> Status {
            ++ends_asked;
            return {};
        };
        h.look = [this] { ++looks; };
        h.leave = [](const std::filesystem::path&) {};
        h.tell = [](const char*, const DepositId&, const std::string&, bool) {};
        return h;
    }
    [[nodiscard]] DepositClient client(const KeyPair& key) {
        DepositClientOptions options;
        options.patience_ms = 100;
        options.pause_ms = 1;
        return {network.id(), prover.public_key(), key,
                [this, from = key.public_key()](ByteView question) -> Result<Bytes> {
                    return service->handle(from, question);
                },
                options};
    }
    [[nodiscard]] DepositOrder order(const KeyPair& key, std::uint64_t bytes, std::uint8_t n = 1) {
        DepositOrder out;
        out.id.bytes[0] = n;
        out.bytes = bytes;
        auto terms = client(key).terms(bytes);
        EXPECT_TRUE(terms) << terms.error().message;
        if (terms) out.terms = *terms;
        return out;
    }
    static ByteView piece(ByteView data, std::uint64_t index) {
        return data.subspan(index * kPieceBytes, piece_bytes(data.size(), index));
    }
    static Root root_of(ByteView data) {
        std::vector<Digest> roots;
        for (std::uint64_t i = 0; i < piece_count(data.size()); ++i) {
            roots.push_back(piece_root(data.size(), i, piece(data, i)));
        }
        return root_of_pieces(roots);
    }
    /// From the first piece that has not arrived; to the end.
    static Status upload(const DepositClient& client, const DepositOrder& order, ByteView data) {
        HOLDFAST_ASSIGN(state, client.open(order));
        for (std::uint64_t i = state.arrived / kPieceBytes; i < piece_count(data.size()); ++i) {
            HOLDFAST_TRY(client.send_piece(order, i, piece(data, i)));
        }
        HOLDFAST_TRY(client.finish(order, root_of(data)));
        return {};
    }
    [[nodiscard]] std::filesystem::path file(const DepositOrder& one, const char* suffix) const {
        return settings.folder / (to_hex(one.id) + suffix);
    }

    NetworkParams network = seal_network();
    KeyPair prover = KeyPair::from_secret(Bytes(32, 1));
    KeyPair alice = KeyPair::from_secret(Bytes(32, 2));
    KeyPair bob = KeyPair::from_secret(Bytes(32, 3));
    KeyPair stranger = KeyPair::from_secret(Bytes(32, 4));
    TempFolder folder;
    DepositSettings settings;
    std::uint64_t now_ms = 1'800'000'000'000;
    Height tip{1'000};
    std::optional<DepositChain> chain;
    std::atomic<int> ends_asked{0};
    std::atomic<int> looks{0};
    std::unique_ptr<DepositService> service;
};

inline bool never() { return false; }

}  // namespace holdfast::test
