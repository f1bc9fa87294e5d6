#include "follow/public_client.hpp"

#include <algorithm>

namespace holdfast {
namespace {

constexpr std::size_t kMostUpdates = 65'536;  // of one chain: at most one in seal_delay heights

tl::unexpected<Error> wrong(Reason reason) { return fail_refused(reason, kFollowedNode); }

}  // namespace

template <class T>
Result<T> PublicClient::ask_for(const PublicQuestion& question) const {
    Result<FollowAnswer> answer = ask_node(request_, encode_question(question));
    if (!answer) return fail(answer.error());
    if (auto* data = std::get_if<PublicAnswer>(&*answer)) {
        if (T* wanted = std::get_if<T>(data)) return std::move(*wanted);
        return wrong(Reason::kBadKind);
    }
    const auto* refused = std::get_if<FollowRefused>(&*answer);
    if (refused != nullptr && refused->reason == Reason::kBusy) {
        return fail(ErrorCode::kUnavailable,
                    "the chain's prover is not connected to the node, or does not answer it");
    }
    if (refused != nullptr && refused->reason == Reason::kBadKind) {  // no lie
        return fail(ErrorCode::kUnavailable, "the node does not hand this out");
    }
    return fail(not_answered(*answer));
}

Result<FollowTip> PublicClient::tip() const {
    return ask_node_for<FollowTip>(request_, TipQuestion{});
}

Result<std::vector<PublicHeightFacts>> PublicClient::heights(Height first, Height last) const {
    std::vector<PublicHeightFacts> out;
    for (Height next = first; next <= last; next = out.back().block.height + 1) {
        const std::uint64_t left = last.since(next) + 1;
        const auto count =
            static_cast<std::uint32_t>(std::min<std::uint64_t>(left, kMaxHeightsPage));
        HOLDFAST_ASSIGN(page, ask_for<PublicHeights>(HeightsQuestion{next, count}));
        // A page that is empty, longer than asked for, or of other heights leads nowhere.
        if (page.heights.empty() || page.heights.size() > count) return wrong(Reason::kBadIndex);
        if (page.heights.front().block.height != next) return wrong(Reason::kWrongHeight);
        out.insert(out.end(), page.heights.begin(), page.heights.end());
        if (!page.more) break;
    }
    return out;
}

Result<PublicChainFacts> PublicClient::chain(ChainQuestion::By by, const Digest& id) const {
    HOLDFAST_ASSIGN(out, ask_for<PublicChainFacts>(ChainQuestion{by, id, 0}));
    if (out.first != 0) return wrong(Reason::kBadIndex);
    while (out.more) {
        const auto first = static_cast<std::uint32_t>(out.updates.size());
        HOLDFAST_ASSIGN(page, ask_for<PublicChainFacts>(ChainQuestion{by, id, first}));
        const bool fits =
            page.first == first && !page.updates.empty() && page.registration == out.registration &&
            out.updates.size() + page.updates.size() <= kMostUpdates &&
            (out.updates.empty() || out.updates.back().sequence < page.updates.front().sequence);
        if (!fits) return wrong(Reason::kBadIndex);
        out.updates.insert(out.updates.end(), page.updates.begin(), page.updates.end());
        out.reveals.insert(out.reveals.end(), page.reveals.begin(), page.reveals.end());
        out.more = page.more;
    }
    return out;
}

Result<PathProof> PublicClient::path(const ChainId& chain_id, Height height) const {
    HOLDFAST_ASSIGN(out, ask_for<PublicPath>(PathQuestion{chain_id, height}));
    if (out.height != height) return wrong(Reason::kWrongHeight);
    if (out.path.leaf.chain_id != chain_id) return wrong(Reason::kWrongChain);
    return std::move(out.path);
}

Result<PublicHead> PublicClient::head(Height height, std::uint64_t older) const {
    HOLDFAST_ASSIGN(out, ask_for<PublicHead>(HeadQuestion{height, older}));
    if (out.head.height != height) return wrong(Reason::kWrongHeight);
    return out;
}

Result<AnyProof> PublicClient::link_proof(const ChainId& chain_id, Height height) const {
    Result<PublicLinkProof> said = ask_for<PublicLinkProof>(LinkProofQuestion{chain_id, height});
    if (!said && said.error().code == ErrorCode::kNotFound) {
        return fail(ErrorCode::kNotFound,
                    said.error().message +
                        " (or the chain's prover, which proves the links that it has on record)");
    }
    if (!said) return fail(said.error());
    PublicLinkProof out = std::move(*said);
    if (chain_of(out.proof) != chain_id) return wrong(Reason::kWrongChain);
    if (receipt_of(out.proof).height != height) return wrong(Reason::kWrongHeight);
    return std::move(out.proof);
}

Result<PublicSegments> PublicClient::segments(Height height,
                                              std::vector<std::uint32_t> segments) const {
    HOLDFAST_ASSIGN(out, ask_for<PublicSegments>(SegmentsQuestion{height, segments}));
    const bool same =
        std::equal(out.segments.begin(), out.segments.end(), segments.begin(), segments.end(),
                   [](const VdfSegment& s, std::uint32_t i) { return s.i == i; });
    if (!same) return wrong(Reason::kBadIndex);
    if (out.start.height != height || out.output.height != height) {
        return wrong(Reason::kWrongHeight);
    }
    return out;
}

Result<FollowOutput> PublicClient::output(Height height) const {
    Result<FollowOutput> out = ask_node_for<FollowOutput>(request_, OutputQuestion{height});
    if (out && out->block.height != height) return wrong(Reason::kWrongHeight);
    return out;
}

}  // namespace holdfast
