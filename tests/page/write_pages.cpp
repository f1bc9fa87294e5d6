// Writes the pages of a prover with so many chains, of a node and of a challenger into a folder, as
// the daemons serve them, for a browser to look at: write_pages FOLDER CHAINS. Prints how long the
// first view took, the least of three.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "page/page_world.hpp"

namespace {

using namespace holdfast;

constexpr const char* kNode = R"({"role":"node","key":
  "0c7de4419af2b3368d51c07fa2e9b8641f35d0a97be2c4885a10f9d37c64be21","address":"203.0.113.1:9000",
  "chain":{"newest":184311,"age_ms":21400},
  "digest":{"height":184308,"global":
    "d41a7b90c2e85f336a90417cbb82d5e0f1c93a64587e2d0bb6c3917f40a5e81c","active":99120,"late":311,
    "removing":24,"expired":5},
  "processed":{"tip":184311,"closed":184308,"behind":0,"suspended_chains":4,"slashed":2,
    "objects":{"bundle":{"accepted":81231,"refused":{"wrong-link":3,"too-late":41}},
      "registration":{"accepted":99460,"refused":{"bond":2}},"outcome":{"accepted":5512,"refused":{}}},
    "handed_over":{"messages":90211,"objects":191003,"acknowledged":90180,"repeated":31}},
  "followers":{"questions":1923812,"garbage":3,"failed":0,"refused":{"busy":12,"too-early":190}},
  "ledger":{"issued":100000000,"in_accounts":41000000,"in_bonds":58000000,"in_pool":1000000},
  "peers":[{"key":"aa11","address":"prover-1.example:9001","connected":true},
    {"key":"bb22","address":"<b>10.0.0.7</b>:9001","connected":false,
     "why":"connection refused \"><script>alert(2)</script>"}],
  "network":{"connections":41,"peers_connected":38,"bytes_in":981231231,"bytes_out":1912312312,
    "timed_out":2,"throttled":5,"refused":{"tls":1,"key":3}}})";
constexpr const char* kChallenger = R"({"role":"challenger","key":
  "77aa0193de55f02cb1846f9e3b7cd9e0482c15fba6d390e1747e0f28bc93a6d4",
  "challenges":{"in_force":true,"rounds":2210,"skipped":3,"planned":5530,"sent":5512,"served":5490,
    "late":12,"invalid":0,"unreachable":8,"abandoned":2,"published":5510,"publish_refused":0,
    "unknown_provers":0,
    "service_times":[{"up_to_ms":2,"count":3},{"up_to_ms":5,"count":204},{"up_to_ms":10,"count":1880},
      {"up_to_ms":25,"count":2411},{"up_to_ms":50,"count":802},{"up_to_ms":100,"count":151},
      {"up_to_ms":250,"count":30},{"up_to_ms":500,"count":9},{"up_to_ms":1000,"count":12},
      {"up_to_ms":null,"count":0}],
    "recent_rounds":[{"height":184310,"chains":99431,"challenges":3},
      {"height":184309,"chains":99431,"challenges":2}]},
  "peers":[],"network":{"connections":1,"peers_connected":1,"bytes_in":81231,"bytes_out":91231}})";

void write(const std::filesystem::path& file, std::string_view text) {
    std::ofstream out(file, std::ios::binary);
    out << text;
    out.close();
    if (!out) std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    const std::filesystem::path folder = argv[1];
    const test::PageWorld world(std::strtoull(argv[2], nullptr, 10));
    node::ChainsView view;
    std::string first;
    double least_ms = 1e9;  // of three: other programs share the machine
    for (int i = 0; i < 3; ++i) {
        const auto begin = std::chrono::steady_clock::now();
        view = world.view();
        first = node::overview_page(world.status(view), node::problems(view));
        const std::chrono::duration<double, std::milli> took =
            std::chrono::steady_clock::now() - begin;
        least_ms = std::min(least_ms, took.count());
    }
    write(folder / "index.html", first);
    for (const char* const state : {"all", "late", "active"}) {
        std::filesystem::create_directories(folder / "chains" / state);
        write(folder / "chains" / state / "1", node::chains_page(world.page(view, state)));
    }
    write(folder / "node.html", node::overview_page(json::Json::parse(kNode), {}));
    write(folder / "challenger.html", node::overview_page(json::Json::parse(kChallenger), {}));
    for (const char* const asset : {"/page.css", "/page.js"}) {
        write(folder / (asset + 1), node::page_at(asset, {})->body);
    }
    std::printf("{\"first_view_ms\":%.1f,\"bytes\":%zu}\n", least_ms, first.size());
    return 0;
}
