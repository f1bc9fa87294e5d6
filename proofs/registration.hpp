// Registrations, updates and removals of chains: bodies, ids, signing and checking.
//
// Plain values and pure functions, any thread; the checks belong to the trusted rooms. What a
// registry must remember (ids ever held, last sequence, last effective height) it passes in. Spec:
// docs/spec.md sections 3 and 5.
#pragma once

#include <optional>

#include "core/codec.hpp"
#include "core/keys.hpp"
#include "core/params.hpp"
#include "core/replica_header.hpp"
#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

enum class Retention : std::uint8_t { kTemporary = 1, kDefault = 2, kArchival = 3 };
std::string_view to_string(Retention retention);
/// "temporary", "default", "archival".
std::optional<Retention> retention_from_name(std::string_view name);
/// 30, 365 or 2,555 days as blocks of the network, rounded down.
[[nodiscard]] std::uint64_t retention_blocks(const NetworkParams& params, Retention retention);

/// 302 bytes.
struct Registration {
    ReplicaHeader header;
    Root sealed_root;
    Height genesis_height;
    BlockHash genesis_block_hash;
    Reveal local_commitment;  // zeros: none
    Retention retention = Retention::kDefault;
    BondId bond_id;
    Signature signature;
    friend bool operator==(const Registration&, const Registration&) = default;

    [[nodiscard]] Bytes encode() const;
    void encode(Writer& w) const;
    static Registration decode(Reader& r);
    static Checked<Registration> decode(ByteView body);

    [[nodiscard]] ReplicaId replica_id(const NetworkId& network_id) const;
    [[nodiscard]] ChainId chain_id(const NetworkId& network_id) const;
    [[nodiscard]] bool has_commitment() const { return !local_commitment.is_zero(); }
    /// What the signature is over.
    [[nodiscard]] Digest digest(const NetworkId& network_id) const;
};

/// Signs `unsigned_registration` with its prover's key (which must be the header's).
[[nodiscard]] Result<Registration> sign_registration(const NetworkId& network_id,
                                                     Registration unsigned_registration,
                                                     const KeyPair& key);

/// The part that costs no signature: preset (kSealPolicy), geometry (kBadGeometry), size
/// (kTooSmall), key (kBadKey).
[[nodiscard]] Verdict check_registration_policy(const NetworkParams& params,
                                                const Registration& registration);
/// What can be judged without a chain: geometry (kBadGeometry), preset (kSealPolicy), size
/// (kTooSmall), key (kBadKey), retention (kBadField, by decode), signature (kBadSignature).
[[nodiscard]] Verdict check_registration(const NetworkParams& params, const NetworkId& network_id,
                                         const Registration& registration);

/// The genesis block, judged when the registration arrives with final block `accepted`.
/// `final_hash`: hash of the verifier's final block at the registration's genesis height, if there
/// is one. kGenesisTooOld (not final, or over 100 blocks old), kWrongBlock.
[[nodiscard]] Verdict check_acceptance(const Registration& registration,
                                       const std::optional<BlockHash>& final_hash, Height accepted);

/// A new local commitment from effective_height on. 140 bytes.
struct Update {
    ChainId chain_id;
    std::uint32_t sequence = 0;
    Height effective_height;
    Reveal local_commitment;  // zeros: none from then on
    Signature signature;
    friend bool operator==(const Update&, const Update&) = default;

    [[nodiscard]] Bytes encode() const;
    static Checked<Update> decode(ByteView body);
    [[nodiscard]] Digest digest(const NetworkId& network_id) const;
};

/// A request to end a chain. 108 bytes.
struct Removal {
    ChainId chain_id;
    std::uint32_t sequence = 0;
    Height height;  // the tip when it was signed
    Signature signature;
    friend bool operator==(const Removal&, const Removal&) = default;

    [[nodiscard]] Bytes encode() const;
    static Checked<Removal> decode(ByteView body);
    [[nodiscard]] Digest digest(const NetworkId& network_id) const;
};

[[nodiscard]] Result<Update> make_update(const NetworkId& network_id, const ChainId& chain_id,
                                         std::uint32_t sequence, Height effective_height,
                                         const Reveal& local_commitment, const KeyPair& key);
[[nodiscard]] Result<Removal> make_removal(const NetworkId& network_id, const ChainId& chain_id,
                                           std::uint32_t sequence, Height height,
                                           const KeyPair& key);

/// What a registry knows of the chain that an update or removal names.
struct ChainHistory {
    ChainId chain_id;
    PublicKey prover;
    std::uint32_t last_sequence = 0;  // over updates and removals; 0: none yet
    Height last_effective;            // of the newest update; the genesis height before the first
};

/// kWrongChain, kSequence, kTooEarly, kBadSignature.
[[nodiscard]] Verdict check_update(const NetworkParams& params, const NetworkId& network_id,
                                   const Update& update, const ChainHistory& history,
                                   Height accepted);
/// kWrongChain, kSequence, kTooEarly (signed at a later tip), kTooLate (over 100 blocks before),
/// kBadSignature.
[[nodiscard]] Verdict check_removal(const NetworkId& network_id, const Removal& removal,
                                    const ChainHistory& history, Height accepted);

}  // namespace holdfast
