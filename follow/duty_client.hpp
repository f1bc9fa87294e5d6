// What a prover asks the node that it follows about its own chains, and how it hands over what it
// has made.
//
// Lists are fetched in pages and come whole. Refused as kRefused, and nothing of the answer used: a
// list of another key or height, one that is not in order or names chains outside the part that was
// asked for (kNotCanonical), a page that does not go on or a list that has no end (kTooLarge), an
// acknowledgement that is another node's, another object's, or badly signed. What a node says of
// y is not said here at all (node/verified_output.hpp).
//
// Threading: any thread. Memory: one list. Errors: those of the request function; kBusy, kNotFound
// (a height that is not open, or whose proofs are not taken), kRefused. Ownership: the client must
// outlive it. Spec: docs/spec.md section 14.
#pragma once

#include <span>
#include <vector>

#include "follow/client.hpp"
#include "follow/duty_messages.hpp"

namespace holdfast {

struct DutyClientOptions {
    std::uint32_t page_chains = 8'192;            // looked through for one answer
    std::uint32_t max_chains = kMaxFollowChains;  // of one key
    std::size_t max_message_bytes = kMaxBatchBytes;
};

/// A message as it travels, and how many objects it brings.
struct HandOverMessage {
    Bytes bytes;
    std::size_t objects = 0;
};

/// What became of the objects of one message.
struct HandedBatch {
    Bytes message;                    // as it was sent: what the acknowledgement is over
    std::vector<HandedOver> objects;  // the first ones that were given, in their order
    /// Checked. Empty unless every object stands in the journal; in networks without an operator
    /// always, since there nothing stands before a block lists it.
    std::optional<Acknowledgement> acknowledgement;
};

class DutyClient {
  public:
    /// `host`: the key that the node proves when it is connected to, and acknowledges with.
    DutyClient(FollowClient& node, const NetworkId& network_id, const PublicKey& host,
               const DutyClientOptions& options = {});

    /// kUnavailable before the node's first block.
    [[nodiscard]] Result<DutyHeights> heights();
    [[nodiscard]] Result<std::vector<DueLink>> due_links(const PublicKey& key, Height height);
    [[nodiscard]] Result<std::vector<DueProof>> due_proofs(const PublicKey& key, Height height);
    /// Also those whose y is not there yet.
    [[nodiscard]] Result<std::vector<FollowedDuty>> seal_duties(const PublicKey& key);
    /// Every chain that was ever registered for the key.
    [[nodiscard]] Result<std::vector<FollowedChain>> chains_of(const PublicKey& key);
    /// Empty: never registered there.
    [[nodiscard]] Result<std::optional<Registration>> registration(const ChainId& chain_id);

    /// The first of these objects, as many as one message takes: of kinds that come in by the
    /// journal, each standing alone. kInvalidArgument: none, or the first is larger than what
    /// travels.
    [[nodiscard]] Result<HandOverMessage> message_of(std::span<const ByteView> objects) const;
    /// Hands a message over that brings so many objects.
    [[nodiscard]] Result<HandedBatch> send(Bytes message, std::size_t objects) const;
    /// Both.
    [[nodiscard]] Result<HandedBatch> hand_over(std::span<const ByteView> objects);
    /// One object, of any kind that a node takes.
    [[nodiscard]] Result<HandedBatch> submit(ByteView object);

  private:
    template <class Answer, class MakeQuestion>
    auto fetch(const PublicKey& key, const MakeQuestion& question) const;

    FollowClient& node_;
    const NetworkId network_id_;
    const PublicKey host_;
    const DutyClientOptions options_;
};

}  // namespace holdfast
