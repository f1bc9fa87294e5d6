#include "node/light_nodes.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "follow/messages.hpp"

namespace holdfast::node {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::uint32_t kAskMs = 50;

}  // namespace

Result<std::unique_ptr<LightNodes>> LightNodes::start(const NetworkId& network, const KeyPair& key,
                                                      LightNodesOptions options) {
    std::unique_ptr<LightNodes> out(new LightNodes(std::move(options)));
    TcpNetworkOptions transport;
    transport.network = network;
    transport.roles = kRoleReader;
    HOLDFAST_ASSIGN(started, TcpNetwork::start(key, std::move(transport)));
    out->network_ = std::move(started);
    for (const PeerEntry& node : out->options_.nodes) {
        HOLDFAST_TRY(out->network_->add_peer({node.key, node.address}));
    }
    return out;
}

std::vector<LightNode> LightNodes::nodes() {
    std::vector<LightNode> out;
    for (const PeerEntry& node : options_.nodes) {
        out.push_back({to_hex(node.key) + "@" + node.address,
                       [this, node](ByteView message) { return ask(node, message); }});
    }
    return out;
}

Status LightNodes::wait(std::uint32_t ms) const {
    const auto until = Clock::now() + std::chrono::milliseconds(ms);
    while (Clock::now() < until) {
        if (options_.stop && options_.stop()) {
            return fail(ErrorCode::kInterrupted, "stopped on request");
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(std::min(ms, kAskMs)));
    }
    return {};
}

/// In steps, so that a stop is heard; at once where the answer is that nobody is there.
Status LightNodes::wait_connected(const PeerEntry& node) {
    const auto until = Clock::now() + std::chrono::milliseconds(options_.connect_ms);
    for (;;) {
        if (options_.stop && options_.stop()) {
            return fail(ErrorCode::kInterrupted, "stopped on request");
        }
        const Status done = network_->wait_connected(node.key, kAskMs);
        const bool waits = !done && (done.error().code == ErrorCode::kTimeout ||
                                     done.error().code == ErrorCode::kUnavailable);
        if (done) return {};
        HOLDFAST_ASSIGN(report, network_->peer_report(node.key));
        const bool absent = report.failure && is_absent(*report.failure);
        if (waits && !absent && Clock::now() < until) continue;
        // Not a word of the node's, so that it is not caught lying.
        return fail(ErrorCode::kUnavailable,
                    "not connected: " + (report.why.empty() ? done.error().message : report.why));
    }
}

Result<Bytes> LightNodes::ask(const PeerEntry& node, ByteView message) {
    const auto until = Clock::now() + std::chrono::milliseconds(options_.busy_ms);
    for (;;) {
        HOLDFAST_TRY(wait_connected(node));
        Result<TcpReply> reply = network_->request(node.key, message, options_.answer_ms);
        // A refusal of the transport: no answer that anything could be held against.
        if (!reply && reply.error().code == ErrorCode::kRefused) {
            return fail(ErrorCode::kUnavailable, reply.error().message);
        }
        std::uint32_t retry_ms = kAskMs;
        if (!reply && reply.error().code != ErrorCode::kBusy) return fail(reply.error());
        if (reply) {
            const Checked<FollowAnswer> answer = decode_answer(reply->response);
            const auto* busy = answer ? std::get_if<FollowBusy>(&*answer) : nullptr;
            if (busy == nullptr) return std::move(reply->response);
            retry_ms = busy->retry_ms;
        }
        if (Clock::now() >= until) {
            return fail(ErrorCode::kBusy,
                        "busy for " + std::to_string(options_.busy_ms / 1'000) + " s");
        }
        HOLDFAST_TRY(wait(std::clamp(retry_ms, kAskMs, 1'000U)));
    }
}

}  // namespace holdfast::node
