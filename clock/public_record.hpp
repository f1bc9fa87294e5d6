// What anybody may know of a network: parameters, blocks, y, digests, registrations, reveals.
//
// This is all that a verifier needs who has neither the file nor a replica. A record is exported by
// a node (or put together by a host from its own chain) and read back from a folder:
//
//   network.params   the network's parameters (kind 19, standing alone)
//   public.json      blocks, y, global digests, registrations, updates, newest reveals
//   vdf/             VDF proofs, one file a height, for whoever checks y instead of trusting it
//
// Reading checks form, signatures of registrations and updates, and ids; it never trusts a name or
// an id that can be computed. Plain value, any thread. Spec: docs/spec.md section 7 ("what a
// verifier brings itself").
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <vector>

#include "callbacks/beacon.hpp"
#include "callbacks/blockchain.hpp"
#include "core/params.hpp"
#include "core/result.hpp"
#include "core/types.hpp"
#include "proofs/link_verify.hpp"
#include "proofs/registration.hpp"

namespace holdfast {

struct PublicHeight {
    BlockInfo block;
    std::optional<BeaconRound> beacon;
    std::optional<VdfOutput> y;
    std::optional<GlobalDigest> global;  // once closed
};

struct PublicChain {
    Registration registration;
    Height accepted;
    std::vector<Update> updates;       // by sequence
    std::vector<RevealState> reveals;  // the newest known of each commitment; none: a_0 itself
};

class PublicRecord {
  public:
    static constexpr std::string_view kNetworkFile = "network.params";
    static constexpr std::string_view kRecordFile = "public.json";
    static constexpr std::string_view kVdfFolder = "vdf";

    explicit PublicRecord(NetworkParams params);
    /// kNotFound, kCorrupt (what and where), kRefused (a registration or update that does not
    /// hold).
    static Result<PublicRecord> load(const std::filesystem::path& folder);
    /// Publishes both files atomically, replacing older ones; makes the folder when missing.
    [[nodiscard]] Status save(const std::filesystem::path& folder) const;

    /// What public.json holds, as JSON text with a line feed at its end.
    [[nodiscard]] std::string to_text() const;

    [[nodiscard]] const NetworkParams& params() const { return params_; }
    [[nodiscard]] const NetworkId& network_id() const { return network_id_; }
    [[nodiscard]] const std::map<Height, PublicHeight>& heights() const { return heights_; }
    [[nodiscard]] const std::map<ChainId, PublicChain>& chains() const { return chains_; }

    void set_height(PublicHeight height);
    /// kRefused when the registration does not hold; its chain id otherwise.
    [[nodiscard]] Result<ChainId> add_chain(PublicChain chain);

    /// What a verifier must know of a height, as far as it is here; kNotFound for an unknown block.
    [[nodiscard]] Result<KnownHeight> known_height(Height height) const;
    /// The chain with the commitment in force at `height`, and of the reveals known under it the
    /// one that is nearest. kNotFound.
    [[nodiscard]] Result<KnownChain> known_chain(const ChainId& id, Height height) const;

  private:
    NetworkParams params_;
    NetworkId network_id_;
    std::map<Height, PublicHeight> heights_;
    std::map<ChainId, PublicChain> chains_;
};

/// A record seen as host chain and beacon, so that the VDF clock can check y from public data
/// alone.
class PublicBlockchain final : public Blockchain {
  public:
    explicit PublicBlockchain(const PublicRecord& record) : record_(record) {}
    [[nodiscard]] Result<Height> current_height() override;
    [[nodiscard]] Result<BlockInfo> block_by_height(Height height) override;
    /// kPermission: a record is for reading.
    [[nodiscard]] Status submit(Kind kind, ByteView object) override;
    /// Registrations accepted at that height.
    [[nodiscard]] Result<std::vector<Submission>> submissions_at(Height height) override;
    /// kUnsupported: a record holds no bonds.
    [[nodiscard]] Result<std::vector<BondEvent>> bond_events_at(Height height) override;

  private:
    const PublicRecord& record_;
};

/// The rounds in a record, checked under the network's beacon key as LocalBeacon signs them.
class PublicBeacon final : public Beacon {
  public:
    explicit PublicBeacon(const PublicRecord& record) : record_(record) {}
    [[nodiscard]] Result<BeaconRound> randomness(std::uint64_t round) override;
    [[nodiscard]] Status verify(std::uint64_t round, const BeaconRound& value) override;

  private:
    const PublicRecord& record_;
};

}  // namespace holdfast
