#include "cli/daemon_options.hpp"

#include <cstring>

#include "cli/standard_output.hpp"

namespace holdfast::cli {
namespace {

constexpr auto kHangupLook = std::chrono::milliseconds(50);
constexpr std::size_t kKeyDigits = 2 * PublicKey::size();

void flatten(const std::string& name, const Json& value, Output& out) {
    if (!value.is_object()) {
        const bool text = value.is_string();
        out.line(name + ": " + (text ? value.get<std::string>() : dump(value)));
        return;
    }
    for (const auto& [key, inner] : value.items()) {
        flatten(name.empty() ? key : name + "." + key, inner, out);
    }
}

Status apply_log(const DaemonOptions& options, node::LogOptions& log) {
    if (options.log_level) {
        const auto level = node::parse_log_level(*options.log_level);
        if (!level) {
            return fail(ErrorCode::kInvalidArgument,
                        "--log-level is debug, info, warn, error or off");
        }
        log.level = *level;
    }
    if (options.log_format) {
        const auto format = node::parse_log_format(*options.log_format);
        if (!format) return fail(ErrorCode::kInvalidArgument, "--log-format is text or json");
        log.format = *format;
    }
    if (options.log_file) log.file = *options.log_file;
    return {};
}

}  // namespace

void add_daemon_options(CLI::App* command, DaemonOptions& options, const DaemonOptionSet& set) {
    command->add_option("-c,--config", options.config,
                        "settings file (a documented one: holdfast config example)");
    if (set.params) {
        command->add_option("-p,--params", options.params,
                            "node folder, public folder or network.params file");
    }
    command->add_option("-k,--key", options.key, "key file of this process");
    command->add_option("-l,--listen", options.listen, "HOST:PORT; port 0: a free one");
    if (set.host) {
        command->add_option("--host", options.hosts,
                            "KEY@HOST:PORT of a node that is followed (repeat: several)");
    }
    command->add_option("--peer", options.peers,
                        "KEY@HOST:PORT, or KEY alone for one that connects itself (repeat)");
    command->add_flag("--accept-anyone", options.accept_anyone, "serve keys that are no --peer");
    command->add_option("--monitor", options.monitor,
                        "loopback HOST:PORT of /health, /status and /metrics");
    if (set.serves_public) {
        command->add_option("--public", options.public_listen,
                            "HOST:PORT of /public/, what anybody may know, for light clients");
    }
    command->add_option("--log-level", options.log_level, "debug, info, warn, error or off");
    command->add_option("--log-format", options.log_format, "text or json");
    command->add_option("--log-file", options.log_file, "appended to (default: standard error)");
}

Result<node::PeerEntry> parse_peer(const std::string& word, const std::string& what,
                                   bool needs_address) {
    const std::size_t at = word.find('@');
    const bool has_address = at != std::string::npos && at + 1 < word.size();
    const std::string key = word.substr(0, at);
    if (key.size() != kKeyDigits || has_address != (at != std::string::npos) ||
        (needs_address && !has_address)) {
        return fail(ErrorCode::kInvalidArgument,
                    what + " must be " + (needs_address ? "KEY@HOST:PORT" : "KEY[@HOST:PORT]") +
                        " with a key of 64 hexadecimal digits, not '" + word + "'");
    }
    node::PeerEntry out;
    HOLDFAST_ASSIGN(parsed, parse_hex<PublicKey>(key, what));
    out.key = parsed;
    if (has_address) out.address = word.substr(at + 1);
    return out;
}

Result<node::Config> daemon_config(const DaemonOptions& options) {
    node::Config config;
    if (!options.config.empty()) {
        HOLDFAST_ASSIGN(loaded, node::load_config(options.config));
        config = std::move(loaded);
    }
    if (options.params) config.params = *options.params;
    if (options.key) config.key = *options.key;
    if (options.listen) config.listen = *options.listen;
    if (options.monitor) config.monitor = *options.monitor;
    if (options.public_listen) config.public_listen = *options.public_listen;
    if (options.accept_anyone) config.accept_anyone = true;
    if (!options.hosts.empty()) config.hosts.clear();
    for (const std::string& word : options.hosts) {
        HOLDFAST_ASSIGN(host, parse_peer(word, "--host", true));
        config.hosts.push_back(host);
    }
    for (const std::string& word : options.peers) {
        HOLDFAST_ASSIGN(peer, parse_peer(word, "--peer", false));
        std::erase_if(config.peers,
                      [&](const node::PeerEntry& other) { return other.key == peer.key; });
        config.peers.push_back(peer);
    }
    HOLDFAST_TRY(apply_log(options, config.log));
    return config;
}

void print_ready(const Globals& globals, const Json& ready, node::Log& log) {
    std::string line = globals.json ? dump(ready) : "ready:";
    for (const auto& [name, value] : ready.items()) {
        if (globals.json || name == "event") continue;
        line += " " + name + "=" + (value.is_string() ? value.get<std::string>() : dump(value));
    }
    if (const int failed = write_output(line + "\n"); failed != 0) {
        log.warn("output.failed", {{"error", std::strerror(failed)}});
    }
}

DaemonLog::DaemonLog(std::unique_ptr<node::Log> log)
    : log_(std::move(log)), watch_([this] { watch(); }) {}

Result<std::unique_ptr<DaemonLog>> DaemonLog::open(const node::LogOptions& options) {
    count_hangups();
    HOLDFAST_ASSIGN(log, node::Log::open(options));
    return std::unique_ptr<DaemonLog>(new DaemonLog(std::move(log)));
}

DaemonLog::~DaemonLog() {
    done_ = true;
    watch_.join();
}

void DaemonLog::watch() {
    for (std::uint64_t seen = 0; !done_; std::this_thread::sleep_for(kHangupLook)) {
        if (hangups() == seen) continue;
        seen = hangups();
        if (const Status reopened = log_->reopen(); !reopened) {
            log_->error("log.not_reopened", {{"error", reopened.error().message}});
        } else {
            log_->info("log.reopened", {{"hangups", seen}});
        }
    }
}

Output summary_output(const Json& summary) {
    Output out;
    out.json = summary;
    flatten("", summary, out);
    return out;
}

}  // namespace holdfast::cli
