// Verifies a proof in C, from public data alone: the data are elsewhere, and nobody is trusted.
//
//   cc c_verify.c $(pkg-config --cflags --libs holdfast) -o c_verify
//   ./c_verify PUBLIC_FOLDER PROOF_FILE     0: accepted, 1: refused, 2: could not be judged
#include <holdfast/holdfast.h>
#include <stdio.h>

static uint8_t object[65536];

static size_t read_object(const char* path) {
    FILE* file = fopen(path, "rb");
    if (file == NULL) return 0;
    const size_t size = fread(object, 1, sizeof object, file);
    fclose(file);
    return size;
}

int main(int argc, char** argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: %s PUBLIC_FOLDER PROOF_FILE\n", argv[0]);
        return 2;
    }
    const size_t size = read_object(argv[2]);
    holdfast_verifier* verifier = NULL;
    holdfast_verify_report report = {0};
    report.struct_size = sizeof report;
    if (holdfast_verifier_load(argv[1], &verifier) != HOLDFAST_OK ||
        holdfast_verifier_verify(verifier, object, size, NULL, NULL, &report) != HOLDFAST_OK) {
        fprintf(stderr, "%s\n", holdfast_last_error());
        holdfast_verifier_free(verifier);
        return 2;
    }
    holdfast_verifier_free(verifier);
    printf("%s of height %llu: %s\n", holdfast_kind_name(report.kind),
           (unsigned long long)report.height, holdfast_reason_name(report.verdict.reason));
    if (report.verdict.reason == HOLDFAST_REASON_OK) return 0;
    printf("%s\n%s\n", holdfast_reason_meaning(report.verdict.reason),
           holdfast_reason_action(report.verdict.reason));
    return 1;
}
