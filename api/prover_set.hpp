// The chains of one key on one machine, by the hundred thousand: what BlockProcessor drives.
//
// A member costs about 250 bytes of memory: what its replica's header said when it was checked, and
// its chain once the registry knows it. Files are opened when a block needs them, never more than
// so many at once; links of all members are recorded in one folder (storage/link_set_records.hpp),
// which is locked for as long as the set lives. A member that is damaged or missing is a fault of
// its own and touches no other.
//
// Members come and go while it lives: one at a time, a folder at a time, or by looking again at the
// folders that it was given (rescan). Folders may lie on several disks; one that is missing keeps
// its members, whose links are faults of their own until it is back. What a member has signed stays
// on record whether it is in the set or not.
//
// A replica with a *.chain file beside it has been driven by a Prover. In a set those records go
// on: they stay locked, and each of its links is recorded there before it is in the set's, one wait
// for the device each, so that neither ever signs a second link. Members that commit to reveal
// chains cost 32 KiB and a million hashes more each, once.
//
// Threading: one call at a time, but for held() and what records() allows, which whoever proves a
// recorded link asks beside a block that is worked at. Spec: docs/spec.md sections 3, 7 and 12,
// B80.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <vector>

#include "api/duty_source.hpp"
#include "api/new_bases.hpp"
#include "chunking/open_files.hpp"
#include "core/keys.hpp"
#include "core/params.hpp"
#include "core/result.hpp"
#include "proofs/reveal.hpp"
#include "storage/link_records.hpp"
#include "storage/link_set_records.hpp"

namespace holdfast {

/// Settings of a set.
struct ProverSetOptions {
    std::size_t open_files = 512;     // replicas and trees open at one time, at most
    std::uint32_t kept_heights = 16;  // of link records
};

/// A replica of a set.
struct SetMember {
    std::string replica;  // path of the *.replica file; its *.tree lies beside it
    ReplicaId replica_id;
    Root sealed_root;
    ChunkCount chunks;
    std::optional<ChainId> chain_id;  // once its registration has been accepted
};

/// Many replicas of one key, whose links are recorded and handed over together.
class ProverSet {
  public:
    /// A set that makes nothing on any disk: open_records() before a block is processed, once it is
    /// clear that this is the set's folder.
    static ProverSet prepare(const NetworkParams& params, KeyPair key,
                             const ProverSetOptions& options = {});
    /// `records`: the folder of link records, made when missing. Errors of LinkSetRecords::open.
    [[nodiscard]] Status open_records(const std::filesystem::path& records);
    /// Both at once.
    static Result<ProverSet> open(const NetworkParams& params, KeyPair key,
                                  const std::filesystem::path& records,
                                  const ProverSetOptions& options = {});
    ProverSet(ProverSet&&) noexcept;
    ProverSet& operator=(ProverSet&&) noexcept;
    ProverSet(const ProverSet&) = delete;
    ProverSet& operator=(const ProverSet&) = delete;
    ~ProverSet();

    /// Reads and checks the header of a *.replica file. kInvalidArgument: sealed for another key,
    /// or taken in before; kBusy: its *.chain file is in use; kRefused, kNotFound, kCorrupt, kIo.
    [[nodiscard]] Status add(const std::filesystem::path& replica);
    /// Every *.replica below a folder, in the order of their names; what is not taken in is told,
    /// and the others are. `progress` counts files. Returns how many were taken in. The folder is
    /// one of those that rescan() looks at, also where it cannot be listed now.
    using Fault = std::function<void(const std::filesystem::path& replica, const Error& error)>;
    using Progress = std::function<void(std::uint64_t done, std::uint64_t total)>;
    [[nodiscard]] Result<std::uint64_t> add_folder(const std::filesystem::path& folder,
                                                   const Fault& fault,
                                                   const Progress& progress = {});
    /// Takes a member out, or every member below a folder, which is then not looked at again.
    /// Returns how many; kNotFound where that is neither.
    [[nodiscard]] Result<std::uint64_t> remove(const std::filesystem::path& replica_or_folder);
    /// What looking at the folders again has found.
    struct Rescan {
        std::uint64_t added = 0;
        std::vector<std::string> gone;  // members whose files are not there any more
        std::uint64_t lost_folders = 0;
    };
    /// Looks again at every folder that was added: what is new is taken in, whose file is gone is
    /// taken out. A folder that cannot be listed is told and keeps its members.
    [[nodiscard]] Rescan rescan(const Fault& fault);
    [[nodiscard]] bool holds(const ReplicaId& replica_id) const {
        return by_replica_.contains(replica_id);
    }

    [[nodiscard]] std::span<const SetMember> members() const { return members_; }
    [[nodiscard]] const KeyPair& key() const { return key_; }
    [[nodiscard]] const NetworkId& network_id() const { return network_id_; }
    [[nodiscard]] LinkSetRecords& records() { return *records_; }
    [[nodiscard]] const LinkSetRecords& records() const { return *records_; }
    /// Records a link in the member's own *.chain file, where it has one: before records().
    /// kRefused (kBadLink): another one is recorded there.
    [[nodiscard]] Status record_alone(std::uint32_t member, const LinkPlace& place,
                                      const ChainLink& link);
    [[nodiscard]] OpenFiles& files() { return *files_; }
    [[nodiscard]] const OpenFiles& files() const { return *files_; }

    /// Looks up the chains of members that had none. A registration with another sealed_root than
    /// the file's is a fault of that member.
    [[nodiscard]] Status find_chains(DutySource& source, const Fault& fault);
    /// The members with a chain, ascending by chain id: (chain id, index into members()).
    using ByChain = std::vector<std::pair<ChainId, std::uint32_t>>;
    [[nodiscard]] const ByChain& by_chain() const { return by_chain_; }
    [[nodiscard]] std::optional<std::uint32_t> member_of(const ChainId& chain_id) const;
    /// The replica of a chain. Any thread, at any time.
    struct Held {
        std::string replica;
        ReplicaId replica_id;
    };
    [[nodiscard]] std::optional<Held> held(const ChainId& chain_id) const;

    /// The reveal chain of a member; made at the first call, which must not run beside others.
    /// Errors of the key.
    [[nodiscard]] Result<RevealChain*> reveals(std::uint32_t member, Height base);
    [[nodiscard]] NewBases& new_bases() { return new_bases_; }

  private:
    ProverSet(const NetworkParams& params, KeyPair key, const ProverSetOptions& options);
    /// Returns how many were taken in of files that are no members yet.
    std::uint64_t take_in(std::span<const std::filesystem::path> found, const Fault& fault,
                          const Progress& progress);
    /// Takes out the members that `is_gone` says, and their open files.
    std::uint64_t take_out(const std::function<bool(const SetMember&)>& is_gone);

    NetworkParams params_;
    NetworkId network_id_;
    KeyPair key_;
    ProverSetOptions options_;
    std::optional<LinkSetRecords> records_;
    std::unique_ptr<OpenFiles> files_;
    // Shared by held(), taken alone where members or their chains change.
    std::unique_ptr<std::shared_mutex> mutex_ = std::make_unique<std::shared_mutex>();
    std::vector<SetMember> members_;
    ByChain by_chain_;
    std::map<ReplicaId, std::uint32_t> by_replica_;
    std::map<ReplicaId, LinkRecords> alone_;  // of members with a *.chain file
    std::map<std::pair<ReplicaId, Height>, RevealChain> reveals_;
    NewBases new_bases_;
    std::vector<std::filesystem::path> folders_;  // that rescan() looks at
};

}  // namespace holdfast
