#include "node/recent_entries.hpp"

#include <algorithm>

#include "proofs/journal.hpp"

namespace holdfast::node {
namespace {

constexpr std::size_t kReadAtOnce = 4'096;

}  // namespace

void RecentEntries::add(const Digest& hash) {
    const std::uint64_t place = next_ % kept_;
    if (place < ring_.size()) {
        const auto old = numbers_.find(ring_[place]);
        if (old != numbers_.end() && old->second + kept_ == next_) numbers_.erase(old);
        ring_[place] = hash;
    } else {
        ring_.resize(place + 1);
        ring_[place] = hash;
    }
    numbers_[hash] = next_++;
}

Status RecentEntries::catch_up() {
    if (!begun_) {
        HOLDFAST_ASSIGN(size, registry_.journal());
        next_ = std::max(size.origin, size.entries - std::min(size.entries, kept_));
        begun_ = true;
    }
    for (;;) {
        HOLDFAST_ASSIGN(hashes, registry_.entry_digests(next_, kReadAtOnce));
        for (const Digest& hash : hashes) add(hash);
        if (hashes.size() < kReadAtOnce) return {};
    }
}

Result<std::optional<std::uint64_t>> RecentEntries::find(ByteView object) {
    const Digest hash = entry_hash(encode_entry(ObjectEntry{{object.begin(), object.end()}}));
    const std::lock_guard lock(mutex_);
    HOLDFAST_TRY(catch_up());
    const auto found = numbers_.find(hash);
    if (found == numbers_.end()) return std::optional<std::uint64_t>();
    return std::optional(found->second);
}

}  // namespace holdfast::node
