#include "follow/duty_client.hpp"

#include <algorithm>

namespace holdfast {
namespace {

constexpr std::size_t kBatchHeadBytes = 3 + 4;
constexpr std::size_t kBatchEntryBytes = 4;

/// Spec 14: entries lie behind `after`, up to the chain behind which to go on.
template <class T>
Status check_page(const OwnedPage<T>& page, const ChainId& after) {
    const bool behind = page.found.empty() || after < page.found.front().chain_id;
    const bool goes_on = !page.more || after < *page.more;
    if (!behind || !goes_on) return fail_refused(Reason::kNotCanonical, kFollowedNode);
    return {};
}

template <class T>
Status check_height(const T& said, Height asked) {
    if (said.height != asked) return fail_refused(Reason::kWrongHeight, kFollowedNode);
    return {};
}

/// How many of the objects fit into one message.
std::size_t fitting(std::span<const ByteView> objects, std::size_t most_bytes) {
    std::size_t bytes = kBatchHeadBytes;
    std::size_t n = 0;
    for (; n < objects.size() && n < kMaxBatchObjects; ++n) {
        bytes += kBatchEntryBytes + objects[n].size();
        if (bytes > most_bytes) break;
    }
    return n;
}

}  // namespace

DutyClient::DutyClient(FollowClient& node, const NetworkId& network_id, const PublicKey& host,
                       const DutyClientOptions& options)
    : node_(node), network_id_(network_id), host_(host), options_(options) {}

/// The whole list, page by page. A node looks through as many chains as were asked for while there
/// are more, so that a list has no more pages than that makes.
template <class Answer, class MakeQuestion>
auto DutyClient::fetch(const PublicKey& key, const MakeQuestion& question) const {
    using Found = decltype(Answer{}.page.found);
    const auto run = [&]() -> Result<Found> {
        Found out;
        OwnedRange range{key, ChainId{}, std::min(options_.page_chains, kMaxDutyPage)};
        for (std::uint32_t seen = 0; seen < options_.max_chains; seen += range.most) {
            const auto asked = question(range);
            HOLDFAST_ASSIGN(said, node_.ask_for<Answer>(asked));
            if (said.key != key) return fail_refused(Reason::kWrongProver, kFollowedNode);
            if constexpr (requires { asked.height; }) {
                HOLDFAST_TRY(check_height(said, asked.height));
            }
            HOLDFAST_TRY(check_page(said.page, range.after));
            out.insert(out.end(), said.page.found.begin(), said.page.found.end());
            if (!said.page.more) return out;
            range.after = *said.page.more;
        }
        return fail_refused(Reason::kTooLarge, kFollowedNode);
    };
    return run();
}

Result<DutyHeights> DutyClient::heights() {
    const std::optional<Height> least = node_.newest_told();
    Result<DutyHeights> said = node_.ask_for<DutyHeights>(DutyHeightsQuestion{});
    if (!said && said.error().code == ErrorCode::kNotFound) {
        return fail(ErrorCode::kUnavailable, said.error().message);
    }
    if (!said) return said;
    HOLDFAST_TRY(node_.note_tip(said->tip, said->tip_hash, least));
    for (const auto* list : {&said->open, &said->proven}) {
        for (const DutyHeight& h : *list) HOLDFAST_TRY(node_.note_block(h.height, h.block_hash));
    }
    return said;
}

Result<std::vector<DueLink>> DutyClient::due_links(const PublicKey& key, Height height) {
    return fetch<LinksDue>(
        key, [&](const OwnedRange& range) { return LinksDueQuestion{range, height}; });
}

Result<std::vector<DueProof>> DutyClient::due_proofs(const PublicKey& key, Height height) {
    return fetch<ProofsDue>(
        key, [&](const OwnedRange& range) { return ProofsDueQuestion{range, height}; });
}

Result<std::vector<FollowedDuty>> DutyClient::seal_duties(const PublicKey& key) {
    return fetch<SealDuties>(key,
                             [](const OwnedRange& range) { return SealDutiesQuestion{range}; });
}

Result<std::vector<FollowedChain>> DutyClient::chains_of(const PublicKey& key) {
    return fetch<OwnedChains>(key,
                              [](const OwnedRange& range) { return OwnedChainsQuestion{range}; });
}

Result<std::optional<Registration>> DutyClient::registration(const ChainId& chain_id) {
    HOLDFAST_ASSIGN(said, node_.ask_for<RegistrationFound>(RegistrationQuestion{chain_id}));
    const bool fits = said.chain_id == chain_id &&
                      (!said.registration || said.registration->chain_id(network_id_) == chain_id);
    if (!fits) return fail_refused(Reason::kWrongChain, kFollowedNode);
    return std::move(said.registration);
}

/// Spec 14: of the message that was sent, by the node that is meant, where everything stands.
Result<HandedBatch> DutyClient::send(Bytes message, std::size_t objects) const {
    HOLDFAST_ASSIGN(answer, node_.ask(message));
    HandedBatch out;
    out.message = std::move(message);
    if (const auto* refused = std::get_if<FollowRefused>(&answer)) {
        if (objects != 1) return fail_refused(refused->reason, kFollowedNode);
        out.objects.resize(1);
        out.objects[0].reason = refused->reason;
        return out;
    }
    if (std::holds_alternative<FollowTaken>(answer) && objects == 1) {
        out.objects.resize(1);
        return out;
    }
    auto* said = std::get_if<HandedOvers>(&answer);
    if (said == nullptr) return fail_refused(Reason::kBadKind, kFollowedNode);
    if (said->objects.size() != objects) return fail_refused(Reason::kBadIndex, kFollowedNode);
    if (said->acknowledgement) {
        const Verdict v =
            check_acknowledgement(network_id_, host_, out.message, *said->acknowledgement);
        if (!v) return fail_refused(v, kFollowedNode);
    }
    out.objects = std::move(said->objects);
    out.acknowledgement = said->acknowledgement;
    return out;
}

Result<HandOverMessage> DutyClient::message_of(std::span<const ByteView> objects) const {
    if (objects.empty()) return fail(ErrorCode::kInvalidArgument, "nothing is handed over");
    const std::size_t n = fitting(objects, std::min(options_.max_message_bytes, kMaxBatchBytes));
    if (n < 2) {
        if (objects[0].size() > options_.max_message_bytes) {
            return fail(ErrorCode::kInvalidArgument, std::to_string(objects[0].size()) +
                                                         " bytes: above what travels to " +
                                                         std::string(kFollowedNode));
        }
        return HandOverMessage{Bytes(objects[0].begin(), objects[0].end()), 1};
    }
    HandOver batch;
    for (const ByteView object : objects.first(n)) {
        batch.objects.emplace_back(object.begin(), object.end());
    }
    return HandOverMessage{encode_question(batch), n};
}

Result<HandedBatch> DutyClient::submit(ByteView object) { return hand_over({&object, 1}); }

Result<HandedBatch> DutyClient::hand_over(std::span<const ByteView> objects) {
    HOLDFAST_ASSIGN(message, message_of(objects));
    return send(std::move(message.bytes), message.objects);
}

}  // namespace holdfast
