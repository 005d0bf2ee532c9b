// guest-test: variants=static,dynamic
// guest-flags: -Wl,-z,noexecstack
// A program that asks for no executable stack gets a fault there, like in its data.
#include "stack.h"
