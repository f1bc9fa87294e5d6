// A real host chain kept in a folder: the embedded default Blockchain, deterministic and durable.
//
// One append-only record file holds everything in order: submissions as they come, and blocks that
// list them. Whoever opens the folder for writing makes the blocks (append_block) and thereby
// decides the order: by arrival, all pending submissions into the next block. The same calls give
// the same bytes and hashes anywhere. The hash of a block is this adapter's own, not the
// protocol's:
//
//   block hash = H("local-chain/block"; network_id, u64 height, parent, u64 time_ms, u32 branch, R)
//   R          = MTH over the objects and bond events listed, in order
//   branch     = replacements made before this block
//
// Folder      network.params (kind 19, standing alone), chain.log (records), chain.tip (size of the
//             acknowledged part of chain.log: a torn record behind it is cut at open, damage before
//             it is kCorrupt and nothing is cut).
// Processes   one writer at a time (kBusy for the second), any number of readers beside it; a
//             reader sees new blocks at its next call.
// Threading   every function may be called from several threads at once.
// Durability  submit, submit_all, append_block and replace_branch return when the record is on the
//             device.
// Finality    params.finality_blocks: block x is final when block x + finality_blocks is there.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>

#include "callbacks/blockchain.hpp"
#include "core/params.hpp"

namespace holdfast {

inline constexpr std::size_t kMaxSubmissionBytes = std::size_t{16} << 20;
inline constexpr std::size_t kMaxSubmissionsPerBlock = 65'536;

/// The embedded default Blockchain: blocks and submissions in one record file.
class LocalChain final : public Blockchain {
  public:
    enum class Mode { kRead, kReadWrite };
    static constexpr std::string_view kNetworkFile = "network.params";
    static constexpr std::string_view kLogFile = "chain.log";
    static constexpr std::string_view kTipFile = "chain.tip";

    /// Makes the folder (its parent must exist) and the genesis block at params.genesis_height, and
    /// opens it for writing. kAlreadyExists when it holds a chain; kRefused for parameters that are
    /// out of bounds.
    static Result<std::unique_ptr<LocalChain>> create(const std::filesystem::path& folder,
                                                      const NetworkParams& params,
                                                      std::uint64_t genesis_time_ms);
    /// kNotFound, kBusy, kCorrupt, kPermission; kRefused (kWrongNetwork) when the folder is of
    /// another network than `expected`, or its files are of two networks.
    static Result<std::unique_ptr<LocalChain>> open(
        const std::filesystem::path& folder, Mode mode,
        const std::optional<NetworkId>& expected = std::nullopt);
    ~LocalChain() override;

    [[nodiscard]] const NetworkParams& params() const;
    [[nodiscard]] const NetworkId& network_id() const;
    /// Bytes of a torn record that were cut when this was opened for writing.
    [[nodiscard]] std::uint64_t cut_bytes() const;

    [[nodiscard]] Result<Height> current_height() override;
    [[nodiscard]] Result<BlockInfo> block_by_height(Height height) override;
    /// Carries every kind but files and network parameters (kinds 17 to 19); at most
    /// kMaxSubmissionBytes. kPermission when opened for reading.
    [[nodiscard]] Status submit(Kind kind, ByteView object) override;
    /// Many objects in their order, with one wait for the device. When one of them is refused, none
    /// is taken; after a crash within the call some of the first may have been, and repeating the
    /// call is harmless.
    [[nodiscard]] Status submit_all(std::span<const Submission> objects);
    [[nodiscard]] Result<std::vector<Submission>> submissions_at(Height height) override;
    [[nodiscard]] Result<std::vector<BondEvent>> bond_events_at(Height height) override;

    /// Facts about bonds, for the next block: the host's own word, as the order of blocks is. The
    /// same event is listed once. kPermission when opened for reading.
    [[nodiscard]] Status list_bond_events(std::span<const BondEvent> events);
    /// Above the numbers of all bond events so far.
    [[nodiscard]] Result<std::uint64_t> next_bond_event();

    /// Submissions that no block of the current branch lists yet.
    [[nodiscard]] Result<std::uint64_t> pending_count();

    /// The next block, with the pending submissions (the oldest kMaxSubmissionsPerBlock of them),
    /// at `time_ms` or else params.block_ms after its parent. kInvalidArgument for a time before
    /// its parent's or behind the year 9999; kPermission when opened for reading.
    [[nodiscard]] Result<BlockInfo> append_block(
        std::optional<std::uint64_t> time_ms = std::nullopt);

    /// Everything that a block lists in the order of its hash: objects, and bond events in the form
    /// of spec 15.4.
    [[nodiscard]] Result<std::vector<Bytes>> listed_at(Height height);
    /// The next block as another chain of this network has it, whose reorganisations are not
    /// repeated but counted. kRefused, and nothing is written: kWrongBlock when it does not come to
    /// `hash` here (another parent, time or list; more than 65,536 reorganisations since the block
    /// before), kBadKind, kAlreadySettled for what stands in an earlier block.
    [[nodiscard]] Result<BlockInfo> repeat_block(const BlockHash& hash, std::uint64_t time_ms,
                                                 std::span<const Bytes> listed);

    /// A block to be made by a reorganisation.
    struct NewBlock {
        std::uint64_t time_ms = 0;
        bool with_submissions = true;  // lists what is pending at this point of the new branch
    };
    /// A reorganisation, in one durable step: drops every block from `first` on, makes what they
    /// listed pending again in the order of arrival, and appends `blocks` in their place.
    /// kInvalidArgument when `first` is final or above the tip, or the new branch is shorter than
    /// what it replaces.
    [[nodiscard]] Result<BlockInfo> replace_branch(Height first, std::span<const NewBlock> blocks);

  private:
    class Impl;
    explicit LocalChain(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

class BondLedger;
/// Whatever has happened to bonds in the ledger and is not on the chain yet, for its next block.
/// Called again after a crash it lists nothing twice.
[[nodiscard]] Status list_bond_events(LocalChain& chain, BondLedger& ledger);

}  // namespace holdfast
