// The one instance of the settings of this run; runtime/cli/apply.c fills it in before anything reads it.
#include "runtime/options.h"

struct options options = {.self = "/proc/self/exe"};
