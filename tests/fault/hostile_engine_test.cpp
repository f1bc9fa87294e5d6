// Everything that strangers can throw at a prover over real sockets, all of it at the same time,
// while one honest challenger keeps its rate: each of its challenges is answered in time, and what
// the others make the prover hold is bounded.
#include <mutex>
#include <random>

#include "availability/peer_service.hpp"
#include "support/availability_world.hpp"
#include "support/tcp_world.hpp"

namespace holdfast {
namespace {

using namespace test;
using std::chrono::milliseconds;

constexpr std::uint64_t kChains = 40;  // each challenged once at each height
constexpr std::uint64_t kHeights = 3;
constexpr auto kBetween = milliseconds(20);
constexpr std::uint8_t kProver = 1;
constexpr std::uint8_t kHonest = 2;

std::uint64_t steady_ns() {
    return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

/// A prover behind a TcpNetwork that takes anybody, and its honest challenger.
class HostileEngine : public ::testing::Test {
  protected:
    HostileEngine() {
        const auto replica = std::make_shared<Replica>(sealed_.open_replica());
        for (std::uint64_t i = 0; i < kChains; ++i) {
            must(responder_.add_chain(chain(i), replica,
                                      std::make_shared<KeyPair>(SealedChain::prover_key(0))));
        }
        must(chunks_.add_chain(chain(0), replica));
        TcpNetworkOptions options = node_options();
        options.accept_anyone = true;
        options.workers = 3;
        options.handler = [this](const PublicKey& from, ByteView object) {
            return service_.handle(from, object);
        };
        options.limits.bounds.max_response_bytes = 1U << 20;
        options.limits.max_bytes = 16U << 20;
        options.limits.max_connections = 128;
        options.limits.max_handshakes = 32;
        options.limits.handshake_timeout_ms = 1'000;
        options.limits.frames_per_second = 200;  // the honest one needs 100
        options.limits.frame_timeout_ms = 1'000;
        limits_ = options.limits;
        server_ = start_node(kProver, options);
        honest_ = start_node(kHonest);
        EXPECT_TRUE(honest_->add_peer(peer_at(kProver, *server_)));
        EXPECT_TRUE(honest_->wait_connected(node_key(kProver).public_key(), 20'000));
        open_height(first_);
    }
    void TearDown() override { end_attacks(); }

    /// Runs until end_attacks(), again and again.
    void attack(std::function<void()> once) {
        hostile_.emplace_back([this, once = std::move(once)] {
            while (!over_) {
                once();
                std::this_thread::sleep_for(milliseconds(2));
            }
        });
    }
    void end_attacks() {
        over_ = true;
        for (std::thread& thread : hostile_) thread.join();
        hostile_.clear();
    }
    [[nodiscard]] std::string address() const { return server_->address(); }
    /// A key that nobody has used.
    KeyPair new_key() {
        Bytes secret(32, 77);
        store_le32(secret.data(), next_key_++);
        return KeyPair::from_secret(secret);
    }
    [[nodiscard]] Bytes challenge(Height h, std::uint64_t i, const KeyPair& key) const {
        return wrap_object(Kind::kChallenge2, make(h, i, key).encode());
    }
    /// The honest one's, at its rate; the longest service.
    std::uint32_t challenge_all(Height h) {
        std::uint32_t longest_us = 0;
        const auto start = std::chrono::steady_clock::now();
        for (std::uint64_t i = 0; i < kChains; ++i) {
            std::this_thread::sleep_until(start + i * kBetween);
            const Challenge2 c = make(h, i, node_key(kHonest));
            const auto reply = honest_->send_challenge(node_key(kProver).public_key(),
                                                       wrap_object(Kind::kChallenge2, c.encode()),
                                                       params_.deadline_ms);
            const ReplyJudgement judged = judge_reply(params_, context(c), reply);
            EXPECT_EQ(judged.outcome, OutcomeKind::kServed) << (reply ? "" : reply.error().message);
            longest_us = std::max(longest_us, judged.service_us);
            if (i == 0) first_answered_ = h.value;
            watch();
        }
        return longest_us;
    }
    void open_height(Height h) {
        due_ = h.value;
        for (const Height block : {h, h + 1}) {
            responder_.on_final_block(
                {block, test_hash(block), test_y(block), {{node_key(kHonest).public_key(), 1}}});
        }
    }
    /// Refusals that the attacks must lead to, and have not yet.
    [[nodiscard]] std::vector<std::string> unseen() const {
        std::vector<std::string> out;
        const ResponderStatistics answered = responder_.statistics();
        for (const Reason reason : {Reason::kNotAssigned, Reason::kBadSignature, Reason::kTooEarly,
                                    Reason::kDuplicateChallenge, Reason::kBusy}) {
            if (!answered.ignored.contains(reason)) out.push_back(to_string(Verdict(reason)));
        }
        const TcpStatistics now = server_->statistics();
        for (const auto& [name, count] : {std::pair{"tls", now.refused_tls},
                                          {"malformed", now.refused_malformed},
                                          {"duplicates", now.duplicates},
                                          {"throttled", now.throttled},
                                          {"ceiling", now.refused_ceiling}}) {
            if (count == 0) out.emplace_back(name);
        }
        return out;
    }
    void watch() {
        const TcpStatistics now = server_->statistics();
        most_held_ = std::max(most_held_, now.bytes_held);
        most_connections_ = std::max(most_connections_, now.connections);
    }
    static ChainId chain(std::uint64_t i) { return ChainId(tagged_hash("test/chain", i)); }

    const NetworkParams params_ = availability_network();
    const NetworkId network_id_ = params_.id();
    const Height first_{200};
    const SealedChain sealed_{params_, 1};
    AvailabilityResponder responder_{params_, steady_ns};
    ChunkServer chunks_{steady_ns};
    PeerService service_{&responder_, &chunks_};
    TcpLimits limits_;
    TcpNode server_;
    TcpNode honest_;
    std::uint64_t most_held_ = 0;
    std::uint64_t most_connections_ = 0;
    std::atomic<bool> over_ = false;
    std::atomic<std::uint64_t> due_ = 0;             // height that is challenged
    std::atomic<std::uint64_t> first_answered_ = 0;  // height whose chain 0 has been

  private:
    [[nodiscard]] Challenge2 make(Height h, std::uint64_t i, const KeyPair& key) const {
        return make_challenge2(network_id_, chain(i), h, test_hash(h), test_y(h),
                               Reveal(tagged_hash("test/reveal", h.value)), key)
            .value();
    }
    [[nodiscard]] ResponseContext context(const Challenge2& c) const {
        return {c.id(network_id_), sealed_.key().public_key(), sealed_.registration().sealed_root,
                sealed_.chunks(),
                challenged_chunks(params_, network_id_, test_y(c.height), c.chain_id, c.challenger,
                                  c.nonce, sealed_.chunks())};
    }

    std::atomic<std::uint32_t> next_key_ = 1;
    std::vector<std::thread> hostile_;
};

TEST_F(HostileEngine, ServesTheHonestInTimeWhateverTheOthersDo) {
    const std::size_t descriptors = open_descriptors();
    // Garbage, each time over a new connection.
    attack([&] {
        const RawSocket socket(address(), "127.0.0.2");
        socket.write(Bytes(3'000, 0xa5));
    });
    // Half-open connections: nothing follows the first byte.
    constexpr std::size_t kHalfOpen = 64;  // kept by the attacker
    std::vector<std::unique_ptr<RawSocket>> half_open;
    attack([&] {
        if (half_open.size() >= kHalfOpen) half_open.clear();
        half_open.push_back(std::make_unique<RawSocket>(address(), "127.0.0.3"));
        half_open.back()->write(Bytes(1, 0x16));
    });
    // Huge lengths, kinds that do not travel, answers that nobody asked for.
    attack([&] {
        for (const FrameHeader& header :
             {FrameHeader{UINT32_MAX, FrameType::kRequest, kReadRequestKind, 1},
              FrameHeader{200, FrameType::kRequest, 17, 1},
              FrameHeader{16U << 20, FrameType::kResponse, 0, 1}}) {
            RawPeer peer(address(), new_key(), "127.0.0.4");
            if (peer.greet()) peer.frame(header);
        }
    });
    // A frame that never ends, and one peer that announces much and sends nothing.
    attack([&] {
        RawPeer peer(address(), new_key(), "127.0.0.5");
        if (!peer.greet()) return;
        peer.frame({60'000, FrameType::kRequest, kReadRequestKind, 1}, message_of(10));
        for (int i = 0; i < 20 && !over_ && peer.write(Bytes(1, 0)); ++i) {
            std::this_thread::sleep_for(milliseconds(50));
        }
    });
    // The same numbers again, and backwards; what is asked for is right.
    const Bytes read = ReadRequest{chain(0), ReadWhat::kSealed, ChunkIndex(0), 64}.encode();
    const auto length = static_cast<std::uint32_t>(read.size());
    attack([&] {
        RawPeer peer(address(), new_key(), "127.0.0.6");
        if (!peer.greet()) return;
        for (std::uint64_t n : {9, 9, 8, 7, 2'000, 3, 2'000}) {
            peer.frame({length, FrameType::kRequest, kReadRequestKind, n}, read);
        }
        for (int i = 0; i < 7; ++i) (void)peer.read();
    });
    // Floods: of requests whose answers are never read, and of pings.
    for (int flood = 0; flood < 3; ++flood) {
        attack([&] {
            RawPeer peer(address(), new_key(), "127.0.0.7");
            if (!peer.greet()) return;
            std::uint64_t n = 0;
            while (!over_ && n < 400 &&
                   peer.frame({length, FrameType::kRequest, kReadRequestKind, ++n}, read)) {
            }
        });
    }
    attack([&] {
        RawPeer peer(address(), new_key(), "127.0.0.9");
        if (!peer.greet()) return;
        std::uint64_t n = 0;
        while (!over_ && n < 2'000 && peer.frame({0, FrameType::kPing, 0, ++n})) {
        }
    });
    // Challenges: of a key that is not in force, with a forged signature in the honest one's name,
    // for a height that is not due, and one that has been answered; each key until it is ignored.
    attack([&] {
        RawPeer peer(address(), new_key(), "127.0.0.8");
        if (!peer.greet()) return;
        const KeyPair honest = node_key(kHonest);
        const Height h(due_);
        Bytes forged = challenge(h, kChains - 1, honest);
        forged.back() ^= 1;
        std::uint64_t n = 0;
        for (int round = 0; round < 10; ++round) {
            for (const Bytes& object :
                 {challenge(h, kChains - 1, node_key(99)), forged, challenge(h + 2, 2, honest),
                  challenge(Height(first_answered_), 0, honest)}) {
                peer.frame({static_cast<std::uint32_t>(object.size()), FrameType::kRequest,
                            static_cast<std::uint8_t>(Kind::kChallenge2), ++n},
                           object);
                (void)peer.read();
            }
        }
    });

    std::uint32_t longest_us = 0;
    for (Height h = first_; h < first_ + kHeights; ++h) {
        if (h != first_) open_height(h);
        longest_us = std::max(longest_us, challenge_all(h));
    }
    const std::size_t descriptors_now = open_descriptors();
    // On a slow machine some attack may not have come through yet.
    for (int i = 0; i < 600 && !unseen().empty(); ++i)
        std::this_thread::sleep_for(milliseconds(50));
    end_attacks();
    RecordProperty("longest_service_us", std::to_string(longest_us));
    RecordProperty("most_bytes_held", std::to_string(most_held_));
    std::printf("longest service %u us, at most %lu bytes held and %lu connections\n", longest_us,
                static_cast<unsigned long>(most_held_),
                static_cast<unsigned long>(most_connections_));

    EXPECT_LE(most_held_, limits_.max_bytes);
    EXPECT_LE(most_connections_, limits_.max_connections);
    // The server's share of them: at most one for each connection that it counts.
    EXPECT_LE(descriptors_now, descriptors + kHalfOpen + most_connections_ + 16);
    const ResponderStatistics answered = responder_.statistics();
    EXPECT_EQ(answered.answered, kChains * kHeights);
    EXPECT_EQ(answered.failed, 0U);
    EXPECT_EQ(unseen(), std::vector<std::string>());
}

}  // namespace
}  // namespace holdfast
