#include "node/prover_hosts.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <thread>

#include "node/connect.hpp"
#include "node/host_follower.hpp"
#include "node/status.hpp"

namespace holdfast::node {
namespace {

constexpr std::uint32_t kStopLookMs = 20;
constexpr std::uint32_t kLeastIntervalMs = 200;

/// A page costs as much as it looks through: no more than there is.
DutyClientOptions duty_options(std::size_t chains) {
    constexpr std::size_t kLeastPage = 256;
    DutyClientOptions out;
    out.page_chains = static_cast<std::uint32_t>(
        std::clamp<std::size_t>(std::bit_ceil(chains + 1), kLeastPage, out.page_chains));
    return out;
}

}  // namespace

FollowClient::Request patient(FollowClient::Request request) {
    return [request = std::move(request)](ByteView message) -> Result<Bytes> {
        std::uint32_t waited_ms = 0;
        while (true) {
            HOLDFAST_ASSIGN(bytes, request(message));
            constexpr std::size_t kBusyBytes = 7;  // version, kind, number, u32
            if (bytes.size() != kBusyBytes) return bytes;
            const Checked<FollowAnswer> answer = decode_answer(bytes);
            const auto* busy = answer ? std::get_if<FollowBusy>(&*answer) : nullptr;
            if (busy == nullptr || busy->retry_ms >= kPatienceMs - waited_ms) return bytes;
            const std::uint32_t ms = busy->retry_ms + 1;
            std::this_thread::sleep_for(std::chrono::milliseconds(ms));
            waited_ms += ms;
        }
    };
}

ProverHosts::Host::Host(const PeerEntry& entry, const Config& config, const NetworkId& network_id,
                        TcpNetwork& network, const DutyClientOptions& options)
    : peer(entry),
      name(to_hex(entry.key) + "@" + entry.address),
      client(patient(requests_to(network, entry.key)), client_options(config)),
      duties(client, network_id, entry.key, options) {}

ProverHosts::ProverHosts(const Config& config, const NetworkParams& params, TcpNetwork& network,
                         std::size_t chains, Log& log)
    : interval_ms_(std::max(poll_interval_ms(params), kLeastIntervalMs)),
      network_(network),
      log_(log) {
    for (const PeerEntry& entry : config.hosts) {
        hosts_.push_back(
            std::make_unique<Host>(entry, config, params.id(), network, duty_options(chains)));
        states_.emplace_back().peer = entry;
    }
    states_.front().followed = true;
}

ProverHosts::~ProverHosts() = default;

FollowClient::Request ProverHosts::requests_to_followed() const {
    return patient([this](ByteView message) -> Result<Bytes> {
        return requests_to(network_, hosts_[followed()]->peer.key)(message);
    });
}

// --- looking at them -----------------------------------------------------------------------------

/// The tip, the block before it, whose y has come by now, and the digests that links build on.
Status ProverHosts::look(std::size_t host) {
    Host& h = *hosts_[host];
    HOLDFAST_ASSIGN(tip, h.client.tip());
    {
        const std::lock_guard lock(mutex_);
        if (states_[host].tip == tip.height) return {};  // nothing new
    }
    const std::uint64_t older = std::min<std::uint64_t>(tip.height.value, 1);
    for (Height at = tip.height - older; at <= tip.height; at = at + 1) {
        const Result<FollowHeight> said = h.client.at(at);
        if (!said && said.error().code == ErrorCode::kNotFound) continue;  // before its first block
        if (!said) return fail(said.error());
        (void)histories_.note(h.name, at, {said->block_hash, said->y, {}});
    }
    HOLDFAST_ASSIGN(heights, h.duties.heights());
    for (const auto* list : {&heights.open, &heights.proven}) {
        for (const DutyHeight& one : *list) {
            (void)histories_.note(h.name, one.height, {one.block_hash, {}, one.anchor});
        }
    }
    note(host, {}, tip.height);
    return {};
}

void ProverHosts::note(std::size_t host, const Status& looked, const std::optional<Height>& tip) {
    const std::lock_guard lock(mutex_);
    HostState& state = states_[host];
    const std::string error = looked ? std::string() : looked.error().message;
    if (!looked && state.error != error) {
        log_.warn("host.not_answering", {{"host", hosts_[host]->name}, {"error", error}});
    }
    state.reachable = looked.has_value();
    state.error = error;
    if (tip) state.tip = tip;
}

/// The first that is live; where none is, the one that was.
void ProverHosts::choose() {
    const std::lock_guard lock(mutex_);
    Height furthest(0);
    for (const HostState& s : states_) furthest = std::max(furthest, s.tip.value_or(Height(0)));
    for (std::size_t i = 0; i < states_.size(); ++i) {
        const HostState& s = states_[i];
        if (!s.reachable || !s.tip || furthest.since(*s.tip) > kStaleBlocks) continue;
        const std::size_t before = followed_.exchange(i);
        if (before == i) return;
        states_[before].followed = false;
        states_[i].followed = true;
        log_.warn("host.changed", {{"from", hosts_[before]->name}, {"to", hosts_[i]->name}});
        return;
    }
}

void ProverHosts::tell(const SplitHistory& found) {
    log_.error("hosts.split", {{"height", found.height},
                               {"what", found.what},
                               {"first", found.first},
                               {"second", found.second},
                               {"advice",
                                "find out which is right, take the other out of [[hosts]], then "
                                "restart or: holdfast prover trust"}});
}

void ProverHosts::distrust(const std::string& name, Height height) {
    const SplitHistory found{height, "head", "what the operator signed before", name};
    if (histories_.note(found)) tell(found);
}

std::vector<ProverHosts::Named> ProverHosts::named() const {
    std::vector<Named> out;
    for (const auto& host : hosts_) {
        out.push_back({host->name, patient(requests_to(network_, host->peer.key))});
    }
    return out;
}

void ProverHosts::watch(std::size_t host, const StopCheck& stop) {
    using Clock = std::chrono::steady_clock;
    while (!stop()) {
        const auto until = Clock::now() + std::chrono::milliseconds(interval_ms_);
        const bool was_split = split().has_value();
        const Status looked = look(host);
        note(host, looked, {});
        choose();
        if (const auto found = split(); found && !was_split) tell(*found);
        while (!stop() && Clock::now() < until) {
            std::this_thread::sleep_for(std::chrono::milliseconds(kStopLookMs));
        }
    }
}

void ProverHosts::run(const StopCheck& stop) {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < hosts_.size(); ++i) {
        threads.emplace_back([this, i, &stop] { watch(i, stop); });
    }
}

void ProverHosts::trust_again() {
    log_.warn("hosts.trusted_again", {});
    histories_.forget();
    const std::lock_guard lock(mutex_);
    for (HostState& state : states_) state.tip.reset();  // each is looked at anew
    believed_since_ = std::chrono::steady_clock::now();
}

bool ProverHosts::compared() const {
    const std::lock_guard lock(mutex_);
    const auto waited = std::chrono::steady_clock::now() - believed_since_;
    return states_.size() == 1 || waited > std::chrono::milliseconds(kCompareMs) ||
           std::all_of(states_.begin(), states_.end(),
                       [](const HostState& state) { return state.tip.has_value(); });
}

std::vector<HostState> ProverHosts::states() const {
    const std::lock_guard lock(mutex_);
    return states_;
}

std::vector<DutyNode> ProverHosts::duty_nodes() {
    std::vector<DutyNode> out;
    for (const auto& host : hosts_) out.push_back({host->peer.key, &host->client, &host->duties});
    return out;
}

// --- duties --------------------------------------------------------------------------------------

/// The height of a bundle; empty: it is something else.
static std::optional<Height> note_bundle(HeightTimeline& timeline, ByteView object,
                                         HeightStep step) {
    const Checked<Kind> kind = peek_kind(object);
    if (!kind || *kind != Kind::kBundle) return std::nullopt;
    const AcknowledgedObject seen = AcknowledgedObject::of(object);
    if (seen.height) timeline.step(*seen.height, step);
    return seen.height;
}

template <class Call>
auto GuardedDuties::guarded(const Call& call) -> decltype(call()) {
    if (const auto split = hosts_.split()) {
        return fail(ErrorCode::kUnavailable, split->to_string() + "; nothing is signed");
    }
    if (!hosts_.compared()) {
        return fail(ErrorCode::kUnavailable, "the nodes have not been compared yet");
    }
    duties_.follow(hosts_.followed());
    return call();
}

Result<std::optional<Height>> GuardedDuties::tip() {
    return guarded([&] { return duties_.tip(); });
}
Result<std::vector<Height>> GuardedDuties::open_heights() {
    return guarded([&] { return duties_.open_heights(); });
}
Result<std::vector<Height>> GuardedDuties::proof_heights() {
    return guarded([&] { return duties_.proof_heights(); });
}
Result<KnownHeight> GuardedDuties::known_height(Height height) {
    return guarded([&] { return duties_.known_height(height); });
}
Result<std::vector<DueLink>> GuardedDuties::due_links(Height height, const Wanted& wanted) {
    auto due = guarded([&] { return duties_.due_links(height, wanted); });
    if (due) timeline_.owed(height, due->size());
    return due;
}
Result<std::vector<DueProof>> GuardedDuties::due_proofs(Height height, const Wanted& wanted) {
    return guarded([&] { return duties_.due_proofs(height, wanted); });
}
Result<std::vector<SealDuty>> GuardedDuties::due_seal_proofs(const Wanted& wanted) {
    return guarded([&] { return duties_.due_seal_proofs(wanted); });
}
Result<std::vector<DueUpdate>> GuardedDuties::due_updates(const Wanted& wanted) {
    return guarded([&] { return duties_.due_updates(wanted); });
}
Result<std::optional<Registration>> GuardedDuties::registration(const ChainId& chain_id) {
    return guarded([&] { return duties_.registration(chain_id); });
}
Result<std::optional<OwnedChain>> GuardedDuties::chain_of_replica(const ReplicaId& replica_id) {
    return guarded([&] { return duties_.chain_of_replica(replica_id); });
}
Result<std::vector<OwnedChain>> GuardedDuties::chains_of(const PublicKey& prover) {
    return guarded([&] { return duties_.chains_of(prover); });
}
Result<std::vector<ObjectOutcome>> GuardedDuties::accept(std::span<const ByteView> objects,
                                                         const SealCheck& check) {
    for (const ByteView object : objects) note_bundle(timeline_, object, HeightStep::kMade);
    auto outcomes = guarded([&] { return duties_.accept(objects, check); });
    if (!outcomes) return outcomes;
    for (std::size_t i = 0; i < outcomes->size(); ++i) {
        const auto height = note_bundle(timeline_, objects[i], HeightStep::kHandedOver);
        const auto& members = (*outcomes)[i].members;
        if (height) {
            timeline_.taken(*height, static_cast<std::uint64_t>(
                                         std::count_if(members.begin(), members.end(),
                                                       [](const Verdict& v) { return bool(v); })));
        }
    }
    return outcomes;
}
Status GuardedDuties::list(Kind kind, ByteView object) {
    return guarded([&] { return duties_.list(kind, object); });
}
Status GuardedDuties::begin_pass() {
    return guarded([&] { return duties_.begin_pass(); });
}
Result<std::vector<FollowedChain>> GuardedDuties::followed_chains() {
    return guarded([&] { return duties_.followed_chains(); });
}

}  // namespace holdfast::node
