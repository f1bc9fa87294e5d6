#include "api/light_client.hpp"

#include <algorithm>

#include "api/light_cache.hpp"
#include "proofs/bundle.hpp"
#include "proofs/checkpoint.hpp"
#include "vdf/walk.hpp"

namespace holdfast {
namespace {

/// What a verification asks of the public record.
struct Needs {
    std::set<Height> heights;  // must be there
    std::set<Height> wished;   // used where they are: y that draws the compact index
    std::set<Height> outputs;  // whose y it rests on
    std::optional<ChainId> chain;
    bool seal_proof = false;
};

void need_link(Needs& needs, const NetworkParams& params, Height height, bool compact) {
    const std::optional<Height> anchored = anchor_height(params, height);
    const Height first = anchored ? *anchored : params.genesis_height;
    for (Height h = std::min(first, height); h <= height; ++h) needs.heights.insert(h);
    needs.outputs.insert(height);
    if (!compact) return;
    const Height draw = compact_draw_height(params, height);
    needs.wished.insert(draw);
    needs.outputs.insert(draw);
}

/// A height by itself, and the one before it whose digest its own covers.
void need_height(Needs& needs, const NetworkParams& params, Height height) {
    if (height > params.genesis_height) needs.heights.insert(height - 1);
    needs.heights.insert(height);
}

/// What PublicRecord::known_height puts together: the anchor as well.
void need_known_height(Needs& needs, const NetworkParams& params, Height height) {
    need_height(needs, params, height);
    if (const auto anchored = anchor_height(params, height)) needs.heights.insert(*anchored);
}

template <class T>
std::optional<T> body_of(ByteView object) {
    Checked<T> decoded = T::decode(object.subspan(2));
    if (!decoded) return std::nullopt;
    return std::move(*decoded);
}

/// Of a link that was signed: its block and its anchor.
void need_signed(Needs& needs, const NetworkParams& params, Height height) {
    needs.heights.insert(height);
    if (const auto anchored = anchor_height(params, height)) needs.heights.insert(*anchored);
}

void need_proof(Needs& needs, const NetworkParams& params, const AnyProof& proof) {
    need_link(needs, params, receipt_of(proof).height, std::holds_alternative<Compact>(proof));
    needs.chain = chain_of(proof);
}

/// Nothing for what does not decode: its refusal needs no facts.
Needs needs_of(ByteView object, const VerifyHints& hints, const NetworkParams& params) {
    Needs needs;
    const Checked<Kind> kind = peek_kind(object);
    if (!kind) return needs;
    switch (*kind) {
        case Kind::kReceipt:
            if (const auto one = body_of<Receipt>(object)) {
                need_signed(needs, params, one->height);
            }
            needs.chain = hints.chain_id;
            break;
        case Kind::kBundle:
            if (const auto one = body_of<Bundle>(object)) need_signed(needs, params, one->height);
            needs.chain = hints.chain_id;
            break;
        case Kind::kMember:
            if (const auto one = body_of<Member>(object)) {
                need_signed(needs, params, one->bundled.height);
                needs.chain = one->chain_id;
            }
            break;
        case Kind::kCompact:
            if (auto one = body_of<Compact>(object)) need_proof(needs, params, std::move(*one));
            break;
        case Kind::kFull:
            if (auto one = body_of<Full>(object)) need_proof(needs, params, std::move(*one));
            break;
        case Kind::kWindow:
            if (const auto one = body_of<ProofWindow>(object)) {
                for (const AnyProof& link : one->links) need_proof(needs, params, link);
            }
            break;
        case Kind::kPath:
            if (hints.height) need_known_height(needs, params, *hints.height);
            break;
        case Kind::kCheckpoint:
            if (const auto one = body_of<Checkpoint>(object)) {
                need_known_height(needs, params, one->height);
            }
            break;
        case Kind::kRegistration:
            if (const auto one = body_of<Registration>(object)) {
                needs.wished.insert(one->genesis_height);
            }
            break;
        case Kind::kUpdate:
            if (const auto one = body_of<Update>(object)) needs.chain = one->chain_id;
            break;
        case Kind::kRemoval:
            if (const auto one = body_of<Removal>(object)) needs.chain = one->chain_id;
            break;
        case Kind::kHead:
            if (const auto one = body_of<JournalHead>(object)) needs.wished.insert(one->height);
            break;
        case Kind::kSealProof: {
            Reader head(object.subspan(2));
            const auto chain_id = head.fixed<ChainId>();
            const Height y_height = head.height();
            if (head.failed()) break;
            needs.chain = chain_id;
            needs.heights.insert(y_height);
            needs.outputs.insert(y_height);
            needs.seal_proof = true;
            break;
        }
        default:
            break;
    }
    return needs;
}

bool same_block(const BlockInfo& a, const BlockInfo& b) {
    return a.hash == b.hash && a.parent == b.parent && a.time_ms == b.time_ms;
}

std::string list_of(const std::set<Height>& heights) {
    std::string out;
    for (const Height h : heights) out += (out.empty() ? "" : ", ") + std::to_string(h.value);
    return out;
}

}  // namespace

class LightClient::Impl {
  public:
    Impl(const NetworkParams& params, std::vector<LightNode> nodes, LightOptions options,
         LightCache cache);

    Result<LightReport> verify(ByteView object, const VerifyHints& hints,
                               const VerifyOptions& options);
    Result<LightReport> verify_link(const ChainId& chain_id, Height height);
    Result<LightLeaf> leaf(const ChainId& chain_id, Height height);
    Result<FollowTip> tip();

    NetworkParams params_;
    std::vector<LightFault> faults_;
    LightTraffic traffic_;
    LightOutputs outputs_;

  private:
    using Step = std::function<Status(LightNodeView& node)>;

    Status with_each(const Step& step);
    void leave_out(LightNodeView& node, const Error& why);
    Error nobody() const;
    Status gather(const Needs& needs);
    Status gather_from(LightNodeView& node, const Needs& needs);
    Status need_runs(LightNodeView& node, const std::set<Height>& heights);
    Status need_seal(LightNodeView& node, const ChainId& chain_id);
    Status check_outputs(LightNodeView& node, const std::set<Height>& heights);
    Status agree() const;
    Status agree(const LightNodeView& a, const LightNodeView& b) const;
    void merge();
    void prove_total(ByteView object, LightReport& report) const;
    std::vector<std::string> rests_on(const Needs& needs) const;
    std::vector<std::string> rests_on_outputs(const Needs& needs) const;
    std::string who() const;
    Status keep();

    LightOptions options_;
    LightCache known_;
    std::vector<std::unique_ptr<LightNodeView>> nodes_;  // that have not lied
    std::vector<std::unique_ptr<LightNodeView>> liars_;
    std::map<const LightNodeView*, std::string> away_;  // in the step under way, and why
};

LightClient::Impl::Impl(const NetworkParams& params, std::vector<LightNode> nodes,
                        LightOptions options, LightCache cache)
    : params_(params),
      outputs_(params, options.outputs),
      options_(std::move(options)),
      known_(std::move(cache)) {
    for (const CheckedOutput& one : known_.outputs) outputs_.note(one);
    for (LightNode& node : nodes) {
        FollowRequest counted = [this, ask = std::move(node.ask)](ByteView message) {
            ++traffic_.requests;
            traffic_.bytes_sent += message.size();
            Result<Bytes> answer = ask(message);
            if (answer) traffic_.bytes_fetched += answer->size();
            return answer;
        };
        nodes_.push_back(std::make_unique<LightNodeView>(std::move(node.name), std::move(counted),
                                                         known_.record, known_.vouched,
                                                         known_.newest));
    }
}

// --- nodes ---------------------------------------------------------------------------------------

/// A lie ends it for good; whoever is away, or has not what is needed, is asked again next time.
void LightClient::Impl::leave_out(LightNodeView& node, const Error& why) {
    constexpr std::size_t kMostFaults = 256;  // of those who are away, one after another
    const bool lied = why.code == ErrorCode::kRefused;
    const LightFault fault{node.name(), lied, why.message, why.verdict};
    const bool known = std::any_of(faults_.begin(), faults_.end(), [&](const LightFault& one) {
        return one.node == fault.node && one.why == fault.why;
    });
    if (!known && (lied || faults_.size() < kMostFaults)) faults_.push_back(fault);
    const auto at = std::find_if(nodes_.begin(), nodes_.end(),
                                 [&](const auto& one) { return one.get() == &node; });
    if (at == nodes_.end()) return;
    if (!lied) {
        away_[&node] = why.message;
        return;
    }
    away_.erase(&node);
    liars_.push_back(std::move(*at));  // whoever asks it now still holds it
    nodes_.erase(at);
}

/// Each node with its reason.
Error LightClient::Impl::nobody() const {
    Error out{ErrorCode::kRefused, "no node is left that has what is needed", {}};
    for (const LightFault& fault : faults_) {
        if (!fault.lied) continue;
        out.message += "; " + fault.node + " lies: " + fault.why;
        if (out.verdict) out.verdict = fault.verdict;
    }
    for (const auto& [node, why] : away_) out.message += "; " + node->name() + ": " + why;
    if (!away_.empty()) out.code = ErrorCode::kUnavailable;
    return out;
}

Status LightClient::Impl::with_each(const Step& step) {
    std::vector<LightNodeView*> asked;
    for (const auto& node : nodes_) {
        if (!away_.contains(node.get())) asked.push_back(node.get());
    }
    for (LightNodeView* node : asked) {
        const Status done = step(*node);
        if (done) continue;
        if (done.error().code == ErrorCode::kInterrupted) return done;
        leave_out(*node, done.error());
    }
    if (nodes_.size() > away_.size()) return {};
    return fail(nobody());
}

// --- facts ---------------------------------------------------------------------------------------

/// In runs of neighbours, so that each digest is seen to cover the one before it.
Status LightClient::Impl::need_runs(LightNodeView& node, const std::set<Height>& heights) {
    for (auto at = heights.begin(); at != heights.end();) {
        const Height first = *at;
        Height last = first;
        for (++at; at != heights.end() && *at == last + 1; ++at) last = *at;
        HOLDFAST_TRY(node.need(first, last));
    }
    return {};
}

/// Spec 3.1: a registration's challenge is drawn from the first y at accepted + seal_delay or
/// after.
Status LightClient::Impl::need_seal(LightNodeView& node, const ChainId& chain_id) {
    const Height due = node.record().chains().at(chain_id).accepted + params_.seal_delay;
    for (Height h = due;; ++h) {
        HOLDFAST_ASSIGN(facts, node.height(h));
        if (facts.y) return {};
    }
}

Status LightClient::Impl::check_outputs(LightNodeView& node, const std::set<Height>& heights) {
    for (const Height h : heights) {
        const auto facts = node.record().heights().find(h);
        if (facts == node.record().heights().end() || !facts->second.y) continue;
        HOLDFAST_ASSIGN(
            verdict, outputs_.check(node.client(), [&](Height at) { return node.height(at); }, h));
        if (!verdict) {
            return fail_refused(verdict, "y of height " + std::to_string(h.value));
        }
    }
    return {};
}

Status LightClient::Impl::gather_from(LightNodeView& node, const Needs& needs) {
    HOLDFAST_TRY(need_runs(node, needs.heights));
    for (const Height h : needs.wished) {
        const Status there = node.need(h, h);
        if (!there && there.error().code != ErrorCode::kNotFound) return there;
    }
    if (needs.chain) {
        const Status known = node.need_chain(*needs.chain);
        // Not a lie: nobody can show that a chain was never registered.
        const bool unknown = !known && known.error().verdict.reason == Reason::kUnknownChain;
        if (!known && !unknown) return known;
        if (unknown) return fail(ErrorCode::kNotFound, "it knows no such chain");
        if (needs.seal_proof) HOLDFAST_TRY(need_seal(node, *needs.chain));
    }
    return check_outputs(node, needs.outputs);
}

/// That two nodes, neither of which was caught lying, say the same.
Status LightClient::Impl::agree(const LightNodeView& a, const LightNodeView& b) const {
    const auto differ = [&](const std::string& what) {
        return fail(ErrorCode::kUnavailable,
                    a.name() + " and " + b.name() + " differ: " + what + "; nothing is decided");
    };
    for (const auto& [height, one] : a.record().heights()) {
        const auto found = b.record().heights().find(height);
        if (found == b.record().heights().end()) continue;
        const PublicHeight& other = found->second;
        const std::string at = " of height " + std::to_string(height.value);
        if (!same_block(one.block, other.block)) return differ("the block" + at);
        if (one.y && other.y && one.y != other.y) return differ("y" + at);
        if (one.global && other.global && (one.global != other.global || one.y != other.y)) {
            return differ("the digest" + at);
        }
    }
    for (const auto& [height, head] : a.heads()) {
        const auto found = b.heads().find(height);
        if (found != b.heads().end() && found->second != head) {
            return differ("the operator has signed two heads of height " +
                          std::to_string(height.value));
        }
    }
    for (const auto& [id, one] : a.record().chains()) {
        const auto found = b.record().chains().find(id);
        if (found != b.record().chains().end() && found->second.accepted != one.accepted) {
            return differ("when chain " + to_hex(id) + " was accepted");
        }
    }
    return {};
}

Status LightClient::Impl::agree() const {
    for (std::size_t i = 1; i < nodes_.size(); ++i) {
        for (std::size_t k = 0; k < i; ++k) HOLDFAST_TRY(agree(*nodes_[k], *nodes_[i]));
    }
    return {};
}

/// What the nodes agree on is known from here on.
void LightClient::Impl::merge() {
    for (const auto& node : nodes_) {
        for (const auto& [height, facts] : node->record().heights()) {
            const auto was = known_.record.heights().find(height);
            const bool newer = was == known_.record.heights().end() ||
                               (facts.global && !was->second.global) || (facts.y && !was->second.y);
            if (newer) known_.record.set_height(facts);
        }
        known_.vouched.insert(node->vouched().begin(), node->vouched().end());
        for (const auto& [height, parts] : node->covered()) known_.covered.insert(height);
        const auto& head = node->newest_head();
        if (head && (!known_.newest || known_.newest->size <= head->size)) known_.newest = head;
        for (const auto& [id, chain] : node->record().chains()) {
            const auto was = known_.record.chains().find(id);
            PublicChain all = chain;
            if (was != known_.record.chains().end()) {
                if (was->second.updates.size() > all.updates.size()) {
                    all.updates = was->second.updates;
                }
                for (const RevealState& reveal : was->second.reveals) {
                    if (std::find(all.reveals.begin(), all.reveals.end(), reveal) ==
                        all.reveals.end()) {
                        all.reveals.push_back(reveal);
                    }
                }
            }
            (void)known_.record.add_chain(std::move(all));  // held when it was taken from the node
        }
    }
}

Status LightClient::Impl::gather(const Needs& needs) {
    away_.clear();
    HOLDFAST_TRY(with_each([&](LightNodeView& node) { return gather_from(node, needs); }));
    HOLDFAST_TRY(agree());
    merge();
    return {};
}

Status LightClient::Impl::keep() {
    if (options_.cache.empty()) return {};
    known_.outputs = outputs_.checked();
    return known_.save(options_.cache);
}

// --- what a verdict rests on ---------------------------------------------------------------------

std::string LightClient::Impl::who() const {
    std::string out;
    for (const auto& node : nodes_) {
        if (away_.contains(node.get())) continue;
        out += (out.empty() ? "" : " and ") + node->name();
    }
    return out;
}

std::vector<std::string> LightClient::Impl::rests_on_outputs(const Needs& needs) const {
    std::vector<std::string> out;
    const LightOutputOptions& how = outputs_.options();
    std::set<Height> used;
    for (const Height h : needs.outputs) {
        const auto facts = known_.record.heights().find(h);
        if (facts != known_.record.heights().end() && facts->second.y) used.insert(h);
    }
    if (used.empty() || !params_.has_vdf) return out;
    if (how.how == LightY::kNone) {
        out.push_back("y of heights " + list_of(used) + ": not checked, the word of " + who());
        return out;
    }
    const bool all = how.how == LightY::kFull || how.segments >= params_.vdf.checkpoints;
    if (!all) {
        out.push_back("y of heights " + list_of(used) + ": not refuted by " +
                      std::to_string(how.segments) + " of " +
                      std::to_string(params_.vdf.checkpoints) + " segments drawn at random");
    }
    std::set<Height> sources;
    for (const Height h : used) {
        const std::optional<Height> source = epoch_source_height(params_, epoch_of(params_, h));
        if (source) sources.insert(*source);
    }
    if (all || sources.empty()) return out;
    const bool signed_all = std::all_of(sources.begin(), sources.end(), [&](Height h) {
        return known_.vouched.contains(h) && known_.covered.contains(h);
    });
    out.push_back("y that the VDF's epoch rests on, of height " + list_of(sources) + ": " +
                  (signed_all ? std::string("the operator's signature") : "the word of " + who()));
    return out;
}

std::vector<std::string> LightClient::Impl::rests_on(const Needs& needs) const {
    std::vector<std::string> out;
    std::set<Height> vouched;
    std::set<Height> told;
    std::set<Height> all = needs.heights;
    all.insert(needs.wished.begin(), needs.wished.end());
    for (const Height h : all) {
        if (!known_.record.heights().contains(h)) continue;
        (known_.vouched.contains(h) ? vouched : told).insert(h);
    }
    if (!vouched.empty()) {
        out.push_back("blocks and digests of heights " + list_of(vouched) +
                      ": the operator's signature");
    }
    if (!told.empty()) {
        out.push_back("blocks of heights " + list_of(told) + ": the word of " + who());
    }
    for (std::string& one : rests_on_outputs(needs)) out.push_back(std::move(one));
    return out;
}

// --- what is asked of it -------------------------------------------------------------------------

/// Spec 10.6: the digest covers the number of chains.
void LightClient::Impl::prove_total(ByteView object, LightReport& report) const {
    if (!report.judged.total || report.judged.total->proven || !report.judged.height) return;
    const auto checkpoint = body_of<Checkpoint>(object);
    if (!checkpoint) return;
    for (const auto& node : nodes_) {
        const auto parts = node->covered().find(*report.judged.height);
        if (parts == node->covered().end()) continue;
        report.judged.total->proven = parts->second.total_chains == checkpoint->total_chains;
        if (!report.judged.total->proven) report.judged.verdict = Reason::kGlobalMismatch;
        return;
    }
}

Result<LightReport> LightClient::Impl::verify(ByteView object, const VerifyHints& hints,
                                              const VerifyOptions& options) {
    const Needs needs = needs_of(object, hints, params_);
    if (!needs.heights.empty() || !needs.wished.empty() || needs.chain) {
        HOLDFAST_TRY(gather(needs));
    }
    const Verifier verifier(known_.record);
    HOLDFAST_ASSIGN(judged, verifier.verify(object, hints, options));
    LightReport report{std::move(judged), Bytes(object.begin(), object.end()), rests_on(needs)};
    prove_total(object, report);
    HOLDFAST_TRY(keep());
    traffic_.output_seconds = outputs_.seconds();
    return report;
}

Result<LightReport> LightClient::Impl::verify_link(const ChainId& chain_id, Height height) {
    std::vector<LightNodeView*> asked;
    for (const auto& node : nodes_) asked.push_back(node.get());
    std::map<const LightNodeView*, std::string> without;
    for (LightNodeView* node : asked) {
        Result<AnyProof> proof = node->client().link_proof(chain_id, height);
        if (!proof && proof.error().code == ErrorCode::kInterrupted) return fail(proof.error());
        if (!proof) {
            // That there is no such link is no lie by itself: another node may have it.
            const bool says_so = proof.error().code == ErrorCode::kRefused;
            leave_out(
                *node,
                {says_so ? ErrorCode::kNotFound : proof.error().code, proof.error().message, {}});
            without[node] = proof.error().message;
            continue;
        }
        HOLDFAST_ASSIGN(report, verify(wrap_object(kind_of(*proof), encode_body(*proof)), {}, {}));
        if (report.judged.verdict) return report;
        leave_out(*node,
                  fail_refused(report.judged.verdict, "the proof that it hands out").value());
    }
    away_.insert(without.begin(), without.end());
    return fail(nobody());
}

Result<LightLeaf> LightClient::Impl::leaf(const ChainId& chain_id, Height height) {
    Needs needs;
    need_height(needs, params_, height);
    HOLDFAST_TRY(gather(needs));
    LightLeaf out{known_.record.heights().at(height), std::nullopt};
    bool none = false;
    const Status asked = with_each([&](LightNodeView& node) -> Status {
        if (out.leaf) return {};
        const Result<PathProof> path = node.path(chain_id, height);
        if (path) {
            out.leaf = path->leaf;
            return {};
        }
        const Reason reason = path.error().verdict.reason;
        if (reason != Reason::kNotInDigest && reason != Reason::kUnknownChain) {
            return fail(path.error());
        }
        none = true;
        return {};
    });
    HOLDFAST_TRY(keep());
    if (out.leaf || none) return out;
    return fail(asked ? nobody() : asked.error());
}

Result<FollowTip> LightClient::Impl::tip() {
    away_.clear();
    std::optional<FollowTip> newest;
    HOLDFAST_TRY(with_each([&](LightNodeView& node) -> Status {
        HOLDFAST_ASSIGN(said, node.client().tip());
        if (!newest || said.height > newest->height) newest = said;
        return {};
    }));
    return *newest;
}

// --- the class itself ----------------------------------------------------------------------------

Result<std::unique_ptr<LightClient>> LightClient::open(const NetworkParams& params,
                                                       std::vector<LightNode> nodes,
                                                       const LightOptions& options) {
    if (nodes.empty()) return fail(ErrorCode::kInvalidArgument, "a light client needs a node");
    if (options.outputs.segments < 1 || options.outputs.segments > kMaxSegmentsAsked) {
        return fail(
            ErrorCode::kInvalidArgument,
            "a spot check looks at 1 to " + std::to_string(kMaxSegmentsAsked) + " segments");
    }
    LightCache cache{PublicRecord(params), {}, {}, {}, {}};
    if (!options.cache.empty()) {
        HOLDFAST_ASSIGN(kept, LightCache::load(options.cache, params));
        cache = std::move(kept);
    }
    return std::unique_ptr<LightClient>(new LightClient(
        std::make_unique<Impl>(params, std::move(nodes), options, std::move(cache))));
}

LightClient::LightClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LightClient::~LightClient() = default;

Result<LightReport> LightClient::verify(ByteView object, const VerifyHints& hints,
                                        const VerifyOptions& options) {
    return impl_->verify(object, hints, options);
}
Result<LightReport> LightClient::verify_link(const ChainId& chain_id, Height height) {
    return impl_->verify_link(chain_id, height);
}
Result<LightLeaf> LightClient::leaf(const ChainId& chain_id, Height height) {
    return impl_->leaf(chain_id, height);
}
Result<FollowTip> LightClient::tip() { return impl_->tip(); }
const NetworkParams& LightClient::params() const { return impl_->params_; }
const std::vector<LightFault>& LightClient::faults() const { return impl_->faults_; }
LightTraffic LightClient::traffic() const { return impl_->traffic_; }

}  // namespace holdfast
