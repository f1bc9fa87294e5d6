// Seals nothing, proves nothing: shows that the installed package is whole. Headers are found as
// <holdfast/ROOM/x.hpp>, every room links, and a call into each of the outer ones gives its answer.
#include <cstdio>
#include <embedded/bond_ledger.hpp>
#include <filesystem>
#include <holdfast/core/hash.hpp>
#include <holdfast/core/params.hpp>
#include <holdfast/embedded/local_chain.hpp>

int main(int argc, char** argv) {
    using namespace holdfast;
    if (argc != 2) return 2;
    const std::filesystem::path folder = argv[1];
    NetworkParams params;
    params.name = "install-test";
    const auto chain = LocalChain::create(folder / "chain", params, 1'700'000'000'000);
    if (!chain) {
        std::fprintf(stderr, "%s\n", chain.error().message.c_str());
        return 1;
    }
    const auto block = (*chain)->append_block();
    if (!block || block->height != Height(1)) return 1;
    const auto ledger = BondLedger::open(folder / "ledger", params.id());
    if (!ledger || !(*ledger)->audit()) return 1;
    std::printf("block %s\n", to_hex(view(block->hash)).c_str());
    return 0;
}
