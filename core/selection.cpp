#include "core/selection.hpp"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "core/codec.hpp"
#include "core/hash.hpp"

namespace holdfast {
namespace {

__extension__ using Product = unsigned __int128;

/// The stream of u64 words that one draw of indices consumes.
class Words {
  public:
    Words(const Digest& e, std::uint64_t n, std::uint32_t k) : e_(e), n_(n), k_(k) {}

    std::uint64_t next() {
        if (used_ == kWordsPerDigest) {
            block_ = tagged_hash("select/2", e_, n_, k_, counter_++);
            used_ = 0;
        }
        return load_le64(block_.data() + 8 * used_++);
    }

    /// Uniform below m by multiplication, rejecting the words that would favour small results.
    std::uint64_t uniform(std::uint64_t m) {
        Product product = static_cast<Product>(next()) * m;
        if (static_cast<std::uint64_t>(product) < m) {
            const std::uint64_t threshold = (0 - m) % m;  // (2^64 - m) mod m
            while (static_cast<std::uint64_t>(product) < threshold) {
                product = static_cast<Product>(next()) * m;
            }
        }
        return static_cast<std::uint64_t>(product >> 64);
    }

  private:
    static constexpr std::size_t kWordsPerDigest = kDigestBytes / 8;
    Digest e_;
    std::uint64_t n_;
    std::uint32_t k_;
    std::uint32_t counter_ = 0;
    Digest block_;
    std::size_t used_ = kWordsPerDigest;
};

/// The identity on 0..n-1 with the few places that differ from it.
class SparsePermutation {
  public:
    explicit SparsePermutation(std::size_t expected_swaps) { moved_.reserve(expected_swaps); }
    [[nodiscard]] std::uint64_t at(std::uint64_t i) const {
        const auto found = moved_.find(i);
        return found == moved_.end() ? i : found->second;
    }
    void put(std::uint64_t i, std::uint64_t value) { moved_[i] = value; }

  private:
    std::unordered_map<std::uint64_t, std::uint64_t> moved_;
};

}  // namespace

// Spec 4.1: the first k places of a Fisher-Yates shuffle.
Checked<std::vector<std::uint64_t>> select_v2(const Digest& e, std::uint64_t n,
                                              std::uint64_t count) {
    if (n < 1 || n > kMaxSelectionRange) return refuse(Reason::kBadField);
    const std::uint64_t k = std::min(count, n);
    if (k > UINT32_MAX) return refuse(Reason::kTooLarge);

    Words words(e, n, static_cast<std::uint32_t>(k));
    SparsePermutation a(static_cast<std::size_t>(k));
    std::vector<std::uint64_t> selected;
    selected.reserve(static_cast<std::size_t>(k));
    for (std::uint64_t j = 0; j < k; ++j) {
        const std::uint64_t r = j + words.uniform(n - j);
        selected.push_back(a.at(r));
        a.put(r, a.at(j));  // place j is never looked at again
    }
    return selected;
}

// Spec 4.1.
std::uint8_t cell_in_chunk(const Digest& e, std::uint32_t j) {
    return tagged_hash("select/cell", e, j)[0] & 15;
}

namespace {

// Spec 4.2.
std::uint64_t draw_v1(const BlockHash& block_hash, std::uint32_t slot, std::uint32_t attempt,
                      std::uint64_t n) {
    std::array<std::uint8_t, kDigestBytes + 8> message{};
    std::copy(block_hash.begin(), block_hash.end(), message.begin());
    for (unsigned i = 0; i < 4; ++i) {  // big-endian, unlike everything else
        message[kDigestBytes + i] = static_cast<std::uint8_t>(slot >> (24 - 8 * i));
        message[kDigestBytes + 4 + i] = static_cast<std::uint8_t>(attempt >> (24 - 8 * i));
    }
    const Digest x = sha256(message);
    std::uint64_t value = 0;
    for (unsigned i = 0; i < 8; ++i) value = value << 8 | x[i];
    return value % n;
}

}  // namespace

// Spec 4.2.
Checked<std::vector<std::uint64_t>> select_v1(const BlockHash& block_hash, std::uint64_t n) {
    if (n < kChunksPerLinkV1) return refuse(Reason::kBadField);
    constexpr std::uint32_t kAttempts = 16;
    std::vector<std::uint64_t> selected;
    const auto taken = [&](std::uint64_t index) {
        return std::find(selected.begin(), selected.end(), index) != selected.end();
    };
    for (std::uint32_t slot = 0; slot < kChunksPerLinkV1; ++slot) {
        std::uint64_t index = 0;
        std::uint32_t attempt = 0;
        for (; attempt < kAttempts; ++attempt) {
            index = draw_v1(block_hash, slot, attempt, n);
            if (!taken(index)) break;
        }
        if (attempt == kAttempts) {
            for (index = 0; taken(index);) ++index;
        }
        selected.push_back(index);
    }
    return selected;
}

}  // namespace holdfast
