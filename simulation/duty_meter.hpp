// Both ways of handing links and proofs to a registry, with a meter on each.
//
//   bundles   one signature over all links of a key and height, and short proofs
//   singles   a signature for each link (a bundle of one member), and the proofs that light clients
//             read, each with a receipt and a path
//
// A meter tells what is spent on links and proofs, of a height's work from the first question about
// open heights on: within calls to the registry, and outside of them, by provers. It counts the
// processor time of the whole process, which must do nothing else beside. Seal proofs are not
// counted: they are the same either way.
//
// Threading: one call at a time.
#pragma once

#include <optional>
#include <vector>

#include "api/duty_source.hpp"
#include "core/keys.hpp"
#include "simulation/singles.hpp"

namespace holdfast::simulation {

/// What handing over has cost.
struct HandOverCost {
    std::uint64_t links = 0;
    std::uint64_t proofs = 0;
    std::uint64_t bytes = 0;       // of the objects, standing alone
    std::uint64_t signatures = 0;  // in them: each made by a prover, verified by the registry
    double provers_seconds = 0;    // of processors
    double registry_seconds = 0;

    HandOverCost& operator+=(const HandOverCost& other);
};

/// The duties that a registry tells, as they are, metered.
class MeteredDuties : public RegistryDuties {
  public:
    using RegistryDuties::RegistryDuties;

    /// What was spent since the last call.
    [[nodiscard]] HandOverCost take_cost();

    [[nodiscard]] Status begin_pass() override;
    [[nodiscard]] Result<std::vector<Height>> open_heights() override;
    [[nodiscard]] Result<std::vector<Height>> proof_heights() override;
    [[nodiscard]] Result<KnownHeight> known_height(Height height) override;
    [[nodiscard]] Result<std::vector<DueLink>> due_links(Height height,
                                                         const Wanted& wanted) override;
    [[nodiscard]] Result<std::vector<DueProof>> due_proofs(Height height,
                                                           const Wanted& wanted) override;
    [[nodiscard]] Result<std::vector<ObjectOutcome>> accept(std::span<const ByteView> objects,
                                                            const SealCheck& check) override;

  protected:
    /// `call` is the registry's work, not a prover's.
    template <class Call>
    auto metered(const Call& call);

  private:
    void count(std::span<const ByteView> objects, std::span<const ObjectOutcome> outcomes);
    void stop();

    HandOverCost cost_;
    std::optional<double> since_;  // processor time up to which all is counted; empty: stopped
};

/// The same duties; what is handed over as bundles and short proofs goes to the registry one by
/// one, each signed.
class SingleDuties final : public MeteredDuties {
  public:
    using MeteredDuties::MeteredDuties;
    /// Whose links and proofs come next; it must outlive them.
    void sign_with(const KeyPair& key) { key_ = &key; }

    [[nodiscard]] Result<std::vector<DueProof>> due_proofs(Height height,
                                                           const Wanted& wanted) override;
    [[nodiscard]] Result<std::vector<ObjectOutcome>> accept(std::span<const ByteView> objects,
                                                            const SealCheck& check) override;

  private:
    [[nodiscard]] Result<std::vector<Bytes>> one_by_one_of(ByteView bundle);
    [[nodiscard]] Result<std::vector<Bytes>> whole_of(std::span<const ByteView> proofs);

    const KeyPair* key_ = nullptr;
    Height height_;              // whose proofs were asked about last
    std::vector<DueProof> due_;  // of it, by all keys
    std::optional<WholeProofs> proofs_;
};

}  // namespace holdfast::simulation
