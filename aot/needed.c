#include "aot/needed.h"
int needed_main(int argc, char *argv[]){(void)argc;(void)argv;return 1;}
