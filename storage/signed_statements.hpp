// What a key has said of heights, durable before it is signed: heads of the journal, checkpoints.
//
// A file beside the key, never in the registry's folder: a registry that was made again, or is an
// old copy, must not make its owner say two things of one height. One statement for each kind,
// height and block; the same bytes may be signed again, others never. Heights far below the newest
// are refused for ever, so that the file need not be held in memory. Record file (spec section 12):
// first `u8 1 || u8 form = 1 || network_id || key`, then `u8 kind || u64 height || block_hash ||
// SHA-256 of what is signed`; kind 0, zeros for both hashes: no other statement of any kind up to
// that height. An exclusive lock for as long as this lives; a torn last record is
// cut (nothing was signed for it), more damage is kCorrupt. One thread at a time. Spec:
// docs/spec.md section 15.5.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <tuple>

#include "core/constants.hpp"
#include "core/result.hpp"
#include "core/types.hpp"
#include "storage/record_log.hpp"

namespace holdfast {

class SignedStatements {
  public:
    /// Makes a missing file. kBusy, kCorrupt, kIo; kRefused (kWrongNetwork, kBadKey) for the file
    /// of another network or key.
    static Result<SignedStatements> open(const std::filesystem::path& path,
                                         const NetworkId& network_id, const PublicKey& key);

    /// Beside whoever signs: no lock, and record() gives kInvalidArgument for what is not on
    /// record. kNotFound where there is no file.
    static Result<SignedStatements> read(const std::filesystem::path& path,
                                         const NetworkId& network_id, const PublicKey& key);
    /// Whether these bytes are on record: they may be signed again.
    [[nodiscard]] bool recorded(Kind kind, Height height, const BlockHash& block_hash,
                                ByteView what_is_signed) const;

    /// From here on no statement of a height up to this one is new: those on record may be signed
    /// again, others never. For who goes on with a key whose last statements it has not all seen.
    /// Durable when it returns.
    [[nodiscard]] Status withhold(Height through);
    /// Whether a statement of this height would be one of those.
    [[nodiscard]] bool withheld(Kind kind, Height height, const BlockHash& block_hash) const;

    /// Makes the statement durable. Ok: it may be signed, now and again. kEvidenceOrder: another
    /// one of this kind, height and block is on record, and signing this one would be an offence.
    /// kTooLate: its height is more than kRemembered below the newest, or withheld.
    [[nodiscard]] Result<Verdict> record(Kind kind, Height height, const BlockHash& block_hash,
                                         ByteView what_is_signed);
    static constexpr std::uint64_t kRemembered = 8'192;

  private:
    using Place = std::tuple<Kind, Height, BlockHash>;
    explicit SignedStatements(RecordLog log) : log_(std::move(log)) {}
    Status load(const NetworkId& network_id, const PublicKey& key);
    void note(const Place& place, const Digest& digest);

    RecordLog log_;
    std::map<Place, Digest> known_;
    std::map<Kind, Height> newest_;
    std::optional<Height> withheld_;  // nothing new up to here
};

}  // namespace holdfast
