#include "node/events.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

#include "json/json.hpp"

namespace holdfast::node {
namespace {

using json::Json;

constexpr std::size_t kMostEvents = 4'096;
constexpr std::size_t kMostEventBytes = std::size_t{4} << 20;
constexpr std::size_t kPartBytes = std::size_t{64} << 10;
constexpr std::size_t kListBytes = std::size_t{1} << 20;
constexpr std::size_t kMostNames = 64;

std::uint64_t wall_microseconds() {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                          std::chrono::system_clock::now().time_since_epoch())
                                          .count());
}

std::optional<std::uint64_t> parse_sequence(std::string_view text) {
    std::uint64_t out = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), out);
    if (text.empty() || read.ec != std::errc{} || read.ptr != text.data() + text.size()) {
        return std::nullopt;
    }
    return out;
}

std::string frame_of(const EventLog::Event& event) {
    return "id: " + std::to_string(event.sequence) + "\ndata: " + *event.json + "\n\n";
}

/// What was missed is an event, too: a follower must not take silence for peace.
std::string missed_frame(std::uint64_t missed) {
    const Json json = {{"event", "events.missed"}, {"level", "warn"}, {"missed", missed}};
    return "data: " + json::dump(json, json::kOneLine, json::Charset::kAscii) + "\n\n";
}

class EventStream final : public HttpStream {
  public:
    EventStream(const EventLog& log, EventFilter filter, std::uint64_t from)
        : log_(log), filter_(std::move(filter)), from_(from) {}

    std::optional<std::string> next(bool quiet) override {
        const EventLog::Batch batch = log_.read(from_, filter_, kPartBytes);
        from_ = batch.next;
        std::string out;
        if (batch.missed > 0) out += missed_frame(batch.missed);
        for (const EventLog::Event& event : batch.events) out += frame_of(event);
        if (out.empty() && quiet) out = ":\n\n";
        return out;
    }

  private:
    const EventLog& log_;
    const EventFilter filter_;
    std::uint64_t from_;
};

Result<EventFilter> filter_of(const HttpRequest& request) {
    EventFilter out;
    if (const auto level = request.parameter("level")) {
        const auto known = parse_log_level(*level);
        if (!known) {
            return fail(ErrorCode::kInvalidArgument, "level is debug, info, warn or error");
        }
        out.least = *known;
    }
    const std::string names = request.parameter("name").value_or("");
    for (std::size_t begin = 0; begin < names.size();) {
        const std::size_t end = std::min(names.find(',', begin), names.size());
        if (end > begin) out.names.push_back(names.substr(begin, end - begin));
        begin = end + 1;
    }
    if (out.names.size() > kMostNames) {
        return fail(ErrorCode::kInvalidArgument, "at most 64 names");
    }
    return out;
}

}  // namespace

bool EventFilter::takes(LogLevel level, std::string_view name) const {
    if (level < least) return false;
    return names.empty() || std::any_of(names.begin(), names.end(), [&](const std::string& one) {
               return name.starts_with(one);
           });
}

EventLog::EventLog() : next_(wall_microseconds()) {}

void EventLog::append(LogLevel level, std::string_view name, const std::string& json) {
    const std::lock_guard lock(mutex_);
    Event event{next_++, level, std::string(name), nullptr};
    event.json = std::make_shared<const std::string>(
        "{\"sequence\":" + std::to_string(event.sequence) +
        ",\"time_ms\":" + std::to_string(wall_microseconds() / 1'000) + "," + json.substr(1));
    bytes_ += event.json->size();
    ring_.push_back(std::move(event));
    while (ring_.size() > kMostEvents || bytes_ > kMostEventBytes) {
        bytes_ -= ring_.front().json->size();
        ring_.pop_front();
    }
    if (listener_) listener_();
}

EventLog::Batch EventLog::read(std::uint64_t from, const EventFilter& filter,
                               std::size_t most_bytes) const {
    const std::lock_guard lock(mutex_);
    Batch out;
    const std::uint64_t oldest = next_ - ring_.size();
    if (from == 0) from = oldest;
    if (from < oldest) out.missed = oldest - from;
    std::uint64_t at = std::clamp(from, oldest, next_);
    std::size_t bytes = 0;
    for (; at < next_ && bytes < most_bytes; ++at) {
        const Event& event = ring_[at - oldest];
        if (!filter.takes(event.level, event.name)) continue;
        bytes += event.json->size();
        out.events.push_back(event);
    }
    out.next = at;
    return out;
}

std::uint64_t EventLog::next() const {
    const std::lock_guard lock(mutex_);
    return next_;
}

void EventLog::on_append(std::function<void()> listener) {
    const std::lock_guard lock(mutex_);
    listener_ = std::move(listener);
}

HttpResponse answer_events(const EventLog& log, const HttpRequest& request) {
    const Result<EventFilter> filter = filter_of(request);
    if (!filter) return http_error(400, filter.error().message);
    std::optional<std::uint64_t> from;
    if (const auto given = request.parameter("from")) {
        from = parse_sequence(*given);
        if (!from) return http_error(400, "from is the number of an event");
    }
    const std::string_view last = request.header("last-event-id");
    if (const auto behind = parse_sequence(last)) from = *behind + 1;
    HttpResponse out;
    if (request.header("accept").find("text/event-stream") != std::string_view::npos) {
        out.type = "text/event-stream";
        out.body = "retry: 2000\n\n";
        out.stream = std::make_shared<EventStream>(log, *filter, from.value_or(log.next()));
        return out;
    }
    const EventLog::Batch batch = log.read(from.value_or(0), *filter, kListBytes);
    out.body = "{\"next\":" + std::to_string(batch.next) +
               ",\"missed\":" + std::to_string(batch.missed) + ",\"events\":[";
    for (const EventLog::Event& event : batch.events) {
        out.body += (out.body.back() == '[' ? "\n" : ",\n") + *event.json;
    }
    out.body += "]}\n";
    return out;
}

}  // namespace holdfast::node
