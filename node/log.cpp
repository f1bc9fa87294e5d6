#include "node/log.hpp"

#include <fcntl.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <utility>

#include "json/json.hpp"
#include "node/events.hpp"

namespace holdfast::node {
namespace {

using json::Json;

constexpr std::size_t kMaxValueBytes = 1'024;
constexpr std::string_view kCut = "...";

std::string cut(const std::string& value) {
    if (value.size() <= kMaxValueBytes) return value;
    return value.substr(0, kMaxValueBytes) + std::string(kCut);
}

/// As it is where that is one word of printable ASCII; otherwise quoted and escaped.
std::string quoted(const std::string& value) {
    constexpr std::string_view kHex = "0123456789abcdef";
    std::string out;
    bool plain = !value.empty();
    for (const char c : value) {
        const auto byte = static_cast<std::uint8_t>(c);
        if (byte < 0x20 || byte > 0x7e) {
            plain = false;
            out += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
        } else {
            plain = plain && c != ' ' && c != '"' && c != '\\' && c != '=';
            if (c == '"' || c == '\\') out += '\\';
            out += c;
        }
    }
    return plain ? out : '"' + out + '"';
}

spdlog::level::level_enum library_level(LogLevel level) {
    switch (level) {
        case LogLevel::kDebug:
            return spdlog::level::debug;
        case LogLevel::kInfo:
            return spdlog::level::info;
        case LogLevel::kWarn:
            return spdlog::level::warn;
        case LogLevel::kError:
            return spdlog::level::err;
        case LogLevel::kOff:
            break;
    }
    return spdlog::level::off;
}

constexpr std::string_view kLevels[] = {"debug", "info", "warn", "error", "off"};
constexpr std::string_view kFormats[] = {"text", "json"};

/// Values as text; strings as they are, numbers with a point where they have a fraction.
std::string text_of(const LogValue& value) {
    if (const auto* text = std::get_if<std::string>(&value.held())) return cut(*text);
    return std::visit([](const auto& held) { return json::dump(held); }, value.held());
}

}  // namespace

std::string format_text(LogLevel level, std::string_view event, Log::Fields fields) {
    std::string line(to_string(level));
    line.resize(6, ' ');
    line += event;
    for (const LogField& field : fields) {
        line += ' ';
        line += field.name;
        line += '=' + quoted(text_of(field.value));
    }
    return line;
}

std::string format_json(LogLevel level, std::string_view event, Log::Fields fields) {
    Json json = {{"level", to_string(level)}, {"event", event}};
    for (const LogField& field : fields) {
        const auto& held = field.value.held();
        if (const auto* text = std::get_if<std::string>(&held)) {
            json[std::string(field.name)] = cut(*text);
        } else {
            std::visit([&](const auto& value) { json[std::string(field.name)] = value; }, held);
        }
    }
    return json::dump(json, json::kOneLine, json::Charset::kAscii);
}

std::string_view to_string(LogLevel level) { return kLevels[static_cast<std::size_t>(level)]; }
std::string_view to_string(LogFormat format) { return kFormats[static_cast<std::size_t>(format)]; }

std::optional<LogLevel> parse_log_level(std::string_view word) {
    const auto* const at = std::find(std::begin(kLevels), std::end(kLevels), word);
    if (at == std::end(kLevels)) return {};
    return static_cast<LogLevel>(at - std::begin(kLevels));
}

std::optional<LogFormat> parse_log_format(std::string_view word) {
    const auto* const at = std::find(std::begin(kFormats), std::end(kFormats), word);
    if (at == std::end(kFormats)) return {};
    return static_cast<LogFormat>(at - std::begin(kFormats));
}

namespace {

/// A descriptor that is ours to close, or standard error.
class Descriptor {
  public:
    Descriptor() = default;
    explicit Descriptor(int fd) : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept { *this = std::move(other); }
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~Descriptor() {
        if (fd_ > STDERR_FILENO) ::close(fd_);
    }
    [[nodiscard]] int get() const { return fd_; }

  private:
    int fd_ = STDERR_FILENO;
};

/// Where lines are appended. Never at a standard descriptor's place, which may have been closed.
Result<Descriptor> open_lines(const std::filesystem::path& file) {
    if (file.empty()) return Descriptor();
    std::error_code ignored;
    std::filesystem::create_directories(file.parent_path(), ignored);
    const int fd = ::open(file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    const int moved =
        fd < 0 || fd > STDERR_FILENO ? fd : ::fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    const int failed = errno;
    if (fd >= 0 && fd != moved) ::close(fd);
    if (moved >= 0) return Descriptor(moved);
    Error why = std::move(fail_errno(failed, "cannot append to the log " + file.string()).value());
    why.message += "; set another [log] file";
    return fail(std::move(why));
}

}  // namespace

/// Whole lines to a descriptor, one write each; throws what the logger counts as lost.
class Log::Sink final : public spdlog::sinks::base_sink<std::mutex> {
  public:
    explicit Sink(Descriptor out) : out_(std::move(out)) {}

    void replace(Descriptor out) {
        const std::lock_guard lock(mutex_);
        out_ = std::move(out);
        torn_ = false;
    }

  private:
    void sink_it_(const spdlog::details::log_msg& message) override {
        spdlog::memory_buf_t line;
        // A line of which a full disk took only a part has no end: this one does not go on in it.
        if (torn_) line.push_back('\n');
        formatter_->format(message, line);
        std::size_t done = 0;
        while (done < line.size()) {
            const ssize_t wrote = ::write(out_.get(), line.data() + done, line.size() - done);
            if (wrote < 0 && errno == EINTR) continue;
            if (wrote <= 0) {
                torn_ = torn_ || done > 0;
                throw spdlog::spdlog_ex("cannot write", errno);
            }
            done += static_cast<std::size_t>(wrote);
        }
        torn_ = false;
    }
    void flush_() override {}

    Descriptor out_;
    bool torn_ = false;
};

Log::Log(const LogOptions& options)
    : options_(options), level_(options.level), events_(std::make_unique<EventLog>()) {}
Log::~Log() = default;

Result<std::unique_ptr<Log>> Log::open(const LogOptions& options) {
    std::unique_ptr<Log> log(new Log(options));
    HOLDFAST_ASSIGN(out, open_lines(options.file));
    log->sink_ = std::make_shared<Sink>(std::move(out));
    log->logger_ = std::make_unique<spdlog::logger>("holdfast", log->sink_);
    const auto& logger = log->logger_;
    logger->set_formatter(std::make_unique<spdlog::pattern_formatter>(
        options.format == LogFormat::kJson ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ",%v)"
                                           : "%Y-%m-%dT%H:%M:%S.%eZ %v",
        spdlog::pattern_time_type::utc));
    logger->set_level(spdlog::level::trace);
    logger->set_error_handler([lost = &log->lost_](const std::string&) { lost->fetch_add(1); });
    return log;
}

Status Log::reopen() {
    ++reopenings_;
    if (options_.file.empty()) return {};
    HOLDFAST_ASSIGN(out, open_lines(options_.file));
    sink_->replace(std::move(out));
    return {};
}

void Log::write(LogLevel level, std::string_view event, Fields fields) {
    if (level == LogLevel::kOff || (!enabled(level) && level < LogLevel::kInfo)) return;
    const std::string json = format_json(level, event, fields);
    events_->append(level, event, json);
    if (!enabled(level)) return;
    const std::string line =
        options_.format == LogFormat::kJson ? json.substr(1) : format_text(level, event, fields);
    logger_->log(library_level(level), spdlog::string_view_t(line));
}

}  // namespace holdfast::node
