// What servers of short exchanges share, a request and its response for each connection: the loop
// that accepts, the thread that it runs on, and how a connection ends well. Not installed.
//
// Threading: everything is called on the loop's thread, but for start() and stop(). Bounds and
// deadlines are the server's own. An Exchange has `socket`, `deadline` and `drained`.
#pragma once

#include <boost/asio.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <thread>
#include <utility>

#include "storage/descriptors.hpp"

namespace holdfast::node {

template <class Protocol>
class AcceptLoop {
  public:
    using Socket = typename Protocol::socket;
    using Begin = std::function<void(Socket)>;

    AcceptLoop() : acceptor_(io_) {}
    ~AcceptLoop() { stop(); }
    AcceptLoop(const AcceptLoop&) = delete;
    AcceptLoop& operator=(const AcceptLoop&) = delete;

    [[nodiscard]] boost::asio::io_context& io() { return io_; }
    /// For the server to open, bind and listen with, before start().
    [[nodiscard]] typename Protocol::acceptor& acceptor() { return acceptor_; }

    /// Hands every connection to `begin`, until stop().
    void start(Begin begin) {
        begin_ = std::move(begin);
        accept();
        thread_ = std::thread([this] {
            // Memory that is missing for one exchange costs that exchange.
            while (!io_.stopped()) {
                try {
                    io_.run();
                } catch (...) {
                    continue;
                }
            }
        });
    }
    /// Nothing of it runs any more when this returns.
    void stop() {
        io_.stop();
        if (thread_.joinable()) thread_.join();
    }

  private:
    using Failure = boost::system::error_code;

    void accept() {
        occupy_standard_descriptors();
        acceptor_.async_accept([this](const Failure& failed, Socket socket) {
            if (failed == boost::asio::error::operation_aborted) return;
            if (failed) return accept_later();
            accept();
            begin_(std::move(socket));
        });
    }
    /// No descriptors left, most likely: they come back as exchanges end.
    void accept_later() {
        const auto pause =
            std::make_shared<boost::asio::steady_timer>(io_, std::chrono::milliseconds(100));
        pause->async_wait([this, pause](const Failure&) { accept(); });
    }

    boost::asio::io_context io_{1};
    typename Protocol::acceptor acceptor_;
    Begin begin_;
    std::thread thread_;
};

/// After the response: takes what still comes until the other side has closed. Closing with bytes
/// unread would reset the connection, and the client might lose the response.
template <class Exchange, class Close>
void drain(const std::shared_ptr<Exchange>& exchange, const Close& close) {
    exchange->socket.async_read_some(
        boost::asio::buffer(exchange->drained),
        [exchange, close](const boost::system::error_code& failed, std::size_t) {
            if (failed) return close(exchange);
            drain(exchange, close);
        });
}

/// Ends the sending side, then drains.
template <class Exchange, class Close>
void finish(const std::shared_ptr<Exchange>& exchange, const Close& close) {
    boost::system::error_code ignored;
    exchange->socket.shutdown(boost::asio::socket_base::shutdown_send, ignored);
    drain(exchange, close);
}

}  // namespace holdfast::node
