#include "transport/limits.hpp"

#include <algorithm>
#include <iterator>

namespace holdfast {
namespace {

constexpr std::uint64_t kNsPerSecond = 1'000'000'000;

}  // namespace

// Spec 13, messages: waits before dialling again.
std::uint32_t Backoff::next_ms(std::uint64_t random) {
    const std::uint32_t step = step_ms_;
    step_ms_ = static_cast<std::uint32_t>(std::min<std::uint64_t>(max_ms_, 2ULL * step));
    const std::uint32_t half = step / 2;
    return half + static_cast<std::uint32_t>(random % (step - half + 1ULL));
}

void RateBucket::refill(std::uint64_t now_ns) {
    if (!started_ || now_ns < filled_ns_) {
        started_ = true;
        filled_ns_ = now_ns;
        return;
    }
    // A bucket that is left alone is full after the time in which its whole debt runs in.
    const std::uint64_t missing =
        static_cast<std::uint64_t>(static_cast<std::int64_t>(burst_) - level_);
    const std::uint64_t elapsed_ns = now_ns - filled_ns_;
    const std::uint64_t seconds = elapsed_ns / kNsPerSecond;
    if (per_second_ == 0) return;
    if (seconds > missing / per_second_) {
        level_ = static_cast<std::int64_t>(burst_);
        filled_ns_ = now_ns;
        return;
    }
    const std::uint64_t gained =
        seconds * per_second_ + (elapsed_ns % kNsPerSecond) * per_second_ / kNsPerSecond;
    if (gained == 0) return;  // what is less than one is not lost: the time stays
    level_ = static_cast<std::int64_t>(burst_) -
             static_cast<std::int64_t>(missing - std::min(missing, gained));
    filled_ns_ = now_ns;
}

void RateBucket::take(std::uint64_t amount, std::uint64_t now_ns) {
    refill(now_ns);
    level_ -= static_cast<std::int64_t>(amount);
}

std::uint64_t RateBucket::wait_ns(std::uint64_t now_ns) {
    refill(now_ns);
    if (level_ >= 0) return 0;
    const std::uint64_t owed = static_cast<std::uint64_t>(-level_);
    return owed / per_second_ * kNsPerSecond +
           (owed % per_second_ * kNsPerSecond + per_second_ - 1) / per_second_;
}

Source source_of_v4(const std::array<std::uint8_t, 4>& address) {
    Source out;
    std::copy(address.begin(), address.end(), out.bytes.begin());
    out.width = 4;
    return out;
}

Source source_of_v6(const std::array<std::uint8_t, 16>& address) {
    constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (std::equal(kMapped.begin(), kMapped.end(), address.begin())) {
        return source_of_v4({address[12], address[13], address[14], address[15]});
    }
    Source out;
    std::copy_n(address.begin(), out.bytes.size(), out.bytes.begin());
    out.width = 8;
    out.v6 = true;
    return out;
}

Source network_of(const Source& source) {
    Source out = source;
    out.width = source.v6 ? 6 : 3;
    std::fill(out.bytes.begin() + out.width, out.bytes.end(), std::uint8_t{0});
    return out;
}

bool SourceBuckets::take(const Source& source, std::uint64_t now_ns) {
    const auto known = buckets_.find(source);
    if (known == buckets_.end()) {
        if (buckets_.size() >= most_) {
            buckets_.erase(order_.front());
            order_.pop_front();
        }
        order_.push_back(source);
        Entry entry{RateBucket(per_second_, burst_ - 1), std::prev(order_.end())};
        entry.bucket.take(1, now_ns);
        buckets_.emplace(source, std::move(entry));
        return true;
    }
    Entry& entry = known->second;
    order_.splice(order_.end(), order_, entry.place);
    if (entry.bucket.wait_ns(now_ns) > 0) return false;
    entry.bucket.take(1, now_ns);
    return true;
}

// Spec 13, messages: the newest 1,024 numbers.
ReplayWindow::Seen ReplayWindow::see(std::uint64_t number) {
    if (number == UINT64_MAX) return Seen::kStale;  // has none above it
    if (number >= next_) {
        const std::uint64_t steps = number - next_ + 1;
        if (steps >= kNumbers) {
            seen_.reset();
        } else {
            seen_ <<= steps;
        }
        next_ = number + 1;
        seen_.set(0);
        return Seen::kNew;
    }
    const std::uint64_t back = next_ - 1 - number;
    if (back >= kNumbers) return Seen::kStale;
    if (seen_.test(back)) return Seen::kDuplicate;
    seen_.set(back);
    return Seen::kNew;
}

}  // namespace holdfast
