// A network of challengers and provers in virtual time: a registry, a book, a court, a token, and
// connections that delay, lose, repeat and reorder what they carry.
//
// Everything runs on one thread and follows from one seed. Replicas are really sealed (preset
// `dev`).
#pragma once

#include <map>
#include <random>
#include <utility>

#include "availability/judge.hpp"
#include "availability/peer_service.hpp"
#include "embedded/bond_ledger.hpp"
#include "support/sealed_chain.hpp"

namespace holdfast::test {

/// Every height challenges every chain.
inline NetworkParams availability_network() {
    NetworkParams p = short_network();
    p.name = "availability test";
    p.block_ms = 52'000;
    p.rate_window = 400;
    p.misses_late = 300;  // links are not what is tested here
    p.misses_expired = 390;
    p.availability_n = p.availability_d = 1;
    p.availability_chunks = 4;
    return p;
}

/// A connection and what stands behind it.
struct SimPeer {
    std::function<Result<Bytes>(const PublicKey& from, ByteView object)> handle;
    std::uint64_t rtt_us = 20'000;
    std::uint64_t service_us = 8'000;  // for whatever it answers
    std::uint64_t jitter_us = 4'000;   // added to either, evenly
    std::uint64_t ping_delay_us = 0;   // by which a cheater holds its pings back
    unsigned lost_percent = 0;
    unsigned repeated_percent = 20;   // of the requests arrive twice
    unsigned reordered_percent = 20;  // of the requests arrive behind an old one
    bool down = false;
};

/// The clock, and the randomness of connections.
struct SimTime {
    std::uint64_t now_ns = 1'000'000'000;
    std::mt19937_64 random{11};
    [[nodiscard]] MonotonicNs clock() {
        return [this] { return now_ns; };
    }
    void pass_us(std::uint64_t us) { now_ns += us * 1'000; }
    bool happens(unsigned percent) { return random() % 100 < percent; }
};

class SimNetwork final : public Network {
  public:
    SimNetwork(SimTime& time, PublicKey own, std::map<PublicKey, SimPeer>& sim_peers)
        : time_(time), own_(own), peers_(sim_peers) {}

    Result<std::vector<Peer>> peers() override { return std::vector<Peer>(); }
    Result<std::vector<std::uint64_t>> measure_latency(const PublicKey&, std::uint32_t,
                                                       std::uint32_t) override {
        return fail(ErrorCode::kUnsupported, "not simulated");
    }
    Result<std::vector<VantageReport>> verify_place(const PublicKey&, const Place&,
                                                    std::uint32_t) override {
        return places;
    }
    Result<ChallengeReply> send_challenge(const PublicKey& key, ByteView object,
                                          std::uint32_t deadline_ms) override {
        const auto found = peers_.find(key);
        if (found == peers_.end()) return fail(ErrorCode::kNotFound, "no such peer");
        SimPeer& peer = found->second;
        if (peer.down) return fail(ErrorCode::kUnavailable, "down");
        const auto late = [&]() -> Result<ChallengeReply> {
            time_.pass_us(deadline_ms * 1'000ULL);
            return fail(ErrorCode::kTimeout, "late");
        };
        if (time_.happens(peer.lost_percent)) return late();
        if (!before_.empty() && time_.happens(peer.reordered_percent)) {
            (void)peer.handle(own_, before_);
        }
        const Result<Bytes> response = peer.handle(own_, object);
        if (time_.happens(peer.repeated_percent)) (void)peer.handle(own_, object);
        before_.assign(object.begin(), object.end());
        if (!response || time_.happens(peer.lost_percent)) return late();
        const auto jitter = [&] {
            return peer.jitter_us == 0 ? 0 : time_.random() % peer.jitter_us;
        };
        const std::uint64_t service_us = peer.rtt_us + peer.service_us + jitter();
        if (service_us > deadline_ms * 1'000ULL) return late();
        const std::uint64_t ping_us = peer.rtt_us + peer.ping_delay_us + jitter() / 4;
        time_.pass_us(service_us + ping_us);
        return ChallengeReply{*response, static_cast<std::uint32_t>(service_us),
                              static_cast<std::uint32_t>(ping_us)};
    }

    std::vector<VantageReport> places;

  private:
    SimTime& time_;
    PublicKey own_;
    std::map<PublicKey, SimPeer>& peers_;
    Bytes before_;
};

/// A host chain that lists at the next block whatever was submitted.
class ListingChain final : public Blockchain {
  public:
    Result<Height> current_height() override { return Height(0); }
    Result<BlockInfo> block_by_height(Height) override {
        return fail(ErrorCode::kNotFound, "no blocks here");
    }
    Status submit(Kind kind, ByteView object) override {
        waiting.push_back({kind, Bytes(object.begin(), object.end())});
        return {};
    }
    Result<std::vector<Submission>> submissions_at(Height height) override {
        return listed[height];
    }
    void list(Height height) { listed[height] = std::exchange(waiting, {}); }
    std::vector<Submission> waiting;
    std::map<Height, std::vector<Submission>> listed;
};

class AvailabilityWorld {
  public:
    static constexpr std::uint64_t kBond = 1'000;
    static constexpr AvailabilityTerms kTerms{7, 3};

    struct Prover {
        std::unique_ptr<SealedChain> chain;
        std::unique_ptr<AvailabilityResponder> responder;
        BondId bond;
    };
    struct Challenging {
        KeyPair key;
        Height base;
        std::unique_ptr<ChallengeJournal> journal;
        std::unique_ptr<SimNetwork> network;
        std::unique_ptr<AvailabilityChallenger> engine;
    };

    /// Tests fork: a child must not find itself without its workers.
    static RegistryOptions one_thread() {
        RegistryOptions options;
        options.map_bytes = std::uint64_t{1} << 30;
        options.threads = 1;
        return options;
    }
    AvailabilityWorld(std::size_t provers_wanted, std::size_t challengers_wanted)
        : params(availability_network()), world(params, one_thread()) {
        token = must(BondLedger::open(folder / "token", params.id()));
        must(token->fund_pool(1'000'000, idempotency(1)));
        ledger = must(SettlementLedger::open(folder / "settlement", params.id()));
        book = must(AvailabilityBook::open(folder / "book", params));
        court = std::make_unique<Court>(registry_knowledge(world.registry()),
                                        registry_bonds(world.registry()), *ledger, *token,
                                        CourtTerms{});
        judge = std::make_unique<AvailabilityJudge>(world.registry(), *book, token.get(), kBond,
                                                    court.get());
        for (std::size_t i = 0; i < provers_wanted; ++i) add_prover(i);
        std::vector<const SealedChain*> all;
        for (const Prover& p : provers) all.push_back(p.chain.get());
        enrol(world, all);
        for (std::size_t i = 0; i < challengers_wanted; ++i) add_challenger(i);
        // Until the challengers are in force and every chain has its slot.
        for (std::uint32_t i = 0; i <= params.seal_delay + 1; ++i) feed();
        EXPECT_EQ(must(book->challengers_at(world.tip())).size(), challengers_wanted);
        verdicts.clear();
    }

    /// The next block, with whatever was submitted.
    void feed() {
        const Height tip = world.tip() + 1;
        for (const ObjectOutcome& o : must(judge->catch_up(chain, tip)))
            ++verdicts[o.verdict.reason];
        suspended = must(judge->suspended(tip - params.closing_blocks()));
        world.feed(true, suspended);
        chain.list(tip);
        tell(tip);
    }
    /// The same, and all challenges of the height before.
    void block() {
        feed();
        const Height tip = world.tip();
        for (Challenging& c : challengers) {
            c.engine->on_final_block(tip);
            if (const auto round = must(judge->round(tip - 1))) must(c.engine->draw(*round));
            must(c.engine->publish(chain));
        }
        const std::uint64_t start = time.now_ns;
        while (send_next()) {
        }
        time.now_ns = std::max<std::uint64_t>(time.now_ns, start + params.block_ms * 1'000'000ULL);
        must(book->settle(*ledger, kTerms));
        must(ledger->work(*token));
    }
    void blocks(int count) {
        for (int i = 0; i < count; ++i) block();
    }

    [[nodiscard]] AvailabilityScore score(std::size_t prover) const {
        return must(book->score(provers[prover].chain->id()));
    }
    [[nodiscard]] std::uint64_t held(std::size_t prover) const {
        return must(token->bond_info(provers[prover].bond)).held_amount;
    }
    [[nodiscard]] bool is_suspended(std::size_t prover) const {
        return std::find(suspended.begin(), suspended.end(), provers[prover].chain->id()) !=
               suspended.end();
    }
    SimPeer& peer(std::size_t prover) { return peers[key_of_prover(prover)]; }
    [[nodiscard]] PublicKey key_of_prover(std::size_t i) const {
        return provers[i].chain->key().public_key();
    }
    static IdempotencyKey idempotency(std::uint64_t n) {
        return IdempotencyKey(tagged_hash("test/idempotency", n));
    }

    NetworkParams params;
    TempFolder folder;
    RegistryWorld world;
    SimTime time;
    std::map<PublicKey, SimPeer> peers;
    std::unique_ptr<BondLedger> token;
    std::unique_ptr<SettlementLedger> ledger;
    std::unique_ptr<AvailabilityBook> book;
    std::unique_ptr<AvailabilityJudge> judge;
    std::unique_ptr<Court> court;
    ListingChain chain;
    std::vector<Prover> provers;
    std::vector<Challenging> challengers;
    std::vector<ChainId> suspended;  // in the digest that the newest block has closed
    std::map<Reason, std::uint64_t> verdicts;
    ChallengerReport report;

  private:
    BondId bond(const PublicKey& owner, BondPurpose purpose, std::uint64_t number) {
        must(token->issue(owner, kBond, idempotency(1'000 + 2 * number)));
        return must(token->create_bond(owner, kBond, purpose, idempotency(1'001 + 2 * number)));
    }
    void add_prover(std::size_t i) {
        Prover p;
        SealedChainOptions options;
        options.chunks = 16;
        options.key = i;
        p.bond = bond(SealedChain::prover_key(i).public_key(), BondPurpose::kStorage, i);
        options.bond = p.bond;
        p.chain = std::make_unique<SealedChain>(params, i, options);
        p.responder = std::make_unique<AvailabilityResponder>(params, time.clock());
        must(p.responder->add_chain(p.chain->id(),
                                    std::make_shared<Replica>(p.chain->open_replica()),
                                    std::make_shared<KeyPair>(SealedChain::prover_key(i))));
        AvailabilityResponder* const responder = p.responder.get();
        SimPeer& sim = peers[p.chain->key().public_key()];
        sim.handle = [responder](const PublicKey& from, ByteView object) {
            return responder->respond(from, object);
        };
        provers.push_back(std::move(p));
    }
    void add_challenger(std::size_t i) {
        Challenging c{KeyPair::from_secret(view(tagged_hash("test/challenger", i))),
                      world.tip() + 1 + params.seal_delay,  // listed by the next block
                      {},
                      {},
                      {}};
        const PublicKey own = c.key.public_key();
        c.journal =
            must(ChallengeJournal::open(folder / ("journal" + std::to_string(i)), params.id()));
        c.network = std::make_unique<SimNetwork>(time, own, peers);
        challengers.push_back(std::move(c));
        Challenging& stored = challengers.back();
        const Height base = stored.base;
        keys_.push_back(std::make_unique<KeyPair>(
            KeyPair::from_secret(view(tagged_hash("test/challenger", i)))));
        stored.engine = std::make_unique<AvailabilityChallenger>(
            params, *keys_.back(), base, *stored.journal, *stored.network, time.clock(),
            ChallengerOptions{.at_once = 1});
        const BondId own_bond = bond(own, BondPurpose::kChallenger, 100 + i);
        const Challenger registration =
            make_challenger(params.id(), stored.engine->commitment(), base, own_bond, stored.key);
        must(
            chain.submit(Kind::kChallenger, wrap_object(Kind::kChallenger, registration.encode())));
    }
    void tell(Height tip) {
        std::vector<PublicKey> keys;
        for (const Challenger& c : must(book->challengers_at(tip))) keys.push_back(c.key);
        for (Prover& p : provers) {
            p.responder->on_final_block({tip, test_hash(tip), test_y(tip), keys});
        }
    }
    /// Lets time pass until the next challenge is due, and sends it. False: none is left.
    bool send_next() {
        std::optional<std::uint64_t> next;
        for (Challenging& c : challengers) {
            const auto due = must(c.engine->next_due_ms());
            if (due) next = std::min(next.value_or(*due), *due);
        }
        if (!next) return false;
        time.pass_us(*next * 1'000);
        for (Challenging& c : challengers) {
            const ChallengerReport done = must(c.engine->work());
            report.sent += done.sent;
            report.served += done.served;
            report.late += done.late;
            report.invalid += done.invalid;
            report.unreachable += done.unreachable;
            report.abandoned += done.abandoned;
        }
        return true;
    }

    std::vector<std::unique_ptr<KeyPair>> keys_;
};

}  // namespace holdfast::test
