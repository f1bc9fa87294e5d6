#include "api/seal_verifier.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <list>
#include <map>
#include <mutex>
#include <tuple>
#include <vector>

#include "core/hash.hpp"
#include "storage/parallel.hpp"

namespace holdfast {
namespace {

constexpr std::size_t kRemembered = 1'024;               // accepted proofs, 32 bytes each
constexpr std::chrono::milliseconds kBetweenLooks{100};  // at the caller's cancellation

/// The proof and everything that its verdict depends on.
Digest name_of(const SealVerifier::Request& request, const NetworkId& network, ByteView body) {
    return tagged_hash("node/seal-proof", request.registration.digest(network),
                       request.known.y_height, request.known.y,
                       static_cast<std::uint8_t>(request.known.kind), sha256(body));
}

/// A proof that waits for its first place.
struct Waiter {
    const std::string* peer;
    bool listed;
    std::uint64_t deadline;  // UINT64_MAX: none
    std::uint64_t arrived;
    unsigned wanted;       // places it can use at once
    unsigned granted = 0;  // places it has been given
    Reason let_go = Reason::kOk;
};

/// A peer while it has a proof in flight.
struct ActivePeer {
    unsigned proofs = 0;
    std::uint64_t last_turn = 0;  // the smaller, the sooner it is its turn
};

}  // namespace

struct SealVerifier::Impl {
    NetworkParams network;
    NetworkId network_id;
    SealVerifierLimits limits;
    const FillKernel* kernel;
    std::atomic<bool> closed = false;

    mutable std::mutex mutex;
    std::condition_variable changed;
    std::map<std::string, ActivePeer> peers;
    std::list<Waiter> waiters;
    unsigned proofs = 0;
    unsigned free_places = 0;
    std::uint64_t turns = 0;
    std::uint64_t arrivals = 0;
    std::uint64_t tip = 0;
    SealVerifierCounts counts;
    std::deque<Digest> remembered;  // the newest last

    bool known_good(const Digest& name);
    void remember(const Digest& name);
    bool enter(const Request& request);
    void leave(const std::string& peer);
    Waiter wait_for_places(const Request& request, unsigned wanted);
    void give_back(unsigned places);
    void hand_out();
    Result<Verdict> fill_windows(const PendingSealProof& pending, unsigned places,
                                 const StopCheck& stop);
    Result<Verdict> fill_window(const PendingSealProof& pending, std::size_t n,
                                const StopCheck& stop);
};

bool SealVerifier::Impl::known_good(const Digest& name) {
    const std::scoped_lock lock(mutex);
    const bool known = std::ranges::find(remembered, name) != remembered.end();
    if (known) ++counts.remembered;
    return known;
}

void SealVerifier::Impl::remember(const Digest& name) {
    const std::scoped_lock lock(mutex);
    if (remembered.size() == kRemembered) remembered.pop_front();
    remembered.push_back(name);
}

/// False when a ceiling is reached or the caller does not admit it.
bool SealVerifier::Impl::enter(const Request& request) {
    const std::scoped_lock lock(mutex);
    const auto found = peers.find(request.peer);
    const unsigned own = found == peers.end() ? 0 : found->second.proofs;
    const bool full = proofs >= limits.proofs_at_most || own >= limits.proofs_of_a_peer;
    if ((full && !request.listed) || (request.admit && !request.admit())) {
        ++counts.busy;
        return false;
    }
    // A newcomer's turn comes after those who have waited since before.
    ActivePeer& peer = peers[request.peer];
    if (own == 0) peer.last_turn = turns;
    ++peer.proofs;
    ++proofs;
    return true;
}

void SealVerifier::Impl::leave(const std::string& peer) {
    const std::scoped_lock lock(mutex);
    const auto found = peers.find(peer);
    if (--found->second.proofs == 0) peers.erase(found);
    --proofs;
}

/// Gives free places to those whose turn it is. The lock is held.
void SealVerifier::Impl::hand_out() {
    const auto order = [this](const Waiter& w) {
        return std::tuple(!w.listed, peers.at(*w.peer).last_turn, w.deadline, w.arrived);
    };
    while (free_places > 0) {
        auto next = waiters.end();
        for (auto w = waiters.begin(); w != waiters.end(); ++w) {
            if (w->granted != 0 || w->let_go != Reason::kOk) continue;
            if (next == waiters.end() || order(*w) < order(*next)) next = w;
        }
        if (next == waiters.end()) return;
        // More than one only where nobody else waits for it.
        const auto others = std::ranges::count_if(waiters, [&](const Waiter& w) {
            return &w != &*next && w.granted == 0 && w.let_go == Reason::kOk;
        });
        next->granted = others > 0 ? 1 : std::min(next->wanted, free_places);
        free_places -= next->granted;
        peers.at(*next->peer).last_turn = ++turns;
        changed.notify_all();
    }
}

Waiter SealVerifier::Impl::wait_for_places(const Request& request, unsigned wanted) {
    std::unique_lock lock(mutex);
    const std::uint64_t deadline = request.deadline ? request.deadline->value : UINT64_MAX;
    waiters.push_back({&request.peer, request.listed, deadline, ++arrivals, wanted});
    const auto own = std::prev(waiters.end());
    if (deadline < tip) own->let_go = Reason::kTooLate;
    hand_out();
    const auto decided = [&] { return own->granted > 0 || own->let_go != Reason::kOk || closed; };
    if (!request.stop) {
        changed.wait(lock, decided);
    } else {
        while (!changed.wait_for(lock, kBetweenLooks, decided) && !request.stop()) {
        }
    }
    const Waiter outcome = *own;
    waiters.erase(own);
    if (outcome.granted == 0 && outcome.let_go == Reason::kTooLate) ++counts.late;
    const auto at_work = static_cast<std::uint64_t>(limits.fills_at_once - free_places);
    counts.most_fills_at_once = std::max(counts.most_fills_at_once, at_work);
    return outcome;
}

void SealVerifier::Impl::give_back(unsigned places) {
    const std::scoped_lock lock(mutex);
    free_places += places;
    hand_out();
}

Result<Verdict> SealVerifier::Impl::fill_window(const PendingSealProof& pending, std::size_t n,
                                                const StopCheck& stop) {
    {
        const std::scoped_lock lock(mutex);
        ++counts.fills;
    }
    const std::uint64_t bytes = pending.challenge.windows[n].window.bytes();
    HOLDFAST_ASSIGN(memory, FillMemory::allocate(bytes));
    FillOptions options;
    options.kernel = kernel;
    options.stop = stop;
    return check_sealed_window(pending, n, {memory.data(), static_cast<std::size_t>(bytes)},
                               options);
}

Result<Verdict> SealVerifier::Impl::fill_windows(const PendingSealProof& pending, unsigned places,
                                                 const StopCheck& stop) {
    const std::size_t count = pending.challenge.windows.size();
    std::vector<Verdict> verdicts(count);
    std::atomic<std::size_t> first_bad = count;
    const auto ended = [&] { return closed || (stop && stop()); };
    const auto judge = [&](unsigned, std::uint64_t n) -> Status {
        // What comes after a bad window is not needed; what comes before decides.
        if (n > first_bad) return {};
        const auto beside_the_point = [&] { return ended() || n > first_bad; };
        Result<Verdict> verdict = fill_window(pending, n, beside_the_point);
        if (!verdict) {
            if (n > first_bad && !ended()) return {};
            return fail(std::move(verdict).error());
        }
        verdicts[n] = *verdict;
        if (verdict->accepted()) return {};
        std::size_t known = first_bad;
        while (n < known && !first_bad.compare_exchange_weak(known, n)) {
        }
        return {};
    };
    HOLDFAST_TRY(run_workers(worker_count(places, count), count, ended, judge));
    return first_bad < count ? verdicts[first_bad] : Verdict::ok();
}

SealVerifier::SealVerifier(const NetworkParams& network, const SealVerifierLimits& limits,
                           const FillKernel* kernel)
    : impl_(std::make_unique<Impl>()) {
    impl_->network = network;
    impl_->network_id = network.id();
    impl_->limits = limits;
    impl_->limits.fills_at_once = worker_count(limits.fills_at_once, UINT64_MAX);
    impl_->free_places = impl_->limits.fills_at_once;
    impl_->kernel = kernel;
}

SealVerifier::~SealVerifier() = default;

Result<Verdict> SealVerifier::verify(const Request& request, ByteView body) {
    Impl& impl = *impl_;
    if (impl.closed) return interrupted();
    const auto pending =
        check_seal_proof(impl.network, impl.network_id, request.registration, request.known, body);
    if (!pending) {
        const std::scoped_lock lock(impl.mutex);
        ++impl.counts.refused_cheaply;
        return pending.error();
    }
    const Digest name = name_of(request, impl.network_id, body);
    if (impl.known_good(name)) return Verdict::ok();
    if (!impl.enter(request)) return Verdict(Reason::kBusy);
    const auto windows = static_cast<unsigned>(pending->challenge.windows.size());
    const Waiter turn = impl.wait_for_places(request, windows);
    Result<Verdict> verdict = Verdict(turn.let_go);
    if (turn.granted > 0) {
        verdict = impl.fill_windows(*pending, turn.granted, request.stop);
        impl.give_back(turn.granted);
        if (verdict && verdict->accepted()) impl.remember(name);
    } else if (turn.let_go == Reason::kOk) {
        verdict = interrupted();
    }
    impl.leave(request.peer);
    return verdict;
}

void SealVerifier::set_tip(Height tip) {
    const std::scoped_lock lock(impl_->mutex);
    impl_->tip = tip.value;
    for (Waiter& w : impl_->waiters) {
        if (w.granted == 0 && w.deadline < tip.value) w.let_go = Reason::kTooLate;
    }
    impl_->changed.notify_all();
}

void SealVerifier::close() {
    const std::scoped_lock lock(impl_->mutex);
    impl_->closed = true;
    impl_->changed.notify_all();
}

SealVerifierCounts SealVerifier::counts() const {
    const std::scoped_lock lock(impl_->mutex);
    return impl_->counts;
}

}  // namespace holdfast
