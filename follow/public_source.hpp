// Answers questions for public data out of a registry, its host chain, and what the host hands in.
//
// A proof of a link is made by the chain's prover, not here: the question goes to it, with
// everything public that the proof is made of, over the connection that the prover has with this
// node. Few such questions are under way at a time, of one link once, and the newest proofs are
// kept, so that a crowd of light clients costs a prover one proof.
//
// Threading: any thread. Ownership: registry, chain and what the hooks use must outlive it.
// Memory: options.kept_proofs proofs, the digests' parts of kKeptParts heights.
// Spec: docs/spec.md section 14.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>

#include "callbacks/beacon.hpp"
#include "callbacks/blockchain.hpp"
#include "follow/messages.hpp"
#include "hierarchy/registry.hpp"

namespace holdfast {

struct PublicSourceHooks {
    /// The head of a closed height, signed. kNotFound, kRefused. Empty: this node signs none.
    std::function<Result<JournalHead>(Height height)> head;
    /// The round that serves this block, in networks with a beacon; empty: not published yet.
    std::function<Result<std::optional<BeaconRound>>(const BlockInfo& block)> beacon;
    /// The kept proof of y. kNotFound. Empty: this node hands none over.
    std::function<Result<VdfProof>(Height height)> output_proof;
    /// Carries a message to the prover that has this key and its answer back. kUnavailable: it is
    /// not connected. Empty: this node asks no provers.
    std::function<Result<Bytes>(const PublicKey& prover, ByteView message)> ask_prover;
};

struct PublicSourceOptions {
    std::size_t kept_proofs = 1'024;
    std::uint32_t provers_at_once = 1;  // questions to provers under way; each holds a thread
    std::uint32_t retry_ms = 500;       // told to whoever comes when there are so many
};

class PublicSource {
  public:
    static constexpr std::size_t kKeptParts = 256;

    PublicSource(const Registry& registry, Blockchain& chain, PublicSourceHooks hooks,
                 const PublicSourceOptions& options = {});

    /// What was asked for, or why not: kTooEarly (not closed, or no such block yet), kTooLate (not
    /// kept any more), kUnknownChain, kNotInDigest (the chain holds no slot there, or has no link
    /// of that height), kUnavailable as kBusy (the prover is not to be had now), kBadKind (not
    /// here).
    [[nodiscard]] Result<FollowAnswer> answer(const PublicQuestion& question);

  private:
    [[nodiscard]] Result<FollowAnswer> heights(const HeightsQuestion& question);
    [[nodiscard]] Result<FollowAnswer> chain(const ChainQuestion& question) const;
    [[nodiscard]] Result<FollowAnswer> path(const PathQuestion& question) const;
    [[nodiscard]] Result<FollowAnswer> head(const HeadQuestion& question) const;
    [[nodiscard]] Result<FollowAnswer> segments(const SegmentsQuestion& question) const;
    [[nodiscard]] Result<FollowAnswer> link_proof(const LinkProofQuestion& question);

    [[nodiscard]] Result<PublicHeightFacts> facts(Height height);
    [[nodiscard]] Result<std::optional<DigestParts>> parts(const BlockRecord& block);
    /// All that the chain's prover needs; a refusal where there is no such link to prove.
    [[nodiscard]] Result<Checked<RecordedLinkQuestion>> recorded_link(
        const LinkProofQuestion& question) const;
    [[nodiscard]] Result<FollowAnswer> ask(const LinkProofQuestion& question);

    const Registry& registry_;
    Blockchain& chain_;
    const PublicSourceHooks hooks_;
    const PublicSourceOptions options_;

    std::mutex mutex_;  // guards what follows; not held while anybody is asked
    std::map<Height, DigestParts> parts_;
    std::map<std::pair<Height, ChainId>, AnyProof> proofs_;  // the lowest heights go first
    std::set<LinkProofQuestion> under_way_;
};

}  // namespace holdfast
