#include "simulation/world.hpp"

#include <unistd.h>

#include <algorithm>

#include "chunking/tree_file.hpp"
#include "json/json.hpp"
#include "storage/file.hpp"
#include "storage/parallel.hpp"

namespace holdfast::simulation {
namespace {

constexpr std::uint64_t kGenesisTimeMs = 1'700'000'000'000;
constexpr std::uint64_t kKeptHeights = 256;  // every digest of a run can be computed again
constexpr std::uint64_t kFewChains = 1'000;
constexpr std::size_t kSubmittedAtOnce = 4'096;
constexpr const char* kUnfinished = ".unfinished";
constexpr const char* kSecond = "second.registry";

Status make_folder(const std::filesystem::path& folder) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    return error ? Status(fail_errno(error.value(), "cannot make folder " + folder.string()))
                 : Status{};
}

Status copy_state(const std::filesystem::path& from, const std::filesystem::path& to) {
    std::error_code error;
    std::filesystem::copy(from, to, std::filesystem::copy_options::recursive, error);
    return error ? Status(fail_errno(error.value(), "cannot copy the state to " + to.string()))
                 : Status{};
}

RegistryOptions registry_options(const BlockProcessorOptions& processing) {
    RegistryOptions out;
    out.threads = processing.threads;
    out.kept_heights = kKeptHeights;
    return out;
}

Status take_in(ProverSet& set, const Fleet& fleet, std::uint64_t count) {
    for (std::uint64_t i = 0; i < count; ++i) HOLDFAST_TRY(set.add(fleet.replica(i)));
    return {};
}

}  // namespace

Status SimulationWorld::claim_cache(const std::filesystem::path& cache, std::uint64_t seed) {
    const NetworkId network_id = simulation_network().id();
    HOLDFAST_TRY(make_folder(cache));
    const std::filesystem::path file = cache / "simulation.json";
    const json::Json mine = {{"seed", seed}, {"network_id", to_hex(network_id)}};
    const Result<Bytes> found = read_file(file, 4'096);
    if (!found && found.error().code == ErrorCode::kNotFound) {
        return write_file(file, view(std::string_view(json::dump(mine) + "\n")));
    }
    if (!found) return fail(found.error());
    const json::Json theirs = json::Json::parse(found->begin(), found->end(), nullptr, false);
    if (theirs == mine) return {};
    return fail(ErrorCode::kInvalidArgument,
                cache.string() + " holds the cache of another simulation (" +
                    (theirs.is_discarded() ? "unreadable" : json::dump(theirs)) +
                    "); use its seed or another --dir");
}

SimulationWorld::SimulationWorld(NetworkParams params, std::filesystem::path folder)
    : params_(std::move(params)), network_id_(params_.id()), folder_(std::move(folder)) {}

SimulationWorld::~SimulationWorld() {
    if (!temporary_) return;
    second_.reset();
    honest_.reset();
    late_.reset();
    cheaters_.reset();
    aggregator_.reset();
    clock_.reset();
    chain_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

Result<std::unique_ptr<SimulationWorld>> SimulationWorld::load(
    const std::filesystem::path& cache, std::uint64_t seed, const SimulationSize& size,
    const std::filesystem::path& folder, const BlockProcessorOptions& processing) {
    std::unique_ptr<SimulationWorld> made(new SimulationWorld(simulation_network(), folder));
    SimulationWorld& world = *made;
    const bool fresh = !std::filesystem::exists(folder / "chain");
    HOLDFAST_ASSIGN(chain, fresh
                               ? LocalChain::create(folder / "chain", world.params_, kGenesisTimeMs)
                               : LocalChain::open(folder / "chain", LocalChain::Mode::kReadWrite,
                                                  world.network_id_));
    world.chain_ = std::move(chain);
    HOLDFAST_ASSIGN(genesis, world.chain_->block_by_height(world.params_.genesis_height));
    world.genesis_ = genesis;
    const Digest evaluator = tagged_hash("simulation/evaluator", seed);
    HOLDFAST_ASSIGN(clock, VdfClock::open(world.params_, *world.chain_, nullptr,
                                          KeyPair::from_secret(view(evaluator)),
                                          {folder / "vdf", processing.threads}));
    world.clock_ = std::make_unique<VdfClock>(std::move(clock));
    AggregatorOptions options;
    options.registry = folder / "registry";
    options.registry_options = registry_options(processing);
    options.sets = processing;
    options.duties = [&world](Registry& registry, RegistryDuties::List list) {
        auto metered = std::make_unique<MeteredDuties>(registry, std::move(list));
        world.meter_ = metered.get();
        return metered;
    };
    options.operator_key = &world.operator_key_;
    HOLDFAST_ASSIGN(aggregator, Aggregator::open(world.params_, *world.chain_, *world.clock_,
                                                 nullptr, nullptr, options));
    world.aggregator_ = std::make_unique<Aggregator>(std::move(aggregator));
    const auto open_set = [&](const char* name, std::uint64_t count,
                              std::unique_ptr<ProverSet>& out) -> Status {
        const Fleet fleet(cache, name, seed);
        ProverSetOptions set_options;
        set_options.open_files = 256;
        HOLDFAST_ASSIGN(set, ProverSet::open(world.params_, fleet.key(),
                                             folder / (std::string(name) + ".links"), set_options));
        out = std::make_unique<ProverSet>(std::move(set));
        return take_in(*out, fleet, count);
    };
    HOLDFAST_TRY(open_set("honest", size.honest, world.honest_));
    HOLDFAST_TRY(open_set("late", size.late, world.late_));
    HOLDFAST_TRY(open_set("cheat", size.cheaters, world.cheaters_));
    return made;
}

/// One bond for all chains of a key, and more than they will need.
BondId SimulationWorld::bond_of(const PublicKey& key) const {
    return BondId(tagged_hash("simulation/bond", network_id_, key));
}

Status SimulationWorld::list_bonds() {
    constexpr std::uint64_t kPlenty = std::uint64_t{1} << 50;
    std::vector<BondEvent> events;
    for (const ProverSet* set : {honest_.get(), late_.get(), cheaters_.get()}) {
        const PublicKey& owner = set->key().public_key();
        events.push_back(BondEvent::created(bond_of(owner), owner, kPlenty, BondPurpose::kStorage));
    }
    return chain_->list_bond_events(events);
}

Result<Registration> SimulationWorld::registration_of(const std::filesystem::path& replica,
                                                      const KeyPair& key) const {
    HOLDFAST_ASSIGN(header, read_replica_header(replica, params_));
    RegistrationTerms terms;
    terms.genesis_height = genesis_.height;
    terms.genesis_block_hash = genesis_.hash;
    terms.bond_id = bond_of(key.public_key());
    terms.with_commitment = false;  // local entropy would cost a million hashes a chain, once
    return make_registration(params_, header, terms, key);
}

Status SimulationWorld::enlist(const std::filesystem::path& replica) {
    HOLDFAST_ASSIGN(registration, registration_of(replica, honest_->key()));
    HOLDFAST_TRY(
        chain_->submit_registration(wrap_object(Kind::kRegistration, registration.encode())));
    return honest_->add(replica);
}

/// Every chain's registration, through the host chain as anybody's.
Status SimulationWorld::register_all(const WorldWork& work) {
    HOLDFAST_TRY(list_bonds());
    std::vector<std::pair<const ProverSet*, std::uint32_t>> all;
    for (const ProverSet* set : {honest_.get(), late_.get(), cheaters_.get()}) {
        for (std::uint32_t i = 0; i < set->members().size(); ++i) all.emplace_back(set, i);
    }
    for (std::size_t at = 0; at < all.size();) {
        const std::size_t count = std::min(kSubmittedAtOnce, all.size() - at);
        std::vector<Submission> objects(count);
        HOLDFAST_TRY(run_workers(
            worker_count(0, count), count, work.stop, [&](unsigned, std::uint64_t i) -> Status {
                const auto& [set, member] = all[at + i];
                HOLDFAST_ASSIGN(registration,
                                registration_of(set->members()[member].replica, set->key()));
                objects[i] = {Kind::kRegistration,
                              wrap_object(Kind::kRegistration, registration.encode())};
                return {};
            }));
        HOLDFAST_TRY(chain_->submit_all(objects));
        at += count;
        if (work.progress) work.progress("registering chains", at, all.size());
    }
    return {};
}

/// Blocks, until every chain has passed its seal proof, its slot shows in a closed digest, and the
/// audits of before are answered: while digests show few chains, a protocol that draws so many
/// audits a block draws a large part of them, which no later block is like.
Status SimulationWorld::seal_all(const WorldWork& work, std::uint64_t chains) {
    const std::uint64_t calm_blocks = params_.closing_blocks() + params_.seal_delay + 1;
    const std::uint64_t most_blocks = 4 * std::uint64_t{params_.seal_delay} + 16 + calm_blocks;
    std::uint64_t calm = 0;
    ProverSet* const sets[] = {honest_.get(), late_.get(), cheaters_.get()};
    for (std::uint64_t block = 0; block < most_blocks; ++block) {
        HOLDFAST_ASSIGN(statistics, registry().statistics());
        if (statistics.counts.active == chains && calm++ == calm_blocks) return {};
        if (work.stop && work.stop()) return interrupted();
        HOLDFAST_TRY(chain_->append_block());
        VdfClockWork clock_work;
        clock_work.stop = work.stop;
        for (bool more = true; more;) {
            HOLDFAST_ASSIGN(report, aggregator_->advance({}, sets, clock_work));
            more = report.has_value();
            if (report && !report->faults.empty()) {
                return fail(ErrorCode::kCorrupt,
                            "preparing the simulation: " + report->faults[0].error.message +
                                "; remove the cache and try again");
            }
        }
        if (work.progress) work.progress("blocks of the preparation", block + 1, most_blocks);
    }
    return fail(ErrorCode::kCorrupt,
                "not every chain got its slot; remove the cache and try again");
}

Status SimulationWorld::prepare(const WorldWork& work, const std::filesystem::path& cache,
                                std::uint64_t seed, const SimulationSize& size,
                                const std::filesystem::path& folder,
                                const BlockProcessorOptions& processing) {
    HOLDFAST_TRY(make_folder(folder));
    BlockProcessorOptions with_progress;
    with_progress.threads = processing.threads;
    with_progress.progress = [&](const char*, std::uint64_t done, std::uint64_t total) {
        if (work.progress && total > kFewChains) work.progress("preparing chains", done, total);
    };
    HOLDFAST_ASSIGN(world, load(cache, seed, size, folder, with_progress));
    HOLDFAST_ASSIGN(tip, world->chain_->current_height());
    if (tip == world->params_.genesis_height) {
        HOLDFAST_TRY(world->register_all(work));
        HOLDFAST_TRY(world->chain_->append_block());
    }
    return world->seal_all(work, size.chains());
}

Result<std::unique_ptr<SimulationWorld>> SimulationWorld::open(
    const WorldWork& work, const std::filesystem::path& cache, std::uint64_t seed,
    const SimulationSize& size, const BlockProcessorOptions& processing, Ways ways) {
    HOLDFAST_TRY(claim_cache(cache, seed));
    const std::string name = "state-" + std::to_string(size.honest) + "-" +
                             std::to_string(size.late) + "-" + std::to_string(size.cheaters);
    const std::filesystem::path state = cache / name;
    if (!std::filesystem::exists(state)) {
        const std::filesystem::path unfinished = cache / (name + kUnfinished);
        HOLDFAST_TRY(prepare(work, cache, seed, size, unfinished, processing));
        std::error_code error;
        std::filesystem::rename(unfinished, state, error);
        if (error) return fail_errno(error.value(), "cannot rename " + unfinished.string());
    }
    const std::filesystem::path run = cache / ("run-" + std::to_string(::getpid()));
    std::error_code ignored;
    std::filesystem::remove_all(run, ignored);
    Status copied = copy_state(state, run);
    if (copied && ways == Ways::kBoth) copied = copy_state(run / "registry", run / kSecond);
    if (!copied) {
        std::filesystem::remove_all(run, ignored);
        return fail(copied.error());
    }
    Result<std::unique_ptr<SimulationWorld>> world = load(cache, seed, size, run, processing);
    if (!world) {
        std::filesystem::remove_all(run, ignored);
        return fail(world.error());
    }
    (*world)->temporary_ = true;
    if (ways == Ways::kBoth) HOLDFAST_TRY((*world)->open_second(processing));
    return world;
}

Status SimulationWorld::open_second(const BlockProcessorOptions& processing) {
    BlockProcessorOptions unheard = processing;
    unheard.on_links = {};
    HOLDFAST_ASSIGN(
        second, SecondWay::open(folder_ / kSecond, params_, registry_options(processing), unheard));
    second_ = std::move(second);
    return {};
}

}  // namespace holdfast::simulation
