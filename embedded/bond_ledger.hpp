// A durable ledger of accounts and bonds in LMDB: the embedded default Token.
//
// Every unit is somewhere: in an account, in a bond, or in the pool that slashes feed and rewards
// are paid from; their sum is what was issued, always. What happens to bonds is also kept as a
// numbered list, for the host chain to list: registries believe that, never an answer of a token.
// Each changing call is one LMDB transaction, on the device when the call returns, so that a crash
// leaves it done or not done, never half. A bond's id is H("bond-ledger/bond"; network_id, owner,
// key): known before the call.
//
// Threading   every function may be called from several threads at once.
// Processes   one at a time (kBusy for the second).
// Failure     besides Token's: kCorrupt for a damaged ledger, kOutOfSpace when the device is full
//             or Options::max_bytes is reached.
#pragma once

#include <filesystem>
#include <memory>

#include "callbacks/token.hpp"

namespace holdfast {

/// The embedded default Token: accounts, bonds and a pool in a folder, to the unit.
class BondLedger final : public Token {
  public:
    /// Settings of a ledger.
    struct Options {
        std::uint64_t max_bytes = std::uint64_t{16} << 30;  // the ledger's largest size on disk
    };
    /// Where all units are.
    struct Totals {
        std::uint64_t issued = 0;
        std::uint64_t in_accounts = 0;
        std::uint64_t in_bonds = 0;
        std::uint64_t in_pool = 0;  // slashed or funded, not yet paid out
        friend bool operator==(const Totals&, const Totals&) = default;
    };

    /// Opens or makes the ledger in `folder` (its parent must exist). kRefused (kWrongNetwork) when
    /// it belongs to another network, kBusy, kCorrupt, kPermission.
    static Result<std::unique_ptr<BondLedger>> open(const std::filesystem::path& folder,
                                                    const NetworkId& network,
                                                    const Options& options);
    static Result<std::unique_ptr<BondLedger>> open(const std::filesystem::path& folder,
                                                    const NetworkId& network) {
        return open(folder, network, Options{});
    }
    /// For reading alone, leaving no trace where nothing may be written: kBusy beside a process
    /// that has it open for writing, kNotFound where there is none; what would write gives
    /// kPermission.
    static Result<std::unique_ptr<BondLedger>> read(const std::filesystem::path& folder,
                                                    const NetworkId& network);
    ~BondLedger() override;

    [[nodiscard]] Result<BondId> create_bond(const PublicKey& owner, std::uint64_t amount,
                                             BondPurpose purpose,
                                             const IdempotencyKey& key) override;
    [[nodiscard]] Result<std::uint64_t> release_bond(const BondId& bond, std::uint64_t amount,
                                                     const IdempotencyKey& key) override;
    [[nodiscard]] Result<std::uint64_t> slash_bond(const BondId& bond, std::uint64_t amount,
                                                   const OffenceId& offence,
                                                   const IdempotencyKey& key) override;
    [[nodiscard]] Status pay_reward(const PublicKey& to, std::uint64_t amount,
                                    const Digest& reference, const IdempotencyKey& key) override;
    [[nodiscard]] Result<BondInfo> bond_info(const BondId& bond) override;

    /// The operator's own calls, under the same rules: new units into an account or into the pool.
    /// kInvalidArgument when the sum of all units would pass 2^64 - 1.
    [[nodiscard]] Status issue(const PublicKey& to, std::uint64_t amount,
                               const IdempotencyKey& key);
    [[nodiscard]] Status fund_pool(std::uint64_t amount, const IdempotencyKey& key);
    /// More of the owner's units into a bond that is not released.
    [[nodiscard]] Status add_to_bond(const BondId& bond, std::uint64_t amount,
                                     const IdempotencyKey& key);
    /// An accuser's deposit for the evidence with this SHA-256, standing alone.
    [[nodiscard]] Result<BondId> create_deposit(const PublicKey& owner, std::uint64_t amount,
                                                const Digest& evidence, const IdempotencyKey& key);

    /// What has happened to bonds, in order, from event number `first` on; at most `most` of them.
    /// The host chain lists them (list_bond_events).
    [[nodiscard]] Result<std::vector<BondEvent>> events(std::uint64_t first, std::size_t most);

    /// A copy of the whole ledger as it stands between two calls, compacted: data.mdb of a folder
    /// that opens as a ledger of its own. Replaces what lies under that name, in one step.
    [[nodiscard]] Status copy_to(const std::filesystem::path& file);

    /// 0 for an account that nobody has used.
    [[nodiscard]] Result<std::uint64_t> balance(const PublicKey& account);
    [[nodiscard]] Result<Totals> totals();
    /// Adds up every account and bond again and compares with totals(): kCorrupt when they differ.
    [[nodiscard]] Status audit();

  private:
    class Impl;
    Result<BondId> make_bond(const PublicKey& owner, std::uint64_t amount, BondPurpose purpose,
                             const Digest& subject, const IdempotencyKey& key);
    explicit BondLedger(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast
