#include "clock/arena_cache.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>

namespace holdfast {
namespace {

// How often a thread that waits for another's fill checks whether it is cancelled.
constexpr std::chrono::milliseconds kAskEvery{20};

struct Entry {
    VdfParams params;
    std::uint64_t epoch = 0;
    EpochSeed epoch_seed;
    std::shared_ptr<const VdfArena> arena;  // null while it is being filled

    [[nodiscard]] bool serves(const VdfParams& p, std::uint64_t e, const EpochSeed& seed) const {
        return params.arena_kib == p.arena_kib && params.passes == p.passes &&
               params.lanes == p.lanes && epoch == e && epoch_seed == seed;
    }
};

}  // namespace

struct ArenaCache::Impl {
    const std::uint64_t ceiling_bytes;
    mutable std::mutex mutex;
    std::condition_variable changed;
    std::list<Entry> entries;  // most recently used first
    std::uint64_t fills = 0;

    std::mutex ahead_mutex;  // taken before `mutex`, never while it is held
    std::atomic<bool> stop_ahead{false};
    std::thread ahead;

    explicit Impl(std::uint64_t ceiling) : ceiling_bytes(ceiling) {}

    [[nodiscard]] std::uint64_t used() const {
        std::uint64_t bytes = 0;
        for (const Entry& e : entries) bytes += e.params.arena_bytes();
        return bytes;
    }
    bool make_room(std::uint64_t bytes);
    Result<std::shared_ptr<const VdfArena>> get(const VdfParams& params, std::uint64_t epoch,
                                                const EpochSeed& seed, const FillOptions& options);
    void end_ahead();
};

/// Drops unused arenas, the least recently used first, until `bytes` more fit. Called with the
/// mutex: nobody else can take a new share of an arena meanwhile.
bool ArenaCache::Impl::make_room(std::uint64_t bytes) {
    if (bytes > ceiling_bytes) return false;
    for (auto e = entries.end(); e != entries.begin() && used() > ceiling_bytes - bytes;) {
        --e;
        if (e->arena != nullptr && e->arena.use_count() == 1) e = entries.erase(e);
    }
    return used() <= ceiling_bytes - bytes;
}

Result<std::shared_ptr<const VdfArena>> ArenaCache::Impl::get(const VdfParams& params,
                                                              std::uint64_t epoch,
                                                              const EpochSeed& seed,
                                                              const FillOptions& options) {
    const Verdict bounds = params.validate();
    if (!bounds.accepted()) return fail_refused(bounds, "VDF parameters");
    std::unique_lock lock(mutex);
    for (;;) {
        const auto found = std::find_if(entries.begin(), entries.end(), [&](const Entry& e) {
            return e.serves(params, epoch, seed);
        });
        if (found == entries.end()) break;
        if (found->arena != nullptr) {
            entries.splice(entries.begin(), entries, found);
            return found->arena;
        }
        // Somebody fills it. When that fill fails its entry goes, and this call fills instead.
        changed.wait_for(lock, kAskEvery);
        if (options.stop && options.stop()) {
            return fail(ErrorCode::kInterrupted, "waiting for an arena was stopped");
        }
    }
    if (!make_room(params.arena_bytes())) {
        return fail(ErrorCode::kBusy, "the memory ceiling of arenas (" +
                                          std::to_string(ceiling_bytes >> 20) +
                                          " MiB) leaves no room for another; raise it or wait");
    }
    entries.push_front({params, epoch, seed, nullptr});
    const auto own = entries.begin();
    lock.unlock();
    auto arena = VdfArena::fill(params, epoch, seed, options);
    lock.lock();
    if (arena) {
        own->arena = *arena;
        ++fills;
    } else {
        entries.erase(own);
    }
    changed.notify_all();
    return arena;
}

void ArenaCache::Impl::end_ahead() {
    if (!ahead.joinable()) return;
    stop_ahead = true;
    ahead.join();
    stop_ahead = false;
}

ArenaCache::ArenaCache(std::uint64_t ceiling_bytes)
    : impl_(std::make_unique<Impl>(ceiling_bytes)) {}

ArenaCache::~ArenaCache() {
    const std::lock_guard guard(impl_->ahead_mutex);
    impl_->end_ahead();
}

Result<std::shared_ptr<const VdfArena>> ArenaCache::get(const VdfParams& params,
                                                        std::uint64_t epoch,
                                                        const EpochSeed& epoch_seed,
                                                        const FillOptions& options) {
    return impl_->get(params, epoch, epoch_seed, options);
}

void ArenaCache::fill_ahead(const VdfParams& params, std::uint64_t epoch,
                            const EpochSeed& epoch_seed, const FillOptions& options) {
    Impl& impl = *impl_;
    const std::lock_guard guard(impl.ahead_mutex);
    {
        const std::lock_guard lock(impl.mutex);
        for (const Entry& e : impl.entries) {
            if (e.serves(params, epoch, epoch_seed)) return;
        }
    }
    impl.end_ahead();
    FillOptions stoppable = options;
    stoppable.stop = [&impl, stop = options.stop] { return impl.stop_ahead || (stop && stop()); };
    try {
        impl.ahead = std::thread([&impl, params, epoch, epoch_seed, stoppable] {
            // The arena stays in the cache; a failure leaves nothing there.
            static_cast<void>(impl.get(params, epoch, epoch_seed, stoppable));
        });
    } catch (const std::system_error&) {  // NOLINT(bugprone-empty-catch)
        // No thread to be had: get() will fill when the arena is wanted.
    }
}

void ArenaCache::give_up_ahead() {
    const std::lock_guard guard(impl_->ahead_mutex);
    impl_->end_ahead();
}

void ArenaCache::release_before(std::uint64_t epoch) {
    const std::lock_guard lock(impl_->mutex);
    impl_->entries.remove_if([&](const Entry& e) {
        return e.epoch < epoch && e.arena != nullptr && e.arena.use_count() == 1;
    });
}

std::uint64_t ArenaCache::used_bytes() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->used();
}

std::uint64_t ArenaCache::fills() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->fills;
}

}  // namespace holdfast
