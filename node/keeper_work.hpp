// The keeper's work: looks at every file of a catalogue, decides (keep/keeper.hpp), heals.
//
// A round looks at all files once and at most `probes` times reads 4 KiB of a random place of a
// random shard. A heal goes in three steps: ordered (durable in the folder), rebuilt and uploaded
// (a thread of its own), proven: only when this client has itself seen every new chain active under
// the manifest's root does the new manifest, counter one higher, enter the catalogue. The wish that
// removes the old place is durable before that, and carried out while the file is above k; a prover
// that does not answer is asked again after `retry_ms`, until it would let go of the deposit
// anyway.
//
// Everything goes on after kill -9: orders and wishes are files in the folder.
//
// Threading   round() from one thread; status(), metrics(), problems() from any. Heals run on up to
//             `heals_at_once` threads, which the destructor stops and joins.
// Spec: docs/spec.md section 16.
#pragma once

#include <atomic>
#include <filesystem>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "json/json.hpp"
#include "keep/catalogue.hpp"
#include "keep/heal.hpp"
#include "node/kept_look.hpp"
#include "node/log.hpp"
#include "node/monitor.hpp"

namespace holdfast::node {

struct KeeperOptions {
    KeeperPolicy policy;
    std::vector<ProverAddress> provers;  // that shards may be put with
    std::filesystem::path folder;        // of orders, wishes, mended manifests, evidence
    unsigned heals_at_once = 2;          // of all files
    unsigned probes = 4;                 // reads of 4 KiB in a round
    ReadOptions reading;
};

class KeeperWork {
  public:
    /// Makes the folder, takes up what was ordered. kCorrupt (keep/heal.hpp). All parts outlive it.
    static Result<std::unique_ptr<KeeperWork>> open(Catalogue& catalogue, KeptLook& look,
                                                    const KeyPair& owner, AskProverOf ask,
                                                    KeeperOptions options, Log& log);
    ~KeeperWork();
    KeeperWork(const KeeperWork&) = delete;
    KeeperWork& operator=(const KeeperWork&) = delete;

    /// kInterrupted, and errors of the catalogue and the folder.
    Status round();

    [[nodiscard]] json::Json status() const;
    void append_metrics(std::vector<Metric>& out) const;
    [[nodiscard]] std::vector<std::string> problems() const;

  private:
    using Place = std::pair<Digest, unsigned>;  // file, shard
    enum class Stage : std::uint8_t { kRebuilding, kProving };
    struct Heal {
        HealOrder order;
        Stage stage = Stage::kRebuilding;
        std::uint64_t begun_ms = 0;
        std::atomic<bool> done{false};
        Result<HealReport> result = HealReport{};  // set before done
        std::atomic<std::uint64_t> bytes{0};
        std::jthread thread;
    };
    /// The owner's wish that a prover lets go of a deposit.
    struct Wish {
        Digest file;
        unsigned shard = 0;
        ProverAddress prover;
        DepositId id;
        std::uint64_t counter = 0;
        std::uint64_t until = 0;     // height from which the prover lets go of it anyway
        std::uint64_t tried_ms = 0;  // 0: not yet
        [[nodiscard]] Bytes encode() const;
        [[nodiscard]] static Checked<Wish> decode(ByteView bytes);
    };
    struct Counts {
        std::uint64_t rounds = 0;
        std::uint64_t heals_begun = 0;
        std::uint64_t heals_done = 0;
        std::uint64_t heals_failed = 0;
        std::uint64_t bytes_sent = 0;
        std::uint64_t probes = 0;
        std::uint64_t lies = 0;
        std::uint64_t removed = 0;
        double round_seconds = 0;
    };
    struct FileState {
        json::Json shown;
        std::string health;
        std::string name;
        FileMargin margin;
        std::vector<std::string> waiting;
    };

    KeeperWork(Catalogue& catalogue, KeptLook& look, const KeyPair& owner, AskProverOf ask,
               KeeperOptions options, Log& log);
    Status take_up();
    Status look_at(const KeptFile& file);
    void fill_in(const KeptFile& file, FileView& view);
    Status probe(const std::vector<const KeptFile*>& files);
    std::vector<ProverAddress> free_provers(const KeptFile& file);
    Status act(const KeptFile& file, const FileView& view, FileState& state);
    Status begin_heal(const KeptFile& file, unsigned shard, HealReason reason);
    void start(const KeptFile& file, Heal& heal);
    Status advance(const KeptFile& file);
    Status advance_one(const KeptFile& file, const Place& place, Heal& heal, bool& over);
    Status adopt(const KeptFile& file, const HealOrder& order,
                 std::span<const DepositState> states);
    Status give_up(const Place& place, const std::string& why);
    Status carry_out_wishes(const CatalogueEntries& entries);
    void say(const Place& place, std::string text, LogLevel level, HealReason reason);

    Catalogue& catalogue_;
    KeptLook& look_;
    const KeyPair& owner_;
    const AskProverOf ask_;
    const KeeperOptions options_;
    Log& log_;
    std::map<Place, std::uint64_t> failed_ms_;
    std::map<Place, std::string> said_;
    std::map<DepositId, Wish> wishes_;
    std::set<PublicKey> liars_;              // since the start: nothing more is put with them
    std::map<PublicKey, std::size_t> used_;  // shards with each prover, of all files
    std::map<Digest, FileView> views_;

    mutable std::mutex mutex_;  // guards what follows
    Counts counts_;
    std::map<Digest, FileState> files_;
    std::atomic<bool> stop_{false};
    // Last: its threads, which use the rest, are joined first.
    std::map<Place, std::unique_ptr<Heal>> heals_;
};

}  // namespace holdfast::node
