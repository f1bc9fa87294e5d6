// What a prover keeps of one deposit: a log of what happened to it, from which its state follows.
//
// One record file ID.deposit for each (storage/record_log.hpp): opened on terms, pieces that
// arrived with their roots, stages, the owner's wish. A record is on the device when the call that
// made it returns; a torn one is as if it had never been. Beside it lie the data: ID.part while
// they arrive, ID.raw where they stay, ID.sealed and ID.tree once it is
// sealed, ID.replica once that is on record.
//
// Threading: one thread at a time. Memory: 33 bytes a MiB. Spec: docs/spec.md section 16.1.
#pragma once

#include <filesystem>

#include "deposit/messages.hpp"
#include "storage/record_log.hpp"

namespace holdfast {

inline constexpr std::string_view kDepositSuffix = ".deposit";

class DepositFile {
  public:
    /// kAlreadyExists where there is one.
    [[nodiscard]] static Result<DepositFile> create(const std::filesystem::path& folder,
                                                    const DepositId& id, const DepositTerms& terms,
                                                    std::uint64_t bytes, std::uint64_t now_ms);
    /// kNotFound where nothing was recorded before a crash; kCorrupt.
    [[nodiscard]] static Result<DepositFile> open(const std::filesystem::path& file);

    [[nodiscard]] Status note_piece(std::uint64_t index, const Digest& root);
    [[nodiscard]] Status note_stage(DepositPhase stage, DepositReason reason, std::uint64_t now_ms,
                                    const ReplicaId& replica = {});
    [[nodiscard]] Status note_wish(std::uint64_t counter);

    [[nodiscard]] const DepositId& id() const { return id_; }
    [[nodiscard]] const DepositTerms& terms() const { return terms_; }
    [[nodiscard]] const Digest& terms_digest() const { return terms_digest_; }
    [[nodiscard]] std::uint64_t bytes() const { return bytes_; }
    [[nodiscard]] std::uint64_t opened_ms() const { return opened_ms_; }
    /// kReceiving, kSealing, kSealed, kEnded or kFailed; since when.
    [[nodiscard]] DepositPhase stage() const { return stage_; }
    [[nodiscard]] DepositReason reason() const { return reason_; }
    [[nodiscard]] std::uint64_t stage_ms() const { return stage_ms_; }
    [[nodiscard]] const ReplicaId& replica_id() const { return replica_; }
    [[nodiscard]] std::uint64_t wish() const { return wish_; }
    [[nodiscard]] bool live() const {
        return stage_ != DepositPhase::kEnded && stage_ != DepositPhase::kFailed;
    }
    [[nodiscard]] const std::optional<Digest>& piece(std::uint64_t index) const {
        return pieces_[index];
    }
    /// Roots of the first pieces, up to the first that is missing.
    [[nodiscard]] std::vector<Digest> arrived() const;

    /// A file of this deposit: ID and the suffix.
    [[nodiscard]] std::filesystem::path file(std::string_view suffix) const;
    /// Removes the data, not the record. Safe to repeat.
    void remove_data() const;
    /// Removes all of it.
    [[nodiscard]] Status remove();

  private:
    explicit DepositFile(RecordLog log) : log_(std::move(log)) {}
    [[nodiscard]] Verdict take(ByteView record);
    [[nodiscard]] Status append(const Bytes& record);

    RecordLog log_;
    DepositId id_;
    DepositTerms terms_;
    Digest terms_digest_;
    std::uint64_t bytes_ = 0;
    std::uint64_t opened_ms_ = 0;
    DepositPhase stage_ = DepositPhase::kReceiving;
    DepositReason reason_ = DepositReason::kNone;
    std::uint64_t stage_ms_ = 0;
    ReplicaId replica_;
    std::uint64_t wish_ = 0;
    std::vector<std::optional<Digest>> pieces_;
};

}  // namespace holdfast
