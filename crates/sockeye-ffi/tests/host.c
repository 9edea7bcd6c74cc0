// Before main: a lab with one host, on which all threads make their sockets.
#include <stdio.h>
#include <stdlib.h>

#include "../include/sockeye.h"

__attribute__((constructor)) static void begin_on_a_host(void) {
    // Where select's sets reach.
    sockeye_first_descriptor(512);
    sockeye_lab *lab = sockeye_lab_new(1);
    if (sockeye_lab_host(lab, "host", NULL) || sockeye_lab_start(lab)) {
        fprintf(stderr, "no lab: %s\n", sockeye_error());
        exit(1);
    }
    sockeye_host *host = sockeye_lab_find(lab, "host");
    sockeye_use_by_default(host);
    sockeye_host_free(host);
    sockeye_lab_free(lab);
}
