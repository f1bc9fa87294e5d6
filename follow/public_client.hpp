// Asks a node for public data in small pieces, page by page.
//
// What can be held against the node here is the form of its answers: another height, chain or place
// than was asked for, a page that does not advance. Those are kRefused. Whether what it says is
// true, api/light_client.hpp finds out.
//
// Threading: as the request function. Errors: those of the request function; kBusy; kNotFound (no
// such final block there yet, or not kept any more); kUnavailable (the chain's prover is not
// connected to the node, or does not answer it); kRefused. Spec: docs/spec.md section 14.
#pragma once

#include "follow/ask.hpp"

namespace holdfast {

class PublicClient {
  public:
    explicit PublicClient(FollowRequest request) : request_(std::move(request)) {}

    [[nodiscard]] Result<FollowTip> tip() const;
    /// Heights `first` to `last`, as many of them as are final there; at least one.
    [[nodiscard]] Result<std::vector<PublicHeightFacts>> heights(Height first, Height last) const;
    /// A chain with all its updates; kRefused with kUnknownChain where the node knows none.
    [[nodiscard]] Result<PublicChainFacts> chain(ChainQuestion::By by, const Digest& id) const;
    [[nodiscard]] Result<PathProof> path(const ChainId& chain_id, Height height) const;
    [[nodiscard]] Result<PublicHead> head(Height height, std::uint64_t older) const;
    [[nodiscard]] Result<AnyProof> link_proof(const ChainId& chain_id, Height height) const;
    /// `segments` ascend; none: the ends alone.
    [[nodiscard]] Result<PublicSegments> segments(Height height,
                                                  std::vector<std::uint32_t> segments) const;
    /// The whole proof of y (kind 9, standing alone), and what else y is made of.
    [[nodiscard]] Result<FollowOutput> output(Height height) const;

  private:
    template <class T>
    [[nodiscard]] Result<T> ask_for(const PublicQuestion& question) const;

    FollowRequest request_;
};

}  // namespace holdfast
