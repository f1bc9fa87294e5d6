// Answers of the callback interfaces in canonical bytes. Internal to this room.
//
// encode_answer() and decode_answer() are inverse to each other for every value that a host may
// give. Decoding marks the reader as failed for anything else and allocates no more than the bytes
// at hand account for.
#pragma once

#include "callbacks/beacon.hpp"
#include "callbacks/blockchain.hpp"
#include "callbacks/network.hpp"
#include "callbacks/token.hpp"
#include "core/codec.hpp"

namespace holdfast {

/// Stands for the answer of a function that only succeeds.
struct Done {
    friend bool operator==(const Done&, const Done&) = default;
};

void encode_answer(Writer& w, const Done& answer);
void encode_answer(Writer& w, const Height& answer);
void encode_answer(Writer& w, const std::uint64_t& answer);
void encode_answer(Writer& w, const BlockInfo& answer);
void encode_answer(Writer& w, const std::vector<Submission>& answer);
void encode_answer(Writer& w, const std::vector<BondEvent>& answer);
void encode_answer(Writer& w, const BeaconRound& answer);
void encode_answer(Writer& w, const BondId& answer);
void encode_answer(Writer& w, const BondInfo& answer);
void encode_answer(Writer& w, const std::vector<Peer>& answer);
void encode_answer(Writer& w, const std::vector<std::uint64_t>& answer);
void encode_answer(Writer& w, const ChallengeReply& answer);
void encode_answer(Writer& w, const std::vector<VantageReport>& answer);

void decode_answer(Reader& r, Done& answer);
void decode_answer(Reader& r, Height& answer);
void decode_answer(Reader& r, std::uint64_t& answer);
void decode_answer(Reader& r, BlockInfo& answer);
void decode_answer(Reader& r, std::vector<Submission>& answer);
void decode_answer(Reader& r, std::vector<BondEvent>& answer);
void decode_answer(Reader& r, BeaconRound& answer);
void decode_answer(Reader& r, BondId& answer);
void decode_answer(Reader& r, BondInfo& answer);
void decode_answer(Reader& r, std::vector<Peer>& answer);
void decode_answer(Reader& r, std::vector<std::uint64_t>& answer);
void decode_answer(Reader& r, ChallengeReply& answer);
void decode_answer(Reader& r, std::vector<VantageReport>& answer);

/// Whether the bytes are a BlockInfo that says it is final.
[[nodiscard]] bool is_final_block(ByteView answer);

}  // namespace holdfast
