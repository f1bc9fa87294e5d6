// N1 to N3: a height of the chains of 10 keys between provers and a node, over TLS on loopback
// (bench/duties_world.hpp).
//
// N1, the node's side: bundles and short proofs come in, are verified, stand in the journal on the
// device and are acknowledged, and the block closes a digest in which every chain has linked. N2,
// the provers' side: what is due is asked for, cells are read and opened, links made, recorded on
// the device and signed in bundles, proofs made, and all of it is sent to a node that answers at
// once. N3: the bytes of all frames in both directions. full: 100,000 chains, whose replicas take
// 7 GB in the folder for temporary files; quick: 10,000, with the targets in proportion.
//
// Beside it the same height with a signature for each link, as receipts have: bundles of one member
// and the proofs that light clients read. Every acknowledgement is checked, and every link and
// proof stands at the end.
#include "bench/duties_world.hpp"

namespace holdfast::bench {
namespace {

struct Measured {
    Samples node;
    Samples provers;
    double provers_busy = 0;  // processors at work, on average
    double bytes = 0;         // a chain and height
};

/// What the node takes, with the block behind it: N1, and N3 with what has been asked before.
void take(DutiesWorld& world, const std::vector<Made>& made, std::uint64_t asked, Measured& out) {
    const std::optional<Height> proven = world.proven();
    const std::uint64_t before = world.bytes();
    const Spent taking = spent_on([&] {
        world.hand_over(made);
        world.feed();
    });
    out.node.seconds.push_back(taking.seconds);
    out.bytes =
        static_cast<double>(world.bytes() - before + asked) / static_cast<double>(world.count());
    if (proven) world.check_proven(*proven);
}

/// What the provers make at the tip and send.
struct Provers {
    std::vector<Made> made;
    Spent spent;
    Spent sending;  // of it, as much as sending the same once more takes
    std::uint64_t asked_bytes = 0;
};

Provers make(DutiesWorld& world) {
    Provers out;
    const std::uint64_t before = world.bytes();
    out.spent = spent_on([&] { out.made = world.make(); });
    const std::uint64_t all = world.bytes() - before;
    out.sending = spent_on([&] { world.send_quick(out.made); });
    out.asked_bytes = all - (world.bytes() - before - all);
    return out;
}

/// Heights in steady state: every link made, every proof of the height whose turn it is.
Measured in_bundles(DutiesWorld& world, unsigned heights) {
    Measured out;
    for (unsigned i = 0; i < heights; ++i) {
        const Provers provers = make(world);
        out.provers.seconds.push_back(provers.spent.seconds);
        out.provers_busy += provers.spent.processors / provers.spent.seconds / heights;
        take(world, provers.made, provers.asked_bytes, out);
    }
    return out;
}

/// The same height once more, with a signature for each link and proof.
Measured singly(DutiesWorld& world) {
    Measured out;
    const Provers provers = make(world);
    std::vector<Made> singles;
    const Spent signing = spent_on([&] { singles = world.singly(provers.made); });
    const Spent sending = spent_on([&] { world.send_quick(singles); });
    out.provers.seconds.push_back(provers.spent.seconds - provers.sending.seconds +
                                  signing.seconds + sending.seconds);
    take(world, singles, provers.asked_bytes, out);
    return out;
}

struct Figures {
    std::size_t chains = 0;
    Measured ours;
    Measured single;
};

/// Measured once, for all three.
const Figures& figures(const Options& options) {
    static const Figures kFigures = [&] {
        Figures out;
        out.chains = options.full ? 100'000 : 10'000;
        DutiesWorld world(out.chains);
        (void)in_bundles(world, static_cast<unsigned>(world.heights_to_steady()) + 1);
        out.ours = in_bundles(world, 3);
        out.single = singly(world);
        return out;
    }();
    return kFigures;
}

void entry(const std::string& id, const std::string& what, double value, const std::string& unit,
           double single, double most, const Options& options) {
    const Figures& all = figures(options);
    Entry e;
    e.id = id;
    e.what = "a height of " + std::to_string(all.chains) + " chains of 10 keys: " + what;
    e.value = value;
    e.unit = unit;
    e.peer = "the same with a signature for each link, and compact proofs";
    e.peer_value = single;
    e.ratio = single / value;
    e.target = Target::value_at_most(most);
    e.threads = options.threads;
    e.samples = all.ours.node.size();
    report(e);
}

double in_proportion(const Options& options, double most) {
    return most * static_cast<double>(figures(options).chains) / 100'000;
}

void node_side(const Options& options) {
    const Figures& all = figures(options);
    entry("N1", "taken, verified, durable, acknowledged, a digest closed", all.ours.node.median(),
          "s", all.single.node.median(), in_proportion(options, 4), options);
}

void provers_side(const Options& options) {
    const Figures& all = figures(options);
    entry("N2", "asked for, read, linked, recorded, signed, proven, sent; warm",
          all.ours.provers.median(), "s", all.single.provers.median(), in_proportion(options, 6),
          options);
    Entry busy;
    busy.id = "N2/busy";
    busy.what = "processors at work meanwhile, on average";
    busy.value = all.ours.provers_busy;
    busy.threads = options.threads;
    busy.samples = all.ours.provers.size();
    report(busy);
}

void bytes_sent(const Options& options) {
    const Figures& all = figures(options);
    entry("N3", "bytes of all frames both ways, a chain", all.ours.bytes, "bytes", all.single.bytes,
          1'400, options);
}

}  // namespace
}  // namespace holdfast::bench

int main(int argc, char** argv) {
    return holdfast::bench::run(argc, argv,
                                {{"N1", holdfast::bench::node_side},
                                 {"N2", holdfast::bench::provers_side},
                                 {"N3", holdfast::bench::bytes_sent}});
}
