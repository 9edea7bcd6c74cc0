/* As a Winsock source names it. */
#include "../sockeye_winsock.h"
