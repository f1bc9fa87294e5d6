// What a daemon tells its operator: one line for each event, as text or as JSON.
//
// An event has a stable name ("challenge.served") and typed fields. Strings may come from anywhere:
// what is not printable ASCII is escaped, so that a line stays one line and no byte of a peer's
// reaches a terminal, and a value is cut after 1,024 bytes. Keys, signatures and digests are
// written in hex; nothing that holds a secret converts to a field.
//
//   2026-01-31T23:59:59.123Z info  challenge.served chain=6f1c… service_us=812
//   {"time":"2026-01-31T23:59:59.123Z","level":"info","event":"challenge.served","chain":"6f1c…",…}
//
// A line is with the operating system when the call returns. A line that cannot be written (disk
// full, standard error closed) is lost and counted; nothing else fails. After a rotation of logs
// has renamed the file, reopen() begins a new one; no line is lost between the two. Threading: any
// thread.
#pragma once

#include <atomic>
#include <concepts>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/result.hpp"
#include "core/types.hpp"

namespace spdlog {
class logger;
}

namespace holdfast::node {

class EventLog;

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarn, kError, kOff };
enum class LogFormat : std::uint8_t { kText, kJson };

struct LogOptions {
    LogLevel level = LogLevel::kInfo;  // this and what is worse
    LogFormat format = LogFormat::kText;
    std::filesystem::path file;  // appended to; empty: standard error
};

class LogValue {
  public:
    LogValue(bool value) : value_(value) {}
    template <std::unsigned_integral T>
    LogValue(T value) : value_(std::uint64_t{value}) {}
    template <std::signed_integral T>
    LogValue(T value) : value_(std::int64_t{value}) {}
    LogValue(double value) : value_(value) {}
    LogValue(std::string value) : value_(std::move(value)) {}
    LogValue(std::string_view value) : value_(std::string(value)) {}
    LogValue(const char* value) : value_(std::string(value)) {}
    LogValue(const std::filesystem::path& value) : value_(value.string()) {}
    template <std::size_t N>
    LogValue(const FixedBytes<N>& value) : value_(to_hex(view(value))) {}
    template <class Tag>
    LogValue(StrongU64<Tag> value) : value_(value.value) {}

    using Held = std::variant<bool, std::uint64_t, std::int64_t, double, std::string>;
    [[nodiscard]] const Held& held() const { return value_; }

  private:
    Held value_;
};

struct LogField {
    std::string_view name;  // lower case with underscores, the unit last
    LogValue value;
};

class Log {
  public:
    using Fields = std::initializer_list<LogField>;

    /// kIo, kPermission where the file cannot be appended to.
    [[nodiscard]] static Result<std::unique_ptr<Log>> open(const LogOptions& options);
    ~Log();
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    void debug(std::string_view event, Fields fields = {}) {
        write(LogLevel::kDebug, event, fields);
    }
    void info(std::string_view event, Fields fields = {}) { write(LogLevel::kInfo, event, fields); }
    void warn(std::string_view event, Fields fields = {}) { write(LogLevel::kWarn, event, fields); }
    void error(std::string_view event, Fields fields = {}) {
        write(LogLevel::kError, event, fields);
    }
    [[nodiscard]] bool enabled(LogLevel level) const { return level >= level_.load(); }
    [[nodiscard]] LogLevel level() const { return level_.load(); }
    /// From now on.
    void set_level(LogLevel level) { level_ = level; }
    /// The newest events, from info upwards whatever the level (node/events.hpp).
    [[nodiscard]] EventLog& events() { return *events_; }
    void write(LogLevel level, std::string_view event, Fields fields);
    /// Opens the file by its name anew; lines go there from then on. Where that fails (kIo,
    /// kPermission) they go on to the one that was open. Nothing to do without a file.
    [[nodiscard]] Status reopen();
    /// How often that was asked for: the process was told to look at its files anew (SIGHUP).
    [[nodiscard]] std::uint64_t reopenings() const { return reopenings_.load(); }
    /// Lines that could not be written.
    [[nodiscard]] std::uint64_t lost() const { return lost_.load(); }

  private:
    class Sink;
    explicit Log(const LogOptions& options);

    const LogOptions options_;
    std::atomic<LogLevel> level_;
    std::atomic<std::uint64_t> reopenings_{0};
    std::unique_ptr<EventLog> events_;
    std::shared_ptr<Sink> sink_;
    std::unique_ptr<spdlog::logger> logger_;
    std::atomic<std::uint64_t> lost_{0};
};

/// A line without its time: what follows it in text, the whole object in JSON.
[[nodiscard]] std::string format_text(LogLevel level, std::string_view event, Log::Fields fields);
[[nodiscard]] std::string format_json(LogLevel level, std::string_view event, Log::Fields fields);
/// "debug", "info", "warn", "error", "off"; "text", "json".
[[nodiscard]] std::string_view to_string(LogLevel level);
[[nodiscard]] std::string_view to_string(LogFormat format);
[[nodiscard]] std::optional<LogLevel> parse_log_level(std::string_view word);
[[nodiscard]] std::optional<LogFormat> parse_log_format(std::string_view word);

}  // namespace holdfast::node
