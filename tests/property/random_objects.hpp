// Random values of the formats, and the property that every format has: decode(encode(x)) == x, and
// encode(decode(b)) == b for every b that is accepted.
#pragma once

#include <gtest/gtest.h>

#include <random>

#include "core/merkle.hpp"
#include "proofs/acknowledgement.hpp"
#include "proofs/availability_verify.hpp"
#include "proofs/bundle.hpp"
#include "proofs/checkpoint.hpp"
#include "proofs/evidence_format.hpp"
#include "proofs/formats.hpp"
#include "proofs/journal.hpp"
#include "proofs/registration.hpp"
#include "proofs/reveal.hpp"

namespace holdfast::property {

class Random {
  public:
    explicit Random(std::uint64_t seed) : engine_(seed) {}
    std::uint64_t below(std::uint64_t n) { return engine_() % n; }
    std::uint64_t any() {
        // Small and huge numbers as often as those between.
        const std::uint64_t x = engine_();
        return x >> below(64);
    }
    template <class T>
    T bytes() {
        T out;
        for (std::uint8_t& b : out.bytes) b = static_cast<std::uint8_t>(engine_());
        return out;
    }
    std::vector<Digest> digests(std::size_t count) {
        std::vector<Digest> out(count);
        for (Digest& d : out) d = bytes<Digest>();
        return out;
    }

  private:
    std::mt19937_64 engine_;
};

inline Receipt receipt(Random& r) {
    return {r.bytes<Link>(), Height(r.any()), r.bytes<GlobalDigest>(), r.bytes<Signature>()};
}

inline HierarchyPath path(Random& r) {
    HierarchyPath p;
    const auto place = [&](std::uint32_t& index, std::uint32_t& count) {
        count = static_cast<std::uint32_t>(1 + r.below(1U << r.below(31)));
        index = static_cast<std::uint32_t>(r.below(count));
    };
    place(p.slot, p.slots);
    place(p.group, p.groups);
    place(p.region, p.regions);
    p.active = static_cast<std::uint32_t>(r.any());
    p.region_active = r.any();
    p.total_chains = r.any();
    p.slot_path = r.digests(path_length(p.slots, p.slot));
    p.group_path = r.digests(path_length(p.groups, p.group));
    p.region_path = r.digests(path_length(p.regions, p.region));
    return p;
}

inline ChainStatus status(Random& r) { return static_cast<ChainStatus>(1 + r.below(4)); }

inline PathProof path_proof(Random& r) {
    return {{r.bytes<ChainId>(), r.bytes<Link>(), Height(r.any()), status(r)}, path(r)};
}

inline Compact compact(Random& r) {
    Compact c;
    c.receipt = receipt(r);
    c.chain_id = r.bytes<ChainId>();
    c.link_before = r.bytes<Link>();
    c.reveal = r.bytes<Reveal>();
    c.status = status(r);
    c.path = path(r);
    c.cell = r.bytes<Cell>();
    c.cell_path = r.digests(r.below(25));
    for (Digest& d : c.opening_path) d = r.bytes<Digest>();
    return c;
}

inline Full full(Random& r) {
    Full f;
    f.receipt = receipt(r);
    f.chain_id = r.bytes<ChainId>();
    f.link_before = r.bytes<Link>();
    f.reveal = r.bytes<Reveal>();
    for (Cell& c : f.cells) c = r.bytes<Cell>();
    f.siblings = r.digests(r.below(200));
    return f;
}

inline ProofWindow window(Random& r) {
    ProofWindow w;
    Height height(r.below(1'000));
    for (std::uint64_t n = 1 + r.below(kWindowMaxLinks); n > 0; --n) {
        height = height + (1 + r.below(50));
        AnyProof proof = r.below(2) == 0 ? AnyProof(compact(r)) : AnyProof(full(r));
        std::visit([&](auto& p) { p.receipt.height = height; }, proof);
        w.links.push_back(std::move(proof));
    }
    return w;
}

inline Update update(Random& r) {
    return {r.bytes<ChainId>(), static_cast<std::uint32_t>(r.any()), Height(r.any()),
            r.bytes<Reveal>(), r.bytes<Signature>()};
}

inline Removal removal(Random& r) {
    return {r.bytes<ChainId>(), static_cast<std::uint32_t>(r.any()), Height(r.any()),
            r.bytes<Signature>()};
}

inline Checkpoint checkpoint(Random& r) {
    Checkpoint c;
    c.height = Height(r.any());
    c.block_hash = r.bytes<BlockHash>();
    c.global = r.bytes<GlobalDigest>();
    c.total_chains = r.any();
    c.submitter = r.bytes<PublicKey>();
    c.bond_id = r.bytes<BondId>();
    c.signature = r.bytes<Signature>();
    return c;
}

inline Challenge challenge(Random& r) {
    return {r.bytes<ChainId>(),   Height(r.any()),           r.bytes<BlockHash>(),
            r.bytes<PublicKey>(), r.bytes<ChallengeNonce>(), r.bytes<Signature>()};
}

inline Outcome outcome(Random& r) {
    return {r.bytes<ChallengeId>(),
            r.bytes<Reveal>(),
            static_cast<OutcomeKind>(1 + r.below(4)),
            static_cast<std::uint32_t>(r.any()),
            static_cast<std::uint32_t>(r.any()),
            r.bytes<Signature>()};
}

inline Bundle bundle(Random& r) {
    Bundle b{r.bytes<PublicKey>(), Height(r.any()), r.bytes<GlobalDigest>(), {}, {}};
    b.members.resize(1 + r.below(40));
    for (BundleEntry& m : b.members) m = {r.bytes<ChainId>(), r.bytes<Link>()};
    std::sort(b.members.begin(), b.members.end(),
              [](const BundleEntry& x, const BundleEntry& y) { return x.chain_id < y.chain_id; });
    b.signature = r.bytes<Signature>();
    return b;
}

inline BundledLink bundled_link(Random& r) {
    const auto n = static_cast<std::uint32_t>(1 + r.below(kBundleMaxMembers));
    const auto index = static_cast<std::uint32_t>(r.below(n));
    return {r.bytes<Link>(),
            Height(r.any()),
            r.bytes<GlobalDigest>(),
            n,
            index,
            r.digests(path_length(n, index)),
            r.bytes<Signature>()};
}

inline Member member(Random& r) { return {r.bytes<ChainId>(), bundled_link(r)}; }

inline LinkStatement statement(Random& r) {
    if (r.below(2) == 0) return receipt(r);
    return bundled_link(r);
}

inline ShortCompact short_compact(Random& r) {
    ShortCompact c;
    c.chain_id = r.bytes<ChainId>();
    c.height = Height(r.any());
    c.reveal = r.bytes<Reveal>();
    c.cell = r.bytes<Cell>();
    c.cell_path = r.digests(r.below(25));
    for (Digest& d : c.opening_path) d = r.bytes<Digest>();
    return c;
}

inline ShortFull short_full(Random& r) {
    ShortFull f;
    f.chain_id = r.bytes<ChainId>();
    f.height = Height(r.any());
    f.reveal = r.bytes<Reveal>();
    for (Cell& c : f.cells) c = r.bytes<Cell>();
    f.siblings = r.digests(r.below(200));
    return f;
}

inline Acknowledgement acknowledgement(Random& r) {
    return {r.bytes<PublicKey>(), r.bytes<Digest>(), Height(r.any()), r.bytes<BlockHash>(),
            r.bytes<Signature>()};
}

inline JournalHead head(Random& r) {
    JournalHead h;
    h.operator_key = r.bytes<PublicKey>();
    h.height = Height(r.any());
    h.block_hash = r.bytes<BlockHash>();
    h.global = r.bytes<GlobalDigest>();
    h.state = r.below(2) == 0 ? Digest() : r.bytes<Digest>();
    h.size = r.any();
    h.root = r.bytes<Root>();
    h.signature = r.bytes<Signature>();
    return h;
}

inline Challenge2 challenge2(Random& r) {
    Challenge2 c;
    c.chain_id = r.bytes<ChainId>();
    c.height = Height(r.any());
    c.block_hash = r.bytes<BlockHash>();
    c.y = r.bytes<VdfOutput>();
    c.challenger = r.bytes<PublicKey>();
    c.nonce = r.bytes<ChallengeNonce>();
    c.signature = r.bytes<Signature>();
    return c;
}

inline Outcome2 outcome2(Random& r) {
    Outcome2 o;
    o.id = r.bytes<ChallengeId>();
    o.reveal = r.bytes<Reveal>();
    o.outcome = static_cast<OutcomeKind>(1 + r.below(4));
    o.service_us = static_cast<std::uint32_t>(r.any());
    o.ping_us = static_cast<std::uint32_t>(r.any());
    if (o.has_response()) {
        o.response_hash = r.bytes<Digest>();
        o.response_signature = r.bytes<Signature>();
    }
    o.signature = r.bytes<Signature>();
    return o;
}

inline Evidence evidence(Random& r) {
    switch (r.below(6)) {
        case 4:
            return {
                Equivocation{r.bytes<ChainId>(), r.bytes<BlockHash>(), statement(r), statement(r)}};
        case 5:
            return {HeadConflict{head(r), head(r)}};
        case 0:
            return {Equivocation{r.bytes<ChainId>(), r.bytes<BlockHash>(), receipt(r), receipt(r)}};
        case 1:
            return {CheckpointConflict{checkpoint(r), checkpoint(r)}};
        case 2:
            return {DoubleSlot{checkpoint(r), r.bytes<VdfOutput>(), r.bytes<GlobalDigest>(),
                               path_proof(r), path_proof(r)}};
        default:
            return {FalseEntropy{{r.bytes<ChainId>(), r.bytes<BlockHash>(), receipt(r),
                                  r.bytes<Link>(), r.bytes<Entropy>(), r.bytes<Digest>()},
                                 r.bytes<Reveal>()}};
    }
}

/// Of bytes changed at random places, whatever decodes encodes to the same bytes: no value has two.
template <class T>
void expect_one_encoding(const Bytes& bytes, Random& random) {
    for (int round = 0; round < 30; ++round) {
        Bytes changed = bytes;
        for (std::uint64_t n = 1 + random.below(3); n > 0; --n) {
            changed[random.below(changed.size())] ^=
                static_cast<std::uint8_t>(1U << random.below(8));
        }
        const Checked<T> decoded = T::decode(changed);
        if (decoded) {
            EXPECT_EQ(decoded->encode(), changed);
        }
    }
}

/// `open_ended`: a format whose last part has any length, so that a cut may decode;
/// `any_length`: in bytes, so that a longer one does.
template <class T>
void expect_round_trips(T (*make)(Random&), bool open_ended = false, bool any_length = false) {
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        Random random(seed);
        const T value = make(random);
        Bytes bytes = value.encode();
        const Checked<T> back = T::decode(bytes);
        ASSERT_TRUE(back) << to_string(back.error()) << ", seed " << seed;
        EXPECT_EQ(*back, value) << "seed " << seed;
        const std::size_t step = std::max<std::size_t>(1, bytes.size() / 40);
        for (std::size_t n = 0; n < bytes.size(); n += step) {
            const Checked<T> cut = T::decode(ByteView(bytes).first(n));
            if (!cut) continue;
            EXPECT_TRUE(open_ended) << "seed " << seed << ", cut to " << n;
            EXPECT_EQ(cut->encode(), Bytes(bytes.begin(), bytes.begin() + static_cast<long>(n)));
        }
        expect_one_encoding<T>(bytes, random);
        bytes.push_back(0);
        EXPECT_EQ(T::decode(bytes).has_value(), any_length) << "seed " << seed;
    }
}

}  // namespace holdfast::property
