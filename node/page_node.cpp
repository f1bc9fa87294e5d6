#include <algorithm>

#include "node/page_html_impl.hpp"

namespace holdfast::node::html {
namespace {

std::vector<Row> counted(const Json& object) {
    std::vector<Row> out;
    if (!object.is_object()) return out;
    for (const auto& [name, count] : object.items()) out.push_back({text(name), value(count)});
    return out;
}

Html heights_part(const Json& status) {
    const Json& chain = member(status, "chain");
    const Json& done = member(status, "processed");
    const Json& digest = member(status, "digest");
    return section(
        "heights", "Heights and digests",
        join(
            {facts({{"Newest block", value(member(chain, "newest"))},
                    {"Its age", milliseconds(static_cast<std::int64_t>(count_of(chain, "age_ms")))},
                    {"Processed through", value(member(done, "tip"))},
                    {"Blocks to go", number(count_of(done, "behind"))},
                    {"Newest closed height", value(member(done, "closed"))},
                    {"Active chains", value(member(digest, "active"))},
                    {"Late", value(member(digest, "late"))},
                    {"Removal requested", value(member(digest, "removing"))},
                    {"Expired", value(member(digest, "expired"))},
                    {"Suspended", number(count_of(done, "suspended_chains"))},
                    {"Slashed or void", number(count_of(done, "slashed"))}}),
             {"<p>Digest of the newest closed height: "},
             digest.is_null() ? text("none yet") : mono(text_of(digest, "global"), 64),
             {"</p>"}}));
}

/// Objects that blocks list and that were handed over, and for what reasons some were refused.
Html refused_part(const Json& status) {
    std::vector<Row> objects, reasons;
    const Json& kinds = member(member(status, "processed"), "objects");
    if (kinds.is_object()) {
        for (const auto& [kind, one] : kinds.items()) {
            std::uint64_t refused = 0;
            for (const Row& row : counted(member(one, "refused"))) {
                reasons.push_back({text(kind), row[0], row[1]});
            }
            for (const auto& [reason, count] : member(one, "refused").items()) {
                if (count.is_number_unsigned()) refused += count.get<std::uint64_t>();
            }
            objects.push_back({text(kind), number(count_of(one, "accepted")), number(refused)});
        }
    }
    const Json& door = member(member(status, "processed"), "handed_over");
    const Json& followers = member(status, "followers");
    return section(
        "refused", "What was taken, and what was refused and why",
        join({table("Objects since the start", {"Kind", "Accepted", "Refused"}, objects),
              table("Refused objects by reason", {"Kind", "Reason", "How many"}, reasons),
              table("Questions refused by reason", {"Reason", "How many"},
                    counted(member(followers, "refused"))),
              facts({{"Messages handed over", number(count_of(door, "messages"))},
                     {"Objects in them", number(count_of(door, "objects"))},
                     {"Acknowledged", number(count_of(door, "acknowledged"))},
                     {"Repeated", number(count_of(door, "repeated"))},
                     {"Questions answered", number(count_of(followers, "questions"))},
                     {"Garbage", number(count_of(followers, "garbage"))},
                     {"Failed", number(count_of(followers, "failed"))}})}));
}

Html ledger_part(const Json& status) {
    const Json& ledger = member(status, "ledger");
    return section("ledger", "Ledger",
                   facts({{"Issued", value(member(ledger, "issued"))},
                          {"In accounts", value(member(ledger, "in_accounts"))},
                          {"In bonds", value(member(ledger, "in_bonds"))},
                          {"In the pool", value(member(ledger, "in_pool"))}}));
}

Html peers_table(const Json& status) {
    std::vector<Row> rows;
    for (const Json& one : member(status, "peers")) {
        const Json& connected = member(one, "connected");
        const bool up = connected.is_boolean() && connected.get<bool>();
        rows.push_back({mono(text_of(one, "key"), 16), mono(text_of(one, "address"), 48),
                        up ? badge("good", "connected") : badge("problem", "not connected"),
                        text(text_of(one, "why"))});
    }
    return table("Peers of the settings", {"Key", "Address", "State", "Why not"}, rows,
                 "none named.");
}

/// Of provers: the nodes that they hand over to.
Html hosts_table(const Json& status) {
    const Json& nodes = member(member(status, "hosts"), "nodes");
    if (nodes.empty()) return {};
    std::vector<Row> rows;
    for (const Json& one : nodes) {
        const Json& reachable = member(one, "reachable");
        const bool up = reachable.is_boolean() && reachable.get<bool>();
        rows.push_back({mono(text_of(one, "key"), 16), mono(text_of(one, "address"), 48),
                        up ? badge("good", "answers") : badge("problem", "does not answer"),
                        value(member(one, "followed")), value(member(one, "tip")),
                        text(text_of(one, "error"))});
    }
    return table("Nodes that are handed over to",
                 {"Key", "Address", "State", "Followed", "Tip", "Error"}, rows);
}

}  // namespace

Html node_parts(const Json& status) {
    return join({heights_part(status), refused_part(status), ledger_part(status)});
}

Html network_part(const Json& status) {
    const Json& network = member(status, "network");
    std::vector<Row> refused = counted(member(network, "refused"));
    std::erase_if(refused, [](const Row& row) { return row[1].code == "0"; });
    return section(
        "hosts", "Peers and network",
        join({hosts_table(status), peers_table(status),
              facts({{"Connections", number(count_of(network, "connections"))},
                     {"Peers connected", number(count_of(network, "peers_connected"))},
                     {"Received", bytes(count_of(network, "bytes_in"))},
                     {"Sent", bytes(count_of(network, "bytes_out"))},
                     {"Timed out", number(count_of(network, "timed_out"))},
                     {"Throttled", number(count_of(network, "throttled"))}}),
              table("Connections refused, by reason", {"Reason", "How many"}, refused, "none.")}));
}

Html challenger_parts(const Json& status) {
    const Json& c = member(status, "challenges");
    const std::uint64_t judged = count_of(c, "served") + count_of(c, "late") +
                                 count_of(c, "invalid") + count_of(c, "unreachable");
    std::vector<Row> outcomes;
    for (const char* const name : {"served", "late", "invalid", "unreachable", "abandoned"}) {
        outcomes.push_back({text(name), number(count_of(c, name))});
    }
    std::vector<Row> rounds, times;
    for (const Json& one : member(c, "recent_rounds")) {
        rounds.push_back({number(count_of(one, "height")), number(count_of(one, "chains")),
                          number(count_of(one, "challenges"))});
    }
    std::vector<Bar> all;
    std::uint64_t most = 1;
    for (const Json& one : member(c, "service_times"))
        most = std::max(most, count_of(one, "count"));
    for (const Json& one : member(c, "service_times")) {
        const Json& up_to = member(one, "up_to_ms");
        const std::string range = up_to.is_null() ? "more" : "up to " + value(up_to).code + " ms";
        const std::uint64_t count = count_of(one, "count");
        all.push_back({static_cast<double>(count) / static_cast<double>(most), "notice",
                       range + ": " + number(count).code});
        times.push_back({text(range), number(count)});
    }
    const Json& force = member(c, "in_force");
    return join(
        {section(
             "rounds", "Rounds",
             join({facts({{"This key is in force", value(force)},
                          {"Rounds drawn", number(count_of(c, "rounds"))},
                          {"Skipped", number(count_of(c, "skipped"))},
                          {"Challenges planned", number(count_of(c, "planned"))},
                          {"Sent", number(count_of(c, "sent"))},
                          {"Judged", number(judged)},
                          {"Outcomes published", number(count_of(c, "published"))},
                          {"Refused by the chain", number(count_of(c, "publish_refused"))},
                          {"Provers without an address", number(count_of(c, "unknown_provers"))}}),
                   table("Outcomes", {"Outcome", "How many"}, outcomes),
                   table("The newest rounds", {"Height", "Chains", "Challenges"}, rounds,
                         "none drawn yet.")})),
         section("service", "Service times",
                 join({bars("Service times of answers, from the shortest to the longest", all, 80),
                       table("Answers by service time", {"Service time", "How many"}, times,
                             "none measured yet.")}))});
}

}  // namespace holdfast::node::html
