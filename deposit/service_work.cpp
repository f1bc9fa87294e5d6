#include <chrono>
#include <thread>

#include "chunking/seal.hpp"
#include "chunking/tree_file.hpp"
#include "core/codec.hpp"
#include "deposit/service.hpp"

namespace holdfast {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kRoundPause{250};
constexpr std::chrono::milliseconds kThrottlePause{20};
constexpr std::uint64_t kRememberedMs = std::uint64_t{30} * 86'400'000;  // what is over

bool lies_there(const fs::path& file) {
    std::error_code ignored;
    return fs::exists(file, ignored);
}

}  // namespace

void DepositService::run(const StopCheck& stop) {
    while (!stop()) {
        if (step(stop)) continue;
        const auto until = std::chrono::steady_clock::now() + kRoundPause;
        while (!stop() && !news_.exchange(false) && std::chrono::steady_clock::now() < until) {
            std::this_thread::sleep_for(kThrottlePause);
        }
    }
}

bool DepositService::step(const StopCheck& stop) {
    bool done = false;
    Held next;
    std::uint64_t since = 0;
    std::vector<DepositId> forgotten;
    for (const Held& held : all()) {
        const std::lock_guard lock(held->mutex);
        if (tidy(*held)) {
            done = true;
            continue;
        }
        if (held->forgotten) forgotten.push_back(held->file.id());
        if (held->file.stage() != DepositPhase::kSealing) continue;
        if (!next || held->file.stage_ms() < since) {
            next = held;
            since = held->file.stage_ms();
        }
    }
    if (!forgotten.empty()) {
        const std::lock_guard lock(mutex_);
        for (const DepositId& id : forgotten) deposits_.erase(id);
    }
    if (!next || paused_ || stop()) return done;
    const std::uint64_t before = sealed_;
    seal(*next, stop);
    return done || sealed_ != before;
}

/// Under the deposit's lock. Whether it is over now.
bool DepositService::tidy(Deposit& deposit) {
    DepositFile& file = deposit.file;
    const std::uint64_t now = host_.now_ms();
    if (!file.live()) {
        // The record stays, so that a repeated question finds what became of it.
        if (now < file.stage_ms() + kRememberedMs) return false;
        deposit.forgotten = file.remove().has_value();
        host_.tell("deposit.forgotten", file.id(), "over for 30 days", false);
        return false;
    }
    if (file.stage() == DepositPhase::kReceiving &&
        now > file.opened_ms() + std::uint64_t{file.terms().upload_s} * 1'000) {
        return drop(deposit, DepositPhase::kFailed, DepositReason::kUploadTime);
    }
    if (file.stage() != DepositPhase::kSealed) {
        return file.wish() != 0 && drop(deposit, DepositPhase::kEnded, DepositReason::kRemoved);
    }
    show(deposit);
    const auto chain = host_.chain(file.replica_id());
    if (!chain) {
        // Once a registration has been written it may be accepted at any time: nothing is dropped.
        if (lies_there(file.file(".registration"))) return false;
        if (file.wish() != 0) return drop(deposit, DepositPhase::kEnded, DepositReason::kRemoved);
        return now > file.stage_ms() + std::uint64_t{settings_.unregistered_s} * 1'000 &&
               drop(deposit, DepositPhase::kFailed, DepositReason::kNotRegistered);
    }
    if (file.wish() == 0) return false;
    if (chain->over) return drop(deposit, DepositPhase::kEnded, DepositReason::kRemoved);
    if (const Status asked = host_.end_chain(chain->chain); !asked) {
        note_error(file.id(), "deposit.end", asked.error().message);
    }
    return false;
}

/// Gives a sealed replica the name under which the prover's stock finds it: after it is on record,
/// so that nothing is registered whose data were not held against what arrived.
void DepositService::show(const Deposit& deposit) {
    const DepositFile& file = deposit.file;
    if (!lies_there(file.file(".sealed"))) return;
    std::error_code error;
    if (!file.terms().hot) fs::remove(file.file(".part"), error);
    fs::rename(file.file(".sealed"), file.file(".replica"), error);
    if (error) return note_error(file.id(), "deposit.seal", error.message());
    if (const Status synced = sync_folder(settings_.folder); !synced) {
        return note_error(file.id(), "deposit.seal", synced.error().message);
    }
    host_.look();
}

/// On record before anything goes: a crash in between leaves files that the next start removes.
bool DepositService::drop(Deposit& deposit, DepositPhase stage, DepositReason reason) {
    DepositFile& file = deposit.file;
    host_.leave(file.file(".replica"));
    if (const Status noted = file.note_stage(stage, reason, host_.now_ms(), file.replica_id());
        !noted) {
        note_error(file.id(), "deposit.drop", noted.error().message);
        return false;
    }
    file.remove_data();
    host_.tell("deposit.dropped", file.id(), std::string(to_string(reason)), false);
    return true;
}

/// The id makes the nonce: two deposits of the same data are two replicas.
Result<ReplicaId> DepositService::seal_file(const Deposit& deposit, const fs::path& source,
                                            const StopCheck& stop) const {
    const DepositFile& file = deposit.file;
    SealRequest request;
    request.network = params_;
    request.prover = key_.public_key();
    request.seal = file.terms().seal;
    request.nonce = load_le64(file.id().data());
    request.source = source;
    request.replica_path = file.file(".sealed");
    request.tree_path = file.file(".tree");
    const auto ends = [&] { return stop() || deposit.removing; };
    SealOptions options;
    options.workers = settings_.seal_threads;
    options.stop = ends;
    const auto started = std::chrono::steady_clock::now();
    options.progress = [&](const SealProgress& progress) {
        if (progress.stage != SealStage::kSealing || settings_.seal_bytes_per_second == 0) return;
        const double due_s = static_cast<double>(progress.done_bytes) /
                             static_cast<double>(settings_.seal_bytes_per_second);
        const auto due = started + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                                       std::chrono::duration<double>(due_s));
        while (!ends() && std::chrono::steady_clock::now() < due) {
            std::this_thread::sleep_for(kThrottlePause);
        }
    };
    std::error_code ignored;
    if (lies_there(request.replica_path)) {
        // Sealed before a crash, and not on record.
        HOLDFAST_ASSIGN(header, read_replica_header(request.replica_path, params_));
        return header.replica.replica_id(network_);
    }
    fs::remove(request.tree_path, ignored);  // published first, without its replica
    HOLDFAST_ASSIGN(sealed, ::holdfast::seal(request, options));
    return sealed.header.replica.replica_id(network_);
}

/// Not under the deposit's lock while it is sealed, which takes long: states are told meanwhile,
/// and nobody else touches the data of a deposit that is being sealed.
void DepositService::seal(Deposit& deposit, const StopCheck& stop) {
    fs::path source;
    Root raw_root;
    {
        const std::lock_guard lock(deposit.mutex);
        const DepositFile& file = deposit.file;
        raw_root = root_of_pieces(file.arrived());
        source = file.file(file.terms().hot ? ".raw" : ".part");
        std::error_code error;
        if (file.terms().hot && !lies_there(source)) {
            fs::rename(file.file(".part"), source, error);
            if (error) return note_error(file.id(), "deposit.seal", error.message());
        }
    }
    const Result<ReplicaId> done = seal_file(deposit, source, stop);
    const std::lock_guard lock(deposit.mutex);
    DepositFile& file = deposit.file;
    if (!done) {
        if (done.error().code == ErrorCode::kInterrupted) return;
        if (done.error().code == ErrorCode::kCorrupt) {
            note_error(file.id(), "deposit.seal", done.error().message);
            (void)drop(deposit, DepositPhase::kFailed, DepositReason::kDamaged);
            return;
        }
        return note_error(file.id(), "deposit.seal", done.error().message);  // tried again
    }
    const auto header = read_replica_header(file.file(".sealed"), params_);
    if (!header || header->replica.raw_root != raw_root) {
        note_error(file.id(), "deposit.seal",
                   "the data have changed on the disk since they arrived");
        (void)drop(deposit, DepositPhase::kFailed, DepositReason::kDamaged);
        return;
    }
    if (const Status noted =
            file.note_stage(DepositPhase::kSealed, DepositReason::kNone, host_.now_ms(), *done);
        !noted) {
        return note_error(file.id(), "deposit.seal", noted.error().message);
    }
    ++sealed_;
    host_.tell("deposit.sealed", file.id(), to_hex(*done), false);
    show(deposit);
}

}  // namespace holdfast
