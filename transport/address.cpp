// Addresses as settings and commands write them.
#include <algorithm>
#include <boost/asio/ip/tcp.hpp>
#include <charconv>

#include "storage/descriptors.hpp"
#include "transport/tcp_network_impl.hpp"

namespace holdfast {

using transport::HostPort;
using transport::tcp;

std::optional<HostPort> transport::parse_address(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos || colon == 0) return std::nullopt;
    HostPort out{text.substr(0, colon), text.substr(colon + 1)};
    std::uint16_t port = 0;
    const char* const end = out.port.data() + out.port.size();
    const auto [stop, failed] = std::from_chars(out.port.data(), end, port);
    if (failed != std::errc{} || stop != end) return std::nullopt;
    if (out.host.front() == '[') {
        if (out.host.size() < 3 || out.host.back() != ']') return std::nullopt;
        out.host = out.host.substr(1, out.host.size() - 2);
    } else if (out.host.find(':') != std::string::npos) {
        return std::nullopt;
    }
    return out;
}

std::string transport::address_text(const tcp::endpoint& endpoint) {
    const std::string host = endpoint.address().to_string();
    return (endpoint.address().is_v6() ? "[" + host + "]" : host) + ":" +
           std::to_string(endpoint.port());
}

std::vector<tcp::endpoint> transport::endpoints_of(const HostPort& where) {
    const auto port = static_cast<std::uint16_t>(std::stoul(where.port));
    boost::system::error_code failed;
    const auto ip = boost::asio::ip::make_address(where.host, failed);
    if (!failed) return {tcp::endpoint(ip, port)};
    occupy_standard_descriptors();
    boost::asio::io_context io;
    const auto found = tcp::resolver(io).resolve(
        where.host, where.port, tcp::resolver::passive | tcp::resolver::numeric_service, failed);
    std::vector<tcp::endpoint> out;
    if (failed) return out;
    for (const auto& one : found) {
        if (std::find(out.begin(), out.end(), one.endpoint()) == out.end()) {
            out.push_back(one.endpoint());
        }
    }
    return out;
}

bool is_tcp_address(const std::string& text) { return transport::parse_address(text).has_value(); }

std::vector<std::string> numeric_tcp_addresses(const std::string& text) {
    std::vector<std::string> out;
    const auto where = transport::parse_address(text);
    if (!where) return out;
    for (const tcp::endpoint& one : transport::endpoints_of(*where)) {
        out.push_back(transport::address_text(one));
    }
    return out;
}

}  // namespace holdfast
