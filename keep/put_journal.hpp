// What a put has begun: durable before anything of it leaves, so that it goes on after kill -9 and
// never encrypts two plaintexts under one nonce.
//
// A folder with `plan` (replaced atomically), `tags` (16 bytes for each segment of the ciphertext:
// its GCM tag, zeros while it was never made) and `lock`. What cannot be read is as good as none:
// the put starts over with a new salt, which is always safe. Internal to this room.
#pragma once

#include <mutex>

#include "deposit/client.hpp"
#include "keep/kept_file.hpp"
#include "keep/provers.hpp"
#include "storage/file.hpp"

namespace holdfast {

/// One segment of one shard on its way.
struct PutPart {
    ProverAddress prover;
    DepositOrder order;
    friend bool operator==(const PutPart&, const PutPart&) = default;
};

struct PutPlan {
    FileStamp source;
    CodeShape shape;
    bool encrypted = true;
    Digest salt;
    StreamHeader header;
    std::vector<PutPart> parts;  // shard by shard, segment by segment
    std::vector<Root> roots;     // of the parts, once all was sent; else none
    friend bool operator==(const PutPlan&, const PutPlan&) = default;

    [[nodiscard]] StreamShape stream() const { return {source.bytes, encrypted}; }
    [[nodiscard]] Bytes encode() const;
    [[nodiscard]] static Checked<PutPlan> decode(ByteView bytes);
};

class PutJournal {
  public:
    /// kBusy where another process puts the same file.
    [[nodiscard]] static Result<std::unique_ptr<PutJournal>> open(
        const std::filesystem::path& folder);
    PutJournal(const PutJournal&) = delete;
    PutJournal& operator=(const PutJournal&) = delete;
    ~PutJournal() = default;

    /// What is under way; none where nothing is, or nothing that can be read.
    [[nodiscard]] std::optional<PutPlan> load() const;
    /// Durable when it returns, with no tags.
    [[nodiscard]] Status begin(const PutPlan& plan);
    [[nodiscard]] Status update(const PutPlan& plan);
    /// The tags of the plan that load() gave or begin() was given.
    [[nodiscard]] Status open_tags(std::uint64_t segments);
    /// False where the segment has been made before with another tag. Any thread.
    [[nodiscard]] bool note_tag(std::uint64_t segment, ByteView tag);
    /// All tags noted are on the device when it returns.
    [[nodiscard]] Status sync_tags();
    /// Nothing is under way any more.
    [[nodiscard]] Status clear();

  private:
    PutJournal(std::filesystem::path folder, File lock)
        : folder_(std::move(folder)), lock_(std::move(lock)) {}

    std::filesystem::path folder_;
    File lock_;
    std::optional<File> tag_file_;
    std::mutex mutex_;  // guards the two below
    Bytes tags_;
    std::vector<std::uint64_t> fresh_;  // noted since the last sync
};

}  // namespace holdfast
