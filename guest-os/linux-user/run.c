// `ferry run`: puts the pieces of user mode together. The order matters: signals are taken before the program is loaded, so that
// a file that shrinks under us is an error and not a crash.
#include "guest-os/linux-user/run.h"
#include "guest-os/linux-user/abi.h"
#include "guest-os/linux-user/syscall.h"
#include "guest-os/linux-user/symbol.h"
#include "runtime/base/error.h"
#include "runtime/base/sys.h"
#include "runtime/base/text.h"
#include "runtime/code.h"
#include "runtime/options.h"
#include "runtime/perfmap.h"
#include "runtime/stats.h"
#include <fcntl.h>
#include <limits.h>
#include <unistd.h>

static const struct cpu_hooks hooks = {.syscall = syscall_dispatch, .fault = signal_fault, .interrupt = signal_deliver};

// The sysroot as the kernel spells it, so that paths that the kernel gives (getcwd, readlink) are recognised to be in it.
static void settle_sysroot(void) {
    static char path[PATH_MAX];
    if (!options.sysroot) return;
    long root = host_call(openat, AT_FDCWD, options.sysroot, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (root < 0) return;  // program_load says so
    char link[40];
    struct text text = TEXT_ON(link);
    text_add(&text, "/proc/self/fd/%ld", root);
    long length = host_call(readlinkat, AT_FDCWD, link, path, sizeof path - 1);
    host_call(close, root);
    if (length <= 0 || path[0] != '/') return;
    path[length] = 0;
    options.sysroot = length == 1 ? NULL : path;  // the root itself is no sysroot
}

int linux_user_run(const char *program, int argc, char *const argv[], char *const envp[]) {
    const struct guest_isa *isa = guest_by_machine(guest_abi->machine);
    if (!isa) error_die("no translator for %s", guest_abi->uname_machine);
    settle_sysroot();
    mem_init();
    perfmap_describe = symbol_describe;
    code_init(isa, options.features ? options.features : isa->default_features);
    struct cpu *cpu = cpu_new(&hooks);
    struct task *task = task_new(cpu);
    signal_init(task);
    int status = program_load(cpu, program, argc, argv, envp);
    if (status) return status;
    stats_init();
    cpu_set_current(cpu);
    trace_begin(task);
    cpu_loop(cpu);
    process_exit(0);
}
