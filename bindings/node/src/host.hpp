// Interfaces that JavaScript gives: chain, token, beacon, peers, signer.
//
// A callback of the C ABI, on a thread of the library's, becomes a question with a number, which
// the event loop hands to a function of JavaScript's: ask(number, method, ...arguments). JavaScript
// answers whenever it can, by answer(number, value) or refuse(number, ...). Until then, or until
// the time is over, the library's thread waits; the event loop never does.
#pragma once

#include <node_api.h>

#include "value.hpp"

namespace holdfast_node {

/// (ask, guard options or nothing): promises of a handle.
HandleBox make_blockchain(napi_env env, const In& ask, const In& options);
HandleBox make_token(napi_env env, const In& ask, const In& options);
HandleBox make_beacon(napi_env env, const In& ask, const In& options);
HandleBox make_peers(napi_env env, const In& ask, const In& options);
/// A promise: the signer is asked for its key.
napi_value make_signer(napi_env env, const In& ask, const In& options);

/// Of the event loop: what JavaScript says to a question. Late answers are heard by nobody.
void answer(napi_env env, const In& number, const In& value);
void refuse(napi_env env, const In& number, const In& code, const In& reason, const In& text);

/// Words of JavaScript's for numbers of the C ABI.
extern const std::vector<const char*> kBondPurposes;
extern const std::vector<const char*> kBondEvents;

}  // namespace holdfast_node
