// latency: how far away a prover is, whether it seems to fetch its data from elsewhere, and whether
// it can be where it claims to be.

#include <array>
#include <charconv>

#include "availability/latency_meter.hpp"
#include "callbacks/place.hpp"
#include "cli/commands.hpp"
#include "cli/peer_link.hpp"
#include "cli/workspace.hpp"
#include "embedded/loopback_network.hpp"
#include "storage/randomness.hpp"

namespace holdfast::cli {
namespace {

constexpr std::uint32_t kPlaceTimeoutMs = 10'000;
constexpr std::uint64_t kMaxReportBytes = std::uint64_t{1} << 20;
constexpr double kUsPerMs = 1'000;

struct LatencyArguments {
    PeerArguments peer;
    std::uint32_t samples = 21;
    std::uint32_t deadline_ms = 500;
    std::uint32_t limit_ms = 100;
    std::uint32_t hint_ms = 20;
    std::string place;
    std::string vantage;
    std::vector<std::string> reports;
    std::size_t least = 1;
};

/// Degrees with at most six decimals, as millionths; exact.
std::optional<std::int32_t> parse_degrees(std::string_view word) {
    constexpr std::size_t kDecimals = 6;
    const bool negative = !word.empty() && word.front() == '-';
    if (negative) word.remove_prefix(1);
    const std::size_t point = word.find('.');
    std::string digits(word.substr(0, point));
    const std::string fraction(point == std::string_view::npos ? "" : word.substr(point + 1));
    if (digits.empty() || digits.size() > 3 || fraction.size() > kDecimals ||
        (point != std::string_view::npos && fraction.empty())) {
        return std::nullopt;
    }
    digits += fraction + std::string(kDecimals - fraction.size(), '0');
    std::int32_t value = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stop, failed] = std::from_chars(digits.data(), end, value);
    if (failed != std::errc{} || stop != end || digits.front() == '-') return std::nullopt;
    return negative ? -value : value;
}

Result<Place> parse_place(const std::string& word, const char* what) {
    const std::size_t comma = word.find(',');
    if (comma != std::string::npos) {
        const auto latitude = parse_degrees(std::string_view(word).substr(0, comma));
        const auto longitude = parse_degrees(std::string_view(word).substr(comma + 1));
        const Place place{latitude.value_or(INT32_MAX), longitude.value_or(INT32_MAX)};
        if (is_on_earth(place)) return place;
    }
    return fail(ErrorCode::kInvalidArgument,
                std::string(what) +
                    " is LATITUDE,LONGITUDE in degrees, e.g. 47.3769,8.5417, not '" + word + "'");
}

struct Vantage {
    std::string name;
    Place place;
};

/// NAME=LATITUDE,LONGITUDE
Result<Vantage> parse_vantage(const std::string& word) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0) {
        return fail(ErrorCode::kInvalidArgument,
                    "--vantage is NAME=LATITUDE,LONGITUDE of this machine, not '" + word + "'");
    }
    HOLDFAST_ASSIGN(place, parse_place(word.substr(equals + 1), "the place in --vantage"));
    return Vantage{word.substr(0, equals), place};
}

Json place_json(const Place& place) {
    return {{"latitude_udeg", place.latitude_udeg}, {"longitude_udeg", place.longitude_udeg}};
}
Json report_json(const VantageReport& report) {
    return {
        {"vantage", report.vantage}, {"rtt_ns", report.rtt_ns}, {"distance_m", report.distance_m}};
}

/// What the same command found out elsewhere about the same peer and place, from its --json.
Result<std::vector<VantageReport>> read_reports(const std::string& file, const PublicKey& peer,
                                                const Place& claimed) {
    HOLDFAST_ASSIGN(bytes, read_stored_file(file, kMaxReportBytes));
    const Json json = Json::parse(bytes.begin(), bytes.end(), nullptr, false);
    std::vector<VantageReport> out;
    try {
        if (json.at("peer") != to_hex(peer) || json.at("claimed") != place_json(claimed)) {
            return fail(ErrorCode::kInvalidArgument, file + " is about another peer or place");
        }
        for (const Json& one : json.at("vantages")) {
            out.push_back({one.at("vantage").get<std::string>(),
                           one.at("rtt_ns").get<std::uint64_t>(),
                           one.at("distance_m").get<std::uint64_t>()});
        }
    } catch (const Json::exception&) {
        return fail(ErrorCode::kInvalidArgument,
                    file + " is not what holdfast latency --place --json prints");
    }
    return out;
}

std::string milliseconds(std::uint64_t us) {
    std::array<char, 32> text{};
    (void)std::snprintf(text.data(), text.size(), "%.3f ms", static_cast<double>(us) / kUsPerMs);
    return text.data();
}

void tell(Output& out, const LatencyMeasurement& m, const LatencyArguments& arguments) {
    const auto summary = [&](const char* name, const LatencySummary& s) {
        out.json[name] = {{"minimum_us", s.minimum}, {"median_us", s.median}};
        out.line(std::string(name) + ": " + milliseconds(s.minimum) + " at least, median " +
                 milliseconds(s.median));
    };
    out.json["answered"] = m.answered;
    out.json["samples"] = arguments.samples;
    out.line("answered: " + std::to_string(m.answered) + " of " +
             std::to_string(arguments.samples));
    summary("ping", m.ping_us);
    summary("service", m.service_us);
    out.json["beyond_ping_us"] = m.beyond_ping_us;
    out.json["far"] = m.far;
    out.json["unstable"] = m.unstable;
    out.json["relay_hint"] = m.relay_hint;
    out.line("service beyond ping: " + milliseconds(m.beyond_ping_us));
    if (m.far) {
        out.line("far: the median ping is above " + std::to_string(arguments.limit_ms) + " ms");
    }
    if (m.unstable) {
        out.line(
            "unstable: the pings spread by more than 0.3 of their mean; do not trust the "
            "medians");
    }
    out.line(m.relay_hint ? "hint: it may fetch its data from elsewhere, or have a slow disk (" +
                                std::to_string(arguments.hint_ms) + " ms beyond the pings or more)"
                          : "no hint that it fetches its data from elsewhere");
    out.line("not seen: a store within " + std::to_string(arguments.hint_ms) +
             " ms of the prover, and a relay that delays its pings as well");
}

/// What this vantage and those of the reports measured.
Result<std::vector<VantageReport>> vantages_of(PeerLink& link, const LatencyArguments& arguments,
                                               const Place& claimed) {
    HOLDFAST_ASSIGN(all, link.network().verify_place(link.peer().key, claimed, kPlaceTimeoutMs));
    for (const std::string& file : arguments.reports) {
        HOLDFAST_ASSIGN(more, read_reports(file, link.peer().key, claimed));
        all.insert(all.end(), more.begin(), more.end());
    }
    return all;
}

void judge_place(Output& out, const std::vector<VantageReport>& vantages, const Place& claimed,
                 std::size_t least) {
    std::vector<PlaceMeasurement> measured;
    out.json["claimed"] = place_json(claimed);
    out.json["vantages"] = Json::array();
    for (const VantageReport& one : vantages) {
        measured.push_back({one.rtt_ns, one.distance_m});
        out.json["vantages"].push_back(report_json(one));
        out.line("from " + one.vantage + ": " + milliseconds(one.rtt_ns / 1'000) + ", " +
                 std::to_string(one.distance_m / 1'000) + " km from the claimed place");
    }
    Verdict verdict = check_place(measured);
    if (verdict && measured.size() < least) verdict = Reason::kTooFewSamples;
    out.verdict(verdict);
    if (verdict) {
        out.line(
            "accepted means not ruled out: light would have had the time. A peer can seem farther "
            "away than it is by answering slowly, never nearer");
    }
}

CommandResult latency(const LatencyArguments& arguments) {
    if (arguments.place.empty() != arguments.vantage.empty() ||
        (arguments.place.empty() && !arguments.reports.empty())) {
        return fail(ErrorCode::kInvalidArgument,
                    "--place and --vantage belong together, and --with needs them");
    }
    HOLDFAST_ASSIGN(chain, AskedChain::find(arguments.peer.chain, arguments.peer.network));
    TcpNetworkOptions options;
    Place claimed;
    if (!arguments.place.empty()) {
        HOLDFAST_ASSIGN(place, parse_place(arguments.place, "--place"));
        HOLDFAST_ASSIGN(vantage, parse_vantage(arguments.vantage));
        claimed = place;
        options.place = vantage.place;
        options.vantage = vantage.name;
    }
    HOLDFAST_ASSIGN(link, PeerLink::connect(arguments.peer, chain, std::move(options)));
    LatencyPlan plan;
    plan.chain_id = chain.source.chain_id;
    plan.replica = chain.source.context(ReadWhat::kSealed);
    plan.samples = arguments.samples;
    plan.deadline_ms = arguments.deadline_ms;
    plan.median_limit_ns = std::uint64_t{arguments.limit_ms} * 1'000'000;
    plan.hint_us = arguments.hint_ms * 1'000;
    HOLDFAST_ASSIGN(measured, measure_peer(link->network(), link->peer().key, plan, [] {
                        std::array<std::uint8_t, 8> bytes{};
                        (void)random_bytes(bytes);
                        return load_le64(bytes.data());
                    }));
    Output out;
    out.field("peer", to_hex(link->peer().key));
    out.field("address", link->peer().address);
    tell(out, measured, arguments);
    if (!arguments.place.empty()) {
        HOLDFAST_ASSIGN(vantages, vantages_of(*link, arguments, claimed));
        judge_place(out, vantages, claimed, arguments.least);
    }
    return out;
}

}  // namespace

void add_latency_command(Commands& commands) {
    auto a = std::make_shared<LatencyArguments>();
    CLI::App* command = commands.app().add_subcommand(
        "latency", "how far away a prover is, and whether it can be where it says");
    a->peer.add_to(command);
    command->add_option("--samples", a->samples, "pings and requests for one chunk, in turns")
        ->check(CLI::Range(5, 1'000))
        ->capture_default_str();
    command->add_option("--deadline-ms", a->deadline_ms, "of each request")
        ->check(CLI::Range(1, 60'000))
        ->capture_default_str();
    command->add_option("--limit-ms", a->limit_ms, "median ping above which it is far")
        ->check(CLI::Range(1, 60'000))
        ->capture_default_str();
    command
        ->add_option("--hint-ms", a->hint_ms,
                     "median service beyond ping from which it is a hint at a relay")
        ->check(CLI::Range(1, 60'000))
        ->capture_default_str();
    command->add_option("--place", a->place, "LATITUDE,LONGITUDE that the prover claims");
    command->add_option("--vantage", a->vantage, "NAME=LATITUDE,LONGITUDE of this machine");
    command->add_option("--with", a->reports,
                        "what this command printed elsewhere with --json: further vantages");
    command->add_option("--least", a->least, "vantages that must have measured")
        ->check(CLI::Range(1, 1'000))
        ->capture_default_str();
    commands.run(command,
                 "  holdfast latency data.bin.registration --public public --from 10.0.0.7:9001\n"
                 "  holdfast latency CHAIN_ID --public public --from 10.0.0.7:9001 --place "
                 "47.3769,8.5417 --vantage paris=48.8566,2.3522 --with oslo.json --least 2\n",
                 [a] { return latency(*a); });
}

}  // namespace holdfast::cli
