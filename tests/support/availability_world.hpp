// A network of challengers and provers in virtual time: a registry that judges what they publish, a
// token whose events the blocks list and which carries out what was decided, and connections that
// delay, lose, repeat and reorder what they carry.
//
// Everything runs on one thread and follows from one seed. Replicas are really sealed (preset
// `dev`).
#pragma once

#include <map>
#include <random>
#include <set>
#include <utility>

#include "availability/challenger.hpp"
#include "availability/peer_service.hpp"
#include "availability/responder.hpp"
#include "embedded/bond_ledger.hpp"
#include "settlement/settlement_ledger.hpp"
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
    p.least_chain_part = 1'000;
    p.least_challenger_part = 32'000;
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

/// Where challengers publish: evidence goes into the next block, behind a deposit for it, and
/// everything else through the registry's own door.
class PublishingDoor final : public Blockchain {
  public:
    PublishingDoor(RegistryWorld& world, BondLedger& token,
                   std::map<Reason, std::uint64_t>& verdicts)
        : world_(world), token_(token), verdicts_(verdicts) {}

    Result<Height> current_height() override { return world_.tip(); }
    Result<BlockInfo> block_by_height(Height) override {
        return fail(ErrorCode::kNotFound, "no blocks here");
    }
    Result<std::vector<Submission>> submissions_at(Height) override {
        return std::vector<Submission>();
    }
    Result<std::vector<BondEvent>> bond_events_at(Height) override {
        return std::vector<BondEvent>();
    }
    Status submit(Kind kind, ByteView object) override {
        Bytes bytes(object.begin(), object.end());
        if (kind == Kind::kEvidence || kind == Kind::kChallenger) {
            waiting.push_back({kind, std::move(bytes)});
            return kind == Kind::kEvidence ? deposit(object) : Status{};
        }
        ++verdicts_[world_.accept(bytes).verdict.reason];
        return {};
    }

    static constexpr std::uint64_t kDeposit = 10;
    std::vector<Submission> waiting;  // for the next block
    std::uint64_t deposits = 0;       // that were made
    PublicKey accuser = KeyPair::from_secret(view(tagged_hash("test/accuser"))).public_key();

  private:
    Status deposit(ByteView evidence) {
        const Digest subject = sha256(evidence);
        const IdempotencyKey once(tagged_hash("test/deposit", subject));
        HOLDFAST_TRY(token_.issue(accuser, kDeposit, IdempotencyKey(sha256(view(once)))));
        HOLDFAST_ASSIGN(made, token_.create_deposit(accuser, kDeposit, subject, once));
        (void)made;
        ++deposits;
        return {};
    }

    RegistryWorld& world_;
    BondLedger& token_;
    std::map<Reason, std::uint64_t>& verdicts_;
};

class AvailabilityWorld {
  public:
    static constexpr std::uint64_t kBond = 1'000;
    static constexpr std::uint64_t kChallengerBond = 32'000;
    static constexpr PayTerms kTerms{7, 3};

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
        must(token->fund_pool(1'000'000, IdempotencyKey(tagged_hash("test/pool"))));
        for (std::size_t i = 0; i < provers_wanted; ++i) add_prover(i);
        std::vector<const SealedChain*> all;
        for (const Prover& p : provers) all.push_back(p.chain.get());
        enrol(world, all, [this](RegistryWorld& w) { list_bonds(w); });
        for (const SealedChain* chain : all) world.keep(chain->id());
        for (std::size_t i = 0; i < challengers_wanted; ++i) add_challenger(i);
        // Until the challengers are in force and every chain has its slot.
        for (std::uint32_t i = 0; i <= params.seal_delay + 1; ++i) feed();
        EXPECT_EQ(must(world->challengers_in_force(world.tip())).size(), challengers_wanted);
        verdicts.clear();
    }

    /// The next block, with whatever was published for it.
    void feed() {
        ListedBlock listed;
        listed.bonds = must(token->events(listed_, SIZE_MAX));
        listed_ += listed.bonds.size();
        listed.objects = std::exchange(door.waiting, {});
        const BlockOutcome done = world.feed(true, std::move(listed));
        for (const ObjectOutcome& o : done.objects) ++verdicts[o.verdict.reason];
        tell(world.tip());
        settle(world.registry(), *settlement, *token);
    }
    /// What the registry has decided, carried out once.
    static void settle(Registry& registry, SettlementLedger& ledger, Token& by) {
        const std::uint64_t next = must(ledger.next_decision());
        must(ledger.take(next, must(registry.decisions(next, SIZE_MAX)), kTerms));
        (void)must(ledger.work(by));
    }
    /// What a challenger must know of a height; whoever follows a node is told the same.
    ChallengeRound round(Height h) {
        return {{h, test_hash(h), test_y(h), must(world->challengers_in_force(h))},
                must(world->challenged_chains(h))};
    }
    /// The same, and all challenges of the height before.
    void block() {
        feed();
        const Height tip = world.tip();
        for (Challenging& c : challengers) {
            c.engine->on_final_block(tip);
            must(c.engine->draw(round(tip - 1)));
            if (silent.contains(c.key.public_key())) continue;
            must(c.engine->publish(door));
            answer_audits(c);
        }
        const std::uint64_t start = time.now_ns;
        while (send_next()) {
        }
        time.now_ns = std::max<std::uint64_t>(time.now_ns, start + params.block_ms * 1'000'000ULL);
    }
    void blocks(int count) {
        for (int i = 0; i < count; ++i) block();
    }

    /// How many outcomes of a prover that may still decide a suspension say this.
    [[nodiscard]] std::size_t outcomes(std::size_t prover, OutcomeKind kind) {
        const auto all = must(world->outcomes(provers[prover].chain->id()));
        return static_cast<std::size_t>(std::count_if(
            all.begin(), all.end(), [&](const OutcomeRecord& o) { return o.outcome == kind; }));
    }
    /// What its bond still holds.
    [[nodiscard]] std::uint64_t held(std::size_t prover) {
        return must(token->bond_info(provers[prover].bond)).held_amount;
    }
    /// How many outcomes of a prover have been paid.
    [[nodiscard]] std::uint64_t paid(std::size_t prover) {
        return must(token->balance(key_of_prover(prover))) / kTerms.prover_reward;
    }
    /// In the digest that closed last.
    [[nodiscard]] bool is_suspended(std::size_t prover) {
        const auto leaf = must(world->leaf(provers[prover].chain->id(), world.closed()));
        return leaf && leaf->status == ChainStatus::kLate;
    }
    SimPeer& peer(std::size_t prover) { return peers[key_of_prover(prover)]; }
    [[nodiscard]] PublicKey key_of_prover(std::size_t i) const {
        return provers[i].chain->key().public_key();
    }

    NetworkParams params;
    TempFolder folder;
    RegistryWorld world;
    SimTime time;
    std::map<PublicKey, SimPeer> peers;
    std::unique_ptr<BondLedger> token = must(BondLedger::open(folder / "token", params.id()));
    std::unique_ptr<SettlementLedger> settlement =
        must(SettlementLedger::open(folder / "settlement", params.id()));
    std::map<Reason, std::uint64_t> verdicts;  // on what was published
    PublishingDoor door{world, *token, verdicts};
    std::vector<Prover> provers;
    std::vector<Challenging> challengers;
    ChallengerReport report;
    std::uint64_t audits_answered = 0;
    std::set<PublicKey> silent;  // challengers that publish nothing

  private:
    void answer_audits(Challenging& c) {
        std::vector<ChallengeKey> open;
        for (const OutcomeAudit& audit : must(world->outcome_audits(c.key.public_key()))) {
            open.push_back(holdfast::key_of(audit.challenge));
        }
        audits_answered += must(c.engine->answer_audits(open, door));
    }
    BondId make_bond(const PublicKey& owner, std::uint64_t amount, BondPurpose purpose) {
        const Digest once = tagged_hash("test/bond of", view(owner));
        must(token->issue(owner, amount, IdempotencyKey(sha256(view(once)))));
        return must(token->create_bond(owner, amount, purpose, IdempotencyKey(once)));
    }
    /// What the token has to tell goes into the next block.
    void list_bonds(RegistryWorld& into) {
        for (const BondEvent& event : must(token->events(listed_, SIZE_MAX))) {
            into.list(event);
            ++listed_;
        }
    }
    void add_prover(std::size_t i) {
        Prover p;
        SealedChainOptions options;
        options.chunks = 16;
        options.key = i;
        p.bond = make_bond(SealedChain::prover_key(i).public_key(), kBond, BondPurpose::kStorage);
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
        const BondId own_bond = make_bond(own, kChallengerBond, BondPurpose::kChallenger);
        const Challenger registration =
            make_challenger(params.id(), stored.engine->commitment().value(), base, own_bond,
                            stored.key)
                .value();
        must(door.submit(Kind::kChallenger, wrap_object(Kind::kChallenger, registration.encode())));
    }
    void tell(Height tip) {
        const ChallengeHeight height{tip, test_hash(tip), test_y(tip),
                                     must(world->challengers_in_force(tip))};
        for (Prover& p : provers) p.responder->on_final_block(height);
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
    std::uint64_t listed_ = 0;  // events of the token
};

}  // namespace holdfast::test
