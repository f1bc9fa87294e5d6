// What bundles and short proofs say, in the forms that bring a signature for each link: bundles of
// one member, and the proofs that light clients read, with a receipt and a path.
//
// Only links that are recorded are signed: those that stand in a bundle, or in a digest.
// Thread-safe.
#pragma once

#include <map>
#include <vector>

#include "core/keys.hpp"
#include "hierarchy/registry.hpp"
#include "hierarchy/tree.hpp"
#include "proofs/bundle.hpp"
#include "proofs/formats.hpp"

namespace holdfast::simulation {

/// Objects, one for each member in its order.
[[nodiscard]] std::vector<Bytes> one_by_one(const NetworkId& network_id, const KnownHeight& known,
                                            const Bundle& bundle, const KeyPair& key);

/// The proofs of one height.
class WholeProofs {
  public:
    /// `tree`: of that height.
    WholeProofs(const NetworkId& network_id, const KnownHeight& known, HierarchyTree tree);

    void note(const std::vector<DueProof>& due);
    [[nodiscard]] Height height() const { return known_.height; }
    /// The object that says what this short one says. kNotFound: not due.
    [[nodiscard]] Result<Bytes> of(ByteView object, const KeyPair& key) const;

  private:
    NetworkId network_id_;
    KnownHeight known_;
    HierarchyTree tree_;
    std::map<ChainId, std::uint64_t> slots_;
    std::map<ChainId, DueProof> due_;
};

}  // namespace holdfast::simulation
