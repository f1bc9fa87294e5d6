// verify_time FOLDER PROOF: how long the C ABI takes for the proof that bench/verify.js also judges.
// For every line of standard input, which holds a count, it verifies the proof so often and prints the
// microseconds of one.
#include <holdfast/holdfast.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now_us(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

int main(int argc, char** argv) {
    static uint8_t proof[HOLDFAST_MAX_PROOF_BYTES];
    holdfast_verifier* verifier = NULL;
    FILE* const file = argc == 3 ? fopen(argv[2], "rb") : NULL;
    if (file == NULL || holdfast_verifier_load(argv[1], &verifier) != HOLDFAST_OK) return 2;
    const size_t size = fread(proof, 1, sizeof proof, file);
    fclose(file);
    char line[32];
    while (fgets(line, sizeof line, stdin) != NULL) {
        const long count = strtol(line, NULL, 10);
        if (count <= 0) return 2;
        const double start = now_us();
        for (long i = 0; i < count; ++i) {
            holdfast_verify_report report = {.struct_size = sizeof report};
            if (holdfast_verifier_verify(verifier, proof, size, NULL, NULL, &report) !=
                    HOLDFAST_OK ||
                report.verdict.reason != HOLDFAST_REASON_OK) {
                return 1;
            }
        }
        printf("%.3f\n", (now_us() - start) / (double)count);
        fflush(stdout);
    }
    holdfast_verifier_free(verifier);
    return 0;
}
