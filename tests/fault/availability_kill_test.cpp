// kill -9 of a node while it judges and settles availability, and of a challenger with challenges
// in flight: nothing is settled twice or lost, no challenge leaves twice.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <set>

#include "proofs/journal.hpp"
#include "support/availability_world.hpp"
#include "support/faulty_token.hpp"

namespace holdfast {
namespace {

using test::AvailabilityWorld;
using test::must;

int kill_points(int otherwise) {
    const char* wanted = std::getenv("HOLDFAST_KILL_POINTS");
    return wanted == nullptr ? otherwise : std::atoi(wanted);
}

/// Runs `work` in a child, which says on the pipe when it begins in earnest, and kills it `us`
/// later (0: lets it end); whether it was still at work. What else it wrote is read to its end by
/// `read`.
template <class Work, class Read>
bool killed_at_work(std::uint64_t us, Work&& work, Read&& read) {
    int pipes[2];
    if (::pipe(pipes) != 0) throw std::runtime_error("no pipe");
    // What a child writes after the pipe is full waits for the parent: room for all of it.
    ::fcntl(pipes[1], F_SETPIPE_SZ, 1 << 20);
    const pid_t child = ::fork();
    if (child < 0) throw std::runtime_error("no fork");
    if (child == 0) {
        ::close(pipes[0]);
        const bool failed_before = testing::Test::HasFailure();  // the parent's
        work(pipes[1]);
        ::_exit(testing::Test::HasFailure() && !failed_before ? 5 : 0);
    }
    ::close(pipes[1]);
    char ready = 0;
    EXPECT_EQ(::read(pipes[0], &ready, 1), 1);
    if (us > 0) {
        ::usleep(static_cast<useconds_t>(us));
        ::kill(child, SIGKILL);
    }
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    read(pipes[0]);
    ::close(pipes[0]);
    if (WIFEXITED(status)) {
        EXPECT_EQ(WEXITSTATUS(status), 0);
    }
    return WIFSIGNALED(status);
}

void say_ready(int pipe) {
    if (::write(pipe, "r", 1) != 1) ::_exit(3);
}

/// A node on folders of its own that judges the entries of another's journal again, and carries out
/// what it decides itself.
class Follower {
  public:
    Follower(const std::filesystem::path& folder, AvailabilityWorld& leader, std::uint64_t seed)
        : leader_(leader), random_(seed) {
        const NetworkParams& params = leader.params;
        registry =
            must(Registry::open(folder / "registry", params, AvailabilityWorld::one_thread()));
        ledger = must(SettlementLedger::open(folder / "settlement", params.id()));
        token = must(BondLedger::open(folder / "token", params.id()));
        faulty_ = std::make_unique<test::FaultyToken>(*token, [this] {
            return random_() % 2 == 0 ? test::Fault::kNone
                                      : static_cast<test::Fault>(random_() % test::kFaults);
        });
    }
    /// From wherever it stands to the journal's end; each entry is acknowledged once it is taken.
    void follow(const std::vector<Bytes>& entries, int pipe) {
        AvailabilityWorld::settle(*registry, *ledger, *faulty_);
        for (std::uint64_t n = must(registry->journal()).entries; n < entries.size(); ++n) {
            take(decode_entry(entries[n]).value());
            AvailabilityWorld::settle(*registry, *ledger, *faulty_);
            const std::uint64_t taken = n + 1;
            if (pipe >= 0 && ::write(pipe, &taken, sizeof taken) < 0) ::_exit(3);
        }
    }
    /// Until nothing is open.
    void finish() {
        while (must(ledger->work(*faulty_)).open != 0) {
        }
    }

    std::unique_ptr<Registry> registry;
    std::unique_ptr<SettlementLedger> ledger;
    std::unique_ptr<BondLedger> token;

  private:
    void take(const HistoryEntry& entry) {
        if (const auto* block = std::get_if<BlockEntry>(&entry)) {
            (void)must(registry->on_final_block(
                leader_.world.fed()[block->height.since(leader_.params.genesis_height)]));
        } else if (const auto* y = std::get_if<OutputEntry>(&entry)) {
            EXPECT_EQ(must(registry->note_y(y->height, y->y)), Verdict::ok());
        } else {
            const Bytes& object = std::get<ObjectEntry>(entry).object;
            EXPECT_EQ(must(registry->accept(ByteView(object), test::seal_passes())).verdict,
                      Verdict::ok());
        }
    }

    AvailabilityWorld& leader_;
    std::mt19937_64 random_;
    std::unique_ptr<test::FaultyToken> faulty_;
};

TEST(AvailabilityKill, NothingIsSettledTwiceOrLost) {
    AvailabilityWorld w(3, 3);
    test::TempFolder folder;
    // With every bond, and nothing carried out.
    std::filesystem::copy(w.folder / "token", folder / "token",
                          std::filesystem::copy_options::recursive);
    // The first serves, the second lies now and then, the third comes and goes.
    const auto honest = w.peer(1).handle;
    for (int i = 0; i < 36; ++i) {
        w.peer(2).down = i / 6 % 2 == 1;
        w.peer(1).handle = honest;
        if (i % 5 == 3) {
            w.peer(1).handle = [&w](const PublicKey&, ByteView object) -> Result<Bytes> {
                const auto body = unwrap_object(Kind::kChallenge2, object);
                const ChallengeId id = Challenge2::decode(body.value())->id(w.params.id());
                return wrap_object(Kind::kResponse,
                                   sign_response(id, Bytes(kChunkBytes), w.provers[1].chain->key())
                                       .value()
                                       .encode());
            };
        }
        w.block();
    }
    const std::vector<Bytes> entries = must(w.world->entries(0, must(w.world->journal()).entries));

    std::mt19937_64 random(5);
    const int points = kill_points(30);
    int at_work = 0;
    std::uint64_t acknowledged = 0;
    for (int point = 0; point < points; ++point) {
        const std::uint64_t seed = random();
        const auto follow = [&](int pipe) {
            Follower follower(folder.path(), w, seed);
            say_ready(pipe);
            follower.follow(entries, pipe);
        };
        const auto read = [&](int pipe) {
            for (std::uint64_t n = 0; ::read(pipe, &n, sizeof n) == sizeof n;) acknowledged = n;
        };
        if (killed_at_work(200 + random() % 3'000, follow, read)) ++at_work;
    }
    EXPECT_GE(at_work, points / 3);

    Follower f(folder.path(), w, 1);
    EXPECT_GE(must(f.registry->journal()).entries, acknowledged);
    f.follow(entries, -1);
    f.finish();
    EXPECT_EQ(must(f.registry->journal()).root, must(w.world->journal()).root);
    EXPECT_EQ(must(f.registry->export_state()), must(w.world->export_state()));
    std::uint64_t paid = 0;
    for (std::size_t i = 0; i < w.provers.size(); ++i) {
        paid += w.paid(i);
        EXPECT_EQ(must(f.token->balance(w.key_of_prover(i))),
                  must(w.token->balance(w.key_of_prover(i))));
        EXPECT_EQ(must(f.token->bond_info(w.provers[i].bond)),
                  must(w.token->bond_info(w.provers[i].bond)));
    }
    EXPECT_GT(paid, 40U);
    for (const auto& c : w.challengers) {
        EXPECT_EQ(must(f.token->balance(c.key.public_key())),
                  must(w.token->balance(c.key.public_key())));
    }
    EXPECT_EQ(w.held(1), 0U);
    ASSERT_TRUE(f.token->audit());
}

/// Says on a pipe which challenge leaves, and gives no good answer to any.
class TellingNetwork final : public Network {
  public:
    TellingNetwork(NetworkId network_id, int pipe) : network_id_(network_id), pipe_(pipe) {}
    Result<std::vector<Peer>> peers() override { return std::vector<Peer>(); }
    Result<std::vector<std::uint64_t>> measure_latency(const PublicKey&, std::uint32_t,
                                                       std::uint32_t) override {
        return fail(ErrorCode::kUnsupported, "not simulated");
    }
    Result<std::vector<VantageReport>> verify_place(const PublicKey&, const Place&,
                                                    std::uint32_t) override {
        return fail(ErrorCode::kUnsupported, "not simulated");
    }
    Result<ChallengeReply> send_challenge(const PublicKey&, ByteView object,
                                          std::uint32_t) override {
        const auto challenge = Challenge2::decode(unwrap_object(Kind::kChallenge2, object).value());
        const ChallengeId id = challenge->id(network_id_);
        Bytes told{'s'};
        told.insert(told.end(), id.bytes.begin(), id.bytes.end());
        if (::write(pipe_, told.data(), told.size()) < 0) ::_exit(3);
        ::usleep(300);
        return fail(id.bytes[0] % 2 == 0 ? ErrorCode::kTimeout : ErrorCode::kUnavailable, "none");
    }

  private:
    NetworkId network_id_;
    int pipe_;
};

/// Says on a pipe which outcomes are published.
class TellingChain final : public Blockchain {
  public:
    explicit TellingChain(int pipe) : pipe_(pipe) {}
    Result<Height> current_height() override { return Height(0); }
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
        if (kind != Kind::kOutcome2) return {};
        const auto outcome = Outcome2::decode(unwrap_object(kind, object).value());
        Bytes told{static_cast<std::uint8_t>(outcome->outcome)};
        told.insert(told.end(), outcome->id.bytes.begin(), outcome->id.bytes.end());
        if (::write(pipe_, told.data(), told.size()) < 0) ::_exit(3);
        return {};
    }

  private:
    int pipe_;
};

TEST(AvailabilityKill, AChallengerKilledWithOpenChallengesSendsNoneTwice) {
    const NetworkParams params = test::availability_network();
    const KeyPair key =
        KeyPair::from_secret(view(tagged_hash("test/challenger", std::uint64_t{0})));
    test::TempFolder folder;
    const Height height(500);
    ChallengeRound round{
        {height, test::test_hash(height), test::test_y(height), {{key.public_key(), 1}}}, {}};
    constexpr std::uint64_t kChains = 600;
    for (std::uint64_t i = 0; i < kChains; ++i) {
        round.chains.push_back({ChainId(tagged_hash("test/chain", i)), key.public_key(),
                                Root(tagged_hash("test/root", i)), ChunkCount(16)});
    }
    std::uint64_t now_ns = 0;
    const auto challenge = [&](int pipe, bool over) {
        const auto journal = must(ChallengeJournal::open(folder / "journal", params.id()));
        TellingNetwork network(params.id(), pipe);
        AvailabilityChallenger engine(
            params, key, height, *journal, network, [&] { return now_ns; },
            ChallengerOptions{.at_once = 4});
        (void)engine.commitment();  // hashes its chain of reveals
        engine.on_final_block(height + 1);
        if (!over) {
            must(engine.draw(round));
            say_ready(pipe);
            // Ten parts, so that some are planned, some in flight and some measured at any moment.
            for (int part = 0; part <= 10; ++part) {
                now_ns += params.block_ms * 100'000ULL;
                (void)must(engine.work());
            }
            return;
        }
        engine.on_final_block(height + 2);
        say_ready(pipe);
        (void)must(engine.work());
        TellingChain chain(pipe);
        (void)must(engine.publish(chain));
        (void)must(engine.publish(chain));
    };

    std::map<ChallengeId, int> sent;
    std::map<ChallengeId, std::set<std::uint8_t>> published;
    const auto read = [&](int pipe) {
        Bytes told(1 + ChallengeId::size());
        while (::read(pipe, told.data(), told.size()) == static_cast<ssize_t>(told.size())) {
            ChallengeId id;
            std::copy(told.begin() + 1, told.end(), id.bytes.begin());
            if (told[0] == 's') {
                ++sent[id];
            } else {
                published[id].insert(told[0]);
            }
        }
    };
    std::mt19937_64 random(6);
    int at_work = 0;
    const int points = kill_points(6);
    for (int point = 0; point < points; ++point) {
        const auto work = [&](int pipe) { challenge(pipe, false); };
        if (killed_at_work(500 + random() % 12'000, work, read)) ++at_work;
    }
    EXPECT_GE(at_work, points / 2);
    (void)killed_at_work(0, [&](int pipe) { challenge(pipe, false); }, read);
    // Killed while it publishes, then once to the end.
    for (int point = 0; point < 4; ++point) {
        (void)killed_at_work(
            500 + random() % 12'000, [&](int pipe) { challenge(pipe, true); }, read);
    }
    (void)killed_at_work(0, [&](int pipe) { challenge(pipe, true); }, read);

    for (const auto& [id, times] : sent) EXPECT_EQ(times, 1) << to_hex(id);
    const auto journal = must(ChallengeJournal::open(folder / "journal", params.id()));
    std::map<JournalState, std::uint64_t> states;
    for (const JournalEntry& e : must(journal->entries())) {
        ++states[e.state];
        const ChallengeId id = e.challenge.id(params.id());
        EXPECT_EQ(published.contains(id), e.state == JournalState::kPublished);
        EXPECT_TRUE(!published.contains(id) || sent.contains(id));
    }
    for (const auto& [id, outcomes] : published) EXPECT_EQ(outcomes.size(), 1U) << to_hex(id);
    EXPECT_EQ(states[JournalState::kPublished] + states[JournalState::kAbandoned], kChains);
    EXPECT_GT(states[JournalState::kPublished], kChains / 4);
    EXPECT_GT(states[JournalState::kAbandoned], 0U) << "what was in flight when a process ended";
}

}  // namespace
}  // namespace holdfast
