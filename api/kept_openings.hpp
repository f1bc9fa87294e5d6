// The sixteen openings of each link, kept in memory from when it is made until its compact proof
// is: that proof then reads one chunk of the replica instead of sixteen, and hashes as much less.
//
// What is kept is believed no further than it can be checked: the openings must give the link that
// stands, and the cell, checked against the replica's tree, its own opening. Of a link of which
// nothing is kept (another process made it, or there was no room) all cells are opened again, and
// the proof has the same bytes. 640 bytes a link and height, about four heights of them.
//
// Threading: find() from any thread while nothing is kept or forgotten; else one call at a time.
// Spec: docs/spec.md section 7.
#pragma once

#include <array>
#include <map>
#include <unordered_map>

#include "api/link_prover.hpp"
#include "core/types.hpp"
#include "storage/link_set_records.hpp"

namespace holdfast {

class KeptOpenings {
  public:
    using Openings = std::array<Digest, kChunksPerLink>;

    explicit KeptOpenings(std::size_t most_bytes) : most_(most_bytes / kBytesEach) {}

    /// Nothing where there is no room.
    void keep(const LinkPlace& place, const ChainId& chain_id, const Openings& openings);
    /// Null where nothing is kept.
    [[nodiscard]] const Openings* find(const LinkPlace& place, const ChainId& chain_id) const;
    /// Of lower heights no proof is taken any more.
    void forget_below(Height height);
    /// Its proof was made.
    void forget(const LinkPlace& place, const ChainId& chain_id);

  private:
    static constexpr std::size_t kBytesEach = 640;
    struct FirstBytes {  // of a digest
        std::size_t operator()(const ChainId& id) const noexcept;
    };

    std::size_t most_;
    std::size_t kept_ = 0;
    std::map<LinkPlace, std::unordered_map<ChainId, Openings, FirstBytes>> places_;
};

/// The compact proof of `link` out of its openings and the drawn cell alone, with its path.
/// kCorrupt: they do not give that link.
[[nodiscard]] Result<ShortCompact> to_short_compact(const NetworkId& network_id,
                                                    const LinkDraw& draw,
                                                    const KeptOpenings::Openings& openings,
                                                    const Link& link, const VdfOutput& y_compact,
                                                    Opening cell);

}  // namespace holdfast
