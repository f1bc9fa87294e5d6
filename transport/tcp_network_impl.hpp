// What a TcpNetwork knows on its socket thread: peers, connections, calls in flight.
//
// Threading: run_on_sockets() brings a call of any thread to the socket thread and waits; all other
// members of the object are that thread's alone, but for those that say otherwise.
#pragma once

#include <atomic>
#include <condition_variable>
#include <thread>
#include <unordered_set>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include "transport/connection_impl.hpp"
#include "transport/limits.hpp"
#include "transport/worker_pool_impl.hpp"

namespace holdfast {
namespace transport {

/// A result that one thread waits for and another gives, once.
template <class T>
class Promise {
  public:
    /// Later results are ignored.
    void set(Result<T> result) {
        {
            const std::lock_guard lock(mutex_);
            if (result_) return;
            result_ = std::move(result);
        }
        given_.notify_all();
    }
    [[nodiscard]] Result<T> get() {
        std::unique_lock lock(mutex_);
        given_.wait(lock, [this] { return result_.has_value(); });
        return std::move(*result_);
    }

  private:
    std::mutex mutex_;
    std::condition_variable given_;
    std::optional<Result<T>> result_;
};
template <class T>
using PromisePtr = std::shared_ptr<Promise<T>>;

using Timer = boost::asio::steady_timer;
using ConnectionPtr = std::shared_ptr<Connection>;

struct HostPort {
    std::string host;
    std::string port;
};
/// "host:port" or "[v6]:port"; none when malformed.
[[nodiscard]] std::optional<HostPort> parse_address(const std::string& text);
[[nodiscard]] std::string address_text(const tcp::endpoint& endpoint);
/// The address itself, or all that its name is looked up as, while the caller waits; none: unknown.
[[nodiscard]] std::vector<tcp::endpoint> endpoints_of(const HostPort& where);

/// A message of ours that waits for its answer.
struct Outgoing {
    explicit Outgoing(boost::asio::io_context& io) : timer(io) {}
    FrameType type = FrameType::kRequest;
    std::uint64_t number = 0;
    Bytes message;                         // of a post, to be repeated; else empty once sent
    std::uint32_t timeout_ms = 0;          // from being handed over
    bool refusal_is_late = false;          // of a challenge: refusing it is not answering it
    std::optional<std::uint64_t> sent_ns;  // handed over
    bool repeated = false;
    std::weak_ptr<Connection> connection;
    Timer timer;
    std::function<void(Result<TcpReply>)> done;
};

/// A connection of ours that is being made.
struct Attempt {
    explicit Attempt(boost::asio::io_context& io) : socket(io), timer(io) {}
    tcp::socket socket;
    Timer timer;
};

/// Somebody in wait_connected().
struct Waiter {
    Waiter(boost::asio::io_context& io, PromisePtr<void> given)
        : promise(std::move(given)), timer(io) {}
    PromisePtr<void> promise;
    Timer timer;
};

/// How an attempt to connect, or a connection, ended.
struct LinkProblem {
    Ending ending;
    std::uint64_t since_ns = 0;
};

struct PeerState {
    PeerState(const Peer& who, const TcpLimits& limits, boost::asio::io_context& io)
        : peer(who),
          backoff(limits.backoff_first_ms, limits.backoff_max_ms),
          redial(io),
          frames(limits.frames_per_second, limits.frames_per_second),
          bytes(limits.bytes_per_second, limits.bytes_per_second) {}
    Peer peer;
    bool listed = false;               // by add_peer(); or somebody who connected
    bool noted_idle = false;           // among idle_strangers_
    std::optional<HostPort> dial;      // listed with an address
    bool dialling = false;             // until a connection that we dialled is closed
    std::shared_ptr<Attempt> attempt;  // the first part of it
    std::vector<ConnectionPtr> ready;  // oldest first
    Backoff backoff;
    Timer redial;
    RateBucket frames;
    RateBucket bytes;
    std::uint64_t incarnation = 0;  // of the peer, whose numbers `seen` holds
    std::uint64_t replaced = 0;     // the incarnation before it; it comes back if two run at once
    ReplayWindow seen;
    std::uint64_t next_number = 0;  // of ours
    std::map<std::uint64_t, std::shared_ptr<Outgoing>> outgoing;
    std::uint32_t serving = 0;  // requests of the peer with the handler or before it
    std::vector<std::shared_ptr<Waiter>> waiters;
    std::optional<LinkProblem> problem;  // why it is not connected; none: it is, or was never tried
    std::uint64_t failures = 0;          // in a row
};
using PeerPtr = std::shared_ptr<PeerState>;

}  // namespace transport

class TcpNetwork::Impl final : public transport::ConnectionOwner {
  public:
    Impl(TcpNetworkOptions options, SslContext tls, std::uint64_t incarnation);
    ~Impl() override;

    [[nodiscard]] Status listen();
    void run();
    [[nodiscard]] Status stop(std::uint32_t drain_ms);  // any thread

    /// Any thread but the network's own: `begin` runs on the socket thread and sees to it that the
    /// promise is kept.
    template <class T>
    Result<T> run_on_sockets(std::function<void(const transport::PromisePtr<T>&)> begin) {
        const auto promise = std::make_shared<transport::Promise<T>>();
        {
            const std::lock_guard lock(gate_);
            if (closed_) return fail(ErrorCode::kInterrupted, "the network is stopping");
            boost::asio::post(io_, [promise, begin = std::move(begin)] { begin(promise); });
        }
        return promise->get();
    }

    // The calls, on the socket thread.
    Status add_peer(const Peer& peer, std::optional<transport::HostPort> dial);
    Status remove_peer(const PublicKey& key);
    std::vector<Peer> listed_peers() const;
    Result<PeerReport> peer_report(const PublicKey& key) const;
    std::vector<PeerReport> peer_reports(std::size_t most) const;
    void wait_connected(const PublicKey& key, std::uint32_t timeout_ms,
                        const transport::PromisePtr<void>& promise);
    /// `done` comes later, on the socket thread, once.
    void send_message(const PublicKey& key, FrameType type, Bytes message, std::uint32_t timeout_ms,
                      bool refusal_is_late, std::function<void(Result<TcpReply>)> done);
    void challenge(const PublicKey& key, Bytes message, std::uint32_t deadline_ms,
                   const transport::PromisePtr<ChallengeReply>& promise);
    void measure(const PublicKey& key, std::uint32_t samples, std::uint32_t timeout_ms,
                 const transport::PromisePtr<std::vector<std::uint64_t>>& promise);

    [[nodiscard]] const TcpNetworkOptions& options() const { return options_; }  // any thread
    [[nodiscard]] const std::string& address() const { return address_; }        // any thread
    [[nodiscard]] TcpStatistics statistics() const;                              // any thread

    // ConnectionOwner
    std::optional<Notice> judge(transport::Connection& connection,
                                const Checked<Hello>& hello) override;
    void on_ready(const transport::ConnectionPtr& connection) override;
    transport::Arrival expect(transport::Connection& connection,
                              const FrameHeader& header) override;
    void on_frame(const transport::ConnectionPtr& connection, const FrameHeader& header,
                  Bytes payload, std::uint64_t arrived_ns) override;
    std::uint64_t charge(transport::Connection& connection, std::uint64_t bytes) override;
    bool has_room(const transport::Connection& connection) override;
    void on_closed(const transport::ConnectionPtr& connection) override;

  private:
    struct LatencyCall;
    struct ChallengeCall;

    // peers.cpp
    [[nodiscard]] Result<std::vector<transport::tcp::endpoint>> listening_places() const;
    void accept_next();
    void take_connection(transport::tcp::socket socket);
    [[nodiscard]] bool may_come_in(transport::tcp::socket& socket, const Source& source);
    void adopt(const transport::ConnectionPtr& connection);
    void dial(const transport::PeerPtr& peer);
    void connect(const transport::PeerPtr& peer, const std::shared_ptr<transport::Attempt>& attempt,
                 const transport::tcp::resolver::results_type& endpoints);
    void redial_later(const transport::PeerPtr& peer);
    void dial_failed(const transport::PeerPtr& peer, transport::Ending ending);
    [[nodiscard]] transport::PeerPtr find(const PublicKey& key) const;
    [[nodiscard]] transport::PeerPtr find_or_make(const PublicKey& key);
    void tell_waiters(const transport::PeerPtr& peer, const Status& status);
    [[nodiscard]] static bool is_idle(const transport::PeerState& peer);
    void note_if_idle(const transport::PeerPtr& peer);
    [[nodiscard]] bool make_room();
    void begin_stop(std::uint32_t drain_ms, const transport::PromisePtr<bool>& stopped);
    void drain(std::chrono::steady_clock::time_point until);
    void close_all();
    void check_closed();

    // links.cpp
    void note_failure(const transport::PeerPtr& peer, transport::Ending ending);
    void note_connected(const transport::PeerPtr& peer);
    [[nodiscard]] PeerReport report_of(const transport::PeerState& peer) const;
    [[nodiscard]] std::string why_not_connected(const transport::PeerState& peer) const;

    // messages.cpp
    [[nodiscard]] Result<transport::ConnectionPtr> connection_to(const PublicKey& key) const;
    void transmit(const transport::PeerPtr& peer, const std::shared_ptr<transport::Outgoing>& out,
                  const transport::ConnectionPtr& connection, Bytes message);
    void complete(const transport::PeerPtr& peer, std::uint64_t number, Result<TcpReply> result);
    void arm_deadline(const transport::PeerPtr& peer,
                      const std::shared_ptr<transport::Outgoing>& out, std::uint32_t ms);
    void on_deadline(const transport::PeerPtr& peer, std::uint64_t number);
    void abandon_messages(const transport::PeerPtr& peer, const transport::ConnectionPtr& gone);
    void repeat_posts(const transport::PeerPtr& peer, const transport::ConnectionPtr& connection);
    void take_request(const transport::PeerPtr& peer, const transport::ConnectionPtr& connection,
                      const FrameHeader& header, Bytes message);
    void answer(const transport::PeerPtr& peer, const std::weak_ptr<transport::Connection>& to,
                std::uint64_t number, const Result<Bytes>& result);
    void refuse(const transport::ConnectionPtr& connection, std::uint64_t number, Refusal code,
                std::uint32_t detail = 0);
    void send_away(const transport::PeerState& peer);
    [[nodiscard]] bool fits_queue(const transport::ConnectionPtr& connection,
                                  std::size_t bytes) const;

    const TcpNetworkOptions options_;
    const SslContext tls_;
    boost::asio::io_context io_{1};
    boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
    transport::Shared shared_;
    transport::tcp::acceptor acceptor_;
    transport::tcp::resolver resolver_;
    transport::Timer accept_pause_;
    transport::Timer drain_timer_;
    SourceBuckets rates_of_addresses_;
    SourceBuckets rates_of_networks_;
    std::string address_;                        // before run(), then constant
    std::atomic<std::uint64_t> same_key_ns_{0};  // the newest time that another had our key
    std::map<PublicKey, transport::PeerPtr> peers_;
    std::deque<PublicKey> idle_strangers_;  // oldest first; those with noted_idle
    std::unordered_set<transport::ConnectionPtr> connections_;
    std::map<Source, std::uint32_t> per_source_;
    Unfinished<transport::ConnectionPtr> handshaking_;  // accepted, not through
    std::uint32_t waiting_requests_ = 0;
    std::size_t busy_calls_ = 0;  // of ours: messages without an answer
    bool stopping_ = false;       // takes nothing new
    bool closing_ = false;        // and says goodbye
    bool cut_off_ = false;
    transport::PromisePtr<bool> stop_promise_;

    std::mutex gate_;        // guards the next; held while a call is posted
    bool closed_ = false;    // no further call is taken
    std::mutex stop_mutex_;  // one stop() at a time
    bool stopped_ = false;   // under stop_mutex_
    transport::WorkerPool workers_;
    std::thread thread_;
};

}  // namespace holdfast
