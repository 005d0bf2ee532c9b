// `ferry run`: starts a guest program in user mode in this process and runs it to its end.
#pragma once
// Returns only when the program could not be started: the exit status (126, 127), after a message.
int linux_user_run(const char *program, int argc, char *const argv[], char *const envp[]);
