// if_nameindex, if_nametoindex, if_indextoname: the loopback interface is number 1.
#include "check.h"
#include <net/if.h>

int main(void) {
    begin();
    char name[IF_NAMESIZE] = "";
    TRY(if_nametoindex("lo"));
    CHECK(if_indextoname(1, name) == name && strcmp(name, "lo") == 0);
    CHECK(if_nametoindex("nonesuch") == 0 && errno == ENODEV);
    CHECK(if_indextoname(99999, name) == NULL && errno == ENXIO);
    struct if_nameindex *list = if_nameindex();
    CHECK(list != NULL);
    CHECK(list[0].if_index == 1 && strcmp(list[0].if_name, "lo") == 0);
    for (struct if_nameindex *at = list; at->if_index; at++)
        require(if_nametoindex(at->if_name) == at->if_index, "the same index both ways");
    if_freenameindex(list);
    return 0;
}
