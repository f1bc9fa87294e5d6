// kill -9 of a node at any moment while provers hand over bundles, short proofs, seal proofs and
// what blocks list: whatever it has acknowledged stands, nothing is signed twice, and whoever
// sends again gets the acknowledgement.
//
// The node's process is what `holdfast node` is made of, but for its sockets and threads: the
// folder, the door of the journal, what followers are told, the heads. The provers live on.
#include <gtest/gtest.h>
#include <signal.h>

#include <map>
#include <mutex>
#include <random>

#include "core/hash.hpp"
#include "follow/history_client.hpp"
#include "node/history_source.hpp"
#include "node/host_work.hpp"
#include "proofs/bundle.hpp"
#include "storage/key_file.hpp"
#include "support/followed_node.hpp"
#include "support/killed_child.hpp"

namespace holdfast {
namespace {

namespace fs = std::filesystem;
using node::NodePaths;
using test::FollowingProver;
using test::KilledChild;
using test::value_of;

// What the node's process is asked for, in front of a message.
constexpr std::uint8_t kNextBlock = 0;  // else the number of the key that sends it
// What it says, in front of an answer.
constexpr std::uint8_t kDone = 1;
constexpr std::uint8_t kFailed = 0;

/// When the node dies: around that request, or that message that brings objects, counted from its
/// start. What the test then has seen does not depend on how fast the machine is where it has
/// waited for the answer first.
struct Plan {
    std::uint64_t request = UINT64_MAX;
    bool with_objects = false;
    bool after_answer = false;  // which is lost to whoever asked
    useconds_t after_us = 0;    // after it was sent, otherwise; an answer may come all the same
};

class NodeKill : public test::Node {
  protected:
    static constexpr std::uint8_t kKey = 1;
    static constexpr std::uint8_t kOther = 2;

    void SetUp() override {
        ::signal(SIGPIPE, SIG_IGN);  // a node that is gone is noticed by who writes to it
        Node::SetUp();
        chain_.reset();
        ledger_.reset();
        test::succeed(save_key_pair(operator_, paths_().operator_key()));
        test::succeed(save_key_pair(key_of(9), paths_().evaluator_key()));
        // A forked child has none of its parent's threads: none lives here between two requests.
        KilledChild sealing([this](int, int out) {
            try {
                seal_all();
            } catch (const std::exception&) {
                ::_exit(5);
            }
            const bool done = true;
            if (::write(out, &done, sizeof done) != sizeof done) ::_exit(3);
        });
        ASSERT_TRUE(sealing.heard<bool>().has_value());
        for (const std::uint8_t key : {kKey, kOther}) {
            const fs::path dir = dir_ / ("prover" + std::to_string(key));
            fs::create_directory(dir);
            provers_.push_back(std::make_unique<FollowingProver>(
                params_, key_of(key), host_.public_key(), dir,
                [this, key](ByteView message) { return carry(key, message); }));
        }
        for (const char* name : {"a", "b"})
            test::succeed(provers_[0]->set.add(files(name).replica));
        test::succeed(provers_[1]->set.add(files("c").replica));
    }
    void seal_all() {
        chain_ = value_of(LocalChain::open(paths_().chain(), LocalChain::Mode::kReadWrite));
        ledger_ = value_of(BondLedger::open(paths_().ledger(), params_.id()));
        new_blocks(4);
        seal_and_register("a", kKey, 66'000);
        seal_and_register("b", kKey, 67'000);
        seal_and_register("c", kOther, 66'000);
    }
    [[nodiscard]] NodePaths paths_() const { return NodePaths{dir_}; }
    static RegistryOptions one_thread() {
        RegistryOptions out;
        out.threads = 1;
        out.map_bytes = std::uint64_t{1} << 27;
        return out;
    }

    // --- the node's process ----------------------------------------------------------------------

    void serve(int in, int out) const {
        try {
            serve_until_killed(in, out);
        } catch (const std::exception&) {
            ::_exit(4);
        }
    }
    void serve_until_killed(int in, int out) const {
        AggregatorOptions options;
        options.registry_options = one_thread();
        options.sets.threads = 1;
        node::Node node = value_of(node::Node::open(dir_, options));
        const auto heads = value_of(HeadFile::open(node.paths.heads(), params_));
        node::OutputSource outputs({node.registry(), *node.chain, nullptr, node.clock.get(), *heads,
                                    [&](Height h) { return node.aggregator->head(h); }});
        const auto log = test::quiet_log();
        std::optional<node::HostWork> work;
        FollowSource source = follow_source(node.registry(), *node.chain);
        source.hand_over = [&](const PublicKey& from, ByteView message,
                               std::span<const ByteView> objects) {
            return work->hand_over(from, message, objects);
        };
        source.history = node::history_source(node.registry(), *node.chain, *heads, nullptr);
        source.output = [&](Height h) { return outputs.output(h); };
        FollowServiceOptions budgets;  // the clock stands still
        budgets.questions.burst = budgets.submissions.burst = UINT32_MAX;
        FollowService follow(
            std::move(source), *node.chain, [] { return std::uint64_t{1}; }, budgets);
        work.emplace(node, follow, outputs, host_, *log);
        while (value_of(work->advance({}))) continue;

        const auto put = [out](const auto& value) {
            if (::write(out, &value, sizeof value) != sizeof value) ::_exit(0);
        };
        const auto get = [in](auto& value) {
            return ::read(in, &value, sizeof value) == sizeof value;
        };
        while (const std::optional<Bytes> asked = test::receive_piped(get)) {
            Bytes said{kDone};
            if (asked->front() == kNextBlock) {
                value_of(node.chain->append_block());
                while (value_of(work->advance({}))) continue;
            } else {
                const PublicKey from = key_of(asked->front()).public_key();
                const auto answer = follow.handle(from, ByteView(*asked).subspan(1));
                if (answer) said.insert(said.end(), answer->begin(), answer->end());
                if (!answer) said.front() = kFailed;
            }
            test::send_piped(put, said);
        }
    }

    // --- who asks it, and kills it ---------------------------------------------------------------

    void start(const Plan& plan) {
        plan_ = plan;
        asked_ = 0;
        child_.emplace([this](int in, int out) { serve(in, out); });
    }
    void kill() {
        if (child_) child_->kill();
        child_.reset();
    }
    /// One request; the answer, if one came and is not lost. A prover asks side by side.
    std::optional<Bytes> ask(std::uint8_t what, ByteView message) {
        const std::lock_guard lock(asking_);
        if (!child_) return std::nullopt;
        const bool counts =
            !plan_.with_objects || (what != kNextBlock && test::brings_objects(message));
        const bool last = counts && asked_++ == plan_.request;
        Bytes request{what};
        request.insert(request.end(), message.begin(), message.end());
        test::send_piped([this](const auto& value) { child_->tell(value); }, request);
        if (last && !plan_.after_answer) {
            ::usleep(plan_.after_us);
            at_work_ += child_->kill() ? 1 : 0;
        }
        std::optional<Bytes> answer = test::receive_piped([this](auto& value) {
            const auto heard = child_->heard<std::decay_t<decltype(value)>>();
            if (heard) value = *heard;
            return heard.has_value();
        });
        EXPECT_TRUE(answer || last) << "the node has ended by itself";
        if (last && plan_.after_answer) at_work_ += child_->kill() ? 1 : 0;
        if (last || !answer) kill();
        if (!answer) return std::nullopt;
        EXPECT_EQ(answer->front(), kDone) << "the node failed at what it was asked for";
        answer->erase(answer->begin());
        if (what != kNextBlock) note(message, *answer);  // it has left the node
        if (last && plan_.after_answer) return std::nullopt;
        return answer;
    }
    Result<Bytes> carry(std::uint8_t key, ByteView message) {
        std::optional<Bytes> answer = ask(key, message);
        if (!answer) return fail(ErrorCode::kUnavailable, "the node is gone");
        return std::move(*answer);
    }
    /// What is never the same twice, and what blocks list.
    void submit_challenger(std::uint64_t number) {
        Challenger one;
        one.key = host_.public_key();
        one.base = Height(number);
        const Bytes object = wrap_object(Kind::kChallenger, one.encode());
        const auto answer = ask(kOther, object);
        const auto said = answer ? decode_answer(*answer) : decode_answer({});
        if (said && std::holds_alternative<FollowTaken>(*said)) listed_.insert(sha256(object));
    }

    // --- what it has promised --------------------------------------------------------------------

    struct Promise {
        std::uint64_t entry = 0;
        Bytes object;
        Height height;            // of the acknowledgement that came first
        bool is_covered = false;  // by the head of that height
    };
    void note(ByteView message, ByteView answer) {
        const auto said = decode_answer(answer);
        ASSERT_TRUE(said);
        if (const auto* output = std::get_if<FollowOutput>(&*said)) {
            if (output->cover) note(output->cover->head);
        } else if (const auto* history = std::get_if<HistoryAnswer>(&*said)) {
            if (const auto* page = std::get_if<HeadsPage>(history)) {
                for (const JournalHead& head : page->heads) note(head);
            }
        } else if (const auto* handed = std::get_if<HandedOvers>(&*said)) {
            if (handed->acknowledgement) note(message, *handed);
        }
    }
    /// Nothing is signed twice: one head for each height, one place for each object.
    void note(const JournalHead& head) {
        EXPECT_EQ(check_head(params_, params_.id(), head), Verdict::ok());
        const auto [known, is_new] = heads_.try_emplace(head.height, head);
        EXPECT_EQ(known->second, head) << "two heads of height " << head.height.value;
    }
    void note(ByteView message, const HandedOvers& handed) {
        const Acknowledgement& signed_one = *handed.acknowledgement;
        EXPECT_EQ(check_acknowledgement(params_.id(), host_.public_key(), message, signed_one),
                  Verdict::ok());
        const auto [block, is_new] = blocks_.try_emplace(signed_one.height, signed_one.block_hash);
        EXPECT_EQ(block->second, signed_one.block_hash) << "two histories were signed";
        std::vector<Bytes> objects{Bytes(message.begin(), message.end())};
        const auto question = decode_question(message);
        if (const auto* batch = question ? std::get_if<HandOver>(&*question) : nullptr) {
            objects.assign(batch->objects.begin(), batch->objects.end());
        }
        ASSERT_EQ(objects.size(), handed.objects.size());
        for (std::size_t i = 0; i < objects.size(); ++i) {
            ASSERT_TRUE(handed.objects[i].entry.has_value());
            const std::uint64_t entry = *handed.objects[i].entry;
            const auto [known, first_time] = promises_.try_emplace(
                sha256(objects[i]), Promise{entry, objects[i], signed_one.height});
            EXPECT_EQ(known->second.entry, entry) << "one object, two places";
            if (!first_time) ++repeated_;
            ++kinds_[peek_kind(objects[i]).value()];
        }
    }

    // --- whether it has kept it ------------------------------------------------------------------

    void check() {
        RegistryOptions look = one_thread();
        look.read_only = true;
        look.check_on_open = false;
        if (!fs::exists(paths_().registry())) return;
        const auto opened = Registry::open(paths_().registry(), params_, look);
        if (!opened && promises_.empty() && heads_.empty()) return;  // it was being made
        const auto& registry = *value_of(Result<const Registry*>(opened->get()));
        for (auto& [hash, promise] : promises_) {
            if (!promise.is_covered) check(registry, promise);
        }
        for (auto next = heads_.upper_bound(checked_); next != heads_.end(); ++next) {
            const JournalHead& head = next->second;
            const Bytes own = value_of(registry.head_of(head.height));
            const Bytes told = head.encode();
            EXPECT_TRUE(std::equal(told.begin(), told.begin() + kHeadSignedBytes, own.begin()))
                << "a head that is not the registry's";
            if (next != heads_.begin()) {
                const JournalHead& before = std::prev(next)->second;
                const auto path = value_of(registry.consistency(before.size, head.size));
                EXPECT_EQ(check_extension(before, head, path), Verdict::ok());
            }
            checked_ = head.height;
        }
    }
    void check(const Registry& registry, Promise& promise) {
        const Bytes entry = encode_entry(ObjectEntry{promise.object});
        EXPECT_EQ(value_of(registry.entries(promise.entry, 1)), std::vector<Bytes>{entry})
            << "what was acknowledged does not stand";
        const auto head = heads_.find(promise.height);
        if (head == heads_.end()) return;  // that height has not closed, or nobody has asked
        const auto path = value_of(registry.inclusion(promise.entry, head->second.size));
        EXPECT_EQ(check_entry(head->second, promise.entry, entry, path), Verdict::ok());
        const Checked<ByteView> body = unwrap_object(Kind::kBundle, promise.object);
        if (body) check_digest(registry, Bundle::decode(*body).value());
        promise.is_covered = true;
    }
    void check_digest(const Registry& registry, const Bundle& bundle) {
        const auto head = heads_.find(bundle.height);
        if (head == heads_.end()) return;
        for (const BundleEntry& member : bundle.members) {
            const auto leaf = value_of(registry.leaf(member.chain_id, bundle.height));
            ASSERT_TRUE(leaf.has_value());
            EXPECT_EQ(leaf->link_height, bundle.height);
            EXPECT_EQ(leaf->link, member.link) << "the height's digest lacks the link";
            ++links_;
        }
    }

    /// One run of the node, until it is killed or nobody wants anything.
    void run(const Plan& plan, std::uint64_t number) {
        start(plan);
        (void)ask(kNextBlock, {});
        submit_challenger(number);
        HistoryClient history([this](ByteView message) { return carry(kKey, message); });
        const Height from = heads_.empty() ? params_.genesis_height : heads_.rbegin()->first;
        (void)history.heads(from, 64);
        // What a node is asked that is gone is an error, and nothing else of it.
        for (const auto& prover : provers_) {
            const auto worked = prover->work();
            EXPECT_TRUE(worked || !child_) << worked.error().message;
        }
        kill();
    }

    const KeyPair host_ = key_of(77);
    std::vector<std::unique_ptr<FollowingProver>> provers_;
    std::mutex asking_;  // guards what follows, while a prover works
    std::optional<KilledChild> child_;
    Plan plan_;
    std::uint64_t asked_ = 0;
    int at_work_ = 0;
    int repeated_ = 0;
    std::uint64_t links_ = 0;
    std::map<Digest, Promise> promises_;
    std::map<Kind, int> kinds_;
    std::map<Height, JournalHead> heads_;
    std::map<Height, BlockHash> blocks_;
    std::set<Digest> listed_;  // that the chain has taken
    Height checked_;
};

TEST_F(NodeKill, WhatItAcknowledgedStandsAndNothingIsSignedTwice) {
    const int points = test::kill_points(200);
    std::mt19937_64 random(14);
    for (int point = 0; point < points; ++point) {
        Plan plan;
        plan.with_objects = random() % 2 == 0;
        plan.request = random() % (plan.with_objects ? 4 : 14);
        plan.after_answer = random() % (plan.with_objects ? 2 : 4) == 0;
        plan.after_us = static_cast<useconds_t>(random() % (plan.request == 0 ? 40'000 : 4'000));
        run(plan, static_cast<std::uint64_t>(point));
        check();
        ASSERT_FALSE(HasFailure()) << "after kill " << point + 1;
    }
    EXPECT_GT(at_work_, points / 3);

    // It goes on as if nothing had been: whoever sends again gets the acknowledgement.
    for (std::uint64_t more = 0; more < 8; ++more) {
        run({}, static_cast<std::uint64_t>(points) + more);
        check();
    }
    for (const auto& prover : provers_) {
        EXPECT_TRUE(prover->store.unsettled().empty());
        EXPECT_EQ(prover->source->status().unsettled, 0U);
    }
    EXPECT_GT(kinds_[Kind::kBundle], points / 4);
    EXPECT_GT(kinds_[Kind::kShortCompact] + kinds_[Kind::kShortFull], points / 10);
    EXPECT_GE(kinds_[Kind::kSealProof], 3);
    EXPECT_GE(repeated_, points / 50) << "hardly anything was sent again: this shows little";
    EXPECT_GT(links_, static_cast<std::uint64_t>(points) / 4);

    // What blocks list was taken once; the last of it still waits for a block.
    start({});
    (void)ask(kNextBlock, {});
    kill();
    const auto chain = value_of(LocalChain::open(paths_().chain(), LocalChain::Mode::kRead));
    std::set<Digest> found;
    for (Height h = params_.genesis_height; h <= value_of(chain->current_height()); ++h) {
        for (const Submission& one : value_of(chain->submissions_at(h))) {
            EXPECT_TRUE(found.insert(sha256(one.object)).second) << "listed twice";
        }
    }
    EXPECT_GT(listed_.size(), static_cast<std::size_t>(points) / 4);
    for (const Digest& one : listed_) EXPECT_TRUE(found.contains(one)) << "lost";
}

}  // namespace
}  // namespace holdfast
