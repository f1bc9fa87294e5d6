#include "proofs/formats.hpp"

#include "core/merkle.hpp"
#include "support/link_world.hpp"

namespace holdfast {
namespace {

using test::LinkWorld;

/// A path of the shape that this many chains give at the network's defaults: the longest of all
/// slots.
HierarchyPath longest_path(const NetworkParams& params, std::uint64_t chains) {
    const std::uint64_t region_slots = std::uint64_t{params.group_slots} * params.region_groups;
    HierarchyPath p;
    p.slots = params.group_slots;
    p.groups = params.region_groups;
    p.regions = static_cast<std::uint32_t>((chains + region_slots - 1) / region_slots);
    p.total_chains = chains;
    p.slot_path.resize(path_length(p.slots, 0));
    p.group_path.resize(path_length(p.groups, 0));
    p.region_path.resize(path_length(p.regions, 0));
    return p;
}

TEST(Formats, SizesAtFullScale) {
    const NetworkParams params;
    const std::uint64_t cells = kMaxChunks * kCellsPerChunk;
    EXPECT_EQ(Receipt().encode().size(), 136U);

    Compact compact;
    compact.path = longest_path(params, 100'000);
    compact.cell_path.resize(path_length(cells, 0));
    EXPECT_EQ(compact.encode().size(), 2'005U);
    compact.path = longest_path(params, 320'000);
    EXPECT_LE(compact.encode().size(), 2'046U);

    PathProof path;
    path.path = longest_path(params, 100'000);
    EXPECT_EQ(path.encode().size(), 693U);

    // Sixteen cells in chunks as far apart as they can be share the least.
    std::vector<std::uint64_t> spread;
    for (std::uint64_t j = 0; j < kChunksPerLink; ++j) spread.push_back(j * cells / kChunksPerLink);
    Full full;
    full.siblings.resize(multiproof_length(cells, spread));
    EXPECT_EQ(full.encode().size(), 14'568U);
    EXPECT_LE(full.encode().size(), kMaxLinkProofBytes);
    EXPECT_EQ(*Full::decode(full.encode()), full);
    EXPECT_EQ(*Compact::decode(compact.encode()), compact);
    EXPECT_EQ(*PathProof::decode(path.encode()), path);
}

template <class Format>
void expect_each_cut_is_refused(const Bytes& body) {
    ASSERT_TRUE(Format::decode(body));
    for (std::size_t size = 0; size < body.size(); ++size) {
        const auto cut = Format::decode(ByteView(body).first(size));
        // Whole hashes may be missing from a variable part: form cannot tell, the verifier does.
        if (cut) {
            EXPECT_EQ((body.size() - size) % kDigestBytes, 0U) << size;
            EXPECT_EQ(cut->encode(), Bytes(body.begin(), body.begin() + size));
        }
    }
}

TEST(Formats, WhatDecodesEncodesToTheSameBytes) {
    const LinkWorld w(0);
    const auto& rich = w.heights[w.rich()];
    expect_each_cut_is_refused<Receipt>(rich.body("receipt"));
    expect_each_cut_is_refused<Compact>(rich.body("compact"));
    expect_each_cut_is_refused<Full>(rich.body("full"));
    expect_each_cut_is_refused<PathProof>(rich.body("path"));
    for (const char* name : {"compact", "full", "path"}) {
        const Bytes body = rich.body(name);
        for (std::size_t at = 0; at < body.size(); ++at) {
            Bytes changed = body;
            changed[at] ^= 0xff;
            const auto same = [&](const auto& decoded) {
                EXPECT_TRUE(!decoded || decoded->encode() == changed) << name << " " << at;
            };
            if (name == std::string("compact")) same(Compact::decode(changed));
            if (name == std::string("full")) same(Full::decode(changed));
            if (name == std::string("path")) same(PathProof::decode(changed));
        }
    }
}

TEST(Formats, HostileCountsAllocateNothing) {
    Bytes path = PathProof().encode();
    EXPECT_EQ(PathProof::decode(path).error().reason, Reason::kBadSlot) << "no slot is below zero";
    PathProof deep;
    deep.path.slots = deep.path.groups = deep.path.regions = UINT32_MAX;
    deep.path.region_active = deep.path.total_chains = UINT64_MAX;
    EXPECT_EQ(PathProof::decode(deep.encode()).error().reason, Reason::kTruncated);
    deep.path.slot_path.resize(32);
    deep.path.group_path.resize(32);
    deep.path.region_path.resize(32);
    EXPECT_EQ(*PathProof::decode(deep.encode()), deep);

    Full full;
    full.siblings.resize(16 * 24);
    EXPECT_TRUE(Full::decode(full.encode()));
    full.siblings.resize(16 * 24 + 1);
    EXPECT_EQ(Full::decode(full.encode()).error().reason, Reason::kProofLength);
    EXPECT_EQ(Full::decode(Bytes(1 << 20)).error().reason, Reason::kProofLength);
}

TEST(Formats, WindowsSayWhichPartIsWrong) {
    const LinkWorld w(0);
    std::vector<AnyProof> links;
    for (const auto& h : w.heights) {
        if (h.has_link()) links.emplace_back(*Full::decode(h.body("full")));
    }
    ASSERT_GE(links.size(), 6U);
    ProofWindow window;
    window.links.assign(links.begin(), links.begin() + 5);
    const Bytes body = window.encode();
    ASSERT_TRUE(ProofWindow::decode(body));
    const auto verdict = [&](auto change) {
        Bytes bad = body;
        change(bad);
        const auto decoded = ProofWindow::decode(bad);
        return decoded ? Verdict::ok() : decoded.error();
    };
    const std::size_t part = 5 + encode_body(links[0]).size();
    EXPECT_EQ(verdict([](auto& b) { b[0] = 0; }), Verdict(Reason::kBadField));
    EXPECT_EQ(verdict([](auto& b) { b[0] = 6; }), Verdict(Reason::kBadField));
    EXPECT_EQ(verdict([](auto& b) { b.clear(); }), Verdict(Reason::kTruncated));
    EXPECT_EQ(verdict([](auto& b) { b[0] = 4; }), Verdict(Reason::kTrailingBytes));
    EXPECT_EQ(verdict([&](auto& b) { b[1 + part] = 4; }), Verdict(Reason::kBadKind, 1));
    EXPECT_EQ(verdict([&](auto& b) { b[1 + part + 4] = 0xff; }), Verdict(Reason::kTooLarge, 1));
    EXPECT_EQ(verdict([](auto& b) { b.pop_back(); }), Verdict(Reason::kTruncated, 4));
    window.links[2] = window.links[1];
    const auto twice = ProofWindow::decode(window.encode());
    ASSERT_FALSE(twice);
    EXPECT_EQ(twice.error(), Verdict(Reason::kWindowOrder, 2));
}

}  // namespace
}  // namespace holdfast
