#include "node/log.hpp"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <algorithm>

#include "json/json.hpp"

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

class Log::Sink {
  public:
    std::unique_ptr<spdlog::logger> logger;
};

Log::Log(const LogOptions& options) : options_(options), sink_(std::make_unique<Sink>()) {}
Log::~Log() = default;

Result<std::unique_ptr<Log>> Log::open(const LogOptions& options) {
    std::unique_ptr<Log> log(new Log(options));
    spdlog::sink_ptr sink;
    try {
        if (options.file.empty()) {
            sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
        } else {
            sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.file.string());
        }
    } catch (const spdlog::spdlog_ex& error) {
        return fail(ErrorCode::kIo, "cannot append to the log " + options.file.string() + ": " +
                                        error.what() + "; set another [log] file");
    }
    auto logger = std::make_unique<spdlog::logger>("holdfast", std::move(sink));
    logger->set_formatter(std::make_unique<spdlog::pattern_formatter>(
        options.format == LogFormat::kJson ? R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ",%v)"
                                           : "%Y-%m-%dT%H:%M:%S.%eZ %v",
        spdlog::pattern_time_type::utc));
    logger->set_level(spdlog::level::trace);
    logger->flush_on(spdlog::level::trace);
    logger->set_error_handler([lost = &log->lost_](const std::string&) { lost->fetch_add(1); });
    log->sink_->logger = std::move(logger);
    return log;
}

void Log::write(LogLevel level, std::string_view event, Fields fields) {
    if (!enabled(level) || level == LogLevel::kOff) return;
    const std::string line = options_.format == LogFormat::kJson
                                 ? format_json(level, event, fields).substr(1)
                                 : format_text(level, event, fields);
    sink_->logger->log(library_level(level), spdlog::string_view_t(line));
}

}  // namespace holdfast::node
