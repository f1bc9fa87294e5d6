// One node as a light client sees it: what it has said, checked against itself and against what is
// known, so that a node that lies is caught by name.
//
// Checked here: blocks have the parents before them; a closed digest is made of its height, block,
// y, the digest before it and its regions (spec 10.2); in networks with an operator, that it has
// signed block and digest of every closed height, by its head or by the digests that lead down from
// one, and that its journal goes on from the one it signed before. Registrations and updates bear
// the prover's signature, reveals hash down to their commitments.
//
// What remains its word: that the blocks are the host chain's, and in networks without an operator
// the digests.
//
// Errors: kRefused: what it says does not hold, it lies. kNotFound: it has no such height (yet, or
// any more). Others: it was not to be had. One thread. Spec: docs/spec.md sections 5, 7, 10.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "clock/public_record.hpp"
#include "follow/public_client.hpp"

namespace holdfast {

/// What one node has said, checked.
class LightNodeView {
  public:
    /// `base`: what is known already; heights in `vouched` are under the operator's signature.
    /// `newest`: the newest head that was seen before.
    LightNodeView(std::string name, FollowRequest ask, const PublicRecord& base,
                  const std::set<Height>& vouched, const std::optional<JournalHead>& newest);

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] const PublicClient& client() const { return client_; }
    [[nodiscard]] const PublicRecord& record() const { return record_; }
    [[nodiscard]] const std::optional<JournalHead>& newest_head() const { return newest_; }
    /// Heights whose block and digest the operator has signed, as far as they were looked at.
    [[nodiscard]] const std::set<Height>& vouched() const { return vouched_; }
    /// Heights whose digest was seen to cover this y and this number of chains.
    [[nodiscard]] const std::map<Height, DigestParts>& covered() const { return covered_; }
    [[nodiscard]] const std::map<Height, JournalHead>& heads() const { return heads_; }

    /// Facts of these heights, where they are not known yet, closed ones with their digests.
    /// kNotFound when `last` is above its tip.
    [[nodiscard]] Status need(Height first, Height last);
    /// The same of one height and the one before it, whose digest it covers.
    [[nodiscard]] Result<PublicHeight> height(Height height);
    /// A chain, anew.
    [[nodiscard]] Status need_chain(const ChainId& chain_id);
    /// A path, checked under the digest of its height.
    [[nodiscard]] Result<PathProof> path(const ChainId& chain_id, Height height);

  private:
    static constexpr std::uint64_t kMostHeadless = 256;  // heights in a row, looked at

    [[nodiscard]] bool knows(Height height) const;
    [[nodiscard]] Status take(const PublicHeightFacts& said);
    [[nodiscard]] Status check_digest(const PublicHeightFacts& said);
    [[nodiscard]] Status vouch(Height first, Height last);
    [[nodiscard]] Status take_head(Height height);
    [[nodiscard]] Status take_covering_head(Height height);
    [[nodiscard]] Status check_journal(const JournalHead& head);

    std::string name_;
    PublicClient client_;
    PublicRecord record_;
    std::set<Height> vouched_;
    std::map<Height, DigestParts> covered_;
    std::map<Height, JournalHead> heads_;
    std::optional<JournalHead> newest_;
};

}  // namespace holdfast
