// A node that is followed, as far as its followers see it, and what carries messages to it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "follow/client.hpp"
#include "follow/service.hpp"
#include "support/refused.hpp"
#include "support/registry_world.hpp"

namespace holdfast::test {

inline PublicKey follow_key(std::uint64_t n) {
    return KeyPair::from_secret(view(tagged_hash("test/follow", n))).public_key();
}
template <class T>
T follow_id(std::uint64_t n, std::string_view what) {
    return T(tagged_hash(std::string("test/") + std::string(what), n));
}

inline std::vector<ChallengedChain> follow_chains(std::uint32_t count) {
    std::vector<ChallengedChain> out;
    for (std::uint32_t i = 0; i < count; ++i) {
        out.push_back({follow_id<ChainId>(i, "chain"), follow_key(i % 7),
                       follow_id<Root>(i, "root"), ChunkCount(16)});
    }
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
    return out;
}

/// Takes what it likes: challengers; anything else is refused or fails.
class PickyChain final : public Blockchain {
  public:
    Result<Height> current_height() override { return Height(0); }
    Result<BlockInfo> block_by_height(Height) override { return fail(ErrorCode::kNotFound, ""); }
    Status submit(Kind kind, ByteView object) override {
        if (kind == Kind::kRemoval) return fail(ErrorCode::kOutOfSpace, "disk full");
        if (kind != Kind::kChallenger) return fail_refused(Reason::kNetworkPolicy, "object");
        taken.emplace_back(object.begin(), object.end());
        return {};
    }
    Result<std::vector<Submission>> submissions_at(Height) override {
        return std::vector<Submission>();
    }
    Result<std::vector<BondEvent>> bond_events_at(Height) override {
        return std::vector<BondEvent>();
    }
    std::vector<Bytes> taken;
};

struct FollowWorld {
    explicit FollowWorld(const FollowServiceOptions& options = {},
                         const FollowClientOptions& client_options = {})
        : service(
              FollowSource{[this] { return Result<std::optional<Height>>(tip); },
                           [this](Height h) -> Result<FollowFacts> {
                               if (h < first) return fail(ErrorCode::kNotFound, "before genesis");
                               FollowFacts facts;
                               facts.block = {h, test_hash(h), test_hash(h - 1), 52'000 * h.value,
                                              true};
                               if (!without_y.contains(h)) facts.y = test_y(h);
                               facts.challengers = challengers;
                               return facts;
                           },
                           [this](Height) -> Result<std::vector<ChallengedChain>> {
                               ++lists_made;
                               return list;
                           },
                           {},
                           [this](const PublicKey&, ByteView,
                                  std::span<const ByteView> objects) -> Result<HandedOvers> {
                               HandedOvers out;
                               for (const ByteView object : objects) {
                                   out.objects.emplace_back();
                                   out.objects.back().reason = door;
                                   if (door != Reason::kOk) continue;
                                   out.objects.back().entry = journal.size();
                                   journal.emplace_back(object.begin(), object.end());
                               }
                               return out;
                           },
                           nullptr,
                           [this](Height h) -> Result<FollowOutput> {
                               if (source_output) return source_output(h);
                               return fail_refused(Reason::kBadKind, "y");
                           },
                           {},
                           {}},
              chain, [this] { return now_ns; }, options),
          client([this](ByteView message) { return carry(message); }, client_options) {}

    Result<Bytes> carry(ByteView message) {
        ++asked;
        if (down) return fail(ErrorCode::kUnavailable, "down");
        Result<Bytes> answer = service.handle(follow_key(99), message);
        if (!answer || !falsify) return answer;
        FollowAnswer said = must_decode(*answer);
        falsify(said);
        return encode_answer(said);
    }
    static FollowAnswer must_decode(ByteView bytes) {
        const auto decoded = decode_answer(bytes);
        EXPECT_TRUE(decoded.has_value());
        return decoded.value_or(FollowTaken{});
    }

    std::optional<Height> tip;
    Height first{100};
    std::set<Height> without_y;
    std::vector<ChallengerPart> challengers;
    std::vector<ChallengedChain> list = follow_chains(3);
    int lists_made = 0;
    Reason door = Reason::kOk;   // what the journal's door says
    std::vector<Bytes> journal;  // what it has taken
    PickyChain chain;
    std::uint64_t now_ns = 1'000'000'000;
    bool down = false;
    int asked = 0;
    std::function<void(FollowAnswer&)> falsify;
    std::function<Result<FollowOutput>(Height)> source_output;  // what y is made of
    FollowService service;
    FollowClient client;
};

}  // namespace holdfast::test
