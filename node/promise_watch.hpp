// Whether what nodes have acknowledged of a prover's own stands in the operator's journal: the
// daemon's side of what `holdfast monitor-log` does from outside.
//
// At every new tip it takes in the heads that the named nodes tell and looks for the objects of
// every acknowledged message: as a rule with three questions a message, whatever it brings. Each
// node is asked until one shows them. What none shows after the digest of its height has closed is
// a broken promise: told in log, health, metrics and status until its files are taken out of the
// folder of evidence, where message, acknowledgement and heads lie. Where the operator has signed
// two heads of one height, both are there as well, and nobody is believed any more.
//
// Threading: run() from one thread, the rest from any. Ownership: all that is given outlives it.
// Errors: of files. Spec: docs/spec.md sections 10.8, 13 and 14.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/fill.hpp"
#include "node/log.hpp"
#include "node/log_monitor.hpp"
#include "node/outbox.hpp"
#include "node/prover_hosts.hpp"

namespace holdfast::node {

struct BrokenPromise {
    PublicKey host;  // whose acknowledgement it is
    std::string object;
    Height height;  // of the acknowledgement
    std::string why;
};

struct PromiseWatchStatus {
    std::uint64_t kept = 0;  // messages, since the start
    std::uint64_t waiting =
        0;  // messages that no head covers yet, or that no node was there to show
    std::uint64_t unknown = 0;  // messages whose entries no node keeps any more
    std::vector<BrokenPromise> broken;
    std::optional<Height> head;  // the newest that was seen
    std::string fault;           // what a node told of heads that does not hold; empty: nothing
    std::filesystem::path evidence;
};

class PromiseWatch {
  public:
    /// Keeps `folder`/heads and `folder`/evidence.
    static Result<std::unique_ptr<PromiseWatch>> open(const NetworkParams& params,
                                                      const std::filesystem::path& folder,
                                                      std::vector<ProverHosts::Named> nodes,
                                                      Outbox& outbox, Log& log);

    /// `tip`: the newest height that the prover knows of. `two_heads`: told the node, and the
    /// height of which the operator has signed two heads.
    using TwoHeads = std::function<void(const std::string& node, Height height)>;
    void run(const std::function<std::optional<Height>()>& tip, const TwoHeads& two_heads,
             const StopCheck& stop);
    /// One look.
    [[nodiscard]] Status look(Height tip, const TwoHeads& two_heads);
    /// Begins anew with the heads that are told from now on; the old ones go to the evidence.
    void begin_anew() { anew_ = true; }
    [[nodiscard]] PromiseWatchStatus status() const;

  private:
    struct Node {
        std::string name;
        std::unique_ptr<HistoryClient> client;
    };
    PromiseWatch(const NetworkParams& params, const std::filesystem::path& folder, Outbox& outbox,
                 Log& log);
    [[nodiscard]] Status open_monitor();
    [[nodiscard]] Status load_broken();
    void follow(Height from, const TwoHeads& two_heads);
    [[nodiscard]] Result<PromiseState> check(const KeptAcknowledgement& kept);
    [[nodiscard]] bool all_stand(const KeptAcknowledgement& kept,
                                 const std::vector<Bytes>& objects);
    [[nodiscard]] std::optional<PromiseResult> ask(const Promise& promise);
    [[nodiscard]] Status tell(const Promise& promise, const PromiseResult& result,
                              ByteView message);
    void note(const std::function<void(PromiseWatchStatus&)>& change);

    const NetworkParams params_;
    const std::filesystem::path heads_;
    const std::filesystem::path evidence_;
    Outbox& outbox_;
    Log& log_;
    std::vector<Node> nodes_;
    std::optional<LogMonitor> monitor_;  // run()'s own
    std::atomic<bool> anew_{false};
    mutable std::mutex mutex_;  // guards the next
    PromiseWatchStatus status_;
};

}  // namespace holdfast::node
