#include "node/replica_stock.hpp"

#include <algorithm>

#include "node/node_folder.hpp"

namespace holdfast::node {
namespace {

namespace fs = std::filesystem;

Result<std::vector<fs::path>> replicas_below(const fs::path& folder) {
    std::vector<fs::path> out;
    std::error_code error;
    fs::recursive_directory_iterator at(folder, error);
    for (; !error && at != fs::recursive_directory_iterator(); at.increment(error)) {
        if (at->path().extension() == ".replica") out.push_back(at->path());
    }
    if (error)
        return fail(ErrorCode::kIo, "cannot list " + folder.string() + ": " + error.message());
    return out;
}

bool is_there(const fs::path& file) {
    std::error_code ignored;
    return fs::exists(file, ignored);
}

}  // namespace

ReplicaStock::ReplicaStock(const Config& config, const Identity& identity, ProverSet& set,
                           AvailabilityResponder& responder, ChunkServer& chunks, Log& log)
    : identity_(identity), set_(set), responder_(responder), chunks_(chunks), log_(log) {
    for (const ReplicaEntry& one : config.replicas) {
        StockedReplica& entry = entries_[one.replica];
        entry.replica = one.replica;
        entry.raw = one.raw;
    }
    for (const FolderEntry& one : config.folders) folders_.push_back({one.path, 0, {}});
}

// --- looking -------------------------------------------------------------------------------------

void ReplicaStock::look_at_folders() {
    for (StockedFolder& folder : folders_) {
        const Result<std::vector<fs::path>> found = replicas_below(folder.path);
        if (!found) {
            if (folder.error != found.error().message) {
                log_.error("folder.missing",
                           {{"folder", folder.path}, {"error", found.error().message}});
            }
            folder.error = found.error().message;
            continue;  // it keeps what was found in it
        }
        folder.error.clear();
        folder.replicas = found->size();
        for (const fs::path& replica : *found) {
            if (left_out_.contains(replica)) continue;
            StockedReplica& entry = entries_[replica];
            if (entry.replica.empty()) {
                entry.replica = replica;
                entry.folder = folder.path;
                // What was sealed, where it was kept (spec 16.1: hot deposits).
                fs::path raw = replica;
                if (is_there(raw.replace_extension(".raw"))) entry.raw = raw;
            }
        }
        std::erase_if(entries_, [&](const Entries::value_type& one) {
            const StockedReplica& entry = one.second;
            if (entry.folder != folder.path || is_there(entry.replica)) return false;
            log_.error("replica.gone", {{"replica", entry.replica}});
            take_out(entry);
            return true;
        });
    }
}

void ReplicaStock::link(StockedReplica& entry) {
    if (entry.linked) return;
    const Status added = set_.add(entry.replica);
    if (!added) {
        if (entry.error != added.error().message) {
            log_.error("replica.not_linked",
                       {{"replica", entry.replica}, {"error", added.error().message}});
        }
        entry.error = added.error().message;
        entry.code = added.error().code;
        return;
    }
    entry.linked = true;
    entry.error.clear();
    entry.id = set_.members().back().replica_id;
}

/// In both halves of the service, or in neither. Empty: it has no registration yet.
Result<std::optional<ChainId>> ReplicaStock::answer_for(StockedReplica& entry) const {
    const fs::path& file = entry.replica;
    if (entry.linked && !is_there(registration_file(file))) return std::optional<ChainId>();
    HOLDFAST_ASSIGN(registration, registration_beside(identity_.params, file));
    const ProverFiles files = ProverFiles::beside(file);
    HOLDFAST_ASSIGN(opened, Replica::open(files.replica, files.tree, identity_.params));
    const auto replica = std::make_shared<const Replica>(std::move(opened));
    if (registration.header != replica->header().replica ||
        registration.sealed_root != replica->header().sealed_root) {
        return fail(
            ErrorCode::kInvalidArgument,
            registration_file(file).string() + " is of another replica than " + file.string());
    }
    const ChainId id = registration.chain_id(identity_.params.id());
    HOLDFAST_TRY(responder_.add_chain(id, replica, identity_.key));
    if (const Status added = chunks_.add_chain(id, replica, entry.raw); !added) {
        HOLDFAST_TRY(responder_.remove_chain(id));
        return fail(added.error());
    }
    entry.ends_at =
        registration.genesis_height + retention_blocks(identity_.params, registration.retention);
    return std::optional(id);
}

void ReplicaStock::look_at(StockedReplica& entry) {
    const std::string before = entry.error;
    link(entry);
    if (entry.chain) return;
    // One whose link records another process holds is answered for; others that cannot be linked
    // are not.
    if (!entry.linked && entry.code != ErrorCode::kBusy) return;
    const Result<std::optional<ChainId>> opened = answer_for(entry);
    if (!opened) {
        // Once for each new reason, not for each try.
        if (before != opened.error().message && entry.error != opened.error().message) {
            log_.error("replica.missing",
                       {{"replica", entry.replica}, {"error", opened.error().message}});
        }
        if (entry.linked || entry.error.empty()) {
            entry.error = opened.error().message;
            entry.code = opened.error().code;
        }
        return;
    }
    entry.chain = *opened;
    if (!entry.chain) return;
    log_.info("replica.open",
              {{"chain", *entry.chain}, {"replica", entry.replica}, {"raw", entry.raw}});
}

void ReplicaStock::look() {
    const auto lock = lock_set();
    look_at_folders();
    for (auto& [path, entry] : entries_) look_at(entry);
    show();
}

/// Under the set's lock.
void ReplicaStock::show() {
    std::vector<StockedReplica> replicas;
    replicas.reserve(entries_.size());
    for (const auto& [path, entry] : entries_) replicas.push_back(entry);
    const std::lock_guard lock(view_mutex_);
    shown_ = std::move(replicas);
    shown_folders_ = folders_;
}

// --- in and out ----------------------------------------------------------------------------------

Status ReplicaStock::add(const fs::path& path) {
    if (!is_there(path))
        return fail(ErrorCode::kNotFound, path.string() + ": no such file or folder");
    const auto lock = lock_set();
    std::error_code ignored;
    if (fs::is_directory(path, ignored)) {
        const bool known = std::any_of(folders_.begin(), folders_.end(),
                                       [&](const StockedFolder& f) { return f.path == path; });
        if (known) return fail(ErrorCode::kAlreadyExists, path.string() + " is looked at already");
        folders_.push_back({path, 0, {}});
        look_at_folders();
        for (auto& [file, entry] : entries_) look_at(entry);
        show();
        return {};
    }
    StockedReplica entry;
    entry.replica = path;
    left_out_.erase(path);
    if (entries_.contains(path)) {
        return fail(ErrorCode::kAlreadyExists, path.string() + " is at hand already");
    }
    for (const StockedFolder& folder : folders_) {
        const auto [end, rest] =
            std::mismatch(folder.path.begin(), folder.path.end(), path.begin(), path.end());
        if (end == folder.path.end()) entry.folder = folder.path;
    }
    look_at(entry);
    if (!entry.linked) return fail(entry.code, entry.error);
    entries_.emplace(path, std::move(entry));
    show();
    return {};
}

void ReplicaStock::take_out(const StockedReplica& entry) {
    if (entry.linked) (void)set_.remove(entry.replica);
    if (entry.chain) {
        (void)responder_.remove_chain(*entry.chain);
        (void)chunks_.remove_chain(*entry.chain);
    }
}

Result<std::vector<ChainId>> ReplicaStock::remove(const fs::path& path) {
    const auto lock = lock_set();
    std::vector<ChainId> out;
    const auto removed = std::erase_if(entries_, [&](const Entries::value_type& one) {
        const StockedReplica& entry = one.second;
        if (entry.replica != path && entry.folder != path) return false;
        if (entry.chain) out.push_back(*entry.chain);
        if (entry.folder && entry.folder != path) left_out_.insert(path);
        take_out(entry);
        return true;
    });
    const auto folders =
        std::erase_if(folders_, [&](const StockedFolder& folder) { return folder.path == path; });
    if (removed + folders == 0) {
        return fail(ErrorCode::kNotFound, path.string() +
                                              ": no replica and no folder of this "
                                              "prover (holdfast prover list)");
    }
    show();
    return out;
}

void ReplicaStock::registered(const fs::path& replica) {
    const auto lock = lock_set();
    const auto found = entries_.find(replica);
    if (found == entries_.end()) return;
    StockedReplica& entry = found->second;
    if (entry.chain) {
        (void)responder_.remove_chain(*entry.chain);
        (void)chunks_.remove_chain(*entry.chain);
        entry.chain.reset();
    }
    look_at(entry);
    show();
}

// --- what there is -------------------------------------------------------------------------------

std::vector<StockedReplica> ReplicaStock::replicas() const {
    const std::lock_guard lock(view_mutex_);
    return shown_;
}
std::vector<StockedFolder> ReplicaStock::folders() const {
    const std::lock_guard lock(view_mutex_);
    return shown_folders_;
}
std::vector<ChainId> ReplicaStock::chains() const {
    const std::lock_guard lock(view_mutex_);
    std::vector<ChainId> out;
    for (const StockedReplica& one : shown_) {
        if (one.chain) out.push_back(*one.chain);
    }
    return out;
}

}  // namespace holdfast::node
