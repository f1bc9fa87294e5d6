// kill -9 of a prover that follows a node from afar, at any moment, while it hands over bundles and
// proofs: nothing is signed twice, and no acknowledgement that it had taken is lost.
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <map>
#include <random>

#include "core/hash.hpp"
#include "support/followed_node.hpp"
#include "support/killed_child.hpp"

namespace holdfast {
namespace {

using test::FollowingProver;
using test::KilledChild;
using test::ServedNode;
using test::value_of;

using Chunk = std::array<std::uint8_t, 512>;  // a pipe takes one whole

/// A message through a pipe: its length, then chunks.
template <class Put>
void send(const Put& put, ByteView message) {
    put(std::uint64_t{message.size()});
    for (std::size_t at = 0; at < message.size(); at += sizeof(Chunk)) {
        Chunk chunk{};
        const ByteView part = message.subspan(at, std::min(sizeof(Chunk), message.size() - at));
        std::copy(part.begin(), part.end(), chunk.begin());
        put(chunk);
    }
}
template <class Get>
std::optional<Bytes> receive(const Get& get) {
    std::uint64_t size = 0;
    if (!get(size)) return std::nullopt;
    Bytes out;
    while (out.size() < size) {
        Chunk chunk;
        if (!get(chunk)) return std::nullopt;
        const std::size_t part = std::min<std::size_t>(sizeof chunk, size - out.size());
        out.insert(out.end(), chunk.begin(), chunk.begin() + static_cast<std::ptrdiff_t>(part));
    }
    return out;
}

class FollowKill : public test::Node {
  protected:
    using Outputs = std::map<Height, VdfOutput>;

    void SetUp() override {
        Node::SetUp();
        new_blocks(4);
        for (int i = 0; i < 3; ++i) {
            seal_and_register("r" + std::to_string(i), 1, 66'000 + 4'000 * i, false);
        }
        std::filesystem::create_directory(dir_ / "prover");
        clock_.emplace(clock(key_of(9)));
        node_ = std::make_unique<ServedNode>(params_, *chain_, *clock_, operator_, host_,
                                             dir_ / "followed");
    }
    void new_tip() {
        new_blocks(1);
        while (node_->advance()) continue;
        const auto tip = value_of(node_->registry().tip());
        const auto block = tip ? value_of(node_->registry().block(*tip)) : std::nullopt;
        if (block && block->y) outputs_[*tip] = *block->y;
    }
    /// The prover's process.
    void prove(int in, int out) const {
        try {
            prove_once(in, out);
        } catch (const std::exception&) {
            ::_exit(4);
        }
    }
    /// All that it owes.
    void prove_once(int in, int out) const {
        const auto put = [out](const auto& value) {
            if (::write(out, &value, sizeof value) != sizeof value) ::_exit(0);
        };
        const auto get = [in](auto& value) {
            return ::read(in, &value, sizeof value) == sizeof value;
        };
        FollowingProver prover(
            params_, key_of(1), host_.public_key(), dir_ / "prover",
            [&](ByteView message) -> Result<Bytes> {
                send(put, message);
                std::optional<Bytes> answer = receive(get);
                if (!answer) ::_exit(0);
                return std::move(*answer);
            },
            [this](Height height) -> Result<VdfOutput> {
                const auto known = outputs_.find(height);
                if (known != outputs_.end()) return known->second;
                return fail(ErrorCode::kUnavailable, "no y");
            });
        value_of(prover.set.add_folder(dir_, {}));
        const auto worked = prover.work();
        const bool good = worked && worked->faults.empty();
        ::_exit(good ? 0 : 3);
    }
    /// Answers the child until it ends, or is killed around request number `at`.
    bool serve_and_kill(std::uint64_t at, bool before_answer, useconds_t after_us) {
        KilledChild child([this](int in, int out) { prove(in, out); });
        const auto put = [&](const auto& value) { child.tell(value); };
        const auto get = [&](auto& value) {
            const auto heard = child.heard<std::decay_t<decltype(value)>>();
            if (heard) value = *heard;
            return heard.has_value();
        };
        std::optional<Digest> answered;  // an acknowledgement that the child may have taken
        for (std::uint64_t n = 0;; ++n) {
            const std::optional<Bytes> message = receive(get);
            if (!message) break;
            if (answered) taken_.push_back(*answered);  // it goes on: it has
            answered.reset();
            look_at(*message);
            if (n == at && before_answer) break;
            const Bytes answer = value_of(node_->handle(key_of(1).public_key(), *message));
            if (const auto said = decode_answer(answer)) {
                const auto* handed = std::get_if<HandedOvers>(&*said);
                if (handed != nullptr && handed->acknowledgement) {
                    answered = handed->acknowledgement->object;
                }
            }
            send(put, answer);
            if (n == at) {
                ::usleep(after_us);
                break;
            }
        }
        return child.kill();
    }
    /// Whatever left the process stays as it was.
    void look_at(const Bytes& message) {
        const auto body = unwrap_object(Kind::kBundle, message);
        if (!body) return;
        const auto bundle = Bundle::decode(*body);
        ASSERT_TRUE(bundle);
        for (const BundleEntry& member : bundle->members) {
            const auto [known, is_new] =
                signed_.try_emplace({member.chain_id, bundle->height}, member.link);
            EXPECT_EQ(known->second, member.link) << "two links of " << bundle->height.value;
        }
    }
    void check_taken() const {
        std::set<Digest> kept;
        test::succeed(Acknowledgements::for_each(dir_ / "prover" / "acks", params_.id(),
                                                 [&](const KeptAcknowledgement& k) -> Status {
                                                     kept.insert(k.acknowledgement.object);
                                                     return {};
                                                 }));
        // Older ones may have been let go: with a kill at each height there is not one for each.
        constexpr std::size_t kNewest = 20;
        for (std::size_t i = taken_.size() - std::min(taken_.size(), kNewest); i < taken_.size();
             ++i) {
            EXPECT_TRUE(kept.contains(taken_[i]));
        }
    }

    KeyPair host_ = key_of(77);
    std::optional<VdfClock> clock_;
    std::unique_ptr<ServedNode> node_;
    Outputs outputs_;
    std::map<std::pair<ChainId, Height>, Link> signed_;
    std::vector<Digest> taken_;
};

TEST_F(FollowKill, NothingIsSignedTwiceAndNoAcknowledgementIsLost) {
    const int points = test::kill_points(200);
    std::mt19937_64 random(14);
    for (int i = 0; i < 20; ++i) {  // until links are due
        new_tip();
        EXPECT_FALSE(serve_and_kill(UINT64_MAX, false, 0));
    }
    int at_work = 0;
    for (int point = 0; point < points; ++point) {
        new_tip();
        const bool before_answer = random() % 2 == 0;
        const auto after_us = static_cast<useconds_t>(random() % 4'000);
        at_work += serve_and_kill(random() % 14, before_answer, after_us) ? 1 : 0;
        check_taken();
        if (HasFailure()) return;
    }
    EXPECT_GT(at_work, points / 3);
    EXPECT_GT(taken_.size(), static_cast<std::size_t>(points) / 2);

    // It goes on as if nothing had been: everything of the open heights stands.
    EXPECT_FALSE(serve_and_kill(UINT64_MAX, false, 0));
    const auto open = value_of(node_->registry().open_heights());
    for (const Height h : open) {
        EXPECT_TRUE(value_of(node_->registry().due_links(h)).empty()) << h.value;
    }
    const auto store = value_of(
        Acknowledgements::open(dir_ / "prover" / "acks", params_.id(), key_of(1).public_key()));
    EXPECT_TRUE(store.unsettled().empty());
}

}  // namespace
}  // namespace holdfast
