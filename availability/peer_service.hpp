// What a prover answers on one connection: challenges and readers' requests, told apart by their
// kind.
//
// The object that a transport's handler calls: bytes of a standing-alone object in, bytes out.
// kRefused means that the peer is ignored, with the reason. Any thread. Both halves must outlive
// it; either may be null, and what it would answer is then kRefused (kBadKind).
#pragma once

#include "availability/chunk_server.hpp"
#include "availability/responder.hpp"

namespace holdfast {

class PeerService {
  public:
    PeerService(AvailabilityResponder* responder, ChunkServer* chunks)
        : responder_(responder), chunks_(chunks) {}

    [[nodiscard]] Result<Bytes> handle(const PublicKey& from, ByteView object) {
        const bool reads = object.size() > 1 && object[1] == kReadRequestKind;
        if (reads && chunks_ != nullptr) return chunks_->handle(from, object);
        if (!reads && responder_ != nullptr) return responder_->respond(from, object);
        return fail_refused(Reason::kBadKind, "request");
    }

  private:
    AvailabilityResponder* responder_;
    ChunkServer* chunks_;
};

}  // namespace holdfast
