// A foreign program in C: the installed header and library are of one version and work.
#include <holdfast/holdfast.h>
#include <stdio.h>
#include <string.h>

int main(void) {
    holdfast_network* network = NULL;
    uint8_t id[HOLDFAST_DIGEST_BYTES];
    uint8_t object[1024];
    size_t size = sizeof object;
    holdfast_kind kind = 0;
    if (holdfast_abi_version() < HOLDFAST_ABI_VERSION || !holdfast_has_feature("verifier") ||
        holdfast_network_from_preset("default", NULL, 0, &network) != HOLDFAST_OK ||
        holdfast_network_id(network, id) != HOLDFAST_OK ||
        holdfast_network_object(network, object, &size) != HOLDFAST_OK ||
        holdfast_object_kind(object, size, &kind) != HOLDFAST_OK || kind != HOLDFAST_KIND_NETWORK) {
        fprintf(stderr, "%s\n", holdfast_last_error());
        return 1;
    }
    holdfast_network_free(network);
    printf("Holdfast %s, through C\n", holdfast_version());
    return 0;
}
