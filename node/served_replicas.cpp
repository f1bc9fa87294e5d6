#include "node/served_replicas.hpp"

#include <chrono>
#include <thread>

#include "node/node_folder.hpp"

namespace holdfast::node {
namespace {

constexpr std::uint32_t kStopLookMs = 50;

}  // namespace

ServedReplicas::ServedReplicas(std::vector<ReplicaEntry> entries, const Identity& identity,
                               AvailabilityResponder& responder, ChunkServer& chunks, Log& log)
    : identity_(identity), responder_(responder), chunks_(chunks), log_(log) {
    for (ReplicaEntry& entry : entries) entries_.push_back({std::move(entry), {}, {}});
}

/// In both halves of the service, or in neither.
Result<ChainId> ServedReplicas::open(const ReplicaEntry& entry) const {
    HOLDFAST_ASSIGN(registration, registration_beside(identity_.params, entry.replica));
    const ProverFiles files = ProverFiles::beside(entry.replica);
    HOLDFAST_ASSIGN(opened, Replica::open(files.replica, files.tree, identity_.params));
    const auto replica = std::make_shared<const Replica>(std::move(opened));
    if (registration.header != replica->header().replica ||
        registration.sealed_root != replica->header().sealed_root) {
        return fail(ErrorCode::kInvalidArgument, registration_file(entry.replica).string() +
                                                     " is of another replica than " +
                                                     entry.replica.string());
    }
    const ChainId id = registration.chain_id(identity_.params.id());
    HOLDFAST_TRY(responder_.add_chain(id, replica, identity_.key));
    if (const Status added = chunks_.add_chain(id, replica, entry.raw); !added) {
        HOLDFAST_TRY(responder_.remove_chain(id));
        return fail(added.error());
    }
    return id;
}

void ServedReplicas::note(Entry& entry, const Result<ChainId>& opened) {
    if (opened) {
        entry.chain = *opened;
        entry.error.reset();
        log_.info("replica.open",
                  {{"chain", *opened}, {"replica", entry.files.replica}, {"raw", entry.files.raw}});
        return;
    }
    // Once for each new reason, not for each try.
    if (!entry.error || entry.error->message != opened.error().message) {
        log_.error("replica.missing",
                   {{"replica", entry.files.replica}, {"error", opened.error().message}});
    }
    entry.error = opened.error();
}

Status ServedReplicas::open_missing() {
    bool any_open = false;
    std::optional<Error> first;
    for (Entry& entry : entries_) {
        if (!entry.chain) {
            const Result<ChainId> opened = open(entry.files);
            const std::lock_guard lock(mutex_);
            note(entry, opened);
        }
        any_open = any_open || entry.chain.has_value();
        if (!first && entry.error) first = entry.error;
    }
    return any_open || !first ? Status() : Status(fail(*first));
}

void ServedReplicas::run(const StopCheck& stop) {
    using Clock = std::chrono::steady_clock;
    auto next = Clock::now() + std::chrono::milliseconds(kRetryMs);
    while (!stop()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(kStopLookMs));
        if (Clock::now() < next) continue;
        (void)open_missing();  // told by missing()
        next = Clock::now() + std::chrono::milliseconds(kRetryMs);
    }
}

std::vector<ChainId> ServedReplicas::chains() const {
    const std::lock_guard lock(mutex_);
    std::vector<ChainId> out;
    for (const Entry& entry : entries_) {
        if (entry.chain) out.push_back(*entry.chain);
    }
    return out;
}

std::vector<ServedReplicas::Missing> ServedReplicas::missing() const {
    const std::lock_guard lock(mutex_);
    std::vector<Missing> out;
    for (const Entry& entry : entries_) {
        if (entry.error) out.push_back({entry.files.replica.string(), entry.error->message});
    }
    return out;
}

}  // namespace holdfast::node
