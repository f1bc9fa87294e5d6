// N5: a replica that catches up. Chains with real replicas are sealed, registered and linked at
// every height through the operator's node; then a replica with an empty folder reads all of it
// through the service's own messages, judges every entry, evaluates y of every height itself, and
// must come to the same digest at every one of them before any time is reported. What is timed are
// the heights at which every chain has a link and a proof. No socket lies between: what the wire
// takes is N3's.
#include <filesystem>

#include "api/closed_without_y.hpp"
#include "bench/result.hpp"
#include "bench/scratch.hpp"
#include "follow/service.hpp"
#include "node/connect.hpp"
#include "node/history_source.hpp"
#include "node/replica_reader.hpp"
#include "simulation/world.hpp"

namespace {

using namespace holdfast;
using namespace holdfast::simulation;
using Clock = std::chrono::steady_clock;

constexpr std::uint64_t kSeed = 1;
constexpr std::uint64_t kWarm = 8;  // heights until every block has links and proofs of all chains

using bench::expect;

/// The operator's node, and a replica that asks it.
class CatchUp {
  public:
    CatchUp(const std::filesystem::path& folder, std::uint64_t chains, unsigned heights)
        : folder_(folder), log_(expect(node::Log::open(quiet()))) {
        const std::filesystem::path cache = folder / "cache";
        bench::expect(SimulationWorld::claim_cache(cache, kSeed));
        const NetworkParams params = simulation_network();
        bench::expect(Fleet(cache, "honest", kSeed).make(params, chains, 0, {}, {}));
        world_ = expect(SimulationWorld::open({}, cache, kSeed, {chains, 0, 0}, {}));
        heads_ = expect(HeadFile::open(folder / "heads", params));
        ProverSet* const sets[] = {&world_->honest()};
        for (std::uint64_t n = 0; n < kWarm + heights; ++n) {
            expect(world_->chain().append_block());
            const auto report = expect(world_->aggregator().advance({}, sets));
            bench::require(report && report->sets[0].links == chains, "every chain links");
        }
        const Height closed = *expect(world_->registry().closed());
        for (Height h = params.genesis_height; h <= closed; h = h + 1) {
            bench::expect(heads_->keep(expect(world_->aggregator().head(h))));
        }
        FollowSource source = follow_source(world_->registry(), world_->chain());
        source.history =
            node::history_source(world_->registry(), world_->chain(), *heads_, nullptr);
        FollowServiceOptions budgets;
        budgets.questions = {.per_second = UINT32_MAX, .burst = UINT32_MAX};
        service_.emplace(std::move(source), world_->chain(), node::machine_clock(), budgets);
        begin_replica(params);
    }

    /// Blocks and entries up to this height.
    void reach(Height height) {
        while (tip() < height) (void)expect(reader_->step({}));
    }
    [[nodiscard]] Height tip() const {
        return expect(stores_->registry->tip()).value_or(world_->params().genesis_height);
    }
    [[nodiscard]] Height operator_tip() const { return *expect(world_->registry().tip()); }

    /// The same digests at every height, and, with what came behind the last block, the same state.
    void compare() {
        while (expect(reader_->step({}))) {
        }
        const Height closed = *expect(world_->registry().closed());
        for (Height h = world_->params().genesis_height; h <= closed; h = h + 1) {
            bench::require(
                expect(stores_->registry->head_of(h)) == expect(world_->registry().head_of(h)),
                "the same digest at height " + std::to_string(h.value));
        }
        bench::require(
            expect(stores_->registry->export_state()) == expect(world_->registry().export_state()),
            "the same state");
    }
    [[nodiscard]] std::uint64_t asked_bytes() const { return asked_bytes_; }

  private:
    static node::LogOptions quiet() {
        node::LogOptions options;
        options.level = node::LogLevel::kOff;
        return options;
    }
    void begin_replica(const NetworkParams& params) {
        const FollowRequest request = [this](ByteView message) -> Result<Bytes> {
            HOLDFAST_ASSIGN(answer, service_->handle(PublicKey{}, message));
            asked_bytes_ += answer.size();
            return answer;
        };
        history_.emplace(request);
        follow_.emplace(request);
        stores_ = expect(node::ReplicaStores::open(folder_ / "replica", params, {}, *history_));
        bench::expect(stores_->open_registry({}, 0, *follow_));
        VdfClockOptions options;
        options.folder = folder_ / "vdf";
        options.closed_without_y = closed_without_y(*stores_->registry);
        clock_.emplace(expect(VdfClock::open(params, *stores_->repeated, nullptr,
                                             KeyPair::from_secret(Bytes(32, 9)), options)));
        node::ReaderOptions reading;
        reading.copy_ledger = false;
        reading.check_y = [this](Height h, const VdfOutput& y) -> Result<Verdict> {
            HOLDFAST_ASSIGN(entropy, clock_->at(h));
            return Verdict(entropy.y == y ? Reason::kOk : Reason::kWrongOutput);
        };
        reading.fills = FillSample{0, {}};  // sealing is not what is timed
        reader_.emplace(*stores_, *history_, *follow_, reading, *log_);
    }

    std::filesystem::path folder_;
    std::unique_ptr<node::Log> log_;
    std::unique_ptr<SimulationWorld> world_;
    std::unique_ptr<HeadFile> heads_;
    std::optional<FollowService> service_;
    std::uint64_t asked_bytes_ = 0;
    std::optional<HistoryClient> history_;
    std::optional<FollowClient> follow_;
    std::optional<node::ReplicaStores> stores_;
    std::optional<VdfClock> clock_;
    std::optional<node::ReplicaReader> reader_;
};

void catch_up(const bench::Options& options, std::uint64_t chains, unsigned heights,
              const std::string& id, bench::Target target) {
    const bench::Folder folder;
    CatchUp world(folder / "world", chains, heights);
    world.reach(world.operator_tip() - heights);
    const Height from = world.tip();
    const std::uint64_t before = world.asked_bytes();
    const auto start = Clock::now();
    world.reach(world.operator_tip());
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    const auto done = static_cast<double>(world.operator_tip().since(from));
    world.compare();
    bench::Entry entry;
    entry.id = id;
    entry.what = "a replica of " + std::to_string(chains) + " chains catches up: heights a second";
    entry.value = done / seconds;
    entry.unit = "/s";
    entry.threads = options.threads;
    entry.samples = static_cast<std::size_t>(done);
    entry.target = target;
    bench::report(entry);
    entry.id = id + "/bytes";
    entry.what = "what it is told of a height, for each chain";
    entry.value =
        static_cast<double>(world.asked_bytes() - before) / done / static_cast<double>(chains);
    entry.unit = "bytes";
    entry.target = {};
    bench::report(entry);
}

}  // namespace

int main(int argc, char** argv) {
    const auto whole = [](const bench::Options& options) {
        catch_up(options, 10'000, options.rounds(10, 40), "N5", bench::Target::value_at_least(10));
    };
    const auto small = [](const bench::Options& options) {
        catch_up(options, 1'000, options.rounds(20, 40), "N5-1000", {});
    };
    return bench::run(argc, argv, {{"N5", whole}, {"N5-1000", small}});
}
