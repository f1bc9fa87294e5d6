#include "api/light_node.hpp"

#include <algorithm>

#include "proofs/digests.hpp"

namespace holdfast {
namespace {

std::string of_height(std::string_view what, Height height) {
    return std::string(what) + " of height " + std::to_string(height.value);
}

PublicHeight as_public(const PublicHeightFacts& said) {
    return {said.block, said.beacon, said.y, said.global};
}

}  // namespace

LightNodeView::LightNodeView(std::string name, FollowRequest ask, const PublicRecord& base,
                             const std::set<Height>& vouched,
                             const std::optional<JournalHead>& newest)
    : name_(std::move(name)),
      client_(std::move(ask)),
      record_(base),
      vouched_(vouched),
      newest_(newest) {}

bool LightNodeView::knows(Height height) const {
    const auto found = record_.heights().find(height);
    return found != record_.heights().end() && found->second.global.has_value();
}

// Spec 10.2; the digest before the network's first is made of its id.
Status LightNodeView::check_digest(const PublicHeightFacts& said) {
    const Height height = said.block.height;
    if (!said.global || !said.parts) return {};
    std::optional<GlobalDigest> previous;
    if (height == record_.params().genesis_height) {
        previous = genesis_global(record_.network_id());
    } else if (const auto before = record_.heights().find(height - 1);
               before != record_.heights().end()) {
        previous = before->second.global;
    }
    if (!previous) return {};
    const GlobalHeader header{height,    said.block.hash,     said.y.value_or(VdfOutput{}),
                              *previous, said.parts->regions, said.parts->total_chains};
    if (global_digest(record_.network_id(), header, said.parts->regions_root) != *said.global) {
        return fail_refused(Reason::kGlobalMismatch, of_height("the digest", height));
    }
    covered_.insert_or_assign(height, *said.parts);
    return {};
}

/// Nothing is used that contradicts what was said before, here or by whoever made the cache.
Status LightNodeView::take(const PublicHeightFacts& said) {
    const Height height = said.block.height;
    const auto& heights = record_.heights();
    if (const auto known = heights.find(height); known != heights.end()) {
        const PublicHeight& was = known->second;
        if (was.block.hash != said.block.hash || was.block.parent != said.block.parent ||
            was.block.time_ms != said.block.time_ms) {
            return fail_refused(Reason::kWrongBlock, of_height("the block", height));
        }
        if (was.y && said.y != was.y) {
            return fail_refused(Reason::kWrongOutput, of_height("y", height));
        }
        if (was.global && said.global != was.global) {
            return fail_refused(Reason::kGlobalMismatch, of_height("the digest", height));
        }
    }
    const auto before = heights.find(height - 1);
    if (before != heights.end() && height.value > 0 &&
        before->second.block.hash != said.block.parent) {
        return fail_refused(Reason::kWrongBlock, of_height("the block before that", height));
    }
    const auto after = heights.find(height + 1);
    if (after != heights.end() && after->second.block.parent != said.block.hash) {
        return fail_refused(Reason::kWrongBlock, of_height("the block", height));
    }
    HOLDFAST_TRY(check_digest(said));
    record_.set_height(as_public(said));
    return {};
}

// Spec 15.5: each head's journal goes on from the one before it.
Status LightNodeView::check_journal(const JournalHead& head) {
    if (!newest_ || newest_->height == head.height) {
        if (newest_ && *newest_ != head) {
            return fail_refused(Reason::kEvidenceOrder,
                                of_height("a second head of the operator,", head.height));
        }
        newest_ = head;
        return {};
    }
    const bool newer = newest_->size <= head.size;
    const JournalHead& older = newer ? *newest_ : head;
    const JournalHead& later = newer ? head : *newest_;
    HOLDFAST_ASSIGN(said, client_.head(later.height, older.size));
    if (said.head != later) {
        return fail_refused(Reason::kEvidenceOrder,
                            of_height("a second head of the operator,", later.height));
    }
    if (const Verdict v = check_extension(older, later, said.consistency); !v) {
        return fail_refused(v, "the journal under the heads of heights " +
                                   std::to_string(older.height.value) + " and " +
                                   std::to_string(later.height.value));
    }
    if (newer) newest_ = head;
    return {};
}

Status LightNodeView::take_head(Height height) {
    HOLDFAST_ASSIGN(said, client_.head(height, 0));
    if (const Verdict v = check_head(record_.params(), record_.network_id(), said.head); !v) {
        return fail_refused(v, of_height("the operator's head", height));
    }
    const PublicHeight& facts = record_.heights().at(height);
    if (said.head.block_hash != facts.block.hash) {
        return fail_refused(Reason::kWrongBlock, of_height("the block", height));
    }
    if (said.head.global != *facts.global) {
        return fail_refused(Reason::kGlobalMismatch, of_height("the digest", height));
    }
    HOLDFAST_TRY(check_journal(said.head));
    heads_.insert_or_assign(height, said.head);
    vouched_.insert(height);
    return {};
}

// Spec 15.5: behind a take-over heights are without a head for ever; the next that has one covers
// them, digest by digest.
Status LightNodeView::take_covering_head(Height height) {
    const Status own = take_head(height);
    if (own || own.error().code != ErrorCode::kNotFound) return own;
    for (Height h = height + 1; h <= height + kMostHeadless; h = h + 1) {
        if (!covered_.contains(h)) {
            const auto said = client_.heights(h, height + kMostHeadless);
            if (!said && said.error().code == ErrorCode::kNotFound) return own;
            if (!said) return fail(said.error());
            for (const PublicHeightFacts& one : *said) HOLDFAST_TRY(take(one));
            if (!covered_.contains(h)) return own;  // open still: a head may come
        }
        const Status head = take_head(h);
        if (!head && head.error().code == ErrorCode::kNotFound) continue;
        HOLDFAST_TRY(head);
        for (Height back = height; back < h; back = back + 1) vouched_.insert(back);
        return {};
    }
    return own;
}

/// A digest that the operator has signed covers the one before it.
Status LightNodeView::vouch(Height first, Height last) {
    if (!record_.params().has_operator()) return {};
    for (Height h = last;; h = h - 1) {
        if (knows(h)) {
            const bool led_to = vouched_.contains(h + 1) && covered_.contains(h + 1);
            if (led_to) vouched_.insert(h);
            if (!vouched_.contains(h)) HOLDFAST_TRY(take_covering_head(h));
        }
        if (h == first) return {};
    }
}

Status LightNodeView::need(Height first, Height last) {
    bool all = true;
    for (Height h = first; h <= last; ++h) {
        all = all && knows(h) && (!record_.params().has_operator() || vouched_.contains(h));
    }
    if (all) return {};
    HOLDFAST_ASSIGN(said, client_.heights(first, last));
    for (const PublicHeightFacts& one : said) HOLDFAST_TRY(take(one));
    if (said.back().block.height < last) {
        return fail(ErrorCode::kNotFound,
                    name_ + " has no final block of height " + std::to_string(last.value) + " yet");
    }
    return vouch(first, last);
}

Result<PublicHeight> LightNodeView::height(Height height) {
    const bool first = height == record_.params().genesis_height;
    HOLDFAST_TRY(need(first ? height : height - 1, height));
    return record_.heights().at(height);
}

Status LightNodeView::need_chain(const ChainId& chain_id) {
    HOLDFAST_ASSIGN(said, client_.chain(ChainQuestion::By::kChain, Digest(chain_id)));
    if (said.registration.chain_id(record_.network_id()) != chain_id) {
        return fail_refused(Reason::kWrongChain, "the registration");
    }
    PublicChain chain{said.registration, said.accepted, said.updates, said.reveals};
    const Result<ChainId> added = record_.add_chain(std::move(chain));
    if (!added) return fail(added.error());
    return {};
}

Result<PathProof> LightNodeView::path(const ChainId& chain_id, Height height) {
    HOLDFAST_TRY(this->height(height));
    HOLDFAST_ASSIGN(path, client_.path(chain_id, height));
    const NetworkParams& params = record_.params();
    // known_height() wants the anchor as well, which a path does not rest on.
    const PublicHeight& facts = record_.heights().at(height);
    KnownHeight known;
    known.height = height;
    known.block_hash = facts.block.hash;
    known.y = facts.y;
    known.global = facts.global;
    known.previous_global = height == params.genesis_height
                                ? std::optional(genesis_global(record_.network_id()))
                                : record_.heights().at(height - 1).global;
    if (const Verdict v = verify_path(params, record_.network_id(), known, path); !v) {
        return fail_refused(v, of_height("the path", height));
    }
    return path;
}

}  // namespace holdfast
