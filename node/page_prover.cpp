#include <algorithm>
#include <cmath>

#include "node/page_html_impl.hpp"

namespace holdfast::node::html {
namespace {

std::string concern_level(const Json& one) {
    const std::string concern = text_of(one, "concern");
    return concern.empty() || concern == "none" ? "good" : concern;
}

std::string in_path(std::string state) {
    std::replace(state.begin(), state.end(), ' ', '-');
    return state;
}

/// Groups in words: what it is, what it costs, what it becomes, what to do.
Html attention(const Json& groups) {
    std::vector<Html> items;
    for (const Json& one : groups) {
        std::string out;
        const std::string chains = number(count_of(one, "chains")).code +
                                   (count_of(one, "chains") == 1 ? " chain" : " chains");
        out += "<li class=\"" + html_text(concern_level(one)) + "\"><p>" +
               badge(concern_level(one), text_of(one, "state")).code + " " + chains;
        if (const std::string disk = text_of(one, "disk"); !disk.empty()) {
            out += " on " + mono(disk, 60).code;
        }
        out += ", " + mono(text_of(one, "example"), 16).code +
               (count_of(one, "chains") == 1 ? "" : " the worst") + ": " +
               text(text_of(one, "why")).code + "</p>";
        for (const auto& [name, before] :
             {std::pair("cost", "Costs: "), std::pair("next", "Next: ")}) {
            const std::string told = text_of(one, name);
            if (!told.empty()) out += "<p>" + text(before + told).code + "</p>";
        }
        const std::string action = text_of(one, "do");
        if (!action.empty()) out += "<p class=\"do\">Do: " + text(action).code + "</p>";
        items.push_back({out + "</li>"});
    }
    return told_items(items);
}

Html chains_part(const Json& status) {
    std::vector<Row> rows;
    std::uint64_t all = 0;
    for (const auto& [state, count] : member(status, "states").items()) {
        const std::uint64_t chains = count_of(member(status, "states"), state.c_str());
        all += chains;
        rows.push_back({{"<a href=\"/chains/" + html_text(in_path(state)) + "/1\">" +
                         html_text(state) + "</a>"},
                        number(chains)});
    }
    if (rows.size() > 1) {
        rows.push_back({{"<a href=\"/chains/all/1\">all, the worst first</a>"}, number(all)});
    }
    const Json& groups = member(status, "attention");
    return section(
        "chains", "Chains",
        join({table("Replicas and chains by state", {"State", "How many"}, rows, "none at hand."),
              groups.empty() ? Html{}
                             : join({{"<h3>What needs attention</h3>"}, attention(groups)})}));
}

// --- heights -------------------------------------------------------------------------------------

Html step_time(const Json& one, const char* name) {
    const Json& ms = member(one, name);
    return ms.is_null() ? Html{"–"} : milliseconds(static_cast<std::int64_t>(count_of(one, name)));
}

const char* margin_level(std::int64_t margin, std::uint64_t deadline) {
    if (margin < 0) return "problem";
    return static_cast<std::uint64_t>(margin) * 10 < deadline * 3 ? "warning" : "good";
}

/// From the block to the deadline, with what was needed of it.
Html span_of(std::int64_t margin, std::uint64_t deadline) {
    const auto used = static_cast<std::int64_t>(deadline) - margin;
    const double share =
        deadline == 0
            ? 0
            : std::clamp(static_cast<double>(used) / static_cast<double>(deadline), 0.01, 1.0);
    return {
        "<svg class=\"span\" viewBox=\"0 0 200 10\" preserveAspectRatio=\"none\" "
        "aria-hidden=\"true\"><rect class=\"track\" width=\"200\" height=\"10\"/><rect "
        "class=\"" +
        std::string(margin_level(margin, deadline)) + "\" width=\"" +
        std::to_string(static_cast<int>(share * 200)) + "\" height=\"10\"/></svg>"};
}

Html timeline_part(const Json& status) {
    std::vector<Row> rows;
    for (const Json& one : member(status, "timeline")) {
        const Json& told = member(one, "margin_ms");
        const std::int64_t margin = told.is_number() ? told.get<std::int64_t>() : 0;
        const std::uint64_t deadline = count_of(one, "deadline_ms");
        const std::uint64_t owed = count_of(one, "owed") + count_of(one, "away");
        const std::uint64_t taken = count_of(one, "taken");
        const bool nothing = owed == 0 && taken == 0;
        rows.push_back({number(count_of(one, "height")), step_time(one, "y_ms"),
                        step_time(one, "links_ms"), step_time(one, "handed_over_ms"),
                        step_time(one, "acknowledged_ms"), step_time(one, "closed_ms"),
                        join({number(taken), {" of "}, number(std::max(owed, taken))}),
                        nothing ? Html{"nothing owed"} : milliseconds(margin),
                        nothing ? Html{} : span_of(margin, deadline)});
    }
    return section("timeline", "Heights and their deadlines",
                   join({{"<p class=\"quiet\">Times after the height's block was seen here. The "
                          "margin is what was left until its digest closes.</p>"},
                         table("The newest heights",
                               {"Height", "y verified", "Links made", "Handed over", "Acknowledged",
                                "Closed", "Links taken", "Margin", "Of its time"},
                               rows, "no block has been seen yet.")}));
}

Html misses_part(const Json& status) {
    const Json& misses = member(status, "misses");
    std::vector<Bar> all;
    std::vector<Row> worst;
    for (const Json& bar : member(misses, "bars")) {
        if (!bar.is_array() || bar.size() != 3) continue;
        const auto height = bar[0].get<std::uint64_t>();
        const auto owed = bar[1].get<std::uint64_t>();
        const auto missed = bar[2].get<std::uint64_t>();
        const double share =
            owed == 0 ? 0 : static_cast<double>(missed) / static_cast<double>(owed);
        const char* const level = missed == 0 ? "good" : share < 0.05 ? "warning" : "problem";
        // A few of very many are to be seen, too.
        all.push_back({missed == 0 ? 0 : std::max(0.15, std::sqrt(share)), level,
                       "from height " + std::to_string(height) + ": " + number(missed).code +
                           " of " + number(owed).code + " missed"});
        if (missed > 0) worst.push_back({number(height), number(missed), number(owed)});
    }
    const std::string label = number(count_of(misses, "missed")).code + " of " +
                              number(count_of(misses, "owed")).code + " links missed in " +
                              number(count_of(misses, "heights")).code + " heights";
    if (worst.size() > 10) worst.erase(worst.begin(), worst.end() - 10);
    std::reverse(worst.begin(), worst.end());
    return section("misses", "Misses of the rate window",
                   join({{"<p>"},
                         text(label + " since this process began, " +
                              number(count_of(misses, "heights_a_bar")).code +
                              (count_of(misses, "heights_a_bar") == 1 ? " height" : " heights") +
                              " a bar; higher is worse."),
                         {"</p>"},
                         all.empty() ? Html{} : bars(label, all),
                         table("The newest heights with misses", {"From height", "Missed", "Owed"},
                               worst, "none.")}));
}

// --- disks ---------------------------------------------------------------------------------------

Html scrubbed(const Json& scrub) {
    if (scrub.is_null()) return {};
    std::vector<Row> bad;
    for (const Json& one : member(scrub, "bad")) {
        bad.push_back({mono(text_of(one, "replica"), 48), number(count_of(one, "damaged_chunks")),
                       text(text_of(one, "problem"))});
    }
    const Html done = join(
        {bytes(count_of(scrub, "done_bytes")), {" of "}, bytes(count_of(scrub, "total_bytes"))});
    return join({facts({{"Being scrubbed", value(member(scrub, "replica"))},
                        {"Of it", done},
                        {"Scrubbed since the start", number(count_of(scrub, "scrubbed"))},
                        {"Found damaged", number(count_of(scrub, "damaged"))},
                        {"Repaired", number(count_of(scrub, "repaired"))},
                        {"Due to be scrubbed", number(count_of(scrub, "due"))}}),
                 table("Damaged replicas", {"Replica", "Chunks", "Problem"}, bad)});
}

Html disks_part(const Json& status) {
    std::vector<Row> rows;
    for (const Json& one : member(status, "disks")) {
        const std::string action = text_of(one, "do");
        rows.push_back(
            {mono(text_of(one, "path"), 40), badge(concern_level(one), text_of(one, "state")),
             number(count_of(one, "replicas")), bytes(count_of(one, "free_bytes")),
             bytes(count_of(one, "total_bytes")), microseconds(count_of(one, "read_median_us")),
             microseconds(count_of(one, "read_worst_us")), number(count_of(one, "failed_reads")),
             action.empty() ? text(text_of(one, "why"))
                            : join({text(text_of(one, "why")),
                                    {"<br><strong>Do: "},
                                    text(action),
                                    {"</strong>"}})});
    }
    return section("disks", "Disks",
                   join({table("Folders of replicas and the file systems below them",
                               {"Folder", "State", "Replicas", "Free", "Size", "Read, median",
                                "Read, worst", "Failed reads", "Why, and what to do"},
                               rows, "not looked at yet."),
                         scrubbed(member(status, "scrub"))}));
}

// --- work and income -----------------------------------------------------------------------------

Html work_part(const Json& status) {
    const Json& proving = member(status, "proving");
    const Json& handed = member(status, "handed_over");
    const Json& promises = member(status, "promises");
    const Json& registrations = member(status, "registrations");
    Html out = facts({{"Links taken", number(count_of(proving, "links"))},
                      {"Newest linked height", value(member(proving, "newest_linked"))},
                      {"Compact proofs", number(count_of(proving, "compact_proofs"))},
                      {"Full proofs", number(count_of(proving, "full_proofs"))},
                      {"Seal proofs and audits", number(count_of(proving, "seal_proofs"))},
                      {"Of these due now", number(count_of(proving, "seal_proofs_waiting"))},
                      {"Faults", number(count_of(proving, "faults"))},
                      {"Messages acknowledged", number(count_of(handed, "acknowledged"))},
                      {"Not settled", number(count_of(handed, "unsettled"))},
                      {"Refused objects", number(count_of(handed, "refused"))},
                      {"Promises kept", number(count_of(promises, "kept"))},
                      {"Registrations made", number(count_of(registrations, "made"))},
                      {"Waiting for one", number(count_of(registrations, "waiting"))}});
    const Json& warnings = member(proving, "warnings");
    if (!warnings.empty()) {
        std::string list = "<h3>Forecast</h3><ul class=\"told\">";
        for (const Json& one : warnings) {
            if (one.is_string()) {
                list += "<li class=\"warning\">" + text(one.get<std::string>()).code + "</li>";
            }
        }
        out = join({out, {list + "</ul>"}});
    } else {
        out = join({out, {"<p class=\"quiet\">Forecast: at this pace every deadline is met.</p>"}});
    }
    return section("work", "Work", out);
}

/// What this daemon serves, and for which challengers pay; what was paid is the ledger's.
Html serving_part(const Json& status) {
    const Json& challenges = member(status, "challenges");
    const Json& readers = member(status, "readers");
    std::vector<Row> ignored;
    for (const auto& [reason, count] : member(challenges, "ignored").items()) {
        ignored.push_back({text(reason), value(count)});
    }
    return section(
        "income", "Challenges and readers",
        join({facts({{"Challenges answered", number(count_of(challenges, "answered"))},
                     {"Challenges failed", number(count_of(challenges, "failed"))},
                     {"Reads answered", number(count_of(readers, "answers"))},
                     {"Read by others", bytes(count_of(readers, "bytes"))},
                     {"Reads failed", number(count_of(readers, "failed"))}}),
              ignored.empty()
                  ? Html{}
                  : table("Challenges that were not answered", {"Reason", "How many"}, ignored),
              {"<p class=\"quiet\">Each answer in time is one that the network's ledger pays for; "
               "balances are told by the node (holdfast ledger).</p>"}}));
}

}  // namespace

Html prover_parts(const Json& status) {
    return join({chains_part(status), timeline_part(status), misses_part(status),
                 disks_part(status), work_part(status), serving_part(status)});
}

}  // namespace holdfast::node::html
