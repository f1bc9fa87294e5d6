// The newest events of a daemon, in memory, for whoever follows it: what its log says
// (node/log.hpp), from info upwards whatever the log's own level.
//
// Events are numbered. Numbers go on growing over restarts (the first of a process is the time of
// its start in microseconds), so that a reader that comes back with the number that it had last is
// told how many it has missed and is given no event twice.
//
// Threading   any thread. append() never waits for a reader: readers look, and who falls behind the
//             ring has missed what is gone.
// Memory      at most 4,096 events and 4 MiB.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "node/http_server.hpp"
#include "node/log.hpp"

namespace holdfast::node {

struct EventFilter {
    std::vector<std::string> names;     // "links." is every event that begins so; none: all
    LogLevel least = LogLevel::kDebug;  // this level and worse ones
    [[nodiscard]] bool takes(LogLevel level, std::string_view name) const;
};

class EventLog {
  public:
    EventLog();
    EventLog(const EventLog&) = delete;
    EventLog& operator=(const EventLog&) = delete;

    /// `json`: the event as format_json() gives it.
    void append(LogLevel level, std::string_view name, const std::string& json);

    struct Event {
        std::uint64_t sequence = 0;
        LogLevel level = LogLevel::kInfo;
        std::string name;
        std::shared_ptr<const std::string> json;  // with "sequence" and "time_ms"
    };
    struct Batch {
        std::vector<Event> events;
        std::uint64_t next = 0;    // from where the next look goes on
        std::uint64_t missed = 0;  // between `from` and the oldest that is still there
    };
    /// Those from a number on, until they are so many bytes. 0: from the oldest, nothing missed.
    [[nodiscard]] Batch read(std::uint64_t from, const EventFilter& filter,
                             std::size_t most_bytes) const;
    /// The number that the next event gets.
    [[nodiscard]] std::uint64_t next() const;
    /// Called after each event, from whatever thread; an empty one for nobody. Must not block.
    void on_append(std::function<void()> listener);

  private:
    mutable std::mutex mutex_;  // guards all below
    std::deque<Event> ring_;
    std::size_t bytes_ = 0;
    std::uint64_t next_;
    std::function<void()> listener_;
};

/// GET /api/v1/events. Server-sent events where "Accept: text/event-stream" asks for them, from the
/// number behind Last-Event-ID or from `from`, otherwise from now; a JSON list of what is there
/// otherwise. `name` (prefixes with commas between them) and `level` choose.
[[nodiscard]] HttpResponse answer_events(const EventLog& log, const HttpRequest& request);

}  // namespace holdfast::node
