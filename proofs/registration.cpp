#include "proofs/registration.hpp"

#include "core/constants.hpp"
#include "core/hash.hpp"

namespace holdfast {
namespace {

constexpr std::size_t kUpdateSignedBytes = kUpdateBytes - Signature::kSize;
constexpr std::size_t kRemovalSignedBytes = kRemovalBytes - Signature::kSize;

Digest signed_digest(std::string_view tag, const NetworkId& network_id, ByteView body,
                     std::size_t signed_bytes) {
    return tagged_hash(tag, network_id, body.first(signed_bytes));
}

// Spec 3, updates and removals (3).
Verdict check_sequence(const ChainHistory& history, std::uint32_t sequence) {
    return sequence == std::uint64_t{history.last_sequence} + 1 ? Reason::kOk : Reason::kSequence;
}

}  // namespace

std::string_view to_string(Retention retention) {
    switch (retention) {
        case Retention::kTemporary:
            return "temporary";
        case Retention::kDefault:
            return "default";
        case Retention::kArchival:
            return "archival";
    }
    return "unknown";
}

std::optional<Retention> retention_from_name(std::string_view name) {
    for (const Retention r : {Retention::kTemporary, Retention::kDefault, Retention::kArchival}) {
        if (to_string(r) == name) return r;
    }
    return std::nullopt;
}

// Spec 10.4.
std::uint64_t retention_blocks(const NetworkParams& params, Retention retention) {
    constexpr std::uint64_t kDayMs = 86'400'000;
    const std::uint64_t days = retention == Retention::kTemporary ? 30
                               : retention == Retention::kDefault ? 365
                                                                  : 2'555;
    return days * kDayMs / params.block_ms;
}

// Spec 3, registration (kind 1).
void Registration::encode(Writer& w) const {
    header.encode(w);
    w.fixed(sealed_root).height(genesis_height).fixed(genesis_block_hash);
    w.fixed(local_commitment).u8(static_cast<std::uint8_t>(retention)).fixed(bond_id);
    w.fixed(signature);
}

Bytes Registration::encode() const {
    Writer w(kRegistrationBytes);
    encode(w);
    return w.take();
}

Registration Registration::decode(Reader& r) {
    Registration out;
    out.header = ReplicaHeader::decode(r);
    out.sealed_root = r.fixed<Root>();
    out.genesis_height = r.height();
    out.genesis_block_hash = r.fixed<BlockHash>();
    out.local_commitment = r.fixed<Reveal>();
    const std::uint8_t retention = r.u8();
    if (retention < 1 || retention > 3) r.refuse(Reason::kBadField);
    out.retention = static_cast<Retention>(retention);
    out.bond_id = r.fixed<BondId>();
    out.signature = r.fixed<Signature>();
    return out;
}

Checked<Registration> Registration::decode(ByteView body) {
    Reader r(body);
    const Registration out = decode(r);
    if (const Verdict v = r.finish(); !v) return refuse(v);
    return out;
}

ReplicaId Registration::replica_id(const NetworkId& network_id) const {
    return header.replica_id(network_id);
}

ChainId Registration::chain_id(const NetworkId& network_id) const {
    return holdfast::chain_id(ownership(replica_id(network_id), sealed_root), genesis_height,
                              genesis_block_hash);
}

Digest Registration::digest(const NetworkId& network_id) const {
    return signed_digest("registration", network_id, encode(), kRegistrationSignedBytes);
}

Result<Registration> sign_registration(const NetworkId& network_id,
                                       Registration unsigned_registration, const KeyPair& key) {
    HOLDFAST_CHECK(unsigned_registration.header.prover == key.public_key());
    HOLDFAST_ASSIGN(signature, key.sign(view(unsigned_registration.digest(network_id))));
    unsigned_registration.signature = signature;
    return unsigned_registration;
}

// Spec 3, registration (2) to (6).
Verdict check_registration_policy(const NetworkParams& params, const Registration& registration) {
    HOLDFAST_REQUIRE_OK(registration.header.check(params));
    if (registration.header.chunks.value < params.min_chunks) return Reason::kTooSmall;
    return check_registrable_key(registration.header.prover);
}

// Spec 3, registration (2) to (7); (1) is the decoder's.
Verdict check_registration(const NetworkParams& params, const NetworkId& network_id,
                           const Registration& registration) {
    HOLDFAST_REQUIRE_OK(check_registration_policy(params, registration));
    return verify_signature(registration.header.prover, view(registration.digest(network_id)),
                            registration.signature);
}

// Spec 3, registration (8) and (9).
Verdict check_acceptance(const Registration& registration,
                         const std::optional<BlockHash>& final_hash, Height accepted) {
    const Height genesis = registration.genesis_height;
    if (!final_hash || accepted < genesis || accepted.since(genesis) > kGenesisMaxAge) {
        return Reason::kGenesisTooOld;
    }
    return *final_hash == registration.genesis_block_hash ? Reason::kOk : Reason::kWrongBlock;
}

// Spec 3, update (kind 2).
Bytes Update::encode() const {
    Writer w(kUpdateBytes);
    w.fixed(chain_id).u32(sequence).height(effective_height).fixed(local_commitment);
    w.fixed(signature);
    return w.take();
}

Checked<Update> Update::decode(ByteView body) {
    Reader r(body);
    Update out;
    out.chain_id = r.fixed<ChainId>();
    out.sequence = r.u32();
    out.effective_height = r.height();
    out.local_commitment = r.fixed<Reveal>();
    out.signature = r.fixed<Signature>();
    if (const Verdict v = r.finish(); !v) return refuse(v);
    return out;
}

Digest Update::digest(const NetworkId& network_id) const {
    return signed_digest("update", network_id, encode(), kUpdateSignedBytes);
}

// Spec 3, removal (kind 20).
Bytes Removal::encode() const {
    Writer w(kRemovalBytes);
    w.fixed(chain_id).u32(sequence).height(height).fixed(signature);
    return w.take();
}

Checked<Removal> Removal::decode(ByteView body) {
    Reader r(body);
    Removal out;
    out.chain_id = r.fixed<ChainId>();
    out.sequence = r.u32();
    out.height = r.height();
    out.signature = r.fixed<Signature>();
    if (const Verdict v = r.finish(); !v) return refuse(v);
    return out;
}

Digest Removal::digest(const NetworkId& network_id) const {
    return signed_digest("removal", network_id, encode(), kRemovalSignedBytes);
}

Result<Update> make_update(const NetworkId& network_id, const ChainId& chain_id,
                           std::uint32_t sequence, Height effective_height,
                           const Reveal& local_commitment, const KeyPair& key) {
    Update update{chain_id, sequence, effective_height, local_commitment, {}};
    HOLDFAST_ASSIGN(signature, key.sign(view(update.digest(network_id))));
    update.signature = signature;
    return update;
}

Result<Removal> make_removal(const NetworkId& network_id, const ChainId& chain_id,
                             std::uint32_t sequence, Height height, const KeyPair& key) {
    Removal removal{chain_id, sequence, height, {}};
    HOLDFAST_ASSIGN(signature, key.sign(view(removal.digest(network_id))));
    removal.signature = signature;
    return removal;
}

// Spec 3, update (3) to (6); (2) is the registry's.
Verdict check_update(const NetworkParams& params, const NetworkId& network_id, const Update& update,
                     const ChainHistory& history, Height accepted) {
    if (update.chain_id != history.chain_id) return Reason::kWrongChain;
    HOLDFAST_REQUIRE_OK(check_sequence(history, update.sequence));
    if (update.effective_height < accepted + params.seal_delay) return Reason::kTooEarly;
    if (update.effective_height <= history.last_effective) return Reason::kTooEarly;
    return verify_signature(history.prover, view(update.digest(network_id)), update.signature);
}

// Spec 3, removal (3), (5) and (6); the others are the registry's.
Verdict check_removal(const NetworkId& network_id, const Removal& removal,
                      const ChainHistory& history, Height accepted) {
    if (removal.chain_id != history.chain_id) return Reason::kWrongChain;
    HOLDFAST_REQUIRE_OK(check_sequence(history, removal.sequence));
    if (removal.height > accepted) return Reason::kTooEarly;
    if (accepted.since(removal.height) > kGenesisMaxAge) return Reason::kTooLate;
    return verify_signature(history.prover, view(removal.digest(network_id)), removal.signature);
}

}  // namespace holdfast
