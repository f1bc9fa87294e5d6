#include "node/registrar.hpp"

#include "api/prover.hpp"
#include "chunking/tree_file.hpp"
#include "core/constants.hpp"
#include "node/node_folder.hpp"
#include "storage/file.hpp"

namespace holdfast::node {

Registrar::Registrar(const Config& config, const Identity& identity, FollowClient& client,
                     ReplicaStock& stock, OwnChains& chains, Log& log)
    : settings_(config.proving),
      identity_(identity),
      client_(client),
      stock_(stock),
      chains_(chains),
      log_(log) {}

Result<Bytes> Registrar::make(const StockedReplica& replica) const {
    HOLDFAST_ASSIGN(tip, client_.tip());
    HOLDFAST_ASSIGN(header, read_replica_header(replica.replica, identity_.params));
    RegistrationTerms terms;
    terms.genesis_height = tip.height;
    terms.genesis_block_hash = tip.hash;
    terms.retention = *retention_from_name(settings_.retention);  // checked with the settings
    if (!from_hex(settings_.bond, MutByteView(terms.bond_id.bytes))) {
        return fail(ErrorCode::kInvalidArgument, "[prover] bond is no id");
    }
    terms.with_commitment = settings_.commitment;
    HOLDFAST_ASSIGN(registration,
                    make_registration(identity_.params, header, terms, *identity_.key));
    return wrap_object(Kind::kRegistration, registration.encode());
}

/// The node's copy of what was registered, where the file beside the replica is gone or of another
/// registration.
Status Registrar::read_back(DutySource& source, const StockedReplica& replica,
                            const ChainId& chain) {
    const NetworkId network = identity_.params.id();
    const auto beside = registration_beside(identity_.params, replica.replica);
    if (beside && beside->chain_id(network) == chain) return {};  // the replica itself is at fault
    HOLDFAST_ASSIGN(known, source.registration(chain));
    if (!known || known->chain_id(network) != chain ||
        !check_registration(identity_.params, network, *known)) {
        return fail_refused(Reason::kWrongChain, "the followed node's copy of a registration");
    }
    HOLDFAST_TRY(write_file(registration_file(replica.replica),
                            wrap_object(Kind::kRegistration, known->encode())));
    log_.info("registration.read_back", {{"replica", replica.replica}, {"chain", chain}});
    stock_.registered(replica.replica);
    return {};
}

Status Registrar::bring(DutySource& source, const StockedReplica& replica, Height tip,
                        RegistrarCounts& counts) {
    ++counts.waiting;
    const std::filesystem::path file = registration_file(replica.replica);
    std::error_code ignored;
    Bytes object;
    if (std::filesystem::exists(file, ignored)) {
        HOLDFAST_ASSIGN(registration, registration_beside(identity_.params, replica.replica));
        const bool too_old = registration.genesis_height + kGenesisMaxAge < tip + 1;
        const auto last = handed_over_.find(*replica.id);
        if (!too_old && last != handed_over_.end() && tip < last->second + kAgainAfter) {
            return {};
        }
        if (!too_old) object = wrap_object(Kind::kRegistration, registration.encode());
    }
    if (object.empty()) {
        if (settings_.bond.empty()) {
            --counts.waiting;
            ++counts.without_bond;
            return {};
        }
        if (counts.made >= kMadeAtOnce) return {};  // the next pass
        HOLDFAST_ASSIGN(made, make(replica));
        object = std::move(made);
        HOLDFAST_TRY(write_file(file, object));
        ++counts.made;
        stock_.registered(replica.replica);
    }
    HOLDFAST_TRY(source.list(Kind::kRegistration, object));
    handed_over_[*replica.id] = tip;
    log_.info("registration.handed_over", {{"replica", replica.replica}, {"height", tip}});
    return {};
}

Result<bool> Registrar::pass(DutySource& source, Height tip) {
    if (!chains_.known()) return true;
    RegistrarCounts now;
    for (const StockedReplica& replica : stock_.replicas()) {
        if (!replica.linked || !replica.id) continue;
        const auto known = chains_.of_replica(*replica.id);
        Status done;
        if (!known) {
            done = bring(source, replica, tip, now);
        } else {
            handed_over_.erase(*replica.id);
            if (replica.chain != known->chain_id)
                done = read_back(source, replica, known->chain_id);
        }
        if (done) continue;
        now.error = replica.replica.string() + ": " + done.error().message;
        log_.warn("registration.failed",
                  {{"replica", replica.replica}, {"error", done.error().message}});
    }
    const std::lock_guard lock(mutex_);
    now.made += counts_.made;
    counts_ = now;
    return now.waiting > 0;
}

RegistrarCounts Registrar::counts() const {
    const std::lock_guard lock(mutex_);
    return counts_;
}

}  // namespace holdfast::node
