// `ferry precompile`: makes sheets of all code that discovery finds in programs and libraries, before anybody runs them. docs/precompile.md says how.
#pragma once

// argv[0] is not looked at, then options, then "--" and files or directories. Returns the exit status.
int precompile_main(int argc, char *argv[]);
