// guest-test: variants=static,dynamic
// guest-flags: -Wl,-z,execstack
// A program that asks for an executable stack has one; its heap and data are not executable because of it.
#include "stack.h"
