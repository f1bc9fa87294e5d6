#include "node/metrics.hpp"

#include <unistd.h>

#include <array>
#include <charconv>
#include <filesystem>
#include <optional>

#include "storage/file.hpp"

namespace holdfast::node {
namespace {

using Labels = std::vector<std::pair<std::string, std::string>>;

class Writer {
  public:
    Writer(std::vector<Metric>& out, std::string prefix) : out_(out), prefix_(std::move(prefix)) {}
    void count(const char* name, const char* help, std::uint64_t value, Labels labels = {}) {
        add(name, help, Metric::Kind::kCounter, static_cast<double>(value), std::move(labels));
    }
    void gauge(const char* name, const char* help, std::uint64_t value) {
        add(name, help, Metric::Kind::kGauge, static_cast<double>(value), {});
    }

  private:
    void add(const char* name, const char* help, Metric::Kind kind, double value, Labels labels) {
        out_.push_back({prefix_ + name, help, kind, value, std::move(labels)});
    }
    std::vector<Metric>& out_;
    std::string prefix_;
};

/// Pages of memory, virtual and resident; none where the system does not tell.
std::optional<std::pair<std::uint64_t, std::uint64_t>> memory_pages() {
    const auto file = File::open("/proc/self/statm", File::Mode::kRead);
    if (!file) return std::nullopt;
    std::array<std::uint8_t, 256> text{};
    const auto bytes = file->read_some_at(0, text);  // such a file has no size
    if (!bytes) return std::nullopt;
    const char* const begin = reinterpret_cast<const char*>(text.data());
    const char* const end = begin + *bytes;
    std::pair<std::uint64_t, std::uint64_t> out;
    const auto first = std::from_chars(begin, end, out.first);
    if (first.ec != std::errc{} || first.ptr == end) return std::nullopt;
    const auto second = std::from_chars(first.ptr + 1, end, out.second);
    if (second.ec != std::errc{}) return std::nullopt;
    return out;
}

}  // namespace

void append_metrics(std::vector<Metric>& out, const TcpStatistics& s) {
    Writer w(out, "holdfast_transport_");
    w.gauge("connections", "Connections now, handshakes included.", s.connections);
    w.gauge("handshakes", "Handshakes in progress.", s.handshakes);
    w.gauge("peers_connected", "Peers connected now.", s.peers_connected);
    w.gauge("requests_waiting", "Requests of peers that are not answered yet.", s.requests_waiting);
    w.gauge("held_bytes", "Bytes arriving or waiting to be sent.", s.bytes_held);
    w.count("accepted_total", "Connections accepted.", s.accepted);
    w.count("dialled_total", "Connections dialled.", s.dialled);
    w.count("handshakes_completed_total", "Handshakes that came to an end.", s.completed);
    constexpr const char* kRefused = "refused_total";
    constexpr const char* kHelp = "Connections and frames refused, by why.";
    w.count(kRefused, kHelp, s.refused_ceiling, {{"reason", "ceiling"}});
    w.count(kRefused, kHelp, s.refused_tls, {{"reason", "tls"}});
    w.count(kRefused, kHelp, s.refused_key, {{"reason", "key"}});
    w.count(kRefused, kHelp, s.refused_version, {{"reason", "version"}});
    w.count(kRefused, kHelp, s.refused_network, {{"reason", "network"}});
    w.count(kRefused, kHelp, s.refused_malformed, {{"reason", "malformed"}});
    for (std::size_t i = 0; i < s.link_failures.size(); ++i) {
        w.count("not_connected_total", "Attempts to connect to peers, and their ends, by why.",
                s.link_failures[i],
                {{"reason", std::string(to_string(static_cast<LinkFailure>(i)))}});
    }
    w.count("timeouts_total", "Handshakes, frames and silent connections cut off.", s.timed_out);
    w.count("throttled_total", "Times that reading from a peer paused.", s.throttled);
    w.count("same_key_total",
            "Connections that another process with this one's key has taken the place of.",
            s.same_key);
    w.count("peers_doubled_total", "Times that a peer's key was in use by two processes at once.",
            s.peers_doubled);
    w.count("duplicates_total", "Repeated requests and posts not handed over again.", s.duplicates);
    w.count("busy_total", "Requests of peers refused for a ceiling.", s.busy);
    w.count("received_frames_total", "Frames received.", s.frames_in);
    w.count("sent_frames_total", "Frames sent.", s.frames_out);
    w.count("received_bytes_total", "Bytes of frames received.", s.bytes_in);
    w.count("sent_bytes_total", "Bytes of frames sent.", s.bytes_out);
}

void append_metrics(std::vector<Metric>& out, const ResponderStatistics& s) {
    Writer w(out, "holdfast_challenges_");
    w.count("answered_total", "Availability challenges answered.", s.answered);
    w.count("failed_total", "Challenges for data that could not be read, or are damaged.",
            s.failed);
    for (const auto& [reason, count] : s.ignored) {
        w.count("ignored_total", "Challenges ignored, by why.", count,
                {{"reason", std::string(describe(reason).name)}});
    }
}

void append_metrics(std::vector<Metric>& out, const ChunkServerStatistics& s) {
    Writer w(out, "holdfast_reading_");
    w.count("answers_total", "Requests of readers answered with data.", s.answers);
    w.count("answer_bytes_total", "Bytes of chunks and proofs in them.", s.bytes);
    w.count("refused_total", "Requests of readers refused.", s.refused);
    w.count("busy_total", "Readers told to retry.", s.busy);
    w.count("failed_total", "Requests for data that are damaged or cannot be read.", s.failed);
}

void append_metrics(std::vector<Metric>& out, const ChallengerReport& r) {
    Writer w(out, "holdfast_challenger_");
    w.count("sent_total", "Challenges sent.", r.sent);
    constexpr const char* kOutcomes = "outcomes_total";
    constexpr const char* kHelp = "Challenges judged, by outcome.";
    w.count(kOutcomes, kHelp, r.served, {{"outcome", "served"}});
    w.count(kOutcomes, kHelp, r.late, {{"outcome", "late"}});
    w.count(kOutcomes, kHelp, r.invalid, {{"outcome", "invalid"}});
    w.count(kOutcomes, kHelp, r.unreachable, {{"outcome", "unreachable"}});
    w.count("abandoned_total", "Challenges planned or sent of which nothing can be said.",
            r.abandoned);
}

void append_metrics(std::vector<Metric>& out, const FollowerStatus& s) {
    Writer w(out, "holdfast_followed_");
    w.gauge("reachable", "1 while the node that is followed answers.", s.reachable ? 1 : 0);
    if (s.tip) w.gauge("tip", "Newest final height told here.", s.tip->value);
    w.gauge("tip_age_ms", "Milliseconds since it was told.", s.tip_age_ms);
    w.count("answers_total", "Looks at the tip that were answered.", s.polls);
    w.count("failures_total", "Looks at the tip that were not.", s.failures);
}

void append_metrics(std::vector<Metric>& out, const FollowServiceStatistics& s) {
    Writer w(out, "holdfast_followers_");
    w.count("questions_total", "Questions of followers answered.", s.questions);
    w.count("submissions_total", "Objects taken for the chain.", s.submissions);
    w.count("failed_total", "Objects that the chain could not take.", s.failed);
    w.count("garbage_total", "Objects that no sound prover makes.", s.garbage);
    w.count("sent_away_total", "Times that a peer lost its connection for them.", s.dropped);
    for (const auto& [reason, count] : s.refused) {
        w.count("refused_total", "Questions and objects refused, by why.", count,
                {{"reason", std::string(describe(reason).name)}});
    }
}

void append_metrics(std::vector<Metric>& out, const HostCounts& c) {
    Writer w(out, "holdfast_node_");
    w.count("blocks_total", "Final blocks processed.", c.blocks);
    if (c.tip) w.gauge("tip", "Newest final height processed.", c.tip->value);
    w.gauge("behind", "Final blocks to go.", c.behind);
    w.count("slashed_total", "Chains whose bond was forfeited.", c.slashed);
    w.count("handed_over_messages_total", "Messages with objects for the journal.",
            c.door.messages);
    w.count("handed_over_objects_total", "Objects in them.", c.door.objects);
    w.count("handed_over_transactions_total", "Transactions of the registry that took them.",
            c.door.transactions);
    w.count("acknowledged_total", "Messages of which everything stands in the journal.",
            c.door.acknowledged);
    w.count("handed_over_again_total", "Objects that stood in the journal already.",
            c.door.repeated);
    w.count("handed_over_left_total", "Objects not looked at, behind too much garbage.",
            c.door.left);
    constexpr const char* kObjects = "objects_total";
    constexpr const char* kHelp =
        "Objects that blocks have listed or peers handed over, by kind and verdict.";
    for (const auto& [kind, judged] : c.objects) {
        const std::string name(to_string(kind));
        w.count(kObjects, kHelp, judged.accepted, {{"kind", name}, {"verdict", "ok"}});
        for (const auto& [reason, count] : judged.refused) {
            w.count(kObjects, kHelp, count,
                    {{"kind", name}, {"verdict", std::string(describe(reason).name)}});
        }
    }
}

void append_metrics(std::vector<Metric>& out, const Log& log) {
    Writer(out, "holdfast_log_")
        .count("lost_lines_total", "Lines that could not be written.", log.lost());
}

void append_process_metrics(std::vector<Metric>& out) {
    Writer w(out, "process_");
    if (const auto pages = memory_pages()) {
        const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
        w.gauge("virtual_memory_bytes", "Virtual memory.", pages->first * page);
        w.gauge("resident_memory_bytes", "Resident memory.", pages->second * page);
    }
    std::error_code failed;
    std::filesystem::directory_iterator descriptors("/proc/self/fd", failed);
    if (!failed) {
        const auto open = std::distance(begin(descriptors), end(descriptors));
        // One of them is the folder that is being read.
        w.gauge("open_fds", "Open descriptors.", static_cast<std::uint64_t>(open) - 1);
    }
}

}  // namespace holdfast::node
