// A prover: one sealed replica, its key, its registration and its durable record of links.
//
// Everything that leaves it has been recorded first and checked against the tree; what it signs is
// a function of public state and stored data, so that asking twice gives the same bytes. It holds
// the exclusive lock on its *.chain file for as long as it lives.
//
// Threading: one call at a time on one Prover; any number of Provers side by side.
// Spec: docs/spec.md sections 3, 3.1, 5 and 7.
//
//     const ProverFiles files = ProverFiles::beside("data.replica");
//     HOLDFAST_ASSIGN(prover, Prover::open(params, files, registration, std::move(key)));
//     HOLDFAST_ASSIGN(request, aggregator.link_request(prover.chain_id(), height));
//     HOLDFAST_ASSIGN(link, prover.link(request));  // on the device, then signed
//     send(wrap_object(Kind::kReceipt, link.receipt.encode()));
//
//     Or hand the prover to Aggregator::advance, which asks it for all that it owes
//     (examples/minimal_node.cpp).
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>

#include "api/link_prover.hpp"
#include "api/seal_prover.hpp"
#include "chunking/replica.hpp"
#include "core/keys.hpp"
#include "core/params.hpp"
#include "core/result.hpp"
#include "proofs/bundle.hpp"
#include "proofs/formats.hpp"
#include "proofs/registration.hpp"
#include "proofs/reveal.hpp"
#include "storage/link_records.hpp"

namespace holdfast {

/// Where a prover's files are.
struct ProverFiles {
    std::filesystem::path replica;  // *.replica
    std::filesystem::path tree;     // *.tree
    std::filesystem::path records;  // *.chain, made when missing

    /// The three names that share the stem of `replica`: X.replica, X.tree, X.chain.
    static ProverFiles beside(const std::filesystem::path& replica);
};

/// What a registration says beside what the sealed files say.
struct RegistrationTerms {
    Height genesis_height;  // of a final block, at most 100 blocks old when accepted
    BlockHash genesis_block_hash;
    Retention retention = Retention::kDefault;
    BondId bond_id;
    bool with_commitment = true;  // commit to a reveal chain (local entropy)
};

/// Signs the registration of a sealed replica. kInvalidArgument when the key is not the replica's.
[[nodiscard]] Result<Registration> make_registration(const NetworkParams& params,
                                                     const FileHeader& sealed,
                                                     const RegistrationTerms& terms,
                                                     const KeyPair& key);

/// What a link depends on beside the prover's own files. `reveal_base`: genesis height, or the
/// effective height of the update in force; empty where no commitment is in force.
struct LinkRequest {
    Height height;
    BlockHash block_hash;
    VdfOutput y;
    GlobalDigest anchor;
    Link link_before;
    std::optional<Height> reveal_base;
};

/// One replica: its links, proofs and statements.
class Prover {
  public:
    /// kInvalidArgument when replica, registration and key do not belong together; otherwise as for
    /// Replica::open and LinkRecords::open.
    static Result<Prover> open(const NetworkParams& params, const ProverFiles& files,
                               const Registration& registration, KeyPair key);

    [[nodiscard]] const ChainId& chain_id() const { return chain_id_; }
    [[nodiscard]] const NetworkId& network_id() const { return network_id_; }
    [[nodiscard]] const Registration& registration() const { return registration_; }
    [[nodiscard]] const Replica& replica() const { return replica_; }
    [[nodiscard]] const LinkRecords& records() const { return records_; }

    /// The answer to a seal challenge or audit: one fill for each window drawn.
    [[nodiscard]] Result<SealProof> seal_proof(Height y_height, const VdfOutput& y,
                                               SealProofKind kind, const RawOptions& options = {});

    /// Reads and checks sixteen cells, records the link durably, signs it. Errors: kCorrupt (a
    /// damaged cell: a missed link, nothing is signed), kRefused (kBadLink: another link is
    /// recorded for this height, block and anchor; kRevealExhausted).
    [[nodiscard]] Result<SignedLink> link(const LinkRequest& request);

    /// What a registry takes of a link that has been signed: a bundle of one.
    [[nodiscard]] Result<Bundle> bundle(const SignedLink& link) const;

    /// The proofs of a link; `path` is this chain's path under the digest of the link's height.
    [[nodiscard]] Result<Compact> compact(const SignedLink& link, const PathProof& path,
                                          const VdfOutput& y_compact) const;
    [[nodiscard]] Full full(const SignedLink& link) const { return to_full(link); }

    /// A new commitment from `effective` on, and a request to end the chain.
    [[nodiscard]] Result<Update> update(std::uint32_t sequence, Height effective,
                                        bool with_commitment);
    [[nodiscard]] Result<Removal> removal(std::uint32_t sequence, Height tip) const;

  private:
    Prover(const NetworkParams& params, Registration registration, KeyPair key, Replica replica,
           LinkRecords records);
    Result<RevealChain*> reveals(Height base);

    NetworkParams params_;
    NetworkId network_id_;
    Registration registration_;
    ChainId chain_id_;
    KeyPair key_;
    Replica replica_;
    LinkRecords records_;
    std::map<std::uint64_t, RevealChain> reveals_;  // by base
};

}  // namespace holdfast
