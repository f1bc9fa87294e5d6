#include "api/kept_openings.hpp"

#include <algorithm>
#include <cstring>

namespace holdfast {

std::size_t KeptOpenings::FirstBytes::operator()(const ChainId& id) const noexcept {
    std::size_t out = 0;
    std::memcpy(&out, id.data(), sizeof out);
    return out;
}

void KeptOpenings::keep(const LinkPlace& place, const ChainId& chain_id, const Openings& openings) {
    if (kept_ >= most_) return;
    if (places_[place].insert_or_assign(chain_id, openings).second) ++kept_;
}

const KeptOpenings::Openings* KeptOpenings::find(const LinkPlace& place,
                                                 const ChainId& chain_id) const {
    const auto at = places_.find(place);
    if (at == places_.end()) return nullptr;
    const auto found = at->second.find(chain_id);
    return found == at->second.end() ? nullptr : &found->second;
}

void KeptOpenings::forget_below(Height height) {
    while (!places_.empty() && places_.begin()->first.height < height) {
        kept_ -= places_.begin()->second.size();
        places_.erase(places_.begin());
    }
}

void KeptOpenings::forget(const LinkPlace& place, const ChainId& chain_id) {
    const auto at = places_.find(place);
    if (at == places_.end()) return;
    kept_ -= at->second.erase(chain_id);
    if (at->second.empty()) places_.erase(at);
}

Result<ShortCompact> to_short_compact(const NetworkId& network_id, const LinkDraw& draw,
                                      const KeptOpenings::Openings& openings, const Link& link,
                                      const VdfOutput& y_compact, Opening cell) {
    const LinkFacts& facts = draw.facts;
    const std::uint8_t j = compact_index(network_id, y_compact, facts.chain_id);
    ShortCompact out{facts.chain_id, facts.height, facts.reveal, {}, std::move(cell.siblings), {}};
    const auto data = cell.cell(0);
    std::copy(data.begin(), data.end(), out.cell.bytes.begin());
    const Link own =
        link_hash(network_id, {facts.chain_id, facts.height, facts.block_hash, facts.anchor,
                               facts.link_before, draw.e, opening_root(openings)});
    if (own != link || opening_hash(draw.e, draw.where[j], out.cell) != openings[j]) {
        return fail(ErrorCode::kCorrupt, "no longer gives the link that was signed for height " +
                                             std::to_string(facts.height.value));
    }
    const std::vector<Digest> up = opening_path(openings, j);
    std::copy(up.begin(), up.end(), out.opening_path.begin());
    return out;
}

}  // namespace holdfast
