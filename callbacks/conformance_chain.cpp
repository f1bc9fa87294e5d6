#include <algorithm>

#include "callbacks/conformance_impl.hpp"
#include "core/codec.hpp"

namespace holdfast {
namespace {

std::uint64_t times_listed(const std::vector<Submission>& listed, const Submission& wanted) {
    return static_cast<std::uint64_t>(std::count(listed.begin(), listed.end(), wanted));
}

class ChainChecks {
  public:
    ChainChecks(const BlockchainSubject& subject, const ConformanceOptions& options)
        : subject_(subject), options_(options) {}

    ConformanceReport run() {
        chain_ = guarded(suite_, subject_.chain, options_);
        if (!chain_) return suite_.report();
        suite_.check("the subject can be tested", [&] { return usable(); });
        suite_.check("the tip has its height", [&] { return tip_is_a_block(); });
        suite_.check("there is nothing above the tip or below the first block",
                     [&] { return nothing_outside(); });
        suite_.check("a new block makes the chain longer by one", [&] { return grows(); });
        suite_.check("parents, times and finality are in order", [&] { return in_order(); });
        suite_.check("an object is listed once, as it was submitted", [&] { return listed(); });
        suite_.check("bad objects are refused", [&] { return bad_objects(); });
        suite_.check("final blocks stay as they are", [&] { return final_stays(); });
        suite_.check("the same is answered to several threads", [&] { return threads_agree(); });
        if (subject_.replace_tip) {
            suite_.check("a replaced block gives back its objects", [&] { return replaced(); });
        }
        return suite_.report();
    }

  private:
    Finding usable() {
        if (!subject_.make_block) return "make_block is empty";
        if (subject_.samples.size() < 2) return "there are fewer than two sample objects";
        return want(subject_.samples[0] != subject_.samples[1], "the samples are equal");
    }
    Result<Height> tip() { return chain_->current_height(); }
    Status make_block() {
        if (!subject_.make_block) return fail(ErrorCode::kInvalidArgument, "make_block is empty");
        return subject_.make_block();
    }

    Finding tip_is_a_block() {
        const auto height = tip();
        if (!height) return want_success("current_height", height);
        if (*height < subject_.first) return "the tip lies below the first block";
        return want_success("block_by_height", chain_->block_by_height(*height));
    }
    Finding nothing_outside() {
        const auto height = tip();
        if (!height) return want_success("current_height", height);
        for (const std::uint64_t above :
             {height->value + 1, height->value + 1'000'000, UINT64_MAX}) {
            const std::string what = "height " + std::to_string(above);
            const Finding block =
                want_error("block_by_height of " + what, chain_->block_by_height(Height(above)),
                           ErrorCode::kNotFound);
            if (!block.empty()) return block;
            const Finding objects =
                want_error("submissions_at of " + what, chain_->submissions_at(Height(above)),
                           ErrorCode::kNotFound);
            if (!objects.empty()) return objects;
        }
        if (subject_.first.value == 0) return {};
        return want_error("block_by_height below the first block",
                          chain_->block_by_height(subject_.first - 1), ErrorCode::kNotFound);
    }
    Finding grows() {
        const auto before = tip();
        const auto made = make_block();
        const auto after = tip();
        if (!before || !after) return want_success("current_height", before ? after : before);
        if (!made) return want_success("make_block", made);
        return want(after->value == before->value + 1, "the tip went from " +
                                                           std::to_string(before->value) + " to " +
                                                           std::to_string(after->value));
    }
    /// The blocks from the first one, or the newest 64 of them, to the tip.
    Result<std::vector<BlockInfo>> recent() {
        HOLDFAST_ASSIGN(last, tip());
        std::vector<BlockInfo> out;
        const Height from = std::max(subject_.first, last - 63);
        for (Height h = from; h <= last; ++h) {
            HOLDFAST_ASSIGN(block, chain_->block_by_height(h));
            out.push_back(block);
        }
        return out;
    }
    Finding in_order() {
        for (int i = 0; i < 6; ++i) {
            if (const auto made = make_block(); !made) return want_success("make_block", made);
        }
        const auto blocks = recent();
        if (!blocks) return want_success("block_by_height", blocks);
        for (std::size_t i = 1; i < blocks->size(); ++i) {
            const BlockInfo& parent = (*blocks)[i - 1];
            const BlockInfo& block = (*blocks)[i];
            const std::string which = "block " + std::to_string(block.height.value);
            if (block.parent != parent.hash) return which + " does not name its parent's hash";
            if (block.hash == parent.hash) return which + " has its parent's hash";
            if (block.time_ms < parent.time_ms) return which + " is older than its parent";
            if (block.final && !parent.final) return which + " is final before its parent";
        }
        return {};
    }
    /// How often the chain lists an object in the blocks after `before`.
    Result<std::uint64_t> listed_after(Height before, const Submission& wanted) {
        HOLDFAST_ASSIGN(last, tip());
        std::uint64_t times = 0;
        for (Height h = before + 1; h <= last; ++h) {
            HOLDFAST_ASSIGN(objects, chain_->submissions_at(h));
            times += times_listed(objects, wanted);
        }
        return times;
    }
    Finding listed() {
        if (Finding finding = usable(); !finding.empty()) return finding;
        const auto before = tip();
        if (!before) return want_success("current_height", before);
        const Submission& sample = subject_.samples[0];
        for (int i = 0; i < 2; ++i) {
            const auto taken = chain_->submit(sample.kind, sample.object);
            if (!taken) return want_success("submit", taken);
        }
        for (int i = 0; i < 2; ++i) {
            if (const auto made = make_block(); !made) return want_success("make_block", made);
            const auto again = chain_->submit(sample.kind, sample.object);
            if (!again) return want_success("submit of a known object", again);
        }
        const auto times = listed_after(*before, sample);
        if (!times) return want_success("submissions_at", times);
        return want(*times == 1, "submitted four times, the object is listed " +
                                     std::to_string(*times) + " times");
    }
    Finding bad_objects() {
        const Bytes other_kind = wrap_object(Kind::kRegistration, Bytes(8, 1));
        return first_of(
            {[&] {
                 return want_error("an empty object", chain_->submit(Kind::kRegistration, {}),
                                   ErrorCode::kRefused);
             },
             [&] {
                 return want_error("an object of another kind than named",
                                   chain_->submit(Kind::kRemoval, other_kind), ErrorCode::kRefused);
             }});
    }
    Finding final_stays() {
        const auto before = recent();
        if (!before) return want_success("block_by_height", before);
        for (int i = 0; i < 3; ++i) {
            if (const auto made = make_block(); !made) return want_success("make_block", made);
        }
        for (const BlockInfo& block : *before) {
            if (!block.final) continue;
            const auto now = chain_->block_by_height(block.height);
            if (!now) return want_success("block_by_height", now);
            if (*now != block) {
                return "final block " + std::to_string(block.height.value) + " has changed";
            }
        }
        return {};
    }
    Finding threads_agree() {
        const auto height = tip();
        if (!height) return want_success("current_height", height);
        const auto block = chain_->block_by_height(*height);
        std::atomic<unsigned> differing = 0;
        at_once(thread_count(options_), [&](unsigned) {
            const auto mine = chain_->block_by_height(*height);
            if (!mine || !block || *mine != *block) ++differing;
        });
        return want(differing == 0, std::to_string(differing) + " threads were told otherwise");
    }
    Finding replaced() {
        if (Finding finding = usable(); !finding.empty()) return finding;
        const Submission& sample = subject_.samples[1];
        const auto before = tip();
        if (!before) return want_success("current_height", before);
        const auto taken = chain_->submit(sample.kind, sample.object);
        if (!taken) return want_success("submit", taken);
        if (const auto made = make_block(); !made) return want_success("make_block", made);
        const auto old = chain_->block_by_height(*before + 1);
        const auto done = subject_.replace_tip();
        const auto fresh = chain_->block_by_height(*before + 1);
        if (!done) return want_success("replace_tip", done);
        if (!old || !fresh) return want_success("block_by_height", old ? fresh : old);
        if (old->hash == fresh->hash) return "the replaced block still has its old hash";
        if (const auto made = make_block(); !made) return want_success("make_block", made);
        const auto times = listed_after(*before, sample);
        if (!times) return want_success("submissions_at", times);
        return want(*times == 1, "after the reorganisation the object is listed " +
                                     std::to_string(*times) + " times");
    }

    const BlockchainSubject& subject_;
    const ConformanceOptions& options_;
    Suite suite_{"blockchain"};
    std::shared_ptr<Blockchain> chain_;
};

}  // namespace

ConformanceReport check_blockchain(const BlockchainSubject& subject,
                                   const ConformanceOptions& options) {
    return ChainChecks(subject, options).run();
}

}  // namespace holdfast
