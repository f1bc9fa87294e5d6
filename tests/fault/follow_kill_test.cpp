// kill -9 of a prover that follows a node from afar, at any moment, while it hands over bundles and
// proofs: nothing is signed twice, no proof is made a second time once it has left, and no
// acknowledgement that it had taken is lost.
#include <gtest/gtest.h>
#include <unistd.h>

#include <map>
#include <mutex>
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
        std::mutex carrying;
        FollowingProver prover(
            params_, key_of(1), host_.public_key(), dir_ / "prover",
            [&](ByteView message) -> Result<Bytes> {
                const std::lock_guard lock(carrying);
                test::send_piped(put, message);
                std::optional<Bytes> answer = test::receive_piped(get);
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
    /// When the prover dies: around that message, or that message with objects, if it sends so
    /// many.
    struct Plan {
        std::uint64_t at = UINT64_MAX;
        bool with_objects = false;
        bool before_answer = false;
        useconds_t after_us = 0;
    };
    /// Answers the child until it ends or is killed; whether it was killed.
    bool serve_and_kill(const Plan& plan) {
        KilledChild child([this](int in, int out) { prove(in, out); });
        const auto put = [&](const auto& value) { child.tell(value); };
        const auto get = [&](auto& value) {
            const auto heard = child.heard<std::decay_t<decltype(value)>>();
            if (heard) value = *heard;
            return heard.has_value();
        };
        answered_.clear();
        for (std::uint64_t n = 0;;) {
            const std::optional<Bytes> message = test::receive_piped(get);
            if (!message) break;
            look_at(*message);
            const bool counts = !plan.with_objects || test::brings_objects(*message);
            const bool last = counts && n++ == plan.at;
            if (last && plan.before_answer) break;
            const Bytes answer = value_of(node_->handle(key_of(1).public_key(), *message));
            if (const auto said = decode_answer(answer)) {
                const auto* handed = std::get_if<HandedOvers>(&*said);
                if (handed != nullptr && handed->acknowledgement) {
                    answered_.push_back(*handed->acknowledgement);
                }
            }
            test::send_piped(put, answer);
            if (last) {
                ::usleep(plan.after_us);
                break;
            }
        }
        return child.kill();
    }
    /// Each short proof leaves in one message and no other, however often that is sent: it was on
    /// record before it left, so that it is sent again and not made again.
    void look_at_proofs(const Bytes& message) {
        const auto question = decode_question(message);
        const auto* batch = question ? std::get_if<HandOver>(&*question) : nullptr;
        const std::vector<Bytes> alone{message};
        for (const Bytes& object : batch ? batch->objects : alone) {
            const AcknowledgedObject seen = AcknowledgedObject::of(object);
            const bool proof = seen.kind == Kind::kShortCompact || seen.kind == Kind::kShortFull;
            if (!proof || !seen.chain_id || !seen.height) continue;
            const Proof left{seen.digest, sha256(message)};
            const auto [known, is_new] = proofs_.try_emplace({*seen.chain_id, *seen.height}, left);
            EXPECT_EQ(known->second.object, left.object) << "two proofs of " << seen.height->value;
            EXPECT_EQ(known->second.message, left.message) << "made twice: " << seen.height->value;
            sent_again_ += is_new ? 0 : 1;
        }
    }
    /// Whatever left the process stays as it was.
    void look_at(const Bytes& message) {
        look_at_proofs(message);
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
    /// What was acknowledged is kept, or its message is there to be sent again; what was kept
    /// stays.
    void check_taken() {
        std::set<Digest> kept;
        test::succeed(Acknowledgements::for_each(dir_ / "prover" / "acks", params_.id(),
                                                 [&](const KeptAcknowledgement& k) -> Status {
                                                     kept.insert(k.acknowledgement.object);
                                                     return {};
                                                 }));
        for (const Acknowledgement& one : answered_) {
            if (kept.contains(one.object)) {
                taken_.push_back(one);
            } else {
                const std::string sent = to_hex(view(one.object)) + ".sent";
                EXPECT_TRUE(std::filesystem::exists(dir_ / "prover" / "acks" / sent));
            }
        }
        // Older ones may have been let go: files of so many heights of objects, the newest two.
        const std::uint64_t surely_kept = Acknowledgements::Options().kept_heights / 2;
        if (taken_.empty()) return;
        const Height newest = taken_.back().height;
        for (const Acknowledgement& taken : taken_) {
            if (taken.height + surely_kept <= newest) continue;
            EXPECT_TRUE(kept.contains(taken.object)) << "of height " << taken.height.value;
        }
    }

    KeyPair host_ = key_of(77);
    std::optional<VdfClock> clock_;
    std::unique_ptr<ServedNode> node_;
    Outputs outputs_;
    std::map<std::pair<ChainId, Height>, Link> signed_;
    struct Proof {
        Digest object;
        Digest message;
    };
    std::map<std::pair<ChainId, Height>, Proof> proofs_;
    std::uint64_t sent_again_ = 0;           // proofs
    std::vector<Acknowledgement> answered_;  // while the newest child lived
    std::vector<Acknowledgement> taken_;     // of those, kept
};

TEST_F(FollowKill, NothingIsSignedTwiceAndNoAcknowledgementIsLost) {
    const int points = test::kill_points(200);
    std::mt19937_64 random(14);
    for (int i = 0; i < 20; ++i) {  // until links are due
        new_tip();
        EXPECT_FALSE(serve_and_kill({}));
    }
    int at_work = 0;
    for (int point = 0; point < points; ++point) {
        new_tip();
        Plan plan;
        plan.with_objects = random() % 2 == 0;
        plan.at = random() % (plan.with_objects ? 4 : 14);
        plan.before_answer = random() % 2 == 0;
        plan.after_us = static_cast<useconds_t>(random() % 4'000);
        at_work += serve_and_kill(plan) ? 1 : 0;
        check_taken();
        if (HasFailure()) return;
    }
    EXPECT_GT(at_work, points / 3);
    EXPECT_GT(taken_.size(), static_cast<std::size_t>(points) / 4);
    EXPECT_GT(proofs_.size(), static_cast<std::size_t>(points) / 4);
    EXPECT_GT(sent_again_, 0U);

    // It goes on as if nothing had been: everything of the open heights stands.
    EXPECT_FALSE(serve_and_kill({}));
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
