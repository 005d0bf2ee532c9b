// `--cosim`: each time native code is entered, the interpreter goes the same way first, and what native code then leaves in registers and memory
// is compared with that. The first difference ends the process with a report.
#pragma once

enum { COSIM_STATUS = 125 };  // the exit status then

// Once native code is possible, and before any is made.
void cosim_init(void);
