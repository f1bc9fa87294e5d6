// What nodes have acknowledged of what a prover handed over, durably: the prover's proof that an
// object was there in time, whatever the node says later.
//
// An acknowledgement is taken only where it is of this message and of a node that is meant; it is
// on the device when take() returns. A message is one object, or a batch of several: of a batch the
// SHA-256 of each object is kept. A message is on the device before it is sent, so that after a
// crash the same bytes are sent again, and nothing is made a second time, until it is acknowledged,
// refused, or its deadline has passed. The bytes of what is acknowledged stay until checked() says
// that it stands in the journal: they are what shows that it does not.
//
// Folder    lock, and NUMBER.acks, record files (storage/record_log.hpp) of about kept_heights
//           each, of which the newest two stay: an acknowledgement stays for at least that long.
//           What it is of may be older than others; time is counted by the highest height seen.
//           DIGEST.sent, one for each message that was sent and is not settled; DIGEST.taken, that
//           is acknowledged and not checked, for as long as the acknowledgement stays.
// Threading one call at a time. for_each() reads beside the process that writes.
// Errors    kBusy (another process writes), kCorrupt, kRefused (of another network or key),
//           kUnsupported (a newer form), those of RecordLog.
// Spec: docs/spec.md section 13 (acknowledgements).
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "core/codec.hpp"
#include "core/result.hpp"
#include "core/types.hpp"
#include "proofs/acknowledgement.hpp"
#include "storage/file.hpp"
#include "storage/record_log.hpp"

namespace holdfast {

/// One object of a message. What it is of, as far as its bytes say so at a glance: height and
/// members of a bundle, chain and height of a proof of a link, chain and height of y of a seal
/// proof.
struct AcknowledgedObject {
    Digest digest;  // SHA-256 of the object standing alone
    Kind kind{};
    std::optional<Height> height;
    std::optional<ChainId> chain_id;
    std::uint32_t members = 0;           // of a bundle
    std::optional<std::uint64_t> entry;  // of the node's journal, where it said so
    friend bool operator==(const AcknowledgedObject&, const AcknowledgedObject&) = default;

    /// Of bytes that need not hold.
    static AcknowledgedObject of(ByteView object, const std::optional<std::uint64_t>& entry = {});
};

/// An acknowledgement as it was taken. A batch, unless the one object is the message itself.
struct KeptAcknowledgement {
    Acknowledgement acknowledgement;
    std::vector<AcknowledgedObject> objects;
    friend bool operator==(const KeptAcknowledgement&, const KeptAcknowledgement&) = default;
    [[nodiscard]] bool is_batch() const {
        return objects.size() != 1 || objects[0].digest != acknowledgement.object;
    }
};

/// A message that was recorded before it was sent, and not settled since.
struct SentMessage {
    Height last_tip;  // the last tip that can take it
    Bytes message;
};

/// The folder of what nodes have acknowledged and of bundles that are still to be sent.
class Acknowledgements {
  public:
    /// How long acknowledgements are kept, in heights.
    struct Options {
        std::uint32_t kept_heights = 64;  // at least 2
    };

    /// Makes a missing folder (its parent must exist).
    static Result<Acknowledgements> open(const std::filesystem::path& folder,
                                         const NetworkId& network_id, const PublicKey& prover,
                                         const Options& options);
    static Result<Acknowledgements> open(const std::filesystem::path& folder,
                                         const NetworkId& network_id, const PublicKey& prover) {
        return open(folder, network_id, prover, Options{});
    }

    /// On the device before the message leaves.
    [[nodiscard]] Status note_sent(const SentMessage& sent);
    /// It was refused, or its deadline has passed: not sent again.
    [[nodiscard]] Status give_up(const Digest& message);
    /// kRefused: check_acknowledgement()'s reason; nothing is kept then. `objects`: what the
    /// message brought, in its order.
    [[nodiscard]] Status take(const PublicKey& host, ByteView message,
                              std::span<const AcknowledgedObject> objects,
                              const Acknowledgement& acknowledgement);

    /// Recorded as sent and neither acknowledged nor given up, by the SHA-256 of the message. What
    /// was acknowledged is settled, whoever sent it.
    [[nodiscard]] const std::map<Digest, SentMessage>& unsettled() const { return unsettled_; }
    /// Acknowledged, and nobody has said checked() of their messages.
    [[nodiscard]] std::vector<KeptAcknowledgement> unchecked() const;
    /// The bytes of one of those.
    [[nodiscard]] Result<Bytes> message(const Digest& message) const;
    /// All of it stands where it must, or is told elsewhere: the bytes may go.
    [[nodiscard]] Status checked(const Digest& message);
    [[nodiscard]] std::uint64_t kept() const { return kept_; }  // acknowledgements in the folder
    [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }

    /// Every acknowledgement in a folder, in the order in which they were taken.
    using Visitor = std::function<Status(const KeptAcknowledgement&)>;
    [[nodiscard]] static Status for_each(const std::filesystem::path& folder,
                                         const NetworkId& network_id, const Visitor& visit);

  private:
    Acknowledgements(std::filesystem::path folder, const NetworkId& network_id,
                     const PublicKey& prover, const Options& options, File lock);
    [[nodiscard]] Status load();
    [[nodiscard]] Status load_file(const RecordLog& log, std::uint64_t number);
    struct Unchecked {
        KeptAcknowledgement kept;
        std::uint64_t file = 0;  // in which it stands
    };
    [[nodiscard]] Status load_messages();
    [[nodiscard]] Result<SentMessage> read_message(const std::filesystem::path& path) const;
    [[nodiscard]] Status remove_message(const Digest& message, std::string_view suffix);
    [[nodiscard]] Status settle(const Unchecked& taken);
    [[nodiscard]] Status start_file(std::uint64_t number);
    [[nodiscard]] Status make_room(Height height);
    [[nodiscard]] Status append(ByteView body, Height height);
    void note(Height height, std::uint64_t acknowledgements);

    std::filesystem::path folder_;
    NetworkId network_id_;
    PublicKey prover_;
    Options options_;
    File lock_;
    std::optional<RecordLog> log_;                  // the newest file
    std::map<std::uint64_t, std::uint64_t> files_;  // number -> acknowledgements in it
    Height highest_{0};                             // that anything was of
    std::optional<Height> begin_;                   // highest_ when the newest file was begun
    std::map<Digest, SentMessage> unsettled_;
    std::map<Digest, Unchecked> unchecked_;  // by message
    std::uint64_t kept_ = 0;
};

}  // namespace holdfast
