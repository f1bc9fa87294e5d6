#include "callbacks/cache.hpp"

#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "callbacks/answer_codec_impl.hpp"

namespace holdfast {
namespace {

/// What a kept entry costs beside its bytes, about.
constexpr std::uint64_t kEntryBytes = 160;

using Key = std::pair<HostFunction, Bytes>;

struct Entry {
    Key key;
    Bytes answer;
};

class Cache final : public CallCache {
  public:
    explicit Cache(const CallCacheOptions& options) : options_(options) {}

    Result<Bytes> around(const HostCall& call, const Next& next) override {
        if (!ever_kept(call.function)) return next();
        const Key key(call.function, call.arguments);
        if (std::optional<Bytes> kept = find(key)) return std::move(*kept);
        Result<Bytes> answer = next();
        if (answer && fixed_for_good(call, *answer)) keep(key, *answer);
        if (!answer && call.function == HostFunction::kBeaconVerify) forget_round(call);
        return answer;
    }

    Statistics statistics() const override {
        const std::scoped_lock lock(mutex_);
        Statistics out = counts_;
        out.entries = entries_.size();
        return out;
    }

  private:
    using Position = std::list<Entry>::iterator;

    static bool ever_kept(HostFunction function) {
        return function == HostFunction::kBlockByHeight ||
               function == HostFunction::kSubmissionsAt ||
               function == HostFunction::kBondEventsAt ||
               function == HostFunction::kBeaconRandomness ||
               function == HostFunction::kBeaconVerify;
    }

    bool fixed_for_good(const HostCall& call, ByteView answer) {
        if (call.function == HostFunction::kBlockByHeight) return is_final_block(answer);
        if (call.function != HostFunction::kSubmissionsAt &&
            call.function != HostFunction::kBondEventsAt) {
            return true;
        }
        // Both functions have the height as their one argument.
        const std::scoped_lock lock(mutex_);
        return index_.contains(Key(HostFunction::kBlockByHeight, call.arguments));
    }

    std::optional<Bytes> find(const Key& key) {
        const std::scoped_lock lock(mutex_);
        const auto found = index_.find(key);
        if (found == index_.end()) {
            ++counts_.misses;
            return std::nullopt;
        }
        ++counts_.hits;
        entries_.splice(entries_.begin(), entries_, found->second);
        return found->second->answer;
    }

    static std::uint64_t cost(const Entry& entry) {
        return kEntryBytes + 2 * entry.key.second.size() + entry.answer.size();
    }

    void keep(const Key& key, const Bytes& answer) {
        const std::scoped_lock lock(mutex_);
        Entry entry{key, answer};
        if (cost(entry) > options_.max_bytes || index_.contains(key)) return;
        while (counts_.bytes + cost(entry) > options_.max_bytes) drop(std::prev(entries_.end()));
        counts_.bytes += cost(entry);
        entries_.push_front(std::move(entry));
        index_.emplace(key, entries_.begin());
    }

    void drop(Position position) {
        counts_.bytes -= cost(*position);
        index_.erase(position->key);
        entries_.erase(position);
    }

    /// The arguments of a check begin with those of the question: the round's number.
    void forget_round(const HostCall& check) {
        const std::scoped_lock lock(mutex_);
        const Bytes round(check.arguments.begin(), check.arguments.begin() + 8);
        const auto found = index_.find(Key(HostFunction::kBeaconRandomness, round));
        if (found != index_.end()) drop(found->second);
    }

    const CallCacheOptions options_;
    mutable std::mutex mutex_;
    std::list<Entry> entries_;  // the most recently used first
    std::map<Key, Position> index_;
    Statistics counts_;
};

}  // namespace

std::shared_ptr<CallCache> make_call_cache(const CallCacheOptions& options) {
    return std::make_shared<Cache>(options);
}

}  // namespace holdfast
