// Reveal chains: the local entropy source of provers and the nonces of challengers.
//
// The owner commits to a_0 and reveals a_i at height base + i, 0 <= i <= 2^20, where
// a_{i-1} = H("reveal"; network_id, owner, u64 i, a_i). The owner is a replica_id or a challenger's
// key. The free functions are pure and belong to the trusted rooms. A RevealChain belongs to the
// owner, holds secrets (wiped on destruction) and is used by one thread at a time. Spec:
// docs/spec.md section 5.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "core/keys.hpp"
#include "core/params.hpp"
#include "core/result.hpp"
#include "core/types.hpp"

namespace holdfast {

/// a_{i-1} from a_i; i >= 1.
[[nodiscard]] Reveal reveal_before(const NetworkId& network_id, ByteView owner32, std::uint64_t i,
                                   const Reveal& a_i);

/// The last reveal that a verifier knows; i = 0 is the commitment itself.
struct KnownReveal {
    std::uint64_t i = 0;
    Reveal a;
    friend bool operator==(const KnownReveal&, const KnownReveal&) = default;
};

/// i = height - base; at the base itself the reveal is the commitment. kRevealExhausted unless
/// 0 <= i <= 2^20.
[[nodiscard]] Checked<std::uint64_t> reveal_index(Height base, Height height);

/// Hashes the later of (i, reveal) and `known` down to the earlier and compares. At most `limit`
/// hashes (rate_window + 1): kRevealTooFar beyond; kBadReveal; kRevealExhausted for i over 2^20.
[[nodiscard]] Verdict check_reveal(const NetworkId& network_id, ByteView owner32,
                                   const KnownReveal& known, std::uint64_t i, const Reveal& reveal,
                                   std::uint64_t limit);

/// Many of one chain against one known reveal: verdict k is what check_reveal gives for element k,
/// while a walk that passes several elements on its way to the known one is hashed once. Adds to
/// `hashes` how many it took.
[[nodiscard]] std::vector<Verdict> check_reveals(const NetworkId& network_id, ByteView owner32,
                                                 const KnownReveal& known,
                                                 std::span<const KnownReveal> elements,
                                                 std::uint64_t limit, std::uint64_t& hashes);

/// How many hashes check_reveal may spend in this network.
[[nodiscard]] inline std::uint64_t reveal_limit(const NetworkParams& params) {
    return std::uint64_t{params.rate_window} + 1;
}

/// A bare step that bridges a long silence: owner || u64 i || a_i, 72 bytes. Checked with
/// check_reveal against the last known reveal; the step then is the last known one.
struct RevealStep {
    Digest owner;
    std::uint64_t i = 0;
    Reveal a;
    friend bool operator==(const RevealStep&, const RevealStep&) = default;

    [[nodiscard]] Bytes encode() const;
    static Checked<RevealStep> decode(ByteView bytes);
};

/// The secret end a_{2^20}: the first 32 bytes of the owner's signature over
/// H("reveal/end"; network_id, owner, u64 base). Deterministic, so that a crash cannot lose it.
/// Errors of the key.
[[nodiscard]] Result<Reveal> reveal_end(const NetworkId& network_id, ByteView owner32, Height base,
                                        const KeyPair& key);

/// The owner's side. Keeps every 1,024th element (32 KiB once built); the first use walks the whole
/// chain once (2^20 hashes), each later element costs at most 1,023.
class RevealChain {
  public:
    /// Asks the key for one signature, that of reveal_end(). Errors of the key.
    static Result<RevealChain> make(const NetworkId& network_id, const Digest& owner, Height base,
                                    const KeyPair& key);
    RevealChain(RevealChain&&) noexcept = default;
    RevealChain& operator=(RevealChain&&) = delete;
    RevealChain(const RevealChain&) = delete;
    RevealChain& operator=(const RevealChain&) = delete;
    ~RevealChain();

    [[nodiscard]] Height base() const { return base_; }
    /// a_0, which a registration or update commits to.
    [[nodiscard]] Reveal commitment();
    /// a_i, i <= 2^20.
    [[nodiscard]] Reveal at(std::uint64_t i);
    /// The reveal of a height. kRevealExhausted before the first and after the last.
    [[nodiscard]] Checked<Reveal> at_height(Height height);
    /// How many times it has hashed so far.
    [[nodiscard]] std::uint64_t hashes() const { return hashes_; }

  private:
    RevealChain(const NetworkId& network_id, const Digest& owner, Height base, const Reveal& end);
    void build();

    NetworkId network_id_;
    Digest owner_;
    Height base_;
    Reveal end_;
    std::uint64_t hashes_ = 0;
    std::vector<Reveal> every_1024th_;  // element k: a_{1024 k}; empty until built
};

}  // namespace holdfast
