// What the blocks of a random history list, but for evidence.
#include "support/random_history.hpp"

namespace holdfast::test {

/// Those who keep to the rules come first; whoever comes later may be anybody.
void RandomHistory::list_objects() {
    if (chains_.empty()) {
        list_registration();
        list_challenger();
        list_roles();
        return;
    }
    for (std::uint64_t n = below(5); n > 0; --n) {
        switch (below(16)) {
            case 0:
            case 1:
            case 2:
                list_registration();
                break;
            case 3:
            case 4:
                list_update();
                break;
            case 5:
                list_chain_removal();
                break;
            case 6:
                list_role_removal();
                break;
            case 7:
                list_challenger();
                break;
            case 8:
            case 9:
                list_checkpoint();
                break;
            case 10:
                list_roles();
                break;
            case 11:
                list_at_wrong_door();
                break;
            default:
                list_evidence();
        }
    }
}

void RandomHistory::submit(const std::string& name, Kind kind, Bytes object) {
    names_[sha256(object)] = name;
    must(host_.submit(kind, object));
}

void RandomHistory::bond(const BondEvent& event) {
    bonds_.insert(event.bond);
    host_.list(event);
}

BondId RandomHistory::new_bond(const PublicKey& owner, BondPurpose purpose, std::uint64_t amount) {
    const BondId id(tagged_hash("test/history bond", seed_, ++numbers_));
    bond(BondEvent::created(id, owner, amount, purpose));
    bond_of_[Digest{owner.bytes}] = id;
    holders_.emplace(purpose, Digest{owner.bytes});
    return id;
}

void RandomHistory::list_registration() {
    constexpr std::size_t kMostChains = 6;
    const bool honest = chains_.empty();
    if (chains_.size() >= kMostChains) return;
    const Height genesis = host_.newest_final().value();
    TestChainOptions options{genesis, must(host_.block_by_height(genesis)).hash};
    options.retention = static_cast<Retention>(1 + below(2));
    options.unsealed = !honest && one_in(3);
    auto chain = std::make_unique<TestChain>(params_, 1'000 * seed_ + ++numbers_, options);
    const std::uint64_t variant = honest ? 7 : below(12);
    if (variant != 0) bond(chain->bond(variant == 1 ? kTestPart - 1 : kTestPart + below(5)));
    Bytes object = wrap_object(Kind::kRegistration, chain->registration().encode());
    if (variant == 2) object.back() ^= 1;
    submit("registration", Kind::kRegistration, object);
    if (variant == 3) submit("registration", Kind::kRegistration, object);
    if (variant < 3) return;
    holders_.emplace(BondPurpose::kStorage, chain->id());
    Chain entry;
    entry.honest = honest;
    entry.unsealed = options.unsealed;
    entry.lazy = !honest && one_in(2);
    entry.chain = std::move(chain);
    chains_.push_back(std::move(entry));
}

void RandomHistory::list_update() {
    constexpr std::uint64_t kReveals = 40;
    Chain* chain = random_cheat();
    if (chain == nullptr) return;
    const auto info = must(registry().chain(chain->chain->id())).value();
    const Height base = tip() + params_.seal_delay + 1 + below(4);
    std::vector<Reveal> reveals;
    if (!one_in(3)) {
        reveals.assign(kReveals + 1, Reveal(tagged_hash("test/reveal end", base, seed_)));
        for (std::uint64_t i = kReveals; i > 0; --i) {
            reveals[i - 1] =
                reveal_before(network_id_, view(chain->chain->replica()), i, reveals[i]);
        }
    }
    const Reveal commitment = reveals.empty() ? Reveal{} : reveals[0];
    const KeyPair stranger = test_operator();
    const Update update =
        make_update(network_id_, chain->chain->id(), info.last_sequence + (one_in(8) ? 0 : 1), base,
                    commitment, one_in(10) ? stranger : chain->chain->key())
            .value();
    chain->reveals[base] = std::move(reveals);
    submit("update", Kind::kUpdate, wrap_object(Kind::kUpdate, update.encode()));
}

void RandomHistory::list_chain_removal() {
    Chain* chain = one_in(6) ? chains_.data() : random_cheat();
    if (chain == nullptr) return;
    const auto info = must(registry().chain(chain->chain->id()));
    if (!info || (chain->honest && info->phase != ChainPhase::kSealed)) return;
    const bool forged = !chain->honest && one_in(6);
    const KeyPair stranger = test_operator();
    const Removal removal = make_removal(network_id_, chain->chain->id(), info->last_sequence + 1,
                                         tip(), forged ? stranger : chain->chain->key())
                                .value();
    submit("removal", Kind::kRemoval, wrap_object(Kind::kRemoval, removal.encode()));
}

/// The way out of a role, or of what is free.
void RandomHistory::list_role_removal() {
    struct Exit {
        const KeyPair* key;
        BondId bond;
        BondPurpose role;
    };
    std::vector<Exit> exits;
    const KeyPair operator_key = test_operator();
    const auto add = [&](const KeyPair& key, BondPurpose role) {
        const auto known = bond_of_.find(Digest{key.public_key().bytes});
        if (known != bond_of_.end()) exits.push_back({&key, known->second, role});
    };
    for (std::size_t k = 1; k < challengers_.size(); ++k) {
        exits.push_back({&challengers_[k].key, challengers_[k].bond, BondPurpose::kChallenger});
    }
    for (const KeyPair& key : submitters_) add(key, BondPurpose::kCheckpoint);
    for (const KeyPair& key : evaluators_) add(key, BondPurpose::kEvaluator);
    add(operator_key, BondPurpose::kOperator);
    for (const Chain& c : chains_) {
        exits.push_back({&c.chain->key(), c.chain->registration().bond_id, BondPurpose::kStorage});
    }
    const Exit& exit = exits[below(exits.size())];
    const bool free = exit.role == BondPurpose::kStorage || one_in(3);
    const Removal removal = make_removal(network_id_, ChainId(exit.bond),
                                         free ? 0 : static_cast<std::uint32_t>(exit.role), tip(),
                                         one_in(8) ? chains_[0].chain->key() : *exit.key)
                                .value();
    submit(free ? "removal of what is free" : "removal of a role", Kind::kRemoval,
           wrap_object(Kind::kRemoval, removal.encode()));
}

void RandomHistory::list_challenger() {
    constexpr std::size_t kMostChallengers = 4;
    const Height base = tip() + params_.seal_delay + 1 + below(3) + (challengers_.empty() ? 2 : 0);
    std::size_t who = challengers_.size();
    if (who == kMostChallengers || (who > 1 && one_in(3))) who = 1 + below(who - 1);
    if (who == challengers_.size()) {
        challengers_.emplace_back(network_id_, 100 * seed_ + who, base);
        const TestChallenger& c = challengers_.back();
        const std::uint64_t amount = who != 0 && one_in(6) ? 20 : 64 + below(100);
        bond(BondEvent::created(c.bond, c.key.public_key(), amount, BondPurpose::kChallenger));
        bond_of_[Digest{c.key.public_key().bytes}] = c.bond;
        holders_.emplace(BondPurpose::kChallenger, Digest{c.key.public_key().bytes});
    } else {
        challengers_[who].begin_at(network_id_, base);
    }
    Bytes object =
        wrap_object(Kind::kChallenger, challengers_[who].registration(network_id_).encode());
    if (who != 0 && one_in(8)) object.back() ^= 1;
    submit("challenger", Kind::kChallenger, object);
}

void RandomHistory::list_checkpoint() {
    const auto closed = must(registry().closed());
    if (!closed) return;
    const Height g(closed->value - closed->value % params_.checkpoint_blocks);
    if (g < params_.genesis_height) return;
    if (submitters_.empty() || one_in(4)) {
        submitters_.push_back(
            KeyPair::from_secret(view(tagged_hash("test/submitter", seed_, ++numbers_))));
        if (!one_in(4)) {
            (void)new_bond(submitters_.back().public_key(), BondPurpose::kCheckpoint,
                           params_.least_submitter_part + below(3));
        }
    }
    const KeyPair& key = submitters_[below(submitters_.size())];
    const auto staked = bond_of_.find(Digest{key.public_key().bytes});
    const BlockRecord block = must(registry().block(g)).value();
    const GlobalDigest global =
        one_in(4) ? GlobalDigest(tagged_hash("a lie", below(2))) : block.global;
    const Checkpoint checkpoint =
        make_checkpoint(network_id_, g, block.hash, global, block.counts.total,
                        staked == bond_of_.end() ? BondId{} : staked->second, key)
            .value();
    submit("checkpoint", Kind::kCheckpoint, wrap_object(Kind::kCheckpoint, checkpoint.encode()));
}

/// Bonds that claim their part by being listed, and more under what there is.
void RandomHistory::list_roles() {
    if (evaluators_.empty() || one_in(3)) {
        evaluators_.push_back(
            KeyPair::from_secret(view(tagged_hash("test/evaluator", seed_, ++numbers_))));
        (void)new_bond(evaluators_.back().public_key(), BondPurpose::kEvaluator,
                       params_.least_evaluator_part - (one_in(5) ? 1 : 0) + below(2));
    }
    if (one_in(2)) {
        (void)new_bond(params_.operator_key, BondPurpose::kOperator, params_.least_operator_part);
    }
    if (!bonds_.empty() && one_in(2)) {
        auto any = bonds_.begin();
        std::advance(any, below(bonds_.size()));
        BondEvent more;
        more.what = BondEventKind::kAdded;
        more.bond = *any;
        more.amount = 1 + below(9);
        more.number = 1'000'000 + ++numbers_;
        bond(more);
    }
}

void RandomHistory::list_at_wrong_door() {
    const ChainId& id = chains_[below(chains_.size())].chain->id();
    submit("at the wrong door", Kind::kSealProof, seal_object(id, tip()));
}

}  // namespace holdfast::test
