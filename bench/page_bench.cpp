// O1: the first view of a prover's page with 100,000 chains, as far as the daemon makes it; what a
// browser adds is measured by tests/page/browser.test.mjs.
#include "page/page_world.hpp"
#include "result.hpp"

namespace {

using namespace holdfast;
using namespace holdfast::bench;

constexpr std::uint64_t kChains = 100'000;

void first_view(const Options& options) {
    const test::PageWorld world(kChains);
    std::string page;
    const auto times =
        interleave(options.rounds(5, 15), {[&] {
                       const node::ChainsView view = world.view();
                       page = node::overview_page(world.status(view), node::problems(view));
                   }});
    require(page.find("/chains/all/1") != std::string::npos, "the page leads to all chains");
    report({.id = "O1/view",
            .what = "first view of a prover's page, 100,000 chains, made anew",
            .value = times[0].median() * 1'000,
            .unit = "ms",
            .target = Target::value_at_most(1'000),
            .samples = times[0].size()});
    report({.id = "O1/bytes",
            .what = "the same, its size",
            .value = static_cast<double>(page.size()) / 1'024,
            .unit = "KiB",
            .target = Target::value_at_most(300)});
}

}  // namespace

int main(int argc, char** argv) { return run(argc, argv, {{"O1", first_view}}); }
