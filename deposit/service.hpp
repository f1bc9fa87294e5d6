// The prover's side of deposits: takes data in from the keys that its settings name, and sees them
// through to a registered replica.
//
// handle() answers questions: terms, pieces, states, wishes. A piece is on the device, and so is
// the record of its root, before it is acknowledged. run() seals what has arrived, one deposit at a
// time, and removes what may go: uploads not finished in time, sealed data for which no
// registration has been written in time, and what its owner asked to be removed, once its chain
// owes nothing. Nothing else is ever removed. Registration, seal proof and links are the ordinary
// duties of the prover (node/replica_stock.hpp), which finds the replicas in the folder.
//
// Bounds: bytes and deposits of each key, bytes of the whole folder with replicas and trees
// counted from the beginning, a reserve of the file system that stays free, a rate of bytes for
// each key. Above one: a refusal with its reason, or `busy`. Memory: what the transport holds of a
// message, and 33 bytes for each MiB at hand.
//
// Threading: handle() and the views from any thread; run() from one. Errors of disks are told to
// the host and to the client without detail. Ownership: everything in DepositHost outlives it.
// Spec: docs/spec.md section 16.1.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>

#include "availability/peer_budget.hpp"
#include "core/fill.hpp"
#include "deposit/deposit_file.hpp"

namespace holdfast {

/// What one key may have at this prover at a time.
struct DepositClientQuota {
    PublicKey key;
    std::uint64_t bytes = 0;  // of data
    std::uint32_t count = 0;  // deposits
    friend bool operator==(const DepositClientQuota&, const DepositClientQuota&) = default;
};

struct DepositSettings {
    std::filesystem::path folder;                           // empty: no deposits
    std::vector<DepositClientQuota> clients;                // others are refused
    std::uint64_t limit_bytes = std::uint64_t{100} << 30;   // of the folder, all files
    std::uint64_t reserve_bytes = std::uint64_t{10} << 30;  // stay free on its file system
    std::uint64_t min_bytes = 1;                            // of one deposit
    std::uint64_t max_bytes = kMaxDataBytes;
    std::uint64_t price = 0;                 // see DepositTerms
    std::string seal;                        // preset's name; empty: the network's first
    bool hot = true;                         // keeps the data beside the replica
    std::uint64_t heights = 10'000;          // that a deposit is held, from its terms on
    std::uint64_t expiring_heights = 1'000;  // before that end a deposit says that it expires
    std::uint32_t upload_s = 86'400;         // from open to finish
    std::uint32_t terms_s = 3'600;           // that terms are valid
    std::uint32_t unregistered_s = 604'800;  // a sealed deposit may wait for its registration
    std::uint64_t bytes_per_second = std::uint64_t{32} << 20;       // from one key
    std::uint64_t seal_bytes_per_second = std::uint64_t{64} << 20;  // at most
    unsigned seal_threads = 1;
    friend bool operator==(const DepositSettings&, const DepositSettings&) = default;
};

/// How the chain of a replica stands at the followed node.
struct DepositChain {
    ChainId chain;
    Height accepted;  // that listed its registration
    Height linked;    // newest height for which this prover handed links over; 0: none
    bool proven = false;
    bool over = false;  // it owes nothing any more
};

struct DepositHost {
    std::function<std::uint64_t()> now_ms;  // since 1970
    MonotonicNs clock;
    std::function<std::optional<Height>()> tip;
    std::function<std::optional<DepositChain>(const ReplicaId& replica)> chain;
    /// Asks for the end of a chain; safe to repeat.
    std::function<Status(const ChainId& chain)> end_chain;
    std::function<void()> look;                                       // a replica has come
    std::function<void(const std::filesystem::path& replica)> leave;  // is about to go
    /// For the log: what happened, or (`failed`) what went wrong here.
    std::function<void(const char* event, const DepositId& id, const std::string& detail,
                       bool failed)>
        tell;
};

struct DepositCounts {
    std::uint64_t receiving = 0;
    std::uint64_t sealing = 0;         // waiting for it, or at it
    std::uint64_t held = 0;            // sealed
    std::uint64_t failed = 0;          // of those still remembered
    std::uint64_t bytes = 0;           // of data at hand
    std::uint64_t reserved_bytes = 0;  // of the folder's limit
    std::uint64_t pieces = 0;          // taken since the start
    std::uint64_t sealed = 0;          // since the start
    std::uint64_t refused = 0;         // questions, since the start
    std::string error;                 // of the newest that failed here; empty: none
};

class DepositService {
  public:
    /// Takes up what lies in the folder, which is made where it is missing. kInvalidArgument for a
    /// preset that the network does not have; kBusy where another process holds a deposit; kIo.
    [[nodiscard]] static Result<std::unique_ptr<DepositService>> open(DepositSettings settings,
                                                                      const NetworkParams& params,
                                                                      const KeyPair& key,
                                                                      DepositHost host);
    ~DepositService();

    /// The answer to a question of this peer, standing alone.
    [[nodiscard]] Bytes handle(const PublicKey& from, ByteView message);
    /// Seals and tidies until `stop`.
    void run(const StopCheck& stop);
    /// Nothing new is taken (kStopped) or sealed until it goes on; what is open may be completed.
    void pause(bool paused) { paused_ = paused; }
    /// One round of run(): at most one deposit sealed. Whether there was something to do.
    bool step(const StopCheck& stop);

    struct View {
        PublicKey client;
        DepositState state;
    };
    [[nodiscard]] std::vector<View> deposits() const;
    [[nodiscard]] DepositCounts counts() const;

  private:
    struct Deposit {
        explicit Deposit(DepositFile opened) : file(std::move(opened)) {}
        std::mutex mutex;  // guards the file, and the data beside it unless they are being sealed
        DepositFile file;
        std::atomic<bool> removing{false};  // a wish came: a sealing stops
        bool forgotten = false;             // its record is gone
    };
    using Held = std::shared_ptr<Deposit>;

    DepositService(DepositSettings settings, const NetworkParams& params, const KeyPair& key,
                   DepositHost host);
    [[nodiscard]] Status take_up();

    [[nodiscard]] DepositAnswer answer(const PublicKey& from, const DepositQuestion& question);
    [[nodiscard]] DepositAnswer on(const PublicKey& from, const AskTerms& q);
    [[nodiscard]] DepositAnswer on(const PublicKey& from, const OpenDeposit& q);
    [[nodiscard]] DepositAnswer on(const PublicKey& from, const SendPiece& q);
    [[nodiscard]] DepositAnswer on(const PublicKey& from, const AskState& q);
    [[nodiscard]] DepositAnswer on(const PublicKey& from, const FinishDeposit& q);
    [[nodiscard]] DepositAnswer on(const PublicKey& from, const RemoveDeposit& q);
    [[nodiscard]] DepositAnswer on(const PublicKey& from, const ListDeposits& q);

    [[nodiscard]] const DepositClientQuota* quota_of(const PublicKey& key) const;
    [[nodiscard]] DepositReason room_for(const DepositClientQuota& quota,
                                         std::uint64_t bytes) const;
    [[nodiscard]] Held find(const DepositId& id) const;
    [[nodiscard]] Held find(const DepositId& id, const PublicKey& client) const;
    [[nodiscard]] std::vector<Held> all() const;
    [[nodiscard]] DepositState state_of(const DepositFile& file) const;
    [[nodiscard]] DepositAnswer failed(const DepositId& id, const char* event, const Error& error);
    void note_error(const DepositId& id, const char* event, const std::string& what);

    void seal(Deposit& deposit, const StopCheck& stop);
    bool tidy(Deposit& deposit);
    void show(const Deposit& deposit);
    bool drop(Deposit& deposit, DepositPhase stage, DepositReason reason);
    [[nodiscard]] Result<ReplicaId> seal_file(const Deposit& deposit,
                                              const std::filesystem::path& source,
                                              const StopCheck& stop) const;

    const DepositSettings settings_;
    const NetworkParams params_;
    const NetworkId network_;
    const KeyPair& key_;
    const DepositHost host_;
    SealParams seal_;
    PeerBudget budget_;
    std::atomic<bool> news_{true};
    std::atomic<bool> paused_{false};
    std::atomic<std::uint64_t> pieces_{0};
    std::atomic<std::uint64_t> sealed_{0};
    std::atomic<std::uint64_t> refused_{0};
    mutable std::mutex mutex_;  // guards the next; taken before a deposit's own, never after
    std::map<DepositId, Held> deposits_;
    mutable std::mutex error_mutex_;
    std::string error_;
};

}  // namespace holdfast
