// The pass over the file: reads its k regions side by side, encrypts, codes, hashes and sends.
// Internal to this room (keep/put.hpp says what it promises).
#pragma once

#include <condition_variable>
#include <deque>

#include "keep/put.hpp"
#include "keep/put_journal.hpp"

namespace holdfast {

/// A stop of the pass after which the put must start over, not go on.
enum class PutSetback : std::uint8_t {
    kNone,
    kFileChanged,  // it is not what was put before under this plan
    kDepositLost,  // a prover has dropped or ended a deposit
};

class PutSender {
  public:
    /// All of them outlive this.
    PutSender(const File& source, const PutPlan& plan, PutJournal& journal, const KeyPair& owner,
              const NetworkId& network, const AskProverOf& ask, const PutOptions& options);
    ~PutSender();
    PutSender(const PutSender&) = delete;
    PutSender& operator=(const PutSender&) = delete;

    /// Opens the deposits, sends what has not arrived, and gives the root of every part. After an
    /// error setback() says whether to start over.
    [[nodiscard]] Result<std::vector<Root>> run();
    [[nodiscard]] PutSetback setback() const { return setback_; }
    [[nodiscard]] std::uint64_t sent_bytes() const { return sent_bytes_; }
    /// The client of a shard's prover.
    [[nodiscard]] const DepositClient& client(unsigned shard) const { return *clients_[shard]; }

  private:
    struct Row;
    struct Region;

    [[nodiscard]] Status open_deposits();
    [[nodiscard]] Status produce();
    [[nodiscard]] Status fill_group(std::uint64_t first, std::vector<std::shared_ptr<Row>>& rows);
    [[nodiscard]] Status fill(unsigned shard, std::uint64_t at, MutByteView out);
    [[nodiscard]] Status load_segment(Region& region, std::uint64_t segment);
    [[nodiscard]] Status code_row(Row& row);
    void send_shard(unsigned shard);
    [[nodiscard]] Status send_piece(unsigned shard, const Row& row);
    [[nodiscard]] Status check_arrived(std::size_t part, std::uint64_t pieces);
    std::shared_ptr<Row> next_row(std::uint64_t index);
    void release(const Row& row);
    void end_with(Error error);
    [[nodiscard]] tl::unexpected<Error> set_back(PutSetback why, std::string message);
    [[nodiscard]] std::size_t part_of(unsigned shard, std::uint64_t row) const;
    [[nodiscard]] bool stopped() const { return options_.stop && options_.stop(); }

    const File& source_;
    const PutPlan& plan_;
    PutJournal& journal_;
    const KeyPair& owner_;
    const PutOptions& options_;
    const StreamShape stream_;
    const std::uint64_t cipher_len_;
    const std::uint64_t shard_len_;
    const std::uint64_t rows_;      // pieces of a shard
    const std::uint64_t segments_;  // of a shard: parts
    std::optional<StreamCipher> cipher_;
    std::vector<std::unique_ptr<DepositClient>> clients_;
    std::vector<Region> regions_;
    std::vector<DepositState> found_;          // as it stood when this run began
    std::vector<std::vector<Digest>> pieces_;  // roots, by part; set before its row is sent

    std::mutex mutex_;  // guards everything below
    std::condition_variable changed_;
    std::deque<std::shared_ptr<Row>> queue_;
    std::uint64_t first_queued_ = 0;
    bool all_made_ = false;
    std::optional<Error> failure_;
    PutSetback setback_ = PutSetback::kNone;
    std::uint64_t sent_bytes_ = 0;
    std::uint64_t done_bytes_ = 0;
};

}  // namespace holdfast
