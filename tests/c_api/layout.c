// Where the last field of each struct of ABI version 1 lies on 64-bit machines: for good. A struct
// grows behind it, and then has its new last field here as well.
#include <holdfast/holdfast.h>

#define LAYOUT(type, field, at) \
    _Static_assert(offsetof(type, field) == (at), #type "." #field " has moved")

#if UINTPTR_MAX == UINT64_MAX
LAYOUT(holdfast_verdict, index, 8);
LAYOUT(holdfast_bytes, size, 8);
LAYOUT(holdfast_control, progress, 32);
LAYOUT(holdfast_signer_callbacks, max_calls, 44);
LAYOUT(holdfast_seal_options, restart, 40);
LAYOUT(holdfast_replica_info, windows_taken_over, 160);
LAYOUT(holdfast_guard_options, max_calls, 12);
LAYOUT(holdfast_block, final, 88);
LAYOUT(holdfast_bond_event, subject, 96);
LAYOUT(holdfast_blockchain_callbacks, bond_events_at, 56);
LAYOUT(holdfast_bond_info, slashed_amount, 96);
LAYOUT(holdfast_token_callbacks, bond_info, 56);
LAYOUT(holdfast_beacon_callbacks, verify, 32);
LAYOUT(holdfast_peers_callbacks, verify_place, 48);
LAYOUT(holdfast_known_height, beacon_proof, 208);
LAYOUT(holdfast_known_reveal, reveal, 24);
LAYOUT(holdfast_known_chain, reveals_count, 56);
LAYOUT(holdfast_verify_hints, host, 80);
LAYOUT(holdfast_verify_report, total_chains, 152);
LAYOUT(holdfast_prover_options, responses_at_once, 20);
LAYOUT(holdfast_registration_terms, with_commitment, 84);
LAYOUT(holdfast_link_place, anchor, 80);
LAYOUT(holdfast_link_facts, has_reveal_base, 80);
LAYOUT(holdfast_challenger_part, part, 32);
LAYOUT(holdfast_challenge_height, challengers_count, 96);
LAYOUT(holdfast_challenged_chain, chunks, 96);
LAYOUT(holdfast_challenger_report, abandoned, 48);
LAYOUT(holdfast_clock_options, has_first, 48);
LAYOUT(holdfast_aggregator_options, fills_at_once, 92);
LAYOUT(holdfast_block_summary, faults, 168);
LAYOUT(holdfast_outcome, members_refused, 96);
LAYOUT(holdfast_digest_info, expired, 168);
LAYOUT(holdfast_seal_duty, deadline, 56);
LAYOUT(holdfast_settlement_report, timeouts, 32);
LAYOUT(holdfast_accusation_request, replica, 40);
LAYOUT(holdfast_judgement, offence_id, 72);
#endif
