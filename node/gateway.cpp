#include "node/gateway.hpp"

#include <charconv>
#include <vector>

#include "clock/public_record.hpp"
#include "core/hash.hpp"
#include "json/json.hpp"
#include "proofs/digests.hpp"
#include "storage/process_limits.hpp"

namespace holdfast::node {
namespace {

using json::Json;

constexpr unsigned kStatusOk = 200;
constexpr unsigned kStatusNotModified = 304;
constexpr unsigned kStatusBadRequest = 400;
constexpr unsigned kStatusMissing = 404;
constexpr unsigned kStatusGone = 410;
constexpr unsigned kStatusFailed = 500;
constexpr unsigned kStatusUnavailable = 503;
// A year: what is closed never changes.
constexpr const char* kAgeForGood = "public, max-age=31536000, immutable";
constexpr const char* kAgeForNow = "public, max-age=1";
constexpr const char* kAgeNone = "no-store";

HttpResponse with_age(std::string type, std::string body, const char* age) {
    HttpResponse out{kStatusOk, std::move(type), std::move(body)};
    out.headers = {{"Cache-Control", age}};
    return out;
}
HttpResponse json_answer(const Json& json, const char* age) {
    return with_age("application/json", json::dump(json, json::kIndented) + "\n", age);
}
HttpResponse record_answer(const PublicRecord& record, const char* age) {
    return with_age("application/json", record.to_text(), age);
}
HttpResponse object_answer(Kind kind, ByteView body) {
    const Bytes object = wrap_object(kind, body);
    return with_age("application/octet-stream", std::string(object.begin(), object.end()),
                    kAgeForGood);
}
HttpResponse gateway_error(unsigned status, const Json& json) {
    HttpResponse out = json_answer(json, kAgeNone);
    out.status = status;
    return out;
}
HttpResponse senseless(const std::string& what) {
    return gateway_error(kStatusBadRequest, {{"error", what}, {"reason", "invalid-argument"}});
}
HttpResponse unknown_path() {
    return gateway_error(kStatusMissing, {{"error", "no such path; /public/ tells those there are"},
                                          {"reason", "not-found"}});
}

HttpResponse refused_with(Reason reason) {
    unsigned status = kStatusMissing;
    if (reason == Reason::kTooLate) status = kStatusGone;
    if (reason == Reason::kBusy) status = kStatusUnavailable;
    const ReasonInfo& why = describe(reason);
    HttpResponse out = gateway_error(status, {{"error", why.meaning}, {"reason", why.name}});
    if (status == kStatusUnavailable) out.headers.emplace_back("Retry-After", "1");
    return out;
}

/// An error of this node: its text names files, which are nobody's business.
HttpResponse node_failure() {
    return gateway_error(kStatusFailed,
                         {{"error", "this node cannot answer now"}, {"reason", "internal"}});
}

/// The answer of one type in what the source said; a response that says why there is none.
template <class T>
tl::expected<T, HttpResponse> answer_as(Result<FollowAnswer> answer) {
    if (!answer) return tl::unexpected(node_failure());
    if (const auto* why = std::get_if<FollowRefused>(&*answer)) {
        return tl::unexpected(refused_with(why->reason));
    }
    if (std::holds_alternative<FollowBusy>(*answer)) {
        return tl::unexpected(refused_with(Reason::kBusy));
    }
    auto* data = std::get_if<PublicAnswer>(&*answer);
    auto* wanted = data == nullptr ? nullptr : std::get_if<T>(data);
    if (wanted == nullptr) return tl::unexpected(node_failure());
    return std::move(*wanted);
}

std::vector<std::string_view> parts_of(std::string_view path) {
    std::vector<std::string_view> out;
    while (!path.empty()) {
        const std::size_t end = std::min(path.find('/'), path.size());
        out.push_back(path.substr(0, end));
        path.remove_prefix(std::min(end + 1, path.size()));
    }
    return out;
}

/// Decimal digits and nothing else.
template <class T>
std::optional<T> whole_number(std::string_view text) {
    T out = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) return {};
    return out;
}

/// What a parameter of the query says, `otherwise` where it is not given.
template <class T>
std::optional<T> parameter_of(const HttpRequest& request, std::string_view name, T otherwise) {
    const auto text = request.parameter(name);
    return text ? whole_number<T>(*text) : std::optional(otherwise);
}

void allow_any_site(HttpResponse& response, std::string_view if_none_match) {
    response.headers.emplace_back("Access-Control-Allow-Origin", "*");
    response.headers.emplace_back("Cross-Origin-Resource-Policy", "cross-origin");
    if (response.status != kStatusOk) return;
    const std::string tag =
        "\"" + to_hex(sha256(view(std::string_view(response.body)))).substr(0, 32) + "\"";
    response.headers.emplace_back("ETag", tag);
    if (if_none_match.find(tag) == std::string_view::npos && if_none_match != "*") return;
    response.status = kStatusNotModified;
    response.body.clear();
}

}  // namespace

Gateway::Gateway(const Registry& registry, PublicSource& source)
    : registry_(registry), source_(source), network_id_(to_hex(registry.network_id())) {}

HttpResponse Gateway::answer(const HttpRequest& request) {
    if (request.method != "GET" && request.method != "HEAD") {
        HttpResponse out =
            gateway_error(405, {{"error", "only GET and HEAD"}, {"reason", "invalid-argument"}});
        out.headers.emplace_back("Allow", "GET, HEAD");
        return out;
    }
    HttpResponse out = route(request);
    allow_any_site(out, request.header("if-none-match"));
    return out;
}

HttpResponse Gateway::route(const HttpRequest& request) {
    if (!request.path.starts_with(kPrefix)) return unknown_path();
    const auto parts = parts_of(std::string_view(request.path).substr(kPrefix.size()));
    if (parts.empty()) return index();
    const std::string_view what = parts[0];
    const std::size_t n = parts.size();
    if (n == 1 && what == "network.params") {
        return object_answer(Kind::kNetwork, registry_.params().encode());
    }
    if (n == 1 && what == "tip") return tip();
    if (n < 2) return unknown_path();
    if (what == "chains" || what == "replicas") {
        Digest id;
        if (parts[1].size() != 2 * Digest::kSize || !from_hex(parts[1], MutByteView(id.bytes))) {
            return senseless("an id is 64 hexadecimal digits");
        }
        const auto by = what == "chains" ? ChainQuestion::By::kChain : ChainQuestion::By::kReplica;
        const auto first = parameter_of<std::uint32_t>(request, "first", 0);
        if (n == 2) return first ? chain({by, id, *first}) : senseless("first is no number");
        if (n != 4 || by != ChainQuestion::By::kChain) return unknown_path();
        const auto height = whole_number<std::uint64_t>(parts[3]);
        if (!height) return senseless("a height is a whole number");
        if (parts[2] == "paths") return path({ChainId(id), Height(*height)});
        if (parts[2] == "proofs") return proof({ChainId(id), Height(*height)});
        return unknown_path();
    }
    const auto height = whole_number<std::uint64_t>(parts[1]);
    const bool is_known = what == "heights" || what == "digests" || what == "heads";
    if (!is_known || n > 3 || (n == 3) != (what == "heights")) return unknown_path();
    if (!height) return senseless("a height is a whole number");
    if (what == "digests") return digest(Height(*height));
    if (what == "heads") {
        const auto older = parameter_of<std::uint64_t>(request, "older", 0);
        return older ? head({Height(*height), *older}) : senseless("older is no number");
    }
    const auto count = whole_number<std::uint32_t>(parts[2]);
    if (!count || *count == 0 || *count > kMaxHeightsPage) return senseless("COUNT is 1 to 256");
    return heights(Height(*height), *count);
}

HttpResponse Gateway::index() const {
    const char* const paths[] = {"network.params",          "tip",
                                 "heights/FIRST/COUNT",     "digests/HEIGHT",
                                 "heads/HEIGHT?older=SIZE", "chains/ID?first=PLACE",
                                 "replicas/ID?first=PLACE", "chains/ID/paths/HEIGHT",
                                 "chains/ID/proofs/HEIGHT"};
    return json_answer(
        {{"format", "holdfast-gateway/1"}, {"network_id", network_id_}, {"paths", paths}},
        kAgeForNow);
}

HttpResponse Gateway::tip() {
    const auto newest = registry_.tip();
    const auto closed = registry_.closed();
    if (!newest || !closed) return node_failure();
    const auto number = [](const std::optional<Height>& h) {
        return h ? Json(h->value) : Json(nullptr);
    };
    return json_answer(
        {{"network_id", network_id_}, {"tip", number(*newest)}, {"closed", number(*closed)}},
        kAgeForNow);
}

HttpResponse Gateway::heights(Height first, std::uint32_t count) {
    const auto page =
        answer_as<PublicHeights>(source_.answer(PublicQuestion(HeightsQuestion{first, count})));
    if (!page) return page.error();
    PublicRecord record(registry_.params());
    bool closed = page->heights.size() == count;
    for (const PublicHeightFacts& one : page->heights) {
        closed = closed && one.global.has_value();
        record.set_height({one.block, one.beacon, one.y, one.global});
    }
    return record_answer(record, closed ? kAgeForGood : kAgeForNow);
}

// Spec 10.2.
HttpResponse Gateway::digest(Height height) {
    const bool is_first = height == registry_.params().genesis_height;
    const Height from = is_first ? height : Height(height.value - 1);
    const auto page = answer_as<PublicHeights>(
        source_.answer(PublicQuestion(HeightsQuestion{from, is_first ? 1U : 2U})));
    if (!page) return page.error();
    const PublicHeightFacts& own = page->heights.back();
    if (own.block.height != height || !own.global) return refused_with(Reason::kTooEarly);
    const auto previous = is_first ? std::optional(genesis_global(registry_.network_id()))
                                   : page->heights.front().global;
    if (!own.parts || !previous) return refused_with(Reason::kTooLate);
    return json_answer({{"network_id", network_id_},
                        {"height", height.value},
                        {"block_hash", to_hex(own.block.hash)},
                        {"y", own.y ? Json(to_hex(*own.y)) : Json(nullptr)},
                        {"previous_global", to_hex(*previous)},
                        {"regions", own.parts->regions},
                        {"total_chains", own.parts->total_chains},
                        {"regions_root", to_hex(own.parts->regions_root)},
                        {"global", to_hex(*own.global)}},
                       kAgeForGood);
}

HttpResponse Gateway::head(const HeadQuestion& question) {
    const auto found = answer_as<PublicHead>(source_.answer(PublicQuestion(question)));
    if (!found) return found.error();
    Json hashes = Json::array();
    for (const Digest& hash : found->consistency) hashes.push_back(to_hex(hash));
    return json_answer({{"head", to_hex(wrap_object(Kind::kHead, found->head.encode()))},
                        {"size", found->head.size},
                        {"older", question.older},
                        {"consistency", hashes}},
                       kAgeForGood);
}

HttpResponse Gateway::chain(const ChainQuestion& question) {
    const auto found = answer_as<PublicChainFacts>(source_.answer(PublicQuestion(question)));
    if (!found) return found.error();
    PublicRecord record(registry_.params());
    const auto added =
        record.add_chain({found->registration, found->accepted, found->updates, found->reveals});
    if (!added) return node_failure();
    return record_answer(record, kAgeForNow);
}

HttpResponse Gateway::path(const PathQuestion& question) {
    const auto found = answer_as<PublicPath>(source_.answer(PublicQuestion(question)));
    return found ? object_answer(Kind::kPath, found->path.encode()) : found.error();
}

HttpResponse Gateway::proof(const LinkProofQuestion& question) {
    const auto found = answer_as<PublicLinkProof>(source_.answer(PublicQuestion(question)));
    return found ? object_answer(kind_of(found->proof), encode_body(found->proof)) : found.error();
}

MonitorMount gateway_mount(Gateway& gateway) {
    return {std::string(Gateway::kPrefix),
            [&gateway](const HttpRequest& request) { return gateway.answer(request); }};
}

json::Json gateway_address(const std::unique_ptr<HttpServer>& server) {
    return server ? Json(server->address()) : Json(nullptr);
}

Result<std::unique_ptr<HttpServer>> start_gateway(const Config& config, Gateway& gateway) {
    if (config.public_listen.empty()) return std::unique_ptr<HttpServer>();
    HttpOptions options;
    options.address = config.public_listen;
    options.certificate = config.public_certificate;
    options.certificate_key = config.public_certificate_key;
    options.public_prefix = Gateway::kPrefix;
    options.only_public = true;
    auto server = HttpServer::start(options, [&gateway](const HttpRequest& request) {
        thread_local const bool after_the_clock = (lower_thread_priority(), true);
        (void)after_the_clock;
        return gateway.answer(request);
    });
    if (server) return server;
    Error error = std::move(server).error();
    error.message = "[public] cannot start: " + error.message;
    return fail(std::move(error));
}

}  // namespace holdfast::node
