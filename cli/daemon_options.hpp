// What the commands of the daemons share: the settings file, options that override it, the ready
// line, the log.
#pragma once

#include <atomic>
#include <memory>
#include <thread>

#include "cli/console.hpp"
#include "node/config.hpp"
#include "node/log.hpp"

namespace holdfast::cli {

/// Words of the command line; what is not given is as in the settings file, or the default.
struct DaemonOptions {
    std::string config;
    std::optional<std::string> params, key, listen, monitor, public_listen, log_level, log_format,
        log_file;
    std::vector<std::string> hosts, peers;
    bool accept_anyone = false;
};

/// Which of them a command has.
struct DaemonOptionSet {
    bool params = true;
    bool host = true;
    bool serves_public = false;
};
void add_daemon_options(CLI::App* command, DaemonOptions& options, const DaemonOptionSet& set = {});

/// The settings, with what the command line overrides. kInvalidArgument, naming the option or the
/// file's line.
Result<node::Config> daemon_config(const DaemonOptions& options);

/// "KEY@HOST:PORT", KEY in hex; without "@…" where an address is not needed.
Result<node::PeerEntry> parse_peer(const std::string& word, const std::string& what,
                                   bool needs_address);

/// A daemon's log, which a hangup (SIGHUP) has opened anew: after a rotation of logs that has
/// renamed the file, lines go to a new one. From here on hangups end nothing.
class DaemonLog {
  public:
    /// The errors of node::Log::open().
    static Result<std::unique_ptr<DaemonLog>> open(const node::LogOptions& options);
    ~DaemonLog();
    DaemonLog(const DaemonLog&) = delete;
    DaemonLog& operator=(const DaemonLog&) = delete;
    node::Log& operator*() { return *log_; }

  private:
    explicit DaemonLog(std::unique_ptr<node::Log> log);
    void watch();

    std::unique_ptr<node::Log> log_;
    std::atomic<bool> done_{false};
    std::thread watch_;
};

/// Prints the one line that says that a daemon is at work, at once; where that cannot be, its log
/// says so, and it works on.
void print_ready(const Globals& globals, const Json& ready, node::Log& log);
/// The final summary: the JSON object, its leaves as lines of text.
Output summary_output(const Json& summary);

}  // namespace holdfast::cli
