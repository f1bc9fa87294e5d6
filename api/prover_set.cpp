#include "api/prover_set.hpp"

#include <algorithm>

#include "api/prover.hpp"
#include "chunking/tree_file.hpp"

namespace holdfast {
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
    std::error_code ignored;
    if (std::filesystem::exists(ProverFiles::beside(replica).records, ignored)) {
        return fail(ErrorCode::kAlreadyExists,
                    replica.string() + ": has link records of its own beside it (" +
                        ProverFiles::beside(replica).records.filename().string() +
                        "); drive it alone, so that no link of theirs is signed a second time");
    }
    const auto index = static_cast<std::uint32_t>(members_.size());
    if (!by_replica_.emplace(header.replica_id, index).second) {
        return fail(ErrorCode::kInvalidArgument, replica.string() + ": taken in before");
    }
    members_.push_back({replica.string(), header.replica_id, header.sealed_root,
                        header.replica.chunks, std::nullopt});
    return {};
}

Result<std::uint64_t> ProverSet::add_folder(const std::filesystem::path& folder, const Fault& fault,
                                            const Progress& progress) {
    std::vector<std::filesystem::path> found;
    std::error_code error;
    std::filesystem::recursive_directory_iterator at(folder, error);
    for (; !error && at != std::filesystem::recursive_directory_iterator(); at.increment(error)) {
        if (at->path().extension() == ".replica") found.push_back(at->path());
    }
    if (error) return fail_errno(error.value(), "cannot list " + folder.string());
    std::sort(found.begin(), found.end());
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

Status ProverSet::find_chains(const Registry& registry, const Fault& fault) {
    const std::size_t before = by_chain_.size();
    for (std::uint32_t i = 0; i < members_.size(); ++i) {
        SetMember& member = members_[i];
        if (member.chain_id) continue;
        HOLDFAST_ASSIGN(chain_id, registry.chain_of_replica(member.replica_id));
        if (!chain_id) continue;
        HOLDFAST_ASSIGN(info, registry.chain(*chain_id));
        if (!info) continue;
        if (info->registration.sealed_root != member.sealed_root) {
            if (fault) {
                fault(member.replica, Error{ErrorCode::kCorrupt,
                                            member.replica + ": its chain was registered with "
                                                             "another sealed root",
                                            {}});
            }
            continue;
        }
        member.chain_id = chain_id;
        by_chain_.emplace_back(*chain_id, i);
    }
    if (by_chain_.size() != before) std::sort(by_chain_.begin(), by_chain_.end());
    return {};
}

std::optional<std::uint32_t> ProverSet::member_of(const ChainId& chain_id) const {
    const auto at = std::lower_bound(
        by_chain_.begin(), by_chain_.end(), chain_id,
        [](const ByChain::value_type& entry, const ChainId& id) { return entry.first < id; });
    if (at == by_chain_.end() || at->first != chain_id) return std::nullopt;
    return at->second;
}

RevealChain& ProverSet::reveals(std::uint32_t member, Height base) {
    const auto key = std::pair(member, base);
    const auto found = reveals_.find(key);
    if (found != reveals_.end()) return found->second;
    return reveals_
        .emplace(key, RevealChain(network_id_, members_.at(member).replica_id, base, key_))
        .first->second;
}

}  // namespace holdfast
