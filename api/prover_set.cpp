#include "api/prover_set.hpp"

#include <algorithm>
#include <iterator>
#include <mutex>

#include "api/prover.hpp"
#include "chunking/replica_batch.hpp"
#include "chunking/tree_file.hpp"

namespace holdfast {
namespace {

std::filesystem::path without_slash(const std::filesystem::path& folder) {
    const std::filesystem::path normal = folder.lexically_normal();
    return normal.has_filename() ? normal : normal.parent_path();
}

/// Every *.replica below a folder, ascending.
Result<std::vector<std::filesystem::path>> replicas_below(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> found;
    std::error_code error;
    std::filesystem::recursive_directory_iterator at(folder, error);
    for (; !error && at != std::filesystem::recursive_directory_iterator(); at.increment(error)) {
        if (at->path().extension() == ".replica") found.push_back(at->path());
    }
    if (error) return fail_errno(error.value(), "cannot list " + folder.string());
    std::sort(found.begin(), found.end());
    return found;
}

/// Or the same.
bool is_below(const std::filesystem::path& file, const std::filesystem::path& folder) {
    const auto [end, _] = std::mismatch(folder.begin(), folder.end(), file.begin(), file.end());
    return end == folder.end();
}

}  // namespace

ProverSet::ProverSet(const NetworkParams& params, KeyPair key, const ProverSetOptions& options)
    : params_(params),
      network_id_(params.id()),
      key_(std::move(key)),
      options_(options),
      files_(std::make_unique<OpenFiles>(options.open_files)) {}
ProverSet::ProverSet(ProverSet&&) noexcept = default;
ProverSet& ProverSet::operator=(ProverSet&&) noexcept = default;
ProverSet::~ProverSet() = default;

ProverSet ProverSet::prepare(const NetworkParams& params, KeyPair key,
                             const ProverSetOptions& options) {
    return {params, std::move(key), options};
}

Status ProverSet::open_records(const std::filesystem::path& records) {
    LinkSetRecords::Options kept;
    kept.kept_heights = options_.kept_heights;
    HOLDFAST_ASSIGN(opened, LinkSetRecords::open(records, network_id_, key_.public_key(), kept));
    records_.emplace(std::move(opened));
    return {};
}

Result<ProverSet> ProverSet::open(const NetworkParams& params, KeyPair key,
                                  const std::filesystem::path& records,
                                  const ProverSetOptions& options) {
    ProverSet set = prepare(params, std::move(key), options);
    HOLDFAST_TRY(set.open_records(records));
    return set;
}

Status ProverSet::add(const std::filesystem::path& replica) {
    HOLDFAST_ASSIGN(header, read_replica_header(replica, params_));
    if (header.replica.prover != key_.public_key()) {
        return fail(ErrorCode::kInvalidArgument,
                    replica.string() + ": sealed for another key than this set's");
    }
    if (by_replica_.contains(header.replica_id)) {
        return fail(ErrorCode::kInvalidArgument, replica.string() + ": taken in before");
    }
    const std::filesystem::path alone = ProverFiles::beside(replica).records;
    std::error_code ignored;
    if (std::filesystem::exists(alone, ignored)) {
        HOLDFAST_ASSIGN(records, LinkRecords::open(alone));
        alone_.emplace(header.replica_id, std::move(records));
    }
    const auto index = static_cast<std::uint32_t>(members_.size());
    by_replica_.emplace(header.replica_id, index);
    const std::unique_lock lock(*mutex_);
    members_.push_back({replica.string(), header.replica_id, header.sealed_root,
                        header.replica.chunks, std::nullopt});
    return {};
}

Result<std::uint64_t> ProverSet::add_folder(const std::filesystem::path& folder, const Fault& fault,
                                            const Progress& progress) {
    const std::filesystem::path below = without_slash(folder);
    if (std::find(folders_.begin(), folders_.end(), below) == folders_.end()) {
        folders_.push_back(below);
    }
    HOLDFAST_ASSIGN(found, replicas_below(below));
    return take_in(found, fault, progress);
}

std::uint64_t ProverSet::take_in(std::span<const std::filesystem::path> found, const Fault& fault,
                                 const Progress& progress) {
    std::uint64_t taken = 0;
    for (std::size_t i = 0; i < found.size(); ++i) {
        const Status added = add(found[i]);
        if (added) {
            ++taken;
        } else if (fault) {
            fault(found[i], added.error());
        }
        if (progress) progress(i + 1, found.size());
    }
    return taken;
}

std::uint64_t ProverSet::take_out(const std::function<bool(const SetMember&)>& is_gone) {
    const std::unique_lock lock(*mutex_);
    const std::size_t before = members_.size();
    std::erase_if(members_, [&](const SetMember& member) {
        if (!is_gone(member)) return false;
        files_->forget(member.replica);
        files_->forget(tree_beside(member.replica));
        const auto first = reveals_.lower_bound({member.replica_id, Height(0)});
        auto last = first;
        while (last != reveals_.end() && last->first.first == member.replica_id) ++last;
        reveals_.erase(first, last);
        alone_.erase(member.replica_id);
        return true;
    });
    if (members_.size() == before) return 0;
    by_replica_.clear();
    by_chain_.clear();
    for (std::uint32_t i = 0; i < members_.size(); ++i) {
        by_replica_.emplace(members_[i].replica_id, i);
        if (members_[i].chain_id) by_chain_.emplace_back(*members_[i].chain_id, i);
    }
    std::sort(by_chain_.begin(), by_chain_.end());
    return before - members_.size();
}

Result<std::uint64_t> ProverSet::remove(const std::filesystem::path& replica_or_folder) {
    const std::filesystem::path below = without_slash(replica_or_folder);
    const bool was_folder = std::erase(folders_, below) > 0;
    const std::uint64_t out =
        take_out([&](const SetMember& member) { return is_below(member.replica, below); });
    if (out == 0 && !was_folder) {
        return fail(ErrorCode::kNotFound,
                    replica_or_folder.string() + ": no replica or folder of this set");
    }
    return out;
}

ProverSet::Rescan ProverSet::rescan(const Fault& fault) {
    Rescan out;
    std::vector<std::filesystem::path> found;
    std::vector<std::filesystem::path> listed;
    for (const std::filesystem::path& folder : folders_) {
        auto below = replicas_below(folder);
        if (!below) {
            ++out.lost_folders;
            if (fault) fault(folder, below.error());
            continue;
        }
        listed.push_back(folder);
        found.insert(found.end(), std::make_move_iterator(below->begin()),
                     std::make_move_iterator(below->end()));
    }
    std::sort(found.begin(), found.end());
    take_out([&](const SetMember& member) {
        const bool looked_at = std::any_of(listed.begin(), listed.end(), [&](const auto& folder) {
            return is_below(member.replica, folder);
        });
        const std::filesystem::path replica(member.replica);
        if (!looked_at || std::binary_search(found.begin(), found.end(), replica)) return false;
        out.gone.push_back(member.replica);
        return true;
    });
    std::vector<std::filesystem::path> known;
    known.reserve(members_.size());
    for (const SetMember& member : members_) known.emplace_back(member.replica);
    std::sort(known.begin(), known.end());
    std::vector<std::filesystem::path> fresh;
    std::set_difference(found.begin(), found.end(), known.begin(), known.end(),
                        std::back_inserter(fresh));
    out.added = take_in(fresh, fault, {});
    return out;
}

// B82: its own records first.
Status ProverSet::record_alone(std::uint32_t member, const LinkPlace& place,
                               const ChainLink& link) {
    const auto own = alone_.find(members_.at(member).replica_id);
    if (own == alone_.end()) return {};
    const LinkRecord record{place.height, place.block_hash, place.anchor, link.link};
    const auto receipt = own->second.record_then_sign(network_id_, link.chain_id, record, key_);
    return receipt ? Status() : fail(receipt.error());
}

Status ProverSet::find_chains(DutySource& source, const Fault& fault) {
    ByChain found;
    for (std::uint32_t i = 0; i < members_.size(); ++i) {
        const SetMember& member = members_[i];
        if (member.chain_id) continue;
        HOLDFAST_ASSIGN(chain, source.chain_of_replica(member.replica_id));
        if (!chain) continue;
        if (chain->sealed_root != member.sealed_root) {
            if (fault) {
                fault(member.replica, Error{ErrorCode::kCorrupt,
                                            member.replica + ": its chain was registered with "
                                                             "another sealed root",
                                            {}});
            }
            continue;
        }
        found.emplace_back(chain->chain_id, i);
    }
    if (found.empty()) return {};
    const std::unique_lock lock(*mutex_);
    for (const auto& [chain_id, i] : found) members_[i].chain_id = chain_id;
    by_chain_.insert(by_chain_.end(), found.begin(), found.end());
    std::sort(by_chain_.begin(), by_chain_.end());
    return {};
}

std::optional<ProverSet::Held> ProverSet::held(const ChainId& chain_id) const {
    const std::shared_lock lock(*mutex_);
    const auto member = member_of(chain_id);
    if (!member) return std::nullopt;
    return Held{members_[*member].replica, members_[*member].replica_id};
}

std::optional<std::uint32_t> ProverSet::member_of(const ChainId& chain_id) const {
    const auto at = std::lower_bound(
        by_chain_.begin(), by_chain_.end(), chain_id,
        [](const ByChain::value_type& entry, const ChainId& id) { return entry.first < id; });
    if (at == by_chain_.end() || at->first != chain_id) return std::nullopt;
    return at->second;
}

Result<RevealChain*> ProverSet::reveals(std::uint32_t member, Height base) {
    const ReplicaId& replica_id = members_.at(member).replica_id;
    const auto key = std::pair(replica_id, base);
    const auto found = reveals_.find(key);
    if (found != reveals_.end()) return &found->second;
    HOLDFAST_ASSIGN(chain, RevealChain::make(network_id_, replica_id, base, key_));
    return &reveals_.emplace(key, std::move(chain)).first->second;
}

}  // namespace holdfast
