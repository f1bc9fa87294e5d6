// The daemons' pages: nothing that a peer or a file's name brings becomes markup, whatever the
// status lacks; chains are paged.
#include "node/page.hpp"

#include <gtest/gtest.h>

#include "core/hash.hpp"
#include "node/chain_book.hpp"

namespace holdfast::node {
namespace {

using json::Json;

const std::vector<std::string> kHostile = {"<script>alert(1)</script>",
                                           "\"><img src=x onerror=alert(1)>",
                                           "' onmouseover='alert(1)",
                                           "</title><svg onload=alert(1)>",
                                           "javascript:alert(1)&amp;",
                                           "\xE2\x80\xAEgnp.exe",
                                           "a\xff\xfe<b>",
                                           std::string("nul\0<i>", 7)};

/// Every text in it replaced, every name of a member of these objects as well.
Json poisoned(const Json& status, const std::string& with) {
    if (status.is_string()) return with;
    if (status.is_array()) {
        Json out = Json::array();
        for (const Json& one : status) out.push_back(poisoned(one, with));
        return out;
    }
    if (!status.is_object()) return status;
    Json out = Json::object();
    for (const auto& [name, one] : status.items()) {
        const bool named = name == "states" || name == "refused" || name == "ignored";
        if (named) {
            out[name] = {{with, 1}};
        } else if (name == "role") {
            out[name] = one;
        } else {
            out[name] = poisoned(one, with);
        }
    }
    return out;
}

Json prover_status() {
    return Json::parse(R"({"role":"prover","key":"k","address":"a",
      "states":{"late":2,"active":5},
      "attention":[{"concern":"problem","state":"late","why":"w","cost":"c","next":"n","do":"d",
        "chains":2,"example":"e","disk":"/d"}],
      "timeline":[{"height":7,"y_ms":12,"links_ms":null,"handed_over_ms":40,"acknowledged_ms":50,
        "closed_ms":null,"owed":3,"taken":2,"away":1,"deadline_ms":3000,"margin_ms":-20}],
      "misses":{"heights":3,"heights_a_bar":1,"owed":9,"missed":1,"bars":[[5,3,0],[6,3,1],[7,3,3]]},
      "scrub":{"replica":"r","bad":[{"replica":"r","problem":"p"}]},
      "disks":[{"path":"/d","replicas":2,"free_bytes":1024,"total_bytes":4096,"read_median_us":900,
        "read_worst_us":25000,"failed_reads":1,"concern":"warning","state":"faulty","why":"w",
        "do":"d"}],
      "proving":{"links":5,"warnings":["x"]},"challenges":{"answered":1,"ignored":{"busy":2}},
      "hosts":{"nodes":[{"key":"k","address":"a","reachable":true,"followed":true,"tip":8,
        "error":"e"}]},
      "peers":[{"key":"k","address":"a","connected":false,"why":"w"}],
      "network":{"refused":{"key":3}}})");
}
Json node_status() {
    return Json::parse(R"({"role":"node","key":"k","chain":{"newest":9,"age_ms":5},
      "digest":{"global":"ab","active":3},
      "processed":{"tip":9,"closed":6,"objects":{"bundle":{"accepted":4,"refused":{"wrong-y":1}}}},
      "followers":{"refused":{"busy":1}},"ledger":{"issued":5},
      "peers":[{"key":"k","address":"a","connected":true}]})");
}
Json challenger_status() {
    return Json::parse(R"({"role":"challenger","key":"k","challenges":{"in_force":true,"served":2,
      "service_times":[{"up_to_ms":2,"count":1},{"up_to_ms":null,"count":3}],
      "recent_rounds":[{"height":5,"chains":9,"challenges":2}]}})");
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

TEST(Page, HostileNamesStayText) {
    for (const Json& status : {prover_status(), node_status(), challenger_status()}) {
        for (const std::string& name : kHostile) {
            const std::string page = overview_page(poisoned(status, name), {name});
            for (const char* const markup : {"<script>", "<img", "onerror=alert(1)>", "' onmouse",
                                             "<svg onload", "<b>", "<i>", "\xE2\x80\xAE"}) {
                EXPECT_FALSE(contains(page, markup)) << name << " became " << markup;
            }
        }
    }
    const Json rows = Json::parse(R"({"state":"late","page":1,"pages":1,"total":1,"rows":[
        {"chain":"c","replica":"r","state":"late","why":"w","do":"d","misses":3}]})");
    for (const std::string& name : kHostile) {
        const std::string page = chains_page(poisoned(rows, name));
        EXPECT_FALSE(contains(page, "<script>") || contains(page, "<img") ||
                     contains(page, "' onmouse") || contains(page, "<b>"))
            << name;
    }
}

TEST(Page, TextsAreEscapedForElementsAndAttributes) {
    EXPECT_EQ(html_text("a<b>&\"'"), "a&lt;b&gt;&amp;&quot;&#39;");
    EXPECT_EQ(html_text("gr\xC3\xBC\xC3\x9F"), "gr\xC3\xBC\xC3\x9F");
    EXPECT_EQ(html_text("x\xE2\x81\xA7y\x1by"), "x\xEF\xBF\xBDy\xEF\xBF\xBDy");
    EXPECT_FALSE(contains(html_text("\xff<"), "<"));
}

TEST(Page, NothingOfItIsForeignAndTheScriptIsOwn) {
    const std::string page = overview_page(prover_status(), {"p"});
    EXPECT_TRUE(contains(page, "default-src &#39;none&#39;") ||
                contains(page, "default-src 'none'"));
    EXPECT_FALSE(contains(page, "http://") || contains(page, "https://") ||
                 contains(page, "style=") || contains(page, "onclick"));
    for (const char* const part : {"<main", "<header", "<nav aria-label", "<footer", "<caption>",
                                   "scope=\"col\"", "aria-live=\"polite\"", "lang=\"en\""}) {
        EXPECT_TRUE(contains(page, part)) << part;
    }
}

TEST(Page, AStatusThatLacksEverythingIsStillAPage) {
    for (const char* const status :
         {"{}", "null", "[]", R"({"role":"prover"})", R"({"role":"challenger"})",
          R"({"role":"prover","misses":{"bars":[1,"x",[1]]},"states":[1],"timeline":{"a":1},
              "disks":"none","peers":5,"hosts":[]})"}) {
        const std::string page = overview_page(Json::parse(status), {});
        EXPECT_TRUE(contains(page, "All is well")) << status;
    }
}

TEST(Page, PathsLeadToPagesOrNowhere) {
    const PageSources sources{prover_status, [] { return std::vector<std::string>(); },
                              [](const std::string& state, std::uint64_t page) {
                                  return Json{{"state", state},
                                              {"page", page},
                                              {"pages", 9},
                                              {"total", 900},
                                              {"rows", Json::array()}};
                              }};
    for (const char* const path : {"/", "/page.css", "/page.js", "/chains/late/1", "/chains/all",
                                   "/chains/not-registered/99999999999"}) {
        const auto page = page_at(path, sources);
        EXPECT_TRUE(page && page->status == 200 && !page->body.empty()) << path;
    }
    for (const char* const path : {"/x", "", "/chains/", "/chains/late/x", "/chains/late/1x",
                                   "/chains/late/-1", "/chains/late/99999999999999999999"}) {
        EXPECT_FALSE(page_at(path, sources)) << path;
    }
    EXPECT_TRUE(contains(page_at("/chains/not-registered/2", sources)->body, "not registered"));
}

TEST(Page, ChainsOfAStateArePagedWithTheWorstFirst) {
    NetworkParams params;
    ChainsView view;
    view.tip = Height(5'000);
    for (std::uint64_t n = 0; n < 250; ++n) {
        ChainsView::Row row;
        row.facts.replica = "/mnt/disk/" + std::to_string(n) + ".replica";
        row.facts.linked = true;
        row.state = "late";
        row.concern = Concern::kProblem;
        row.facts.chain = FollowedChain{};
        row.facts.chain->chain_id = ChainId(tagged_hash("test/chain", n));
        row.facts.chain->phase = ChainPhase::kSealed;
        row.facts.chain->status = ChainStatus::kLate;
        row.facts.chain->misses = 500;
        view.rows.push_back(row);
    }
    view.states = {{"late", 250}};
    const Json last = chain_page(params, view, "late", 1'000);
    EXPECT_EQ(last["page"], 3);
    EXPECT_EQ(last["rows"].size(), 50U);
    EXPECT_EQ(last["rows"][0]["replica"], "/mnt/disk/200.replica");
    EXPECT_EQ(chain_page(params, view, "all", 0)["rows"].size(), 100U);
    EXPECT_EQ(chain_page(params, view, "active", 1)["total"], 0);
    EXPECT_TRUE(contains(chains_page(last), "500 misses"));
}

}  // namespace
}  // namespace holdfast::node
