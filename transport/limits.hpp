// What keeps the transport within bounds: waits before dialling again, rates, numbers seen.
//
// Plain state machines: time and randomness are handed in, nothing waits or allocates beyond what
// is said. One thread at a time for each object.
#pragma once

#include <algorithm>
#include <array>
#include <bitset>
#include <compare>
#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <utility>

namespace holdfast {

/// Exponential backoff: each wait lies between half of a step and the whole, the step doubles up
/// to a most. Spec section 13.
class Backoff {
  public:
    Backoff(std::uint32_t first_ms, std::uint32_t max_ms)
        : first_ms_(first_ms), max_ms_(max_ms), step_ms_(first_ms) {}
    /// The next wait in milliseconds; `random` is any 64 random bits.
    [[nodiscard]] std::uint32_t next_ms(std::uint64_t random);
    void reset() { step_ms_ = first_ms_; }
    /// The next step is the longest: for a peer that refuses us.
    void exhaust() { step_ms_ = max_ms_; }

  private:
    std::uint32_t first_ms_;
    std::uint32_t max_ms_;
    std::uint32_t step_ms_;
};

/// So much a second, and at most a second's worth (or `burst`) at once.
class RateBucket {
  public:
    RateBucket(std::uint64_t per_second, std::uint64_t burst)
        : per_second_(per_second), burst_(burst), level_(static_cast<std::int64_t>(burst)) {}
    /// Takes `amount`, also beyond what is there: the debt is then waited for.
    void take(std::uint64_t amount, std::uint64_t now_ns);
    /// How long until nothing is owed; 0: go on.
    [[nodiscard]] std::uint64_t wait_ns(std::uint64_t now_ns);

  private:
    void refill(std::uint64_t now_ns);

    std::uint64_t per_second_;
    std::uint64_t burst_;
    std::int64_t level_;
    std::uint64_t filled_ns_ = 0;
    bool started_ = false;
};

/// Where a connection comes from, as far as ceilings tell places apart: the leading bytes of an
/// address and how many they are. An IPv4 address has 4 of them, its /24 has 3; an IPv6 host has a
/// whole /64 to choose from, so that 8 stand for it, and 6 (/48) for the network around it.
struct Source {
    std::array<std::uint8_t, 8> bytes{};
    std::uint8_t width = 0;
    bool v6 = false;
    friend auto operator<=>(const Source&, const Source&) = default;
};
/// Of an address as the socket has it; an IPv4 address within IPv6 counts as IPv4.
[[nodiscard]] Source source_of_v4(const std::array<std::uint8_t, 4>& address);
[[nodiscard]] Source source_of_v6(const std::array<std::uint8_t, 16>& address);
/// The /24 or /48 that it is in.
[[nodiscard]] Source network_of(const Source& source);

/// A bucket for each of the sources seen last: at most `most` of them, whoever comes. The one that
/// came longest ago is forgotten for a newcomer, which costs about 150 bytes.
class SourceBuckets {
  public:
    SourceBuckets(std::uint64_t per_second, std::uint64_t burst, std::size_t most)
        : per_second_(per_second), burst_(burst), most_(most) {}
    /// Whether one more may come from there now; it is then counted.
    [[nodiscard]] bool take(const Source& source, std::uint64_t now_ns);
    [[nodiscard]] std::size_t size() const { return buckets_.size(); }

  private:
    struct Entry {
        RateBucket bucket;
        std::list<Source>::iterator place;  // in order_
    };
    std::uint64_t per_second_;
    std::uint64_t burst_;
    std::size_t most_;
    std::map<Source, Entry> buckets_;
    std::list<Source> order_;  // the one that came longest ago first
};

/// What has been begun and not finished, by where it comes from. Of whom there is most gives way
/// first, so that nobody's beginnings push out those of others.
template <class T>
class Unfinished {
  public:
    void add(const Source& source, T item) {
        Network& network = networks_[network_of(source)];
        network.sources[source].push_back(std::move(item));
        ++network.count;
        ++count_;
    }
    /// Nothing where it is not there.
    void remove(const Source& source, const T& item) {
        const auto network = networks_.find(network_of(source));
        if (network == networks_.end()) return;
        const auto from_there = network->second.sources.find(source);
        if (from_there == network->second.sources.end()) return;
        if (std::erase(from_there->second, item) == 0) return;
        --count_;
        if (from_there->second.empty()) network->second.sources.erase(from_there);
        if (--network->second.count == 0) networks_.erase(network);
    }
    [[nodiscard]] std::size_t size() const { return count_; }
    /// The oldest of the source with most, within the network with most. Only where size() > 0.
    [[nodiscard]] T first_to_go() const {
        const auto network = std::max_element(
            networks_.begin(), networks_.end(),
            [](const auto& a, const auto& b) { return a.second.count < b.second.count; });
        const auto source = std::max_element(
            network->second.sources.begin(), network->second.sources.end(),
            [](const auto& a, const auto& b) { return a.second.size() < b.second.size(); });
        return source->second.front();
    }

  private:
    struct Network {
        std::size_t count = 0;
        std::map<Source, std::deque<T>> sources;  // oldest first
    };
    std::size_t count_ = 0;
    std::map<Source, Network> networks_;
};

/// Which of a sender's message numbers have been seen: exactly for the newest kNumbers, and
/// nothing below them is new. 136 bytes, whatever arrives.
class ReplayWindow {
  public:
    static constexpr std::uint64_t kNumbers = 1'024;
    enum class Seen { kNew, kDuplicate, kStale };
    /// Records the number.
    [[nodiscard]] Seen see(std::uint64_t number);

  private:
    std::uint64_t next_ = 0;      // one above the highest seen
    std::bitset<kNumbers> seen_;  // bit i: number next_ - 1 - i
};

}  // namespace holdfast
