"""Who takes part in a cluster, and by which rules."""

OPERATOR, STANDBY, READER = "operator", "standby", "reader"
NODES = [OPERATOR, STANDBY]
PROVERS = ["honest", "slow-link", "lossy", "restarted", "silent", "garbage", "equivocating",
           "unplugged", "lying"]
CHALLENGERS = [f"challenger{i}" for i in range(1, 6)]
BOND = 1000
CHALLENGER_BOND = 10_240  # 32 rewards are what a failed audit of an outcome costs
POOL = 1_000_000
SERVED_REWARD = 7
CHALLENGER_REWARD = 3
CHUNKS = 64
LOST_CHUNKS = 6  # of the silent and the garbage prover: a tenth
FILE_HEADER = 4096
CHUNK = 4096
LATE = 40  # misses above which a chain is late
LINK_LAG = 4
PROOF_DEADLINE = 10
EQUIVOCATES_WITH_BUNDLE = 5
KEYS = ["operator.key", "evaluator.key"]  # of the network, in the operator's safe
SETTINGS = {
    "finality_blocks": 1, "link_lag": LINK_LAG, "proof_deadline": PROOF_DEADLINE,
    "rate_window": 4000, "misses_late": LATE, "misses_expired": 3900,
    "availability_n": 1, "availability_d": 1,
    "quorum_window": 400, "quorum": 3, "quorum_of": 5, "checkpoint_blocks": 16,
    "least_challenger_part": CHALLENGER_BOND,
}
PATIENCE_S = 120  # beside what blocks take, on a busy machine


def say(text):
    print(text, flush=True)
GOES_ON_WITHIN = 32  # blocks after a kill, until everybody has dialled again and answered what was drawn
