#include "simulation/duty_meter.hpp"

#include <ctime>
#include <utility>

#include "proofs/bundle.hpp"
#include "storage/parallel.hpp"

namespace holdfast::simulation {
namespace {

double processor_seconds() {
    timespec now{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

Kind kind_at(ByteView object) { return peek_kind(object).value_or(Kind{}); }

bool is_short(Kind kind) { return kind == Kind::kShortCompact || kind == Kind::kShortFull; }

/// What became of a bundle whose members went one by one.
ObjectOutcome together(std::span<const ObjectOutcome> singles) {
    ObjectOutcome out;
    out.kind = Kind::kBundle;
    out.height = singles[0].height;
    out.verdict = singles[0].verdict;
    for (const ObjectOutcome& single : singles) {
        out.members.push_back(single.verdict ? single.members[0] : single.verdict);
    }
    return out;
}

}  // namespace

HandOverCost& HandOverCost::operator+=(const HandOverCost& other) {
    links += other.links;
    proofs += other.proofs;
    bytes += other.bytes;
    signatures += other.signatures;
    provers_seconds += other.provers_seconds;
    registry_seconds += other.registry_seconds;
    return *this;
}

// --- the meter -----------------------------------------------------------------------------------

template <class Call>
auto MeteredDuties::metered(const Call& call) {
    if (!since_) return call();
    const double start = processor_seconds();
    auto out = call();
    const double end = processor_seconds();
    cost_.provers_seconds += start - std::exchange(*since_, end);
    cost_.registry_seconds += end - start;
    return out;
}

void MeteredDuties::stop() {
    if (since_) cost_.provers_seconds += processor_seconds() - *since_;
    since_.reset();
}

HandOverCost MeteredDuties::take_cost() {
    stop();
    return std::exchange(cost_, {});
}

/// What comes next, of another set or height, begins with seal proofs.
Status MeteredDuties::begin_pass() {
    stop();
    return {};
}

/// The first question about links.
Result<std::vector<Height>> MeteredDuties::open_heights() {
    if (!since_) since_ = processor_seconds();
    return metered([&] { return RegistryDuties::open_heights(); });
}
Result<std::vector<Height>> MeteredDuties::proof_heights() {
    return metered([&] { return RegistryDuties::proof_heights(); });
}
Result<KnownHeight> MeteredDuties::known_height(Height height) {
    return metered([&] { return RegistryDuties::known_height(height); });
}
Result<std::vector<DueLink>> MeteredDuties::due_links(Height height, const Wanted& wanted) {
    return metered([&] { return RegistryDuties::due_links(height, wanted); });
}
Result<std::vector<DueProof>> MeteredDuties::due_proofs(Height height, const Wanted& wanted) {
    return metered([&] { return RegistryDuties::due_proofs(height, wanted); });
}

Result<std::vector<ObjectOutcome>> MeteredDuties::accept(std::span<const ByteView> objects,
                                                         const SealCheck& check) {
    HOLDFAST_ASSIGN(outcomes, metered([&] { return RegistryDuties::accept(objects, check); }));
    if (since_) count(objects, outcomes);
    return outcomes;
}

void MeteredDuties::count(std::span<const ByteView> objects,
                          std::span<const ObjectOutcome> outcomes) {
    for (std::size_t i = 0; i < objects.size(); ++i) {
        const Kind kind = kind_at(objects[i]);
        cost_.bytes += objects[i].size();
        cost_.signatures += is_short(kind) ? 0 : 1;
        if (!outcomes[i].verdict) continue;
        if (kind != Kind::kBundle) ++cost_.proofs;
        for (const Verdict& member : outcomes[i].members) cost_.links += member ? 1 : 0;
    }
}

// --- one by one ----------------------------------------------------------------------------------

Result<std::vector<DueProof>> SingleDuties::due_proofs(Height height, const Wanted& wanted) {
    HOLDFAST_ASSIGN(due, MeteredDuties::due_proofs(height, wanted));
    if (std::exchange(height_, height) != height) due_.clear();
    due_.insert(due_.end(), due.begin(), due.end());
    return due;
}

Result<std::vector<ObjectOutcome>> SingleDuties::accept(std::span<const ByteView> objects,
                                                        const SealCheck& check) {
    if (objects.empty()) return std::vector<ObjectOutcome>();
    if (is_short(kind_at(objects[0]))) {
        HOLDFAST_ASSIGN(proofs, whole_of(objects));
        return MeteredDuties::accept(std::vector<ByteView>(proofs.begin(), proofs.end()), check);
    }
    if (kind_at(objects[0]) != Kind::kBundle) return MeteredDuties::accept(objects, check);
    std::vector<ObjectOutcome> out;
    for (const ByteView object : objects) {
        HOLDFAST_ASSIGN(singles, one_by_one_of(object));
        const std::vector<ByteView> views(singles.begin(), singles.end());
        HOLDFAST_ASSIGN(outcomes, MeteredDuties::accept(views, check));
        out.push_back(together(outcomes));
    }
    return out;
}

Result<std::vector<Bytes>> SingleDuties::one_by_one_of(ByteView object) {
    const Checked<ByteView> body = unwrap_object(Kind::kBundle, object);
    if (!body) return fail_refused(body.error(), "a bundle");
    const Checked<Bundle> bundle = Bundle::decode(*body);
    if (!bundle) return fail_refused(bundle.error(), "a bundle");
    HOLDFAST_ASSIGN(known, known_height(bundle->height));
    return one_by_one(registry().network_id(), known, *bundle, *key_);
}

/// The whole tree of the height is asked for with the first proofs: a path for each.
Result<std::vector<Bytes>> SingleDuties::whole_of(std::span<const ByteView> proofs) {
    if (!proofs_ || proofs_->height() != height_) {
        HOLDFAST_ASSIGN(known, known_height(height_));
        HOLDFAST_ASSIGN(tree, metered([&] { return registry().tree(height_); }));
        proofs_.emplace(registry().network_id(), known, std::move(tree));
    }
    proofs_->note(std::exchange(due_, {}));
    std::vector<Result<Bytes>> made(proofs.size());
    for_each_parallel(proofs.size(), 0,
                      [&](std::size_t i) { made[i] = proofs_->of(proofs[i], *key_); });
    std::vector<Bytes> out;
    for (Result<Bytes>& one : made) {
        HOLDFAST_TRY(one);
        out.push_back(std::move(*one));
    }
    return out;
}

}  // namespace holdfast::simulation
