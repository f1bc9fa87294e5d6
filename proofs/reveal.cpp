#include "proofs/reveal.hpp"

#include <algorithm>

#include "core/hash.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t kSpacing = 1'024;
static_assert(kRevealChainLength % kSpacing == 0);

/// a_to from a_from; to <= from.
Reveal walk_down(const NetworkId& network_id, ByteView owner32, std::uint64_t from,
                 std::uint64_t to, Reveal a) {
    for (std::uint64_t i = from; i > to; --i) a = reveal_before(network_id, owner32, i, a);
    return a;
}

/// Writes that the compiler may not leave out.
void wipe(Reveal& a) {
    volatile std::uint8_t* bytes = a.data();
    for (std::size_t i = 0; i < a.size(); ++i) bytes[i] = 0;
}

}  // namespace

// Spec 5, reveal chains: a_{i-1}.
Reveal reveal_before(const NetworkId& network_id, ByteView owner32, std::uint64_t i,
                     const Reveal& a_i) {
    HOLDFAST_CHECK(owner32.size() == kDigestBytes && i >= 1);
    return Reveal(tagged_hash("reveal", network_id, owner32, i, a_i));
}

// Spec 5: i = h - base, at most 2^20.
Checked<std::uint64_t> reveal_index(Height base, Height height) {
    const std::uint64_t i = height.since(base);
    if (height < base || i > kRevealChainLength) return refuse(Reason::kRevealExhausted);
    return i;
}

// Spec 5: hashed down from the later to the earlier, within the limit.
Verdict check_reveal(const NetworkId& network_id, ByteView owner32, const KnownReveal& known,
                     std::uint64_t i, const Reveal& reveal, std::uint64_t limit) {
    if (i > kRevealChainLength) return Reason::kRevealExhausted;
    const bool later = i >= known.i;
    const KnownReveal from = later ? KnownReveal{i, reveal} : known;
    const KnownReveal to = later ? known : KnownReveal{i, reveal};
    if (from.i - to.i > limit) return Reason::kRevealTooFar;
    const Reveal reached = walk_down(network_id, owner32, from.i, to.i, from.a);
    return reached == to.a ? Reason::kOk : Reason::kBadReveal;
}

std::vector<Verdict> check_reveals(const NetworkId& network_id, ByteView owner32,
                                   const KnownReveal& known, std::span<const KnownReveal> elements,
                                   std::uint64_t limit, std::uint64_t& hashes) {
    std::vector<Verdict> out(elements.size());
    std::vector<std::size_t> later;  // those whose walk down ends at the known one, latest first
    for (std::size_t k = 0; k < elements.size(); ++k) {
        const auto& [i, a] = elements[k];
        if (i > known.i && i <= kRevealChainLength && i - known.i <= limit) {
            later.push_back(k);
        } else {
            out[k] = check_reveal(network_id, owner32, known, i, a, limit);
            if (i <= known.i && known.i - i <= limit) hashes += known.i - i;
        }
    }
    std::sort(later.begin(), later.end(),
              [&](std::size_t a, std::size_t b) { return elements[a].i > elements[b].i; });
    // A walk that reaches the known element has shown every element that it met; one that does not
    // has shown nothing but that its own first element is wrong.
    while (!later.empty()) {
        const std::size_t first = later.front();
        std::vector<std::size_t> left;
        std::vector<std::size_t> met{first};
        KnownReveal at = elements[first];
        for (auto next = later.begin() + 1; next != later.end(); ++next) {
            const KnownReveal& element = elements[*next];
            at.a = walk_down(network_id, owner32, at.i, element.i, at.a);
            at.i = element.i;
            (at.a == element.a ? met : left).push_back(*next);
        }
        at.a = walk_down(network_id, owner32, at.i, known.i, at.a);
        hashes += elements[first].i - known.i;
        if (at.a != known.a) {
            out[first] = Reason::kBadReveal;
            later.erase(later.begin());
            continue;
        }
        for (const std::size_t k : met) out[k] = Reason::kOk;
        later = std::move(left);
    }
    return out;
}

// Spec 5, bare steps.
Bytes RevealStep::encode() const {
    Writer w(2 * kDigestBytes + 8);
    w.fixed(owner).u64(i).fixed(a);
    return w.take();
}

Checked<RevealStep> RevealStep::decode(ByteView bytes) {
    Reader r(bytes);
    RevealStep step;
    step.owner = r.fixed<Digest>();
    step.i = r.u64();
    if (step.i > kRevealChainLength) r.refuse(Reason::kRevealExhausted);
    step.a = r.fixed<Reveal>();
    if (const Verdict v = r.finish(); !v) return refuse(v);
    return step;
}

// Spec 5: the end of the chain.
Result<Reveal> reveal_end(const NetworkId& network_id, ByteView owner32, Height base,
                          const KeyPair& key) {
    HOLDFAST_CHECK(owner32.size() == kDigestBytes);
    HOLDFAST_ASSIGN(signature,
                    key.sign(view(tagged_hash("reveal/end", network_id, owner32, base))));
    Reveal end;
    std::copy_n(signature.begin(), end.size(), end.bytes.begin());
    return end;
}

RevealChain::RevealChain(const NetworkId& network_id, const Digest& owner, Height base,
                         const Reveal& end)
    : network_id_(network_id), owner_(owner), base_(base), end_(end) {}

Result<RevealChain> RevealChain::make(const NetworkId& network_id, const Digest& owner, Height base,
                                      const KeyPair& key) {
    HOLDFAST_ASSIGN(end, reveal_end(network_id, view(owner), base, key));
    RevealChain chain(network_id, owner, base, end);
    wipe(end);
    return chain;
}

RevealChain::~RevealChain() {
    wipe(end_);
    for (Reveal& a : every_1024th_) wipe(a);
}

void RevealChain::build() {
    if (!every_1024th_.empty()) return;
    every_1024th_.resize(kRevealChainLength / kSpacing + 1);
    every_1024th_.back() = end_;
    for (std::size_t k = every_1024th_.size() - 1; k > 0; --k) {
        every_1024th_[k - 1] = walk_down(network_id_, view(owner_), k * kSpacing,
                                         (k - 1) * kSpacing, every_1024th_[k]);
        hashes_ += kSpacing;
    }
}

Reveal RevealChain::commitment() { return at(0); }

Reveal RevealChain::at(std::uint64_t i) {
    HOLDFAST_CHECK(i <= kRevealChainLength);
    build();
    const auto k = static_cast<std::size_t>(i / kSpacing + (i % kSpacing != 0 ? 1 : 0));
    hashes_ += k * kSpacing - i;
    return walk_down(network_id_, view(owner_), k * kSpacing, i, every_1024th_[k]);
}

Checked<Reveal> RevealChain::at_height(Height height) {
    HOLDFAST_ASSIGN(i, reveal_index(base_, height));
    return at(i);
}

}  // namespace holdfast
